//! What each action does, as tables read from the top each time: the first shut gate decides.
//!
//! Gates look at what was asked of the clusters (works), at what the clusters answer to that, and at the placement. They
//! remember nothing, so an action that was changed half way, or a hub that lost its memory, goes on from where things
//! stand.

pub mod cleanup;
pub mod deletion;
pub mod deploy;
pub mod failover;
pub mod found;
pub mod handover;
pub mod promotion;
pub mod relocate;

use ramen_events::{ClusterName, Wait};

use crate::{
    domain::Decision,
    runbook::{self, step},
};

use super::{Drpc, site::Site};

/// A step of a DRPC's runbook.
pub type Step = runbook::Step<Drpc, Decision>;

/// Nothing to do but to wait: somebody else brings it about.
fn wait_only(_: &Drpc, _: &mut Decision) {}

/// Words for a shut gate.
fn wait(what: impl Into<String>, on: Option<&ClusterName>, remedy: impl Into<String>) -> Wait {
    runbook::wait(what, on, remedy)
}

/// Words for a cluster that does not say what is waited for.
fn remedy_for(site: &Site) -> &'static str {
    if site.lost {
        "bring the cluster back: the hub has lost it"
    } else {
        "look at the VolumeReplicationGroup and at the operator on that cluster"
    }
}

/// The first version of the deciders that says what can be done about the source of a relocation that does not come back.
const WITHOUT_SOURCE_SINCE: u32 = 9;

/// The same for the source of a relocation, without which only a failover goes on.
fn remedy_for_source(drpc: &Drpc, source: &Site) -> String {
    let remedy = remedy_for(source);
    if !source.lost || drpc.decider < WITHOUT_SOURCE_SINCE {
        return remedy.to_owned();
    }
    let target = drpc.target();
    format!(
        "{remedy}; if it cannot be brought back, set spec.action to Failover and spec.failoverCluster to {target}, which \
         gives up what was written since the last synchronization"
    )
}

/// What holds up volumes as a rule.
const FREE_ITS_CLAIMS: &str = "delete the pods that still mount its claims there";

/// The same where volumes are let go only when nothing uses them any more.
const FREE_ITS_VOLUMES: &str = "look at the VolumeReplicationGroup and at the operator on that cluster; delete the pods \
                                that still mount its claims there";

/// The progressions that the tables use, as they stand on the wire (a test compares them with its words).
pub mod shown {
    pub const CREATING_MW: &str = "CreatingMW";
    pub const UPDATING_PL_RULE: &str = "UpdatingPlRule";
    pub const WAIT_FOR_READINESS: &str = "WaitForReadiness";
    pub const ENSURING_VOL_SYNC_SETUP: &str = "EnsuringVolSyncSetup";
    pub const SETTING_UP_VOL_SYNC_DEST: &str = "SettingUpVolSyncDest";
    pub const CHECKING_FAILOVER_PREREQUISITES: &str = "CheckingFailoverPrerequisites";
    pub const WAIT_FOR_STORAGE_MAINTENANCE: &str = "WaitForStorageMaintenanceActivation";
    pub const WAITING_FOR_RESOURCE_RESTORE: &str = "WaitingForResourceRestore";
    pub const UPDATED_PLACEMENT: &str = "UpdatedPlacement";
    pub const CLEANING_UP: &str = "Cleaning Up";
    pub const PREPARING_FINAL_SYNC: &str = "PreparingFinalSync";
    pub const CLEARING_PLACEMENT: &str = "ClearingPlacement";
    pub const RUNNING_FINAL_SYNC: &str = "RunningFinalSync";
    pub const ENSURING_VOLUMES_ARE_SECONDARY: &str = "EnsuringVolumesAreSecondary";
    pub const DELETING: &str = "Deleting";
}
