//! The VRG that a cluster is to have, field by field (spec drpc 3.1), and the works that carry it.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::ramen::wire::{annotation, label, name};
use ramen_events::{
    Command, Json,
    hub::{self, AsyncSpec, NamespaceWork, PeerClass, PolicyFact, VrgManifest, VrgSpec, VrgWork, WorkContent},
};
use serde_json::{Value, json};

use crate::domain::Decision;

use super::{Drpc, epoch, site::Site};

/// The first version of the deciders that tells a cluster of a failover that was called off what it was.
const ABANDONED_SINCE: u32 = 3;
/// The first version that does so where the application was stopped before the failover came.
const STOPPED_SINCE: u32 = 4;
/// The first version that leaves a VRG the store of a cluster that is being deleted.
const KEEPS_STORES_SINCE: u32 = 3;

/// The first version that leaves a VRG the store of a cluster whose DRCluster is gone, and all stores to each VRG of an
/// application: which of them will have to delete the copies is not known before.
const KEEPS_ALL_SINCE: u32 = 4;

/// What is asked of a VRG beside its role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinalSync {
    /// Nothing.
    #[default]
    No,
    /// Get ready for the last synchronization.
    Prepare,
    /// Run it.
    Run,
}

/// Name of the work with the VRG.
pub fn work_name(drpc: &Drpc) -> String {
    name::vrg_manifest_work(&drpc.key.name, &drpc.vrg_namespace)
}

/// Slot of the work with the VRG.
pub fn slot(site: &Site) -> String {
    format!("work/{}/vrg", site.name)
}

/// Wants the work with the application's namespace, unless it is there.
pub fn namespace_work(drpc: &Drpc, site: &Site, decision: &mut Decision) {
    if site.namespace_work.is_none() {
        let work = NamespaceWork {
            cluster: site.name.clone(),
            name: name::namespace_manifest_work(&drpc.key.name, &drpc.vrg_namespace),
            drpc: drpc.key.clone(),
            namespace: drpc.vrg_namespace.clone(),
        };
        decision.want(format!("work/{}/ns", site.name), Command::Hub(hub::Command::ApplyNamespaceWork(work)));
    }
}

/// Wants the work with the VRG.
pub fn vrg_work(drpc: &Drpc, site: &Site, manifest: VrgManifest, decision: &mut Decision) {
    if site.work.as_ref().is_some_and(|work| work.fact.deleting) {
        return; // once it is gone
    }
    namespace_work(drpc, site, decision);
    let gives_way = site.crowded && drpc.is_at_rest();
    let work = VrgWork {
        cluster: site.name.clone(),
        name: work_name(drpc),
        drpc: drpc.key.clone(),
        manifest,
        watched: drpc.can_watch && !gives_way,
    };
    decision.want(slot(site), Command::Hub(hub::Command::ApplyVrgWork(Box::new(work))));
}

/// Keeps the works of a DRPC at rest as they should be: what its policy, stores or annotations ask for may change, and
/// an agent that watches too many works is relieved.
pub fn refresh(drpc: &Drpc, decision: &mut Decision) {
    if !drpc.is_finished() {
        return;
    }
    let Some(home) = drpc.home().map(|site| site.name.clone()) else { return };
    for site in drpc.listed_sites() {
        let Some(wished) = site.wished() else { continue };
        let state = if site.name == home { "primary" } else { "secondary" };
        let wanted = manifest(drpc, site, state, FinalSync::No);
        if wanted != *wished || (site.crowded && drpc.is_at_rest()) {
            vrg_work(drpc, site, wanted, decision);
        }
    }
}

/// The VRG for a cluster. What a VRG once got and only fits there (selector, peer classes) is kept.
pub fn manifest(drpc: &Drpc, site: &Site, state: &str, final_sync: FinalSync) -> VrgManifest {
    let before = match site.work.as_ref().map(|work| &work.fact.content) {
        Some(WorkContent::Vrg { manifest, .. }) => Some(&**manifest),
        _ => None,
    };
    let spec = before.map(|manifest| &manifest.spec);
    let dr = &drpc.fact.spec;
    let action = if state == "secondary" && is_passed_over(drpc, site) {
        "Failover".to_owned()
    } else if dr.action.is_empty() || (state == "secondary" && is_abandoned_failover(drpc, site)) {
        spec.map(|spec| spec.action.clone()).unwrap_or_default()
    } else {
        dr.action.clone()
    };
    let touches_dry_run = action == "Failover" || spec.is_some_and(|spec| spec.dry_run || spec.action == "Failover");
    // A store that holds copies is needed until they are deleted: its cluster waits for that, too, before it goes.
    let keeps_all = drpc.decider >= KEEPS_ALL_SINCE;
    let elsewhere = drpc.sites.iter().filter(|_| keeps_all).filter_map(|site| Some(&site.wished()?.spec));
    let held: BTreeSet<&String> = spec.into_iter().chain(elsewhere).flat_map(|spec| &spec.s3_profiles).collect();
    let holds = |site: &Site| drpc.decider >= KEEPS_STORES_SINCE && held.contains(&site.profile);
    let used = drpc.listed_sites().iter().filter(|site| site.stays || holds(site));
    let mut profiles: BTreeSet<String> = used.map(|site| site.profile.clone()).collect();
    // Which store is that of a cluster whose DRCluster is gone nobody knows; it is among those that the VRGs have.
    if keeps_all && drpc.listed_sites().iter().any(|site| !site.has_cluster) {
        profiles.extend(held.into_iter().cloned());
    }
    VrgManifest {
        namespace: drpc.vrg_namespace.clone(),
        name: drpc.key.name.clone(),
        labels: before.map_or_else(new_labels, |manifest| manifest.labels.clone()),
        annotations: annotations(drpc, site, state),
        spec: VrgSpec {
            state: state.to_owned(),
            pvc_selector: spec.map_or_else(|| dr.pvc_selector.clone(), |spec| spec.pvc_selector.clone()),
            s3_profiles: profiles.into_iter().filter(|profile| !profile.is_empty()).collect(),
            asynchronous: drpc.policy.as_ref().map(|policy| asynchronous(drpc, site, policy, state, spec)),
            prepare_for_final_sync: final_sync == FinalSync::Prepare,
            run_final_sync: final_sync == FinalSync::Run,
            dry_run: if touches_dry_run { dr.dry_run } else { spec.is_some_and(|spec| spec.dry_run) },
            protected_namespaces: dr.protected_namespaces.clone(),
            kube_object_protection: dr.kube_object_protection.clone(),
            rest: rest(drpc, spec.map(|spec| spec.rest.value())),
            action,
        },
    }
}

/// A cluster that a failover was to bring the application to, when it was called off before the application went there. Its
/// volumes went their own way by force: as after any failover, only one that is told so may give them up, and nobody is
/// there to delete its claims.
fn is_abandoned_failover(drpc: &Drpc, site: &Site) -> bool {
    let forced = site.is_wished_by_failover();
    let elsewhere = match drpc.decided.current() {
        Some(cluster) => *cluster != site.name,
        // It was stopped where it was, by a relocation that the failover replaced.
        None => drpc.decider >= STOPPED_SINCE && drpc.last_home().is_some_and(|home| home != site.name.0),
    };
    drpc.decider >= ABANDONED_SINCE && forced && elsewhere && drpc.serving().is_some_and(|home| home.name != site.name)
}

/// The first version of the deciders that tells a primary that steps down of the failover that came in between.
const PASSED_OVER_SINCE: u32 = 4;

/// A primary that is to step down while another is primary by a failover, whatever was asked for since: what it holds and
/// the other lacks is given up, which it may do only if it is told so. Only a failover asks for a second primary (S1), so
/// one with a later epoch is one by a failover, whatever it was asked for since.
fn is_passed_over(drpc: &Drpc, site: &Site) -> bool {
    let later = |other: &Site| other.is_wished_primary() && epoch::held(other) > epoch::held(site);
    let forced = drpc.others(&site.name.0).any(|other| other.is_wished_by_failover() || later(other));
    drpc.decider >= PASSED_OVER_SINCE && site.is_wished_primary() && forced
}

fn new_labels() -> BTreeMap<String, String> {
    BTreeMap::from([(label::CREATED_BY_RAMEN.to_owned(), label::TRUE.to_owned())])
}

fn annotations(drpc: &Drpc, site: &Site, state: &str) -> BTreeMap<String, String> {
    let copied = annotation::COPIED_TO_VRG.map(|key| (key.to_owned(), drpc.fact.meta.annotation(key).to_owned()));
    let own = [
        (annotation::DESTINATION_CLUSTER.to_owned(), site.name.0.clone()),
        (annotation::DRPC_UID.to_owned(), drpc.fact.meta.uid.clone()),
    ];
    copied.into_iter().chain(own).chain(epoch::annotation(drpc, site, state)).collect()
}

fn asynchronous(drpc: &Drpc, site: &Site, policy: &PolicyFact, state: &str, before: Option<&VrgSpec>) -> AsyncSpec {
    let object = |json: &Json| if json.value().is_null() { Json::new(&json!({})) } else { json.clone() };
    let spec = &policy.spec;
    let kept = before.and_then(|spec| spec.asynchronous.as_ref()).map(|spec| spec.peer_classes.as_slice());
    AsyncSpec {
        interval: spec.interval.clone(),
        replication_class_selector: object(&spec.replication_class_selector),
        volume_snapshot_class_selector: object(&spec.volume_snapshot_class_selector),
        volume_group_snapshot_class_selector: object(&spec.volume_group_snapshot_class_selector),
        peer_classes: peer_classes(drpc, site, policy, state, kept),
    }
}

/// A new VRG takes the policy's peer classes. One that is there keeps its own, so that an application stays with the
/// way of replication that it began with; for claims that it protects, new classes are added and old ones refreshed
/// while the way stays the same. A secondary has the primary's (spec drpc 3.1; 10, P12; S8).
fn peer_classes(
    drpc: &Drpc,
    site: &Site,
    policy: &PolicyFact,
    state: &str,
    kept: Option<&[PeerClass]>,
) -> Vec<PeerClass> {
    let offered = policy.status.as_ref().map(|status| status.asynchronous.as_slice()).unwrap_or_default();
    if state == "secondary" {
        let primary = drpc.serving().filter(|serving| serving.name != site.name).and_then(|serving| serving.wished());
        if let Some(spec) = primary.and_then(|manifest| manifest.spec.asynchronous.as_ref()) {
            return spec.peer_classes.clone();
        }
    }
    let Some(kept) = kept else { return offered.to_vec() };
    let mut classes = kept.to_vec();
    let seen = site.vrg.seen().and_then(|seen| seen.status.as_ref());
    let used: BTreeSet<&str> =
        seen.into_iter().flat_map(|s| &s.protected_pvcs).map(|pvc| pvc.storage_class.as_str()).collect();
    for offer in offered.iter().filter(|offer| used.contains(offer.storage_class.as_str())) {
        match classes.iter_mut().find(|class| is_same_class(class, offer)) {
            Some(class) if is_same_way(class, offer) => class.clone_from(offer),
            Some(_) => {}
            None => classes.push(offer.clone()),
        }
    }
    classes
}

fn is_same_class(one: &PeerClass, other: &PeerClass) -> bool {
    let ids = |class: &PeerClass| class.cluster_ids.iter().cloned().collect::<BTreeSet<_>>();
    one.storage_class == other.storage_class && ids(one) == ids(other)
}

fn is_same_way(one: &PeerClass, other: &PeerClass) -> bool {
    let way = |class: &PeerClass| (class.offloaded, class.global, class.grouping, class.replication_id.is_empty());
    way(one) == way(other)
}

/// Fields that the hub passes on: VolSync's switch and movers; others stay as they are.
fn rest(drpc: &Drpc, before: Option<Value>) -> Json {
    let mut rest = before.filter(Value::is_object).unwrap_or_else(|| json!({}));
    let mut vol_sync = rest.get("volSync").cloned().filter(Value::is_object).unwrap_or_else(|| json!({}));
    if let Some(fields) = vol_sync.as_object_mut() {
        fields.remove("disabled");
        if drpc.vol_sync_disabled {
            fields.insert("disabled".into(), Value::Bool(true));
        }
        let movers = drpc.fact.spec.vol_sync.value()["moverConfig"].clone();
        if movers.as_array().is_some_and(|movers| !movers.is_empty()) {
            fields.insert("moverConfig".into(), movers);
        }
    }
    if let Some(fields) = rest.as_object_mut() {
        fields.insert("volSync".into(), vol_sync);
    }
    Json::new(&rest)
}
