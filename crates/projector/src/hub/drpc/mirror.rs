//! Which VRG a reader of the DRPC should look at, and what of it the status repeats (spec drpc 4.9).

use ramen_api::ramen::wire::condition;
use ramen_events::{
    Condition, ConditionStatus, Time,
    hub::{DrpcStatus, ResourceMirror},
};

use super::{Drpc, action::Action, site::Site};
use crate::hub::conditions::seconds;

/// The cluster whose VRG is reported.
pub fn reported(drpc: &Drpc) -> Option<&Site> {
    match drpc.action() {
        Action::Deploy => drpc.target_site(),
        Action::Failover => {
            let decided = drpc.decided.current().and_then(|cluster| drpc.site(&cluster.0));
            decided.or_else(|| drpc.serving())
        }
        // The source as long as it serves, then the target.
        Action::Relocate => drpc.serving().or_else(|| drpc.target_site()),
    }
}

/// The first version of the deciders that tells of a conflict whichever VRG says so.
pub const CONFLICT_SINCE: u32 = 9;

/// The cluster whose VRG says that something is in the way of the application's data, and what it says; a primary goes
/// before others. Where the application runs all is well then, and the next move to that cluster stops half way.
pub fn conflict(drpc: &Drpc) -> Option<(&Site, &Condition)> {
    let sites = drpc.listed_sites().iter().filter(|_| drpc.decider >= CONFLICT_SINCE);
    let said = sites.filter_map(|site| Some((site, site.vrg.conflict()?)));
    said.min_by_key(|(site, _)| !site.vrg.is_asked_primary())
}

/// How long what is repeated may be waited for, in milliseconds.
const PATIENCE_MS: u64 = 1_500;

/// When the view will show what feedback already tells of, if it does not: what is worth a write is worth a complete one.
pub fn due(drpc: &Drpc) -> Option<Time> {
    let reported = reported(drpc).filter(|site| site.name.0 == drpc.target());
    let with_conflict = conflict(drpc).map(|(site, _)| site);
    let site = [reported, with_conflict].into_iter().flatten().find(|site| site.vrg.view_lags)?;
    site.vrg.feedback_at.map(|at| at.plus_ms(PATIENCE_MS)).filter(|at| *at > drpc.now)
}

/// Repeats what the VRG reports.
pub fn copy(drpc: &Drpc, status: &mut DrpcStatus) {
    let Some(site) = reported(drpc) else {
        status.resource = None;
        return;
    };
    status.resource = site.vrg.seen().filter(|_| site.vrg.is_present()).and_then(|seen| {
        let told = seen.status.as_ref()?;
        Some(ResourceMirror {
            namespace: seen.manifest.namespace.clone(),
            name: seen.manifest.name.clone(),
            generation: seen.generation,
            protected_pvcs: told.protected_pvcs.iter().map(|pvc| pvc.name.clone()).collect(),
            pvc_groups: told.pvc_groups.clone(),
            conditions: with_conflict(drpc, site, &told.conditions),
        })
    });
    let (time, duration, bytes) = &site.vrg.last_group_sync;
    // A relocation passes through VRGs that were not synchronized yet: what was known stays.
    if time.is_some() || (site.vrg.is_present() && drpc.action() != Action::Relocate) {
        status.last_group_sync = *time;
        status.last_group_sync_duration.clone_from(duration);
        status.last_group_sync_bytes = *bytes;
    }
    let captured = site.vrg.seen().and_then(|seen| seen.status.as_ref()).and_then(|told| told.captured);
    if captured.is_some() {
        status.last_kube_object_protection = captured;
    }
}

/// What the VRG says of itself, save that another cluster's word of a conflict goes over its own.
fn with_conflict(drpc: &Drpc, reported: &Site, told: &[Condition]) -> Vec<Condition> {
    let mut conditions = told.to_vec();
    let Some((site, said)) = conflict(drpc).filter(|(site, _)| site.name != reported.name) else { return conditions };
    let kind = condition::NO_CLUSTER_DATA_CONFLICT;
    let words = if said.message.is_empty() { "its VolumeReplicationGroup says so" } else { &said.message };
    let mirrored = drpc.fact.status.resource.as_ref().and_then(|told| told.conditions.iter().find(|c| c.kind == kind));
    let before = mirrored.filter(|before| before.status == ConditionStatus::False);
    let own = conditions.iter_mut().find(|condition| condition.kind == kind);
    let overlaid = Condition {
        kind: kind.to_owned(),
        status: said.status,
        reason: said.reason.clone(),
        message: format!("on cluster {}: {words}", site.name),
        // Readers compare it with the generation of the VRG that they are shown.
        generation: own.as_ref().map_or(said.generation, |own| own.generation),
        since: before.map_or_else(|| seconds(drpc.now), |before| before.since),
    };
    match own {
        Some(own) => *own = overlaid,
        None => conditions.push(overlaid),
    }
    conditions
}
