//! Whose log it is.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ClusterName, Epoch, Operator, Origin};

/// The operator that a log belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct Owner {
    /// Hub or spoke operator.
    pub operator: Operator,
    /// The cluster it runs on; `hub` for the hub.
    pub cluster: ClusterName,
}

impl Owner {
    /// Its process with this epoch, as records name it.
    pub fn origin(&self, epoch: Epoch) -> Origin {
        Origin { operator: self.operator, cluster: self.cluster.clone(), epoch }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operator {
            Operator::Hub => write!(f, "the hub operator on {}", self.cluster),
            Operator::Spoke => write!(f, "the operator of cluster {}", self.cluster),
        }
    }
}
