//! Which objects a command acts on: when one of them changes afterwards, that is likely because of it.

use ramen_events::{Command, Kind, ObjectId, hub, spoke};

/// The objects that a command acts on.
pub fn targets(command: &Command) -> Vec<ObjectId> {
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
        C::Fenced { command, .. } | C::RestoreArchived { restore: command } => of_spoke(command),
        _ => Vec::new(),
    }
}
