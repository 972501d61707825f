//! The storage systems of all sites: volumes in pairs, their data counted write by write, and the agents that drive them.
//!
//! ```text
//!   site c1                 link                  site c2
//!   copy of volume v  ── sync every interval ──>  copy of volume v
//!   role, history, line                           role, history, line
//! ```
//!
//! [`Storage`] is the model (spec vrg 10.1); [`replication`] is csi-addons' VolumeReplication controller on it,
//! [`provisioner`] the CSI provisioner and [`binder`] the parts of kube-controller-manager that bind and protect volumes.

pub mod binder;
mod census;
pub mod history;
pub mod maintenance;
mod mirror;
pub mod provisioner;
pub mod replication;
pub mod resizer;
mod site;
mod volume;

pub use self::history::{History, Line};
pub use self::site::{Refusal, Relation, Speed, Trouble};
pub use self::volume::{Forced, Role, Storage, SyncInfo};
