//! All that a decision about one VRG looks at.

use ramen_api::ramen::wire::{annotation, finalizer};
use ramen_events::{
    Command as AnyCommand, Outcome, Position, Time,
    spoke::{Command, Key, Pv, Pvc, Role, Store, VolumeReplication, Vrg, fence::OVERTAKEN},
};

use super::{
    class_choice::{self, Choice, Unfit},
    stores::{self, StoreRef},
};
use crate::{
    domain::{Ask, Wanted},
    spoke::{
        Spoke,
        relations::owner_of,
        state::{Departed, Work},
    },
};

/// One VRG, its claims and stores.
#[derive(Debug)]
pub struct View<'a> {
    /// Everything.
    pub state: &'a Spoke,
    /// The question.
    pub ask: Ask<'a>,
    /// The VRG.
    pub vrg: &'a Vrg,
    /// What was learned for it by doing.
    pub work: &'a Work,
    /// The claims that it selects or owns, sorted.
    pub volumes: Vec<Volume<'a>>,
    /// Its stores.
    pub stores: Vec<StoreRef<'a>>,
}

/// A claim and all that belongs to it.
#[derive(Debug)]
pub struct Volume<'a> {
    /// Namespace and name.
    pub key: &'a Key,
    /// The claim.
    pub pvc: &'a Pvc,
    /// The volume that it names, if that exists.
    pub pv: Option<&'a Pv>,
    /// Its replication.
    pub replication: Option<&'a VolumeReplication>,
    /// Whether the VRG selects it.
    pub selected: bool,
    /// Who owns it.
    pub owner: Owner,
    /// How it is to be replicated.
    pub class: Result<Choice<'a>, Unfit>,
}

/// What becomes of a volume when its claim is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is as it was before its protection.
    AsBefore,
    /// It outlives its claim.
    Kept,
}

/// Who owns a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody.
    Nobody,
    /// This VRG.
    Us,
    /// Another VRG.
    Other(Key),
}

impl<'a> View<'a> {
    /// Gathers what concerns the VRG that is asked about; `None` when it is not known.
    pub fn new(state: &'a Spoke, ask: Ask<'a>) -> Option<Self> {
        let key = Key::new(&ask.aggregate.namespace, &ask.aggregate.name);
        let vrg = state.vrgs.get(&key)?;
        let work = state.work.get(&key)?;
        let volumes =
            state.pvcs_in(&key.namespace).filter_map(|pvc| Volume::new(state, vrg, pvc, ask.decider)).collect();
        Some(Self { state, ask, vrg, work, volumes, stores: stores::of(state, vrg) })
    }

    /// The present time.
    pub fn now(&self) -> Time {
        self.ask.now
    }

    /// Since when the VRG is in a step of its present action; now, when it is not in it yet.
    pub fn since(&self, step: &str) -> Time {
        let same = |position: &&Position| position.step == step && position.action == self.action();
        self.ask.position.filter(same).map_or(self.ask.now, |position| position.since)
    }

    /// What the present work is done for: role and generation.
    pub fn action(&self) -> ramen_events::ActionId {
        let action = if self.vrg.spec.action.is_empty() { "deploy" } else { &self.vrg.spec.action };
        ramen_events::ActionId(format!("{}/{action}/{}", self.vrg.spec.role_text, self.vrg.generation))
    }

    /// How commands in a slot fail, if they do and are likely to fail again: a lost race is no failure.
    pub fn failure(&self, slot: &str) -> Option<&'a Outcome> {
        let attempt = self.ask.flights.last(self.ask.aggregate, slot)?;
        match attempt.failure.as_ref()? {
            Outcome::Done => None,
            Outcome::Conflict { .. } if attempt.failures < 3 => None,
            failure => Some(failure),
        }
    }

    /// A command to a store, given as the primary that this VRG is.
    pub fn as_writer(&self, command: Command) -> AnyCommand {
        AnyCommand::Spoke(match &self.work.fence {
            Some(fence) => Command::Fenced { fence: fence.clone(), command: Box::new(command) },
            None => command,
        })
    }

    /// Whether a store refused a command in a slot because a later primary has taken it over.
    pub fn is_overtaken(&self, slot: &str) -> bool {
        matches!(self.failure(slot), Some(Outcome::Refused { reason, .. }) if reason == OVERTAKEN)
    }

    /// The text of that failure.
    pub fn failure_text(&self, slot: &str) -> Option<&'a str> {
        self.failure(slot)?.message()
    }

    /// When a command of a slot is due again, if it is repeated with a pause; before it was given the pause goes from `first`.
    pub fn due(&self, slot: &str, first: Time, pause_seconds: u64) -> Time {
        let last = self.ask.flights.last(self.ask.aggregate, slot).map(|attempt| attempt.decided);
        last.unwrap_or(first).plus_seconds(pause_seconds)
    }

    /// Asks a store what it holds, as which generation.
    pub fn fetch(&self, generation: i64, store: &Store) -> AnyCommand {
        AnyCommand::Spoke(Command::FetchStored {
            vrg: self.vrg.key.clone(),
            vrg_uid: self.vrg.uid.clone(),
            generation,
            store: Box::new(store.clone()),
        })
    }

    /// Deletes the copies of a claim and a volume from a store.
    pub fn delete_stored(&self, store: &Store, pvc: &Key, volume: &str) -> AnyCommand {
        self.as_writer(Command::DeleteStored {
            vrg: self.vrg.key.clone(),
            store: Box::new(store.clone()),
            pvc: pvc.clone(),
            volume: volume.to_owned(),
        })
    }

    /// Whether a command of a slot is in flight.
    pub fn is_busy(&self, slot: &str) -> bool {
        self.ask.flights.last(self.ask.aggregate, slot).is_some_and(|attempt| attempt.outcome.is_none())
    }

    /// Whether a failover asked for this: then a running resync is enough, and claims may stay.
    pub fn is_failover(&self) -> bool {
        self.vrg.spec.action == "Failover"
    }

    /// Whether the VRG's role is primary.
    pub fn is_primary(&self) -> bool {
        self.vrg.spec.role == Some(Role::Primary)
    }

    /// Whether the last synchronization before a relocation is prepared or runs.
    pub fn in_final_sync(&self) -> bool {
        self.vrg.spec.prepare_for_final_sync || self.vrg.spec.run_final_sync
    }

    /// Pods that use a claim and have not ended, and nodes that its volume is attached to.
    pub fn users(&self, volume: &Volume<'_>) -> Option<String> {
        let pods = self.state.pods_of_claim.get(volume.key).into_iter().flatten();
        let running = |key: &&Key| self.state.pods.get(*key).is_some_and(|pod| !pod.finished);
        let pods: Vec<&str> = pods.filter(running).map(|key| key.name.as_str()).collect();
        if !pods.is_empty() {
            return Some(format!("pod {} to stop using it", pods.join(", ")));
        }
        let attachments = self.state.attachments_of_volume.get(&volume.pvc.volume).into_iter().flatten();
        let nodes: Vec<&str> =
            attachments.filter_map(|name| self.state.attachments.get(name)).map(|a| a.node.as_str()).collect();
        (!nodes.is_empty()).then(|| format!("its volume to be detached from node {}", nodes.join(", ")))
    }
}

impl<'a> Volume<'a> {
    fn new(state: &'a Spoke, vrg: &'a Vrg, pvc: &'a Pvc, decider: u32) -> Option<Self> {
        let owner = match owner_of(pvc) {
            None => Owner::Nobody,
            Some(key) if key == vrg.key => Owner::Us,
            Some(key) => Owner::Other(key),
        };
        let replication = state.replications.get(&pvc.key);
        let selected = vrg.spec.selector.matches(&pvc.labels);
        let ours = owner == Owner::Us || replication.is_some_and(|vr| vr.owner.as_ref() == Some(&vrg.key));
        if !selected && !ours {
            return None;
        }
        Some(Self {
            key: &pvc.key,
            pvc,
            pv: state.pvs.get(&pvc.volume),
            replication,
            selected,
            owner,
            class: class_choice::choose(state, vrg, pvc, decider),
        })
    }

    /// Its name, for messages about a VRG of one namespace.
    pub fn name(&self) -> &str {
        &self.key.name
    }

    /// Whether our finalizer holds the claim.
    pub fn is_guarded(&self) -> bool {
        self.pvc.finalizers.iter().any(|name| name == finalizer::PVC_VOL_REP)
    }

    /// Whether the claim is noted as protected.
    pub fn is_noted(&self) -> bool {
        self.pvc.annotations.get(annotation::PVC_PROTECTED).map(String::as_str) == Some(annotation::PROTECTED)
    }

    /// Whether the claim came from its copy.
    pub fn is_restored(&self) -> bool {
        self.pvc.annotations.contains_key(annotation::RESTORED)
    }

    /// Whether the volume outlives its claim.
    pub fn is_retained(&self) -> bool {
        self.pv.is_some_and(|pv| pv.reclaim_policy == "Retain")
    }

    /// Whether all marks of the protection are there (each is looked at: spec vrg V4).
    pub fn is_protected(&self) -> bool {
        self.owner == Owner::Us && self.is_guarded() && self.is_noted() && self.is_retained()
    }

    /// Whether claim and volume are bound to each other (spec vrg VS1).
    pub fn is_bound(&self) -> bool {
        self.pvc.bound
            && self.pv.is_some_and(|pv| {
                !pv.deleting
                    && pv.claim.as_ref().is_some_and(|claim| claim.key == *self.key && claim.uid == self.pvc.uid)
            })
    }

    /// Whether the VRG has to see to it when it gives up its role: our finalizer, or a replication of ours, is on it.
    pub fn is_involved(&self, vrg: &Key) -> bool {
        let replicated = self.replication.is_some_and(|vr| vr.owner.as_ref() == Some(vrg));
        !matches!(self.owner, Owner::Other(_)) && (self.is_guarded() || replicated)
    }

    /// How its replication ended, if it did and this is still the claim that it was for.
    pub fn departed<'w>(&self, work: &'w Work) -> Option<&'w Departed> {
        work.departed.get(self.key).filter(|departed| departed.pvc_uid == self.pvc.uid)
    }

    /// The command that undoes its protection (spec vrg 3.3).
    pub fn release(&self, vrg: &Vrg, afterwards: Afterwards) -> Wanted {
        let without_ours = || self.pvc.finalizers.iter().filter(|f| *f != finalizer::PVC_VOL_REP).cloned().collect();
        let pv = self.pv.filter(|pv| pv.claim.as_ref().is_some_and(|claim| claim.key == *self.key));
        let retained = pv.is_some_and(|pv| pv.annotations.contains_key(annotation::PV_RETAINED));
        let archived = pv.is_some_and(|pv| pv.annotations.contains_key(annotation::ARCHIVED));
        Wanted {
            slot: self.slot(),
            command: AnyCommand::Spoke(Command::ReleaseVolume {
                pvc: self.key.clone(),
                finalizers: self.is_guarded().then(without_ours),
                resource_version: self.pvc.resource_version.clone(),
                volume: pv.filter(|_| retained || archived).map(|pv| pv.name.clone()),
                restore_policy: retained && afterwards == Afterwards::AsBefore && !self.may_be_lost_by_mistake(vrg),
            }),
        }
    }

    /// Protection ends while the claim is being deleted. Nobody can tell whether a user threw it away or whether it goes
    /// because its application was on its way elsewhere, and here is the only writable copy: the volume outlives it.
    fn may_be_lost_by_mistake(&self, vrg: &Vrg) -> bool {
        vrg.deleting && vrg.spec.role == Some(Role::Primary) && self.pvc.is_deleting()
    }

    /// The slot of commands on claim and volume.
    pub fn slot(&self) -> String {
        format!("volume/{}", self.key)
    }

    /// The slot of commands on the replication.
    pub fn replication_slot(&self) -> String {
        format!("replication/{}", self.key)
    }

    /// The slot of its upload to a store.
    pub fn upload_slot(&self, profile: &str) -> String {
        upload_slot(self.key, profile)
    }
}

/// The slot of what is done to a claim's copies in a store.
pub fn upload_slot(claim: &Key, profile: &str) -> String {
    format!("store/{profile}/{claim}")
}

/// The claim to whose copies in a store something is done in a slot; `None` for other slots.
pub fn claim_of(slot: &str, profile: &str) -> Option<Key> {
    let claim = slot.strip_prefix("store/")?.strip_prefix(profile)?.strip_prefix('/')?;
    claim.split_once('/').map(|(namespace, name)| Key::new(namespace, name))
}
