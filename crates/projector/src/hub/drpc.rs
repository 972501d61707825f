//! One application under DR, as runbooks (spec drpc).
//!
//! ```text
//!   facts ──> Drpc (what a decision reads) ──> validate ──> marks ──> first contact ──> runbook
//!                                                                                        │
//!              works, views, decision, status  <── what the first shut gate wants ───────┘
//! ```
//!
//! Neighbours: its policy, the DRClusters and ManagedClusters of that policy, its placement and decision, its works and
//! views, the configuration, and copies of its VRG in stores. Nothing of another DRPC is read, save who claims the same
//! placement (spec drpc 10, P1 and P4; S13).

mod action;
mod adoption;
mod contact;
mod epoch;
mod gather;
mod grounds;
mod marks;
mod mirror;
mod placement;
mod protected;
mod report;
mod runbooks;
mod site;
mod status;
pub(super) mod storage;
mod validate;
mod views;
mod vrg;
mod wanted;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ramen_events::{
    ActionId, ClusterName, Position, Time,
    hub::{DrpcFact, ObjectRef, PlacementFact, PolicyFact},
};

use crate::{
    domain::{Ask, Decision},
    hub::state::{Asked, Hub, KnownCopy},
    runbook,
};

pub use grounds::grounds;
pub use placement::Counted;

use action::Action;
use report::Stage;
use site::{Decided, Site};

/// Pause between looks whether another DRPC of the same name is still in the way, in seconds.
const NAMESAKE: u64 = 30;

/// All that a decision about a DRPC reads: its own facts and those of its neighbours, gathered once.
#[derive(Clone, Debug, Default)]
pub struct Drpc {
    /// The time of the question.
    pub now: Time,
    /// Namespace and name.
    pub key: ObjectRef,
    /// The DRPC.
    pub fact: Arc<DrpcFact>,
    /// What it was last asked to do, and since when.
    pub asked: Asked,
    /// Where it stood when it last moved.
    pub position: Option<Position>,
    /// The policy that it refers to.
    pub policy: Option<Arc<PolicyFact>>,
    /// The placement that it refers to.
    pub placement: Option<Arc<PlacementFact>>,
    /// There are two placements of that name, of different kinds.
    pub two_placements: bool,
    /// Another DRPC to which the works belong that are called as this one's would be.
    pub namesake: Option<ObjectRef>,
    /// The clusters of the policy, in its order; then others that hold something of this DRPC.
    pub sites: Vec<Site>,
    /// How many of them the policy lists.
    pub listed: usize,
    /// Where the placement says that the application runs.
    pub decided: Decided,
    /// Whether the placement was asked to be cleared last.
    pub clearing: gather::Clearing,
    /// An earlier action asked for another home, of which nothing was heard yet: until when it may turn up.
    pub placing: Option<Time>,
    /// Namespace of the VRG.
    pub vrg_namespace: String,
    /// No ApplicationSet tells that namespace, and it was not settled before.
    pub guesses_namespace: bool,
    /// Why the configuration can't be used; empty when it can.
    pub config_fault: String,
    /// `volSync.disabled` of the configuration.
    pub vol_sync_disabled: bool,
    /// `ramenOpsNamespace` of the configuration.
    pub ops_namespace: String,
    /// Agents can be asked to watch what is in works.
    pub can_watch: bool,
    /// What stores hold of the VRG, by profile, and how to ask each; while clusters are asked what they have.
    pub copies: Vec<(ramen_events::hub::Profile, Option<KnownCopy>)>,
    /// When the status was last written, or is being written.
    pub status_written: Option<Time>,
    /// When views were last touched, by cluster.
    pub touched: Vec<(ClusterName, Time)>,
    /// The version of the deciders that is asked.
    pub decider: u32,
    /// Slots whose last attempt failed, with the words.
    pub failing: Vec<(String, String)>,
}

/// Names of a runbook's steps, in order; those that show the same progression one after the other are one.
pub fn steps(runbook: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = book(runbook).iter().map(|step| step.name).collect();
    names.dedup();
    names
}

/// All steps of a runbook, in order: the progression that each shows, and the name of its gate.
pub fn gates(runbook: &str) -> Vec<(&'static str, &'static str)> {
    book(runbook).iter().map(|step| (step.name, step.done_when)).collect()
}

fn book(runbook: &str) -> &'static [runbooks::Step] {
    match runbook {
        "deploy" => runbooks::deploy::DEPLOY,
        "failover" => runbooks::failover::FAILOVER,
        "relocate" => runbooks::relocate::RELOCATE,
        "deletion" => runbooks::deletion::DELETION,
        _ => &[],
    }
}

/// What a DRPC wants now.
pub fn decide(hub: &Hub, ask: Ask<'_>) -> Decision {
    let mut decision = Decision::default();
    let Some(drpc) = gather::gather(hub, ask) else { return decision };
    let stage = drpc.act(&mut decision);
    status::write(&drpc, &stage, &mut decision);
    decision
}

impl Drpc {
    /// Where the present action stood last in a runbook, if it did.
    fn standing(&self, runbook: &str) -> Option<&Position> {
        self.position.as_ref().filter(|at| at.runbook == runbook && at.action == self.asked.id)
    }

    /// Does what is to be done now, and tells where that leaves the DRPC.
    fn act(&self, decision: &mut Decision) -> Stage {
        if self.is_being_deleted() {
            if let Some(stage) = contact::before_deletion(self, decision) {
                return stage;
            }
            return self.run("deletion", runbooks::deletion::DELETION, decision, Stage::Deleting);
        }
        if let Err(problem) = validate::check(self) {
            if self.namesake.is_some() {
                decision
                    .ask_again(self.now.plus_seconds(NAMESAKE), "another DRPlacementControl of this name may be gone");
            }
            return if marks::hold(self, decision) { Stage::Preparing } else { Stage::Invalid(problem) };
        }
        if !marks::are_set(self) {
            if let Some(at) = marks::wait_for_application_set(self) {
                decision.ask_again(at, "an ApplicationSet may still tell where the application is");
                return Stage::Preparing;
            }
            marks::set(self, decision);
            return Stage::Preparing;
        }
        views::ensure(self, decision);
        if adoption::adopt(self, decision) {
            return Stage::Preparing;
        }
        if let Some(stage) = contact::check(self, decision) {
            return stage;
        }
        let stage = match self.action() {
            Action::Deploy => self.run("deploy", runbooks::deploy::DEPLOY, decision, Stage::Running),
            Action::Failover => self.run("failover", runbooks::failover::FAILOVER, decision, Stage::Running),
            Action::Relocate => self.run("relocate", runbooks::relocate::RELOCATE, decision, Stage::Running),
        };
        wanted::refresh(self, decision);
        epoch::raise(self, decision);
        stage
    }

    /// Walks a runbook from the top and acts on the first step that is not done.
    fn run(
        &self,
        name: &str,
        book: &'static [runbooks::Step],
        decision: &mut Decision,
        stage: fn(Option<report::Shut>) -> Stage,
    ) -> Stage {
        let found = runbook::current(book, self);
        let position = runbook::position(name, &self.action_id(), found.as_ref(), self.now);
        let since = self.since(&position);
        let shut = found.map(|(step, wait)| {
            decision.gate = Some(step.done_when);
            (step.act)(self, decision);
            let sentence = wait.sentence(since) + &self.last_failure();
            report::Shut { progression: step.name, sentence, since }
        });
        decision.position = Some(position);
        stage(shut)
    }

    /// Since when the DRPC stands at a step.
    fn since(&self, at: &Position) -> Time {
        let same = |p: &&Position| p.runbook == at.runbook && p.action == at.action && p.step == at.step;
        self.position.as_ref().filter(same).map_or(self.now, |p| p.since)
    }

    /// How what the step wants to be written failed, if it did.
    fn last_failure(&self) -> String {
        let failed = self.failing.iter().find(|(slot, _)| slot != "status");
        failed.map(|(slot, words)| format!("; the last attempt to write {slot} failed: {words}")).unwrap_or_default()
    }

    /// Identity of the action that runs.
    fn action_id(&self) -> ActionId {
        if self.is_being_deleted() { ActionId("deletion".into()) } else { self.asked.id.clone() }
    }

    /// The DRPC, or its placement, is to go.
    fn is_being_deleted(&self) -> bool {
        self.fact.meta.deleting.is_some() || self.placement.as_ref().is_some_and(|p| p.meta.deleting.is_some())
    }

    /// A cluster of this DRPC.
    fn site(&self, name: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.name.0 == name)
    }

    /// The clusters of the policy.
    fn listed_sites(&self) -> &[Site] {
        self.sites.get(..self.listed).unwrap_or(&self.sites)
    }
}
