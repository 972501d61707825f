//! A small world for stories: it carries out commands, plays clusters and their agents, and keeps what was wanted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use ramen_events::{
    Aggregate, Cause, ClusterName, Command, CommandId, Condition, ConditionStatus, Epoch, Fact, Json, Kind, ObjectId,
    Operator, Origin, Outcome, Payload, Position, Record, Seq, Stamp, Time,
    hub::{self, *},
};
use serde_json::json;

use crate::{DECIDER_VERSION, World};

/// What a status waits for until it is certain that there is something to tell, and how long at most.
const HELD_BACK: [&str; 3] =
    ["the status is due to be written", "tell what is waited for", "tell what the clusters are waited for"];
const HELD_BACK_MS: u64 = 1_500;

use super::Hub;

mod clusters;
mod effects;

/// A VRG on a cluster.
#[derive(Clone, Default)]
pub struct Actor {
    pub uid: String,
    pub generation: i64,
    pub manifest: VrgManifest,
    pub command: String,
    pub status: Option<VrgStatus>,
}

/// A cluster.
#[derive(Default)]
pub struct Site {
    pub down: bool,
    /// VRGs take their new spec, but nobody looks at it.
    pub idle: bool,
    pub vrg: Option<Actor>,
    /// MaintenanceModes, and what the storage answered to each.
    pub modes: BTreeMap<String, ModeSeen>,
}

/// The world.
pub struct Story {
    pub world: World<Hub>,
    pub now: Time,
    seq: u64,
    queue: VecDeque<(Aggregate, CommandId, String, hub::Command)>,
    timers: BTreeMap<Aggregate, (Time, String)>,
    /// All commands that were carried out, in words.
    pub sent: Vec<String>,
    /// Events that were reported.
    pub events: Vec<String>,
    pub sites: BTreeMap<String, Site>,
    /// Works bring feedback.
    pub feedback: bool,
    /// Outcomes for commands, by the words they begin with.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Commands whose words begin so are on their way, and stay there.
    pub unanswered: Option<&'static str>,
    /// What stores hold; absent means that the store cannot be read.
    pub copies: BTreeMap<String, StoredVrgAnswer>,
    uids: u64,
}

pub const APP: (&str, &str) = ("apps", "app");

pub fn app() -> ObjectRef {
    ObjectRef::new(APP.0, APP.1)
}

pub fn condition(kind: &str, status: ConditionStatus, reason: &str) -> Condition {
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: format!("{kind} {reason}"),
        generation: 1,
        since: Time(0),
    }
}

pub fn profile(name: &str) -> Profile {
    Profile {
        name: name.into(),
        endpoint: format!("http://{name}:9000"),
        bucket: "bucket".into(),
        region: "r".into(),
        secret_namespace: "ramen-system".into(),
        secret: name.into(),
        ca_certificates: String::new(),
    }
}

pub fn meta(namespace: &str, name: &str) -> Meta {
    let uid = format!("uid-{name}");
    Meta { namespace: namespace.into(), name: name.into(), uid, generation: 1, ..Meta::default() }
}

impl Story {
    /// An installation without clusters.
    pub fn bare() -> Self {
        let mut story = Self {
            world: World::default(),
            now: Time(1_700_000_000_000),
            seq: 0,
            queue: VecDeque::new(),
            timers: BTreeMap::new(),
            sent: Vec::new(),
            events: Vec::new(),
            sites: BTreeMap::new(),
            feedback: true,
            outcomes: BTreeMap::new(),
            unanswered: None,
            copies: BTreeMap::from(["s3-c1", "s3-c2"].map(|s| (s.to_owned(), StoredVrgAnswer::Absent))),
            uids: 0,
        };
        story.record(None, Payload::Started { operator: Operator::Hub, epoch: Epoch(1), decider: DECIDER_VERSION });
        let config = Config {
            profiles: vec![profile("s3-c1"), profile("s3-c2")],
            ops_namespace: "ramen-ops".into(),
            vol_sync_disabled: true,
            ..Config::default()
        };
        story.see(hub::Fact::Config(ConfigFact {
            namespace: "ramen-system".into(),
            name: "ramen-hub-operator-config".into(),
            config: Ok(config),
        }));
        for name in ["s3-c1", "s3-c2"] {
            story.see(hub::Fact::Secret(SecretFact {
                namespace: "ramen-system".into(),
                name: name.into(),
                digest: "d1".into(),
                keys: Vec::new(),
            }));
        }
        story
    }

    /// Two clusters that joined the hub.
    pub fn with_clusters() -> Self {
        let mut story = Self::bare();
        for name in ["c1", "c2"] {
            story.sites.insert(name.into(), Site::default());
            story.managed(name, ConditionStatus::True);
        }
        story
    }

    /// A policy over two clusters that is valid, an application on c1, everything listed.
    pub fn ready() -> Self {
        let mut story = Self::with_clusters();
        for name in ["c1", "c2"] {
            story.dr_cluster(name);
        }
        story.policy();
        story.place();
        story.record(None, Payload::Synced);
        story.run();
        story
    }

    /// A DRCluster that nobody has looked at.
    pub fn dr_cluster(&mut self, name: &str) {
        let fact = DrClusterFact { meta: meta("", name), profile: format!("s3-{name}"), ..DrClusterFact::default() };
        self.see(hub::Fact::DrCluster(Box::new(fact)));
    }

    /// A policy over both clusters that nobody has looked at.
    pub fn policy(&mut self) {
        let spec = PolicySpec {
            clusters: vec![ClusterName::from("c1"), ClusterName::from("c2")],
            interval: "1m".into(),
            ..PolicySpec::default()
        };
        self.see(hub::Fact::Policy(Box::new(PolicyFact { meta: meta("", "policy"), spec, status: None })));
    }

    /// The application's placement, deciding for c1.
    pub fn place(&mut self) {
        let mut placement = meta(APP.0, APP.1);
        placement
            .annotations
            .insert("cluster.open-cluster-management.io/experimental-scheduling-disable".into(), "true".into());
        self.see(hub::Fact::Placement(Box::new(PlacementFact { meta: placement, ..PlacementFact::default() })));
        self.see(hub::Fact::ApplicationSet(ApplicationSetFact {
            namespace: APP.0.into(),
            name: "set".into(),
            placement: APP.1.into(),
            destination_namespace: APP.0.into(),
        }));
        self.see(hub::Fact::Decision(DecisionFact {
            namespace: APP.0.into(),
            name: "app-decision-1".into(),
            placement: APP.1.into(),
            entries: vec![DecisionEntry { cluster: ClusterName::from("c1"), reason: "c1".into() }],
            ..DecisionFact::default()
        }));
    }

    /// An application that is deployed on c1 and protected.
    pub fn deployed() -> Self {
        let mut story = Self::ready();
        story.protect();
        story.run();
        story.pass(60);
        story.sent.clear();
        story.events.clear();
        story
    }

    pub fn managed(&mut self, name: &str, available: ConditionStatus) {
        self.see(hub::Fact::ManagedCluster(ManagedClusterFact {
            name: name.into(),
            joined: true,
            available: Some(available),
            id: format!("id-{name}"),
        }));
    }

    /// A new DRPC.
    pub fn protect(&mut self) {
        self.protect_as(|_| {});
    }

    /// A new DRPC, changed by `change`.
    pub fn protect_as(&mut self, change: impl FnOnce(&mut DrpcFact)) {
        let mut fact = DrpcFact {
            meta: meta(APP.0, APP.1),
            spec: DrpcSpec {
                placement: APP.1.into(),
                policy: "policy".into(),
                preferred: "c1".into(),
                pvc_selector: Json::new(&json!({"matchLabels": {"app": "app"}})),
                ..DrpcSpec::default()
            },
            ..DrpcFact::default()
        };
        change(&mut fact);
        self.see(hub::Fact::Drpc(Box::new(fact)));
    }

    /// The DRPC as it is.
    pub fn drpc(&self) -> &DrpcFact {
        self.world.domain.drpcs.get(&app()).expect("the DRPC is there")
    }

    pub fn status(&self) -> &DrpcStatus {
        &self.drpc().status
    }

    /// A condition of the DRPC: status and reason.
    pub fn told(&self, kind: &str) -> (ConditionStatus, &str) {
        let condition = self.status().condition(kind).expect("the condition is there");
        (condition.status, &condition.reason)
    }

    /// The words of a condition of the DRPC.
    pub fn words(&self, kind: &str) -> &str {
        &self.status().condition(kind).expect("the condition is there").message
    }

    /// Where the DRPC stands, and on what it waits.
    pub fn position(&self) -> &Position {
        self.world.positions.get(&super::drpc(&app())).expect("the DRPC moved")
    }

    /// Changes the DRPC's spec.
    pub fn edit(&mut self, change: impl FnOnce(&mut DrpcSpec)) {
        let mut fact = self.drpc().clone();
        change(&mut fact.spec);
        fact.meta.generation += 1;
        self.see(hub::Fact::Drpc(Box::new(fact)));
    }

    /// Asks for an action.
    pub fn ask(&mut self, action: &str, cluster: &str) {
        self.edit(|spec| {
            spec.action = action.into();
            if action == "Failover" {
                spec.failover = cluster.into();
            } else if action == "Relocate" {
                spec.preferred = cluster.into();
            }
        });
    }

    /// A cluster is lost; OCM does not know yet.
    pub fn lose(&mut self, cluster: &str) {
        self.site(cluster).down = true;
    }

    /// A cluster is back.
    pub fn bring_back(&mut self, cluster: &str) {
        self.site(cluster).down = false;
        self.catch_up(cluster);
    }

    pub fn site(&mut self, cluster: &str) -> &mut Site {
        self.sites.get_mut(cluster).expect("the cluster is there")
    }

    /// Clusters of the placement decision; a retained one in brackets.
    pub fn decision(&self) -> String {
        let fact = self.world.domain.decisions.values().next().expect("a decision is there");
        let word = |entry: &DecisionEntry| {
            if entry.reason == "RetainedForFailover" { format!("[{}]", entry.cluster) } else { entry.cluster.0.clone() }
        };
        fact.entries.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// What is asked of a cluster: role, action and flags.
    pub fn wished(&self, cluster: &str) -> String {
        let work = self.world.domain.work(&ClusterName::from(cluster), "app-apps-vrg-mw");
        work.map_or_else(
            || "nothing".into(),
            |work| match &work.fact.content {
                WorkContent::Vrg { manifest, .. } => words_of(&manifest.spec),
                _ => "unreadable".into(),
            },
        )
    }

    /// Carries out everything that is wanted until nothing is, statuses included that are held back for a moment.
    pub fn run(&mut self) {
        self.carry_out_all();
        while let Some((aggregate, (wanted, why))) = self.held_back() {
            self.now = self.now.max(wanted);
            self.timers.remove(&aggregate);
            self.record(Some(aggregate), Payload::TimerFired { wanted, why });
            self.carry_out_all();
        }
    }

    fn held_back(&self) -> Option<(Aggregate, (Time, String))> {
        let soon = self.now.plus_ms(HELD_BACK_MS);
        let held = |(_, (at, why)): &(&Aggregate, &(Time, String))| *at <= soon && HELD_BACK.contains(&why.as_str());
        self.timers.iter().find(held).map(|(aggregate, timer)| (aggregate.clone(), timer.clone()))
    }

    fn carry_out_all(&mut self) {
        for _ in 0..2_000 {
            let Some((aggregate, id, slot, command)) = self.queue.pop_front() else { return };
            let words = words(&command);
            self.sent.push(words.clone());
            if self.unanswered.is_some_and(|begin| words.starts_with(begin)) {
                continue;
            }
            let refused = self.outcomes.iter().find(|(begin, _)| words.starts_with(begin.as_str()));
            let outcome = refused.map_or(Outcome::Done, |(_, outcome)| outcome.clone());
            if outcome.is_done() {
                self.carry_out(id, command);
            }
            self.record(Some(aggregate), Payload::Finished { id, slot, outcome });
        }
        panic!("it does not come to rest: {:?}", &self.sent[self.sent.len() - 20..]);
    }

    /// Lets time pass, second by second.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = self.now.plus_seconds(1);
            self.fast_views();
            let due: Vec<_> = self
                .timers
                .iter()
                .filter(|(_, (at, _))| *at <= self.now)
                .map(|(a, t)| (a.clone(), t.clone()))
                .collect();
            for (aggregate, (wanted, why)) in due {
                self.timers.remove(&aggregate);
                self.record(Some(aggregate), Payload::TimerFired { wanted, why });
            }
            self.run();
        }
    }

    /// The operator's process dies; its log survives.
    pub fn restart(&mut self) {
        self.queue.clear();
        self.timers.clear();
        self.record(None, Payload::Started { operator: Operator::Hub, epoch: Epoch(2), decider: DECIDER_VERSION });
        self.record(None, Payload::Synced);
        self.run();
    }

    /// The operator's process dies and its log is lost; the objects are listed anew.
    pub fn lose_log(&mut self) {
        let old = std::mem::take(&mut self.world).domain;
        self.queue.clear();
        self.timers.clear();
        self.record(None, Payload::Started { operator: Operator::Hub, epoch: Epoch(1), decider: DECIDER_VERSION });
        self.list(&old);
        self.record(None, Payload::Synced);
        self.run();
    }

    /// The hub is lost and restored from a backup: specs are there; status, works, views and decisions are not.
    pub fn restore_hub(&mut self) {
        let mut old = std::mem::take(&mut self.world).domain;
        self.queue.clear();
        self.timers.clear();
        self.sent.clear();
        old.works.clear();
        old.views.clear();
        old.decisions.clear();
        for fact in old.drpcs.values_mut().map(Arc::make_mut) {
            fact.meta.uid = "uid-restored".into();
            fact.status = DrpcStatus::default();
        }
        self.record(None, Payload::Started { operator: Operator::Hub, epoch: Epoch(1), decider: DECIDER_VERSION });
        self.list(&old);
        self.record(None, Payload::Synced);
        self.run();
    }

    fn list(&mut self, old: &Hub) {
        old.config.iter().for_each(|f| self.see(hub::Fact::Config(f.clone())));
        old.secrets.values().for_each(|f| self.see(hub::Fact::Secret(f.clone())));
        old.managed.values().for_each(|f| self.see(hub::Fact::ManagedCluster(f.clone())));
        old.clusters.values().for_each(|f| self.see(hub::Fact::DrCluster(Box::new(f.clone()))));
        old.policies.values().for_each(|f| self.see(hub::Fact::Policy(Box::new((**f).clone()))));
        old.placements.values().for_each(|f| self.see(hub::Fact::Placement(Box::new((**f).clone()))));
        old.decisions.values().for_each(|f| self.see(hub::Fact::Decision(f.clone())));
        old.application_sets.values().for_each(|f| self.see(hub::Fact::ApplicationSet(f.clone())));
        let works = old.works.values().flat_map(BTreeMap::values);
        works.for_each(|w| self.see(hub::Fact::Work(Box::new((*w.fact).clone()))));
        self.now = self.now.plus_ms(1); // lists come one after the other
        let views = old.views.values().flat_map(BTreeMap::values);
        views.for_each(|v| self.see(hub::Fact::View(Box::new((*v.fact).clone()))));
        old.drpcs.values().for_each(|f| self.see(hub::Fact::Drpc(Box::new((**f).clone()))));
    }

    /// Learns a fact, if it is news.
    pub fn see(&mut self, fact: hub::Fact) {
        let fact = Fact::Hub(fact);
        if crate::Domain::is_news(&self.world.domain, &fact) {
            self.record(None, Payload::Observed(fact));
        }
    }

    /// Learns that an object is gone.
    pub fn gone(&mut self, kind: Kind, namespace: &str, name: &str) {
        self.record(None, Payload::Gone(ObjectId::new(kind, namespace, name)));
    }

    /// Appends a record, folds it in and asks everybody whom it concerns.
    pub fn record(&mut self, aggregate: Option<Aggregate>, payload: Payload) {
        let touched = self.append(aggregate, payload);
        let cause = Seq(self.seq);
        for aggregate in touched {
            let decided = self.world.decide(&aggregate, cause);
            match decided.again {
                Some(again) => self.timers.insert(aggregate.clone(), again),
                None => self.timers.remove(&aggregate),
            };
            for payload in decided.payloads {
                if let Payload::Commanded { id, slot, command: Command::Hub(command) } = &payload {
                    self.queue.push_back((aggregate.clone(), *id, slot.clone(), command.clone()));
                }
                self.append(Some(aggregate.clone()), payload);
            }
        }
    }

    fn append(&mut self, aggregate: Option<Aggregate>, payload: Payload) -> std::collections::BTreeSet<Aggregate> {
        self.seq += 1;
        let origin = Origin { operator: Operator::Hub, cluster: ClusterName::from("hub"), epoch: Epoch(1) };
        let stamp = Stamp { time: self.now, count: 0 };
        self.world.apply(&Record { seq: Seq(self.seq), stamp, origin, aggregate, cause: Cause::Outside, payload })
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        format!("uid-{}", self.uids)
    }
}

fn words_of(spec: &VrgSpec) -> String {
    let flags = [("prepare", spec.prepare_for_final_sync), ("run", spec.run_final_sync)];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(word, _)| *word);
    let words = [spec.state.as_str(), spec.action.as_str()].into_iter().filter(|word| !word.is_empty());
    words.chain(flags).collect::<Vec<_>>().join(" ")
}

/// A command in words, short enough to compare.
fn words(command: &hub::Command) -> String {
    match command {
        hub::Command::ApplyVrgWork(work) => format!("vrg {} {}", work.cluster, words_of(&work.manifest.spec)),
        hub::Command::ApplyNamespaceWork(work) => format!("namespace {}", work.cluster),
        hub::Command::ApplyModeWork(work) => format!("mode {}/{} of {}", work.cluster, work.mode, work.provisioner),
        hub::Command::DeleteWork { cluster, name, .. } => format!("delete work {cluster}/{name}"),
        hub::Command::ApplyView(wish) => format!("view {}/{} every {}", wish.cluster, wish.name, wish.interval),
        hub::Command::TouchView { cluster, .. } => format!("touch {cluster}"),
        hub::Command::DeleteView { cluster, name } => format!("delete view {cluster}/{name}"),
        hub::Command::WriteDecision { entries, .. } => {
            let clusters = entries.iter().flatten().map(|entry| {
                if entry.reason == "RetainedForFailover" {
                    format!("[{}]", entry.cluster)
                } else {
                    entry.cluster.0.clone()
                }
            });
            format!("decide {}", clusters.collect::<Vec<_>>().join(" "))
        }
        hub::Command::WriteDrpcStatus { status, .. } => format!("status {} {}", status.phase, status.progression),
        hub::Command::WriteClusterStatus { cluster, .. } => format!("status of {cluster}"),
        hub::Command::WritePolicyStatus { policy, .. } => format!("status of {policy}"),
        hub::Command::PatchMeta(patch) => format!("mark {:?}", patch.kind),
        hub::Command::ProbeStore { profile, .. } => format!("probe {}", profile.name),
        hub::Command::FetchStoredVrg { profile, .. } => format!("fetch {}", profile.name),
        other => other.name().to_owned(),
    }
}
