//! Objects in conditions: named as `kubectl` names them, seen as the log knows them.

use std::fmt;

use ramen_events::{Aggregate, Controller, Kind, ObjectId, Payload, Record};
use serde_json::{Value, json};

use crate::{object, state::State, words};

/// Kinds by the names that people give them. The first ones are ours; they are shown as `kubectl get -o yaml` would have.
pub const KINDS: [(&str, Kind); 22] = [
    ("drpc", Kind::Drpc),
    ("drpolicy", Kind::DrPolicy),
    ("drcluster", Kind::DrCluster),
    ("vrg", Kind::Vrg),
    ("drclusterconfig", Kind::DrClusterConfig),
    ("managedcluster", Kind::ManagedCluster),
    ("manifestwork", Kind::ManifestWork),
    ("managedclusterview", Kind::ManagedClusterView),
    ("placement", Kind::Placement),
    ("placementrule", Kind::PlacementRule),
    ("placementdecision", Kind::PlacementDecision),
    ("applicationset", Kind::ApplicationSet),
    ("pvc", Kind::PersistentVolumeClaim),
    ("pv", Kind::PersistentVolume),
    ("pod", Kind::Pod),
    ("volumereplication", Kind::VolumeReplication),
    ("volumereplicationclass", Kind::VolumeReplicationClass),
    ("volumeattachment", Kind::VolumeAttachment),
    ("storageclass", Kind::StorageClass),
    ("configmap", Kind::ConfigMap),
    ("secret", Kind::Secret),
    ("stored", Kind::StoredObject),
];

/// An object by kind and name, in whichever namespace if none is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace, if that was given.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Object {
    fn is(&self, id: &ObjectId) -> bool {
        self.kind == id.kind && self.is_named(&id.namespace, &id.name)
    }

    fn is_named(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace.as_ref().is_none_or(|wanted| wanted == namespace)
    }

    /// The aggregate that it is, if we decide for its kind.
    fn controller(&self) -> Option<Controller> {
        Some(match self.kind {
            Kind::Drpc => Controller::Drpc,
            Kind::DrPolicy => Controller::DrPolicy,
            Kind::DrCluster => Controller::DrCluster,
            Kind::Vrg => Controller::Vrg,
            Kind::DrClusterConfig => Controller::DrClusterConfig,
            _ => return None,
        })
    }

    /// Its aggregate in a state.
    pub fn aggregate(&self, state: &State) -> Option<Aggregate> {
        let controller = self.controller()?;
        let mut all = state.aggregates().into_iter();
        all.find(|aggregate| aggregate.controller == controller && self.is_named(&aggregate.namespace, &aggregate.name))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("?", |(name, _)| name);
        match &self.namespace {
            Some(namespace) => write!(f, "{kind}/{namespace}/{}", self.name),
            None => write!(f, "{kind}/{}", self.name),
        }
    }
}

/// What is known of an object.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The object: `null` while it is not there.
    pub value: Value,
    /// It was there once.
    pub was_there: bool,
}

impl View {
    /// From a state. Of objects that are not ours nothing is known before their next record.
    pub fn new(object: &Object, state: &State) -> Self {
        let mut view = Self::default();
        if let Some(aggregate) = object.aggregate(state) {
            view.look(&aggregate, None, state);
        }
        view
    }

    /// Takes a record that was just folded into the state; tells whether it is about the object.
    pub fn follow(&mut self, object: &Object, record: &Record, state: &State) -> bool {
        match (&record.payload, &record.aggregate) {
            (Payload::Gone(id), _) if object.is(id) => self.value = Value::Null,
            (Payload::Observed(fact), _) if object.is(&fact.object()) && !fact.is_remark() => {
                let id = fact.object();
                let fact = words::contents(serde_json::to_value(fact).unwrap_or_default());
                match object.controller() {
                    Some(controller) => {
                        let aggregate = Aggregate::new(controller, id.namespace, id.name);
                        self.look(&aggregate, fact.get("spec").cloned(), state);
                    }
                    None => self.value = fact,
                }
            }
            (Payload::Moved(_), Some(aggregate))
                if object.controller() == Some(aggregate.controller)
                    && object.is_named(&aggregate.namespace, &aggregate.name) =>
            {
                let spec = self.value.get("spec").cloned();
                self.look(aggregate, spec, state);
            }
            _ => return false,
        }
        self.was_there |= !self.value.is_null();
        true
    }

    /// One of our objects, as `kubectl` would show it, with what is asked as we read it, and where it stands.
    fn look(&mut self, aggregate: &Aggregate, spec: Option<Value>, state: &State) {
        self.value = object::of(state, aggregate).unwrap_or_default();
        let Some(fields) = self.value.as_object_mut() else { return };
        if let Some(spec) = spec {
            fields.insert("spec".to_owned(), spec);
        }
        if let Some(position) = state.position(aggregate) {
            let wait = position.wait.as_ref().map(|wait| json!({"for": wait.what, "on": wait.on}));
            let (runbook, action, step) = (&position.runbook, &position.action, &position.step);
            fields.insert(
                "position".to_owned(),
                json!({"runbook": runbook, "action": action, "step": step, "waits": wait}),
            );
        }
        self.was_there = true;
    }
}
