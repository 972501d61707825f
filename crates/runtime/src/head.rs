//! The end of the log, as it is noted elsewhere.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ramen_events::{
    Seq, Time,
    anchor::{Anchor, LogId},
    log::{Error, History, Owner},
};

/// A log whose end is to be noted.
pub(crate) struct LogHead {
    log: Arc<dyn History>,
    owner: Owner,
    id: Mutex<Option<LogId>>,
}

impl LogHead {
    /// Of this log.
    pub(crate) fn new(log: Arc<dyn History>, owner: Owner) -> Self {
        Self { log, owner, id: Mutex::default() }
    }

    /// Whose log it is.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The log's identity; `None` as long as it is empty. Reads the first record once.
    pub(crate) fn id(&self) -> Result<Option<LogId>, Error> {
        let mut id = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        if id.is_none() {
            *id = LogId::of(&*self.log)?;
        }
        Ok(*id)
    }

    /// Its last durable record, noted at `time`; `None` as long as there is none, or it can't be read.
    pub(crate) fn anchor(&self, time: Time) -> Option<Anchor> {
        let head = self.log.head();
        if head.seq == Seq(0) {
            return None;
        }
        let log = self.id().ok()??;
        Some(Anchor { owner: self.owner.clone(), log, seq: head.seq, hash: head.hash, time })
    }
}

/// Where whoever notes the end finds the log, once it is open.
pub(crate) type Later = Arc<OnceLock<Arc<LogHead>>>;
