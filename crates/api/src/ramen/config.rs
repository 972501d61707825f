//! `RamenConfig`: the operators' configuration, a YAML document in a ConfigMap (spec hub 7).
//!
//! Both operators write it at their first start and read it again whenever they act. Upstream fills in defaults only
//! when it writes, and drops every `false` in doing so; here the defaults apply at each read instead: an absent key is
//! its default, an explicit `false` stays `false`.

mod reader;

use serde::Serialize;
use serde_norway::{Mapping, Value};

use reader::Section;

use super::wire;

/// Which operator reads the configuration; only the election's name depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The hub operator.
    Hub,
    /// The operator on a managed cluster.
    Cluster,
}

impl Role {
    /// The ConfigMap that holds this operator's configuration, in the operator's own namespace.
    #[must_use]
    pub const fn config_map(self) -> &'static str {
        match self {
            Self::Hub => wire::name::HUB_CONFIG_MAP,
            Self::Cluster => wire::name::CLUSTER_CONFIG_MAP,
        }
    }

    /// Default name of the Lease by which one replica becomes the leader.
    #[must_use]
    pub const fn election_name(self) -> &'static str {
        match self {
            Self::Hub => "hub.ramendr.openshift.io",
            Self::Cluster => "dr-cluster.ramendr.openshift.io",
        }
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The document is no YAML.
    #[error("the configuration is not valid YAML")]
    Syntax {
        /// Where and why.
        #[source]
        err: serde_norway::Error,
    },
    /// A key holds a value of another type than it should.
    #[error("configuration key {key} must be {wanted}, not {value}")]
    WrongType {
        /// Path of the key, with dots, as it is spelled in the documentation.
        key: String,
        /// What it should hold.
        wanted: &'static str,
        /// What it holds; only the type, where it could be a credential.
        value: String,
    },
    /// No store of that name is configured.
    #[error("s3 profile {name} not found in RamenConfig")]
    NoProfile {
        /// The name looked for.
        name: String,
    },
}

impl ConfigError {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "correct the YAML under key ramen_manager_config.yaml of the operator's ConfigMap",
            Self::WrongType { .. } => "correct the value in the operator's ConfigMap",
            Self::NoProfile { .. } => "add the profile to s3StoreProfiles in the operator's ConfigMap",
        }
    }
}

/// The configuration in force, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RamenConfig {
    /// Probe endpoint.
    pub health: Health,
    /// Metrics endpoint.
    pub metrics: Metrics,
    /// Leader election.
    pub leader_election: LeaderElection,
    /// How many DRPCs or VRGs are worked on at once; at least 1.
    pub max_concurrent_reconciles: u32,
    /// The stores, in order.
    pub s3_store_profiles: Vec<S3StoreProfile>,
    /// What the hub installs on clusters.
    pub dr_cluster_operator: DrClusterOperator,
    /// VolSync.
    pub vol_sync: VolSync,
    /// Capture of API objects.
    pub kube_object_protection: KubeObjectProtection,
    /// Applications in several namespaces.
    pub multi_namespace: MultiNamespace,
    /// Whether claims that are no longer selected, or deleted, lose their protection.
    pub volume_unprotection_enabled: bool,
    /// The admin namespace, for discovered applications; empty for none.
    pub ramen_ops_namespace: String,
    /// Whether SCC annotations of namespaces may be carried to the peer.
    #[serde(rename = "retainNamespaceSCCAcrossPeers")]
    pub retain_namespace_scc_across_peers: bool,
}

/// Where liveness and readiness are answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Address, `host:port`; an empty host means all.
    pub health_probe_bind_address: String,
}

/// Where metrics are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Address, `host:port`; `0` turns metrics off.
    pub bind_address: String,
}

/// Whether and as what a replica stands for election.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaderElection {
    /// Whether there is an election.
    pub leader_elect: bool,
    /// Name of the Lease.
    pub resource_name: String,
}

/// One store (spec s3 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct S3StoreProfile {
    /// Name by which DRClusters and VRGs refer to it.
    pub s3_profile_name: String,
    /// Bucket; must exist.
    pub s3_bucket: String,
    /// URL of the store.
    pub s3_compatible_endpoint: String,
    /// Region that requests are signed for.
    pub s3_region: String,
    /// Secret with the credentials.
    pub s3_secret_ref: S3SecretRef,
    /// Where Velero finds its credentials; absent means the secret that we distribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub velero_namespace_secret_key_ref: Option<SecretKeyRef>,
    /// PEM bundle of the store's authorities, base64 as in the document.
    #[serde(rename = "caCertificates", skip_serializing_if = "Option::is_none")]
    pub ca_certificates: Option<String>,
}

impl S3StoreProfile {
    /// Name and key of the credential of Velero's storage location, in Velero's namespace.
    #[must_use]
    pub fn velero_credential(&self) -> (String, String) {
        match &self.velero_namespace_secret_key_ref {
            Some(reference) => (reference.name.clone(), reference.key.clone()),
            None => (wire::name::velero_secret(&self.s3_secret_ref.name), wire::s3_secret_key::VELERO.to_owned()),
        }
    }
}

/// A secret by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct S3SecretRef {
    /// Name.
    pub name: String,
    /// Namespace; empty means that of the operator that reads it.
    pub namespace: String,
}

/// A key of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretKeyRef {
    /// Name of the secret.
    pub name: String,
    /// Key in the secret.
    pub key: String,
}

/// What the hub installs on clusters, and from where (spec hub 4). Empty texts stand for the defaults of the methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrClusterOperator {
    /// Whether the hub installs the operator on clusters.
    pub deployment_automation_enabled: bool,
    /// Whether the hub carries S3 secrets to clusters.
    #[serde(rename = "s3SecretDistributionEnabled")]
    pub s3_secret_distribution_enabled: bool,
    /// OLM channel.
    pub channel_name: String,
    /// OLM package.
    pub package_name: String,
    /// Namespace of the operator on clusters; `None` for the hub operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_name: Option<String>,
    /// OLM catalog.
    pub catalog_source_name: String,
    /// Namespace of the OLM catalog; `None` for the hub operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_source_namespace_name: Option<String>,
    /// OLM version.
    pub cluster_service_version_name: String,
}

/// How VolSync is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolSync {
    /// Whether it is off.
    pub disabled: bool,
    /// Driver whose volumes form consistency groups under VolSync.
    #[serde(rename = "cephFSCSIDriverName")]
    pub ceph_fs_csi_driver_name: String,
    /// Where receivers write.
    pub destination_copy_method: CopyMethod,
}

/// Where VolSync's receivers write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CopyMethod {
    /// Into the claim that the application will use.
    Direct,
    /// Into a claim of their own, with a snapshot after each round.
    Snapshot,
    /// A method of VolSync that we have no case for.
    #[serde(untagged)]
    Other(String),
}

/// Capture of API objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectProtection {
    /// Whether it is off.
    pub disabled: bool,
    /// Namespace of Velero.
    pub velero_namespace_name: String,
}

/// Applications in several namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MultiNamespace {
    /// Whether they are allowed (the capital letter is upstream's).
    #[serde(rename = "FeatureEnabled")]
    pub feature_enabled: bool,
    /// Whether VolSync may be used for them.
    #[serde(rename = "volsyncSupported")]
    pub volsync_supported: bool,
}

impl RamenConfig {
    /// Reads the document under [`wire::name::CONFIG_KEY`]. An empty document gives the defaults.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] or [`ConfigError::WrongType`]: nothing is used of a document with an error in it.
    pub fn parse(role: Role, yaml: &str) -> Result<Self, ConfigError> {
        let document = document(yaml)?;
        let root = Section::root(&document)?;
        Ok(Self {
            health: Health {
                health_probe_bind_address: root
                    .section("health")?
                    .filled_text("healthProbeBindAddress")?
                    .unwrap_or_else(|| ":8081".to_owned()),
            },
            metrics: Metrics {
                bind_address: root
                    .section("metrics")?
                    .filled_text("bindAddress")?
                    .unwrap_or_else(|| "0.0.0.0:9289".to_owned()),
            },
            leader_election: LeaderElection::read(role, &root.section("leaderElection")?)?,
            max_concurrent_reconciles: root.count("maxConcurrentReconciles")?.unwrap_or(50).max(1),
            s3_store_profiles: root
                .sections("s3StoreProfiles")?
                .iter()
                .map(S3StoreProfile::read)
                .collect::<Result<_, _>>()?,
            dr_cluster_operator: DrClusterOperator::read(&root.section("drClusterOperator")?)?,
            vol_sync: VolSync::read(&root.section("volSync")?)?,
            kube_object_protection: KubeObjectProtection::read(&root.section("kubeObjectProtection")?)?,
            multi_namespace: MultiNamespace::read(&root.section("multiNamespace")?)?,
            volume_unprotection_enabled: root.flag("volumeUnprotectionEnabled")?.unwrap_or(true),
            ramen_ops_namespace: root.text("ramenOpsNamespace")?.unwrap_or_else(|| "ramen-ops".to_owned()),
            retain_namespace_scc_across_peers: root.flag("retainNamespaceSCCAcrossPeers")?.unwrap_or(true),
        })
    }

    /// The configuration of an operator that was given none.
    ///
    /// # Errors
    /// None in practice: an empty document is valid.
    pub fn defaults(role: Role) -> Result<Self, ConfigError> {
        Self::parse(role, "")
    }

    /// The document that says the same, every key written out, for a ConfigMap that does not exist yet.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] when it can't be written as YAML, which no configuration leads to.
    pub fn to_yaml(&self) -> Result<String, ConfigError> {
        let body = serde_norway::to_string(self).map_err(|err| ConfigError::Syntax { err })?;
        Ok(format!("apiVersion: {}/v1alpha1\nkind: RamenConfig\n{body}", wire::GROUP))
    }

    /// The store of a name; the first one wins.
    ///
    /// # Errors
    /// [`ConfigError::NoProfile`].
    pub fn s3_profile(&self, name: &str) -> Result<&S3StoreProfile, ConfigError> {
        self.s3_store_profiles
            .iter()
            .find(|profile| profile.s3_profile_name == name)
            .ok_or_else(|| ConfigError::NoProfile { name: name.to_owned() })
    }
}

/// The hub's document as it goes to a cluster: unchanged, save that the cluster's operator is elected under its own name
/// (spec hub 7.3). Keys that this version does not know are kept.
///
/// # Errors
/// [`ConfigError::Syntax`] or [`ConfigError::WrongType`].
pub fn for_cluster(hub_yaml: &str) -> Result<String, ConfigError> {
    let mut document = document(hub_yaml)?;
    Section::root(&document)?.section("leaderElection")?;
    if document.is_null() {
        document = Value::Mapping(Mapping::new());
    }
    if let Value::Mapping(root) = &mut document {
        let election = entry(root, "leaderElection");
        if election.is_null() {
            *election = Value::Mapping(Mapping::new());
        }
        if let Value::Mapping(election) = election {
            *entry(election, "resourceName") = Role::Cluster.election_name().into();
        }
    }
    serde_norway::to_string(&document).map_err(|err| ConfigError::Syntax { err })
}

/// The value of a key in whatever case it is spelled, added if absent.
fn entry<'a>(mapping: &'a mut Mapping, key: &str) -> &'a mut Value {
    let spelled = mapping.keys().find(|k| k.as_str().is_some_and(|k| k.eq_ignore_ascii_case(key))).cloned();
    mapping.entry(spelled.unwrap_or_else(|| key.into())).or_insert(Value::Null)
}

fn document(yaml: &str) -> Result<Value, ConfigError> {
    if yaml.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_norway::from_str(yaml).map_err(|err| ConfigError::Syntax { err })
}

impl LeaderElection {
    fn read(role: Role, from: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            leader_elect: from.flag("leaderElect")?.unwrap_or(true),
            resource_name: from.filled_text("resourceName")?.unwrap_or_else(|| role.election_name().to_owned()),
        })
    }
}

impl S3StoreProfile {
    fn read(from: &Section<'_>) -> Result<Self, ConfigError> {
        let secret = from.section("s3SecretRef")?;
        let velero = from.section("veleroNamespaceSecretKeyRef")?;
        let velero_name = velero.filled_text("name")?;
        let velero_key = velero.filled_text("key")?;
        Ok(Self {
            s3_profile_name: from.text("s3ProfileName")?.unwrap_or_default(),
            s3_bucket: from.text("s3Bucket")?.unwrap_or_default(),
            s3_compatible_endpoint: from.text("s3CompatibleEndpoint")?.unwrap_or_default(),
            s3_region: from.text("s3Region")?.unwrap_or_default(),
            s3_secret_ref: S3SecretRef {
                name: secret.text("name")?.unwrap_or_default(),
                namespace: secret.text("namespace")?.unwrap_or_default(),
            },
            velero_namespace_secret_key_ref: velero_name.map(|name| SecretKeyRef {
                name,
                key: velero_key.unwrap_or_else(|| wire::s3_secret_key::VELERO.to_owned()),
            }),
            ca_certificates: from.filled_text("caCertificates")?,
        })
    }
}

impl DrClusterOperator {
    fn read(from: &Section<'_>) -> Result<Self, ConfigError> {
        let or = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
        Ok(Self {
            deployment_automation_enabled: from.flag("deploymentAutomationEnabled")?.unwrap_or(true),
            s3_secret_distribution_enabled: from.flag("s3SecretDistributionEnabled")?.unwrap_or(true),
            channel_name: or(from.filled_text("channelName")?, "alpha"),
            package_name: or(from.filled_text("packageName")?, "ramen-dr-cluster-operator"),
            namespace_name: from.filled_text("namespaceName")?,
            catalog_source_name: or(from.filled_text("catalogSourceName")?, "ramen-catalog"),
            catalog_source_namespace_name: from.filled_text("catalogSourceNamespaceName")?,
            cluster_service_version_name: or(
                from.filled_text("clusterServiceVersionName")?,
                "ramen-dr-cluster-operator.v0.0.1",
            ),
        })
    }
}

impl VolSync {
    fn read(from: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            disabled: from.flag("disabled")?.unwrap_or(false),
            ceph_fs_csi_driver_name: from
                .filled_text("cephFSCSIDriverName")?
                .unwrap_or_else(|| "openshift-storage.cephfs.csi.ceph.com".to_owned()),
            destination_copy_method: match from.text("destinationCopyMethod")?.as_deref() {
                None | Some("Direct") => CopyMethod::Direct,
                Some("" | "Snapshot") => CopyMethod::Snapshot,
                Some(other) => CopyMethod::Other(other.to_owned()),
            },
        })
    }
}

impl KubeObjectProtection {
    fn read(from: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            disabled: from.flag("disabled")?.unwrap_or(false),
            velero_namespace_name: from.text("veleroNamespaceName")?.unwrap_or_else(|| "velero".to_owned()),
        })
    }
}

impl MultiNamespace {
    fn read(from: &Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            feature_enabled: from.flag("FeatureEnabled")?.unwrap_or(true),
            volsync_supported: from.flag("volsyncSupported")?.unwrap_or(true),
        })
    }
}
