//! `Protected`: whether the application could be recovered elsewhere, from what its VRG reports (spec drpc 4.8).

use ramen_api::ramen::wire::{condition, reason, state::State};
use ramen_events::{Condition, ConditionStatus};

use super::{Drpc, mirror, site::Site, vrg::Vrg};

/// What `Protected` says: status, reason of the wire, words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Reason of the wire.
    pub reason: &'static str,
    /// Which VRG, which condition, and its words.
    pub message: String,
}

/// Judges the VRG that is reported.
pub fn judge(drpc: &Drpc) -> Verdict {
    let Some(site) = mirror::reported(drpc) else {
        return unknown("no cluster has the application, so no VolumeReplicationGroup tells of it".into());
    };
    let vrg = format!("VolumeReplicationGroup ({}/{}) on cluster {}", drpc.vrg_namespace, drpc.key.name, site.name);
    if !site.vrg.is_present() || site.vrg.observed_generation == 0 {
        return unknown(format!("{vrg} has not reported yet"));
    }
    if site.lost {
        return unknown(format!("{vrg} cannot be asked: the hub has lost the cluster; what it last said may be old"));
    }
    judge_vrg(&vrg, site)
}

fn judge_vrg(name: &str, site: &Site) -> Verdict {
    let vrg = &site.vrg;
    match fault(vrg, drpc_action(site)) {
        None => Verdict {
            status: ConditionStatus::True,
            reason: reason::PROTECTED,
            message: format!("{name} protects the application's volumes and objects"),
        },
        Some(Fault { status, reason, what }) => Verdict { status, reason, message: format!("{name}: {what}") },
    }
}

fn drpc_action(site: &Site) -> &str {
    site.wished().map(|manifest| manifest.spec.action.as_str()).unwrap_or_default()
}

fn unknown(message: String) -> Verdict {
    Verdict { status: ConditionStatus::Unknown, reason: reason::UNKNOWN, message }
}

/// Why a VRG does not protect its application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `False` or `Unknown`.
    pub status: ConditionStatus,
    /// Reason of the wire.
    pub reason: &'static str,
    /// What is missing.
    pub what: String,
}

fn fault_of(status: ConditionStatus, reason: &'static str, what: String) -> Option<Fault> {
    Some(Fault { status, reason, what })
}

/// The first row of the table that fires; `None`: protected.
pub fn fault(vrg: &Vrg, action: &str) -> Option<Fault> {
    let primary = vrg.replication_state == "primary";
    hooks(vrg) // 1
        .or_else(|| if primary { good(vrg, condition::CLUSTER_DATA_READY) } else { None }) // 2
        .or_else(|| if primary { primary_data(vrg) } else { secondary_data(vrg, action) }) // 3
        .or_else(|| if_there(vrg, condition::DESTINATION_INFO_AVAILABLE)) // 4
        .or_else(|| good(vrg, condition::NO_CLUSTER_DATA_CONFLICT)) // 5
        .or_else(|| settled(vrg, primary)) // 6
        .or_else(|| if primary { good(vrg, condition::CLUSTER_DATA_PROTECTED) } else { None }) // 7
}

fn hooks(vrg: &Vrg) -> Option<Fault> {
    let hooks = vrg.condition(condition::HOOKS_READY)?;
    let failed = hooks.status == ConditionStatus::False
        && hooks.reason == reason::HOOK_FAILED
        && hooks.generation == vrg.generation;
    if failed { fault_of(ConditionStatus::False, reason::ERROR, words("a hook failed", hooks)) } else { None }
}

fn primary_data(vrg: &Vrg) -> Option<Fault> {
    good(vrg, condition::DATA_READY).or_else(|| {
        let replicating = |c: &Condition| c.status == ConditionStatus::False && c.reason == reason::REPLICATING;
        let passes = vrg.condition(condition::DATA_PROTECTED).is_some_and(replicating);
        if passes { None } else { good(vrg, condition::DATA_PROTECTED) }
    })
}

fn secondary_data(vrg: &Vrg, action: &str) -> Option<Fault> {
    let resyncing = |c: &Condition| c.status == ConditionStatus::False && c.reason == reason::REPLICATING;
    let passes = action == "Failover" && vrg.condition(condition::DATA_READY).is_some_and(resyncing);
    let ready = if passes { None } else { if_there(vrg, condition::DATA_READY) };
    ready.or_else(|| if_there(vrg, condition::DATA_PROTECTED))
}

fn if_there(vrg: &Vrg, kind: &str) -> Option<Fault> {
    vrg.condition(kind).and_then(|_| good(vrg, kind))
}

/// True at the present generation; what is missing, old or unknown is not known; what is false is an error or under way.
fn good(vrg: &Vrg, kind: &str) -> Option<Fault> {
    let unknown = |what: String| fault_of(ConditionStatus::Unknown, reason::UNKNOWN, what);
    let Some(condition) = vrg.condition(kind) else { return unknown(format!("condition {kind} is not reported yet")) };
    if condition.generation != vrg.generation {
        return unknown(format!("condition {kind} is not reported yet for what was last asked"));
    }
    match condition.status {
        ConditionStatus::True => None,
        ConditionStatus::Unknown => unknown(words(&format!("condition {kind} is Unknown"), condition)),
        ConditionStatus::False => {
            let bad = reason::ERRORS.contains(&condition.reason.as_str());
            let reason = if bad { reason::ERROR } else { reason::PROGRESSING };
            fault_of(ConditionStatus::False, reason, words(&format!("condition {kind} is False"), condition))
        }
    }
}

fn settled(vrg: &Vrg, primary: bool) -> Option<Fault> {
    if vrg.observed_generation != vrg.generation {
        let what = "what was last asked has not been looked at yet".to_owned();
        return fault_of(ConditionStatus::False, reason::UNKNOWN, what);
    }
    let wanted = if primary { State::Primary } else { State::Secondary };
    if vrg.state != wanted.as_str() {
        let what = format!("waiting for state {wanted}, which is {}", vrg.state);
        return fault_of(ConditionStatus::False, reason::PROGRESSING, what);
    }
    if vrg.last_group_sync.0.is_none() {
        let what = "waiting for the first synchronization of its volumes".to_owned();
        return fault_of(ConditionStatus::False, reason::PROGRESSING, what);
    }
    None
}

/// What a condition says, with its own words if it has some.
fn words(what: &str, condition: &Condition) -> String {
    if condition.message.is_empty() {
        format!("{what} ({})", condition.reason)
    } else {
        format!("{what} ({}: {})", condition.reason, condition.message)
    }
}
