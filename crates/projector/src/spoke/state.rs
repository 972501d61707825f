//! What is known on a managed cluster, and the fold of facts into it.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use ramen_api::ramen::wire::{condition, finalizer, reason};
use ramen_events::{
    BlobId, Kind, ObjectId,
    spoke::{
        AccessNode, Attachment, ClusterConfig, Command, Config, Fact, Fence, Key, ListedClass, Network, Pod, Pv, Pvc,
        ReplicationClass, Role, SecretSeen, StorageClass, StoredSet, StoredVolume, VolumeReplication, Vrg,
    },
};
use serde::Serialize;

use super::vrg::runbooks::inspection;
use crate::json::by_text;

/// State of the controllers of a managed cluster: the latest fact of each object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Spoke {
    /// VolumeReplicationGroups.
    #[serde(serialize_with = "by_text")]
    pub vrgs: BTreeMap<Key, Vrg>,
    /// Claims.
    #[serde(serialize_with = "by_text")]
    pub pvcs: BTreeMap<Key, Pvc>,
    /// Volumes.
    pub pvs: BTreeMap<String, Pv>,
    /// VolumeReplications.
    #[serde(serialize_with = "by_text")]
    pub replications: BTreeMap<Key, VolumeReplication>,
    /// VolumeReplicationClasses.
    pub replication_classes: BTreeMap<String, ReplicationClass>,
    /// StorageClasses.
    pub storage_classes: BTreeMap<String, StorageClass>,
    /// Pods that use claims.
    #[serde(serialize_with = "by_text")]
    pub pods: BTreeMap<Key, Pod>,
    /// Volumes attached to nodes.
    pub attachments: BTreeMap<String, Attachment>,
    /// The operator's configuration.
    pub config: Option<Config>,
    /// Secrets of the operator's namespace.
    #[serde(serialize_with = "by_text")]
    pub secrets: BTreeMap<Key, SecretSeen>,
    /// DRClusterConfigs; more than one is a mistake.
    pub cluster_configs: BTreeMap<String, ClusterConfig>,
    /// Classes of which only the name is published.
    #[serde(serialize_with = "by_text")]
    pub listed_classes: BTreeMap<(Kind, String), ListedClass>,
    /// Networks of storage clients.
    #[serde(serialize_with = "by_text")]
    pub access_nodes: BTreeMap<Key, AccessNode>,
    /// Secondary networks.
    #[serde(serialize_with = "by_text")]
    pub networks: BTreeMap<Key, Network>,
    /// ClusterClaims that an old version left.
    pub old_cluster_claims: BTreeSet<String>,
    /// What was learned by doing, per VRG.
    #[serde(serialize_with = "by_text")]
    pub work: BTreeMap<Key, Work>,
    /// Pods by the claims that they use.
    #[serde(skip)]
    pub(super) pods_of_claim: BTreeMap<Key, BTreeSet<Key>>,
    /// Attachments by volume.
    #[serde(skip)]
    pub(super) attachments_of_volume: BTreeMap<String, BTreeSet<String>>,
    /// VRGs that have asked stores what to restore: anything may be in their way.
    #[serde(skip)]
    pub(super) restoring: BTreeSet<Key>,
}

/// What no object shows: what stores have, what they answered, how replications ended. If it is lost, all of it is done
/// or asked again, to the same end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Work {
    /// The VRG's identity: another VRG of that name starts afresh.
    pub uid: String,
    /// As what the VRG writes to stores; `None` when it was told neither epoch nor cluster.
    pub fence: Option<Fence>,
    /// What stores have of volume and claim, by profile and claim.
    #[serde(serialize_with = "by_text")]
    pub copies: BTreeMap<(String, Key), Holding>,
    /// Digest of the VRG's copy, by profile.
    pub vrg_copies: BTreeMap<String, BlobId>,
    /// What stores answered when asked what they have, by profile.
    pub answers: BTreeMap<String, StoredSet>,
    /// The highest epoch that wrote what they have, by profile; not there where none did.
    pub epochs: BTreeMap<String, u64>,
    /// Stores from which everything of this VRG was deleted.
    pub purged: BTreeSet<String>,
    /// The last state of replications that are gone, with the claim's identity: proof of how they ended.
    #[serde(serialize_with = "by_text")]
    pub departed: BTreeMap<Key, Departed>,
    /// Claims that were restored and never replicated since: there is nothing to demote.
    pub untouched: BTreeSet<Key>,
    /// Volumes without their claims that the last look at a store found, by profile.
    pub halves: BTreeMap<String, Vec<StoredVolume>>,
}

/// What a store has of a claim and its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub enum Holding {
    /// This.
    Has(BlobId),
    /// Nothing any more.
    Deleted,
}

/// A VolumeReplication that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Departed {
    /// Its last state.
    pub replication: VolumeReplication,
    /// Identity of the claim it was for.
    pub pvc_uid: String,
}

impl Work {
    /// Whether a look at a store found the same halves of copies as the one before.
    fn knows_halves(&self, set: &StoredSet) -> bool {
        inspection::halves(set).eq(self.halves.get(&set.profile).into_iter().flatten())
    }

    /// Notes the halves of copies that a look at a store found.
    fn note_halves(&mut self, set: &StoredSet) {
        let halves: Vec<StoredVolume> = inspection::halves(set).cloned().collect();
        if halves.is_empty() {
            self.halves.remove(&set.profile);
        } else {
            self.halves.insert(set.profile.clone(), halves);
        }
    }

    /// A half of a copy was deleted.
    fn forget_half(&mut self, profile: &str, name: &str) {
        if let Some(halves) = self.halves.get_mut(profile) {
            halves.retain(|volume| volume.name != name);
        }
    }

    /// Whether a store lacks something that is believed to be there.
    fn believes_more_than(&self, set: &StoredSet) -> bool {
        let lacks = |(profile, key): &(String, Key), holding: &Holding| {
            *profile == set.profile && matches!(holding, Holding::Has(_)) && !is_stored(set, key)
        };
        self.uid == set.vrg_uid
            && ((set.copy.is_none() && self.vrg_copies.contains_key(&set.profile))
                || self.copies.iter().any(|(copy, holding)| lacks(copy, holding)))
    }

    /// Forgets what is believed to be in a store and is not.
    fn forget_what_lacks(&mut self, set: &StoredSet) {
        if set.copy.is_none() {
            self.vrg_copies.remove(&set.profile);
        }
        self.copies.retain(|(profile, key), holding| {
            *profile != set.profile || *holding == Holding::Deleted || is_stored(set, key)
        });
    }
}

/// Whether a store has a claim and its volume.
fn is_stored(set: &StoredSet, key: &Key) -> bool {
    set.claims.iter().any(|claim| claim.key == *key && set.volumes.iter().any(|volume| volume.name == claim.volume))
}

impl Spoke {
    /// Whether a fact says something that is not held yet.
    pub(super) fn is_news(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Vrg(vrg) => !self.holds(vrg, None),
            Fact::FencedVrg { vrg, fence } => !self.holds(vrg, Some(fence)),
            Fact::Pvc(pvc) => self.pvcs.get(&pvc.key) != Some(pvc),
            Fact::Pv(pv) => self.pvs.get(&pv.name) != Some(pv),
            Fact::VolumeReplication(vr) => self.replications.get(&vr.key) != Some(vr),
            Fact::ReplicationClass(class) => self.replication_classes.get(&class.name) != Some(class),
            Fact::StorageClass(class) => self.storage_classes.get(&class.name) != Some(class),
            Fact::Pod(pod) => self.pods.get(&pod.key) != Some(pod),
            Fact::Attachment(attachment) => self.attachments.get(&attachment.name) != Some(attachment),
            Fact::Config(config) => self.config.as_ref() != Some(config),
            Fact::Secret(secret) => self.secrets.get(&secret.key) != Some(secret),
            Fact::Stored(set) => !self.holds_set(set, None),
            Fact::FencedStored { set, epoch } => !self.holds_set(set, Some(epoch)),
            Fact::ClusterConfig(config) => self.cluster_configs.get(&config.name) != Some(config),
            Fact::ListedClass(class) => self.listed_classes.get(&(class.kind, class.name.clone())) != Some(class),
            Fact::AccessNode(node) => self.access_nodes.get(&node.key) != Some(node),
            Fact::Network(network) => self.networks.get(&network.key) != Some(network),
            Fact::OldClusterClaim { name } => !self.old_cluster_claims.contains(name),
        }
    }

    fn holds(&self, vrg: &Vrg, fence: Option<&Fence>) -> bool {
        let known = self.work.get(&vrg.key).and_then(|work| work.fence.as_ref());
        self.vrgs.get(&vrg.key) == Some(vrg) && known == fence
    }

    fn holds_set(&self, set: &StoredSet, epoch: Option<&u64>) -> bool {
        if inspection::is_answer(set) {
            return self.work.get(&set.vrg).is_none_or(|work| !work.believes_more_than(set) && work.knows_halves(set));
        }
        let known = self.work.get(&set.vrg).map(|work| (work.answers.get(&set.profile), work.epochs.get(&set.profile)));
        known == Some((Some(set), epoch))
    }

    /// Folds a fact in.
    pub(super) fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Vrg(vrg) => self.learn_vrg(vrg, None),
            Fact::FencedVrg { vrg, fence } => self.learn_vrg(vrg, Some(fence)),
            Fact::Pvc(pvc) => self.learn_pvc(pvc),
            Fact::Pv(pv) => {
                self.pvs.insert(pv.name.clone(), (**pv).clone());
            }
            Fact::VolumeReplication(vr) => self.learn_replication(vr),
            Fact::ReplicationClass(class) => {
                self.replication_classes.insert(class.name.clone(), class.clone());
            }
            Fact::StorageClass(class) => {
                self.storage_classes.insert(class.name.clone(), class.clone());
            }
            Fact::Pod(pod) => {
                self.forget_pod(&pod.key);
                for claim in &pod.claims {
                    let claim = Key::new(&pod.key.namespace, claim);
                    self.pods_of_claim.entry(claim).or_default().insert(pod.key.clone());
                }
                self.pods.insert(pod.key.clone(), pod.clone());
            }
            Fact::Attachment(attachment) => {
                self.forget_attachment(&attachment.name);
                let users = self.attachments_of_volume.entry(attachment.volume.clone()).or_default();
                users.insert(attachment.name.clone());
                self.attachments.insert(attachment.name.clone(), attachment.clone());
            }
            Fact::Config(config) => self.config = Some(config.clone()),
            Fact::Secret(secret) => {
                self.secrets.insert(secret.key.clone(), secret.clone());
            }
            Fact::Stored(set) => self.learn_set(set, None),
            Fact::FencedStored { set, epoch } => self.learn_set(set, Some(*epoch)),
            Fact::ClusterConfig(config) => {
                self.cluster_configs.insert(config.name.clone(), (**config).clone());
            }
            Fact::ListedClass(class) => {
                self.listed_classes.insert((class.kind, class.name.clone()), class.clone());
            }
            Fact::AccessNode(node) => {
                self.access_nodes.insert(node.key.clone(), node.clone());
            }
            Fact::Network(network) => {
                self.networks.insert(network.key.clone(), network.clone());
            }
            Fact::OldClusterClaim { name } => {
                self.old_cluster_claims.insert(name.clone());
            }
        }
    }

    fn learn_set(&mut self, set: &StoredSet, epoch: Option<u64>) {
        if inspection::is_answer(set) {
            if let Some(work) = self.work.get_mut(&set.vrg).filter(|work| work.uid == set.vrg_uid) {
                work.forget_what_lacks(set);
                work.note_halves(set);
            }
            return;
        }
        if let Some(work) = self.work.get_mut(&set.vrg).filter(|work| work.uid == set.vrg_uid) {
            work.answers.insert(set.profile.clone(), set.clone());
            work.epochs.remove(&set.profile);
            work.epochs.extend(epoch.map(|epoch| (set.profile.clone(), epoch)));
            self.restoring.insert(set.vrg.clone());
        }
    }

    fn learn_vrg(&mut self, vrg: &Vrg, fence: Option<&Fence>) {
        let work = self.work.entry(vrg.key.clone()).or_default();
        if work.uid != vrg.uid {
            *work = Work { uid: vrg.uid.clone(), ..Work::default() };
        }
        let epoch = |fence: Option<&Fence>| fence.map_or(0, |fence| fence.epoch);
        if epoch(work.fence.as_ref()) != epoch(fence) {
            // Another cluster may have written between this epoch and the former one.
            work.copies.clear();
            work.vrg_copies.clear();
        }
        work.fence = fence.cloned();
        if vrg.spec.role == Some(Role::Primary) {
            work.departed.clear();
        } else {
            // Another cluster writes the copies now; what they hold is not known here any more.
            work.copies.clear();
            work.vrg_copies.clear();
            work.answers.clear();
            work.halves.clear();
        }
        if is_restored(vrg) {
            work.answers.clear();
        }
        if work.answers.is_empty() {
            work.epochs.clear();
            self.restoring.remove(&vrg.key);
        }
        self.vrgs.insert(vrg.key.clone(), vrg.clone());
    }

    fn learn_pvc(&mut self, pvc: &Pvc) {
        if !pvc.finalizers.iter().any(|name| name == finalizer::PVC_VOL_REP) {
            for work in self.work_in(&pvc.key.namespace) {
                work.departed.remove(&pvc.key);
                work.untouched.remove(&pvc.key);
                work.copies.retain(|(_, key), copy| *key != pvc.key || *copy != Holding::Deleted);
            }
        }
        self.pvcs.insert(pvc.key.clone(), pvc.clone());
    }

    fn learn_replication(&mut self, vr: &VolumeReplication) {
        if vr.deleting {
            // Its deletion counts as a change of its spec, so what it says from now on is about nothing any more.
            if self.replications.get(&vr.key).is_some_and(|before| !before.deleting) {
                self.note_departure(&vr.key);
            }
        } else {
            for work in self.work_in(&vr.key.namespace) {
                work.departed.remove(&vr.key);
                work.untouched.remove(&vr.key);
            }
        }
        self.replications.insert(vr.key.clone(), vr.clone());
    }

    /// Folds in that an object is gone.
    pub(super) fn lose(&mut self, object: &ObjectId) {
        let key = Key::new(&object.namespace, &object.name);
        match object.kind {
            Kind::Vrg => {
                self.vrgs.remove(&key);
                self.work.remove(&key);
                self.restoring.remove(&key);
            }
            Kind::PersistentVolumeClaim => {
                self.pvcs.remove(&key);
                for work in self.work_in(&key.namespace) {
                    work.departed.remove(&key);
                    work.untouched.remove(&key);
                    work.copies.retain(|(_, claim), copy| *claim != key || *copy != Holding::Deleted);
                }
            }
            Kind::PersistentVolume => {
                self.pvs.remove(&object.name);
            }
            Kind::VolumeReplication => self.lose_replication(&key),
            Kind::VolumeReplicationClass => {
                self.replication_classes.remove(&object.name);
            }
            Kind::StorageClass => {
                self.storage_classes.remove(&object.name);
            }
            Kind::Pod => self.forget_pod(&key),
            Kind::VolumeAttachment => self.forget_attachment(&object.name),
            Kind::ConfigMap => {
                if self.config.as_ref().is_some_and(|config| config.key == key) {
                    self.config = None;
                }
            }
            Kind::Secret => {
                self.secrets.remove(&key);
            }
            Kind::DrClusterConfig => {
                self.cluster_configs.remove(&object.name);
            }
            Kind::CsiAddonsNode => {
                self.access_nodes.remove(&key);
            }
            Kind::NetworkAttachmentDefinition => {
                self.networks.remove(&key);
            }
            Kind::ClusterClaim => {
                self.old_cluster_claims.remove(&object.name);
            }
            kind => {
                self.listed_classes.remove(&(kind, object.name.clone()));
            }
        }
    }

    fn lose_replication(&mut self, key: &Key) {
        self.note_departure(key);
        self.replications.remove(key);
    }

    /// Keeps the last that a replication said while it was not being deleted; else, where its deletion began when its VRG
    /// was primary still, that it is gone.
    fn note_departure(&mut self, key: &Key) {
        let Some(replication) = self.replications.get(key).cloned() else { return };
        let pvc_uid = self.pvcs.get(key).map(|pvc| pvc.uid.clone()).unwrap_or_default();
        if let Some(vrg) = replication.owner.as_ref().and_then(|owner| self.vrgs.get(owner))
            && vrg.spec.role != Some(Role::Primary)
            && let Some(work) = self.work.get_mut(&vrg.key)
            && !(replication.deleting && work.departed.contains_key(key))
        {
            work.departed.insert(key.clone(), Departed { replication, pvc_uid });
        }
    }

    /// Folds in that a command took effect.
    pub(super) fn done(&mut self, command: &Command) {
        match command {
            Command::Fenced { fence, command } => {
                // An upload of a former epoch proves nothing about this one.
                let vrg = stored_for(command);
                if vrg.and_then(|vrg| self.work.get(vrg)).is_some_and(|work| work.fence.as_ref() == Some(fence)) {
                    self.done(command);
                }
            }
            Command::Upload { vrg, store, pvc, content, .. } => {
                if let Some(work) = self.primary_work(vrg) {
                    work.copies.insert((store.name.clone(), pvc.clone()), Holding::Has(*content));
                }
            }
            Command::UploadVrg { vrg, store, content, .. } => {
                if let Some(work) = self.primary_work(vrg) {
                    work.vrg_copies.insert(store.name.clone(), *content);
                }
            }
            Command::DeleteStored { vrg, store, pvc, volume } => {
                if let Some(work) = self.work.get_mut(vrg) {
                    work.copies.insert((store.name.clone(), pvc.clone()), Holding::Deleted);
                    work.forget_half(&store.name, volume);
                }
            }
            Command::DeleteAllStored { vrg, store } => {
                if let Some(work) = self.work.get_mut(vrg) {
                    work.purged.insert(store.name.clone());
                }
            }
            // Its deletion was only held up by that: the API server took it away with the last finalizer, and the watch
            // will say so a moment later.
            Command::ReleaseVolume { pvc, finalizers: Some(left), .. }
                if left.is_empty() && self.pvcs.get(pvc).is_some_and(Pvc::is_deleting) =>
            {
                self.lose(&ObjectId::new(Kind::PersistentVolumeClaim, &pvc.namespace, &pvc.name));
            }
            Command::RestorePvc { key, owner, .. } => {
                if !self.replications.contains_key(key)
                    && let Some(work) = self.work.get_mut(owner)
                {
                    work.untouched.insert(key.clone());
                }
            }
            _ => {}
        }
    }

    /// What was learned for a VRG, if it is primary: an upload that ends after the role changed proves nothing.
    fn primary_work(&mut self, vrg: &Key) -> Option<&mut Work> {
        let primary = self.vrgs.get(vrg).is_some_and(|vrg| vrg.spec.role == Some(Role::Primary));
        self.work.get_mut(vrg).filter(|_| primary)
    }

    fn work_in(&mut self, namespace: &str) -> impl Iterator<Item = &mut Work> {
        let first = Key::new(namespace, "");
        self.work.range_mut(first..).take_while(move |(key, _)| key.namespace == namespace).map(|(_, work)| work)
    }

    fn forget_pod(&mut self, key: &Key) {
        for claim in self.pods.remove(key).into_iter().flat_map(|pod| pod.claims) {
            let claim = Key::new(&key.namespace, claim);
            if let Some(users) = self.pods_of_claim.get_mut(&claim) {
                users.remove(key);
                if users.is_empty() {
                    self.pods_of_claim.remove(&claim);
                }
            }
        }
    }

    fn forget_attachment(&mut self, name: &str) {
        if let Some(attachment) = self.attachments.remove(name)
            && let Some(users) = self.attachments_of_volume.get_mut(&attachment.volume)
        {
            users.remove(name);
            if users.is_empty() {
                self.attachments_of_volume.remove(&attachment.volume);
            }
        }
    }
}

/// The VRG that a command to a store is for.
fn stored_for(command: &Command) -> Option<&Key> {
    match command {
        Command::Upload { vrg, .. }
        | Command::UploadVrg { vrg, .. }
        | Command::DeleteStored { vrg, .. }
        | Command::DeleteAllStored { vrg, .. } => Some(vrg),
        _ => None,
    }
}

/// Whether the VRG's status says that its volumes were restored for the role that it has (spec vrg 4.1).
pub fn is_restored(vrg: &Vrg) -> bool {
    let status = vrg.status.as_ref();
    vrg.spec.role == Some(Role::Primary)
        && status
            .and_then(|status| status.condition(condition::CLUSTER_DATA_READY))
            .is_some_and(|c| c.status == ramen_events::ConditionStatus::True && c.reason == reason::RESTORED)
}
