//! From a record back to what started it: the request of a user, or something that happened in the world.

use ramen_events::{Aggregate, Cause, Command, Controller, Fact, Kind, ObjectId, Payload, hub, spoke};
use serde::Serialize;

use crate::{merge::Merged, words};

/// How a record follows from the one before it in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The log says so: it was decided, or carried out, because of it.
    Recorded,
    /// The hub saw what a cluster's operator had written.
    Seen,
    /// Our last command about an object came before the object changed: likely, but not recorded.
    Followed,
    /// Nothing in the logs led to it.
    Outside,
}

/// One record of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which entry.
    pub entry: usize,
    /// How it follows from the one before it.
    pub how: How,
}

/// How many links a chain may have; causes always lie before their effects, so it ends anyway.
const LONGEST: usize = 200;

/// What led to an entry, oldest first, and the entry itself.
pub fn chain(merged: &Merged, entry: usize) -> Vec<Link> {
    let mut chain = Vec::new();
    let mut next = Some(entry);
    let mut whose = None;
    while let Some(entry) = next {
        whose = merged.entries.get(entry).and_then(|entry| entry.record.aggregate.as_ref()).or(whose);
        let found = before(merged, entry).or_else(|| Some((own_fact(merged, entry, whose?)?, How::Followed)));
        chain.push(Link { entry, how: found.map_or(How::Outside, |(_, how)| how) });
        next = found.map(|(before, _)| before).filter(|before| *before < entry && chain.len() < LONGEST);
    }
    chain.reverse();
    chain
}

/// What led to an entry, directly.
pub fn before(merged: &Merged, index: usize) -> Option<(usize, How)> {
    let entry = merged.entries.get(index)?;
    let recorded = match (&entry.record.cause, &entry.record.payload) {
        (Cause::Local(seq), _) => merged.at(entry.log, *seq),
        (Cause::Remote { command, .. }, _) => merged.commanded(*command),
        (Cause::Outside, Payload::Finished { id, .. }) => merged.commanded(*id),
        (Cause::Outside, _) => None,
    };
    if let Some(recorded) = recorded {
        return Some((recorded, How::Recorded));
    }
    match &entry.record.payload {
        Payload::Observed(fact) => {
            if let Some(reported) = merged.reported(index) {
                return Some((reported, How::Seen));
            }
            if is_request(merged, index) {
                return None;
            }
            last_command(merged, index, &fact.object()).map(|found| (found, How::Followed))
        }
        Payload::Gone(object) => last_command(merged, index, object).map(|found| (found, How::Followed)),
        _ => None,
    }
}

/// After a start everybody is asked, which explains nothing: what was decided then follows from what the object of the
/// aggregate itself asks for.
fn own_fact(merged: &Merged, index: usize, whose: &Aggregate) -> Option<usize> {
    let entry = merged.entries.get(index)?;
    if !matches!(entry.record.payload, Payload::Synced) {
        return None;
    }
    let kind = match whose.controller {
        Controller::Drpc => Kind::Drpc,
        Controller::Vrg => Kind::Vrg,
        _ => return None,
    };
    let object = ObjectId::new(kind, &whose.namespace, &whose.name);
    let earlier = merged.entries.get(..index)?;
    earlier.iter().rposition(|other| {
        let about = matches!(&other.record.payload, Payload::Observed(fact) if fact.object() == object);
        other.log == entry.log && about
    })
}

/// Whether a fact shows that a user asked for something: the spec of one of our objects is new, or it is to be deleted.
pub fn is_request(merged: &Merged, index: usize) -> bool {
    let Some(Payload::Observed(fact)) = merged.entries.get(index).map(|entry| &entry.record.payload) else { return false };
    let ours = matches!(fact, Fact::Hub(hub::Fact::Drpc(_) | hub::Fact::Policy(_) | hub::Fact::DrCluster(_)));
    let news = || words::news(merged, index);
    ours && news().is_none_or(|news| {
        news.iter().any(|change| change.path.starts_with("spec") || change.path == "meta.deleting")
    })
}

/// The last command before an entry, in the same log, that acts on an object.
fn last_command(merged: &Merged, index: usize, object: &ObjectId) -> Option<usize> {
    let log = merged.entries.get(index)?.log;
    let before = merged.entries.get(..index)?.iter().enumerate().rev();
    // Commands of long ago are no explanation, and looking for them would take long.
    before.take(SEARCHED).filter(|(_, entry)| entry.log == log).find_map(|(at, entry)| match &entry.record.payload {
        Payload::Commanded { command, .. } => targets(command).contains(object).then_some(at),
        _ => None,
    })
}

/// How many entries are searched for a command.
const SEARCHED: usize = 20_000;

/// The objects that a command acts on.
fn targets(command: &Command) -> Vec<ObjectId> {
    match command {
        Command::Hub(command) => of_hub(command).into_iter().collect(),
        Command::Spoke(command) => of_spoke(command),
    }
}

fn of_hub(command: &hub::Command) -> Option<ObjectId> {
    use hub::Command as C;
    Some(match command {
        C::ApplyVrgWork(work) => ObjectId::new(Kind::ManifestWork, &work.cluster.0, &work.name),
        C::ApplyNamespaceWork(work) => ObjectId::new(Kind::ManifestWork, &work.cluster.0, &work.name),
        C::DeleteWork { cluster, name, .. } => ObjectId::new(Kind::ManifestWork, &cluster.0, name),
        C::ApplyView(wish) => ObjectId::new(Kind::ManagedClusterView, &wish.cluster.0, &wish.name),
        C::TouchView { cluster, name, .. } | C::DeleteView { cluster, name } => {
            ObjectId::new(Kind::ManagedClusterView, &cluster.0, name)
        }
        C::PatchMeta(patch) => ObjectId::new(patch.kind, &patch.object.namespace, &patch.object.name),
        C::WriteDrpcStatus { drpc, .. } => ObjectId::new(Kind::Drpc, &drpc.namespace, &drpc.name),
        C::WriteDecision { placement, decision, .. } => {
            ObjectId::new(Kind::PlacementDecision, &placement.namespace, decision)
        }
        _ => return None,
    })
}

fn of_spoke(command: &spoke::Command) -> Vec<ObjectId> {
    use spoke::Command as C;
    let claim = |key: &spoke::Key| ObjectId::new(Kind::PersistentVolumeClaim, &key.namespace, &key.name);
    let volume = |name: &str| ObjectId::cluster_scoped(Kind::PersistentVolume, name);
    let replication = |key: &spoke::Key| ObjectId::new(Kind::VolumeReplication, &key.namespace, &key.name);
    match command {
        C::SetFinalizers { object, .. } => vec![object.clone()],
        C::WriteVrgStatus { vrg, .. } => vec![ObjectId::new(Kind::Vrg, &vrg.namespace, &vrg.name)],
        C::ProtectVolume { pvc, retain, .. } => [claim(pvc)].into_iter().chain(retain.as_deref().map(volume)).collect(),
        C::ReleaseVolume { pvc, volume: of, .. } => [claim(pvc)].into_iter().chain(of.as_deref().map(volume)).collect(),
        C::MarkArchived { pvc, volume: of, .. } => vec![claim(pvc), volume(of)],
        C::CompleteBinding { pvc, .. } => vec![claim(pvc)],
        C::ApplyReplication { pvc, .. } => vec![replication(pvc)],
        C::DeleteReplication { key, .. } => vec![replication(key)],
        C::RestorePv { name, .. } | C::NoteDestination { volume: name, .. } => vec![volume(name)],
        C::RestorePvc { key, .. } => vec![claim(key)],
        C::ClearClaim { volume: of, claim: key, .. } => vec![volume(of), claim(key)],
        _ => Vec::new(),
    }
}
