//! Volumes that stay attached to a node though no pod uses them any more: its kubelet hangs, or is cut off.

use ramen_api::path::At as _;
use ramen_sim::{
    agents::object,
    api::{Api, ApiError},
    kinds,
};
use serde_json::{Value, json};

use super::befall::called;
use crate::universe::Universe;

/// The node that holds on to them.
const NODE: &str = "node-1";
/// Tells whose volume an attachment holds.
const APP: &str = "example.com/app";

/// Who holds a volume, as the storage knows it.
fn holder(app: &str) -> String {
    format!("{NODE} for {app}")
}

/// All volumes that an application has on a cluster are attached from now on.
pub(super) fn attach(universe: &Universe, app: &str, on: &str) -> Result<(), String> {
    let cluster = universe.cluster(on);
    let claims = cluster.see_all(&kinds::PVC, Some(app)).unwrap_or_default();
    let volumes = claims.iter().filter_map(|claim| {
        let volume = claim.at("/spec/volumeName").and_then(Value::as_str)?;
        cluster.see(&kinds::PV, None, volume).ok()
    });
    let mut attached = 0;
    for volume in volumes {
        let handle = volume.at("/spec/csi/volumeHandle").and_then(Value::as_str).unwrap_or_default();
        if universe.storage().attach(on, handle, &holder(app), cluster.now()).is_err() {
            continue;
        }
        let name = object::name(&volume);
        let attachment = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "VolumeAttachment",
            "metadata": {"name": format!("csi-{name}"), "labels": {APP: app}},
            "spec": {
                "attacher": volume.at("/spec/csi/driver").and_then(Value::as_str).unwrap_or_default(),
                "nodeName": NODE,
                "source": {"persistentVolumeName": name},
            },
        });
        match cluster.create(&kinds::VOLUME_ATTACHMENT, &attachment) {
            Ok(_) | Err(ApiError::AlreadyExists) => attached += 1,
            Err(why) => return Err(format!("{} refused a VolumeAttachment: {why}", called(on))),
        }
    }
    let none = || format!("{app} has no volume on {} that can be attached", called(on));
    if attached > 0 { Ok(()) } else { Err(none()) }
}

/// The node lets them go; `None`: those of all applications.
pub(crate) fn detach(universe: &Universe, app: Option<&str>, on: &str) -> Result<(), String> {
    let cluster = universe.cluster(on);
    let held = cluster.see_all(&kinds::VOLUME_ATTACHMENT, None).unwrap_or_default();
    let of = |attachment: &Value| object::label(attachment, APP).to_owned();
    let held: Vec<_> =
        held.iter().filter(|held| !of(held).is_empty() && app.is_none_or(|app| of(held) == app)).collect();
    for attachment in &held {
        universe.storage().detach(on, &holder(&of(attachment)));
        cluster
            .delete(&kinds::VOLUME_ATTACHMENT, None, object::name(attachment), None)
            .map_err(|why| format!("{} refused to delete a VolumeAttachment: {why}", called(on)))?;
    }
    let none = || format!("no volume of {} is attached on {}", app.unwrap_or("anybody"), called(on));
    if held.is_empty() { Err(none()) } else { Ok(()) }
}
