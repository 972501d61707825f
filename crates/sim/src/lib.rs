//! The simulated world: API servers, OCM agents, storage, applications and S3.
//!
//! All of it is free of clocks and sockets; whoever runs it brings the time. What lives in real time is behind the
//! feature `front`: [`front`] serves a [`cluster`] and a store over HTTP, [`driver`] runs the inhabitants in tasks,
//! [`real`] and [`client_api`] put them on real API servers.

pub mod agents;
pub mod api;
pub mod api_server;
pub mod apps;
#[cfg(feature = "front")]
pub mod client_api;
pub mod cluster;
#[cfg(feature = "front")]
pub mod driver;
#[cfg(feature = "front")]
pub mod front;
pub mod inhabitants;
pub mod kinds;
pub mod look;
#[cfg(feature = "front")]
pub mod real;
pub mod rng;
pub mod s3;
pub mod storage;
pub mod time;
pub mod world;
