//! Which class a claim is replicated with (spec vrg 2.4, 2.5). A claim that fits none stops no other (V23).
//!
//! With peer classes it is one of those by which the hub paired the clusters: the rule is the same (`replication_class`).

use ramen_api::ramen::wire::{label, reason};
use ramen_events::spoke::{Identifier, PeerClass, Pvc, ReplicationClass, StorageClass, Vrg};

use crate::{
    ONE_RULE,
    replication_class::{self, Labels, Misfit, Need, Offer},
    spoke::Spoke,
};

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
pub fn choose<'a>(state: &'a Spoke, vrg: &Vrg, pvc: &Pvc, decider: u32) -> Result<Choice<'a>, Unfit> {
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
    let one_rule = decider >= ONE_RULE;
    let wish = Wish { storage, interval, selector: &vrg.spec.class_labels, peer };
    let fits = |class: &ReplicationClass| match one_rule {
        true => wish.misfit(class).is_none(),
        false => fits_as_before(vrg, peer, storage, class, interval),
    };
    let mut fitting = state.replication_classes.values().filter(|class| fits(class));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(Choice { storage, replication: only }),
        (None, _) if one_rule => unfit(wish.none_fits(state.replication_classes.values())),
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

/// What a claim needs of a class.
struct Wish<'a> {
    storage: &'a StorageClass,
    interval: &'a str,
    selector: &'a Labels,
    peer: Option<&'a PeerClass>,
}

impl Wish<'_> {
    /// What is in the way of a class. A VRG without peer classes, of which older hubs made some, looks at no ids.
    fn misfit(&self, class: &ReplicationClass) -> Option<Misfit> {
        let (provisioner, labels, interval) = (&self.storage.provisioner, &self.storage.labels, self.interval);
        let need = Need { provisioner, labels, interval, selector: self.selector, relation: label::REPLICATION_ID };
        let offer = Offer { provisioner: &class.provisioner, labels: &class.labels, interval: &class.interval };
        let Some(peer) = self.peer else {
            let rows = [
                (Misfit::Driver, offer.provisioner == need.provisioner),
                (Misfit::Interval, offer.interval == need.interval),
                (Misfit::Selector, replication_class::is_selected(need.selector, offer.labels)),
            ];
            return rows.into_iter().find(|(_, fits)| !fits).map(|(misfit, _)| misfit);
        };
        let other = replication_class::text(&class.labels, label::REPLICATION_ID) != peer.replication_id;
        // Another class than that of the pair, unless more is in the way.
        match replication_class::misfit(need, offer) {
            None | Some(Misfit::Relation | Misfit::Selector) if other => Some(Misfit::Unnamed),
            misfit => misfit,
        }
    }

    /// Why no class fits: what is in the way of the one that fits best.
    fn none_fits<'c>(&self, classes: impl Iterator<Item = &'c ReplicationClass>) -> String {
        let nearest = classes.filter_map(|class| Some((self.misfit(class)?, class))).max_by_key(|(misfit, _)| *misfit);
        let storage = &self.storage.name;
        match nearest {
            Some((Misfit::Selector, class)) => format!(
                "VolumeReplicationClass {:?} would fit StorageClass {storage:?}, but replicationClassSelector of the policy \
                 asks for labels {}: label it so on both clusters, or protect the application under another policy",
                class.name,
                replication_class::in_words(self.selector)
            ),
            Some((Misfit::Relation, class)) => format!(
                "label {}={} of StorageClass {storage:?} is that of no VolumeReplicationClass that fits it otherwise \
                 ({:?} has {}): correct the label, or take it off",
                label::REPLICATION_ID,
                replication_class::text(&self.storage.labels, label::REPLICATION_ID),
                class.name,
                replication_class::text(&class.labels, label::REPLICATION_ID)
            ),
            _ => none_fits(self.peer, self.storage, self.interval),
        }
    }
}

/// What deciders did that took only a class whose relation the StorageClass names, too.
fn fits_as_before(
    vrg: &Vrg,
    peer: Option<&PeerClass>,
    storage: &StorageClass,
    class: &ReplicationClass,
    interval: &str,
) -> bool {
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
