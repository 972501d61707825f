//! What users do, and what befalls the world: the words of plans and scenarios.

use serde::{Deserialize, Serialize};

use crate::{span, universe::Rebuilt};

pub(crate) mod attached;
mod befall;
mod by_hand;

pub use self::by_hand::Manifest;
pub(crate) use self::by_hand::Named;

/// How a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
    /// It works.
    None,
    /// Connections break.
    Down,
    /// Answers take four seconds.
    Slow,
    /// Answers take longer than anybody waits.
    Hanging,
    /// Every answer is an internal error.
    Erroring,
    /// Writes are refused.
    ReadOnly,
}

/// Something that a user does or that befalls the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Happening {
    /// An application with so many claims is placed on a cluster.
    Deploy {
        /// Its name.
        app: String,
        /// How many claims it has.
        claims: usize,
        /// Where it is to run.
        on: String,
        /// The policy whose storage its claims are on; the first of that cluster if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// A DRPC is made for an application.
    Protect {
        /// Which application.
        app: String,
        /// Its preferred cluster.
        on: String,
        /// The policy; the first of that cluster if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// The action of a DRPC becomes Failover.
    Failover {
        /// Which application.
        app: String,
        /// The failover cluster.
        to: String,
    },
    /// The action of a DRPC becomes Relocate.
    Relocate {
        /// Which application.
        app: String,
        /// The preferred cluster.
        to: String,
    },
    /// The action of a DRPC is taken back.
    Withdraw {
        /// Which application.
        app: String,
    },
    /// The DRPC is deleted.
    Unprotect {
        /// Which application.
        app: String,
    },
    /// The application gets one more claim.
    AddClaim {
        /// Which application.
        app: String,
    },
    /// The last claim is taken from the application.
    DropClaim {
        /// Which application.
        app: String,
    },
    /// Its first claim is made larger, where it runs.
    Resize {
        /// Which application.
        app: String,
        /// Where.
        on: String,
    },
    /// A claim that can't go is let go: its finalizers are taken off by hand.
    Unhold {
        /// Whose claim.
        app: String,
        /// Which.
        claim: String,
        /// Where.
        on: String,
    },
    /// A VolumeReplication that can't go is deleted and let go: its finalizers are taken off by hand.
    LetGoReplication {
        /// Whose.
        app: String,
        /// Of which claim.
        claim: String,
        /// Where.
        on: String,
    },
    /// A pod is deleted by hand, and by force if it does not stop.
    DeletePod {
        /// Whose.
        app: String,
        /// Where.
        on: String,
    },
    /// VolumeReplications of an application that were never synchronized are deleted by hand.
    DeleteReplications {
        /// Whose.
        app: String,
        /// Where.
        on: String,
    },
    /// Somebody changes a VRG on its cluster by hand, to something that it cannot do.
    SpoilVrg {
        /// Whose.
        app: String,
        /// Where.
        on: String,
    },
    /// A claim that nobody needs is deleted by hand.
    DeleteClaim {
        /// Whose claim.
        app: String,
        /// Which.
        claim: String,
        /// Where.
        on: String,
    },
    /// A policy is deleted.
    DeletePolicy {
        /// Which.
        policy: String,
    },
    /// A DRCluster is deleted.
    DeleteCluster {
        /// Which.
        cluster: String,
    },
    /// Policies and DRClusters that are missing are made again.
    RestorePolicies,
    /// A pod that does not stop: its deletion is never finished by its node.
    Stubborn {
        /// Whose pod.
        app: String,
        /// Where.
        on: String,
    },
    /// Such a pod is removed by force.
    Evict {
        /// Whose pod.
        app: String,
        /// Where.
        on: String,
    },
    /// Volumes of an application stay attached to a node, whether or not a pod uses them.
    Attached {
        /// Whose volumes.
        app: String,
        /// Where.
        on: String,
    },
    /// The node lets them go.
    Detached {
        /// Whose volumes.
        app: String,
        /// Where.
        on: String,
    },
    /// A managed cluster, or the hub, loses power.
    Lose {
        /// Which.
        cluster: String,
    },
    /// It is back.
    BringBack {
        /// Which.
        cluster: String,
    },
    /// A cluster's agents do not reach the hub, or do again.
    HubLink {
        /// Whose.
        cluster: String,
        /// Whether it works.
        works: bool,
    },
    /// A cluster's operator, or the hub's, does not reach stores, or does again.
    StoreLink {
        /// Whose.
        cluster: String,
        /// Name of the profile of the only store that this is about; all if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
        /// Whether it works.
        works: bool,
    },
    /// The storage of the sites does not reach each other, or does again.
    StorageLink {
        /// Whether it works.
        works: bool,
    },
    /// A site's storage breaks, or is mended.
    Storage {
        /// Whose.
        cluster: String,
        /// How.
        fault: StorageFault,
    },
    /// One of a cluster's two OCM agents stands still, or goes on: what it tells gets old.
    Agent {
        /// Whose.
        cluster: String,
        /// Which.
        agent: OcmAgent,
        /// Whether it works.
        works: bool,
    },
    /// A store breaks, or is mended.
    Store {
        /// Name of its profile.
        profile: String,
        /// How.
        fault: StoreFault,
    },
    /// A store loses everything.
    EmptyStore {
        /// Name of its profile.
        profile: String,
    },
    /// An operator is killed, and started again.
    Crash {
        /// `hub`, or the cluster.
        operator: String,
        /// Whether the log's unsynced tail is lost.
        losing_tail: bool,
    },
    /// An operator loses its log.
    LoseLog {
        /// `hub`, or the cluster.
        operator: String,
    },
    /// A second operator takes over, and the first goes on for so many milliseconds.
    Rival {
        /// `hub`, or the cluster.
        operator: String,
        /// How long the first goes on.
        #[serde(deserialize_with = "span::millis")]
        lasts: u64,
    },
    /// The hub's objects are backed up.
    BackUpHub,
    /// The hub is lost for good and rebuilt.
    RebuildHub {
        /// From what.
        from: Rebuilt,
    },
    /// A cluster's clock is set ahead (or back, when negative), by milliseconds.
    Skew {
        /// Whose.
        cluster: String,
        /// By how much.
        #[serde(deserialize_with = "span::signed_millis")]
        ms: i64,
    },
    /// Everything that can be mended works again.
    Mend,
    /// An object is made, or gets these fields, as `kubectl apply` does.
    Apply {
        /// `hub`, or the cluster.
        on: String,
        /// The object; its status is written as a controller would.
        manifest: Manifest,
    },
    /// Fields of an object are changed, as `kubectl patch` does.
    Patch {
        /// `hub`, or the cluster.
        on: String,
        /// Its kind.
        kind: String,
        /// Its namespace, if its kind has one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        namespace: String,
        /// Its name.
        name: String,
        /// The fields; `null` takes one away.
        patch: Manifest,
    },
    /// An object is deleted, as `kubectl delete` does.
    Delete {
        /// `hub`, or the cluster.
        on: String,
        /// Its kind.
        kind: String,
        /// Its namespace, if its kind has one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Somebody puts these bytes into a store.
    PutObject {
        /// Name of its profile.
        profile: String,
        /// Under which key.
        key: String,
        /// Which bytes.
        text: String,
    },
    /// Somebody takes an object out of a store.
    DeleteObject {
        /// Name of its profile.
        profile: String,
        /// Its key.
        key: String,
    },
    /// A store takes these credentials only, from now on.
    StoreKeys {
        /// Name of its profile.
        profile: String,
        /// Public part of the key.
        access_key: String,
        /// Secret part of the key.
        secret_key: String,
    },
}

/// What is wrong with a site's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageFault {
    /// Nothing.
    None,
    /// Promotions, demotions and resynchronizations fail.
    Failing,
    /// They take effect, but answer too late.
    Hanging,
    /// No data pass between it and its peer.
    Degraded,
    /// Mirroring is not set up: no volume can begin to be replicated.
    Unprepared,
    /// Whatever it is asked for is neither done nor answered.
    Silent,
}

/// An agent of OCM on a managed cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OcmAgent {
    /// It answers ManagedClusterViews.
    View,
    /// It applies ManifestWorks and feeds back.
    Work,
}

impl Happening {
    /// What files call it.
    pub fn word(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
            Ok(word) => word.as_str().unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        }
    }

    /// The application that it is about, if it is about one.
    pub fn app(&self) -> Option<&str> {
        match self {
            Self::Deploy { app, .. }
            | Self::Protect { app, .. }
            | Self::Failover { app, .. }
            | Self::Relocate { app, .. }
            | Self::Withdraw { app }
            | Self::Unprotect { app }
            | Self::AddClaim { app }
            | Self::DropClaim { app }
            | Self::Resize { app, .. }
            | Self::Unhold { app, .. }
            | Self::LetGoReplication { app, .. }
            | Self::DeletePod { app, .. }
            | Self::DeleteReplications { app, .. }
            | Self::SpoilVrg { app, .. }
            | Self::DeleteClaim { app, .. }
            | Self::Stubborn { app, .. }
            | Self::Attached { app, .. }
            | Self::Detached { app, .. }
            | Self::Evict { app, .. } => Some(app),
            _ => None,
        }
    }

    /// Whether it befalls the world, as opposed to what people do.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Stubborn { .. }
                | Self::Attached { .. }
                | Self::Detached { .. }
                | Self::Lose { .. }
                | Self::BringBack { .. }
                | Self::HubLink { .. }
                | Self::StoreLink { .. }
                | Self::StorageLink { .. }
                | Self::Storage { .. }
                | Self::Agent { .. }
                | Self::Store { .. }
                | Self::EmptyStore { .. }
                | Self::Crash { .. }
                | Self::LoseLog { .. }
                | Self::Rival { .. }
                | Self::RebuildHub { .. }
                | Self::Skew { .. }
                | Self::Mend
        )
    }

    /// Whether a user does it, as opposed to a fault.
    pub fn is_users(&self) -> bool {
        matches!(
            self,
            Self::Deploy { .. }
                | Self::Protect { .. }
                | Self::Failover { .. }
                | Self::Relocate { .. }
                | Self::Withdraw { .. }
                | Self::Unprotect { .. }
                | Self::AddClaim { .. }
                | Self::DropClaim { .. }
                | Self::Resize { .. }
                | Self::DeletePolicy { .. }
                | Self::DeleteCluster { .. }
                | Self::RestorePolicies
        )
    }
}
