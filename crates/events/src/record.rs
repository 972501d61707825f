//! One entry of the log.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    Aggregate, CommandId, Epoch, Payload, Seq, Stamp,
    ids::{ClusterName, Operator},
};

/// Who wrote a record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Origin {
    /// Hub or spoke operator.
    pub operator: Operator,
    /// The cluster it runs on; `hub` for the hub.
    pub cluster: ClusterName,
    /// Which process.
    pub epoch: Epoch,
}

/// What led to a record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Cause {
    /// The world outside.
    Outside,
    /// An earlier record of this log.
    Local(Seq),
    /// A command of another operator, carried here in an annotation.
    Remote {
        /// Where it was decided.
        cluster: ClusterName,
        /// Which one.
        command: CommandId,
    },
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Record {
    /// Its position.
    pub seq: Seq,
    /// When it was appended.
    pub stamp: Stamp,
    /// Who wrote it.
    pub origin: Origin,
    /// What it is about; `None` for facts, which several aggregates may use.
    pub aggregate: Option<Aggregate>,
    /// What led to it.
    pub cause: Cause,
    /// What it says.
    pub payload: Payload,
}
