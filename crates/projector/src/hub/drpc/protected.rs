//! `Protected`: whether the application could be recovered elsewhere, from what its VRG reports (spec drpc 4.8).

use ramen_api::ramen::wire::{condition, reason, state::State};
use ramen_events::{Condition, ConditionStatus, Time};

use crate::{domain::Decision, go_duration};

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

/// What a person can do about volumes of which the other cluster has nothing yet, or nothing that follows.
const IF_IT_LASTS: &str = "; if it lasts: look whether the storage of both clusters reaches each other; a replica that went \
                           its own way is replaced when you delete the VolumeReplication of the claim there: it is made \
                           anew, and everything copied again";
/// The first version of the deciders that says it.
const TELLS_WHAT_TO_DO_SINCE: u32 = 4;
/// What else can be in the way: storage makes no replica where there is a volume of that name.
const IN_THE_WAY: &str = "; a volume that was kept on the other cluster is replaced when you take from it what is needed and set \
                          persistentVolumeReclaimPolicy of its PersistentVolume there to Delete";
/// The first version of the deciders that says that.
const TELLS_OF_KEPT_SINCE: u32 = 7;

/// The first version of the deciders that tells of synchronizations that stay away, and of applications without claims.
const OVERDUE_SINCE: u32 = 14;
/// How much later than two intervals after the one before a synchronization may be told of, in seconds: clocks of clusters
/// differ by minutes, and its time is not written at once.
const ALLOWANCE: u64 = 300;
/// How a verdict says so.
const NOTHING_SINCE: &str = "but nothing was synchronized since";

/// How long the verdict of before stands while the cluster looks at what was asked last, in seconds.
const LOOKING: u64 = 10;

/// Judges the VRG that is reported. While its cluster looks at a new request, what was said before stands: each step of
/// an action is such a request, and a verdict that flutters with them helps nobody.
pub fn judge(drpc: &Drpc, decision: &mut Decision) -> Verdict {
    let Some(site) = mirror::reported(drpc) else {
        return unknown("no cluster has the application, so no VolumeReplicationGroup tells of it".into());
    };
    let name = format!("VolumeReplicationGroup ({}/{}) on cluster {}", drpc.vrg_namespace, drpc.key.name, site.name);
    if !site.vrg.is_present() || site.vrg.observed_generation == 0 {
        return unknown(format!("{name} has not reported yet"));
    }
    if site.lost {
        return unknown(format!("{name} cannot be asked: the hub has lost the cluster; what it last said may be old"));
    }
    let action = site.wished().map(|manifest| manifest.spec.action.as_str()).unwrap_or_default();
    let elsewhere = conflict_elsewhere(drpc, site);
    let found = fault(&site.vrg, action, elsewhere, drpc.decider);
    let Some(Fault { status, reason, what, remedy, settling }) = found else {
        let overdue = overdue(drpc, &site.vrg, decision);
        let message = format!("{name} protects the application's volumes and objects{overdue}");
        return Verdict { status: ConditionStatus::True, reason: reason::PROTECTED, message };
    };
    let before = drpc.fact.status.condition(condition::PROTECTED).filter(|told| told.message.starts_with(&name));
    let until = site.work.as_ref().map_or(drpc.now, |work| work.at.plus_seconds(LOOKING));
    if let Some(before) = before.filter(|_| settling && drpc.now < until) {
        decision.ask_again(until, "the cluster should have looked at what was asked");
        let known = [reason::PROTECTED, reason::ERROR, reason::PROGRESSING, reason::UNKNOWN];
        if let Some(reason) = known.into_iter().find(|known| *known == before.reason) {
            return Verdict { status: before.status, reason, message: before.message.clone() };
        }
    }
    let remedy = if drpc.decider >= TELLS_WHAT_TO_DO_SINCE { remedy } else { "" };
    let more = if remedy != IF_IT_LASTS || drpc.decider < TELLS_OF_KEPT_SINCE { "" } else { IN_THE_WAY };
    Verdict { status, reason, message: format!("{name}: {what}{remedy}{more}") }
}

/// What to add of a primary whose last synchronization is too long ago: nothing else changes while none comes (the condition
/// stays true, as clients of Ramen know it).
fn overdue(drpc: &Drpc, vrg: &Vrg, decision: &mut Decision) -> String {
    let interval = drpc.policy.as_ref().map(|policy| policy.spec.interval.as_str()).unwrap_or_default();
    let Some((last, due)) = vrg.last_group_sync.0.and_then(|last| Some((last, due_after(last, interval)?))) else {
        return String::new();
    };
    if drpc.decider < OVERDUE_SINCE || vrg.replication_state != "primary" {
        return String::new();
    }
    if drpc.now < due {
        decision.ask_again(due, "a synchronization should have been told of");
        return String::new();
    }
    let remedy = match drpc.listed_sites().iter().find(|site| site.lost) {
        Some(lost) => format!("bring cluster {} back: the hub has lost it", lost.name),
        None => "look whether the storage of both clusters reaches each other".to_owned(),
    };
    format!(
        ", {NOTHING_SINCE} {last}, where the policy asks for it every {interval}: a failover would lose what was written \
         after that; {remedy}"
    )
}

/// When the second synchronization after one at `last` is missed; `None` when the interval asks for none.
fn due_after(last: Time, interval: &str) -> Option<Time> {
    let interval =
        u64::try_from(go_duration::nanoseconds(interval)? / 1_000_000_000).ok().filter(|seconds| *seconds > 0)?;
    Some(last.plus_seconds(interval.saturating_mul(2).saturating_add(ALLOWANCE)))
}

/// Whether a condition says that synchronizations stay away.
pub fn tells_of_overdue(told: &Condition) -> bool {
    told.status == ConditionStatus::True && told.message.contains(NOTHING_SINCE)
}

/// What a person can do about an application of which no claim is selected.
const SELECT_CLAIMS: &str = "; give the claims that are to be protected the labels that spec.pvcSelector asks for";

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
    /// What a person can do if it lasts; empty when nothing is.
    pub remedy: &'static str,
    /// Only because the cluster has not looked at the last request yet.
    pub settling: bool,
}

fn fault_of(status: ConditionStatus, reason: &'static str, what: String) -> Option<Fault> {
    Some(Fault { status, reason, what, remedy: "", settling: false })
}

/// The cluster has not looked at the last request yet.
fn settling(status: ConditionStatus, what: String) -> Option<Fault> {
    Some(Fault { status, reason: reason::UNKNOWN, what, remedy: "", settling: true })
}

/// What the VRG of another cluster says is in the way of the application's data there.
fn conflict_elsewhere(drpc: &Drpc, reported: &Site) -> Option<Fault> {
    let (site, said) = mirror::conflict(drpc).filter(|(site, _)| site.name != reported.name)?;
    let kind = condition::NO_CLUSTER_DATA_CONFLICT;
    let on = &site.name;
    let told = words(&format!("the one on cluster {on} says that condition {kind} is False"), said);
    is_false(said, format!("{told}; put that right before the application has to move to cluster {on}"))
}

/// The first row of the table that fires; `None`: protected. `elsewhere`: what another cluster says of a conflict.
pub fn fault(vrg: &Vrg, action: &str, elsewhere: Option<Fault>, decider: u32) -> Option<Fault> {
    let primary = vrg.replication_state == "primary";
    hooks(vrg) // 1
        .or_else(|| if primary { good(vrg, condition::CLUSTER_DATA_READY) } else { None }) // 2
        .or_else(|| if primary { primary_data(vrg) } else { secondary_data(vrg, action) }) // 3
        .or_else(|| if_there(vrg, condition::DESTINATION_INFO_AVAILABLE)) // 4
        .or_else(|| elsewhere.or_else(|| good(vrg, condition::NO_CLUSTER_DATA_CONFLICT))) // 5
        .or_else(|| settled(vrg, primary, decider)) // 6
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
        let what = format!("condition {kind} is not reported yet for what was last asked");
        return settling(ConditionStatus::Unknown, what);
    }
    match condition.status {
        ConditionStatus::True => None,
        ConditionStatus::Unknown => unknown(words(&format!("condition {kind} is Unknown"), condition)),
        ConditionStatus::False => is_false(condition, words(&format!("condition {kind} is False"), condition)),
    }
}

/// What is false is an error, or under way.
fn is_false(condition: &Condition, what: String) -> Option<Fault> {
    let bad = reason::ERRORS.contains(&condition.reason.as_str());
    let reason = if bad { reason::ERROR } else { reason::PROGRESSING };
    fault_of(ConditionStatus::False, reason, what)
}

fn settled(vrg: &Vrg, primary: bool, decider: u32) -> Option<Fault> {
    if vrg.observed_generation != vrg.generation {
        let what = "what was last asked has not been looked at yet".to_owned();
        return settling(ConditionStatus::False, what);
    }
    let wanted = if primary { State::Primary } else { State::Secondary };
    if vrg.state != wanted.as_str() {
        let what = format!("waiting for state {wanted}, which is {}", vrg.state);
        return fault_of(ConditionStatus::False, reason::PROGRESSING, what);
    }
    if vrg.last_group_sync.0.is_none() {
        // Without claims there will never be one: to wait for it helps nobody.
        let unused = vrg.condition(condition::DATA_PROTECTED).is_some_and(|told| told.reason == reason::UNUSED);
        let (what, remedy) = match unused && decider >= OVERDUE_SINCE {
            true => ("no claim of the application is selected, so no data are protected", SELECT_CLAIMS),
            false => ("waiting for the first synchronization of its volumes", IF_IT_LASTS),
        };
        let fault = fault_of(ConditionStatus::False, reason::PROGRESSING, what.to_owned());
        return fault.map(|fault| Fault { remedy, ..fault });
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
