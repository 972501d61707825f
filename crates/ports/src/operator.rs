//! What a binary brings: kinds to watch, objects to facts, commands to effects.

use ramen_api::Resource;
use ramen_events::{Aggregate, BlobId, Cause, Command, CommandId, Fact, Kind, Outcome};
use ramen_projector::{Domain, Ground};
use serde_json::Value;

use crate::effect::{Answer, Effect};

/// A kind to watch.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The kind, as events name it.
    pub kind: Kind,
    /// The kind, as the API server names it.
    pub resource: &'static Resource,
    /// Only in this namespace.
    pub namespace: Option<String>,
    /// Label selector, or empty.
    pub labels: String,
    /// Whether the operator can work without it: a kind whose CRD is missing is watched as soon as it appears.
    pub optional: bool,
    /// Only of interest once there is such an object: watched from then on. Before, it counts as a kind without objects.
    pub once: Option<Once>,
}

/// An object that makes another kind interesting.
#[derive(Clone, Copy, Debug)]
pub struct Once {
    /// Its kind.
    pub kind: Kind,
    /// Whether it is such an object.
    pub when: fn(&Value) -> bool,
}

impl Watch {
    /// Watches a kind everywhere.
    pub fn all(kind: Kind, resource: &'static Resource) -> Self {
        Self { kind, resource, namespace: None, labels: String::new(), optional: false, once: None }
    }

    /// Watches a kind in one namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The operator can work without this kind.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The operator needs this kind only once there is an object of that one.
    #[must_use]
    pub fn once(self, kind: Kind) -> Self {
        self.once_when(kind, |_| true)
    }

    /// The operator needs this kind only once there is an object of that one for which this holds.
    #[must_use]
    pub fn once_when(mut self, kind: Kind, when: fn(&Value) -> bool) -> Self {
        self.once = Some(Once { kind, when });
        self
    }

    /// Watches only objects with these labels.
    #[must_use]
    pub fn labelled(mut self, selector: impl Into<String>) -> Self {
        self.labels = selector.into();
        self
    }
}

/// What an object, or an answer, tells.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The fact.
    pub fact: Fact,
    /// Objects that the fact names by hash; stored with it.
    pub blobs: Vec<Vec<u8>>,
    /// What led to it: a remote command when the object carries one, else the world outside.
    pub cause: Cause,
}

impl From<Fact> for Observation {
    fn from(fact: Fact) -> Self {
        Self { fact, blobs: Vec::new(), cause: Cause::Outside }
    }
}

/// Reads stored objects.
pub trait Blobs {
    /// The bytes named so; `None` when they are not there.
    fn get(&self, id: BlobId) -> Option<Vec<u8>>;
}

/// A command that cannot be turned into effects: it becomes a refused outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(pub String);

/// What a binary brings. All functions are pure.
pub trait Operator: Send + Sync + 'static {
    /// The controllers' state.
    type Domain: Domain + Send + Sync + 'static;

    /// The kinds to watch. A kind may be watched more than once, in different namespaces.
    fn watches(&self) -> Vec<Watch>;

    /// What an object of a watched kind tells; `None` when it tells nothing that anybody needs. For Secrets the fact
    /// holds no more than a digest.
    fn observe(&self, kind: Kind, object: &Value) -> Option<Observation>;

    /// What an object of a watched kind tells that no decision needs and that readers of the log want to know
    /// ([`Fact::is_remark`]); recorded before what [`Operator::observe`] tells, so that whoever reads of a change knows it
    /// already. `None` when it tells nothing, as when the object comes from somewhere that leaves it out.
    fn remark(&self, kind: Kind, object: &Value) -> Option<Observation> {
        let _ = (kind, object);
        None
    }

    /// What a command stands on, by the state in which it was decided ([`Domain::grounds`]).
    fn grounds(&self, domain: &Self::Domain, aggregate: &Aggregate, command: &Command) -> Vec<Ground> {
        domain.grounds(aggregate, command)
    }

    /// What a command comes down to. Its `id` goes into annotations where other clusters record it as their cause.
    ///
    /// # Errors
    /// When a blob that the command names is missing.
    fn render(&self, id: CommandId, command: &Command, blobs: &dyn Blobs) -> Result<Vec<Effect>, RenderError>;

    /// What the answers to a command tell, beyond the objects that API servers returned (those are observed like
    /// watched ones): the answers of stores. `outcome` tells how the command ended.
    fn observe_answers(&self, command: &Command, answers: &[Answer], outcome: &Outcome) -> Vec<Observation>;
}
