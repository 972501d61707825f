//! What a scenario names has to be there.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::state::Progression;
use serde_saphyr::{Location, Spanned};

use super::{Entry, Scenario, check::Wrong, objects};
use crate::{
    happening::{Happening, Named},
    universe::{HUB, Outline, Rebuilt},
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
    /// Whether the hub is ever backed up.
    backed_up: bool,
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
            backed_up: happenings().any(|what| matches!(what, Happening::BackUpHub)),
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
            U::Says { text, .. } if text.trim().is_empty() => {
                Err((at, "text is empty, and every sentence contains that: write words to wait for".to_owned()))
            }
            U::Unprotected { app } | U::Lost { app, .. } | U::Says { app, .. } => self.app(app, at),
            U::Field { on, kind, namespace, name, field, is, contains } => {
                self.cluster(on, true, at)?;
                self.object(on, kind, namespace, name, at)?;
                objects::field(field, is.as_ref(), contains.as_ref(), at)
            }
        }
    }

    fn object(&self, on: &str, kind: &str, namespace: &str, name: &str, at: Location) -> Result<(), Wrong> {
        objects::named(&self.outline, on, &Named { kind, namespace, name }).map_err(|what| (at, what))
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
            H::PutObject { profile, key, .. } | H::DeleteObject { profile, key } => {
                Self::one_of("store", profile, &profiles, at)?;
                objects::key(key).map_err(|what| (at, what))
            }
            H::StoreKeys { profile, access_key, secret_key } => {
                Self::one_of("store", profile, &profiles, at)?;
                objects::credentials(access_key, secret_key).map_err(|what| (at, what))
            }
            H::Apply { on, manifest } => {
                self.cluster(on, true, at)?;
                objects::manifest(&self.outline, on, manifest).map_err(|what| (at, what))
            }
            H::Patch { on, kind, namespace, name, patch } => {
                self.cluster(on, true, at)?;
                self.object(on, kind, namespace, name, at)?;
                objects::patch(patch).map_err(|what| (at, what))
            }
            H::Delete { on, kind, namespace, name } => {
                self.cluster(on, true, at)?;
                self.object(on, kind, namespace, name, at)
            }
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
