//! Changes to state.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ramen_events::{
    ActionId, ClusterName, Command, Fact, Kind, ObjectId, Outcome, Time,
    hub::{self, DrpcFact, ObjectRef, PlacementKind, Profile, StoreKey, StoredVrgAnswer, StoredVrgFact},
};

use crate::domain::Change;

use super::state::{Asked, Hub, KnownCopy, KnownStore, KnownView, KnownWork};

/// The field of a work that asks its agent to watch.
const SCRAPE_TYPE: &str = "feedbackScrapeType";

impl Hub {
    /// Whether a fact says something that is not known yet.
    pub(super) fn is_news(&self, fact: &hub::Fact) -> bool {
        let object = fact.object();
        let name = object.name.as_str();
        let key = ObjectRef::new(&object.namespace, name);
        let cluster = ClusterName(object.namespace.clone());
        match fact {
            hub::Fact::Config(fact) => self.config.as_ref() != Some(fact),
            hub::Fact::Secret(fact) => self.secrets.get(&key) != Some(fact),
            hub::Fact::Drpc(fact) => self.drpcs.get(&key).map(|known| &**known) != Some(fact),
            hub::Fact::Policy(fact) => self.policy(name) != Some(fact),
            hub::Fact::DrCluster(fact) => self.clusters.get(name) != Some(fact),
            hub::Fact::ManagedCluster(fact) => self.managed.get(name) != Some(fact),
            hub::Fact::Placement(fact) => match fact.kind {
                PlacementKind::Placement => self.placements.get(&key).map(|known| &**known) != Some(fact),
                PlacementKind::Rule => self.rules.get(&key).map(|known| &**known) != Some(fact),
            },
            hub::Fact::Decision(fact) => self.decisions.get(&key) != Some(fact),
            hub::Fact::ApplicationSet(fact) => self.application_sets.get(&key) != Some(fact),
            hub::Fact::Work(fact) => self.work(&cluster, name).map(|known| &*known.fact) != Some(fact),
            hub::Fact::View(fact) => self.view(&cluster, name).map(|known| &*known.fact) != Some(fact),
            // An answer to a question is news even if it is the same as before: the question was asked anew.
            hub::Fact::StoredVrg(_) => true,
            // Remarks are the world's.
            hub::Fact::Authors(_) => false,
        }
    }

    /// Folds a change in.
    pub(super) fn fold(&mut self, now: Time, change: Change<'_>) {
        match change {
            Change::Observed(Fact::Hub(fact)) => self.learn(now, fact),
            Change::Gone(object) => self.lose(object),
            Change::Finished { command: Command::Hub(command), outcome, .. } => self.finished(now, command, outcome),
            Change::Observed(Fact::Spoke(_)) | Change::Finished { .. } | Change::Moved { .. } => {}
        }
    }

    fn learn(&mut self, now: Time, fact: &hub::Fact) {
        let object = fact.object();
        let key = ObjectRef::new(&object.namespace, &object.name);
        match fact {
            hub::Fact::Config(fact) => self.config = Some(fact.clone()),
            hub::Fact::Secret(fact) => {
                self.secrets.insert(key, fact.clone());
            }
            hub::Fact::Drpc(fact) => self.learn_drpc(now, key, fact),
            hub::Fact::Policy(fact) => {
                let fact = Arc::new((**fact).clone());
                replaced(self.policies.insert(object.name, fact.clone()), |old| self.index.policy(&old, false));
                self.index.policy(&fact, true);
            }
            hub::Fact::DrCluster(fact) => {
                replaced(self.clusters.insert(object.name, (**fact).clone()), |old| self.index.cluster(&old, false));
                self.index.cluster(fact, true);
            }
            hub::Fact::ManagedCluster(fact) => {
                self.managed.insert(object.name, fact.clone());
            }
            hub::Fact::Placement(fact) => {
                let kind = match fact.kind {
                    PlacementKind::Placement => &mut self.placements,
                    PlacementKind::Rule => &mut self.rules,
                };
                kind.insert(key, Arc::new((**fact).clone()));
            }
            hub::Fact::Decision(fact) => {
                replaced(self.decisions.insert(key, fact.clone()), |old| self.index.decision(&old, false));
                self.index.decision(fact, true);
            }
            hub::Fact::ApplicationSet(fact) => {
                self.application_sets.insert(key, fact.clone());
            }
            hub::Fact::Work(fact) => {
                // The field is there again: the definition was replaced by a newer one.
                self.cannot_watch &= fact.watched.is_none();
                let works = self.works.entry(fact.cluster.clone()).or_default();
                let old = works.remove(&fact.name);
                replaced(old.as_ref(), |old| self.index.work(&old.fact, false));
                self.index.work(fact, true);
                let feedback_at = match &old {
                    Some(old) if old.fact.feedback == fact.feedback => old.feedback_at,
                    _ => now,
                };
                works.insert(fact.name.clone(), KnownWork { fact: Arc::new((**fact).clone()), at: now, feedback_at });
            }
            hub::Fact::View(fact) => {
                let views = self.views.entry(fact.cluster.clone()).or_default();
                let old = views.remove(&fact.name);
                replaced(old.as_ref(), |old| self.index.view(&old.fact, false));
                self.index.view(fact, true);
                let same_view = old.as_ref().filter(|old| old.fact.uid == fact.uid);
                let made = same_view.map_or(now, |old| old.made);
                let answered = match same_view {
                    Some(old) if old.fact.answer == fact.answer => old.answered,
                    _ => now,
                };
                views.insert(fact.name.clone(), KnownView { fact: Arc::new((**fact).clone()), made, answered });
            }
            hub::Fact::StoredVrg(fact) => self.learn_copy(now, fact.clone()),
            hub::Fact::Authors(_) => {}
        }
    }

    fn learn_drpc(&mut self, now: Time, key: ObjectRef, fact: &DrpcFact) {
        let target = if fact.spec.action == "Failover" { &fact.spec.failover } else { &fact.spec.preferred };
        let same = |asked: &Asked| asked.action == fact.spec.action && asked.target == *target;
        if !self.actions.get(&key).is_some_and(same) {
            let word = if fact.spec.action.is_empty() { "deploy" } else { &fact.spec.action };
            let id = format!("{}-{target}-{}", word.to_lowercase(), fact.meta.generation);
            // A log that begins in the middle of an action takes the start that was reported.
            let running = !self.actions.contains_key(&key) && fact.status.observed_generation == fact.meta.generation;
            let since = fact.status.action_start.filter(|_| running).unwrap_or(now);
            let first = !self.actions.contains_key(&key) && matches!(fact.status.phase.as_str(), "" | "Deploying");
            let asked =
                Asked { id: ActionId(id), action: fact.spec.action.clone(), target: target.clone(), since, first };
            self.actions.insert(key.clone(), asked);
        }
        replaced(self.drpcs.insert(key, Arc::new(fact.clone())), |old| self.index.drpc(&old, false));
        self.index.drpc(fact, true);
    }

    fn learn_copy(&mut self, now: Time, fact: StoredVrgFact) {
        let copies = self.stored.entry(fact.profile.clone()).or_default();
        copies.insert(fact.key.clone(), KnownCopy { fact: Arc::new(fact), at: now });
    }

    fn lose(&mut self, object: &ObjectId) {
        let key = ObjectRef::new(&object.namespace, &object.name);
        let cluster = ClusterName(object.namespace.clone());
        match object.kind {
            Kind::ConfigMap => self.config = None,
            Kind::Secret => {
                self.secrets.remove(&key);
            }
            Kind::Drpc => {
                self.actions.remove(&key);
                replaced(self.drpcs.remove(&key), |old| self.index.drpc(&old, false));
            }
            Kind::DrPolicy => {
                replaced(self.policies.remove(&object.name), |old| self.index.policy(&old, false));
            }
            Kind::DrCluster => {
                replaced(self.clusters.remove(&object.name), |old| self.index.cluster(&old, false));
            }
            Kind::ManagedCluster => {
                self.managed.remove(&object.name);
            }
            Kind::Placement => {
                self.placements.remove(&key);
            }
            Kind::PlacementRule => {
                self.rules.remove(&key);
            }
            Kind::PlacementDecision => {
                replaced(self.decisions.remove(&key), |old| self.index.decision(&old, false));
            }
            Kind::ApplicationSet => {
                self.application_sets.remove(&key);
            }
            Kind::ManifestWork => {
                let old = self.works.get_mut(&cluster).and_then(|works| works.remove(&object.name));
                replaced(old, |old| self.index.work(&old.fact, false));
                prune(&mut self.works, &cluster);
            }
            Kind::ManagedClusterView => {
                let old = self.views.get_mut(&cluster).and_then(|views| views.remove(&object.name));
                replaced(old, |old| self.index.view(&old.fact, false));
                prune(&mut self.views, &cluster);
            }
            _ => {}
        }
    }

    fn finished(&mut self, now: Time, command: &hub::Command, outcome: &Outcome) {
        match command {
            hub::Command::ProbeStore { profile, secret, .. } => self.probed(now, profile, secret, outcome),
            hub::Command::FetchStoredVrg { profile, key } => {
                if let Some(message) = outcome.message() {
                    let answer = StoredVrgAnswer::Unknown { message: message.to_owned() };
                    let fact = StoredVrgFact { profile: profile.name.clone(), key: key.clone(), answer };
                    self.learn_copy(now, fact);
                }
            }
            // An older definition of ManifestWork lacks the field, and server-side apply says so.
            hub::Command::ApplyVrgWork(work) if work.watched => {
                self.cannot_watch |= outcome.message().is_some_and(|words| words.contains(SCRAPE_TYPE));
            }
            // That it exists already is as good.
            hub::Command::CreateOpsNamespace { name } if outcome.is_done() || command.is_met_by(outcome) => {
                self.ops_namespace.clone_from(name);
            }
            _ => {}
        }
    }

    fn probed(&mut self, now: Time, profile: &Profile, secret: &str, outcome: &Outcome) {
        let key = StoreKey { profile: profile.clone(), secret: secret.to_owned() };
        let error = match outcome {
            Outcome::Done => None,
            Outcome::Refused { reason, message, .. } => Some((reason.clone(), message.clone())),
            Outcome::Conflict { message } | Outcome::Unreachable { message } | Outcome::Unknown { message } => {
                Some((String::from("ConnectionFailed"), message.clone()))
            }
        };
        let before = self.stores.get(&profile.name).filter(|store| store.key == key);
        let failures = if error.is_some() { before.map_or(0, |store| store.failures).saturating_add(1) } else { 0 };
        self.stores.insert(profile.name.clone(), KnownStore { key, at: now, failures, error });
    }

    /// Objects of a kind that facts are held of.
    pub(super) fn objects(&self, kind: Kind) -> BTreeSet<ObjectId> {
        let namespaced = |key: &ObjectRef| ObjectId::new(kind, &key.namespace, &key.name);
        let scoped = |name: &String| ObjectId::cluster_scoped(kind, name);
        match kind {
            Kind::ConfigMap => {
                self.config.iter().map(|config| ObjectId::new(kind, &config.namespace, &config.name)).collect()
            }
            Kind::Secret => self.secrets.keys().map(namespaced).collect(),
            Kind::Drpc => self.drpcs.keys().map(namespaced).collect(),
            Kind::DrPolicy => self.policies.keys().map(scoped).collect(),
            Kind::DrCluster => self.clusters.keys().map(scoped).collect(),
            Kind::ManagedCluster => self.managed.keys().map(scoped).collect(),
            Kind::Placement => self.placements.keys().map(namespaced).collect(),
            Kind::PlacementRule => self.rules.keys().map(namespaced).collect(),
            Kind::PlacementDecision => self.decisions.keys().map(namespaced).collect(),
            Kind::ApplicationSet => self.application_sets.keys().map(namespaced).collect(),
            Kind::ManifestWork => in_clusters(kind, &self.works),
            Kind::ManagedClusterView => in_clusters(kind, &self.views),
            _ => BTreeSet::new(),
        }
    }
}

/// Does something about an old value, if there was one.
fn replaced<T>(old: Option<T>, and: impl FnOnce(T)) {
    if let Some(old) = old {
        and(old);
    }
}

fn prune<T>(map: &mut BTreeMap<ClusterName, BTreeMap<String, T>>, cluster: &ClusterName) {
    if map.get(cluster).is_some_and(BTreeMap::is_empty) {
        map.remove(cluster);
    }
}

fn in_clusters<T>(kind: Kind, map: &BTreeMap<ClusterName, BTreeMap<String, T>>) -> BTreeSet<ObjectId> {
    map.iter().flat_map(|(cluster, names)| names.keys().map(|name| ObjectId::new(kind, &cluster.0, name))).collect()
}
