//! What a defect is made of: words, the rules that have to catch it, and what it changes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use ramen_events::{Command, Kind, hub, spoke};
use ramen_ports::{Answer, Effect};
use ramen_projector::Ground;
use ramen_trials::tamper::Tamper;
use serde_json::Value;

/// One deliberate defect: one gate that is always open, one order that is wrong, or one omission.
pub struct Defect {
    /// Its name.
    pub name: &'static str,
    /// What is changed.
    pub what: &'static str,
    /// The rules that have to catch it; which one comes first may depend on the plan.
    pub rules: &'static [&'static str],
    /// Changes what is seen; `false`: it is not seen.
    pub see: fn(&mut Seen<'_>) -> bool,
    /// Changes what a command stands on.
    pub ground: fn(&mut Vec<Ground>),
    /// Changes what is done.
    pub act: fn(&mut Done<'_>),
    /// Changes what is answered.
    pub hear: fn(&mut Heard<'_>),
}

/// No defect at all: what a table's row does not say.
pub const SOUND: Defect =
    Defect { name: "", what: "", rules: &[], see: |_| true, ground: |_| {}, act: |_| {}, hear: |_| {} };

/// An object that an operator sees.
pub struct Seen<'a> {
    /// What kind it is of.
    pub kind: Kind,
    /// It.
    pub object: &'a mut Value,
    /// What was noted before.
    pub memory: &'a Memory,
}

/// A command that an operator carries out.
pub struct Done<'a> {
    /// `hub`, or the cluster.
    pub operator: &'a str,
    /// It.
    pub command: &'a Command,
    /// What it comes down to.
    pub effects: &'a mut Vec<Effect>,
    /// What was noted before.
    pub memory: &'a Memory,
}

/// Answers to a command.
pub struct Heard<'a> {
    /// `hub`, or the cluster.
    pub operator: &'a str,
    /// The command.
    pub command: &'a Command,
    /// They.
    pub answers: &'a mut Vec<Answer>,
    /// What was noted before.
    pub memory: &'a Memory,
}

impl Done<'_> {
    /// The command of the hub's operator.
    pub fn hub(&self) -> Option<&hub::Command> {
        match self.command {
            Command::Hub(command) => Some(command),
            Command::Spoke(_) => None,
        }
    }

    /// The command of a cluster's operator, as whomever it writes.
    pub fn spoke(&self) -> Option<&spoke::Command> {
        spoke_command(self.command)
    }

    /// Calls that write this kind of objects.
    pub fn writes(&mut self, kind: &'static str) -> impl Iterator<Item = &mut Value> {
        self.effects.iter_mut().filter_map(move |effect| match effect {
            Effect::Apply { target, body } | Effect::Create { target, body } | Effect::Merge { target, body } => {
                (target.resource.kind == kind).then_some(body)
            }
            Effect::MergeStatus { target, body } => (target.resource.kind == kind).then_some(body),
            _ => None,
        })
    }
}

/// The command of a cluster's operator, as whomever it writes to stores, and whatever is known of the copies.
pub fn spoke_command(command: &Command) -> Option<&spoke::Command> {
    match command {
        Command::Spoke(spoke::Command::Fenced { command, .. }) => Some(command),
        Command::Spoke(spoke::Command::RestoreArchived { restore }) => Some(restore),
        Command::Spoke(command) => Some(command),
        Command::Hub(_) => None,
    }
}

/// What a defect notes during a trial.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<String, String>>);

impl Memory {
    /// Notes something; returns what was noted before.
    pub fn note(&self, about: String, what: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(about, what.to_owned())
    }

    /// What was noted.
    pub fn recall(&self, about: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(about).cloned()
    }
}

/// A defect at work in one trial.
pub struct AtWork {
    defect: &'static Defect,
    memory: Memory,
}

impl AtWork {
    /// Begins a trial.
    pub fn new(defect: &'static Defect) -> Self {
        Self { defect, memory: Memory::default() }
    }
}

impl Tamper for AtWork {
    fn see(&self, _operator: &str, kind: Kind, object: &mut Value) -> bool {
        (self.defect.see)(&mut Seen { kind, object, memory: &self.memory })
    }

    fn ground(&self, _operator: &str, _command: &Command, grounds: &mut Vec<Ground>) {
        (self.defect.ground)(grounds);
    }

    fn act(&self, operator: &str, command: &Command, effects: &mut Vec<Effect>) {
        (self.defect.act)(&mut Done { operator, command, effects, memory: &self.memory });
    }

    fn hear(&self, operator: &str, command: &Command, answers: &mut Vec<Answer>) {
        (self.defect.hear)(&mut Heard { operator, command, answers, memory: &self.memory });
    }

    fn may_storm(&self) -> bool {
        !self.defect.rules.contains(&STORMS)
    }
}

/// The rule that would see most defects first, if it were asked: what is written wrong is written again and again.
pub const STORMS: &str = "N2 nobody storms";
