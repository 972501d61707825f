//! What people did in a scenario that was played, and what befell its world: when, and until when, in the file's own words.

use ramen_events::Time;
use serde_json::Value;

use super::Scenario;
use crate::{
    happening::{Happening, StorageFault, StoreFault},
    trial::Verdict,
};

/// How much of a manifest is told.
const MOST: usize = 160;

/// Something that was done or that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub from: Time,
    /// Until when, where something else ended it.
    pub until: Option<Time>,
    /// What, and what ended it.
    pub words: String,
    /// Whether it befell the world, as opposed to what people did.
    pub is_fault: bool,
}

impl Scenario {
    /// What was done and what happened, in the order of time. What applications begin with is not told.
    pub fn told(&self, verdict: &Verdict) -> Vec<Told> {
        let plan = self.plan();
        let done = plan.story.iter().zip(&verdict.acts).skip(self.prologue());
        let acts = done.flat_map(|(act, at)| act.what.iter().map(|what| (Time(at.millis()), what.clone())));
        // Faults end with the timeline, and everything is mended then.
        let is_through = verdict.acts.len() == plan.story.len();
        let end = if is_through { verdict.acts.last().copied() } else { None };
        let end = Time(end.unwrap_or_else(|| verdict.universe.now()).millis());
        let begin = verdict.universe.begin();
        let faults = plan.faults.iter().map(|fault| (Time(begin.millis() + fault.at), fault.what.clone()));
        let mut all: Vec<(Time, Happening)> = acts.chain(faults.filter(|(at, _)| *at <= end)).collect();
        all.sort_by_key(|(at, _)| *at);
        if is_through && self.rests {
            all.push((end, Happening::Mend));
        }
        tell(&all, is_through && self.rests)
    }
}

/// `rests`: the last is no happening of the file, but the end of its timeline.
fn tell(all: &[(Time, Happening)], rests: bool) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    // What goes on, and where it is told.
    let mut open: Vec<(String, usize)> = Vec::new();
    for (index, (at, what)) in all.iter().enumerate() {
        let mended = matches!(what, Happening::Mend);
        let (about, begins) = state(what).unzip();
        let (ended, on): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|(other, _)| mended && !other.starts_with("pod ") || about.as_ref() == Some(other));
        open = on;
        for (_, index) in &ended {
            if let Some(ended) = told.get_mut(*index) {
                ended.until = Some(*at);
                ended.words = format!("{} … {}", ended.words, what.word());
            }
        }
        let is_the_end = rests && index + 1 == all.len();
        let begins = begins.unwrap_or_default();
        if is_the_end || !begins && !ended.is_empty() && !mended {
            continue;
        }
        if let Some(about) = about.filter(|_| begins) {
            open.push((about, told.len()));
        }
        let until = match what {
            Happening::Rival { lasts, .. } => Some(Time(at.0 + lasts)),
            _ => None,
        };
        told.push(Told { from: *at, until, words: words(what), is_fault: what.is_fault() });
    }
    told
}

/// The state of the world that something begins (true) or ends, if it does.
fn state(what: &Happening) -> Option<(String, bool)> {
    Some(match what {
        Happening::Lose { cluster } => (format!("power of {cluster}"), true),
        Happening::BringBack { cluster } => (format!("power of {cluster}"), false),
        Happening::HubLink { cluster, works } => (format!("link of {cluster}"), !works),
        Happening::StoreLink { cluster, profile, works } => (format!("stores of {cluster} {profile:?}"), !works),
        Happening::StorageLink { works } => ("storage link".to_owned(), !works),
        Happening::Storage { cluster, fault } => (format!("storage of {cluster}"), *fault != StorageFault::None),
        Happening::Agent { cluster, agent, works } => (format!("agent {agent:?} of {cluster}"), !works),
        Happening::Store { profile, fault } => (format!("store {profile}"), *fault != StoreFault::None),
        Happening::Stubborn { app, on } => (format!("pod {app} {on}"), true),
        Happening::Attached { app, on } => (format!("volumes {app} {on}"), true),
        Happening::Detached { app, on } => (format!("volumes {app} {on}"), false),
        Happening::Evict { app, on } | Happening::DeletePod { app, on } => (format!("pod {app} {on}"), false),
        _ => return None,
    })
}

/// As a file has it: `lose: { cluster: c1 }`.
fn words(what: &Happening) -> String {
    let words = match serde_json::to_value(what) {
        Ok(Value::Object(fields)) => fields.iter().map(|(word, fields)| format!("{word}: {}", flow(fields))).collect(),
        _ => what.word(),
    };
    if words.chars().count() <= MOST {
        return words;
    }
    words.chars().take(MOST - 1).chain(['…']).collect()
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[ {} ]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_told_with_what_ended_it() {
        let lose = |cluster: &str| Happening::Lose { cluster: cluster.to_owned() };
        let back = Happening::BringBack { cluster: "c1".to_owned() };
        let ask = Happening::Withdraw { app: "shop".to_owned() };
        let all = [(1, lose("c1")), (2, ask), (3, lose("c2")), (4, back), (9, Happening::Mend)];
        let all: Vec<_> = all.into_iter().map(|(at, what)| (Time(at), what)).collect();
        let told = tell(&all, true);
        let told: Vec<_> =
            told.iter().map(|told| (told.from.0, told.until.map(|at| at.0), told.words.as_str())).collect();
        assert_eq!(
            told,
            [
                (1, Some(4), "lose: { cluster: c1 } … bring-back"),
                (2, None, "withdraw: { app: shop }"),
                (3, Some(9), "lose: { cluster: c2 } … mend"),
            ]
        );
    }
}
