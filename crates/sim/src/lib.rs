//! The simulated world: API servers, OCM agents, storage, applications and S3

pub mod agents;
pub mod api;
pub mod api_server;
pub mod apps;
pub mod client_api;
pub mod cluster;
pub mod driver;
pub mod front;
pub mod kinds;
pub mod real;
pub mod rng;
pub mod s3;
pub mod storage;
pub mod time;
pub mod world;
