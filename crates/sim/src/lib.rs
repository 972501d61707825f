//! The simulated world: API servers, OCM agents, storage, applications and S3

pub mod agents;
pub mod api;
pub mod apps;
pub mod kinds;
pub mod rng;
pub mod storage;
pub mod time;
