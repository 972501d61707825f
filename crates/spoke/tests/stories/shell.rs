//! A shell around the operator without tasks and sockets: what the runtime does, one thing after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use ramen_events::{
    Aggregate, BlobId, Cause, ClusterName, Command, CommandId, Epoch, Fact, Kind, ObjectId, Operator as Side, Origin,
    Outcome, Payload, Record, Seq, Stamp, Time,
};
use ramen_ports::{Answer, Blobs, Effect, Observation, Operator, StoreAnswer, StoreOperation, Target, Unused, fence};
use ramen_projector::{DECIDER_VERSION, Domain, World};
use ramen_sim::{
    api::{Api, ApiError},
    cluster::Cluster,
    kinds,
};
use ramen_spoke::SpokeOperator;
use serde_json::Value;

/// An S3 store that can be down.
#[derive(Debug, Default)]
pub struct Store {
    pub objects: BTreeMap<String, Value>,
    pub down: bool,
    pub refuses: Option<&'static str>,
    /// How often somebody asked to write.
    pub fenced: usize,
}

pub type Stores = Arc<Mutex<BTreeMap<String, Store>>>;

#[derive(Default)]
struct BlobTree(BTreeMap<BlobId, Vec<u8>>);

impl Blobs for BlobTree {
    fn get(&self, id: BlobId) -> Option<Vec<u8>> {
        self.0.get(&id).cloned()
    }
}

impl Store {
    fn run(&mut self, operation: &StoreOperation) -> Result<StoreAnswer, Outcome> {
        let of_prefix = |prefix: &str| {
            self.objects
                .range(prefix.to_owned()..)
                .take_while(|(key, _)| key.starts_with(prefix))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Vec<_>>()
        };
        let answer = match operation {
            StoreOperation::Put(objects) => {
                self.objects.extend(objects.iter().cloned());
                StoreAnswer::Done
            }
            StoreOperation::GetAll(prefix) => {
                StoreAnswer::Objects(of_prefix(prefix).into_iter().map(|(key, value)| (key, Ok(value))).collect())
            }
            StoreOperation::Delete(keys) => {
                self.objects.retain(|key, _| !keys.contains(key));
                StoreAnswer::Done
            }
            StoreOperation::DeleteAll(prefix) => {
                self.objects.retain(|key, _| !key.starts_with(prefix));
                StoreAnswer::Done
            }
            StoreOperation::Fenced { key, writer, operation } => {
                self.fenced += 1;
                if let Some(taken) = fence::enter(key, writer, self.objects.get(key))? {
                    self.objects.insert(key.clone(), taken);
                }
                return self.run(operation);
            }
            other => panic!("the operator does not use {other:?}"),
        };
        Ok(answer)
    }
}

/// The operator on one cluster.
pub struct Shell {
    cluster: Cluster,
    stores: Stores,
    operator: SpokeOperator,
    pub world: World<<SpokeOperator as Operator>::Domain>,
    blobs: BlobTree,
    known: BTreeMap<ObjectId, String>,
    due: BTreeMap<Aggregate, Time>,
    waiting: Vec<(Aggregate, CommandId, String, Command)>,
    started: bool,
    pub records: Vec<Record>,
    /// Requests to the API server, watches and lists left out.
    pub requests: Vec<String>,
}

impl Shell {
    pub fn new(cluster: &Cluster, stores: &Stores) -> Self {
        Self {
            cluster: cluster.clone(),
            stores: stores.clone(),
            operator: SpokeOperator::new(ramen_sim::world::OPERATOR_NAMESPACE),
            world: World::default(),
            blobs: BlobTree::default(),
            known: BTreeMap::new(),
            due: BTreeMap::new(),
            waiting: Vec::new(),
            started: false,
            records: Vec::new(),
            requests: Vec::new(),
        }
    }

    fn now(&self) -> Time {
        Time(self.cluster.now().millis())
    }

    /// When it wants to be asked again.
    pub fn due(&self) -> Option<Time> {
        self.due.values().min().copied()
    }

    /// Looks, decides and acts until nothing is left to do at this moment.
    pub fn settle(&mut self) -> bool {
        let before = self.records.len();
        if !self.started {
            self.started = true;
            let started = Payload::Started { operator: Side::Spoke, epoch: Epoch(1), decider: DECIDER_VERSION };
            self.append(None, Cause::Outside, started);
        }
        self.watch();
        if !self.world.synced {
            let touched = self.append(None, Cause::Outside, Payload::Synced);
            self.ask(touched);
        }
        let now = self.now();
        let due: Vec<Aggregate> = self.due.iter().filter(|(_, at)| **at <= now).map(|(who, _)| who.clone()).collect();
        for aggregate in due {
            self.due.remove(&aggregate);
            let fired = Payload::TimerFired { wanted: now, why: String::new() };
            let touched = self.append(Some(aggregate), Cause::Outside, fired);
            self.ask(touched);
        }
        while !self.waiting.is_empty() {
            // Side by side: all that was commanded departs before the first answer arrives.
            for (aggregate, id, slot, command) in std::mem::take(&mut self.waiting) {
                self.execute(aggregate, id, slot, &command);
            }
            self.watch();
        }
        self.records.len() != before
    }

    /// Dies, and comes back with its log.
    pub fn crash(&mut self) {
        self.waiting.clear();
        self.due.clear();
        self.known.clear();
        self.started = false;
    }

    /// Dies, and comes back without its log.
    pub fn lose_log(&mut self) {
        self.crash();
        self.world = World::default();
        self.blobs = BlobTree::default();
        self.records.clear();
    }

    fn watch(&mut self) {
        for watch in self.operator.watches() {
            let listed = match self.cluster.list(watch.resource, watch.namespace.as_deref(), None) {
                Ok(listed) => listed,
                Err(ApiError::NotFound) if watch.optional => continue,
                Err(err) => panic!("{} can't be listed: {err}", watch.resource.kind),
            };
            let mut here = BTreeSet::new();
            for object in listed {
                let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let id = ObjectId::new(watch.kind, text("/metadata/namespace"), text("/metadata/name"));
                let version = text("/metadata/resourceVersion").to_owned();
                here.insert(id.clone());
                if self.known.get(&id) != Some(&version) {
                    self.known.insert(id, version);
                    self.observe(watch.kind, &object);
                }
            }
            let gone: Vec<ObjectId> =
                self.world.domain.known(watch.kind).into_iter().filter(|id| !here.contains(id)).collect();
            for id in gone {
                self.known.remove(&id);
                let touched = self.append(None, Cause::Outside, Payload::Gone(id));
                self.ask(touched);
            }
        }
    }

    fn observe(&mut self, kind: Kind, object: &Value) {
        if let Some(observation) = self.operator.observe(kind, object) {
            self.learn(observation);
        }
    }

    fn learn(&mut self, observation: Observation) {
        let Observation { fact, blobs, cause } = observation;
        if !self.world.domain.is_news(&fact) {
            return;
        }
        for blob in blobs {
            self.blobs.0.insert(BlobId::of(&blob), blob);
        }
        let touched = self.append(None, cause, Payload::Observed(fact));
        self.ask(touched);
    }

    fn append(&mut self, aggregate: Option<Aggregate>, cause: Cause, payload: Payload) -> BTreeSet<Aggregate> {
        let seq = Seq(self.records.len() as u64 + 1);
        let origin = Origin { operator: Side::Spoke, cluster: ClusterName::from(self.cluster.name()), epoch: Epoch(1) };
        let stamp = Stamp { time: self.now(), count: 0 };
        let record = Record { seq, stamp, origin, aggregate, cause, payload };
        let touched = self.world.apply(&record);
        self.records.push(record);
        touched
    }

    fn ask(&mut self, touched: BTreeSet<Aggregate>) {
        for aggregate in touched {
            let decided = self.world.decide(&aggregate, self.world.head);
            let again = self.world.decide(&aggregate, self.world.head);
            assert_eq!(decided, again, "deciding twice wants the same");
            self.due.remove(&aggregate);
            if let Some((at, _)) = decided.again {
                self.due.insert(aggregate.clone(), at);
            }
            for payload in decided.payloads {
                if let Payload::Commanded { id, slot, command } = &payload {
                    self.waiting.push((aggregate.clone(), *id, slot.clone(), command.clone()));
                }
                self.append(Some(aggregate.clone()), Cause::Outside, payload);
            }
        }
    }

    fn execute(&mut self, aggregate: Aggregate, id: CommandId, slot: String, command: &Command) {
        let effects = self.operator.render(id, command, &self.blobs).expect("a command renders");
        let mut answers = Vec::new();
        let mut outcome = Outcome::Done;
        for effect in effects {
            match self.call(&effect) {
                Ok(answer) => answers.extend(answer),
                Err(failed) => {
                    outcome = failed;
                    break;
                }
            }
        }
        for observation in self.operator.observe_answers(command, &answers, &outcome) {
            self.learn(observation);
        }
        let touched = self.append(Some(aggregate), Cause::Outside, Payload::Finished { id, slot, outcome });
        self.ask(touched);
    }

    fn call(&mut self, effect: &Effect) -> Result<Option<Answer>, Outcome> {
        let (verb, target) = match effect {
            Effect::Require(requirement) => {
                let Target { resource, namespace, name } = &requirement.target;
                let space = Some(namespace.as_str()).filter(|namespace| !namespace.is_empty());
                let object = self.cluster.get(resource, space, name).ok();
                return requirement.judge(object.as_ref()).map(|()| None);
            }
            Effect::RequireUnused(unused) => {
                let get = |kind| self.cluster.get(kind, Some(&unused.namespace), &unused.claim).ok();
                if Unused::is_moot(get(&kinds::VOLUME_REPLICATION).as_ref()) {
                    return Ok(None);
                }
                let claim = get(&kinds::PVC);
                let list = |kind, space| self.cluster.list(kind, space, None).unwrap_or_default();
                let (pods, attachments) =
                    (list(&kinds::POD, Some(unused.namespace.as_str())), list(&kinds::VOLUME_ATTACHMENT, None));
                let judged = unused.judge(claim.as_ref(), &pods, &attachments);
                return judged.map(|()| None).map_err(|user| user.outcome);
            }
            Effect::Apply { target, .. } => ("apply", target),
            Effect::Create { target, .. } => ("create", target),
            Effect::Merge { target, .. } => ("patch", target),
            Effect::MergeStatus { target, .. } => ("patch status", target),
            Effect::Delete { target, .. } => ("delete", target),
            Effect::Event { regarding, reason, message, .. } => {
                self.requests.push(format!("event {reason} {} {message}", regarding.name));
                return Ok(Some(Answer::Nothing));
            }
            Effect::Store { profile, operation } => return self.store(&profile.name, operation).map(Some),
        };
        self.requests.push(format!("{verb} {} {}", target.resource.kind, target.name));
        let space = Some(target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let (kind, name) = (target.resource, target.name.as_str());
        let answer = match effect {
            Effect::Apply { body, .. } => self.cluster.apply(kind, &target.complete(body), "ramen-spoke", true),
            Effect::Create { body, .. } => self.cluster.create(kind, &target.complete(body)),
            Effect::Merge { body, .. } => self.cluster.merge_patch(kind, space, name, body, None),
            Effect::MergeStatus { body, .. } => self.cluster.merge_patch(kind, space, name, body, Some("status")),
            Effect::Delete { uid, .. } => match self.cluster.delete(kind, space, name, uid.as_deref()) {
                Ok(()) | Err(ApiError::NotFound) => return Ok(Some(Answer::Nothing)),
                Err(err) => Err(err),
            },
            _ => unreachable!("handled above"),
        };
        match answer {
            Ok(object) => {
                let kind = self.operator.watches().into_iter().find(|watch| *watch.resource == *kind);
                if let Some(watch) = kind {
                    self.observe(watch.kind, &object);
                }
                Ok(Some(Answer::Object(object.shared())))
            }
            Err(ApiError::Conflict | ApiError::AlreadyExists) => {
                Err(Outcome::Conflict { message: format!("{verb} {name}") })
            }
            Err(err) => {
                Err(Outcome::Refused { code: 422, reason: "Refused".into(), message: format!("{verb} {name}: {err}") })
            }
        }
    }

    fn store(&mut self, profile: &str, operation: &StoreOperation) -> Result<Answer, Outcome> {
        let mut stores = self.stores.lock().unwrap();
        let store = stores.entry(profile.to_owned()).or_default();
        if store.down {
            return Err(Outcome::Unreachable { message: "connection refused".into() });
        }
        if let Some(reason) = store.refuses {
            let message = "the store said no".to_owned();
            return Err(Outcome::Refused { code: 404, reason: reason.into(), message });
        }
        store.run(operation).map(Answer::Store)
    }

    /// Commands decided so far, by name.
    pub fn commands(&self) -> Vec<&'static str> {
        self.records
            .iter()
            .filter_map(|record| match &record.payload {
                Payload::Commanded { command, .. } => Some(command.name()),
                _ => None,
            })
            .collect()
    }

    /// What it waits for on behalf of a VRG, in words.
    pub fn waits(&self, namespace: &str, name: &str) -> String {
        let aggregate = Aggregate::new(ramen_events::Controller::Vrg, namespace, name);
        let position = self.world.positions.get(&aggregate);
        position
            .and_then(|position| position.wait.as_ref())
            .map(|wait| format!("{} ({})", wait.what, wait.remedy))
            .unwrap_or_default()
    }

    /// Facts that were recorded since record number `from`.
    pub fn facts_since(&self, from: usize) -> Vec<&Fact> {
        self.records
            .iter()
            .skip(from)
            .filter_map(|record| match &record.payload {
                Payload::Observed(fact) => Some(fact),
                _ => None,
            })
            .collect()
    }
}
