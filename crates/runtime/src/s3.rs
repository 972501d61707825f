//! S3 stores: one client per profile, answers in three values.
//!
//! Present, absent, or a failure with its reason. Absent is only what a reachable bucket says explicitly: nobody may
//! conclude from silence that there is nothing to restore. Credentials come from watched Secrets and go nowhere else.

pub(crate) mod circuit;
pub(crate) mod client;
pub(crate) mod encoding;
pub(crate) mod failure;
pub(crate) mod stores;

pub(crate) use stores::Stores;

#[cfg(test)]
mod tests;
