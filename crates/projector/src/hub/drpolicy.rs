//! One policy: two clusters, an interval, and the storage classes that they share (spec hub 1, 2).
//!
//! Neighbours: the DRClusters that it lists and their views, the policies that share a cluster with it, and whether a
//! DRPC refers to it. Peer classes are published before the policy is called valid (spec hub 13, H16), and missing
//! knowledge never takes a published one away (HS5).

mod conflicts;
mod peer_classes;
mod validate;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{condition, finalizer, label, reason};
use ramen_events::{
    Aggregate, ClusterName, Command, Controller, Kind, Time,
    hub::{self, MetaPatch, ObjectRef, PeerClass, PolicyFact, PolicyStatus},
};

use crate::{
    FEWER_WRITES,
    domain::{Ask, Decision},
};

use super::{
    conditions::{Conditions, turned_bad},
    drcluster::{QUIET_MS, inventory},
    state::Hub,
};

use peer_classes::Terms;
pub use validate::Verdict;

/// Reasons that a person has to act on.
const BAD: [&str; 5] = [
    reason::CONFIG_MAP_GET_FAILED,
    reason::NAMESPACE_CREATE_FAILED,
    reason::VALIDATION_FAILED,
    reason::DR_CLUSTER_NOT_FOUND,
    reason::DR_POLICY_CONFLICT_FOUND,
];

/// What a decision about a DRPolicy reads.
struct Policy<'a> {
    hub: &'a Hub,
    ask: Ask<'a>,
    fact: &'a PolicyFact,
}

/// The first version of the deciders that holds on to a policy that is not valid yet, or not any more, when a DRPC refers to
/// it.
const HELD_SINCE: u32 = 4;

/// What a DRPolicy wants now.
pub fn decide(hub: &Hub, ask: Ask<'_>) -> Decision {
    let mut decision = Decision::default();
    let Some(fact) = hub.policies.get(&ask.aggregate.name) else { return decision };
    let policy = Policy { hub, ask, fact };
    if fact.meta.deleting.is_some() {
        policy.delete(&mut decision);
        return decision;
    }
    let verdict = match validate::check(&policy) {
        Ok(()) => {
            policy.mark(&mut decision);
            policy.classes()
        }
        Err(verdict) => {
            if policy.is_referred_to() {
                policy.mark(&mut decision);
            }
            (verdict, None)
        }
    };
    policy.report(verdict.0, verdict.1, &mut decision);
    decision
}

/// Peer classes of both kinds.
type Classes = (Vec<PeerClass>, Vec<PeerClass>);

impl Policy<'_> {
    /// A DRPC refers to it. On a hub that was rebuilt its applications may run already, and whoever deletes the policy while
    /// its clusters are looked at must not leave them without.
    fn is_referred_to(&self) -> bool {
        self.ask.decider >= HELD_SINCE && self.hub.drpcs_of(&self.fact.meta.name).next().is_some()
    }

    /// Our label and finalizer, in one write.
    fn mark(&self, decision: &mut Decision) {
        let meta = &self.fact.meta;
        let finalized = meta.has_finalizer(finalizer::DR_POLICY);
        if meta.label(label::BACKUP) == label::BACKUP_RAMEN && finalized {
            return;
        }
        let mut finalizers = meta.finalizers.clone();
        if !finalized {
            finalizers.push(finalizer::DR_POLICY.to_owned());
        }
        let labels = BTreeMap::from([(label::BACKUP.to_owned(), label::BACKUP_RAMEN.to_owned())]);
        decision.want("meta", self.patch(labels, finalizers));
    }

    fn patch(&self, labels: BTreeMap<String, String>, finalizers: Vec<String>) -> Command {
        Command::Hub(hub::Command::PatchMeta(Box::new(MetaPatch {
            kind: Kind::DrPolicy,
            object: ObjectRef::new("", &self.fact.meta.name),
            uid: self.fact.meta.uid.clone(),
            labels,
            annotations: BTreeMap::new(),
            finalizers: Some(finalizers),
            owners: None,
        })))
    }

    /// Peer classes as the clusters' inventories give them, and the verdict that follows.
    fn classes(&self) -> (Verdict, Option<Classes>) {
        let mut inventories = Vec::new();
        for cluster in &self.fact.spec.clusters {
            match inventory::of(self.hub, cluster) {
                Ok(inventory) => inventories.push(inventory),
                Err(_) if validate::leaves(self, cluster) && !self.is_valid() => {
                    return (validate::gone_soon(&[cluster]), None);
                }
                Err(why) => return (Verdict::Waiting(why), None),
            }
        }
        let none = PolicyStatus::default();
        let before = self.fact.status.as_ref().unwrap_or(&none);
        let found = peer_classes::of(&Terms::of(&self.fact.spec, self.ask.decider), &inventories);
        let asynchronous = peer_classes::merge(&before.asynchronous, found.asynchronous);
        let synchronous = peer_classes::merge(&before.synchronous, found.synchronous);
        let verdict = match conflicts::find(self, &asynchronous, &synchronous) {
            Some(text) => Verdict::Invalid { reason: reason::DR_POLICY_CONFLICT_FOUND, message: text },
            None if asynchronous.is_empty()
                && synchronous.is_empty()
                && !found.left_out.is_empty()
                && !self.is_valid() =>
            {
                Verdict::Invalid { reason: reason::VALIDATION_FAILED, message: found.left_out.join("; ") }
            }
            None => Verdict::Valid(found.left_out),
        };
        (verdict, Some((asynchronous, synchronous)))
    }

    fn report(&self, verdict: Verdict, classes: Option<Classes>, decision: &mut Decision) {
        let none = PolicyStatus::default();
        let before = self.fact.status.as_ref().unwrap_or(&none);
        if verdict.is_waiting()
            && let Some(at) = self.settles().filter(|at| *at > self.ask.now)
        {
            decision.ask_again(at, "tell what the clusters are waited for");
            return;
        }
        let mut conditions = Conditions::new(self.ask.now, &self.fact.meta, &before.conditions);
        match verdict {
            Verdict::Valid(left_out) => {
                conditions.yes(condition::VALIDATED, reason::SUCCEEDED, self.validated_text(&left_out));
            }
            Verdict::Invalid { reason, message } => conditions.no(condition::VALIDATED, reason, message),
            // What was valid stays so while its clusters are asked anew.
            Verdict::Waiting(why) => {
                if !self.is_valid() {
                    conditions.unknown(condition::VALIDATED, reason::INITIALIZING, why);
                }
            }
        }
        let (asynchronous, synchronous) =
            classes.unwrap_or_else(|| (before.asynchronous.clone(), before.synchronous.clone()));
        let status = PolicyStatus { asynchronous, synchronous, conditions: conditions.finish() };
        if self.fact.status.as_ref() == Some(&status) {
            return;
        }
        let events = turned_bad(&before.conditions, &status.conditions, &BAD);
        let command = hub::Command::WritePolicyStatus {
            policy: self.fact.meta.name.clone(),
            uid: self.fact.meta.uid.clone(),
            status: Box::new(status),
            events,
        };
        decision.want("status", Command::Hub(command));
    }

    /// Whether it was found valid as it is.
    fn is_valid(&self) -> bool {
        let conditions = self.fact.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        let generation = self.fact.meta.generation;
        conditions.iter().any(|told| told.kind == condition::VALIDATED && told.is_true_at(generation))
    }

    /// When it will have been quiet about its clusters for long enough, unless more is done. What a policy waits for is
    /// their validation and inventories, which come within moments as a rule.
    fn settles(&self) -> Option<Time> {
        if self.ask.decider < FEWER_WRITES {
            return None;
        }
        let settles = |name: &ClusterName| {
            let cluster = self.hub.clusters.get(&name.0)?;
            let newest = self.ask.flights.newest(&Aggregate::new(Controller::DrCluster, "", &name.0), "");
            let unheard = newest.is_none() && cluster.status.is_none();
            Some(newest.or(unheard.then_some(self.ask.now))?.plus_ms(QUIET_MS))
        };
        self.fact.spec.clusters.iter().filter_map(settles).max()
    }

    /// What `Validated` says; the first words are ones that clients know. What the policy or the configuration asks
    /// for and this version does not do is named here, and storage classes that are left out.
    fn validated_text(&self, left_out: &[String]) -> String {
        let mut text = String::from("drpolicy validated");
        if !self.fact.spec.network_mapping.is_empty() {
            text.push_str(
                "; spec.networkMappingRef is not supported yet by this version: static addresses stay as they are",
            );
        }
        if self.hub.config().is_ok_and(|config| config.distribution && config.automation) {
            text.push_str(
                "; drClusterOperator.s3SecretDistributionEnabled: true is not supported yet by this version: create \
                 the S3 Secrets on the clusters, or write false",
            );
        }
        left_out.iter().for_each(|words| text.push_str(&format!("; {words}")));
        text
    }

    /// The finalizer goes when no DRPC refers to the policy (spec hub 1.6).
    fn delete(&self, decision: &mut Decision) {
        if !self.fact.meta.has_finalizer(finalizer::DR_POLICY) {
            return;
        }
        let users: Vec<String> = self.hub.drpcs_of(&self.fact.meta.name).map(ObjectRef::to_string).collect();
        if users.is_empty() {
            let finalizers = self.fact.meta.finalizers.iter().filter(|f| *f != finalizer::DR_POLICY).cloned().collect();
            decision.want("meta", self.patch(BTreeMap::new(), finalizers));
            return;
        }
        let text = format!(
            "this drpolicy is referenced in existing drpc resource name {}; delete that first",
            users.join(", ")
        );
        self.report(Verdict::Invalid { reason: reason::VALIDATION_FAILED, message: text }, None, decision);
    }
}
