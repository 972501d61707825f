//! How VolSync's senders and receivers are named and driven. Both carry the name and namespace of their claim.

/// Manual trigger that stops a sender's schedule before the last synchronization.
pub const PREPARE_FINAL_SYNC: &str = "PREPARE-FOR-FINAL-SYNC-STOP-SCHEDULING";
/// Manual trigger of the last synchronization.
pub const FINAL_SYNC: &str = "vrg-final-sync";
/// Key of the shared secret.
pub const PSK_KEY: &str = "psk.txt";
/// What the shared secret begins with; 128 hex digits follow.
pub const PSK_PREFIX: &str = "volsyncramen:";

/// The claim that stands in for a claim in use during the last synchronization.
#[must_use]
pub fn final_sync_claim(pvc: &str) -> String {
    format!("{pvc}-for-finalsync")
}

/// The sender and the receiver that roll a claim back on its own cluster.
#[must_use]
pub fn local(pvc: &str) -> String {
    format!("{pvc}-local")
}

/// The claim that a group's synchronization copies from: restored from the group's snapshot.
#[must_use]
pub fn restored_claim(pvc: &str) -> String {
    format!("vs-{pvc}")
}

/// The address of a receiver's service under Submariner.
#[must_use]
pub fn clusterset_address(service: &str, namespace: &str) -> String {
    format!("{service}.{namespace}.svc.clusterset.local")
}
