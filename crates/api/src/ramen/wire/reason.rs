//! Reasons of conditions. Some words are shared by several kinds; each stands here once.

/// Set before anything was looked at.
pub const INITIALIZING: &str = "Initializing";
/// DRPC: the same, first seen.
pub const INITIATING: &str = "Initiating";
/// Nothing can be said.
pub const UNKNOWN: &str = "Unknown";
/// Something failed; the message says what.
pub const ERROR: &str = "Error";
/// Under way.
pub const PROGRESSING: &str = "Progressing";
/// Done well.
pub const SUCCESS: &str = "Success";
/// Done well (policies, clusters).
pub const SUCCEEDED: &str = "Succeeded";
/// Did not work.
pub const FAILED: &str = "Failed";
/// The spec can't be used.
pub const VALIDATION_FAILED: &str = "ValidationFailed";

/// DRPC `Available`: waits for another controller.
pub const WAITING: &str = "Waiting";
/// DRPC: a person has to decide.
pub const PAUSED: &str = "Paused";
/// DRPC `PeerReady`: clean-up has not begun.
pub const NOT_STARTED: &str = "NotStarted";
/// DRPC `PeerReady` and DRCluster: clean-up runs.
pub const CLEANING: &str = "Cleaning";
/// DRPC `Protected`: it is.
pub const PROTECTED: &str = "Protected";
/// Shared groups: all agree.
pub const CONSENSUS_REACHED: &str = "ConsensusReached";
/// Shared groups: some differ.
pub const CONSENSUS_NOT_REACHED: &str = "ConsensusNotReached";
/// DRPC: the network mapping was read.
pub const NETWORK_MAPPING_LOADED: &str = "NetworkMappingLoaded";
/// DRPC: the network mapping could not be read.
pub const NETWORK_MAPPING_LOAD_FAILED: &str = "NetworkMappingLoadFailed";

/// The operator's configuration could not be read.
pub const CONFIG_MAP_GET_FAILED: &str = "ConfigMapGetFailed";
/// DRPolicy: the ops namespace could not be created.
pub const NAMESPACE_CREATE_FAILED: &str = "NamespaceCreateFailed";
/// DRPolicy: a cluster's identity could not be found (the lower-case first letter is wire contract).
pub const DR_CLUSTER_DETAILS_FAILED: &str = "drClusterDetailsFailed";
/// DRPolicy: a cluster is missing.
pub const DR_CLUSTER_NOT_FOUND: &str = "DRClusterNotFound";
/// DRPolicy: no cluster is valid.
pub const DR_CLUSTERS_UNAVAILABLE: &str = "DRClustersUnavailable";
/// The finalizer could not be added.
pub const FINALIZER_ADD_FAILED: &str = "FinalizerAddFailed";
/// DRPolicy: another policy rules the same clusters.
pub const DR_POLICY_CONFLICT_FOUND: &str = "DRPolicyConflictFound";
/// DRPolicy: networks are missing on a cluster.
pub const NADS_MISSING: &str = "NADsMissing";
/// DRPolicy: networks exist on both clusters.
pub const VALIDATED: &str = "Validated";

/// DRCluster: the work that installs the operator could not be written.
pub const DR_CLUSTERS_DEPLOY_FAILED: &str = "DrClustersDeployFailed";
/// DRCluster: the work that installs the operator is not applied.
pub const DR_CLUSTERS_DEPLOY_STATUS_CHECK_FAILED: &str = "DrClustersDeployStatusCheckFailed";
/// DRCluster: the cluster's DRClusterConfig is not applied yet.
pub const DR_CLUSTER_CONFIG_IN_PROGRESS: &str = "DRClusterConfigInProgress";
/// DRCluster: no client for the store.
pub const S3_CONNECTION_FAILED: &str = "s3ConnectionFailed";
/// DRCluster: the bucket did not answer.
pub const S3_BUCKET_NOT_FOUND: &str = "s3BucketNotFound";
/// DRCluster: keys could not be listed.
pub const S3_LIST_FAILED: &str = "s3ListFailed";
/// DRCluster: a CIDR is malformed.
pub const INVALID_CIDRS_FORMAT: &str = "InvalidCIDRsFormat";
/// DRCluster: a detected CIDR is not configured.
pub const DETECTED_CIDRS_UNCONFIGURED: &str = "DetectedCIDRsUnconfigured";
/// DRCluster: a configured CIDR was not detected.
pub const UNDETECTED_CIDRS_FOUND: &str = "UndetectedCIDRsFound";
/// DRCluster: fencing begun.
pub const FENCING: &str = "Fencing";
/// DRCluster: fenced.
pub const FENCED: &str = "Fenced";
/// DRCluster: fencing failed.
pub const FENCE_ERROR: &str = "FenceError";
/// DRCluster: unfencing begun.
pub const UNFENCING: &str = "Unfencing";
/// DRCluster: unfenced.
pub const UNFENCED: &str = "Unfenced";
/// DRCluster: unfencing failed.
pub const UNFENCE_ERROR: &str = "UnfenceError";
/// DRCluster: nothing is left of a fencing.
pub const CLEAN: &str = "Clean";

/// VRG: does not apply to this role or protection.
pub const UNUSED: &str = "Unused";
/// VRG `DataReady`: primary and usable.
pub const READY: &str = "Ready";
/// VRG: data flows, the replica is behind.
pub const REPLICATING: &str = "Replicating";
/// VRG `DataReady`: the replica is complete.
pub const REPLICATED: &str = "Replicated";
/// VRG `DataProtected`: it is.
pub const DATA_PROTECTED: &str = "DataProtected";
/// VRG: the state could not be asked for.
pub const UNKNOWN_ERROR: &str = "UnknownError";
/// VRG: volumes and claims are restored.
pub const RESTORED: &str = "Restored";
/// VRG: API objects are recovered.
pub const KUBE_OBJECTS_RESTORED: &str = "KubeObjectsRestored";
/// VRG: everything is in all stores.
pub const UPLOADED: &str = "Uploaded";
/// VRG: not everything is in the stores yet.
pub const UPLOADING: &str = "Uploading";
/// VRG: a store refused.
pub const UPLOAD_ERROR: &str = "UploadError";
/// VRG: uploaded, but it could not be noted on the object.
pub const ANNOTATION_FAILED: &str = "AnnotationFailed";
/// VRG: the VRG's own copy could not be stored.
pub const VRG_CAPTURE_ERROR: &str = "VolumeReplicationGroupObjectCaptureError";
/// VRG: no capture in this pass.
pub const CAPTURE_NOT_STARTED: &str = "KubeObjectsCaptureNotStarted";
/// VRG: a capture failed.
pub const CAPTURE_ERROR: &str = "KubeObjectsCaptureError";
/// VRG: a step of a recipe failed.
pub const WORKFLOW_ERROR: &str = "KubeObjectsWorkflowError";
/// VRG: an old capture could not be deleted from a store.
pub const REPLICA_DELETE_ERROR: &str = "KubeObjectsReplicaDeleteError";
/// VRG: captures could not be listed.
pub const CAPTURE_QUERY_ERROR: &str = "KubeObjectsCaptureRequestsQueryError";
/// VRG: captures could not be deleted.
pub const CAPTURE_DELETE_ERROR: &str = "KubeObjectsCaptureRequestsDeleteError";
/// VRG: nothing stands in the way.
pub const NO_CONFLICT_DETECTED: &str = "NoConflictDetected";
/// VRG: something on a primary stands in the way.
pub const CONFLICT_PRIMARY: &str = "ClusterDataConflictPrimary";
/// VRG: something on a secondary stands in the way.
pub const CONFLICT_SECONDARY: &str = "ClusterDataConflictSecondary";
/// VRG `AutoCleanup`: done.
pub const COMPLETED: &str = "Completed";
/// VRG `AutoCleanup`: can't be done.
pub const NOT_FEASIBLE: &str = "NotFeasible";
/// VRG: hooks ran.
pub const HOOK_EXECUTED: &str = "HookExecuted";
/// VRG: a hook failed.
pub const HOOK_FAILED: &str = "HookFailed";
/// VRG: claims are in use.
pub const PVCS_IN_USE: &str = "PVCsInUse";
/// VRG: claims are free.
pub const PVCS_NOT_IN_USE: &str = "PVCsNotInUse";
/// Claim: no peer class of the policy fits its StorageClass.
pub const PEER_CLASS_NOT_FOUND: &str = "PeerClassNotFound";

/// The reasons that the hub reads as an error rather than as progress (spec drpc 4.8).
pub const ERRORS: [&str; 6] =
    [ERROR, UNKNOWN_ERROR, UPLOAD_ERROR, ANNOTATION_FAILED, CONFLICT_PRIMARY, CONFLICT_SECONDARY];

/// View: the object was read.
pub const GET_RESOURCE_PROCESSING: &str = "GetResourceProcessing";
/// View: the object could not be read; the message says whether it is absent.
pub const GET_RESOURCE_FAILED: &str = "GetResourceFailed";
/// View: the kind is not installed on the cluster.
pub const RESOURCE_GVK_INVALID: &str = "ResourceGVKInvalid";
/// View: the scope has no usable name.
pub const RESOURCE_NAME_INVALID: &str = "ResourceNameInvalid";
/// View: the scope has no usable kind.
pub const RESOURCE_TYPE_INVALID: &str = "ResourceTypeInvalid";

/// Work: all manifests applied.
pub const WORK_APPLIED: &str = "AppliedManifestWorkComplete";
/// Work: a manifest could not be applied.
pub const WORK_APPLY_FAILED: &str = "AppliedManifestWorkFailed";
/// A work's manifest: applied.
pub const MANIFEST_APPLIED: &str = "AppliedManifestComplete";
/// A work's manifest: could not be applied.
pub const MANIFEST_APPLY_FAILED: &str = "AppliedManifestFailed";
/// Work: all objects exist.
pub const RESOURCES_AVAILABLE: &str = "ResourcesAvailable";
/// Work: an object is missing.
pub const RESOURCES_NOT_AVAILABLE: &str = "ResourcesNotAvailable";
/// A work's manifest: the object exists.
pub const RESOURCE_AVAILABLE: &str = "ResourceAvailable";
/// A work's manifest: the object is missing.
pub const RESOURCE_NOT_AVAILABLE: &str = "ResourceNotAvailable";
/// Work: deletion begun.
pub const WORK_DELETING: &str = "WorkDeleting";
/// A work's manifest: feedback values were read.
pub const STATUS_FEEDBACK_SYNCED: &str = "StatusFeedbackSynced";
/// A work's manifest: feedback is not asked for.
pub const NO_STATUS_FEEDBACK_SYNCED: &str = "NoStatusFeedbackSynced";

/// VolumeReplication `Completed`: is primary.
pub const PROMOTED: &str = "Promoted";
/// VolumeReplication `Completed`: is secondary.
pub const DEMOTED: &str = "Demoted";
/// VolumeReplication `Completed`: could not become primary.
pub const FAILED_TO_PROMOTE: &str = "FailedToPromote";
/// VolumeReplication `Completed`: could not become secondary.
pub const FAILED_TO_DEMOTE: &str = "FailedToDemote";
/// VolumeReplication: could not be rebuilt.
pub const FAILED_TO_RESYNC: &str = "FailedToResync";
/// VolumeReplication `Degraded`: it is not.
pub const HEALTHY: &str = "Healthy";
/// VolumeReplication `Degraded`: it is.
pub const VOLUME_DEGRADED: &str = "VolumeDegraded";
/// VolumeReplication `Resyncing`: it is.
pub const RESYNC_TRIGGERED: &str = "ResyncTriggered";
/// VolumeReplication `Resyncing`: it is not.
pub const NOT_RESYNCING: &str = "NotResyncing";
/// VolumeReplication `Validated`: prerequisites are met.
pub const PREREQUISITE_MET: &str = "PrerequisiteMet";
/// VolumeReplication `Validated`: prerequisites are not met.
pub const PREREQUISITE_NOT_MET: &str = "PrerequisiteNotMet";
