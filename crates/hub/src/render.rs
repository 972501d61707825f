//! What commands come down to: pure functions from one command to calls, one file a subject.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_api::{
    Resource, kinds,
    ramen::{
        RamenConfig,
        config::Role,
        wire::{label, name},
    },
};
use ramen_events::{CommandId, Kind, hub::Command};
use ramen_ports::{Effect, RenderError, StoreOperation, StoreProfile, Target};
use serde_json::{Value, json};

pub mod view;

mod meta;
mod placement;
mod status;
mod work;

/// The calls of a command; `namespace` is the operator's own.
///
/// # Errors
/// When the command cannot be put into calls.
pub fn command(id: CommandId, command: &Command, namespace: &str) -> Result<Vec<Effect>, RenderError> {
    Ok(match command {
        Command::CreateConfig => vec![config_map(namespace)?],
        Command::CreateOpsNamespace { name } => vec![ops_namespace(name)],
        Command::PatchMeta(patch) => vec![meta::patch(patch)?],
        Command::WriteDrpcStatus { drpc, uid, status, events } => status::drpc(drpc, uid, status, events),
        Command::WritePolicyStatus { policy, uid, status, events } => status::policy(policy, uid, status, events),
        Command::WriteClusterStatus { cluster, uid, status, events } => status::cluster(cluster, uid, status, events),
        Command::ApplyVrgWork(work) => vec![work::vrg(id, work)],
        Command::ApplyNamespaceWork(work) => vec![work::namespace(work)],
        Command::ApplyClusterWork { cluster, keep } => vec![work::rights(cluster, keep)],
        Command::ApplyConfigWork { cluster, id, schedules } => vec![work::config(cluster, id, schedules)],
        Command::ApplyModeWork(work) => vec![work::mode(id, work)],
        Command::DeleteWork { cluster, name, uid } => {
            vec![Effect::Delete { target: target(&kinds::MANIFEST_WORK, &cluster.0, name), uid: Some(uid.clone()) }]
        }
        Command::ApplyView(wish) => vec![view::apply(wish)],
        Command::TouchView { cluster, name, freshness } => vec![view::touch(cluster, name, freshness)],
        Command::DeleteView { cluster, name } => {
            vec![Effect::Delete { target: target(&kinds::MANAGED_CLUSTER_VIEW, &cluster.0, name), uid: None }]
        }
        Command::WriteDecision { placement, kind, uid, decision, create, label, entries } => {
            let object = placement::Decision { placement, uid, name: decision };
            match kind {
                ramen_events::hub::PlacementKind::Placement => object.write(*create, *label, entries.as_deref()),
                ramen_events::hub::PlacementKind::Rule => object.write_rule(entries.as_deref()),
            }
        }
        Command::ProbeStore { profile, prefix, .. } => {
            vec![Effect::Store {
                profile: store(profile)?,
                operation: StoreOperation::Probe { prefix: prefix.clone() },
            }]
        }
        Command::FetchStoredVrg { profile, key } => {
            vec![Effect::Store { profile: store(profile)?, operation: StoreOperation::Get(key.clone()) }]
        }
    })
}

/// An object by kind, namespace and name.
fn target(resource: &'static Resource, namespace: &str, name: &str) -> Target {
    Target { resource, namespace: namespace.to_owned(), name: name.to_owned() }
}

/// The kinds that we put marks on.
fn resource(kind: Kind) -> Result<&'static Resource, RenderError> {
    match kind {
        Kind::Drpc => Ok(&kinds::DR_PLACEMENT_CONTROL),
        Kind::DrPolicy => Ok(&kinds::DR_POLICY),
        Kind::DrCluster => Ok(&kinds::DR_CLUSTER),
        Kind::Placement => Ok(&kinds::PLACEMENT),
        Kind::PlacementRule => Ok(&kinds::PLACEMENT_RULE),
        other => Err(RenderError(format!("objects of kind {other:?} get no marks of the hub"))),
    }
}

/// The operator's ConfigMap with the defaults, every key written out.
fn config_map(namespace: &str) -> Result<Effect, RenderError> {
    let config = RamenConfig::defaults(Role::Hub).and_then(|config| config.to_yaml());
    let yaml = config.map_err(|err| RenderError(err.to_string()))?;
    Ok(Effect::Create {
        target: target(&kinds::CONFIG_MAP, namespace, name::HUB_CONFIG_MAP),
        body: json!({
            "metadata": {"labels": {(label::BACKUP): label::BACKUP_RAMEN}},
            "data": {(name::CONFIG_KEY): yaml},
        }),
    })
}

fn ops_namespace(name: &str) -> Effect {
    Effect::Create {
        target: target(&kinds::NAMESPACE, "", name),
        body: json!({"metadata": {"labels": created_by_ramen()}}),
    }
}

/// The label on everything that we create.
fn created_by_ramen() -> Value {
    json!({(label::CREATED_BY_RAMEN): label::TRUE})
}

fn store(profile: &ramen_events::hub::Profile) -> Result<StoreProfile, RenderError> {
    // YAML folds long texts into lines.
    let encoded: String = profile.ca_certificates.split_whitespace().collect();
    let wrong = |err| {
        let name = &profile.name;
        RenderError(format!("s3StoreProfiles[{name}].caCertificates must be a PEM bundle in base64: {err}"))
    };
    Ok(StoreProfile {
        name: profile.name.clone(),
        endpoint: profile.endpoint.clone(),
        bucket: profile.bucket.clone(),
        region: profile.region.clone(),
        secret_namespace: profile.secret_namespace.clone(),
        secret_name: profile.secret.clone(),
        ca_certificates: BASE64_STANDARD.decode(encoded).map_err(wrong)?,
    })
}
