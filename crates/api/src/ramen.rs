//! Ramen's own API: its CRDs, one a file, and the rest of its wire contract.

pub mod config;
pub mod s3_keys;
pub mod wire;
