//! Views of the VRG on each cluster: made, paced and touched so that the hub learns in time and at little cost.
//!
//! A view is made at first contact: nothing else tells whether a cluster already has a VRG. It is read each second
//! only while that is the one way to learn what is waited for: during the first protection, and where works bring no
//! feedback. Else it is touched when feedback tells of something that only a view shows in full.

use ramen_api::{kinds, ramen::wire::name};
use ramen_events::{
    ClusterName, Command, Time,
    hub::{self, ViewAnswer, ViewScope, ViewWish},
};

use crate::{domain::Decision, hub::state::KnownView};

use super::{Drpc, mirror, site::Site};

/// Seconds between reads while a view is the only witness.
const FAST: i64 = 1;
/// How long a view rests after its answer flipped, in seconds, unless it says otherwise (spec hub 9.2).
const REST: u64 = 30;
/// How long feedback has to be silent before a view is touched, in milliseconds: changes come in bursts.
const CALM_MS: u64 = 1500;
/// How long after a work was applied feedback may take, in seconds, before the view is read instead.
const FEEDBACK_DUE: u64 = 3;

/// How long a first protection is followed closely, in milliseconds, when no claim shows up.
const PATIENCE_MS: u64 = 120_000;

/// Slot of touches.
pub fn touch_slot(cluster: &ClusterName) -> String {
    format!("touch/{cluster}")
}

/// Makes, paces and touches views.
pub fn ensure(drpc: &Drpc, decision: &mut Decision) {
    let reported = mirror::reported(drpc).map(|site| site.name.clone());
    for site in drpc.listed_sites() {
        // A source on its way out shows nothing new that a reader would miss; a target that is ready will be read next.
        let is_target = drpc.target() == site.name.0;
        let is_read = if is_target { site.vrg.is_ready() || drpc.has_moved() } else { drpc.is_finished() };
        let is_read = is_read && (is_target || reported.as_ref() == Some(&site.name));
        let is_read = is_read || has_conflict(drpc, site);
        let interval = interval(drpc, site, is_read, decision);
        match &site.view {
            Some(view) if view.fact.deleting => {}
            Some(view) if view.fact.interval == interval => {
                if is_read && (interval == 0 || drpc.asked.first) {
                    touch(drpc, site, decision);
                }
            }
            _ => decision.want(format!("view/{}", site.name), wish(drpc, site, interval)),
        }
    }
}

/// Something is in the way there, and only the view says in words what.
fn has_conflict(drpc: &Drpc, site: &Site) -> bool {
    drpc.decider >= mirror::CONFLICT_SINCE && site.vrg.conflict().is_some()
}

/// How often the agent should read, in seconds; 0 leaves it to the agent.
fn interval(drpc: &Drpc, site: &Site, is_read: bool, decision: &mut Decision) -> i64 {
    let first = drpc.asked.first && drpc.target() == site.name.0;
    if first && !(drpc.is_finished() && drpc.is_mirrored()) {
        return FAST;
    }
    let resting = site.view.as_ref().is_some_and(|view| rests_until(view) > drpc.now.plus_seconds(2));
    let paced = site.view.as_ref().is_some_and(|view| view.fact.interval == FAST);
    if is_read && site.vrg.view_lags && (resting || paced) {
        return FAST;
    }
    without_feedback(drpc, site, decision)
}

/// Until when an agent leaves a view alone.
fn rests_until(view: &KnownView) -> Time {
    let rest = u64::try_from(view.fact.interval).ok().filter(|interval| *interval > 0).unwrap_or(REST);
    view.fact.flipped.map_or(Time(0), |flipped| flipped.plus_seconds(rest))
}

/// Reads fast where a work is applied and its agent tells nothing of it.
fn without_feedback(drpc: &Drpc, site: &Site, decision: &mut Decision) -> i64 {
    let Some(work) = &site.work else { return 0 };
    let applied = work.fact.applied.as_ref().is_some_and(|applied| applied.generation == work.fact.generation);
    if !applied || work.fact.feedback.is_some() || drpc.is_finished() {
        return 0;
    }
    let due = work.at.plus_seconds(FEEDBACK_DUE);
    let paced = site.view.as_ref().is_some_and(|view| view.fact.interval == FAST);
    if due <= drpc.now || paced {
        return FAST;
    }
    decision.ask_again(due, format!("feedback from cluster {} is due", site.name));
    0
}

/// Has the agent read again at once.
fn touch(drpc: &Drpc, site: &Site, decision: &mut Decision) {
    let Some(view) = &site.view else { return };
    let Some(feedback_at) = site.vrg.feedback_at.filter(|_| site.vrg.view_lags) else { return };
    // A view that rests is read when it wakes, whether touched or not.
    let awake = rests_until(view);
    let last = drpc.touched.iter().find(|(cluster, _)| *cluster == site.name).map_or(Time(0), |(_, at)| *at);
    let calm = if site.vrg.is_ready() || has_conflict(drpc, site) { Time(0) } else { feedback_at.plus_ms(CALM_MS) };
    let due = calm.max(last.plus_seconds(2));
    if awake > drpc.now {
        return;
    }
    if due > drpc.now {
        decision.ask_again(due, format!("view of cluster {} lags behind feedback", site.name));
        return;
    }
    let freshness = ramen_events::Stamp { time: feedback_at, count: 0 }.to_string();
    if view.fact.touched == freshness && matches!(view.fact.answer, ViewAnswer::Found(_)) {
        return;
    }
    let command = hub::Command::TouchView { cluster: site.name.clone(), name: view.fact.name.clone(), freshness };
    decision.want(touch_slot(&site.name), Command::Hub(command));
}

fn wish(drpc: &Drpc, site: &Site, interval: i64) -> Command {
    let resource = &kinds::VOLUME_REPLICATION_GROUP;
    Command::Hub(hub::Command::ApplyView(Box::new(ViewWish {
        cluster: site.name.clone(),
        name: name::vrg_view(&drpc.key.name, &drpc.vrg_namespace),
        scope: ViewScope {
            group: resource.group.to_owned(),
            version: resource.version.to_owned(),
            kind: resource.kind.to_owned(),
            namespace: drpc.vrg_namespace.clone(),
            name: drpc.key.name.clone(),
        },
        drpc: Some(drpc.key.clone()),
        for_policies: false,
        for_cluster: false,
        label: String::new(),
        interval,
    })))
}

impl Drpc {
    /// The status shows what the VRG protects, or has had time to.
    fn is_mirrored(&self) -> bool {
        let shown = self.fact.status.resource.as_ref().is_some_and(|mirror| !mirror.protected_pvcs.is_empty());
        shown || self.now.ms_since(self.asked.since) > PATIENCE_MS
    }
}
