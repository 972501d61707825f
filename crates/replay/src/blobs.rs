//! The objects that records name by hash: whether they are there.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Result;
use ramen_events::{
    BlobId, Command, Fact, Payload, Record,
    log::History,
    spoke::{self, Command as C, Fact as F},
};

/// Looks through records for objects that a log does not hold.
#[derive(Clone)]
pub struct Missing {
    held: Arc<BTreeSet<BlobId>>,
    found: Option<(BlobId, String)>,
}

impl Missing {
    /// For this log.
    ///
    /// # Errors
    /// When what it holds cannot be listed.
    pub fn of(history: &dyn History) -> Result<Self, ramen_events::log::Error> {
        Ok(Self { held: Arc::new(history.blobs()?.into_iter().map(|(id, _)| id).collect()), found: None })
    }

    /// Takes the next record.
    pub fn next(&mut self, record: &Record) {
        if self.found.is_some() {
            return;
        }
        let lacking = named(record).into_iter().find(|id| !self.held.contains(id));
        self.found = lacking.map(|id| (id, record.seq.to_string()));
    }

    /// What is missing first, in words; `None` when nothing is.
    pub fn words(&self) -> Option<String> {
        self.found.as_ref().map(|(id, seq)| {
            format!(
                "object {id}, which record {seq} names, is not in it: records are intact, but what was stored or restored \
                 then cannot be shown; capture it again from the log itself"
            )
        })
    }
}

/// The objects that a record names; digests that only compare are none.
fn named(record: &Record) -> Vec<BlobId> {
    match &record.payload {
        Payload::Observed(Fact::Spoke(fact)) => of_fact(fact),
        Payload::Commanded { command: Command::Spoke(command), .. } => of_command(command),
        _ => Vec::new(),
    }
}

fn of_fact(fact: &F) -> Vec<BlobId> {
    let of_set = |set: &spoke::StoredSet| {
        let volumes = set.volumes.iter().map(|volume| volume.blob);
        volumes.chain(set.claims.iter().map(|claim| claim.blob)).collect()
    };
    match fact {
        F::Pvc(pvc) => pvc.blob.into_iter().collect(),
        F::Pv(pv) => pv.blob.into_iter().collect(),
        F::Vrg(vrg) | F::FencedVrg { vrg, .. } => vec![vrg.body],
        F::Stored(set) | F::FencedStored { set, .. } => of_set(set),
        _ => Vec::new(),
    }
}

fn of_command(command: &C) -> Vec<BlobId> {
    match command {
        C::Upload { pv_blob, pvc_blob, .. } => vec![*pv_blob, *pvc_blob],
        C::UploadVrg { body, .. } => vec![*body],
        C::RestorePv { blob, .. } | C::RestorePvc { blob, .. } => vec![*blob],
        C::Fenced { command, .. } => of_command(command),
        _ => Vec::new(),
    }
}
