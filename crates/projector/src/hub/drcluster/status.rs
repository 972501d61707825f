//! `status` of a DRCluster.

use ramen_api::ramen::wire::{condition, reason};
use ramen_events::{
    Command, Json, Time,
    hub::{self, DrClusterStatus},
};

use crate::{
    FEWER_WRITES,
    domain::{Decision, Wanted},
    hub::conditions::{Conditions, turned_bad},
};

use super::{Cluster, Unmet, cidrs, fence};

/// How long nothing may be done about a cluster before it is told what is waited for, in milliseconds.
pub const QUIET_MS: u64 = 1_000;

/// Reasons that a person has to act on.
const BAD: [&str; 7] = [
    reason::CONFIG_MAP_GET_FAILED,
    reason::S3_CONNECTION_FAILED,
    reason::S3_BUCKET_NOT_FOUND,
    reason::S3_LIST_FAILED,
    reason::DR_CLUSTERS_DEPLOY_FAILED,
    reason::VALIDATION_FAILED,
    reason::FENCE_ERROR,
];

/// Writes the status if it says something new. What is only waited for is not told while things still move.
pub fn write(cluster: &Cluster<'_>, unmet: Option<Unmet>, modes: Json, decision: &mut Decision) {
    if unmet.as_ref().is_some_and(|unmet| unmet.waiting)
        && let Some(at) = settles(cluster, decision).filter(|at| *at > cluster.ask.now)
    {
        decision.ask_again(at, "tell what is waited for");
        return;
    }
    let none = DrClusterStatus::default();
    let before = cluster.fact.status.as_ref().unwrap_or(&none);
    let mut conditions = Conditions::new(cluster.ask.now, &cluster.fact.meta, &before.conditions);
    let phase = fence::report(&cluster.fact.fence, &mut conditions);
    cidrs::report(&cidrs::find(cluster), &mut conditions);
    let valid = conditions.before(condition::VALIDATED).is_some_and(|c| c.is_true_at(cluster.fact.meta.generation));
    match unmet {
        None => conditions.yes(condition::VALIDATED, reason::SUCCEEDED, cluster.validated_text()),
        Some(Unmet { waiting: true, .. }) if valid => {}
        Some(Unmet { reason: reason::INITIALIZING, message, .. }) => {
            conditions.unknown(condition::VALIDATED, reason::INITIALIZING, message);
        }
        Some(Unmet { reason, message, .. }) => conditions.no(condition::VALIDATED, reason, message),
    }
    let status = DrClusterStatus { phase: phase.to_owned(), conditions: conditions.finish(), maintenance_modes: modes };
    if cluster.fact.status.as_ref() == Some(&status) {
        return;
    }
    let events = turned_bad(&before.conditions, &status.conditions, &BAD);
    let command = hub::Command::WriteClusterStatus {
        cluster: cluster.name.0.clone(),
        uid: cluster.fact.meta.uid.clone(),
        status: Box::new(status),
        events,
    };
    decision.want("status", Command::Hub(command));
}

/// When it will have been quiet about the cluster for long enough, unless more is done; `None` if nothing was done yet.
fn settles(cluster: &Cluster<'_>, decision: &Decision) -> Option<Time> {
    let ask = &cluster.ask;
    if ask.decider < FEWER_WRITES || ask.flights.failing(ask.aggregate).next().is_some() {
        return None;
    }
    let fresh = |want: &Wanted| ask.flights.last(ask.aggregate, &want.slot).is_none();
    let newest = ask.flights.newest(ask.aggregate, "status");
    let newest = if decision.commands.iter().any(fresh) { Some(ask.now) } else { newest };
    newest.map(|newest| newest.plus_ms(QUIET_MS))
}

impl Cluster<'_> {
    /// What `Validated` says; the first words are ones that clients know.
    fn validated_text(&self) -> String {
        let automation = self.hub.config().is_ok_and(|config| config.automation);
        let text = "Validated the cluster";
        if automation {
            format!(
                "{text}; drClusterOperator.deploymentAutomationEnabled: true is not supported yet by this version: \
                 install the operator on the cluster by other means, or write false"
            )
        } else {
            text.to_owned()
        }
    }
}
