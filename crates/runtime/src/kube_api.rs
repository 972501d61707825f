//! Talking to an API server: one client, every request counted, every failure an outcome.

pub(crate) mod calls;
pub(crate) mod client;
pub(crate) mod failure;
pub(crate) mod notices;
