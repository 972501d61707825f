//! What users do, and what befalls the world: the words of plans and scenarios.

use std::time::Duration;

use ramen_api::path::At as _;
use ramen_sim::{
    agents::object,
    api::{Api, ApiError, Resource},
    apps::Application,
    kinds,
    s3::Fault,
    storage::Trouble,
    world,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::universe::{HUB, Rebuilt, Universe};

/// How a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
    /// It works.
    None,
    /// Connections break.
    Down,
    /// Answers take four seconds.
    Slow,
    /// Answers take longer than anybody waits.
    Hanging,
    /// Every answer is an internal error.
    Erroring,
    /// Writes are refused.
    ReadOnly,
}

/// Something that a user does or that befalls the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Happening {
    /// An application with so many claims is placed on a cluster.
    Deploy {
        /// Its name.
        app: String,
        /// How many claims it has.
        claims: usize,
        /// Where it is to run.
        on: String,
        /// The policy whose storage its claims are on; the first of that cluster if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// A DRPC is made for an application.
    Protect {
        /// Which application.
        app: String,
        /// Its preferred cluster.
        on: String,
        /// The policy; the first of that cluster if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// The action of a DRPC becomes Failover.
    Failover {
        /// Which application.
        app: String,
        /// The failover cluster.
        to: String,
    },
    /// The action of a DRPC becomes Relocate.
    Relocate {
        /// Which application.
        app: String,
        /// The preferred cluster.
        to: String,
    },
    /// The action of a DRPC is taken back.
    Withdraw {
        /// Which application.
        app: String,
    },
    /// The DRPC is deleted.
    Unprotect {
        /// Which application.
        app: String,
    },
    /// The application gets one more claim.
    AddClaim {
        /// Which application.
        app: String,
    },
    /// The last claim is taken from the application.
    DropClaim {
        /// Which application.
        app: String,
    },
    /// Its first claim is made larger, where it runs.
    Resize {
        /// Which application.
        app: String,
        /// Where.
        on: String,
    },
    /// A claim that can't go is let go: its finalizers are taken off by hand.
    Unhold {
        /// Whose claim.
        app: String,
        /// Which.
        claim: String,
        /// Where.
        on: String,
    },
    /// A VolumeReplication that can't go is let go: its finalizers are taken off by hand.
    LetGoReplication {
        /// Whose.
        app: String,
        /// Of which claim.
        claim: String,
        /// Where.
        on: String,
    },
    /// A pod is deleted by hand, and by force if it does not stop.
    DeletePod {
        /// Whose.
        app: String,
        /// Where.
        on: String,
    },
    /// VolumeReplications of an application that were never synchronized are deleted by hand.
    DeleteReplications {
        /// Whose.
        app: String,
        /// Where.
        on: String,
    },
    /// Somebody changes a VRG on its cluster by hand, to something that it cannot do.
    SpoilVrg {
        /// Whose.
        app: String,
        /// Where.
        on: String,
    },
    /// A claim that nobody needs is deleted by hand.
    DeleteClaim {
        /// Whose claim.
        app: String,
        /// Which.
        claim: String,
        /// Where.
        on: String,
    },
    /// A policy is deleted.
    DeletePolicy {
        /// Which.
        policy: String,
    },
    /// A DRCluster is deleted.
    DeleteCluster {
        /// Which.
        cluster: String,
    },
    /// Policies and DRClusters that are missing are made again.
    RestorePolicies,
    /// A pod that does not stop: its deletion is never finished by its node.
    Stubborn {
        /// Whose pod.
        app: String,
        /// Where.
        on: String,
    },
    /// Such a pod is removed by force.
    Evict {
        /// Whose pod.
        app: String,
        /// Where.
        on: String,
    },
    /// A managed cluster, or the hub, loses power.
    Lose {
        /// Which.
        cluster: String,
    },
    /// It is back.
    BringBack {
        /// Which.
        cluster: String,
    },
    /// A cluster's agents do not reach the hub, or do again.
    HubLink {
        /// Whose.
        cluster: String,
        /// Whether it works.
        works: bool,
    },
    /// A cluster's operator, or the hub's, does not reach any store, or does again.
    StoreLink {
        /// Whose.
        cluster: String,
        /// Whether it works.
        works: bool,
    },
    /// The storage of the sites does not reach each other, or does again.
    StorageLink {
        /// Whether it works.
        works: bool,
    },
    /// A site's storage breaks, or is mended.
    Storage {
        /// Whose.
        cluster: String,
        /// How.
        fault: StorageFault,
    },
    /// One of a cluster's two OCM agents stands still, or goes on: what it tells gets old.
    Agent {
        /// Whose.
        cluster: String,
        /// Which.
        agent: OcmAgent,
        /// Whether it works.
        works: bool,
    },
    /// A store breaks, or is mended.
    Store {
        /// Name of its profile.
        profile: String,
        /// How.
        fault: StoreFault,
    },
    /// A store loses everything.
    EmptyStore {
        /// Name of its profile.
        profile: String,
    },
    /// An operator is killed, and started again.
    Crash {
        /// `hub`, or the cluster.
        operator: String,
        /// Whether the log's unsynced tail is lost.
        losing_tail: bool,
    },
    /// An operator loses its log.
    LoseLog {
        /// `hub`, or the cluster.
        operator: String,
    },
    /// A second operator takes over, and the first goes on for so many milliseconds.
    Rival {
        /// `hub`, or the cluster.
        operator: String,
        /// How long the first goes on.
        lasts: u64,
    },
    /// The hub's objects are backed up.
    BackUpHub,
    /// The hub is lost for good and rebuilt.
    RebuildHub {
        /// From what.
        from: Rebuilt,
    },
    /// A cluster's clock is set ahead (or back, when negative), by milliseconds.
    Skew {
        /// Whose.
        cluster: String,
        /// By how much.
        ms: i64,
    },
    /// Everything that can be mended works again.
    Mend,
}

/// What is wrong with a site's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageFault {
    /// Nothing.
    None,
    /// Promotions, demotions and resynchronizations fail.
    Failing,
    /// They take effect, but answer too late.
    Hanging,
    /// No data pass between it and its peer.
    Degraded,
}

impl StorageFault {
    fn trouble(self) -> Option<Trouble> {
        match self {
            Self::None => None,
            Self::Failing => Some(Trouble::Failing),
            Self::Hanging => Some(Trouble::Hanging),
            Self::Degraded => Some(Trouble::Degraded),
        }
    }
}

/// An agent of OCM on a managed cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OcmAgent {
    /// It answers ManagedClusterViews.
    View,
    /// It applies ManifestWorks and feeds back.
    Work,
}

impl OcmAgent {
    fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Work => "work",
        }
    }
}

const STUBBORN: &str = "example.com/stubborn";

impl Happening {
    /// Whether a user does it, as opposed to a fault.
    pub fn is_users(&self) -> bool {
        matches!(
            self,
            Self::Deploy { .. }
                | Self::Protect { .. }
                | Self::Failover { .. }
                | Self::Relocate { .. }
                | Self::Withdraw { .. }
                | Self::Unprotect { .. }
                | Self::AddClaim { .. }
                | Self::DropClaim { .. }
                | Self::Resize { .. }
                | Self::DeletePolicy { .. }
                | Self::DeleteCluster { .. }
                | Self::RestorePolicies
        )
    }

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
            Self::StoreLink { cluster, works } => universe.set_store_link(cluster, *works),
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
    match own.get(kind, Some(namespace), name) {
        Ok(found) if !object::deleting(&found) || finalizers.as_array().is_some_and(Vec::is_empty) => {
            let _ =
                own.merge_patch(kind, Some(namespace), name, &json!({"metadata": {"finalizers": finalizers}}), None);
        }
        Ok(_) | Err(ApiError::NotFound) => {}
        Err(_) => {}
    }
}
