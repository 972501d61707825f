//! Builders: one VRG with one claim that is protected and replicated, and what a test changes of it.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{annotation, condition, finalizer, label};
use ramen_events::{
    Aggregate, BlobId, Command as AnyCommand, CommandId, Condition, ConditionStatus, Json, ObjectId, Outcome, Position,
    Seq, Time,
    spoke::{
        ClaimRef, Command, Config, Fact, Key, PeerClass, Profile, Pv, PvPhase, Pvc, ReplicationClass, Role, SecretSeen,
        StorageClass, Store, StoredClaim, StoredSet, StoredVolume, StoredVrg, VolumeReplication, Vrg, VrgSpec,
        VrgStatus,
    },
};

use crate::{
    DECIDER_VERSION,
    domain::{Ask, Change, Decision, Domain, Wanted},
    flights::Flights,
    spoke::{Spoke, relations::vrg_aggregate},
};

pub const NOW: Time = Time(1_700_000_000_000);

pub fn key(name: &str) -> Key {
    Key::new("app", name)
}

/// A VRG `app/app` that is primary and restored, with claim `data`, all of it settled.
pub struct Lab {
    pub spoke: Spoke,
    pub flights: Flights,
    pub aggregate: Aggregate,
    /// When its process began.
    pub started: Time,
}

impl Lab {
    pub fn new(role: Role, action: &str) -> Self {
        let mut lab = Self {
            spoke: Spoke::default(),
            flights: Flights::default(),
            aggregate: vrg_aggregate(&key("app")),
            started: Time(0),
        };
        lab.learn(Fact::Config(config(&["s3-1", "s3-2"])));
        for name in ["s3-1", "s3-2"] {
            let secret = SecretSeen { key: Key::new("system", name), ..SecretSeen::default() };
            lab.learn(Fact::Secret(secret));
        }
        lab.learn(Fact::StorageClass(storage_class()));
        lab.learn(Fact::ReplicationClass(replication_class("vrc")));
        let mut vrg = vrg(role, action);
        vrg.status = Some(restored_status(role));
        lab.learn(Fact::Vrg(Box::new(vrg)));
        lab.learn(Fact::Pv(Box::new(pv("data"))));
        lab.learn(Fact::Pvc(Box::new(pvc("data"))));
        lab.learn(Fact::VolumeReplication(Box::new(replication("data", Role::Primary))));
        lab
    }

    pub fn learn(&mut self, fact: Fact) {
        let fact = ramen_events::Fact::Spoke(fact);
        self.spoke.apply(NOW, Change::Observed(&fact));
    }

    pub fn lose(&mut self, kind: ramen_events::Kind, name: &str) {
        self.spoke.apply(NOW, Change::Gone(&ObjectId::new(kind, "app", name)));
    }

    pub fn change_vrg(&mut self, change: impl FnOnce(&mut Vrg)) {
        let mut vrg = self.spoke.vrgs[&key("app")].clone();
        change(&mut vrg);
        self.learn(Fact::Vrg(Box::new(vrg)));
    }

    pub fn change_pvc(&mut self, change: impl FnOnce(&mut Pvc)) {
        let mut pvc = self.spoke.pvcs[&key("data")].clone();
        change(&mut pvc);
        self.learn(Fact::Pvc(Box::new(pvc)));
    }

    pub fn decide(&self) -> Decision {
        self.decide_at(NOW)
    }

    fn ask<'a>(&'a self, now: Time, position: Option<&'a Position>) -> Ask<'a> {
        Ask {
            now,
            started: self.started,
            decider: DECIDER_VERSION,
            position,
            flights: &self.flights,
            aggregate: &self.aggregate,
        }
    }

    fn decide_at(&self, now: Time) -> Decision {
        self.spoke.decide(self.ask(now, None))
    }

    /// The decision a minute after the present step was entered.
    pub fn decide_later(&self) -> Decision {
        let position = self.decide().position;
        let now = NOW.plus_seconds(60);
        self.spoke.decide(self.ask(now, position.as_ref()))
    }

    /// The decision so many seconds later, where it stands then.
    pub fn decide_after(&self, seconds: u64, position: &Position) -> Decision {
        self.spoke.decide(self.ask(NOW.plus_seconds(seconds), Some(position)))
    }

    /// A command took effect.
    pub fn done(&mut self, command: &Command) {
        let (command, outcome) = (AnyCommand::Spoke(command.clone()), ramen_events::Outcome::Done);
        let change = Change::Finished { aggregate: &self.aggregate, command: &command, outcome: &outcome };
        self.spoke.apply(NOW, change);
    }

    /// A wish becomes a command, and ends so.
    pub fn fly(&mut self, wanted: &Wanted, now: Time, outcome: &Outcome) {
        self.depart(wanted, now);
        let id = self.flights.last(&self.aggregate, &wanted.slot).expect("it just became one").id;
        self.flights.arrive(&self.aggregate, &wanted.slot, id, outcome, now);
        let change = Change::Finished { aggregate: &self.aggregate, command: &wanted.command, outcome };
        self.spoke.apply(now, change);
    }

    /// A wish becomes a command.
    pub fn depart(&mut self, wanted: &Wanted, now: Time) {
        let id = CommandId::derive("x", Seq(now.0), wanted.slot.as_bytes());
        self.flights.depart(&self.aggregate, &wanted.slot, id, &wanted.command, (now, DECIDER_VERSION));
    }

    /// The commands wanted now.
    pub fn commands(&self) -> Vec<Command> {
        let commands = self.decide().commands.into_iter();
        commands
            .filter_map(|wanted| match wanted.command {
                AnyCommand::Spoke(command) => Some(command),
                AnyCommand::Hub(_) => None,
            })
            .collect()
    }

    /// Their names, status writes left out.
    pub fn names(&self) -> Vec<&'static str> {
        self.commands().iter().map(Command::name).filter(|name| *name != "WriteVrgStatus").collect()
    }

    /// The role and resynchronization that a VolumeReplication is to get.
    pub fn wanted_role(&self) -> Option<(Role, bool)> {
        self.commands().into_iter().find_map(|command| match command {
            Command::ApplyReplication { role, auto_resync, .. } => Some((role, auto_resync)),
            _ => None,
        })
    }

    /// What it waits for, in words.
    pub fn wait(&self) -> String {
        self.decide().position.and_then(|position| position.wait).map(|wait| wait.what).unwrap_or_default()
    }
}

pub fn config(profiles: &[&str]) -> Config {
    let profile = |name: &&str| Profile {
        store: Store {
            name: (*name).into(),
            endpoint: "http://store".into(),
            bucket: "bucket".into(),
            region: "r".into(),
            secret: Key::new("system", *name),
            ca_certificates: None,
        },
        problem: String::new(),
    };
    Config {
        key: Key::new("system", "config"),
        profiles: profiles.iter().map(profile).collect(),
        unprotect_volumes: true,
        ..Config::default()
    }
}

pub fn storage_class() -> StorageClass {
    StorageClass {
        name: "sc".into(),
        provisioner: "driver".into(),
        labels: [(label::STORAGE_ID.into(), "sid".into()), (label::REPLICATION_ID.into(), "rid".into())].into(),
        parameters: BTreeMap::new(),
    }
}

pub fn replication_class(name: &str) -> ReplicationClass {
    ReplicationClass {
        name: name.into(),
        provisioner: "driver".into(),
        labels: [(label::STORAGE_ID.into(), "sid".into()), (label::REPLICATION_ID.into(), "rid".into())].into(),
        interval: "1m".into(),
        is_default: false,
    }
}

pub fn peer_class() -> PeerClass {
    PeerClass {
        storage_class: "sc".into(),
        storage_ids: vec!["sid".into(), "sid-2".into()],
        replication_id: "rid".into(),
        ..PeerClass::default()
    }
}

pub fn vrg(role: Role, action: &str) -> Vrg {
    Vrg {
        key: key("app"),
        uid: "vrg-uid".into(),
        generation: 3,
        resource_version: "7".into(),
        deleting: false,
        finalizers: vec![finalizer::VRG.into()],
        drpc_uid: "drpc".into(),
        test_failover: String::new(),
        force_volsync: false,
        spec: VrgSpec {
            role: Some(role),
            role_text: role.as_str().into(),
            action: action.into(),
            interval: Some("1m".into()),
            peer_classes: vec![peer_class()],
            s3_profiles: vec!["s3-1".into(), "s3-2".into()],
            ..VrgSpec::default()
        },
        status: None,
        body: BlobId::of(b"vrg"),
    }
}

pub fn restored_status(role: Role) -> VrgStatus {
    let reason = if role == Role::Primary { "Restored" } else { "Unused" };
    VrgStatus {
        state: "Unknown".into(),
        observed_generation: 3,
        conditions: vec![said(condition::CLUSTER_DATA_READY, ConditionStatus::True, reason, 3)],
        ..VrgStatus::default()
    }
}

pub fn said(kind: &str, status: ConditionStatus, reason: &str, generation: i64) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: format!("{kind} {}", status.as_str()),
        generation,
        since: Time::default(),
    }
}

pub fn pvc(name: &str) -> Pvc {
    let owner =
        [(label::OWNER_NAMESPACE.to_owned(), "app".to_owned()), (label::OWNER_NAME.to_owned(), "app".to_owned())];
    Pvc {
        key: key(name),
        uid: format!("{name}-uid"),
        resource_version: "5".into(),
        deleted_at: None,
        labels: owner.into(),
        annotations: [(annotation::PVC_PROTECTED.into(), annotation::PROTECTED.into())].into(),
        finalizers: vec![finalizer::PVC_IN_USE.into(), finalizer::PVC_VOL_REP.into()],
        storage_class: "sc".into(),
        volume: format!("pv-{name}"),
        access_modes: vec!["ReadWriteOnce".into()],
        resources: Json::default(),
        volume_mode: "Filesystem".into(),
        bound: true,
        resizing: false,
        spec_hash: "hash".into(),
        content: BlobId::of(name.as_bytes()),
        blob: Some(BlobId::of(name.as_bytes())),
    }
}

pub fn pv(claim: &str) -> Pv {
    Pv {
        name: format!("pv-{claim}"),
        uid: format!("pv-{claim}-uid"),
        resource_version: "6".into(),
        generation: 0,
        deleting: false,
        annotations: [(annotation::PV_RETAINED.into(), annotation::RETAINED.into())].into(),
        phase: PvPhase::Bound,
        claim: Some(ClaimRef { key: key(claim), uid: format!("{claim}-uid") }),
        reclaim_policy: "Retain".into(),
        storage_class: "sc".into(),
        driver: "driver".into(),
        handle: format!("handle-{claim}"),
        fs_type: "ext4".into(),
        access_modes: vec!["ReadWriteOnce".into()],
        volume_mode: "Filesystem".into(),
        content: BlobId::of(b"pv"),
        blob: Some(BlobId::of(b"pv")),
    }
}

/// A replication that is settled in a role.
pub fn replication(claim: &str, role: Role) -> VolumeReplication {
    let (state, done) = match role {
        Role::Primary => ("Primary", "Promoted"),
        Role::Secondary => ("Secondary", "Demoted"),
    };
    VolumeReplication {
        key: key(claim),
        uid: format!("vr-{claim}-uid"),
        generation: 2,
        deleting: false,
        owner: Some(key("app")),
        role: Some(role),
        auto_resync: false,
        class: "vrc".into(),
        claim: claim.into(),
        observed_generation: 2,
        state: state.into(),
        message: String::new(),
        conditions: vec![
            said(condition::COMPLETED, ConditionStatus::True, done, 2),
            said(condition::DEGRADED, ConditionStatus::False, "Healthy", 2),
            said(condition::RESYNCING, ConditionStatus::False, "NotResyncing", 2),
        ],
        last_sync_time: Some(NOW),
        last_sync_duration: None,
        last_sync_bytes: None,
        destination_handle: String::new(),
    }
}

/// What a store holds: a volume and a claim of each name, and the VRG.
pub fn stored(profile: &str, claims: &[&str]) -> StoredSet {
    StoredSet {
        vrg: key("app"),
        vrg_uid: "vrg-uid".into(),
        asked_for: 3,
        profile: profile.into(),
        volumes: claims.iter().map(|name| stored_volume(name)).collect(),
        claims: claims.iter().map(|name| stored_claim(name)).collect(),
        copy: Some(StoredVrg { drpc_uid: "drpc".into(), cluster: "c1".into(), updated: Some(Time(1)) }),
        unreadable: Vec::new(),
    }
}

pub fn stored_volume(claim: &str) -> StoredVolume {
    let pv = pv(claim);
    StoredVolume {
        name: pv.name,
        claim: Some(key(claim)),
        storage_class: pv.storage_class,
        driver: pv.driver,
        handle: pv.handle,
        fs_type: pv.fs_type,
        access_modes: pv.access_modes,
        volume_mode: pv.volume_mode,
        blob: BlobId::of(b"stored pv"),
    }
}

pub fn stored_claim(name: &str) -> StoredClaim {
    StoredClaim {
        key: key(name),
        volume: format!("pv-{name}"),
        created: Some(Time(1)),
        blob: BlobId::of(b"stored pvc"),
    }
}
