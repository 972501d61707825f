//! What must hold on managed clusters.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::{
    path::At as _,
    ramen::{
        s3_keys::VrgKeys,
        wire::{annotation, label},
    },
};
use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
};
use serde_json::Value;

use super::{Lasting, all, handle_of, holds, one, profiles, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What news may take, in milliseconds: watches that are late, operators that have to start again.
const NEWS: u64 = 90_000;

/// What it may take, in milliseconds, until somebody looks whether a store still has what was stored there, and stores it
/// again.
const LOOKS: u64 = 20 * 60_000;

/// What was seen on each cluster last.
#[derive(Default)]
pub(super) struct Spoke {
    vrgs: BTreeMap<String, BTreeSet<String>>,
}

impl Spoke {
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
        lasting: &mut Lasting,
    ) -> Result<(), Violation> {
        let vrg = touched.contains(&type_name(&kinds::VRG));
        if vrg {
            self.gone(universe, cluster)?;
        }
        if touched.contains(&type_name(&kinds::VOLUME_REPLICATION)) || touched.contains(&type_name(&kinds::PV)) {
            retained(universe, cluster)?;
        }
        if vrg || touched.contains(&type_name(&kinds::VOLUME_REPLICATION)) {
            for vrg in all(universe, cluster, &kinds::VRG, None) {
                losers_follow(universe, cluster, vrg.value(), lasting);
                nobody_else_gives_up(universe, cluster, vrg.value(), lasting);
            }
        }
        if vrg || touched.contains(&type_name(&kinds::PVC)) || touched.contains(&type_name(&kinds::VOLUME_REPLICATION))
        {
            for vrg in all(universe, cluster, &kinds::VRG, None) {
                roles(universe, cluster, vrg.value(), lasting);
            }
        }
        Ok(())
    }

    /// A VRG goes when nothing of it is left.
    fn gone(&mut self, universe: &Universe, cluster: &str) -> Result<(), Violation> {
        let now: BTreeSet<String> = all(universe, cluster, &kinds::VRG, None)
            .iter()
            .map(|vrg| text(vrg.value(), "/metadata/namespace").to_owned())
            .collect();
        let before = self.vrgs.insert(cluster.to_owned(), now.clone()).unwrap_or_default();
        for gone in before.difference(&now) {
            if let Some(left) = all(universe, cluster, &kinds::VOLUME_REPLICATION, Some(gone)).first() {
                let name = text(left.value(), "/metadata/name");
                return violated(
                    "VS8 a VRG goes last",
                    format!("VRG {gone} on {cluster} is gone, but VolumeReplication {name} is there"),
                );
            }
            for claim in all(universe, cluster, &kinds::PVC, Some(gone)) {
                if let Some(mark) = mark(claim.value()) {
                    let name = text(claim.value(), "/metadata/name");
                    return violated(
                        "VS7 nothing is left on claims",
                        format!("VRG {gone} on {cluster} is gone, but claim {name} has {mark}"),
                    );
                }
            }
        }
        Ok(())
    }
}

/// What a claim bears of the VRG that protects it: a finalizer, the label of its owner, an annotation that says what was done.
fn mark(claim: &Value) -> Option<String> {
    let ours = |key: &&str| key.contains("ramendr.openshift.io");
    let finalizer = object::finalizers(claim).into_iter().find(ours).map(|mark| format!("the finalizer {mark}"));
    let keys = |of: &str| -> Vec<&str> {
        claim.at(of).and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str()).collect()
    };
    let owner = [label::OWNER_NAME, label::OWNER_NAMESPACE];
    let label = keys("/metadata/labels").into_iter().find(|key| owner.contains(key));
    let done = [annotation::PVC_PROTECTED, annotation::ARCHIVED];
    let annotation = keys("/metadata/annotations").into_iter().find(|key| done.contains(key));
    let label = label.map(|mark| format!("the label {mark}"));
    finalizer.or(label).or_else(|| annotation.map(|mark| format!("the annotation {mark}")))
}

/// While a volume is replicated as primary its PV must outlive its claim (VS6).
fn retained(universe: &Universe, cluster: &str) -> Result<(), Violation> {
    for replication in all(universe, cluster, &kinds::VOLUME_REPLICATION, None) {
        let value = replication.value();
        if text(value, "/spec/replicationState") != "primary" || object::is_deleting(value) {
            continue;
        }
        let namespace = text(value, "/metadata/namespace");
        // Protection that ends lets its volumes go, in whichever order.
        let ends = |vrg: &std::sync::Arc<ramen_sim::api_server::object::Object>| object::is_deleting(vrg.value());
        if all(universe, cluster, &kinds::VRG, Some(namespace)).iter().all(ends) {
            continue;
        }
        let Some(claim) = one(universe, cluster, &kinds::PVC, namespace, text(value, "/spec/dataSource/name")) else {
            continue;
        };
        let Some(volume) = one(universe, cluster, &kinds::PV, "", text(claim.value(), "/spec/volumeName")) else {
            continue;
        };
        let policy = text(volume.value(), "/spec/persistentVolumeReclaimPolicy");
        if policy != "Retain" {
            let name = text(volume.value(), "/metadata/name");
            return violated(
                "VS6 replicated volumes are retained",
                format!(
                    "PV {name} on {cluster} is replicated as primary and would be deleted with its claim ({policy})"
                ),
            );
        }
    }
    Ok(())
}

/// What lost a failover is told to take over the winner's data: without that a split lasts for ever (VL4).
fn losers_follow(universe: &Universe, cluster: &str, vrg: &Value, lasting: &mut Lasting) {
    let namespace = text(vrg, "/metadata/namespace");
    let lost = text(vrg, "/spec/replicationState") == "secondary" && text(vrg, "/spec/action") == "Failover";
    let bad = if lost && !object::is_deleting(vrg) {
        let all = all(universe, cluster, &kinds::VOLUME_REPLICATION, Some(namespace));
        all.iter().map(|vr| vr.value()).find_map(|vr| {
            // Without its claim nobody looks at it any more.
            let claim = one(universe, cluster, &kinds::PVC, namespace, text(vr, "/spec/dataSource/name"));
            let stays =
                text(vr, "/spec/replicationState") == "secondary" && !object::is_deleting(vr) && claim.is_some();
            let name = text(vr, "/metadata/name");
            (stays && vr["spec"]["autoResync"] != true)
                .then(|| format!("lost a failover, but VolumeReplication {name} does not allow a resynchronization"))
        })
    } else {
        None
    };
    lasting.note("VL4 a split heals", (cluster, format!("VRG {namespace}")), bad, universe.now(), NEWS);
}

/// Only what lost a failover, or goes, may give up its data to take over another's (VS14).
fn nobody_else_gives_up(universe: &Universe, cluster: &str, vrg: &Value, lasting: &mut Lasting) {
    let namespace = text(vrg, "/metadata/namespace");
    let may = text(vrg, "/spec/action") == "Failover" || object::is_deleting(vrg);
    let all = if may { Vec::new() } else { all(universe, cluster, &kinds::VOLUME_REPLICATION, Some(namespace)) };
    let bad = all.iter().map(|vr| vr.value()).find(|vr| vr["spec"]["autoResync"] == true && !object::is_deleting(vr));
    let bad = bad.map(|vr| {
        let name = text(vr, "/metadata/name");
        format!("does not fail over, and VolumeReplication {name} allows to give up the data that are here")
    });
    let about = (cluster, format!("VRG {namespace}"));
    lasting.note("VS14 only the loser of a failover gives up its data", about, bad, universe.now(), NEWS);
}

/// What a VRG says of itself must be so, give or take the time that news takes.
fn roles(universe: &Universe, cluster: &str, vrg: &Value, lasting: &mut Lasting) {
    let namespace = text(vrg, "/metadata/namespace");
    let current = vrg["status"]["observedGeneration"] == vrg["metadata"]["generation"];
    let state = text(vrg, "/status/state");
    let about = format!("VRG {namespace}");
    let storage = universe.storage();
    let held: Vec<(String, String)> =
        storage.volumes_of(namespace).map(|(handle, claim)| (handle.to_owned(), claim.to_owned())).collect();
    let mirrored_here =
        |handle: &str| storage.peek(cluster, handle).is_some_and(|(role, _)| role == ramen_sim::storage::Role::Primary);
    let primary = held.iter().find(|(handle, _)| mirrored_here(handle));
    let stepped_down = (current && state == "Secondary" && text(vrg, "/spec/replicationState") == "secondary")
        .then_some(primary)
        .flatten()
        .map(|(_, claim)| format!("says Secondary, but the volume of {claim} is primary here"));
    let now = universe.now();
    // Nothing may excuse this one: the hub relies on it at once.
    lasting.note("VS3 Secondary means so", (cluster, about.clone()), stepped_down, now, 0);

    let ready = current && state == "Primary" && holds(vrg, "DataReady");
    let unwritable = held.iter().find(|(handle, claim)| {
        let bound = one(universe, cluster, &kinds::PVC, namespace, claim).is_some_and(|claim| {
            // A claim of that name may have been made anew, with another volume.
            let same = handle_of(universe, cluster, claim.value()).as_ref() == Some(handle);
            same && text(claim.value(), "/status/phase") == "Bound" && !object::is_deleting(claim.value())
        });
        bound && storage.peek(cluster, handle).is_some_and(|(role, _)| role == ramen_sim::storage::Role::Secondary)
    });
    let bad = if ready { unwritable } else { None };
    let bad = bad.map(|(_, claim)| format!("says that its data are ready, but the volume of {claim} is not writable"));
    drop(storage);
    lasting.note("VS13 ready means writable", (cluster, about.clone()), bad, now, 0);

    // With the end of protection copies go, those of a cluster that is not let go yet among them.
    let ends = one(universe, HUB, &kinds::DRPC, "apps", text(vrg, "/metadata/name"))
        .is_some_and(|drpc| object::is_deleting(drpc.value()));
    let complete = current && state == "Primary" && holds(vrg, "ClusterDataProtected") && !ends;
    let missing = if complete && universe.is_up(cluster) { missing_copy(universe, cluster, vrg) } else { None };
    let limit = if universe.stores.lost_anything() { LOOKS } else { NEWS };
    lasting.note("VS9 protected means stored", (cluster, about), missing, now, limit);
}

/// Whether a VRG's selector is meant for a claim.
fn selects(vrg: &Value, claim: &Value) -> bool {
    let wanted = vrg.at("/spec/pvcSelector/matchLabels").and_then(Value::as_object);
    wanted.into_iter().flatten().all(|(key, value)| claim["metadata"]["labels"][key] == *value)
}

/// The first copy that a store lacks of what the VRG says is protected.
fn missing_copy(universe: &Universe, cluster: &str, vrg: &Value) -> Option<String> {
    let (namespace, name) = (text(vrg, "/metadata/namespace"), text(vrg, "/metadata/name"));
    let claims = all(universe, cluster, &kinds::PVC, Some(namespace));
    let own = VrgKeys::new(namespace, name);
    for profile in profiles(vrg) {
        let keys: BTreeSet<String> =
            universe.stores.with(profile, |bucket| bucket.objects().map(|(key, _)| key.to_owned()).collect())?;
        for claim in claims.iter().filter(|claim| text(claim.value(), "/status/phase") == "Bound") {
            if object::is_deleting(claim.value()) || !selects(vrg, claim.value()) {
                continue;
            }
            let called = text(claim.value(), "/metadata/name");
            let copies = [own.pv(text(claim.value(), "/spec/volumeName")), own.pvc(namespace, called)];
            if !copies.iter().all(|key| keys.contains(key)) {
                return Some(format!(
                    "says that it is protected, but store {profile} lacks claim {called} or its volume"
                ));
            }
        }
        if !keys.contains(&own.vrg()) {
            return Some(format!("says that it is protected, but store {profile} lacks its copy"));
        }
    }
    None
}
