//! What each happening does to the universe.

use std::time::Duration;

use ramen_api::path::At as _;
use ramen_sim::{
    agents::object,
    api::{Api, Resource},
    apps::Application,
    kinds,
    s3::Fault,
    storage::Trouble,
    world,
};
use serde_json::{Value, json};

use super::{Happening, OcmAgent, StorageFault, StoreFault, by_hand};
use crate::universe::{HUB, Universe};

/// Holds a pod whose node never finishes its deletion.
const STUBBORN: &str = "example.com/stubborn";

impl Happening {
    /// Lets it happen. Users whose request the hub cannot take do not insist: what they asked for did not happen.
    pub fn befall(&self, universe: &mut Universe) {
        // An API server without power answers nobody.
        let reachable = universe.is_up(HUB);
        match self {
            Self::Deploy { app, claims, on, under } if reachable => deploy(universe, app, *claims, on, under.as_ref()),
            Self::Protect { app, on, under } if reachable => {
                let policy = under.clone().or_else(|| universe.outline().policy_of(on));
                if let (Some(application), Some(policy)) = (find(universe, app), policy) {
                    universe.left_behind.remove(app);
                    universe.reported.retain(|(of, _)| of != app);
                    let _ = world::protect_under(universe.cluster(HUB), &application, &policy, on);
                }
            }
            Self::Failover { app, to } if reachable => {
                ask(universe, app, &json!({"spec": {"action": "Failover", "failoverCluster": to}}));
            }
            Self::Relocate { app, to } if reachable => {
                ask(universe, app, &json!({"spec": {"action": "Relocate", "preferredCluster": to}}));
            }
            Self::Withdraw { app } if reachable => ask(universe, app, &json!({"spec": {"action": null}})),
            Self::Unprotect { app } if reachable => {
                if let Some(application) = find(universe, app) {
                    unprotect(universe, &application);
                }
            }
            Self::AddClaim { app } => universe.change_application(app, |application| {
                application.claims.push(format!("data-{}", application.claims.len()));
            }),
            Self::DropClaim { app } => drop_claim(universe, app),
            Self::Resize { app, on } if universe.is_up(on) => {
                if let Some(claim) = find(universe, app).and_then(|application| application.claims.first().cloned()) {
                    let patch = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
                    let _ = universe.cluster(on).merge_patch(&kinds::PVC, Some(app), &claim, &patch, None);
                }
            }
            Self::DeletePolicy { policy } if reachable => {
                let _ = universe.cluster(HUB).delete(&kinds::DR_POLICY, None, policy, None);
            }
            Self::DeleteCluster { cluster } if reachable => {
                let _ = universe.cluster(HUB).delete(&kinds::DR_CLUSTER, None, cluster, None);
            }
            Self::RestorePolicies if reachable => universe.restore_policies(),
            Self::Stubborn { app, on } => {
                set_finalizers(universe.cluster(on), &kinds::POD, app, app, &json!([STUBBORN]));
            }
            Self::Unhold { app, claim, on } => {
                set_finalizers(universe.cluster(on), &kinds::PVC, app, claim, &json!([]));
            }
            Self::LetGoReplication { app, claim, on } => {
                set_finalizers(universe.cluster(on), &kinds::VOLUME_REPLICATION, app, claim, &json!([]));
            }
            Self::DeletePod { app, on } if universe.is_up(on) => {
                let _ = universe.cluster(on).delete(&kinds::POD, Some(app), app, None);
                set_finalizers(universe.cluster(on), &kinds::POD, app, app, &json!([]));
            }
            Self::DeleteReplications { app, on } if universe.is_up(on) => {
                let cluster = universe.cluster(on);
                let all = cluster.see_all(&kinds::VOLUME_REPLICATION, Some(app)).unwrap_or_default();
                for vr in all.iter().filter(|vr| vr.at("/status/lastSyncTime").is_none()) {
                    let _ = cluster.delete(&kinds::VOLUME_REPLICATION, Some(app), object::name(vr), None);
                }
            }
            Self::SpoilVrg { app, on } if universe.is_up(on) => {
                let patch = json!({"spec": {"protectedNamespaces": ["elsewhere"]}});
                let _ = universe.cluster(on).merge_patch(&kinds::VRG, Some(app), app, &patch, None);
            }
            Self::DeleteClaim { app, claim, on } if universe.is_up(on) => {
                let _ = universe.cluster(on).delete(&kinds::PVC, Some(app), claim, None);
            }
            Self::Evict { app, on } => set_finalizers(universe.cluster(on), &kinds::POD, app, app, &json!([])),
            Self::Lose { cluster } => universe.lose(cluster),
            Self::BringBack { cluster } if !universe.is_up(cluster) => universe.bring_back(cluster),
            Self::HubLink { cluster, works } => universe.set_hub_link(cluster, *works),
            Self::StoreLink { cluster, profile, works } => {
                universe.set_store_link(cluster, profile.as_deref(), *works);
            }
            Self::Storage { cluster, fault } => universe.set_storage(cluster, fault.trouble()),
            Self::Agent { cluster, agent, works } => universe.set_agent(cluster, agent.name(), *works),
            Self::StorageLink { works } => universe.set_storage_link(*works),
            Self::Store { profile, fault } => universe.set_store(profile, fault.on_bucket()),
            Self::EmptyStore { profile } => {
                universe.stores.empty(profile);
            }
            Self::Crash { operator, losing_tail } => {
                universe.crash(operator, if *losing_tail { usize::MAX } else { 0 });
            }
            Self::LoseLog { operator } => universe.lose_log(operator),
            Self::Rival { operator, lasts } => universe.start_rival(operator, Duration::from_millis(*lasts)),
            Self::BackUpHub => universe.back_up(),
            Self::RebuildHub { from } => universe.rebuild_hub(*from),
            Self::Skew { cluster, ms } => universe.set_skew(cluster, *ms),
            Self::Mend => universe.mend(),
            Self::Apply { on, manifest } if universe.is_up(on) => by_hand::apply(universe, on, manifest),
            Self::Patch { on, kind, namespace, name, patch } if universe.is_up(on) => {
                by_hand::patch(universe, on, &by_hand::Named { kind, namespace, name }, patch);
            }
            Self::Delete { on, kind, namespace, name } if universe.is_up(on) => {
                by_hand::delete(universe, on, &by_hand::Named { kind, namespace, name });
            }
            Self::PutObject { profile, key, text } => {
                let now = universe.now();
                universe.stores.put(profile, key, text, now);
            }
            Self::DeleteObject { profile, key } => {
                universe.stores.with(profile, |bucket| bucket.delete(key));
            }
            Self::StoreKeys { profile, access_key, secret_key } => {
                universe.stores.set_keys(profile, access_key, secret_key);
            }
            // The rest are requests to a hub without power, and what is so already.
            _ => {}
        }
        universe.spread();
    }
}

impl StoreFault {
    fn on_bucket(self) -> Fault {
        match self {
            Self::None => Fault::None,
            Self::Down => Fault::Down,
            Self::Slow => Fault::Slow(Duration::from_secs(4)),
            Self::Hanging => Fault::Slow(Duration::from_mins(1)),
            Self::Erroring => Fault::Erroring,
            Self::ReadOnly => Fault::ReadOnly,
        }
    }
}

impl StorageFault {
    fn trouble(self) -> Option<Trouble> {
        match self {
            Self::None => None,
            Self::Failing => Some(Trouble::Failing),
            Self::Hanging => Some(Trouble::Hanging),
            Self::Degraded => Some(Trouble::Degraded),
            Self::Unprepared => Some(Trouble::Unprepared),
        }
    }
}

impl OcmAgent {
    fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Work => "work",
        }
    }
}

fn find(universe: &Universe, app: &str) -> Option<Application> {
    universe.applications().iter().find(|application| application.name == app).cloned()
}

fn ask(universe: &Universe, app: &str, patch: &Value) {
    if let Some(application) = find(universe, app) {
        let space = Some(application.hub_namespace.as_str());
        let _ = universe.cluster(HUB).merge_patch(&kinds::DRPC, space, &application.name, patch, None);
    }
}

/// A user deletes the DRPC of an application, perhaps one whose policy is not there, so that no hub held on to it.
fn unprotect(universe: &mut Universe, application: &Application) {
    let (hub, space, name) =
        (universe.cluster(HUB), Some(application.hub_namespace.as_str()), application.name.as_str());
    let drpc = hub.get(&kinds::DRPC, space, name);
    let policy = drpc.as_ref().ok().and_then(|drpc| drpc.at("/spec/drPolicyRef/name")?.as_str());
    let without_policy = policy.is_some_and(|policy| hub.get(&kinds::DR_POLICY, None, policy).is_err());
    let _ = hub.delete(&kinds::DRPC, space, name, None);
    if without_policy && hub.get(&kinds::DRPC, space, name).is_err() {
        universe.left_behind.insert(name.to_owned());
    }
}

fn deploy(universe: &mut Universe, app: &str, claims: usize, on: &str, under: Option<&String>) {
    let policy = under.cloned().or_else(|| universe.outline().policy_of(on)).unwrap_or_default();
    let application = Application {
        name: app.to_owned(),
        placement: app.to_owned(),
        storage_class: universe.outline().storage_class_of(&policy),
        ..Application::numbered(0, claims)
    };
    let _ = world::place(universe.cluster(HUB), &application, on);
    universe.add_application(application);
}

/// A user takes a claim out of the application: from its manifests, and where it is.
fn drop_claim(universe: &mut Universe, app: &str) {
    let mut dropped = None;
    universe.change_application(app, |application| {
        if application.claims.len() > 1 {
            dropped = application.claims.pop();
        }
    });
    let Some(claim) = dropped else { return };
    universe.dropped.insert((app.to_owned(), claim.clone()), universe.now());
    let clusters: Vec<String> = universe.managed().map(str::to_owned).collect();
    for cluster in clusters.iter().filter(|cluster| universe.is_up(cluster)) {
        let own = universe.cluster(cluster);
        if own.get(&kinds::POD, Some(app), app).is_ok() {
            // The pod mounts it: it is made anew without.
            let _ = own.delete(&kinds::POD, Some(app), app, None);
            let _ = own.delete(&kinds::PVC, Some(app), &claim, None);
        }
    }
}

fn set_finalizers(own: &dyn Api, kind: &Resource, namespace: &str, name: &str, finalizers: &Value) {
    let Ok(found) = own.get(kind, Some(namespace), name) else { return };
    // What is being deleted takes no new finalizers.
    if !object::deleting(&found) || finalizers.as_array().is_some_and(Vec::is_empty) {
        let patch = json!({"metadata": {"finalizers": finalizers}});
        let _ = own.merge_patch(kind, Some(namespace), name, &patch, None);
    }
}
