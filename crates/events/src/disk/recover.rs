//! What a crash left: the intact beginning, and perhaps a torn tail.
//!
//! A tail is torn when its records are not whole and no whole one comes after them: those were never all written, so
//! they are cut off. A record that is not whole but has a whole one after it was whole once: that is damage, and the
//! log is refused.

use crate::{
    ChainHash, Seq, Stamp,
    disk::reader::Raw,
    log::{Damage, Error, Head},
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
    let mut intact = None;
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
                intact = Some(raw);
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
    if let Some(stored) = intact.as_ref().and_then(Raw::stored) {
        survey.head.stamp = stored.record()?.stamp;
    }
    Ok(survey)
}

/// Whether a record is whole: it follows one of these hashes; or, when its predecessor is gone altogether, it decodes.
/// What follows is not decoded here: that is done when it is read. The stamp is left out.
fn check(raw: &Raw, follows: &[ChainHash]) -> Result<Result<Head, Damage>, Error> {
    let Some((hash, bytes)) = raw.split() else { return Ok(Err(Damage::Hash)) };
    let head = Head { seq: raw.seq, hash, stamp: Stamp::default() };
    if follows.iter().any(|before| before.then(bytes) == hash) {
        return match bytes.first() {
            // It is as it was written, by a version that knows more. That must never be cut off.
            Some(form) if *form > stored::FORM => {
                Err(Error::undecodable(raw.seq, stored::Error::TooNew { found: *form }))
            }
            _ => Ok(Ok(head)),
        };
    }
    if !follows.is_empty() {
        return Ok(Err(Damage::Hash));
    }
    match raw.stored().map(|stored| stored.record()) {
        Some(Ok(_)) => Ok(Ok(head)),
        _ => Ok(Err(Damage::Hash)),
    }
}
