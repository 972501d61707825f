//! The CSI provisioner of the simulated driver: makes a volume for a claim, deletes it when the claim's volume is
//! released and its policy says so.

use std::time::Duration;

use serde_json::{Value, json};

use crate::agents::object;
use crate::agents::{Agent, AgentWorld, Side};
use crate::api::{ApiError, Resource};
use crate::kinds;
use crate::time::Time;

/// The driver's name, as storage classes and volumes bear it.
pub const DRIVER: &str = "lab.rbd.csi";

/// Annotation by which the PV controller asks a provisioner for a volume.
pub const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// Its older form, still set.
pub const STORAGE_PROVISIONER_BETA: &str = "volume.beta.kubernetes.io/storage-provisioner";

const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// The agent, one per cluster.
pub struct Provisioner {
    name: String,
    site: String,
}

impl Provisioner {
    /// The provisioner of one cluster.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        Self { name: format!("{cluster}/provisioner"), site: cluster.to_owned() }
    }

    fn provision(&self, claim: &Value, now: Time, world: &AgentWorld<'_>) -> Result<(), ApiError> {
        let name = format!("pvc-{}", object::uid(claim));
        if world.own.see(&kinds::PV, None, &name).is_ok() {
            return Ok(());
        }
        let class_name = object::text(claim, "/spec/storageClassName");
        let class = world.own.see(&kinds::STORAGE_CLASS, None, class_name)?;
        let handle = format!("0001-lab-{}-{}", self.site, object::uid(claim));
        world
            .storage()
            .provision(&self.site, &handle, &format!("{}/{}", object::namespace(claim), object::name(claim)), now)
            .map_err(|refused| ApiError::Unreachable(refused.to_string()))?;
        let volume = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {PROVISIONED_BY: DRIVER}},
            "spec": {
                "accessModes": claim["spec"]["accessModes"],
                "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": object::namespace(claim),
                    "name": object::name(claim),
                    "uid": object::uid(claim),
                },
                "csi": {"driver": DRIVER, "fsType": "ext4", "volumeHandle": handle},
                "persistentVolumeReclaimPolicy": class.get("reclaimPolicy").cloned().unwrap_or(json!("Delete")),
                "storageClassName": class_name,
                "volumeMode": claim["spec"].get("volumeMode").cloned().unwrap_or(json!("Filesystem")),
            },
            "status": {"phase": "Pending"},
        });
        world.own.create(&kinds::PV, &volume).map(drop)
    }

    fn reclaim(&self, volume: &Value, now: Time, world: &AgentWorld<'_>) -> Result<(), ApiError> {
        let handle = object::text(volume, "/spec/csi/volumeHandle");
        world
            .storage()
            .delete(&self.site, handle, now)
            .map_err(|refused| ApiError::Unreachable(refused.to_string()))?;
        world.own.delete(&kinds::PV, None, object::name(volume), Some(object::uid(volume)))
    }
}

/// Whether a claim waits for this driver.
fn waits(claim: &Value) -> bool {
    let asked = [STORAGE_PROVISIONER, STORAGE_PROVISIONER_BETA];
    object::text(claim, "/spec/volumeName").is_empty()
        && !object::deleting(claim)
        && asked.iter().any(|annotation| object::annotation(claim, annotation) == DRIVER)
}

/// Whether a volume of this driver is to be deleted.
fn released(volume: &Value) -> bool {
    object::annotation(volume, PROVISIONED_BY) == DRIVER
        && object::text(volume, "/spec/persistentVolumeReclaimPolicy") == "Delete"
        && object::text(volume, "/status/phase") == "Released"
        && !object::deleting(volume)
}

impl Agent for Provisioner {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Own, kinds::PVC), (Side::Own, kinds::PV)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let again = Some(now + Duration::from_secs(1));
        let (Ok(claims), Ok(volumes)) = (world.own.see_all(&kinds::PVC, None), world.own.see_all(&kinds::PV, None))
        else {
            return again;
        };
        let mut complete = true;
        for claim in claims.iter().filter(|claim| waits(claim)) {
            complete &= matches!(self.provision(claim, now, world), Ok(()) | Err(ApiError::AlreadyExists));
        }
        for volume in volumes.iter().filter(|volume| released(volume)) {
            complete &= matches!(self.reclaim(volume, now, world), Ok(()) | Err(ApiError::NotFound));
        }
        if complete { None } else { again }
    }
}
