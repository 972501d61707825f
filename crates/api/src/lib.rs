//! Kubernetes types: Ramen's CRDs, the foreign objects that the operators read and write, and the wire contract.
//!
//! No I/O and no Kubernetes client: the crate depends on the type libraries only, so everybody may depend on it.
//!
//! ```text
//!             Ramen's own                                       foreign
//!   ramen::*  types, one CRD a file               ocm, csi_addons, snapshot  types that keep unknown fields
//!      │                                               │
//!      ├── manifests::own_crds ── cargo xtask crds     ├── foreign_crds::foreign_crds ── simulated and test
//!      │        └─> deploy/crds/{hub,spoke}            │                                 API servers
//!      │                                               │
//!      └── ramen::wire, s3_keys, config                └── rest  how unknown fields survive
//!          every string, key and setting, once
//!                         kinds: one row per kind, own, foreign and built in
//! ```
//!
//! - Own kinds are strict where upstream is: what the CRD requires is not optional here, and unknown fields are dropped,
//!   as the API server drops them. Words of enumerations that we do not know are kept (`Other`).
//! - Foreign kinds are read leniently and written back whole.
//!
//! ```
//! use ramen_api::ramen::wire::{label, name};
//! use ramen_api::{ManifestWork, kinds};
//!
//! let mut work = ManifestWork::new(&name::vrg_manifest_work("shop", "shop-ns"));
//! work.metadata.labels.get_or_insert_default().insert(label::CREATED_BY_RAMEN.into(), label::TRUE.into());
//! assert_eq!(work.metadata.name.as_deref(), Some("shop-shop-ns-vrg-mw"));
//! assert_eq!(work.api_version, Some(kinds::MANIFEST_WORK.api_version()));
//! ```

#![expect(clippy::duplicated_attributes, reason = "two printer columns of one type look like duplicates to the lint")]

mod absent_spec;
mod schema;
mod text_enum;

pub mod csi_addons;
pub mod foreign_crds;
pub mod kinds;
pub mod manifests;
pub mod ocm;
pub mod path;
pub mod ramen;
pub mod rest;
pub mod snapshot;

pub use csi_addons::{VolumeGroupReplication, VolumeReplication};
pub use kinds::Resource;
pub use ocm::{ManagedCluster, ManagedClusterView, ManifestWork, Placement, PlacementDecision, PlacementRule};
pub use ramen::{
    DrCluster, DrClusterConfig, DrPlacementControl, DrPolicy, MaintenanceMode, ProtectedVolumeReplicationGroupList,
    RamenConfig, ReplicationGroupDestination, ReplicationGroupSource, VolumeReplicationGroup,
};
