//! From a batch to numbered, stamped, chained records: the same for every log.

use crate::{
    Clock, Record, Seq,
    log::{Batch, Entry, Error, Head, Stored},
    stored,
};

/// A batch that is ready to be written.
#[derive(Debug)]
pub(crate) struct Numbered {
    /// Number of its first record, or of the record that will come next when it has none.
    pub first: Seq,
    /// Its records.
    pub records: Vec<Stored>,
    /// Where the log ends after it.
    pub head: Head,
}

/// Numbers a batch that comes after `head`.
pub(crate) fn number(head: Head, expected_first: Option<Seq>, entries: Vec<Entry>) -> Result<Numbered, Error> {
    let first = head.seq.next();
    if let Some(expected) = expected_first
        && expected != first
    {
        return Err(Error::NotNext { given: expected, next: first });
    }
    let mut numbered = Numbered { first, records: Vec::with_capacity(entries.len()), head };
    let mut clock = Clock::after(head.stamp);
    for entry in entries {
        let seq = numbered.head.seq.next();
        let record = match entry {
            Entry::Record(record) => record,
            Entry::Draft(draft) => Record {
                seq,
                stamp: clock.tick(draft.time),
                origin: draft.origin,
                aggregate: draft.aggregate,
                cause: draft.cause,
                payload: draft.payload,
            },
        };
        if record.seq != seq {
            return Err(Error::NotNext { given: record.seq, next: seq });
        }
        if record.stamp < numbered.head.stamp {
            return Err(Error::StampWentBack { seq, given: record.stamp, last: numbered.head.stamp });
        }
        clock.learn(record.stamp);
        let bytes = stored::encode(&record).map_err(|err| Error::TooLarge { seq, err })?;
        let hash = numbered.head.hash.then(&bytes);
        numbered.head = Head { seq, hash, stamp: record.stamp };
        numbered.records.push(Stored { seq, bytes, hash });
    }
    Ok(numbered)
}

impl Batch {
    /// The id of each blob, and the blob.
    ///
    /// # Errors
    /// [`Error::BlobTooLarge`].
    pub(crate) fn named_blobs(blobs: Vec<Vec<u8>>) -> Result<Vec<(crate::BlobId, Vec<u8>)>, Error> {
        blobs
            .into_iter()
            .map(|blob| match blob.len() {
                bytes if bytes > super::MAX_BLOB => Err(Error::BlobTooLarge { bytes }),
                _ => Ok((crate::BlobId::of(&blob), blob)),
            })
            .collect()
    }
}
