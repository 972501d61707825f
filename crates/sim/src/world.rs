//! The setting of the golden recording: a hub, two clusters, two stores, a policy of one minute, applications.
//!
//! Everything here may be done again: what exists is left as it is. On real API servers a custom resource definition
//! takes a moment to be served; until then the functions answer [`ApiError::NotFound`] and are to be called again.

mod objects;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ramen_api::foreign_crds::{WorkCrd, foreign_crds, manifest_work_crd};
use ramen_api::manifests::{Side, own_crds};
use ramen_api::ramen::wire::{label, state::Mode};
use serde_json::{Value, json};

use crate::agents::object;
use crate::agents::registration;
use crate::api::{Api, ApiError, Resource};
use crate::apps::Application;
use crate::kinds;
use crate::time::Time;

/// Namespace of the operators, on the hub and on the clusters.
pub const OPERATOR_NAMESPACE: &str = "ramen-system";
/// Name of the policy.
pub const POLICY: &str = "policy";

/// An S3 store, as the operators' configuration names it.
#[derive(Clone)]
pub struct Store {
    /// Name of the profile: `s3-<cluster>`.
    pub profile: String,
    /// Bucket.
    pub bucket: String,
    /// URL of the endpoint.
    pub endpoint: String,
    /// Public part of the key.
    pub access_key: String,
    /// Secret part of the key.
    pub secret_key: String,
}

/// What a world is made of.
#[derive(Clone)]
pub struct Setting {
    /// Names of the managed clusters.
    pub clusters: Vec<String>,
    /// The policies: their names, and the two clusters of each. A cluster may be in several.
    pub policies: Vec<(String, Vec<String>)>,
    /// Stores, one per cluster in the same order.
    pub stores: Vec<Store>,
    /// Interval of the policy and of the replication class: `1m`.
    pub interval: String,
    /// Which ManifestWork CRD the hub has.
    pub work_crd: WorkCrd,
    /// Whether the storage wants to be told of failovers: its replication classes say so.
    pub maintenance_modes: bool,
    /// What the storage classes do with a volume whose claim is deleted: `Delete` or `Retain`.
    pub reclaim_policy: &'static str,
    /// How classes call the relation between the clusters of a policy: this and the policy's number.
    pub relation: String,
}

impl Setting {
    /// Clusters c1 and c2, an interval of one minute, and these stores.
    #[must_use]
    pub fn golden(stores: Vec<Store>) -> Self {
        Self {
            clusters: vec!["c1".into(), "c2".into()],
            policies: vec![(POLICY.into(), vec!["c1".into(), "c2".into()])],
            stores,
            interval: "1m".into(),
            work_crd: WorkCrd::WithScrapeType,
            maintenance_modes: false,
            reclaim_policy: "Delete",
            relation: "rid-".into(),
        }
    }

    /// The classes of a policy's clusters. Two sites that mirror to each other have storage for that alone, so a cluster
    /// has classes for each of its policies, which are called alike on both clusters.
    fn classes_of(&self, policy: usize) -> Classes {
        let before = self.policies.iter().take(policy);
        let clusters = self.policies.get(policy).map(|(_, clusters)| clusters.as_slice()).unwrap_or_default();
        let earlier = |cluster: &&String| before.clone().filter(|(_, others)| others.contains(cluster)).count();
        let number = clusters.iter().map(|cluster| earlier(&cluster)).max().unwrap_or_default();
        let suffix = if number == 0 { String::new() } else { format!("-{}", number + 1) };
        Classes {
            storage: format!("lab-rbd{suffix}"),
            replication: format!("vrc-{}{suffix}", self.interval),
            relation: self.replication_id(policy),
            suffix,
        }
    }

    /// By which name the classes of both clusters of a policy call the relation between them: the first policy's, and so on.
    #[must_use]
    pub fn replication_id(&self, policy: usize) -> String {
        format!("{}{}", self.relation, policy + 1)
    }

    /// The storage class for applications under a policy.
    #[must_use]
    pub fn storage_class_of(&self, policy: &str) -> String {
        let index = self.policies.iter().position(|(name, _)| name == policy).unwrap_or_default();
        self.classes_of(index).storage
    }
}

/// The classes of a policy's clusters.
struct Classes {
    storage: String,
    replication: String,
    relation: String,
    suffix: String,
}

/// The hub's URL, from which the agents derive the names of their records.
pub const HUB_URL: &str = "https://hub.example.com:6443";

/// Makes the hub: definitions, namespaces, configuration, registered clusters.
///
/// # Errors
/// Those of the API server.
pub fn install_hub(hub: &dyn Api, setting: &Setting, now: Time) -> Result<(), ApiError> {
    install_definitions(hub, Side::Hub, setting.work_crd)?;
    for namespace in [OPERATOR_NAMESPACE, "ramen-ops", "open-cluster-management-agent"] {
        ensure(hub, &kinds::NAMESPACE, &objects::namespace(namespace))?;
    }
    configure(hub, setting, "ramen-hub-operator-config", "hub.ramendr.openshift.io")?;
    for cluster in &setting.clusters {
        registration::register(hub, cluster, &cluster_id(cluster), now)?;
    }
    Ok(())
}

/// Makes a managed cluster: definitions, namespaces, configuration, classes, its node.
///
/// # Errors
/// Those of the API server.
pub fn install_cluster(own: &dyn Api, cluster: &str, setting: &Setting) -> Result<(), ApiError> {
    install_definitions(own, Side::Spoke, setting.work_crd)?;
    for namespace in [OPERATOR_NAMESPACE, "ramen-ops", "open-cluster-management-agent"] {
        ensure(own, &kinds::NAMESPACE, &objects::namespace(namespace))?;
    }
    configure(own, setting, "ramen-dr-cluster-operator-config", "dr-cluster.ramendr.openshift.io")?;
    for (policy, (_, clusters)) in setting.policies.iter().enumerate() {
        if clusters.iter().any(|name| name == cluster) {
            let classes = setting.classes_of(policy);
            ensure(own, &kinds::STORAGE_CLASS, &objects::storage_class(cluster, &classes, setting.reclaim_policy))?;
            let mut class = objects::replication_class(cluster, &setting.interval, &classes);
            if setting.maintenance_modes {
                class["metadata"]["labels"][label::MAINTENANCE_MODES] = json!(Mode::Failover);
            }
            ensure(own, &kinds::VOLUME_REPLICATION_CLASS, &class)?;
        }
    }
    ensure(own, &kinds::CLUSTER_CLAIM, &objects::cluster_claim(&cluster_id(cluster)))?;
    ensure(own, &kinds::NODE, &objects::node(cluster))
}

/// Asks for disaster recovery: a DRCluster for each cluster and the policies over them.
///
/// # Errors
/// Those of the hub's API server.
pub fn install_policies(hub: &dyn Api, setting: &Setting) -> Result<(), ApiError> {
    for (cluster, store) in setting.clusters.iter().zip(&setting.stores) {
        ensure(hub, &kinds::DR_CLUSTER, &objects::dr_cluster(cluster, &store.profile))?;
    }
    setting.policies.iter().try_for_each(|(name, clusters)| {
        ensure(hub, &kinds::DR_POLICY, &objects::dr_policy(name, clusters, &setting.interval))
    })
}

/// Asks for an application to run on a cluster: its placement, the decision for it, and the ApplicationSet from which
/// its namespace is known.
///
/// # Errors
/// Those of the hub's API server.
pub fn place(hub: &dyn Api, application: &Application, cluster: &str) -> Result<(), ApiError> {
    ensure(hub, &kinds::NAMESPACE, &objects::namespace(&application.hub_namespace))?;
    ensure(hub, &kinds::APPLICATION_SET, &objects::application_set(application))?;
    ensure(hub, &kinds::PLACEMENT, &objects::placement(application))?;
    let decision = objects::decision(application);
    ensure(hub, &kinds::PLACEMENT_DECISION, &decision)?;
    let (namespace, name) = (Some(object::namespace(&decision)), object::name(&decision));
    let mut decided = hub.get(&kinds::PLACEMENT_DECISION, namespace, name)?;
    if object::list(&decided, "/status/decisions").is_empty() {
        decided["status"] = json!({"decisions": [{"clusterName": cluster, "reason": cluster}]});
        hub.update_status(&kinds::PLACEMENT_DECISION, &decided)?;
    }
    Ok(())
}

/// Puts an application under disaster recovery: its DRPlacementControl.
///
/// # Errors
/// Those of the hub's API server.
pub fn protect(hub: &dyn Api, application: &Application, cluster: &str) -> Result<(), ApiError> {
    protect_under(hub, application, POLICY, cluster)
}

/// The same under another policy.
///
/// # Errors
/// Those of the hub's API server.
pub fn protect_under(hub: &dyn Api, application: &Application, policy: &str, cluster: &str) -> Result<(), ApiError> {
    ensure(hub, &kinds::DRPC, &objects::drpc(application, policy, cluster))
}

/// The id that a cluster claims.
#[must_use]
pub fn cluster_id(cluster: &str) -> String {
    format!("id-{cluster}")
}

fn install_definitions(api: &dyn Api, side: Side, work_crd: WorkCrd) -> Result<(), ApiError> {
    definitions(side, work_crd)?.iter().try_for_each(|definition| ensure(api, &kinds::CRD, definition))
}

/// The definitions of one side, generated once: it takes a while, and worlds are made by the thousand.
fn definitions(side: Side, work_crd: WorkCrd) -> Result<Arc<Vec<Value>>, ApiError> {
    type Generated = BTreeMap<(Side, WorkCrd), Arc<Vec<Value>>>;
    static GENERATED: OnceLock<Mutex<Generated>> = OnceLock::new();
    let mut generated = GENERATED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = generated.get(&(side, work_crd)) {
        return Ok(known.clone());
    }
    let own = own_crds().into_iter().filter(|own| own.side == side).map(|own| own.crd);
    let work = manifest_work_crd(work_crd);
    let foreign = foreign_crds().into_iter().filter(|crd| crd.metadata.name != work.metadata.name);
    let mut definitions = Vec::new();
    for crd in own.chain(foreign).chain([work.clone()]) {
        let mut definition = serde_json::to_value(crd).map_err(|why| ApiError::Invalid(why.to_string()))?;
        definition["apiVersion"] = json!(kinds::CRD.api_version());
        definition["kind"] = json!(kinds::CRD.kind);
        definitions.push(definition);
    }
    let definitions = Arc::new(definitions);
    generated.insert((side, work_crd), definitions.clone());
    Ok(definitions)
}

/// The operators' configuration and the secrets that it names.
fn configure(api: &dyn Api, setting: &Setting, name: &str, lease: &str) -> Result<(), ApiError> {
    for store in &setting.stores {
        let keys = BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", store.access_key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", store.secret_key.as_str()),
        ]);
        ensure(api, &kinds::SECRET, &objects::secret(&store.profile, OPERATOR_NAMESPACE, &keys))?;
    }
    let config = objects::ramen_config(&setting.stores, lease, OPERATOR_NAMESPACE);
    ensure(api, &kinds::CONFIG_MAP, &objects::config_map(name, OPERATOR_NAMESPACE, &config))
}

/// A value of a Secret; `None` when it has none that is text.
#[must_use]
pub fn secret_value(secret: &Value, key: &str) -> Option<String> {
    let bytes = STANDARD.decode(secret["data"][key].as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// Creates an object, unless there is one of its name.
///
/// # Errors
/// Those of the API server.
pub fn ensure(api: &dyn Api, kind: &Resource, object: &Value) -> Result<(), ApiError> {
    match api.create(kind, object) {
        Ok(_) | Err(ApiError::AlreadyExists) => Ok(()),
        Err(other) => Err(other),
    }
}
