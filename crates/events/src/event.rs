//! What a record says.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    Command, CommandId, Epoch, ObjectId, Operator, Outcome, hub,
    ids::{ActionId, ClusterName},
    spoke,
    stamp::Time,
};

/// What an operator learned about one object.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Fact {
    /// Learned by the hub operator.
    Hub(hub::Fact),
    /// Learned by the operator of a managed cluster.
    Spoke(spoke::Fact),
}

impl Fact {
    /// The object that the fact is about.
    pub fn object(&self) -> ObjectId {
        match self {
            Self::Hub(fact) => fact.object(),
            Self::Spoke(fact) => fact.object(),
        }
    }

    /// Whether this is a remark: something that readers of the log want to know of an object, beside the fact of it, and
    /// that no decision reads.
    pub fn is_remark(&self) -> bool {
        match self {
            Self::Hub(fact) => fact.is_remark(),
            Self::Spoke(_) => false,
        }
    }
}

/// What is missing for a step to be done, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Wait {
    /// What is waited for: "volumes to become secondary".
    pub what: String,
    /// On which cluster, when it is on one.
    pub on: Option<ClusterName>,
    /// What a person can do if it takes too long.
    pub remedy: String,
}

impl Wait {
    /// One sentence: what, where, since when, and what to do. It does not change while the wait lasts.
    pub fn sentence(&self, since: Time) -> String {
        let place = self.on.as_ref().map(|cluster| format!(" on cluster {cluster}")).unwrap_or_default();
        let remedy = if self.remedy.is_empty() { String::new() } else { format!("; if it lasts: {}", self.remedy) };
        format!("waiting for {}{place} since {since}{remedy}", self.what)
    }
}

/// Where an aggregate stands in its runbook.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Position {
    /// Name of the runbook.
    pub runbook: String,
    /// The action that the runbook is run for.
    pub action: ActionId,
    /// The first step that is not done; empty when all are.
    pub step: String,
    /// What the step waits for.
    pub wait: Option<Wait>,
    /// When the step was entered.
    pub since: Time,
}

/// What a record says. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Payload {
    /// An operator process opened the log. What was in flight before has no outcome and is decided anew.
    Started {
        /// Which operator.
        operator: Operator,
        /// The epoch it gained.
        epoch: Epoch,
        /// The version of the deciders that write from here on.
        decider: u32,
    },
    /// Every watched kind was listed since the start: absence now means absence.
    Synced,
    /// An object shows something new.
    Observed(Fact),
    /// An object is gone.
    Gone(ObjectId),
    /// The moment came at which the aggregate wanted to be asked again.
    TimerFired {
        /// The moment asked for.
        wanted: Time,
        /// Why.
        why: String,
    },
    /// A decision wants this to be done.
    Commanded {
        /// Derived identity.
        id: CommandId,
        /// What it acts on, within the aggregate: one command at a time is in flight in a slot.
        slot: String,
        /// What to do.
        command: Command,
    },
    /// A command was carried out, or not.
    Finished {
        /// Which one.
        id: CommandId,
        /// The slot it was in.
        slot: String,
        /// What became of it.
        outcome: Outcome,
    },
    /// The aggregate moved in its runbook.
    Moved(Position),
    /// When it was opened, the log lacked records that it had acknowledged as durable: what the operator did between
    /// the record before this opening and this one is known only as far as the clusters show it.
    Lost {
        /// How many.
        records: u64,
    },
}

impl Payload {
    /// Whether decisions follow from it (facts, outcomes, timers), as opposed to being one.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Commanded { .. } | Self::Moved(_))
    }

    /// One word, for tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "Started",
            Self::Synced => "Synced",
            Self::Observed(_) => "Observed",
            Self::Gone(_) => "Gone",
            Self::TimerFired { .. } => "TimerFired",
            Self::Commanded { .. } => "Commanded",
            Self::Finished { .. } => "Finished",
            Self::Moved(_) => "Moved",
            Self::Lost { .. } => "Lost",
        }
    }
}
