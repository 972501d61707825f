//! Random walks: whatever is asked, lost and restarted in between, the last action is carried out once things are well
//! again (spec drpc 11, L1 to L3), and what must never happen does not.

use ramen_events::ConditionStatus::{True, Unknown};
use rstest::rstest;

use crate::hub::story::Story;

/// A small generator of its own, so that a seed names the same walk for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn cluster(&mut self) -> &'static str {
        if self.roll(2) == 0 { "c1" } else { "c2" }
    }
}

fn stir(story: &mut Story, dice: &mut Dice) -> String {
    let cluster = dice.cluster();
    match dice.roll(10) {
        0 | 1 => {
            story.ask("Failover", cluster);
            format!("failover to {cluster}")
        }
        2 | 3 => {
            story.ask("Relocate", cluster);
            format!("relocate to {cluster}")
        }
        4 => {
            story.ask("", "");
            "clear".into()
        }
        5 => {
            let down = !story.site(cluster).down;
            if down {
                story.lose(cluster)
            } else {
                story.bring_back(cluster)
            }
            format!("{cluster} down {down}")
        }
        6 => {
            let idle = !story.site(cluster).idle;
            story.site(cluster).idle = idle;
            story.catch_up(cluster);
            format!("{cluster} idle {idle}")
        }
        7 => {
            let available = if dice.roll(2) == 0 { True } else { Unknown };
            story.managed(cluster, available);
            format!("{cluster} available {available:?}")
        }
        8 => {
            if dice.roll(3) == 0 {
                story.lose_log()
            } else {
                story.restart()
            }
            "restart".into()
        }
        _ => {
            story.pass(dice.roll(40));
            "time".into()
        }
    }
}

/// Who is asked to be primary.
type Roles = [bool; 2];

fn roles(story: &Story) -> Roles {
    ["c1", "c2"].map(|cluster| story.wished(cluster).starts_with("primary"))
}

/// What must hold after each step. `from` is where its commands begin, `roles` what was asked before them.
fn check(story: &Story, from: usize, mut roles: Roles, walk: &[String]) {
    for sent in &story.sent[from..] {
        let words: Vec<&str> = sent.split(' ').collect();
        if let ["vrg", cluster, role, rest @ ..] = words.as_slice() {
            let (prepare, run) = (rest.contains(&"prepare"), rest.contains(&"run"));
            let primary = *role == "primary";
            assert!(!(prepare && run) && (primary || !(prepare || run)), "S4: {sent} after {walk:?}");
            let at = usize::from(*cluster == "c2");
            let promoted = primary && !roles[at];
            assert!(!promoted || !rest.contains(&"Relocate") || !roles[1 - at], "S1: {sent} after {walk:?}");
            roles[at] = primary;
        }
        if let ["decide", clusters @ ..] = words.as_slice() {
            let chosen = clusters.iter().filter(|cluster| !cluster.starts_with('[') && !cluster.is_empty()).count();
            assert!(chosen <= 1, "{sent} after {walk:?}");
        }
    }
}

#[rstest]
fn the_last_action_is_carried_out(#[values(0, 100, 200, 300)] first: u64) {
    for seed in first..first + 100 {
        let mut dice = Dice(seed * 7919 + 1);
        let mut story = Story::deployed();
        let mut walk = vec![format!("seed {seed}")];
        for _ in 0..12 {
            let (from, before) = (story.sent.len(), roles(&story));
            walk.push(stir(&mut story, &mut dice));
            story.run();
            check(&story, from, before, &walk);
        }
        for cluster in ["c1", "c2"] {
            story.managed(cluster, True);
            story.site(cluster).idle = false;
            story.bring_back(cluster);
        }
        let target = dice.cluster();
        let action = ["Failover", "Relocate"][usize::try_from(dice.roll(2)).unwrap_or_default()];
        walk.push(format!("finally {action} to {target}"));
        story.ask(action, target);
        for _ in 0..6 {
            story.run();
            story.pass(5);
            story.catch_up("c1");
            story.catch_up("c2");
        }
        let other = if target == "c1" { "c2" } else { "c1" };
        let status = story.status();
        let state = (status.phase.as_str(), status.progression.as_str(), story.decision());
        let phase = if action == "Failover" { "FailedOver" } else { "Relocated" };
        assert_eq!(state, (phase, "Completed", target.to_owned()), "{walk:#?} {}", story.words("Available"));
        assert_eq!(story.wished(target), format!("primary {action}"), "{walk:#?}");
        assert!(story.wished(other).starts_with("secondary"), "{walk:#?}");
        assert_eq!(story.told("PeerReady").0, True, "{walk:#?}");
    }
}
