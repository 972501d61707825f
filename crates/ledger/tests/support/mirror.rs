//! The smallest operator: keeps a copy of each wanted ConfigMap, and uploads when asked to.
//!
//! A ConfigMap `wants/x` with a value wants a ConfigMap `copies/x` with the same value. The value `upload` stores an
//! object in S3 instead, `delete` deletes the copy; with one that begins with `standing` the command stands on the wish and
//! on the copy. An `unreadable` object, an `undecidable` wish and the answer about an `unheard` one make it panic. Facts and
//! commands are borrowed from the spoke's: a pod's claims carry value, version and uid.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use ramen_api::kinds::{CONFIG_MAP, SECRET, VOLUME_REPLICATION_CLASS};
use ramen_events::{
    Aggregate, BlobId, Command, CommandId, Controller, Fact, Kind, ObjectId, Operator as Side, Outcome, hub,
    spoke::{self, Key, Pod, SecretSeen},
};
use ramen_ports::{
    Answer, Blobs, Effect, Observation, Operator, RenderError, StoreAnswer, StoreOperation, StoreProfile, Target, Watch,
};
use ramen_projector::{Ask, Change, Decision, Domain, Ground};
use serde_json::{Value, json};

/// How often each wish is looked at again, in milliseconds.
pub const LOOK_MS: u64 = 400;

#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Seen {
    pub value: String,
    pub version: String,
    pub uid: String,
}

#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct State {
    objects: BTreeMap<ObjectId, Seen>,
}

impl State {
    fn of(&self, namespace: &str, name: &str) -> Option<&Seen> {
        self.objects.get(&ObjectId::new(Kind::Pod, namespace, name))
    }
}

fn seen_in(fact: &Fact) -> Seen {
    match fact {
        Fact::Spoke(spoke::Fact::Pod(pod)) => {
            let at = |index: usize| pod.claims.get(index).cloned().unwrap_or_default();
            Seen { value: at(0), version: at(1), uid: at(2) }
        }
        Fact::Spoke(spoke::Fact::Secret(secret)) => Seen { value: format!("{:?}", secret.digest), ..Seen::default() },
        _ => Seen::default(),
    }
}

fn fact(namespace: &str, name: &str, seen: Seen) -> Fact {
    let Seen { value, version, uid } = seen;
    Fact::Spoke(spoke::Fact::Pod(Pod {
        key: Key::new(namespace, name),
        claims: vec![value, version, uid],
        finished: false,
    }))
}

impl Domain for State {
    const OPERATOR: Side = Side::Spoke;

    fn is_news(&self, fact: &Fact) -> bool {
        self.objects.get(&fact.object()) != Some(&seen_in(fact))
    }

    fn apply(&mut self, _: ramen_events::Time, change: Change<'_>) {
        match change {
            Change::Observed(fact) => drop(self.objects.insert(fact.object(), seen_in(fact))),
            Change::Gone(id) => drop(self.objects.remove(id)),
            Change::Finished { .. } | Change::Moved { .. } => {}
        }
    }

    fn touched(&self, change: Change<'_>) -> BTreeSet<Aggregate> {
        let id = match change {
            Change::Observed(fact) => fact.object(),
            Change::Gone(id) => id.clone(),
            Change::Finished { aggregate, .. } | Change::Moved { aggregate, .. } => return [aggregate.clone()].into(),
        };
        [Aggregate::new(Controller::Vrg, "wants", id.name)].into()
    }

    fn aggregates(&self) -> BTreeSet<Aggregate> {
        let wants = self.objects.keys().filter(|id| id.namespace == "wants" && id.kind == Kind::Pod);
        wants.map(|id| Aggregate::new(Controller::Vrg, "wants", &id.name)).collect()
    }

    fn exists(&self, aggregate: &Aggregate) -> bool {
        self.of("wants", &aggregate.name).is_some()
    }

    fn known(&self, kind: Kind) -> BTreeSet<ObjectId> {
        self.objects.keys().filter(|id| id.kind == kind).cloned().collect()
    }

    fn grounds(&self, aggregate: &Aggregate, _: &Command) -> Vec<Ground> {
        let of = |namespace| ObjectId::new(Kind::Pod, namespace, &aggregate.name);
        let stands = self.of("wants", &aggregate.name).is_some_and(|wish| wish.value.starts_with("standing"));
        if stands { vec![Ground::Spec(of("wants")), Ground::Whole(of("copies"))] } else { Vec::new() }
    }

    fn decide(&self, ask: Ask<'_>) -> Decision {
        let mut decision = Decision::default();
        let name = &ask.aggregate.name;
        let Some(want) = self.of("wants", name) else { return decision };
        let copy = self.of("copies", name);
        assert_ne!(want.value, "undecidable", "as a defect would");
        let wish = match (want.value.as_str(), copy) {
            ("upload", _) => self.of("stored", name).is_none().then(|| json!({ "op": "upload" })),
            ("delete", None) => None,
            ("delete", Some(copy)) => Some(json!({ "op": "delete", "uid": copy.uid })),
            (value, None) => Some(json!({ "op": "create", "value": value })),
            (value, Some(copy)) => {
                (value != copy.value).then(|| json!({ "op": "merge", "value": value, "version": copy.version }))
            }
        };
        if let Some(wish) = wish {
            let command = spoke::Command::NoteDestination { volume: name.clone(), handle: wish.to_string() };
            decision.want("copy", Command::Spoke(command));
        }
        decision.ask_again(ask.now.plus_ms(LOOK_MS), "to look again");
        decision
    }
}

/// The operator; `store` is where it uploads to.
pub struct Mirror {
    pub store: Option<StoreProfile>,
}

impl Operator for Mirror {
    type Domain = State;

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::all(Kind::Pod, &CONFIG_MAP).in_namespace("wants"),
            Watch::all(Kind::Pod, &CONFIG_MAP).in_namespace("copies"),
            Watch::all(Kind::Secret, &SECRET).in_namespace("wants"),
            Watch::all(Kind::VolumeReplicationClass, &VOLUME_REPLICATION_CLASS).optional(),
        ]
    }

    fn observe(&self, kind: Kind, object: &Value) -> Option<Observation> {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let fact = match kind {
            Kind::Pod => {
                assert_ne!(text("/data/value"), "unreadable", "as a defect would");
                let seen = Seen {
                    value: text("/data/value"),
                    version: text("/metadata/resourceVersion"),
                    uid: text("/metadata/uid"),
                };
                fact(&namespace, &name, seen)
            }
            Kind::Secret => Fact::Spoke(spoke::Fact::Secret(SecretSeen {
                key: Key::new(namespace, name),
                digest: Some(BlobId::of(object["data"].to_string().as_bytes())),
                missing_keys: Vec::new(),
            })),
            Kind::VolumeReplicationClass => Fact::Spoke(spoke::Fact::ListedClass(spoke::ListedClass {
                kind,
                name,
                listed: true,
                provisioner: String::new(),
            })),
            _ => return None,
        };
        Some(fact.into())
    }

    fn remark(&self, kind: Kind, object: &Value) -> Option<Observation> {
        let author =
            object.pointer("/metadata/annotations/author").and_then(Value::as_str).filter(|_| kind == Kind::Pod)?;
        let drpc = hub::ObjectRef::new("wants", object["metadata"]["name"].as_str().unwrap_or_default());
        let uid = author.to_owned();
        Some(Fact::Hub(hub::Fact::Authors(hub::AuthorsFact { drpc, uid, authors: Vec::new() })).into())
    }

    fn render(&self, _: CommandId, command: &Command, _: &dyn Blobs) -> Result<Vec<Effect>, RenderError> {
        let Command::Spoke(spoke::Command::NoteDestination { volume: name, handle }) = command else {
            return Err(RenderError("not one of ours".to_owned()));
        };
        let wish: Value = serde_json::from_str(handle).map_err(|err| RenderError(err.to_string()))?;
        let target = Target { resource: &CONFIG_MAP, namespace: "copies".to_owned(), name: name.clone() };
        let text = |key: &str| wish[key].as_str().unwrap_or_default().to_owned();
        Ok(vec![match text("op").as_str() {
            "create" => Effect::Create { target, body: json!({ "data": { "value": text("value") } }) },
            "merge" => {
                let body = json!({
                    "metadata": { "resourceVersion": text("version") },
                    "data": { "value": text("value") },
                });
                Effect::Merge { target, body }
            }
            "delete" => Effect::Delete { target, uid: Some(text("uid")) },
            _ => Effect::Store {
                profile: self.store.clone().ok_or_else(|| RenderError("no store".to_owned()))?,
                operation: StoreOperation::Put(vec![(format!("wants/{name}"), json!({ "name": name }))]),
            },
        }])
    }

    fn observe_answers(&self, command: &Command, answers: &[Answer], _: &Outcome) -> Vec<Observation> {
        let Command::Spoke(spoke::Command::NoteDestination { volume: name, handle }) = command else {
            return Vec::new();
        };
        assert!(!handle.contains("unheard"), "as a defect would");
        let stored = answers.contains(&Answer::Store(StoreAnswer::Done));
        let seen = Seen { value: "stored".to_owned(), ..Seen::default() };
        stored.then(|| fact("stored", name, seen).into()).into_iter().collect()
    }
}

impl Mirror {
    /// One that uploads nowhere.
    pub fn new() -> Self {
        Self { store: None }
    }
}
