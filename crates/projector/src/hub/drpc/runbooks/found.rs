//! An application that runs where nobody has protected it, although an action is asked for: the request to its cluster failed,
//! while others got theirs.
//!
//! To move it would take it away from the only copy of its data. It is protected where it is first.

use crate::{domain::Decision, runbook::Gate};

use super::{
    super::{
        Drpc,
        action::Action,
        site::Site,
        wanted::{self, FinalSync},
    },
    cleanup::may_be_written,
    remedy_for, wait,
};

/// The first version of the deciders that does so.
const FOUND_SINCE: u32 = 8;

/// Where that is. Nothing can be done about a cluster that was lost with the application: a failover does not wait for it.
fn unprotected(drpc: &Drpc) -> Option<&Site> {
    let begun = drpc.sites.iter().any(|site| site.work.is_some());
    let nobody_serves = drpc.serving().is_none() && drpc.last_home().is_none();
    let found = drpc.found_home().filter(|_| drpc.decider >= FOUND_SINCE && begun && nobody_serves)?;
    let home = drpc.site(found).filter(|home| home.work.is_none())?;
    (drpc.action() != Action::Failover || !home.lost).then_some(home)
}

/// No application runs on a cluster that was not asked for its VRG.
pub fn found_home_is_asked(drpc: &Drpc) -> Gate {
    unprotected(drpc).map_or(Gate::Open, |home| {
        let remedy = if home.lost { remedy_for(home) } else { "look whether the hub may write ManifestWorks" };
        Gate::Shut(wait(
            "the application, which is not protected yet, to be protected where it is,",
            Some(&home.name),
            remedy,
        ))
    })
}

/// Asks for it as its deployment would have.
pub fn protect_found_home(drpc: &Drpc, decision: &mut Decision) {
    if let Some(home) = unprotected(drpc).filter(|home| may_be_written(home)) {
        let mut manifest = wanted::manifest(drpc, home, "primary", FinalSync::No);
        manifest.spec.action.clear();
        wanted::vrg_work(drpc, home, manifest, decision);
    }
}
