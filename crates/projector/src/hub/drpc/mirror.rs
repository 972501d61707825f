//! Which VRG a reader of the DRPC should look at, and what of it the status repeats (spec drpc 4.9).

use ramen_events::{
    Time,
    hub::{DrpcStatus, ResourceMirror},
};

use super::{Drpc, action::Action, site::Site};

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

/// How long what is repeated may be waited for, in milliseconds.
const PATIENCE_MS: u64 = 1_500;

/// When the view will show what feedback already tells of, if it does not: what is worth a write is worth a complete one.
pub fn due(drpc: &Drpc) -> Option<Time> {
    let site = reported(drpc).filter(|site| site.vrg.view_lags && site.name.0 == drpc.target())?;
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
            conditions: told.conditions.clone(),
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
