//! What a crash left: the intact beginning, and perhaps a torn tail.
//!
//! A tail is torn when its records are not whole and no whole one comes after them: those were never all written, so
//! they are cut off. A record that is not whole but has a whole one after it was whole once: that is damage, and the
//! log is refused.

use crate::{
    ChainHash, Seq,
    disk::reader::Raw,
    log::{Damage, Error, Head, Stored},
    stored,
};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The last intact record.
    pub head: Head,
    /// Records looked at that are intact.
    pub checked: u64,
    /// Numbers of the torn ones after it.
    pub torn: Vec<Seq>,
}

/// Goes through the store's records, which should follow `start`.
pub(super) fn survey(start: Head, raws: impl Iterator<Item = Result<Raw, Error>>) -> Result<Survey, Error> {
    let mut survey = Survey { head: start, ..Survey::default() };
    let mut damage = None;
    let mut last = start.seq;
    // The hashes that the next record may follow. After a record that does not fit these are the one that its bytes
    // give and the stored one, so that a damaged hash is told from a damaged successor.
    let mut before = vec![start.hash];
    for raw in raws {
        let raw = raw?;
        let expected = survey.head.seq.next();
        if raw.seq != last.next() {
            before.clear();
        }
        last = raw.seq;
        match check(&raw, &before)? {
            Ok(head) if damage.is_none() && raw.seq == expected => {
                survey.head = head;
                survey.checked += 1;
                before = vec![head.hash];
            }
            Ok(_) => {
                let damage = damage.unwrap_or(Damage::Missing);
                return Err(Error::Damaged { seq: expected, damage });
            }
            Err(found) => {
                damage.get_or_insert(if raw.seq == expected { found } else { Damage::Missing });
                survey.torn.push(raw.seq);
                let split = raw.split();
                let computed = before.first().zip(split).map(|(before, (_, bytes))| before.then(bytes));
                before = computed.into_iter().chain(split.map(|(hash, _)| hash)).collect();
            }
        }
    }
    Ok(survey)
}

/// Whether a record is whole: it follows one of these hashes; or, when its predecessor is gone altogether, it decodes.
fn check(raw: &Raw, follows: &[ChainHash]) -> Result<Result<Head, Damage>, Error> {
    let Some((hash, bytes)) = raw.split() else { return Ok(Err(Damage::Hash)) };
    let fits = follows.iter().any(|before| before.then(bytes) == hash);
    if !fits && !follows.is_empty() {
        return Ok(Err(Damage::Hash));
    }
    let stored = Stored { seq: raw.seq, bytes: bytes.to_vec(), hash };
    match stored.record() {
        Ok(record) => Ok(Ok(Head { seq: raw.seq, hash, stamp: record.stamp })),
        // Its hash is right: it is as it was written, by a version that knows more. That must never be cut off.
        Err(err) if fits => Err(err),
        Err(Error::Damaged { damage, .. }) => Ok(Err(damage)),
        Err(_) => Ok(Err(Damage::Undecodable(stored::Error::TooNew { found: bytes.first().copied().unwrap_or(0) }))),
    }
}
