//! From a record back to what started it: the request of a user, or something that happened in the world.

use ramen_events::{Aggregate, Cause, Controller, Fact, Kind, ObjectId, Payload, hub};
use serde::Serialize;

use crate::{merge::Merged, words};

/// How a record follows from the one before it in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The log says so: it was decided, or carried out, because of it.
    Recorded,
    /// The hub saw what a cluster's operator had written.
    Seen,
    /// Our last command about an object came before the object changed: likely, but not recorded.
    Followed,
    /// Nothing in the logs led to it.
    Outside,
}

/// One record of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which entry.
    pub entry: usize,
    /// How it follows from the one before it.
    pub how: How,
}

/// How many links a chain may have; causes always lie before their effects, so it ends anyway.
const LONGEST: usize = 200;

/// What led to an entry, oldest first, and the entry itself.
pub fn chain(merged: &Merged, entry: usize) -> Vec<Link> {
    let mut chain = Vec::new();
    let mut next = Some(entry);
    let mut whose = None;
    while let Some(entry) = next {
        whose = merged.entries.get(entry).and_then(|entry| entry.record.aggregate.as_ref()).or(whose);
        let found = before(merged, entry).or_else(|| Some((own_fact(merged, entry, whose?)?, How::Followed)));
        chain.push(Link { entry, how: found.map_or(How::Outside, |(_, how)| how) });
        next = found.map(|(before, _)| before).filter(|before| *before < entry && chain.len() < LONGEST);
    }
    chain.reverse();
    chain
}

/// What led to an entry, directly.
pub fn before(merged: &Merged, index: usize) -> Option<(usize, How)> {
    let entry = merged.entries.get(index)?;
    let recorded = match (&entry.record.cause, &entry.record.payload) {
        (Cause::Local(seq), _) => merged.at(entry.log, *seq),
        (Cause::Remote { command, .. }, _) => merged.commanded(*command),
        (Cause::Outside, Payload::Finished { id, .. }) => merged.commanded(*id),
        (Cause::Outside, _) => None,
    };
    if let Some(recorded) = recorded {
        return Some((recorded, How::Recorded));
    }
    match &entry.record.payload {
        Payload::Observed(_) => {
            if let Some(reported) = merged.reported(index) {
                return Some((reported, How::Seen));
            }
            if is_request(merged, index) {
                return None;
            }
            merged.acted(index).map(|found| (found, How::Followed))
        }
        Payload::Gone(_) => merged.acted(index).map(|found| (found, How::Followed)),
        _ => None,
    }
}

/// After a start everybody is asked, which explains nothing: what was decided then follows from what the object of the
/// aggregate itself asks for.
fn own_fact(merged: &Merged, index: usize, whose: &Aggregate) -> Option<usize> {
    let entry = merged.entries.get(index)?;
    if !matches!(entry.record.payload, Payload::Synced) {
        return None;
    }
    let kind = match whose.controller {
        Controller::Drpc => Kind::Drpc,
        Controller::Vrg => Kind::Vrg,
        _ => return None,
    };
    let object = ObjectId::new(kind, &whose.namespace, &whose.name);
    let earlier = merged.entries.get(..index)?;
    earlier.iter().rposition(|other| {
        let about =
            matches!(&other.record.payload, Payload::Observed(fact) if fact.object() == object && !fact.is_remark());
        other.log == entry.log && about
    })
}

/// Whether a fact shows that a user asked for something: the spec of one of our objects is new, or it is to be deleted.
pub fn is_request(merged: &Merged, index: usize) -> bool {
    let Some(Payload::Observed(fact)) = merged.entries.get(index).map(|entry| &entry.record.payload) else {
        return false;
    };
    let ours = matches!(fact, Fact::Hub(hub::Fact::Drpc(_) | hub::Fact::Policy(_) | hub::Fact::DrCluster(_)));
    let news = || words::news(merged, index);
    ours && news()
        .is_none_or(|news| news.iter().any(|change| change.path.starts_with("spec") || change.path == "meta.deleting"))
}
