//! The controllers of a managed cluster: volumes and their copies (VRG), and what the cluster offers (DRClusterConfig).
//!
//! ```text
//!   facts ──> Spoke (state) ──> vrg::decide            ──> protect, promote, demote, restore, upload, status
//!                          └──> cluster_config::decide ──> what is published
//! ```
//!
//! - [`state`] holds the latest fact of each object, and what was learned by doing ([`state::Work`]).
//! - `relations` tells whom a change concerns.
//! - [`vrg`] decides for one VolumeReplicationGroup; rules: spec vrg, numbers in comments are its sections.
//! - [`cluster_config`] decides for the DRClusterConfig and for the operator's own ConfigMap; rules: spec spoke-config 1.

pub mod cluster_config;
mod domain;
mod relations;
pub mod state;
pub mod vrg;

pub use state::Spoke;
pub use vrg::steps as vrg_steps;
