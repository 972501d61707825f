//! The operator as the shell sees it.

use ramen_events::{Command, CommandId, Kind, Outcome};
use ramen_ports::{Answer, Blobs, Effect, Observation, Operator, RenderError, Watch};
use ramen_projector::hub::Hub;
use serde_json::Value;

use crate::{observe, render, watches};

/// The hub operator.
#[derive(Clone, Debug)]
pub struct HubOperator {
    namespace: String,
}

impl HubOperator {
    /// An operator that runs in this namespace: its ConfigMap and S3 secrets are there.
    pub fn new(namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into() }
    }
}

impl Operator for HubOperator {
    type Domain = Hub;

    fn watches(&self) -> Vec<Watch> {
        watches::table(&self.namespace)
    }

    fn observe(&self, kind: Kind, object: &Value) -> Option<Observation> {
        observe::object(kind, object, &self.namespace)
    }

    fn remark(&self, kind: Kind, object: &Value) -> Option<Observation> {
        observe::remark(kind, object)
    }

    fn render(&self, id: CommandId, command: &Command, _blobs: &dyn Blobs) -> Result<Vec<Effect>, RenderError> {
        match command {
            Command::Hub(command) => render::command(id, command, &self.namespace),
            Command::Spoke(_) => Err(RenderError("a command of a cluster's operator reached the hub".to_owned())),
        }
    }

    fn observe_answers(&self, command: &Command, answers: &[Answer], _outcome: &Outcome) -> Vec<Observation> {
        observe::answers(command, answers)
    }
}
