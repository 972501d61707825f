//! What each happening does to the universe.

use std::time::Duration;

use ramen_api::path::At as _;
use ramen_sim::{
    agents::object,
    api::{Api, ApiError, Resource},
    api_server::object::finalizers,
    apps::{Application, workload::STUBBORN},
    cluster::Cluster,
    kinds,
    s3::Fault,
    storage::Trouble,
    world,
};
use serde_json::{Value, json};

use super::{Happening, OcmAgent, StorageFault, StoreFault, attached, by_hand};
use crate::universe::{HUB, Universe};

impl Happening {
    /// Lets it happen. Users whose request cannot be carried out do not insist: what they asked for did not happen. Where the
    /// plan is strict, that is noted.
    pub fn befall(&self, universe: &mut Universe) {
        let done = self.attempt(universe);
        if let (Err(why), true) = (done, universe.strict) {
            universe.refused.get_or_insert_with(|| format!("{}: {why}", self.word()));
        }
        universe.spread();
    }

    /// Lets it happen; if it cannot have an effect, why.
    fn attempt(&self, universe: &mut Universe) -> Result<(), String> {
        match self {
            Self::Deploy { app, claims, on, under } => deploy(universe, app, *claims, on, under.as_ref()),
            Self::Protect { app, on, under } => protect(universe, app, on, under.as_ref()),
            Self::Failover { app, to } => {
                ask(universe, app, &json!({"spec": {"action": "Failover", "failoverCluster": to}}))
            }
            Self::Relocate { app, to } => {
                ask(universe, app, &json!({"spec": {"action": "Relocate", "preferredCluster": to}}))
            }
            Self::Withdraw { app } => ask(universe, app, &json!({"spec": {"action": null}})),
            Self::Unprotect { app } => unprotect(universe, app),
            Self::AddClaim { app } => {
                find(universe, app)?;
                universe.change_application(app, |application| {
                    application.claims.push(format!("data-{}", application.claims.len()));
                });
                Ok(())
            }
            Self::DropClaim { app } => drop_claim(universe, app),
            Self::Resize { app, on } => {
                let claim = find(universe, app)?.claims.into_iter().next().unwrap_or_default();
                let patch = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
                change(universe, on, &kinds::PVC, app, &claim, &patch)
            }
            Self::DeletePolicy { policy } => delete(universe, HUB, &kinds::DR_POLICY, "", policy),
            Self::DeleteCluster { cluster } => delete(universe, HUB, &kinds::DR_CLUSTER, "", cluster),
            Self::RestorePolicies => {
                reach(universe, HUB)?;
                universe.restore_policies();
                Ok(())
            }
            Self::Stubborn { app, on } => hold(universe, on, &kinds::POD, app, app),
            Self::Unhold { app, claim, on } => let_go(universe, on, &kinds::PVC, app, claim),
            Self::LetGoReplication { app, claim, on } => {
                delete(universe, on, &kinds::VOLUME_REPLICATION, app, claim)?;
                // Gone already, where nothing held it.
                let _ = let_go(universe, on, &kinds::VOLUME_REPLICATION, app, claim);
                Ok(())
            }
            Self::DeletePod { app, on } => {
                let done = delete(universe, on, &kinds::POD, app, app);
                if universe.is_up(on) {
                    // Gone already, but for one that does not stop.
                    let _ = let_go(universe, on, &kinds::POD, app, app);
                }
                done
            }
            Self::DeleteReplications { app, on } => {
                let cluster = reach(universe, on)?;
                let mut all = cluster.see_all(&kinds::VOLUME_REPLICATION, Some(app)).unwrap_or_default();
                all.retain(|vr| vr.at("/status/lastSyncTime").is_none());
                for vr in &all {
                    let _ = cluster.delete(&kinds::VOLUME_REPLICATION, Some(app), object::name(vr), None);
                }
                let none = || format!("{} has no VolumeReplication in {app} that was never synchronized", called(on));
                if all.is_empty() { Err(none()) } else { Ok(()) }
            }
            Self::SpoilVrg { app, on } => {
                change(universe, on, &kinds::VRG, app, app, &json!({"spec": {"protectedNamespaces": ["elsewhere"]}}))
            }
            Self::DeleteClaim { app, claim, on } => delete(universe, on, &kinds::PVC, app, claim),
            Self::Evict { app, on } => let_go(universe, on, &kinds::POD, app, app),
            Self::Attached { app, on } => {
                reach(universe, on)?;
                attached::attach(universe, app, on)
            }
            Self::Detached { app, on } => attached::detach(universe, Some(app), on),
            Self::BackUpHub => {
                let done = reach(universe, HUB).map(drop);
                universe.back_up();
                done
            }
            Self::Apply { on, manifest } => {
                reach(universe, on)?;
                by_hand::apply(universe, on, manifest)
            }
            Self::Patch { on, kind, namespace, name, patch } => {
                reach(universe, on)?;
                by_hand::patch(universe, on, &by_hand::Named { kind, namespace, name }, patch)
            }
            Self::Delete { on, kind, namespace, name } => {
                reach(universe, on)?;
                by_hand::delete(universe, on, &by_hand::Named { kind, namespace, name })
            }
            Self::DeleteObject { profile, key } => {
                let there = universe.stores.with(profile, |bucket| {
                    let there = bucket.get(key).is_some();
                    bucket.delete(key);
                    there
                });
                if there == Some(true) { Ok(()) } else { Err(format!("store {profile} has no object {key}")) }
            }
            world => world.strike(universe),
        }
    }

    /// Lets something befall the world itself; if that is how things are already, so it says.
    fn strike(&self, universe: &mut Universe) -> Result<(), String> {
        match self {
            Self::Lose { cluster } => {
                let had_power = reach(universe, cluster).map(drop);
                universe.lose(cluster);
                return had_power;
            }
            Self::BringBack { cluster } if universe.is_up(cluster) => {
                return Err(format!("{} has power", called(cluster)));
            }
            Self::BringBack { cluster } => universe.bring_back(cluster),
            Self::HubLink { cluster, works } => universe.set_hub_link(cluster, *works),
            Self::StoreLink { cluster, profile, works } => {
                universe.set_store_link(cluster, profile.as_deref(), *works);
            }
            Self::Storage { cluster, fault } => universe.set_storage(cluster, fault.trouble()),
            Self::Agent { cluster, agent, works } => universe.set_agent(cluster, agent.name(), *works),
            Self::StorageLink { works } => universe.set_storage_link(*works),
            Self::Store { profile, fault } => universe.set_store(profile, fault.on_bucket()),
            Self::EmptyStore { profile } => universe.stores.empty(profile),
            Self::Crash { operator, losing_tail } => {
                let ran = running(universe, operator);
                universe.crash(operator, if *losing_tail { usize::MAX } else { 0 });
                return ran;
            }
            Self::LoseLog { operator } => universe.lose_log(operator),
            Self::Rival { operator, lasts } => {
                running(universe, operator)?;
                universe.start_rival(operator, Duration::from_millis(*lasts));
            }
            Self::RebuildHub { from } => universe.rebuild_hub(*from),
            Self::Skew { cluster, ms } => universe.set_skew(cluster, *ms),
            Self::PutObject { profile, key, text } => {
                let now = universe.now();
                universe.stores.put(profile, key, text, now);
            }
            Self::StoreKeys { profile, access_key, secret_key } => {
                universe.stores.set_keys(profile, access_key, secret_key);
            }
            Self::Mend => universe.mend(),
            // The rest are requests.
            _ => {}
        }
        Ok(())
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
            Self::Silent => Some(Trouble::Silent),
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

fn find(universe: &Universe, app: &str) -> Result<Application, String> {
    let found = universe.applications().iter().find(|application| application.name == app).cloned();
    found.ok_or_else(|| format!("there is no application {app}"))
}

/// What people call a cluster, or the hub.
pub(super) fn called(on: &str) -> String {
    if on == HUB { "the hub".to_owned() } else { format!("cluster {on}") }
}

/// The API server of a cluster, or of the hub. Without power it answers nobody.
fn reach<'u>(universe: &'u Universe, on: &str) -> Result<&'u Cluster, String> {
    if universe.is_up(on) { Ok(universe.cluster(on)) } else { Err(format!("{} has no power", called(on))) }
}

/// Whether there is an operator to kill.
fn running(universe: &Universe, home: &str) -> Result<(), String> {
    let mut stays = universe.operators.iter().filter(|operated| operated.home == home && !operated.rival);
    if stays.any(|operated| operated.process.is_up()) {
        return Ok(());
    }
    Err(format!("no operator runs on {}", called(home)))
}

/// That an API server refused a request, in its words.
fn refused<'a>(on: &'a str, kind: &'a Resource, namespace: &'a str, name: &'a str) -> impl Fn(ApiError) -> String + 'a {
    move |why| format!("{} refused {}: {why}", called(on), by_hand::Named { kind: kind.kind, namespace, name })
}

fn change(
    universe: &Universe,
    on: &str,
    kind: &Resource,
    namespace: &str,
    name: &str,
    patch: &Value,
) -> Result<(), String> {
    let done = reach(universe, on)?.merge_patch(kind, Some(namespace), name, patch, None);
    done.map(drop).map_err(refused(on, kind, namespace, name))
}

fn delete(universe: &Universe, on: &str, kind: &Resource, namespace: &str, name: &str) -> Result<(), String> {
    let space = Some(namespace).filter(|space| !space.is_empty());
    reach(universe, on)?.delete(kind, space, name, None).map_err(refused(on, kind, namespace, name))
}

fn ask(universe: &Universe, app: &str, patch: &Value) -> Result<(), String> {
    let application = find(universe, app)?;
    change(universe, HUB, &kinds::DRPC, &application.hub_namespace, &application.name, patch)
}

fn protect(universe: &mut Universe, app: &str, on: &str, under: Option<&String>) -> Result<(), String> {
    let policy = under.cloned().or_else(|| universe.outline().policy_of(on));
    let policy = policy.ok_or_else(|| format!("there is no policy of cluster {on}"))?;
    let application = find(universe, app)?;
    reach(universe, HUB)?;
    universe.left_behind.remove(app);
    universe.reported.retain(|(of, _)| of != app);
    let (hub, space, name) = (universe.cluster(HUB), application.hub_namespace.as_str(), application.name.as_str());
    let refused = refused(HUB, &kinds::DRPC, space, name);
    if hub.get(&kinds::DRPC, Some(space), name).is_ok() {
        return Err(refused(ApiError::AlreadyExists));
    }
    world::protect_under(hub, &application, &policy, on).map_err(refused)
}

/// A user deletes the DRPC of an application, perhaps one whose policy is not there, so that no hub held on to it.
fn unprotect(universe: &mut Universe, app: &str) -> Result<(), String> {
    let application = find(universe, app)?;
    let (hub, space, name) =
        (reach(universe, HUB)?, Some(application.hub_namespace.as_str()), application.name.as_str());
    let drpc = hub.get(&kinds::DRPC, space, name);
    let policy = drpc.as_ref().ok().and_then(|drpc| drpc.at("/spec/drPolicyRef/name")?.as_str());
    let without_policy = policy.is_some_and(|policy| hub.get(&kinds::DR_POLICY, None, policy).is_err());
    let done = delete(universe, HUB, &kinds::DRPC, &application.hub_namespace, name);
    if without_policy && universe.cluster(HUB).get(&kinds::DRPC, space, name).is_err() {
        universe.left_behind.insert(name.to_owned());
    }
    done
}

fn deploy(universe: &mut Universe, app: &str, claims: usize, on: &str, under: Option<&String>) -> Result<(), String> {
    reach(universe, HUB)?;
    let policy = under.cloned().or_else(|| universe.outline().policy_of(on)).unwrap_or_default();
    let application = Application {
        name: app.to_owned(),
        placement: app.to_owned(),
        storage_class: universe.outline().storage_class_of(&policy),
        ..Application::numbered(0, claims)
    };
    let placed = world::place(universe.cluster(HUB), &application, on);
    universe.add_application(application);
    placed.map_err(refused(HUB, &kinds::PLACEMENT, "", app))
}

/// A user takes a claim out of the application: from its manifests, and where it is.
fn drop_claim(universe: &mut Universe, app: &str) -> Result<(), String> {
    find(universe, app)?;
    let mut dropped = None;
    universe.change_application(app, |application| {
        if application.claims.len() > 1 {
            dropped = application.claims.pop();
        }
    });
    let claim = dropped.ok_or_else(|| format!("{app} has no other claim"))?;
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
    Ok(())
}

/// Puts a finalizer on an object that nobody takes off.
fn hold(universe: &Universe, on: &str, kind: &Resource, namespace: &str, name: &str) -> Result<(), String> {
    let found = held(universe, on, kind, namespace, name)?;
    // What is being deleted takes no new finalizers.
    if object::deleting(&found) {
        let named = by_hand::Named { kind: kind.kind, namespace, name };
        return Err(format!("{named} on {} is being deleted already", called(on)));
    }
    set_finalizers(universe, on, kind, namespace, name, &json!([STUBBORN]))
}

/// Takes all finalizers off an object.
fn let_go(universe: &Universe, on: &str, kind: &Resource, namespace: &str, name: &str) -> Result<(), String> {
    let found = held(universe, on, kind, namespace, name)?;
    set_finalizers(universe, on, kind, namespace, name, &json!([]))?;
    if finalizers(&found).is_empty() {
        let named = by_hand::Named { kind: kind.kind, namespace, name };
        return Err(format!("nothing holds {named} on {}", called(on)));
    }
    Ok(())
}

fn held(universe: &Universe, on: &str, kind: &Resource, namespace: &str, name: &str) -> Result<Value, String> {
    if universe.strict {
        reach(universe, on)?;
    }
    universe.cluster(on).get(kind, Some(namespace), name).map_err(refused(on, kind, namespace, name))
}

fn set_finalizers(
    universe: &Universe,
    on: &str,
    kind: &Resource,
    namespace: &str,
    name: &str,
    finalizers: &Value,
) -> Result<(), String> {
    let patch = json!({"metadata": {"finalizers": finalizers}});
    let done = universe.cluster(on).merge_patch(kind, Some(namespace), name, &patch, None);
    done.map(drop).map_err(refused(on, kind, namespace, name))
}
