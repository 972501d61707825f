//! What a scenario names has to be there.

use std::collections::BTreeMap;

use serde_saphyr::{Location, Spanned};

use super::{Entry, Scenario, meant::choice, objects, place::Wrong};
use crate::{
    happening::{Happening, Named},
    universe::{HUB, Outline},
    until,
};

/// What there is to be named.
pub(super) struct Names {
    outline: Outline,
    clusters: Vec<String>,
    policies: Vec<(String, Vec<String>)>,
    apps: Vec<String>,
    /// How many claims an application may have had, all in all.
    claims: BTreeMap<String, usize>,
}

impl Names {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let happenings = || scenario.happenings().map(|what| &what.value);
        let deployed = |what: &Happening| match what {
            Happening::Deploy { app, .. } => Some(app.clone()),
            _ => None,
        };
        let later = happenings().filter_map(deployed);
        let first = scenario.applications.iter().map(|application| application.name.value.clone());
        let mut claims: BTreeMap<String, usize> =
            scenario.applications.iter().map(|app| (app.name.value.clone(), app.claims.value)).collect();
        for what in happenings() {
            match what {
                Happening::Deploy { app, claims: count, .. } => *claims.entry(app.clone()).or_default() += count,
                Happening::AddClaim { app } => *claims.entry(app.clone()).or_default() += 1,
                _ => {}
            }
        }
        Self {
            outline: scenario.world.value.clone(),
            clusters: scenario.world.value.clusters(),
            policies: scenario.world.value.policies(),
            apps: first.chain(later).collect(),
            claims,
        }
    }

    /// Whether everything is there that the scenario names.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), Wrong> {
        for application in &scenario.applications {
            self.cluster(&application.on.value, false, application.on.referenced)?;
            if let Some(under) = &application.under {
                self.policy(Some(&under.value), &application.on.value, under.referenced)?;
            }
        }
        for Entry { when, expect, what, .. } in scenario.timeline.iter().map(|entry| &entry.value) {
            when.iter().chain(expect).try_for_each(|until| self.until(until))?;
            what.iter().try_for_each(|what| self.happening(what))?;
        }
        scenario.faults.iter().flat_map(|fault| &fault.what).try_for_each(|what| self.happening(what))?;
        for rule in &scenario.mishaps {
            rule.value.at.iter().try_for_each(|operator| self.cluster(operator, true, rule.referenced))?;
        }
        scenario.end.iter().try_for_each(|until| self.until(until))
    }

    fn one_of(kind: &str, name: &str, known: &[String], at: Location) -> Result<(), Wrong> {
        if known.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(Wrong::value(at, name, format!("there is no {kind} {name:?}: the world has {}", known.join(", "))))
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
        let clusters: Vec<&str> = clusters.map(String::as_str).collect();
        if clusters.contains(&on) {
            return Ok(());
        }
        let what = format!("policy {name} does not have cluster {on}: it has {}", clusters.join(" and "));
        Err(Wrong::value(at, name, what))
    }

    fn app(&self, name: &str, at: Location) -> Result<(), Wrong> {
        Self::one_of("application", name, &self.apps, at)
    }

    /// Claims are numbered: `data-0` is the first.
    fn claim(&self, app: &str, claim: &str, at: Location) -> Result<(), Wrong> {
        let count = self.claims.get(app).copied().unwrap_or_default();
        let number = claim.strip_prefix("data-").and_then(|number| number.parse::<usize>().ok());
        if number.is_some_and(|number| number < count && claim == format!("data-{number}")) {
            return Ok(());
        }
        let has = match count {
            1 => "data-0".to_owned(),
            2 => "data-0, data-1".to_owned(),
            _ => format!("data-0 to data-{}", count.saturating_sub(1)),
        };
        Err(Wrong::value(at, claim, format!("{app} has no claim {claim:?}: it has {has}")))
    }

    /// A phase in which an action has ended.
    fn phase(phase: &str, at: Location) -> Result<(), Wrong> {
        match phase {
            "Deployed" | "FailedOver" | "Relocated" => Ok(()),
            _ => {
                let what = format!("no action ends in phase {phase:?}: there are Deployed, FailedOver, Relocated");
                Err(Wrong::value(at, phase, what))
            }
        }
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
                let known = progressions();
                if known.contains(&is.as_str()) {
                    return Ok(());
                }
                let how = choice(is, &known);
                Err(Wrong::value(at, is, format!("no DRPC shows progression {is:?}{how}")))
            }
            U::Says { text, .. } if text.trim().is_empty() => {
                Err(Wrong::at(at, "text is empty, and every sentence contains that: write words to wait for"))
            }
            U::Unprotected { app } | U::Lost { app, .. } | U::Says { app, .. } => self.app(app, at),
            U::Stored { profile, .. } => self.store(profile, at),
            U::Field { on, kind, namespace, name, field, is, contains } => {
                self.cluster(on, true, at)?;
                self.object(on, kind, namespace, name, at)?;
                objects::field(field, is.as_ref(), contains.as_ref(), at)
            }
        }
    }

    fn store(&self, profile: &str, at: Location) -> Result<(), Wrong> {
        let profiles: Vec<String> = self.clusters.iter().map(|cluster| format!("s3-{cluster}")).collect();
        Self::one_of("store", profile, &profiles, at)
    }

    fn object(&self, on: &str, kind: &str, namespace: &str, name: &str, at: Location) -> Result<(), Wrong> {
        objects::named(&self.outline, on, &Named { kind, namespace, name }).map_err(|what| Wrong::value(at, kind, what))
    }

    fn happening(&self, what: &Spanned<Happening>) -> Result<(), Wrong> {
        use Happening as H;
        let at = what.referenced;
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
            | H::Attached { app, on }
            | H::Detached { app, on }
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
                profile.iter().try_for_each(|profile| self.store(profile, at))
            }
            H::Store { profile, .. } | H::EmptyStore { profile } => self.store(profile, at),
            H::PutObject { profile, key, .. } | H::DeleteObject { profile, key } => {
                self.store(profile, at)?;
                objects::key(key).map_err(|what| Wrong::at(at, what))
            }
            H::StoreKeys { profile, access_key, secret_key } => {
                self.store(profile, at)?;
                objects::credentials(access_key, secret_key).map_err(|what| Wrong::at(at, what))
            }
            H::Apply { on, manifest } => {
                self.cluster(on, true, at)?;
                objects::manifest(&self.outline, on, manifest).map_err(|what| Wrong::at(at, what))
            }
            H::Patch { on, kind, namespace, name, patch } => {
                self.cluster(on, true, at)?;
                self.object(on, kind, namespace, name, at)?;
                objects::patch(patch).map_err(|what| Wrong::at(at, what))
            }
            H::Delete { on, kind, namespace, name } => {
                self.cluster(on, true, at)?;
                self.object(on, kind, namespace, name, at)
            }
            H::Crash { operator, .. } | H::LoseLog { operator } | H::Rival { operator, .. } => {
                self.cluster(operator, true, at)
            }
            H::RestorePolicies | H::StorageLink { .. } | H::BackUpHub | H::RebuildHub { .. } | H::Mend => Ok(()),
        }
    }
}

/// The progressions that a DRPC may show in this version: the steps of its actions, and what it shows besides.
pub fn progressions() -> Vec<&'static str> {
    let steps = ["deploy", "failover", "relocate", "deletion"].into_iter().flat_map(ramen_projector::hub::drpc_steps);
    let mut all: Vec<&str> = ["Completed", "Paused"].into_iter().chain(steps).collect();
    all.sort_unstable();
    all.dedup();
    all
}
