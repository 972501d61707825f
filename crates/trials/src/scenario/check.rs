//! Reads a scenario and refuses what cannot be meant.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use ramen_api::ramen::wire::state::Progression;
use serde_saphyr::{Location, Spanned};

use super::Scenario;
use crate::{
    happening::Happening,
    hazards::Rule,
    universe::{HUB, Outline, Rebuilt},
    until,
};

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        err: std::io::Error,
    },
    /// It is not written as a scenario is.
    #[error("{}: {what}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        what: String,
    },
    /// It names something that it does not have.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Reference {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: u64,
        /// Where.
        column: u64,
        /// What is named, and what there is.
        what: String,
    },
}

/// Reads a scenario from a file.
///
/// # Errors
/// [`Error`].
pub fn read(path: &Path) -> Result<Scenario, Error> {
    let text = std::fs::read_to_string(path).map_err(|err| Error::Read { path: path.to_owned(), err })?;
    parse(&text, path)
}

/// Reads a scenario from text; `path` is what it is called in errors.
///
/// # Errors
/// [`Error`].
pub fn parse(text: &str, path: &Path) -> Result<Scenario, Error> {
    let scenario: Scenario =
        serde_saphyr::from_str(text).map_err(|err| Error::Form { path: path.to_owned(), what: err.to_string() })?;
    world(&scenario.world).map_err(|what| Error::Form { path: path.to_owned(), what })?;
    check(&scenario).map_err(|(at, what)| Error::Reference {
        path: path.to_owned(),
        line: at.line(),
        column: at.column(),
        what,
    })?;
    Ok(scenario)
}

type Wrong = (Location, String);

/// Whether the clusters have names that tell them apart, and the policies an interval.
fn world(world: &Outline) -> Result<(), String> {
    let clusters = world.clusters();
    let different: BTreeSet<&String> = clusters.iter().collect();
    let needed = world.size();
    if different.len() != needed || clusters.len() != needed {
        let how = if world.shared { "the common one, then one a pair" } else { "two a pair" };
        return Err(format!("world: names: {needed} different names are needed, {how}"));
    }
    if clusters.iter().any(|name| name == HUB) {
        return Err(format!("world: names: {HUB} is the hub"));
    }
    let interval = world.interval.strip_suffix(['m', 'h', 'd']).and_then(|count| count.parse::<u32>().ok());
    match interval {
        Some(count) if count > 0 => Ok(()),
        _ => Err(format!("world: interval: {:?} is none: write a number and m, h or d, as in 5m", world.interval)),
    }
}

/// What files call it.
fn word(named: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(named).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn check(scenario: &Scenario) -> Result<(), Wrong> {
    let names = Names::of(scenario);
    for (application, before) in scenario.applications.iter().zip(0..) {
        let name = &application.name;
        if scenario.applications.iter().take(before).any(|other| other.name.value == name.value) {
            return Err((name.referenced, format!("there are two applications {:?}", name.value)));
        }
        names.cluster(&application.on.value, false, application.on.referenced)?;
        if let Some(under) = &application.under {
            names.policy(Some(&under.value), &application.on.value, under.referenced)?;
        }
    }
    for entry in &scenario.timeline {
        for until in entry.when.iter().chain(&entry.expect) {
            names.until(until)?;
        }
        for what in &entry.what {
            names.happening(what)?;
        }
    }
    for what in scenario.faults.iter().flat_map(|fault| &fault.what) {
        names.happening(what)?;
    }
    for rule in &scenario.mishaps {
        names.mishap(rule)?;
    }
    scenario.end.iter().try_for_each(|until| names.until(until))
}

/// What there is to be named.
struct Names {
    clusters: Vec<String>,
    policies: Vec<(String, Vec<String>)>,
    apps: Vec<String>,
    /// How many claims an application may have had, all in all.
    claims: BTreeMap<String, usize>,
    /// Whether the hub is ever backed up.
    backed_up: bool,
}

impl Names {
    fn of(scenario: &Scenario) -> Self {
        let deployed = |what: &Spanned<Happening>| match &what.value {
            Happening::Deploy { app, .. } => Some(app.clone()),
            _ => None,
        };
        let later = scenario.timeline.iter().flat_map(|entry| &entry.what).filter_map(deployed);
        let first = scenario.applications.iter().map(|application| application.name.value.clone());
        let happenings = || {
            let timed = scenario.faults.iter().flat_map(|fault| &fault.what);
            scenario.timeline.iter().flat_map(|entry| &entry.what).chain(timed).map(|what| &what.value)
        };
        let mut claims: BTreeMap<String, usize> =
            scenario.applications.iter().map(|app| (app.name.value.clone(), app.claims)).collect();
        for what in happenings() {
            match what {
                Happening::Deploy { app, claims: count, .. } => *claims.entry(app.clone()).or_default() += count,
                Happening::AddClaim { app } => *claims.entry(app.clone()).or_default() += 1,
                _ => {}
            }
        }
        Self {
            clusters: scenario.world.clusters(),
            policies: scenario.world.policies(),
            apps: first.chain(later).collect(),
            claims,
            backed_up: happenings().any(|what| matches!(what, Happening::BackUpHub)),
        }
    }

    fn one_of(kind: &str, name: &str, known: &[String], at: Location) -> Result<(), Wrong> {
        if known.iter().any(|known| known == name) {
            return Ok(());
        }
        Err((at, format!("there is no {kind} {name:?}: the world has {}", known.join(", "))))
    }

    fn cluster(&self, name: &str, or_hub: bool, at: Location) -> Result<(), Wrong> {
        if or_hub && name == HUB { Ok(()) } else { Self::one_of("cluster", name, &self.clusters, at) }
    }

    fn policy_called(&self, name: &str, at: Location) -> Result<(), Wrong> {
        let known: Vec<String> = self.policies.iter().map(|(name, _)| name.clone()).collect();
        Self::one_of("policy", name, &known, at)
    }

    /// A policy that is named has to include the cluster.
    fn policy(&self, named: Option<&String>, on: &str, at: Location) -> Result<(), Wrong> {
        let Some(name) = named else { return Ok(()) };
        self.policy_called(name, at)?;
        let clusters = self.policies.iter().filter(|(known, _)| known == name).flat_map(|(_, clusters)| clusters);
        let clusters: Vec<String> = clusters.cloned().collect();
        Self::one_of(&format!("cluster under policy {name},"), on, &clusters, at)
    }

    fn app(&self, name: &str, at: Location) -> Result<(), Wrong> {
        Self::one_of("application", name, &self.apps, at)
    }

    /// Claims are numbered: `data-0` is the first.
    fn claim(&self, app: &str, claim: &str, at: Location) -> Result<(), Wrong> {
        let count = self.claims.get(app).copied().unwrap_or_default();
        let known: Vec<String> = (0..count).map(|number| format!("data-{number}")).collect();
        Self::one_of(&format!("claim of {app}"), claim, &known, at)
    }

    /// A phase in which an action has ended.
    fn phase(phase: &str, at: Location) -> Result<(), Wrong> {
        match phase {
            "Deployed" | "FailedOver" | "Relocated" => Ok(()),
            _ => Err((at, format!("no action ends in phase {phase:?}: there are Deployed, FailedOver, Relocated"))),
        }
    }

    fn mishap(&self, rule: &Spanned<Rule>) -> Result<(), Wrong> {
        let (at, Rule { at: operator, point, mishap, .. }) = (rule.referenced, &rule.value);
        if let Some(operator) = operator {
            self.cluster(operator, true, at)?;
        }
        let can = mishap.point();
        if can.contains(point) {
            return Ok(());
        }
        let can: Vec<String> = can.iter().map(word).collect();
        Err((at, format!("{} cannot happen at {}, only at {}", word(mishap), word(point), can.join(", "))))
    }

    fn until(&self, until: &Spanned<until::Until>) -> Result<(), Wrong> {
        use until::Until as U;
        let at = until.referenced;
        match &until.value {
            U::Now | U::Validated => Ok(()),
            U::Runs { app, on } | U::RunsNot { app, on } => {
                self.app(app, at)?;
                self.cluster(on, false, at)
            }
            U::Settled { app, phase } | U::Available { app, phase } => {
                self.app(app, at)?;
                Self::phase(phase, at)
            }
            U::Progression { app, is } => {
                self.app(app, at)?;
                let known: Vec<String> = Progression::WORDS.iter().map(|word| (*word).to_owned()).collect();
                Self::one_of("progression", is, &known, at)
            }
            U::Unprotected { app } | U::Lost { app, .. } | U::Says { app, .. } => self.app(app, at),
            U::Field { on, kind, .. } => {
                self.cluster(on, true, at)?;
                if until::resource(kind).is_some() { Ok(()) } else { Err((at, format!("there is no kind {kind:?}"))) }
            }
        }
    }

    fn happening(&self, what: &Spanned<Happening>) -> Result<(), Wrong> {
        use Happening as H;
        let at = what.referenced;
        let profiles: Vec<String> = self.clusters.iter().map(|cluster| format!("s3-{cluster}")).collect();
        match &what.value {
            H::Deploy { on, under, .. } => {
                self.cluster(on, false, at)?;
                self.policy(under.as_ref(), on, at)
            }
            H::Protect { app, on, under } => {
                self.app(app, at)?;
                self.cluster(on, false, at)?;
                self.policy(under.as_ref(), on, at)
            }
            H::Resize { app, on }
            | H::Stubborn { app, on }
            | H::Evict { app, on }
            | H::DeletePod { app, on }
            | H::DeleteReplications { app, on }
            | H::SpoilVrg { app, on } => {
                self.app(app, at)?;
                self.cluster(on, false, at)
            }
            H::Unhold { app, on, claim }
            | H::LetGoReplication { app, on, claim }
            | H::DeleteClaim { app, on, claim } => {
                self.app(app, at)?;
                self.claim(app, claim, at)?;
                self.cluster(on, false, at)
            }
            // A user may ask for a cluster that does not exist: what is said then is worth a scenario.
            H::Failover { app, .. }
            | H::Relocate { app, .. }
            | H::Withdraw { app }
            | H::Unprotect { app }
            | H::AddClaim { app }
            | H::DropClaim { app } => self.app(app, at),
            H::DeletePolicy { policy } => self.policy_called(policy, at),
            H::DeleteCluster { cluster }
            | H::HubLink { cluster, .. }
            | H::Storage { cluster, .. }
            | H::Agent { cluster, .. } => self.cluster(cluster, false, at),
            H::Lose { cluster } | H::BringBack { cluster } | H::Skew { cluster, .. } => self.cluster(cluster, true, at),
            H::StoreLink { cluster, profile, .. } => {
                self.cluster(cluster, true, at)?;
                profile.iter().try_for_each(|profile| Self::one_of("store", profile, &profiles, at))
            }
            H::Store { profile, .. } | H::EmptyStore { profile } => Self::one_of("store", profile, &profiles, at),
            H::Crash { operator, .. } | H::LoseLog { operator } | H::Rival { operator, .. } => {
                self.cluster(operator, true, at)
            }
            H::RebuildHub { from: Rebuilt::Backup } if !self.backed_up => {
                Err((at, "the hub cannot be rebuilt from a backup: nothing here does back-up-hub".to_owned()))
            }
            H::RestorePolicies | H::StorageLink { .. } | H::BackUpHub | H::RebuildHub { .. } | H::Mend => Ok(()),
        }
    }
}
