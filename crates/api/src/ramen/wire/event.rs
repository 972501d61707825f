//! Reasons of Kubernetes Events, and who reports them.

/// Component of DRPC events.
pub const DRPC_COMPONENT: &str = "controller_DRPlacementControl";
/// Component of VRG events.
pub const VRG_COMPONENT: &str = "controller_VolumeReplicationGroup";

/// Normal: deploying.
pub const DRPC_DEPLOYING: &str = "DRPCDeploying";
/// Normal: deployed.
pub const DRPC_DEPLOY_SUCCESS: &str = "DRPCDeploySuccess";
/// Warning: no preferred cluster, or the decision could not be written.
pub const DRPC_DEPLOY_FAILED: &str = "DRPCDeployFailed";
/// Warning: failing over.
pub const DRPC_FAILING_OVER: &str = "DRPCFailingOver";
/// Normal: failed over.
pub const DRPC_FAILOVER_SUCCESS: &str = "DRPCFailoverSuccess";
/// Normal: relocating.
pub const DRPC_RELOCATING: &str = "DRPCRelocating";
/// Normal: relocated.
pub const DRPC_RELOCATION_SUCCESS: &str = "DRPCRelocationSuccess";
/// Warning: the switch to another cluster failed.
pub const DRPC_CLUSTER_SWITCH_FAILED: &str = "DRPCClusterSwitchFailed";
/// Warning, ours: deleted while no cluster was the application's home; volumes and copies stay.
pub const DRPC_DELETED_WITHOUT_HOME: &str = "DRPCDeletedWithoutHome";
/// Warning, ours: nothing was synchronized for more than two intervals.
pub const DRPC_SYNCHRONIZATION_OVERDUE: &str = "DRPCSynchronizationOverdue";

/// Warning: the VRG can't be used as written.
pub const FAILED_VALIDATION: &str = "FailedValidation";
/// Warning: a VolumeReplication could not be created.
pub const VR_CREATE_FAILED: &str = "VRCreateFailed";
/// Warning: a VolumeReplication could not be changed.
pub const VR_UPDATE_FAILED: &str = "VRUpdateFailed";
/// Warning: a volume or claim could not be uploaded.
pub const UPLOAD_FAILED: &str = "UploadFailed";
/// Warning: the VRG could not be uploaded.
pub const VRG_UPLOAD_FAILED: &str = "VrgUploadFailed";
/// Normal: a primary VRG is done.
pub const PRIMARY_VRG_SUCCESS: &str = "PrimaryVRGProcessSuccess";
/// Normal: a secondary VRG is done.
pub const SECONDARY_VRG_SUCCESS: &str = "SecondaryVRGProcessSuccess";
/// Normal: a VRG is gone.
pub const VRG_DELETE_SUCCESS: &str = "VRGDeleteSuccess";
