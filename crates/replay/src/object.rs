//! An object of the API server, as far as the log knows it: what `kubectl get -o yaml` would have shown of it.

use anyhow::{Result, anyhow};
use ramen_api::{Resource, kinds};
use ramen_events::{
    Aggregate, CommandId, Controller,
    hub::{self, Meta, ObjectRef},
    spoke,
};
use ramen_ports::{Blobs, Effect};
use ramen_projector::{hub::Hub, spoke::Spoke};
use serde_json::{Map, Value, json};

use crate::{open::Usage, state::State};

/// The object that an aggregate is, with the status that was last seen on it, in the form in which it is written.
///
/// # Errors
/// [`Usage`] when the aggregate is no object.
pub fn of(state: &State, aggregate: &Aggregate) -> Result<Value> {
    let object = match state {
        State::Hub(world) => of_hub(&world.domain, aggregate),
        State::Spoke(world) => of_spoke(&world.domain, aggregate),
    };
    object.unwrap_or_else(|| Err(Usage(format!("{aggregate} is no object with a status")).into()))
}

fn of_hub(hub: &Hub, aggregate: &Aggregate) -> Option<Result<Value>> {
    use hub::Command as C;
    let (namespace, name) = (aggregate.namespace.as_str(), aggregate.name.as_str());
    let events = Vec::new();
    match aggregate.controller {
        Controller::Drpc => {
            let fact = hub.drpc(namespace, name)?;
            let (drpc, uid) = (ObjectRef::new(namespace, name), fact.meta.uid.clone());
            let status = Box::new(fact.status.clone());
            let command = C::WriteDrpcStatus { drpc, uid, status, events };
            Some(written(&kinds::DR_PLACEMENT_CONTROL, &fact.meta, Some(&command)))
        }
        Controller::DrPolicy => {
            let fact = hub.policy(name)?;
            let command = fact.status.clone().map(|status| C::WritePolicyStatus {
                policy: name.to_owned(),
                uid: fact.meta.uid.clone(),
                status: Box::new(status),
                events,
            });
            Some(written(&kinds::DR_POLICY, &fact.meta, command.as_ref()))
        }
        Controller::DrCluster => {
            let fact = hub.cluster(name)?;
            let command = fact.status.clone().map(|status| C::WriteClusterStatus {
                cluster: name.to_owned(),
                uid: fact.meta.uid.clone(),
                status: Box::new(status),
                events,
            });
            Some(written(&kinds::DR_CLUSTER, &fact.meta, command.as_ref()))
        }
        _ => None,
    }
}

fn written(resource: &Resource, meta: &Meta, command: Option<&hub::Command>) -> Result<Value> {
    let effects = match command {
        Some(command) => ramen_hub::render::command(no_id(), command, "").map_err(|err| anyhow!("{err}"))?,
        None => Vec::new(),
    };
    let mut fields = metadata(&meta.namespace, &meta.name, &meta.uid, meta.generation);
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("creationTimestamp", json!(meta.created.rfc3339()));
    put("deletionTimestamp", json!(meta.deleting.map(|time| time.rfc3339())));
    put("labels", json!(meta.labels));
    put("annotations", json!(meta.annotations));
    put("finalizers", json!(meta.finalizers));
    Ok(object(resource, fields, effects))
}

fn of_spoke(spoke: &Spoke, aggregate: &Aggregate) -> Option<Result<Value>> {
    use spoke::Command as C;
    let key = spoke::Key::new(&aggregate.namespace, &aggregate.name);
    let (resource, fields, command) = match aggregate.controller {
        Controller::Vrg => {
            let vrg = spoke.vrgs.get(&key)?;
            let mut fields = metadata(&key.namespace, &key.name, &vrg.uid, vrg.generation);
            fields.insert("finalizers".to_owned(), json!(vrg.finalizers));
            let command = vrg.status.clone().map(|status| C::WriteVrgStatus {
                vrg: key,
                uid: vrg.uid.clone(),
                status: Box::new(status),
                notices: Vec::new(),
            });
            (&kinds::VOLUME_REPLICATION_GROUP, fields, command)
        }
        Controller::DrClusterConfig => {
            let config = spoke.cluster_configs.get(&key.name)?;
            let mut fields = metadata("", &key.name, &config.uid, config.generation);
            fields.insert("finalizers".to_owned(), json!(config.finalizers));
            let status = config.status.clone();
            let command = status.map(|status| C::WriteClusterConfigStatus { name: key.name, status: Box::new(status) });
            (&kinds::DR_CLUSTER_CONFIG, fields, command)
        }
        _ => return None,
    };
    let effects = match &command {
        Some(command) => ramen_spoke::render::command(command, "", &NoBlobs).map_err(|err| anyhow!("{err}")),
        None => Ok(Vec::new()),
    };
    Some(effects.map(|effects| object(resource, fields, effects)))
}

/// A status is written without naming the command.
fn no_id() -> CommandId {
    CommandId::derive("", ramen_events::Seq(0), &[])
}

/// No status names a blob.
struct NoBlobs;

impl Blobs for NoBlobs {
    fn get(&self, _: ramen_events::BlobId) -> Option<Vec<u8>> {
        None
    }
}

fn metadata(namespace: &str, name: &str, uid: &str, generation: i64) -> Map<String, Value> {
    let fields = json!({"name": name, "namespace": namespace, "uid": uid, "generation": generation});
    fields.as_object().cloned().unwrap_or_default()
}

fn object(resource: &Resource, metadata: Map<String, Value>, effects: Vec<Effect>) -> Value {
    let status = effects.into_iter().find_map(|effect| match effect {
        Effect::MergeStatus { mut body, .. } => body.get_mut("status").map(Value::take),
        _ => None,
    });
    filled(json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind,
        "metadata": metadata,
        "status": status,
    }))
}

/// Without what is absent: a patch says null for it.
pub fn filled(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, filled(value)));
            Value::Object(fields.filter(|(_, value)| !is_absent(value)).collect())
        }
        Value::Array(elements) => elements.into_iter().map(filled).collect(),
        other => other,
    }
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}
