//! From a seed to a plan: what users do, which faults befall the world, which mishaps happen on the way.
//!
//! Users, faults and mishaps have generators of their own, so leaving a class of faults out changes nothing else.

use ramen_sim::rng::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    happening::{Happening, OcmAgent, StorageFault, StoreFault},
    hazards::{Frequency, Mishap, Rule},
    plan::{Act, Plan, Timed},
    universe::{HUB, Outline, Rebuilt},
    until::Until,
};

/// Classes of faults, to be switched on and off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Managed clusters lost and back.
    Clusters,
    /// The hub lost and back, or rebuilt.
    Hub,
    /// Links cut: hub to clusters, operators to stores, storage to storage.
    Links,
    /// Stores down, slow, erring.
    Stores,
    /// Operators killed at any step, with and without loss of the log's tail, full disks, lost logs.
    Crashes,
    /// Two operators that believe that they lead.
    Rivals,
    /// Watches that miss, delay or repeat.
    Watches,
    /// Calls that fail, with and without effect.
    Calls,
    /// Clocks minutes apart.
    Clocks,
    /// Pods that do not stop, volumes that stay attached.
    Pods,
    /// Storage whose operations fail, hang, answer too late, or that passes no data on.
    Storage,
    /// OCM agents that stand still: views get old, works and their feedback come late.
    Agents,
    /// Clusters that several policies share.
    Sharing,
    /// Policies and DRClusters that are deleted while applications need them.
    Policies,
    /// People who change on clusters by hand what the hub put there.
    Hands,
    /// Storage that wants to be told of failovers.
    Modes,
}

impl Class {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Clusters,
        Self::Hub,
        Self::Links,
        Self::Stores,
        Self::Crashes,
        Self::Rivals,
        Self::Watches,
        Self::Calls,
        Self::Clocks,
        Self::Pods,
        Self::Storage,
        Self::Agents,
        Self::Sharing,
        Self::Policies,
        Self::Hands,
        Self::Modes,
    ];

    /// As `--faults` and tables call it.
    pub fn word(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// The mishaps of this class.
    fn mishaps(self) -> &'static [Mishap] {
        match self {
            Self::Crashes => &[Mishap::CrashBefore, Mishap::CrashAfter, Mishap::CrashLosingTail, Mishap::DiskFull],
            Self::Watches => &[Mishap::Gap, Mishap::Late, Mishap::Twice],
            Self::Calls => &[Mishap::Conflict, Mishap::TooMany, Mishap::Broken, Mishap::Unheard, Mishap::LostAnswer],
            _ => &[],
        }
    }

    /// The class of something that befalls the world; `None` for what users do and for ends of faults.
    pub fn of(what: &Happening) -> Option<Self> {
        match what {
            Happening::Lose { cluster } if cluster == HUB => Some(Self::Hub),
            Happening::Lose { .. } => Some(Self::Clusters),
            Happening::RebuildHub { .. } => Some(Self::Hub),
            Happening::HubLink { works: false, .. }
            | Happening::StoreLink { works: false, .. }
            | Happening::StorageLink { works: false } => Some(Self::Links),
            Happening::Store { fault, .. } if *fault != StoreFault::None => Some(Self::Stores),
            Happening::EmptyStore { .. } => Some(Self::Stores),
            Happening::Crash { .. } | Happening::LoseLog { .. } => Some(Self::Crashes),
            Happening::Rival { .. } => Some(Self::Rivals),
            Happening::Skew { .. } => Some(Self::Clocks),
            Happening::Stubborn { .. } | Happening::Attached { .. } => Some(Self::Pods),
            Happening::Storage { fault, .. } if *fault != StorageFault::None => Some(Self::Storage),
            Happening::Agent { works: false, .. } => Some(Self::Agents),
            Happening::SpoilVrg { .. } => Some(Self::Hands),
            Happening::DeletePolicy { .. } | Happening::DeleteCluster { .. } => Some(Self::Policies),
            _ => None,
        }
    }

    /// The class of a mishap.
    pub fn of_mishap(mishap: Mishap) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.mishaps().contains(&mishap))
    }
}

/// The plan of a seed, with these classes of faults.
pub fn plan(seed: u64, classes: &[Class]) -> Plan {
    let mut setting = Rng::for_entity(seed, "setting");
    let mut outline = Outline {
        pairs: if one_in(&mut setting, 6) { 2 } else { 1 },
        csi_addons: one_in(&mut setting, 4),
        write_every: pick(&mut setting, &[500, 1000, 2000]),
        old_work_crd: one_in(&mut setting, 6),
        ..Outline::default()
    };
    if classes.contains(&Class::Sharing) && one_in(&mut Rng::for_entity(seed, "sharing"), 8) {
        (outline.pairs, outline.shared) = (2, true);
    }
    outline.maintenance_modes = classes.contains(&Class::Modes) && one_in(&mut Rng::for_entity(seed, "modes"), 8);
    let most = if one_in(&mut setting, 3) { 3 } else { 1 };
    let apps = 1 + setting.below(most);
    let mut story = vec![Act::when(Until::Validated, []).patience(120_000)];
    let mut sequences: Vec<Vec<Act>> = (0..apps).map(|number| user(seed, number, &outline)).collect();
    let mut order = Rng::for_entity(seed, "order");
    while !sequences.is_empty() {
        let index = usize::try_from(order.below(sequences.len() as u64)).unwrap_or(0);
        if let Some(sequence) = sequences.get_mut(index) {
            if sequence.is_empty() {
                sequences.remove(index);
            } else {
                story.push(sequence.remove(0));
            }
        }
    }
    let horizon = 60_000 * story.len() as u64;
    let mut faults = Vec::new();
    for class in classes {
        let mut rng = Rng::for_entity(seed, &format!("{class:?}"));
        befall(*class, &mut rng, &outline, horizon, &mut faults);
    }
    faults.sort();
    let mut rules = Vec::new();
    for class in classes {
        let mut rng = Rng::for_entity(seed, &format!("{class:?} mishaps"));
        if class.mishaps().is_empty() || !one_in(&mut rng, 2) {
            continue;
        }
        for _ in 0..=rng.below(2) {
            let mishap = pick(&mut rng, class.mishaps());
            let point = pick(&mut rng, mishap.point());
            let at = one_in(&mut rng, 2).then(|| somewhere(&mut rng, &outline));
            let share = 1 + rng.below(if *class == Class::Crashes { 8 } else { 60 });
            let from = rng.below(horizon);
            let until = from + 10_000 + rng.below(horizon);
            rules.push(Rule { at, point, mishap, frequency: Frequency::PerMille(share), from, until });
        }
    }
    Plan { seed, outline, story, faults, rules, strict: false }
}

/// What the user of one application does.
fn user(seed: u64, number: u64, outline: &Outline) -> Vec<Act> {
    let mut rng = Rng::for_entity(seed, &format!("user {number}"));
    let app = format!("app-{number}");
    let home = pick(&mut rng, &outline.clusters());
    let policies = outline.policies().into_iter().filter(|(_, clusters)| clusters.contains(&home));
    let policy = pick(&mut Rng::for_entity(seed, &format!("policy {number}")), &policies.collect::<Vec<_>>()).0;
    let peer = outline.peer_of(&home, &policy).unwrap_or_default();
    let under = outline.shared.then_some(policy);
    let claims = 1 + usize::try_from(rng.below(3)).unwrap_or(0);
    let name = || app.clone();
    let mut acts = vec![
        Act::when(Until::Now, [Happening::Deploy { app: name(), claims, on: home.clone(), under: under.clone() }])
            .after(rng.below(2000)),
        Act::when(
            Until::Runs { app: name(), on: home.clone() },
            [Happening::Protect { app: name(), on: home.clone(), under: under.clone() }],
        )
        .patience(20_000),
    ];
    let mut phase = "Deployed";
    for _ in 0..1 + rng.below(5) {
        // Most wait until all is well; some are impatient, and change their mind in the middle.
        let (when, patience) = match rng.below(4) {
            0 => (Until::Now, 0),
            1 => (Until::Available { app: name(), phase: phase.to_owned() }, rng.below(60_000)),
            _ => (Until::Settled { app: name(), phase: phase.to_owned() }, 60_000 + rng.below(240_000)),
        };
        let target = if one_in(&mut rng, 2) { peer.clone() } else { home.clone() };
        let what = match rng.below(12) {
            0..=3 => {
                phase = "FailedOver";
                Happening::Failover { app: name(), to: target }
            }
            4..=7 => {
                phase = "Relocated";
                Happening::Relocate { app: name(), to: target }
            }
            8 => Happening::AddClaim { app: name() },
            9 => Happening::DropClaim { app: name() },
            10 => Happening::Resize { app: name(), on: target },
            _ => Happening::Withdraw { app: name() },
        };
        acts.push(Act::when(when, [what]).after(rng.below(20_000)).patience(patience));
    }
    if one_in(&mut rng, 3) {
        acts.push(
            Act::when(Until::Settled { app: name(), phase: phase.to_owned() }, [Happening::Unprotect { app: name() }])
                .patience(rng.below(60_000)),
        );
    }
    acts
}

/// Faults of one class, each with its end.
fn befall(class: Class, rng: &mut Rng, outline: &Outline, horizon: u64, faults: &mut Vec<Timed>) {
    if !one_in(rng, 3) {
        return;
    }
    for _ in 0..=rng.below(2) {
        let at = rng.below(horizon);
        let end = at + 1000 + rng.below(240_000);
        let cluster = pick(rng, &outline.clusters());
        let mut add = |at, what| faults.push(Timed { at, what });
        match class {
            Class::Clusters => {
                add(at, Happening::Lose { cluster: cluster.clone() });
                add(end, Happening::BringBack { cluster });
            }
            Class::Hub => match rng.below(4) {
                0 => {
                    add(at, Happening::Lose { cluster: HUB.to_owned() });
                    add(end, Happening::BringBack { cluster: HUB.to_owned() });
                }
                1 => add(at, Happening::RebuildHub { from: Rebuilt::Objects }),
                2 => {
                    add(at, Happening::BackUpHub);
                    add(end, Happening::RebuildHub { from: Rebuilt::Backup });
                }
                _ => add(at, Happening::RebuildHub { from: Rebuilt::Clusters }),
            },
            Class::Links => match rng.below(3) {
                0 => {
                    add(at, Happening::HubLink { cluster: cluster.clone(), works: false });
                    add(end, Happening::HubLink { cluster, works: true });
                }
                1 => {
                    let cluster = somewhere(rng, outline);
                    add(at, Happening::StoreLink { cluster: cluster.clone(), profile: None, works: false });
                    add(end, Happening::StoreLink { cluster, profile: None, works: true });
                }
                _ => {
                    add(at, Happening::StorageLink { works: false });
                    add(end, Happening::StorageLink { works: true });
                }
            },
            Class::Stores => {
                let profile = format!("s3-{cluster}");
                let fault = pick(
                    rng,
                    &[
                        StoreFault::Down,
                        StoreFault::Slow,
                        StoreFault::Hanging,
                        StoreFault::Erroring,
                        StoreFault::ReadOnly,
                    ],
                );
                add(at, Happening::Store { profile: profile.clone(), fault });
                add(end, Happening::Store { profile, fault: StoreFault::None });
            }
            Class::Crashes => {
                let operator = somewhere(rng, outline);
                if one_in(rng, 3) {
                    add(at, Happening::LoseLog { operator });
                } else {
                    add(at, Happening::Crash { operator, losing_tail: one_in(rng, 2) });
                }
            }
            Class::Rivals => {
                let (operator, lasts) = (somewhere(rng, outline), rng.below(30_000));
                add(at, Happening::Rival { operator, lasts });
            }
            Class::Clocks => {
                let cluster = somewhere(rng, outline);
                let ms = i64::try_from(rng.below(360_000)).unwrap_or(0) - 180_000;
                add(0, Happening::Skew { cluster, ms });
            }
            Class::Pods => {
                let app = format!("app-{}", rng.below(2));
                let (begins, ends) = if one_in(rng, 3) {
                    (
                        Happening::Attached { app: app.clone(), on: cluster.clone() },
                        Happening::Detached { app, on: cluster },
                    )
                } else {
                    (
                        Happening::Stubborn { app: app.clone(), on: cluster.clone() },
                        Happening::Evict { app, on: cluster },
                    )
                };
                add(at, begins);
                add(end, ends);
            }
            Class::Storage => {
                let faults =
                    [StorageFault::Failing, StorageFault::Hanging, StorageFault::Degraded, StorageFault::Silent];
                let fault = pick(rng, &faults);
                add(at, Happening::Storage { cluster: cluster.clone(), fault });
                add(end, Happening::Storage { cluster, fault: StorageFault::None });
            }
            Class::Agents => {
                let agent = pick(rng, &[OcmAgent::View, OcmAgent::Work]);
                add(at, Happening::Agent { cluster: cluster.clone(), agent, works: false });
                add(end, Happening::Agent { cluster, agent, works: true });
            }
            Class::Policies if one_in(rng, 2) => {
                let policies: Vec<String> = outline.policies().into_iter().map(|(name, _)| name).collect();
                add(at, Happening::DeletePolicy { policy: pick(rng, &policies) });
            }
            Class::Policies => add(at, Happening::DeleteCluster { cluster }),
            Class::Hands => add(at, Happening::SpoilVrg { app: format!("app-{}", rng.below(2)), on: cluster }),
            Class::Watches | Class::Calls | Class::Sharing | Class::Modes => {}
        }
    }
}

fn one_in(rng: &mut Rng, count: u64) -> bool {
    rng.below(count) == 0
}

/// One of these; there is at least one.
fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    let index = usize::try_from(rng.below(from.len() as u64)).unwrap_or(0);
    from[index].clone()
}

/// The hub, or a cluster.
fn somewhere(rng: &mut Rng, outline: &Outline) -> String {
    if one_in(rng, 2) { HUB.to_owned() } else { pick(rng, &outline.clusters()) }
}
