//! Kubernetes types: Ramen's CRDs and the foreign objects that it reads and writes

#![expect(clippy::duplicated_attributes, reason = "two printer columns of one type look like duplicates to the lint")]

mod absent_spec;
mod schema;
mod text_enum;

pub mod csi_addons;
pub mod foreign_crds;
pub mod kinds;
pub mod manifests;
pub mod ocm;
pub mod ramen;
pub mod rest;
pub mod snapshot;
