//! Simulated applications: who deploys them where the hub decided, and what they do to their volumes.
//!
//! [`deploy::Deployer`] stands in for GitOps, [`workload::Workload`] for kubelet and the application itself.

pub mod deploy;
pub mod workload;

use serde_json::{Value, json};

/// An application: a pod that writes to its claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its name, also of its pod, its namespace on the clusters and the value of its label `app`.
    pub name: String,
    /// Namespace of its placement on the hub.
    pub hub_namespace: String,
    /// Its placement on the hub.
    pub placement: String,
    /// Storage class of its claims.
    pub storage_class: String,
    /// Names of its claims.
    pub claims: Vec<String>,
}

impl Application {
    /// Application number `number` with so many claims, named as in the golden recording.
    #[must_use]
    pub fn numbered(number: usize, claims: usize) -> Self {
        let name = format!("app-{number:03}");
        Self {
            hub_namespace: "apps".into(),
            placement: name.clone(),
            storage_class: "lab-rbd".into(),
            claims: (0..claims).map(|claim| format!("data-{claim}")).collect(),
            name,
        }
    }

    /// Its namespace on the clusters.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.name
    }

    fn claim(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": self.namespace(), "labels": {"app": self.name}},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": self.storage_class,
                "volumeMode": "Filesystem",
            },
        })
    }

    fn pod(&self, node: &str) -> Value {
        let volumes: Vec<Value> = self
            .claims
            .iter()
            .map(|claim| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}}))
            .collect();
        let mounts: Vec<Value> =
            self.claims.iter().map(|claim| json!({"name": claim, "mountPath": format!("/{claim}")})).collect();
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace(), "labels": {"app": self.name}},
            "spec": {
                "nodeName": node,
                // Nobody is there to stop a process: gone as soon as it is deleted.
                "terminationGracePeriodSeconds": 0,
                "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": "writer", "image": "example.com/writer:1", "volumeMounts": mounts}],
                "volumes": volumes,
            },
        })
    }
}

/// The only node of a simulated cluster.
#[must_use]
pub fn node_name(cluster: &str) -> String {
    format!("node-{cluster}")
}
