//! Which action runs, and between which clusters: read off what was asked of the clusters, not remembered.

use ramen_api::ramen::wire::{annotation, condition, state::State};
use ramen_events::ConditionStatus;

use super::{Drpc, epoch, site::Site};

/// The first version of the deciders that protects an application where it is found.
const FOUND_SINCE: u32 = 3;

/// The first version that tells by the epochs which of two primaries is the later one.
const LATER_SINCE: u32 = 4;

/// What a DRPC is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Protect the application where it is, or bring it up first.
    Deploy,
    /// Bring it up on the other cluster, without the first.
    Failover,
    /// Move it, without losing a write.
    Relocate,
}

impl Drpc {
    /// The action asked for.
    pub fn action(&self) -> Action {
        // What is deleted is moved no more: it ends where a withdrawn action would.
        if self.is_being_deleted() {
            return Action::Deploy;
        }
        match self.fact.spec.action.as_str() {
            "Failover" => Action::Failover,
            "Relocate" => Action::Relocate,
            _ => Action::Deploy,
        }
    }

    /// The cluster that the action is to end on. Without an action the application stays where it is: a cleared action
    /// finishes there what the former one left half done (spec drpc 5.4, any → empty).
    pub fn target(&self) -> &str {
        match self.action() {
            Action::Failover => &self.fact.spec.failover,
            Action::Relocate => &self.fact.spec.preferred,
            Action::Deploy => match self.serving() {
                Some(site) => &site.name.0,
                None => self.last_home().or_else(|| self.found_home()).unwrap_or(&self.fact.spec.preferred),
            },
        }
    }

    /// The target as a cluster of this DRPC.
    pub fn target_site(&self) -> Option<&Site> {
        self.site(self.target())
    }

    /// The cluster that the last placement decision named, if it is one of ours.
    pub fn last_home(&self) -> Option<&str> {
        let name = self.fact.meta.annotation(annotation::LAST_APP_CLUSTER);
        self.site(name).map(|site| site.name.as_str())
    }

    /// The cluster where an application runs that nobody has protected yet. It is protected there, wherever it is preferred:
    /// to move it would leave its data behind.
    pub fn found_home(&self) -> Option<&str> {
        let placed = self.decided.current().filter(|_| self.decider >= FOUND_SINCE)?;
        self.listed_sites().iter().find(|site| site.name == *placed).map(|site| site.name.as_str())
    }

    /// The cluster whose VRG is to be primary. While two are (a failover that is not finished), the one that the
    /// placement names, or the last one that it named; on a hub that was rebuilt and knows neither, the later one.
    pub fn serving(&self) -> Option<&Site> {
        let primaries: Vec<&Site> = self.sites.iter().filter(|site| site.is_wished_primary()).collect();
        let named = |name: Option<&str>| primaries.iter().find(|site| Some(site.name.as_str()) == name).copied();
        let later = || epoch::latest(primaries.iter().copied());
        let unnamed = || if self.decider >= LATER_SINCE { later() } else { primaries.first().copied() };
        named(self.decided.current().map(|cluster| cluster.as_str()))
            .or_else(|| self.left_for(later()?))
            .or_else(|| named(self.last_home()))
            .or_else(unnamed)
    }

    /// The later of two primaries, on a hub that was restored from before the failover to it, when the DRPC is deleted there: the
    /// last home that such a hub remembers is one that the application left. One that is still on its way by a failover is
    /// none yet.
    fn left_for<'a>(&'a self, later: &'a Site) -> Option<&'a Site> {
        let asked = self.fact.spec.action == "Failover" && self.fact.spec.failover == later.name.0;
        let last = self.last_home().and_then(|name| self.site(name))?;
        let is_later = last.is_wished_primary() && epoch::held(later) > epoch::held(last);
        let is_home = later.vrg.is_asked_primary() && later.vrg.state == State::Primary.as_str();
        let forgot = self.decider >= LATER_SINCE && self.is_being_deleted() && self.decided.is_nowhere();
        (forgot && !asked && is_later && is_home).then_some(later)
    }

    /// Clusters of the policy other than this one.
    pub fn others<'a>(&'a self, home: &'a str) -> impl Iterator<Item = &'a Site> {
        self.listed_sites().iter().filter(move |site| site.name.0 != home)
    }

    /// The target was promoted, and nothing else serves: what comes before the promotion is past.
    pub fn has_moved(&self) -> bool {
        self.serving().is_some_and(|site| site.name.0 == self.target())
    }

    /// The cluster around which clean-up goes: the target once it serves, before that the one that still does.
    pub fn home(&self) -> Option<&Site> {
        match self.action() {
            Action::Relocate => self.serving(),
            Action::Deploy | Action::Failover => self.target_site(),
        }
    }

    /// Nothing is going on: the action is complete, and the application is protected.
    pub fn is_at_rest(&self) -> bool {
        let protected = self.fact.status.condition(condition::PROTECTED);
        self.is_finished() && protected.is_some_and(|condition| condition.status == ConditionStatus::True)
    }

    /// The runbook of this action was completed before. What it had proven then is not asked for again, as long as
    /// what was asked of the clusters still stands.
    pub fn is_finished(&self) -> bool {
        self.position.as_ref().is_some_and(|p| p.action == self.asked.id && p.step.is_empty())
    }
}
