//! Which class a claim is replicated with (spec vrg 2.4, 2.5). A claim that fits none stops no other (V23).

use ramen_api::ramen::wire::{label, reason};
use ramen_events::spoke::{Identifier, PeerClass, Pvc, ReplicationClass, StorageClass, Vrg};

use crate::spoke::Spoke;

/// A claim's StorageClass and VolumeReplicationClass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The StorageClass.
    pub storage: &'a StorageClass,
    /// The VolumeReplicationClass.
    pub replication: &'a ReplicationClass,
}

impl Choice<'_> {
    /// Identity of the storage, for the status.
    pub fn storage_id(&self) -> Option<Identifier> {
        identifier(&self.storage.labels, label::STORAGE_ID)
    }

    /// Identity of the replication relation, for the status.
    pub fn replication_id(&self) -> Option<Identifier> {
        identifier(&self.replication.labels, label::REPLICATION_ID)
    }
}

/// The one maintenance mode that is known (spec vrg 0).
const FAILOVER_MODE: &str = "Failover";

fn identifier(labels: &std::collections::BTreeMap<String, String>, name: &str) -> Option<Identifier> {
    let id = labels.get(name)?.clone();
    let modes = labels.get(label::MAINTENANCE_MODES).map(String::as_str).unwrap_or_default();
    let modes = modes.split(',').map(str::trim).filter(|mode| *mode == FAILOVER_MODE).map(str::to_owned).collect();
    Some(Identifier { id, modes })
}

/// Why a claim can't be replicated: field, value, remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Reason of the condition.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

fn unfit<T>(message: String) -> Result<T, Unfit> {
    Err(Unfit { reason: reason::ERROR, message })
}

/// Chooses the classes of a claim.
///
/// # Errors
/// When none fits, or several do and none is the default.
pub fn choose<'a>(state: &'a Spoke, vrg: &Vrg, pvc: &Pvc) -> Result<Choice<'a>, Unfit> {
    let name = &pvc.storage_class;
    if name.is_empty() {
        return unfit("the claim names no StorageClass: set spec.storageClassName".to_owned());
    }
    let Some(storage) = state.storage_classes.get(name) else {
        return unfit(format!("StorageClass {name:?} is missing on this cluster: create it"));
    };
    if vrg.force_volsync {
        return unfit("VolSync was asked for by annotation, and is not supported yet: remove it".to_owned());
    }
    let peer = peer_class(vrg, storage)?;
    if let Some(peer) = peer {
        check_peer(peer, storage)?;
    }
    let interval = vrg.spec.interval.as_deref().unwrap_or_default();
    let mut fitting = state.replication_classes.values().filter(|class| fits(vrg, peer, storage, class, interval));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(Choice { storage, replication: only }),
        (None, _) => unfit(none_fits(peer, storage, interval)),
        (Some(first), Some(second)) => {
            let mut defaults = [first, second].into_iter().chain(fitting).filter(|class| class.is_default);
            match (defaults.next(), defaults.next()) {
                (Some(only), None) => Ok(Choice { storage, replication: only }),
                _ => unfit(format!(
                    "several VolumeReplicationClasses fit StorageClass {name:?} and interval {interval:?}, among them {:?} \
                     and {:?}: annotate exactly one as default",
                    first.name, second.name
                )),
            }
        }
    }
}

fn peer_class<'v>(vrg: &'v Vrg, storage: &StorageClass) -> Result<Option<&'v PeerClass>, Unfit> {
    let peers = &vrg.spec.peer_classes;
    if peers.is_empty() {
        return Ok(None);
    }
    let named = |peer: &&PeerClass| peer.storage_class == storage.name;
    peers.iter().rfind(named).map(Some).ok_or_else(|| Unfit {
        reason: reason::PEER_CLASS_NOT_FOUND,
        message: format!(
            "StorageClass {:?} is in no peer class of the policy: give it the same name and labels on both clusters",
            storage.name
        ),
    })
}

fn check_peer(peer: &PeerClass, storage: &StorageClass) -> Result<(), Unfit> {
    let name = &storage.name;
    let Some(id) = storage.labels.get(label::STORAGE_ID) else {
        return unfit(format!("StorageClass {name:?} lacks label {}: set it to its storage's id", label::STORAGE_ID));
    };
    if !peer.storage_ids.contains(id) {
        return unfit(format!(
            "label {}={id} of StorageClass {name:?} is none of the peer class's ({}): correct the label",
            label::STORAGE_ID,
            peer.storage_ids.join(", ")
        ));
    }
    if peer.grouping {
        return unfit(format!("StorageClass {name:?} replicates groups of volumes, which is not supported yet"));
    }
    if peer.offloaded || storage.labels.contains_key(label::OFFLOADED) {
        return unfit(format!("replication of StorageClass {name:?} is offloaded, which is not supported yet"));
    }
    if peer.replication_id.is_empty() {
        return unfit(format!(
            "the peer class of StorageClass {name:?} has no replication id, which asks for VolSync; that is not supported \
             yet: label replication classes on both clusters with {}",
            label::REPLICATION_ID
        ));
    }
    Ok(())
}

fn fits(vrg: &Vrg, peer: Option<&PeerClass>, storage: &StorageClass, class: &ReplicationClass, interval: &str) -> bool {
    let same = |name: &str| class.labels.get(name).is_some_and(|value| storage.labels.get(name) == Some(value));
    vrg.spec.class_labels.iter().all(|(name, value)| class.labels.get(name) == Some(value))
        && class.provisioner == storage.provisioner
        && class.interval == interval
        && peer.is_none_or(|peer| {
            same(label::STORAGE_ID)
                && same(label::REPLICATION_ID)
                && class.labels.get(label::REPLICATION_ID) == Some(&peer.replication_id)
        })
}

fn none_fits(peer: Option<&PeerClass>, storage: &StorageClass, interval: &str) -> String {
    let wanted = format!("provisioner {} and schedulingInterval {interval:?}", storage.provisioner);
    match peer {
        None => format!("no VolumeReplicationClass has {wanted}: create one"),
        Some(peer) => format!(
            "no VolumeReplicationClass has {wanted}, and labels {}={} and {}={} like StorageClass {:?}: create or label one, \
             or correct the labels of the StorageClass",
            label::STORAGE_ID,
            storage.labels.get(label::STORAGE_ID).map(String::as_str).unwrap_or_default(),
            label::REPLICATION_ID,
            peer.replication_id,
            storage.name,
        ),
    }
}
