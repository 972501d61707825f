//! Operators that see or do something else than they should: for tests which show that the rules catch it.
//!
//! ```text
//!   object ──> see ──> observe ──> fact ──> … ──> command ──> grounds ──> ground ──┐
//!                                                    └──> render ──> act ──> calls <┘
//!                      answers ──> hear ──> observe_answers
//! ```
//!
//! Everything that an operator learns and does passes through the trait `Operator`, so a wrapper around it can make any
//! gate stand open, leave any call out and change any order. Operators know nothing of it.

use std::sync::Arc;

use ramen_events::{Aggregate, Command, CommandId, Kind, Outcome};
use ramen_ports::{Answer, Blobs, Effect, Observation, Operator, RenderError, Watch};
use ramen_projector::Ground;
use serde_json::Value;

/// Who changes what operators see and do. `operator` is `hub`, or the cluster of the operator.
pub trait Tamper: Send + Sync {
    /// Changes an object before it becomes a fact; `false`: it is not seen at all.
    fn see(&self, operator: &str, kind: Kind, object: &mut Value) -> bool {
        let _ = (operator, kind, object);
        true
    }

    /// Changes what a command stands on.
    fn ground(&self, operator: &str, command: &Command, grounds: &mut Vec<Ground>) {
        let _ = (operator, command, grounds);
    }

    /// Changes what a command comes down to.
    fn act(&self, operator: &str, command: &Command, effects: &mut Vec<Effect>) {
        let _ = (operator, command, effects);
    }

    /// Changes the answers to a command before they become facts.
    fn hear(&self, operator: &str, command: &Command, answers: &mut Vec<Answer>) {
        let _ = (operator, command, answers);
    }

    /// Whether operators may storm (N2): what is written otherwise than it was meant is written again and again, and that would
    /// hide which other rule sees it.
    fn may_storm(&self) -> bool {
        false
    }
}

/// An operator that is tampered with.
pub(crate) struct Tampered<O> {
    operator: O,
    home: String,
    by: Arc<dyn Tamper>,
}

impl<O: Operator> Tampered<O> {
    pub(crate) fn new(operator: O, home: &str, by: Arc<dyn Tamper>) -> Self {
        Self { operator, home: home.to_owned(), by }
    }
}

impl<O: Operator> Operator for Tampered<O> {
    type Domain = O::Domain;

    fn watches(&self) -> Vec<Watch> {
        self.operator.watches()
    }

    fn observe(&self, kind: Kind, object: &Value) -> Option<Observation> {
        let mut object = object.clone();
        if self.by.see(&self.home, kind, &mut object) { self.operator.observe(kind, &object) } else { None }
    }

    fn remark(&self, kind: Kind, object: &Value) -> Option<Observation> {
        let mut object = object.clone();
        if self.by.see(&self.home, kind, &mut object) { self.operator.remark(kind, &object) } else { None }
    }

    fn grounds(&self, domain: &Self::Domain, aggregate: &Aggregate, command: &Command) -> Vec<Ground> {
        let mut grounds = self.operator.grounds(domain, aggregate, command);
        self.by.ground(&self.home, command, &mut grounds);
        grounds
    }

    fn render(&self, id: CommandId, command: &Command, blobs: &dyn Blobs) -> Result<Vec<Effect>, RenderError> {
        let mut effects = self.operator.render(id, command, blobs)?;
        self.by.act(&self.home, command, &mut effects);
        Ok(effects)
    }

    fn observe_answers(&self, command: &Command, answers: &[Answer], outcome: &Outcome) -> Vec<Observation> {
        let mut answers = answers.to_vec();
        self.by.hear(&self.home, command, &mut answers);
        self.operator.observe_answers(command, &answers, outcome)
    }
}
