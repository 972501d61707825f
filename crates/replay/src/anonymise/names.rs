//! Where names stand in records, and what they become.

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::{Record, hub, spoke};
use serde_json::{Map, Value};

/// What a name names; the earlier kind counts if it is several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Cluster,
    Namespace,
    Store,
    Bucket,
    Endpoint,
    Region,
    Certificate,
    Secret,
    Handle,
    Storage,
    Object,
    Label,
}

impl Kind {
    fn renamed(self, number: &str) -> String {
        match self {
            Self::Cluster => format!("cluster-{number}"),
            Self::Namespace => format!("ns-{number}"),
            Self::Store => format!("store-{number}"),
            Self::Bucket => format!("bucket-{number}"),
            Self::Endpoint => format!("s3-{number}.example.test"),
            Self::Region => format!("region-{number}"),
            Self::Certificate => format!("certificate-{number}"),
            Self::Secret => format!("secret-{number}"),
            Self::Handle => format!("handle-{number}"),
            Self::Storage => format!("storage-{number}"),
            Self::Object => format!("name-{number}"),
            Self::Label => format!("label-{number}"),
        }
    }
}

/// Words that the operators use themselves, in slots, keys and states: as names they stay.
const OURS: [&str; 49] = [
    "hub",
    "primary",
    "secondary",
    "true",
    "false",
    "default",
    "status",
    "name",
    "work",
    "view",
    "vrg",
    "drpc",
    "pvc",
    "pv",
    "claim",
    "volume",
    "placement",
    "decision",
    "policy",
    "cluster",
    "config",
    "namespace",
    "store",
    "stores",
    "upload",
    "restore",
    "replication",
    "finalizers",
    "meta",
    "mark",
    "ns",
    "mw",
    "mcv",
    "v1",
    "local",
    "failover",
    "relocate",
    "deploy",
    "deletion",
    "contact",
    "Failover",
    "Relocate",
    "retry",
    "ramen-system",
    "ramen-ops",
    "openshift-dr-system",
    "openshift-dr-ops",
    "openshift-operators",
    "kube-system",
];

/// Words that stand for variants of what records hold: a label may have such a value.
fn is_variant(name: &str) -> bool {
    fn is<T: serde::de::DeserializeOwned>(name: &str) -> bool {
        serde_json::from_value::<T>(Value::String(name.to_owned())).is_ok()
    }
    is::<ramen_events::Kind>(name)
        || is::<ramen_events::Controller>(name)
        || is::<ramen_events::Operator>(name)
        || is::<ramen_events::ConditionStatus>(name)
        || is::<ramen_events::Outcome>(name)
        || is::<ramen_events::Payload>(name)
        || is::<ramen_events::Cause>(name)
        || is::<hub::PlacementKind>(name)
        || is::<hub::ViewAnswer>(name)
        || is::<hub::WorkContent>(name)
        || is::<spoke::PvPhase>(name)
        || is::<spoke::Role>(name)
}

/// Names that are made of others: the others are replaced in them.
const COMPOSED: [&str; 4] = ["ManifestWork", "ManagedClusterView", "PlacementDecision", "StoredObject"];
/// Facts and commands whose own name is such a name.
const OF_COMPOSED: [&str; 12] = [
    "Work",
    "View",
    "Decision",
    "ApplyVrgWork",
    "ApplyNamespaceWork",
    "ApplyClusterWork",
    "ApplyConfigWork",
    "DeleteWork",
    "ApplyView",
    "TouchView",
    "DeleteView",
    "WriteDecision",
];

/// Whether the keys of a field are the user's.
pub fn has_user_keys(field: &str) -> bool {
    matches!(field, "labels" | "annotations" | "class_labels" | "matchLabels" | "parameters")
}

/// Names to be kept: `*` stands for anything.
#[derive(Clone, Debug, Default)]
pub struct Patterns(pub Vec<String>);

impl Patterns {
    fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| glob(pattern, name))
    }
}

fn glob(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let places = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            places.into_iter().any(|at| name.get(at..).is_some_and(|name| glob(rest, name)))
        }),
    }
}

/// The names in records.
#[derive(Debug, Default)]
pub struct Names {
    found: BTreeMap<String, Kind>,
    /// Names that stay because they are words of the operators.
    pub words: BTreeSet<String>,
    /// Names that were to be kept.
    kept: BTreeSet<String>,
    keep: Patterns,
}

impl Names {
    /// None so far; these are to be kept.
    pub fn new(keep: Patterns) -> Self {
        Self { keep, ..Self::default() }
    }

    /// Collects the names in a record.
    ///
    /// # Errors
    /// None that is known.
    pub fn collect(&mut self, record: &Record) -> Result<(), serde_json::Error> {
        self.value(&serde_json::to_value(record)?, "");
        Ok(())
    }

    /// The old names and the new ones, numbered in order; a new name is never an old one.
    pub fn renamed(&self) -> BTreeMap<String, String> {
        let mut by_kind: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
        for (name, kind) in &self.found {
            by_kind.entry(*kind).or_default().push(name);
        }
        // What stays is in it, too: a shorter name in it is not to be replaced.
        let stays = self.words.iter().chain(&self.kept);
        let mut renamed: BTreeMap<String, String> = stays.map(|name| (name.clone(), name.clone())).collect();
        for (kind, names) in by_kind {
            let width = names.len().to_string().len();
            let new = (1_usize..).map(|number| kind.renamed(&format!("{number:0width$}")));
            let free = new.filter(|new| !self.found.contains_key(new));
            renamed.extend(names.into_iter().map(str::to_owned).zip(free));
        }
        // Addresses of stores keep their scheme, and are also known by their host alone.
        let endpoints: Vec<(String, String)> = renamed
            .iter()
            .filter(|(name, _)| self.found.get(*name) == Some(&Kind::Endpoint))
            .map(|(name, new)| (name.clone(), new.clone()))
            .collect();
        for (name, new) in endpoints {
            let (scheme, host) = name.split_once("://").unwrap_or(("https", &name));
            let host = host.split('/').next().unwrap_or(host);
            renamed.insert(name.clone(), format!("{scheme}://{new}"));
            if !host.is_empty() {
                renamed.entry(host.to_owned()).or_insert_with(|| new.clone());
                let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
                if host.contains('.') {
                    renamed.entry(host.to_owned()).or_insert(new);
                }
            }
        }
        renamed
    }

    fn add(&mut self, name: &str, kind: Kind) {
        if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        if self.keep.matches(name) {
            self.kept.insert(name.to_owned());
            return;
        }
        if OURS.contains(&name) || is_variant(name) || name.starts_with("ramen-") || name.contains(".openshift.io") {
            self.words.insert(name.to_owned());
            return;
        }
        let known = self.found.entry(name.to_owned()).or_insert(kind);
        *known = (*known).min(kind);
    }

    /// `around`: the field or variant that the value stands in.
    fn value(&mut self, value: &Value, around: &str) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| match value.as_str() {
                Some(text) => self.field(around, text, around),
                None => self.value(value, around),
            }),
            Value::Object(fields) => self.fields(fields, around),
            _ => {}
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, around: &str) {
        let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
        let composed = COMPOSED.contains(&kind) || OF_COMPOSED.contains(&around);
        for (field, value) in fields {
            if has_user_keys(field) {
                if let Some(labels) = value.as_object().filter(|_| field != "annotations" && field != "parameters") {
                    self.labels(labels);
                }
                continue;
            }
            match value.as_str() {
                Some(_) if composed && (field == "name" || field == "decision" || field == "scope_name") => {}
                Some(text) if matches!(kind, "ManifestWork" | "ManagedClusterView") && field == "namespace" => {
                    self.add(text, Kind::Cluster);
                }
                // A profile of stores, or a namespace.
                Some(_) if kind == "StoredObject" && field == "namespace" => {}
                Some(text) => self.field(field, text, around),
                None => self.value(value, field),
            }
        }
    }

    /// A text in a field.
    fn field(&mut self, field: &str, text: &str, around: &str) {
        let kind = match (field, around) {
            ("cluster" | "clusters" | "on" | "dr_cluster" | "preferred" | "failover" | "preferred_decision", _) => {
                Kind::Cluster
            }
            ("name", "DrCluster" | "ManagedCluster" | "ClusterConfig") => Kind::Cluster,
            (
                "namespace"
                | "secret_namespace"
                | "destination_namespace"
                | "ops_namespace"
                | "placement_namespace"
                | "protected_namespaces",
                _,
            ) => Kind::Namespace,
            ("name", "profiles" | "profile" | "store") | ("profile" | "s3_profiles", _) => Kind::Store,
            ("bucket", _) => Kind::Bucket,
            ("endpoint", _) => Kind::Endpoint,
            ("region", _) => Kind::Region,
            ("ca_certificates", _) if text.len() != 64 => Kind::Certificate,
            ("name", "secret" | "Secret") | ("secret", "profiles" | "profile" | "store") => Kind::Secret,
            ("handle", _) => Kind::Handle,
            ("storage_ids" | "replication_id" | "group_replication_id", _)
            | ("id", "storage_id" | "replication_id")
            | ("mode" | "target", "ApplyModeWork" | "MaintenanceMode")
            | ("targetID", _) => Kind::Storage,
            (
                "name"
                | "policy"
                | "storage_class"
                | "volume"
                | "class"
                | "node"
                | "retain"
                | "snapshot_classes"
                | "storage_classes"
                | "replication_classes"
                | "group_replication_classes"
                | "group_snapshot_classes"
                | "claims"
                | "protected_pvcs",
                _,
            ) => Kind::Object,
            ("placement", "spec" | "Decision" | "ApplicationSet") => Kind::Object,
            // Managers may be called after people.
            ("manager", "authors") if !text.starts_with("kubectl") => Kind::Object,
            _ => return,
        };
        self.add(text, kind);
    }

    fn labels(&mut self, labels: &Map<String, Value>) {
        for (key, value) in labels {
            let domain = key.split_once('/').map_or("", |(domain, _)| domain);
            let ours = super::texts::ours(key).is_some();
            if !ours {
                let key = if domain.is_empty() { key } else { domain };
                self.add(key, Kind::Label);
            }
            if let Some(value) = value.as_str().filter(|_| !ours) {
                self.add(value, Kind::Label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        let cases =
            [("a", "a", true), ("a", "ab", false), ("a*", "ab", true), ("*b", "ab", true), ("a*c*", "abcd", true)];
        for (pattern, name, matches) in cases {
            assert_eq!(glob(pattern, name), matches, "{pattern} {name}");
        }
    }
}
