//! Policies that can't rule the same cluster (spec hub 1.4): volumes that two clusters share belong to one policy.

use ramen_events::hub::{PeerClass, PolicyFact};

use super::Policy;

/// What stands in the way of a policy with these peer classes. Of two policies in conflict the older one stays valid.
pub fn find(policy: &Policy<'_>, asynchronous: &[PeerClass], synchronous: &[PeerClass]) -> Option<String> {
    if !asynchronous.is_empty() && !synchronous.is_empty() {
        let text = "the clusters share some storage classes and replicate others (status.sync and status.async); a \
                    policy cannot hold both kinds: correct the label ramendr.openshift.io/storageid of the classes";
        return Some(text.into());
    }
    let spec = &policy.fact.spec;
    for cluster in &spec.clusters {
        for other in policy.hub.policies_of(&cluster.0) {
            if other.meta.name == policy.fact.meta.name || !is_older(other, policy.fact) {
                continue;
            }
            let theirs = other.status.as_ref().map(|status| status.synchronous.as_slice()).unwrap_or_default();
            let id = policy.hub.managed.get(&cluster.0).map(|managed| managed.id.as_str()).unwrap_or_default();
            if shares(synchronous, id) || shares(theirs, id) {
                let text = format!(
                    "drpolicy has overlapping clusters with another drpolicy {}: cluster {cluster} is in both, and \
                     shares storage with a peer; delete one of the policies",
                    other.meta.name
                );
                return Some(text);
            }
        }
    }
    None
}

/// Whether a cluster shares a storage with a peer.
fn shares(synchronous: &[PeerClass], id: &str) -> bool {
    synchronous
        .iter()
        .any(|class| class.storage_ids.len() == 1 && class.cluster_ids.iter().any(|cluster| cluster == id))
}

/// Whether `one` was there first.
fn is_older(one: &PolicyFact, other: &PolicyFact) -> bool {
    (one.meta.created, &one.meta.name) < (other.meta.created, &other.meta.name)
}
