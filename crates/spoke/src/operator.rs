//! The operator as the shell sees it.

use ramen_events::{Command, CommandId, Kind, Outcome};
use ramen_ports::{Answer, Blobs, Effect, Observation, Operator, RenderError, Watch};
use ramen_projector::spoke::Spoke;
use serde_json::Value;

use crate::{observe, render, watches};

/// The operator of a managed cluster.
#[derive(Clone, Debug)]
pub struct SpokeOperator {
    namespace: String,
}

impl SpokeOperator {
    /// An operator that runs in this namespace: its ConfigMap and S3 secrets are there.
    pub fn new(namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into() }
    }
}

impl Operator for SpokeOperator {
    type Domain = Spoke;

    fn watches(&self) -> Vec<Watch> {
        watches::table(&self.namespace)
    }

    fn observe(&self, kind: Kind, object: &Value) -> Option<Observation> {
        observe::object(kind, object, &self.namespace)
    }

    fn render(&self, _id: CommandId, command: &Command, blobs: &dyn Blobs) -> Result<Vec<Effect>, RenderError> {
        match command {
            Command::Spoke(command) => render::command(command, &self.namespace, blobs),
            Command::Hub(_) => Err(RenderError("a command of the hub reached the operator of a cluster".to_owned())),
        }
    }

    fn observe_answers(&self, command: &Command, answers: &[Answer], _outcome: &Outcome) -> Vec<Observation> {
        observe::answers(command, answers)
    }
}
