//! Sockets: a simulated cluster as an endpoint on loopback, for `kubectl` and every other client.

pub mod counts;
pub mod http;
pub mod s3;
