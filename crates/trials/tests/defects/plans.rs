//! The plans in which defects are hunted: stories first, then seeds without faults, then seeds with.

use std::path::Path;

use ramen_trials::{
    exhaustive::patient,
    happening::{Happening, StoreFault},
    plan::{self, Act, Plan},
    scenario,
    seeds::{self, Class},
    until::Until,
};

/// Scenarios in which an operator goes on that was replaced.
const DEPOSED: [&str; 3] = [
    "two-hubs-lead-and-watches-are-late",
    "copies-left-by-a-deposed-operator",
    "unprotected-while-two-operators-lead-and-watches-are-late",
];

/// How many seeds the first two of them are tried with.
const AGAIN: u64 = 40;

/// A plan and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The story of the demo.
    Canonical,
    /// The same, while no store answers during the failover.
    StoresOut,
    /// The same, while no store answers during the relocation.
    StoresOutLater,
    /// The same, protected while one store does not answer for three minutes.
    StoreLate,
    /// Protected while one store does not answer for three minutes, and relocated as soon as it is available.
    Hasty,
    /// The story of the demo, but the old home has power all the time, and only hears of it all half an hour later.
    CutOff,
    /// The same, with storage that wants to be told of failovers.
    Told,
    /// The same, with a cluster that hears of the hub only a minute late.
    LateCluster,
    /// The same, and at its end the policy and a DRCluster are deleted.
    Retired,
    /// A scenario in which an operator goes on that was replaced, by its file.
    Deposed(&'static str),
    /// One of these scenarios, with another seed: it takes luck to meet the moment between two operators.
    Again(&'static str, u64),
    /// A seed without faults.
    Calm(u64),
    /// A seed with all classes of faults.
    Stormy(u64),
}

impl Which {
    /// All of them, in the order in which they are tried.
    pub fn all(seeds: u64) -> Vec<Self> {
        let stories = [
            Self::Canonical,
            Self::StoresOut,
            Self::StoresOutLater,
            Self::StoreLate,
            Self::CutOff,
            Self::Told,
            Self::Hasty,
            Self::LateCluster,
            Self::Retired,
        ];
        let stories = stories.into_iter().chain(DEPOSED.map(Self::Deposed));
        let seeds = (0..seeds).map(Self::Calm).chain((0..seeds).map(Self::Stormy));
        let again = DEPOSED[..2].iter().flat_map(|file| (0..AGAIN).map(|seed| Self::Again(file, seed)));
        stories.chain(seeds).chain(again).collect()
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Canonical => "the story of the demo".to_owned(),
            Self::StoresOut => "the story, stores out during the failover".to_owned(),
            Self::StoresOutLater => "the story, stores out during the relocation".to_owned(),
            Self::StoreLate => "the story, one store out at first".to_owned(),
            Self::Hasty => "a relocation in haste, one store out at first".to_owned(),
            Self::CutOff => "the story, the old home cut off from the hub".to_owned(),
            Self::Told => "the story, storage that wants to be told".to_owned(),
            Self::LateCluster => "the story, a cluster that is late".to_owned(),
            Self::Retired => "the story, with its policy deleted at the end".to_owned(),
            Self::Deposed(file) => format!("scenario {file}"),
            Self::Again(file, seed) => format!("scenario {file} with seed {seed}"),
            Self::Calm(seed) => format!("seed {seed} without faults"),
            Self::Stormy(seed) => format!("seed {seed}"),
        }
    }

    /// The plan.
    pub fn plan(&self) -> Plan {
        match self {
            Self::Canonical => patient(plan::canonical(1, 2)),
            Self::StoresOut => stores_out_when(&["s3-c1", "s3-c2"], |what| matches!(what, Happening::Failover { .. })),
            Self::StoresOutLater => {
                stores_out_when(&["s3-c1", "s3-c2"], |what| matches!(what, Happening::Relocate { .. }))
            }
            Self::StoreLate => stores_out_when(&["s3-c2"], |what| matches!(what, Happening::Protect { .. })),
            Self::Hasty => hasty(),
            Self::CutOff => cut_off(),
            Self::Told => told(),
            Self::LateCluster => late_cluster(),
            Self::Retired => retired(),
            Self::Deposed(file) => deposed(file),
            Self::Again(file, seed) => Plan { seed: *seed, ..deposed(file) },
            Self::Calm(seed) => seeds::plan(*seed, &[]),
            Self::Stormy(seed) => seeds::plan(*seed, Class::ALL),
        }
    }
}

/// The story of the demo; these stores are out for three minutes when something is done.
fn stores_out_when(profiles: &[&str], when: fn(&Happening) -> bool) -> Plan {
    let mut plan = patient(plan::canonical(1, 2));
    let faults = |fault| profiles.iter().map(move |p| Happening::Store { profile: (*p).to_owned(), fault });
    if let Some(at) = plan.story.iter().position(|act| act.what.iter().any(when)) {
        let act = &mut plan.story[at];
        act.what = faults(StoreFault::Down).chain(act.what.clone()).collect();
        let mended: Vec<Happening> = faults(StoreFault::None).collect();
        plan.story.insert(at + 1, Act::when(Until::Now, mended).after(180_000));
    }
    plan
}

/// An application that is relocated before both stores have its copies.
fn hasty() -> Plan {
    let mut plan = stores_out_when(&["s3-c2"], |what| matches!(what, Happening::Protect { .. }));
    let protects = |act: &Act| act.what.iter().any(|what| matches!(what, Happening::Protect { .. }));
    if let Some(at) = plan.story.iter().position(protects) {
        let app = plan.story[at].what.iter().find_map(Happening::app).unwrap_or_default().to_owned();
        let available = Until::Available { app: app.clone(), phase: "Deployed".to_owned() };
        let relocate = Act::when(available, [Happening::Relocate { app, to: "c2".to_owned() }]).patience(60_000);
        plan.story.insert(at + 1, relocate);
        plan.story.truncate(at + 3);
    }
    plan
}

/// The story of the demo; where the old home would lose power it loses its link to the hub instead, for half an hour, and
/// then its event log, so that it stores everything again.
fn cut_off() -> Plan {
    let mut plan = patient(plan::canonical(1, 2));
    for act in &mut plan.story {
        for what in &mut act.what {
            let (cluster, works) = match what {
                Happening::Lose { cluster } => (cluster.clone(), false),
                Happening::BringBack { cluster } => {
                    act.after = HALF_AN_HOUR;
                    (cluster.clone(), true)
                }
                _ => continue,
            };
            *what = Happening::HubLink { cluster, works };
        }
    }
    if let Some(at) = plan.story.iter().position(|act| act.after == HALF_AN_HOUR) {
        let log = Happening::LoseLog { operator: "c1".to_owned() };
        plan.story.insert(at, Act::when(plan.story[at].when.clone(), [log]).after(60_000));
    }
    plan
}

/// The story of the demo, with storage that wants to be told of failovers, which the hub has known for a while.
fn told() -> Plan {
    let mut plan = patient(plan::canonical(1, 2));
    plan.outline.maintenance_modes = true;
    let fails_over = |act: &&mut Act| act.what.iter().any(|what| matches!(what, Happening::Failover { .. }));
    if let Some(act) = plan.story.iter_mut().find(fails_over) {
        act.after = 60_000;
    }
    plan
}

/// The story of the demo; at first, for a minute, one cluster does not reach the hub.
fn late_cluster() -> Plan {
    let mut plan = patient(plan::canonical(1, 2));
    let link = |works| Happening::HubLink { cluster: "c2".to_owned(), works };
    let late = [Act::when(Until::Now, [link(false)]), Act::when(Until::Now, [link(true)]).after(60_000)];
    plan.story.splice(0..0, late);
    plan
}

/// The story of the demo; at its end, when nothing is protected any more, its policy and one of two DRClusters are deleted.
fn retired() -> Plan {
    let mut plan = patient(plan::canonical(1, 2));
    plan.story.push(Act::when(Until::Now, [Happening::DeletePolicy { policy: "policy".to_owned() }]).after(5000));
    plan.story.push(Act::when(Until::Now, [Happening::DeleteCluster { cluster: "c2".to_owned() }]).after(5000));
    plan.story.push(Act::when(Until::Now, []).after(60_000));
    plan
}

/// A scenario of the project.
fn deposed(file: &str) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut plan = scenario::read(&folder.join(format!("{file}.yaml"))).unwrap().plan();
    // Rules are to catch a defect, not what this story expects: it goes on where a moment does not come in time.
    for act in &mut plan.story {
        act.patience = act.within.take().or(act.patience);
        act.expect.clear();
    }
    Plan { strict: false, ..plan }
}

const HALF_AN_HOUR: u64 = 30 * 60_000;
