//! Every string of Ramen's wire contract, once: users, UIs, backups and other controllers match on them.
//!
//! | module | what | from |
//! |---|---|---|
//! | [`finalizer`], [`label`], [`annotation`] | marks on objects | spec drpc 0, vrg 0, hub 0, spoke 0, volsync 0 |
//! | [`state`] | phases, progressions, actions, roles | spec drpc 0, vrg 0 |
//! | [`condition`], [`reason`] | condition types and reasons | spec drpc 4.8, vrg 7.3, hub 1.7, spoke 1.6 |
//! | [`event`] | reasons of Kubernetes Events | spec drpc 9, vrg 8.2 |
//! | [`volsync`] | how VolSync is driven | spec volsync 0 |
//! | [`name`] | names of objects derived from others | spec drpc 3, hub 4-9, vrg 3.5, kube-objects 0 |

pub mod annotation;
pub mod condition;
pub mod event;
pub mod finalizer;
pub mod label;
pub mod name;
pub mod reason;
pub mod state;
pub mod volsync;

/// API group of Ramen's own kinds.
pub const GROUP: &str = "ramendr.openshift.io";

/// The S3 profile name that stands for "no store".
pub const NO_S3: &str = "NoS3";

/// The recipe that is built in, and has no object in the ops namespace.
pub const VM_RECIPE: &str = "vm-recipe";

/// ClusterClaim under which OCM publishes a cluster's identity.
pub const CLUSTER_ID_CLAIM: &str = "id.k8s.io";

/// Scheduler name that a PlacementRule must carry for us to decide it.
pub const PLACEMENT_RULE_SCHEDULER: &str = "ramen";

/// Reason on a placement decision that keeps the workload on its old home while the new one is added.
pub const RETAINED_FOR_FAILOVER: &str = "RetainedForFailover";

/// Parameter of a replication class that must equal the policy's interval.
pub const SCHEDULING_INTERVAL_PARAMETER: &str = "schedulingInterval";

/// Parameters of a group replication class that name the secret of the group's operations, and of storage classes
/// and groups that name the storage's cluster.
pub mod class_parameter {
    /// Name of the secret.
    pub const GROUP_SECRET_NAME: &str = "replication.storage.openshift.io/group-replication-secret-name";
    /// Namespace of the secret.
    pub const GROUP_SECRET_NAMESPACE: &str = "replication.storage.openshift.io/group-replication-secret-namespace";
    /// The storage's cluster.
    pub const CLUSTER_ID: &str = "clusterID";
}

/// Keys of an S3 secret.
pub mod s3_secret_key {
    /// Name of the access key.
    pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
    /// Name of the secret key.
    pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
    /// Name of the credential in the form that Velero reads.
    pub const VELERO: &str = "ramengenerated";
}
