//! What the hub knows of the VRG on one cluster.
//!
//! Two witnesses: the view, which shows all of it but late, and the work's feedback, which shows scalars but soon. The
//! newer one counts. Neither proves anything about a wish that it was not asked for: an answer belongs to the wish whose
//! command the VRG carries, at the generation that the cluster says it looked at (spec drpc 10, P2, P3, P9).

use std::sync::Arc;

use ramen_api::ramen::wire::{condition, state::State};
use ramen_events::{
    Condition, ConditionStatus, Time,
    hub::{Feedback, ViewAnswer, ViewFact, ViewedObject, VrgSeen, VrgStatus},
};

use crate::hub::state::{KnownView, KnownWork};

/// Whether there is a VRG.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Nobody knows, and why.
    #[default]
    Unasked,
    /// The cluster could not say, and why.
    Unclear(String),
    /// The cluster said no.
    Absent,
    /// Yes.
    Present,
}

/// What the hub knows of the VRG on one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vrg {
    /// Whether it is there.
    pub presence: Presence,
    /// Its generation.
    pub generation: i64,
    /// The command of the hub that it carries; empty when none.
    pub command: String,
    /// `spec.replicationState` on the cluster.
    pub replication_state: String,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// `status.state`.
    pub state: String,
    /// `status.prepareForFinalSyncComplete`.
    pub prepare_complete: bool,
    /// `status.finalSyncComplete`.
    pub final_sync_complete: bool,
    /// Conditions; those that only feedback tells of have no message.
    pub conditions: Vec<Condition>,
    /// Time, duration and bytes of the last synchronization.
    pub last_group_sync: (Option<Time>, Option<String>, Option<i64>),
    /// The view that shows the whole VRG, perhaps older than the rest.
    pub shown: Option<Arc<ViewFact>>,
    /// The view shows conditions other than those that feedback tells of.
    pub view_lags: bool,
    /// When feedback last changed.
    pub feedback_at: Option<Time>,
}

/// What a witness is ordered by: what the cluster had looked at, then when it reached the hub.
type Age = (i64, i64, Option<Time>, Time);

impl Vrg {
    /// Weighs the witnesses.
    pub fn known(view: Option<&KnownView>, work: Option<&KnownWork>) -> Self {
        let feedback = work.and_then(|work| work.fact.feedback.as_ref().map(|told| (told, work.feedback_at)));
        let answer = view.map(|view| (&view.fact.answer, view.answered));
        let seen = view.and_then(|view| Some((shown_by(&view.fact)?, view.answered)));
        let denied = matches!(answer, Some((ViewAnswer::NotFound, _)));
        let mut vrg = match (seen, feedback) {
            (Some((seen, at)), Some((told, told_at))) => {
                let status = seen.status.as_ref();
                let observed = status.map_or(0, |s| s.observed_generation);
                let by_view: Age = (seen.generation, observed, status.and_then(|s| s.last_update), at);
                let by_feedback: Age = (told.generation, told.observed_generation, told.last_update, told_at);
                // Another VRG of the same name: what came later counts.
                let newer = if seen.uid == told.uid { by_feedback > by_view } else { told_at > at };
                if newer { Self::from_feedback(told, Some(seen)) } else { Self::from_view(seen) }
            }
            (Some((seen, _)), None) => Self::from_view(seen),
            (None, Some((told, told_at))) if denied && is_later(view, told, told_at) => {
                Self { presence: Presence::Absent, ..Self::default() }
            }
            (None, Some((told, _))) => Self::from_feedback(told, None),
            (None, None) => Self { presence: presence_of(answer.map(|(answer, _)| answer)), ..Self::default() },
        };
        vrg.shown = seen.and(view).map(|view| view.fact.clone());
        vrg.feedback_at = feedback.map(|(_, at)| at);
        vrg.view_lags = feedback.is_some_and(|(told, _)| seen.is_none_or(|(seen, _)| lags(seen, told)));
        vrg
    }

    /// The whole VRG as the view last showed it, perhaps older than the rest.
    pub fn seen(&self) -> Option<&VrgSeen> {
        self.shown.as_deref().and_then(shown_by)
    }

    /// The cluster said, at some time, whether it is there.
    pub fn is_told_of(&self) -> bool {
        matches!(self.presence, Presence::Present | Presence::Absent)
    }

    fn from_view(seen: &VrgSeen) -> Self {
        let unsaid = VrgStatus::default();
        let status = seen.status.as_ref().unwrap_or(&unsaid);
        Self {
            presence: Presence::Present,
            generation: seen.generation,
            command: seen.command.clone(),
            replication_state: seen.manifest.spec.state.clone(),
            observed_generation: status.observed_generation,
            state: status.state.clone(),
            prepare_complete: status.prepare_complete,
            final_sync_complete: status.final_sync_complete,
            conditions: status.conditions.clone(),
            last_group_sync: (
                status.last_group_sync,
                status.last_group_sync_duration.clone(),
                status.last_group_sync_bytes,
            ),
            ..Self::default()
        }
    }

    fn from_feedback(told: &Feedback, seen: Option<&VrgSeen>) -> Self {
        let known = seen.and_then(|seen| seen.status.as_ref()).map(|s| s.conditions.as_slice()).unwrap_or_default();
        let conditions = told.conditions.iter().map(|(kind, (status, reason, generation))| {
            let same = |c: &&Condition| c.kind == *kind && c.status == *status && c.reason == *reason;
            Condition {
                kind: kind.clone(),
                status: *status,
                reason: reason.clone(),
                message: known.iter().find(same).map(|c| c.message.clone()).unwrap_or_default(),
                generation: *generation,
                since: Time(0),
            }
        });
        // An agent that can't read the annotation tells no command; the spec that the view shows is the same one.
        let same_spec = seen.filter(|seen| told.command.is_empty() && seen.generation == told.generation);
        let command = same_spec.map_or(&told.command, |seen| &seen.command);
        let sync = (told.last_group_sync, told.last_group_sync_duration.clone(), told.last_group_sync_bytes);
        Self {
            presence: Presence::Present,
            generation: told.generation,
            command: command.clone(),
            replication_state: told.replication_state.clone(),
            observed_generation: told.observed_generation,
            state: told.state.clone(),
            prepare_complete: told.prepare_complete,
            final_sync_complete: told.final_sync_complete,
            conditions: conditions.collect(),
            last_group_sync: sync,
            ..Self::default()
        }
    }

    /// Whether it is there.
    pub fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    /// Whether the cluster reports on what it was last asked.
    pub fn is_looked_at(&self) -> bool {
        self.is_present() && self.generation > 0 && self.observed_generation == self.generation
    }

    /// Primary is asked of it, on its cluster.
    pub fn is_asked_primary(&self) -> bool {
        self.is_present() && self.replication_state == "primary"
    }

    /// It is secondary, and looked at as it stands now.
    pub fn is_settled_secondary(&self) -> bool {
        self.is_looked_at() && self.replication_state == "secondary" && self.state == State::Secondary.as_str()
    }

    /// Volumes are primary and everything that an application needs is restored (spec drpc 4, *ready*).
    pub fn is_ready(&self) -> bool {
        self.is_looked_at()
            && self.is_asked_primary()
            && self.state == State::Primary.as_str()
            && self.holds(condition::DATA_READY)
            && self.holds(condition::CLUSTER_DATA_READY)
    }

    /// A condition by type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// A condition holds, judged at the present generation.
    pub fn holds(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition.is_true_at(self.generation))
    }

    /// What it says of something that is in the way of the application's data there, if it says so of what it is now.
    pub fn conflict(&self) -> Option<&Condition> {
        let is_so = |said: &&Condition| said.status == ConditionStatus::False && said.generation == self.generation;
        self.condition(condition::NO_CLUSTER_DATA_CONFLICT).filter(|_| self.is_looked_at()).filter(is_so)
    }

    /// Why a condition does not hold, when the cluster calls it an error: for messages that do not flutter.
    pub fn complaint(&self, kinds: &[&str]) -> String {
        let bad = |condition: &&Condition| {
            kinds.contains(&condition.kind.as_str())
                && condition.status == ConditionStatus::False
                && ramen_api::ramen::wire::reason::ERRORS.contains(&condition.reason.as_str())
        };
        match self.conditions.iter().find(bad) {
            Some(c) if c.message.is_empty() => format!(" ({} is {})", c.kind, c.reason),
            Some(c) => format!(" ({} is {}: {})", c.kind, c.reason, c.message),
            None => String::new(),
        }
    }
}

/// The VRG that a view shows, if it does.
fn shown_by(view: &ViewFact) -> Option<&VrgSeen> {
    match &view.answer {
        ViewAnswer::Found(ViewedObject::Vrg(seen)) => Some(seen),
        _ => None,
    }
}

/// Whether a view that denies the VRG does so after the VRG was last heard of. Both moments are the cluster's own, so a
/// hub that lost its memory judges as one that saw them come in.
fn is_later(view: Option<&KnownView>, told: &Feedback, told_at: Time) -> bool {
    let Some(view) = view else { return false };
    match (view.fact.flipped, told.last_update) {
        (Some(flipped), Some(reported)) => flipped > reported,
        _ => view.answered > told_at,
    }
}

fn presence_of(answer: Option<&ViewAnswer>) -> Presence {
    match answer {
        None | Some(ViewAnswer::Silent) => Presence::Unasked,
        Some(ViewAnswer::NotFound) => Presence::Absent,
        Some(ViewAnswer::Failed { reason, message }) => Presence::Unclear(format!("{reason}: {message}")),
        Some(ViewAnswer::Found(_)) => Presence::Unclear("the view shows something else".into()),
    }
}

/// Whether a reader of the status would see something else in the view than feedback tells. Times of synchronization
/// do not count: they move all the time and reach the hub by themselves.
fn lags(seen: &VrgSeen, told: &Feedback) -> bool {
    let Some(status) = &seen.status else { return true };
    let shown = |kind: &String| status.conditions.iter().find(|c| c.kind == *kind);
    let same = |(kind, (status, reason, generation)): (&String, &(ConditionStatus, String, i64))| {
        shown(kind).is_some_and(|c| c.status == *status && c.reason == *reason && c.generation == *generation)
    };
    let same_conditions = told.conditions.iter().all(same);
    let newer = told.last_update >= status.last_update;
    newer && !(same_conditions && seen.generation == told.generation && status.state == told.state)
}
