//! ManifestWorks (spec drpc 3.2, hub 4, 8.1).
//!
//! Manifests end in the empty `status` that those of an existing installation end in: agents ignore it, and a work that
//! is taken over is not rewritten for its sake.

use ramen_api::{
    Resource, kinds,
    ramen::wire::{annotation, label, name, state::Mode},
};
use ramen_events::{
    ClusterName, CommandId, Json,
    hub::{ModeWork, NamespaceWork, ObjectRef, VrgWork},
};
use ramen_ports::Effect;
use serde_json::{Value, json};

use crate::{feedback, vrg_spec};

use super::{created_by_ramen, target};

/// The VRG for a cluster, with the command that asks for it, and what is to be read back of it.
pub fn vrg(id: CommandId, work: &VrgWork) -> Effect {
    let resource = &kinds::VOLUME_REPLICATION_GROUP;
    let manifest = &work.manifest;
    let mut annotations = manifest.annotations.clone();
    annotations.insert(annotation::HUB_COMMAND.to_owned(), id.to_string());
    let object = json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind,
        "metadata": {
            "name": manifest.name,
            "namespace": manifest.namespace,
            "labels": manifest.labels,
            "annotations": annotations,
        },
        "spec": vrg_spec::write(&manifest.spec),
        "status": {"kubeObjectProtection": {}, "lastUpdateTime": null},
    });
    let mut options = json!({
        "resourceIdentifier": {
            "group": resource.group,
            "resource": resource.plural,
            "namespace": manifest.namespace,
            "name": manifest.name,
        },
        "feedbackRules": feedback::rules(),
    });
    // Poll is what the absence means. A field that an older CRD lacks would have server-side apply refused.
    if work.watched {
        options["feedbackScrapeType"] = json!("Watch");
    }
    let spec = json!({"workload": {"manifests": [object]}, "manifestConfigs": [options]});
    apply(&work.cluster, &work.name, drpc_annotations(&work.drpc), spec)
}

/// The application's namespace; it stays when the work goes.
pub fn namespace(work: &NamespaceWork) -> Effect {
    let annotations = drpc_annotations(&work.drpc);
    let object = json!({
        "apiVersion": kinds::NAMESPACE.api_version(),
        "kind": kinds::NAMESPACE.kind,
        "metadata": {"name": work.namespace, "annotations": annotations},
        "spec": {},
        "status": {},
    });
    let spec = json!({
        "deleteOption": {"propagationPolicy": "Orphan"},
        "workload": {"manifests": [object]},
    });
    apply(&work.cluster, &work.name, annotations, spec)
}

/// Roles of the agent: name, API group, resources, and whether it may also delete and watch.
const ROLES: [(&str, &Resource, &[&str]); 5] = [
    ("volrepgroup-edit", &kinds::VOLUME_REPLICATION_GROUP, &["delete"]),
    ("mmode-edit", &kinds::MAINTENANCE_MODE, &["delete"]),
    ("drclusterconfig-edit", &kinds::DR_CLUSTER_CONFIG, &["delete"]),
    ("networkfence-edit", &kinds::NETWORK_FENCE, &["delete", "watch"]),
    ("recipe-edit", &kinds::RECIPE, &[]),
];

/// The rights that the agent needs for what the hub sends, before what the work held besides.
pub fn rights(cluster: &ClusterName, keep: &[Json]) -> Effect {
    let roles = ROLES.iter().map(|(role, resource, more)| {
        let verbs: Vec<&str> = ["create", "get", "list", "update"].iter().chain(*more).copied().collect();
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {
                "name": format!("{}{role}", name::AGENT_ROLE_PREFIX),
                "labels": {(label::AGGREGATE_TO_WORK): label::TRUE, (label::CREATED_BY_RAMEN): label::TRUE},
            },
            "rules": [{"apiGroups": [resource.group], "resources": [resource.plural], "verbs": verbs}],
        })
    });
    let manifests: Vec<Value> = roles.chain(keep.iter().map(Json::value)).collect();
    let annotations = json!({(annotation::DR_CLUSTER_NAME): cluster.0});
    let mut spec = json!({"workload": {"manifests": manifests}});
    if !keep.is_empty() {
        // What somebody else installed outlives the work, and our few roles with it (spec hub 13, H4).
        spec["deleteOption"] = json!({"propagationPolicy": "Orphan"});
    }
    apply(cluster, name::DR_CLUSTER_WORK, annotations, spec)
}

/// The question what a cluster offers for DR.
pub fn config(cluster: &ClusterName, id: &str, schedules: &[String]) -> Effect {
    let resource = &kinds::DR_CLUSTER_CONFIG;
    let mut object = json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind,
        "metadata": {"name": cluster.0, "labels": created_by_ramen()},
        "spec": {"clusterID": id},
        "status": {},
    });
    if !schedules.is_empty() {
        object["spec"]["replicationSchedules"] = json!(schedules);
    }
    let spec = json!({"workload": {"manifests": [object]}});
    apply(cluster, name::DR_CLUSTER_CONFIG_WORK, Value::Null, spec)
}

/// The request to storage to prepare for a failover, with the command that asks: an answer to an earlier request of the
/// same name is none to this one.
pub fn mode(id: CommandId, work: &ModeWork) -> Effect {
    let resource = &kinds::MAINTENANCE_MODE;
    let object = json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind,
        "metadata": {
            "name": work.mode,
            "labels": created_by_ramen(),
            "annotations": {(annotation::HUB_COMMAND): id.to_string()},
        },
        "spec": {"modes": [Mode::Failover], "storageProvisioner": work.provisioner, "targetID": work.target},
        "status": {},
    });
    let mut labels = created_by_ramen();
    labels[label::MAINTENANCE_MODES] = json!("");
    Effect::Apply {
        target: target(&kinds::MANIFEST_WORK, &work.cluster.0, &name::maintenance_mode_manifest_work(&work.mode)),
        body: json!({
            "metadata": {"labels": labels, "annotations": {(annotation::DR_CLUSTER_NAME): work.cluster.0}},
            "spec": {"workload": {"manifests": [object]}},
        }),
    }
}

fn drpc_annotations(drpc: &ObjectRef) -> Value {
    json!({(annotation::DRPC_NAME): drpc.name, (annotation::DRPC_NAMESPACE): drpc.namespace})
}

fn apply(cluster: &ClusterName, name: &str, annotations: Value, spec: Value) -> Effect {
    let mut metadata = json!({"labels": created_by_ramen()});
    if !annotations.is_null() {
        metadata["annotations"] = annotations;
    }
    Effect::Apply {
        target: target(&kinds::MANIFEST_WORK, &cluster.0, name),
        body: json!({"metadata": metadata, "spec": spec}),
    }
}
