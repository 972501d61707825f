//! The simulated world: API servers, OCM agents, storage, applications and S3

pub mod api;
pub mod time;
