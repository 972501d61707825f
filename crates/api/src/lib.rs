//! Kubernetes types: Ramen's CRDs and the foreign objects that it reads and writes

mod text_enum;

pub mod kinds;
pub mod ramen;
