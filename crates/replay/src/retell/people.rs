//! What people asked of DRPCs: read off what the hub saw of them, changed as the user wants it.

use std::collections::BTreeMap;

use ramen_events::{
    Fact, Kind, ObjectId, Payload, Record, Seq, Time,
    hub::{self, DrpcFact, DrpcSpec},
};
use ramen_trials::happening::Happening;

use super::{Scripts, Tale, Telling, Told};
use crate::rerun::Part;

/// What was done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing.
    Kept,
    /// It says something else, comes at another time, or was added.
    Changed,
    /// It was added: the records after it do not know of it.
    Added,
    /// It is left out.
    Left,
}

/// A record of a DRPC, as it is to be read.
struct Item {
    /// Where it stands in the log.
    order: (Time, Seq, u8),
    /// When it comes.
    time: Time,
    seq: Option<Seq>,
    payload: Payload,
    fate: Fate,
}

/// What people asked for, and what of it has no words in a scenario.
pub(super) struct Asked {
    pub(super) happenings: Vec<Told>,
    pub(super) assumed: Vec<String>,
}

/// Reads what people asked for.
pub(super) fn asked(telling: &Telling<'_>, tale: &Tale, scripts: &Scripts) -> Asked {
    let mut asked = Asked { happenings: Vec::new(), assumed: Vec::new() };
    let mut known: BTreeMap<ObjectId, DrpcFact> = BTreeMap::new();
    for item in items(telling, scripts) {
        let (object, new) = match &item.payload {
            Payload::Observed(fact @ Fact::Hub(hub::Fact::Drpc(drpc))) => (fact.object(), Some(drpc.as_ref())),
            Payload::Gone(object) => (object.clone(), None),
            _ => continue,
        };
        let Some(application) =
            tale.applications.iter().find(|a| a.drpc.namespace == object.namespace && a.drpc.name == object.name)
        else {
            continue;
        };
        let old = known.get(&object);
        let app = application.name.clone();
        let mut whats = Vec::new();
        match (old, new) {
            (None, Some(new)) => {
                let was_there = application.before && new.meta.uid == first_uid(telling, &object);
                if !was_there {
                    whats.push(Happening::Protect { app: app.clone(), on: new.spec.preferred.clone(), under: None });
                    whats.extend(requested(&DrpcSpec::default(), &new.spec, &app, &mut asked.assumed));
                } else if new.meta.deleting.is_some() {
                    whats.push(Happening::Unprotect { app: app.clone() });
                }
            }
            (Some(old), Some(new)) if old.meta.uid != new.meta.uid => {
                if old.meta.deleting.is_none() {
                    whats.push(Happening::Unprotect { app: app.clone() });
                }
                whats.push(Happening::Protect { app: app.clone(), on: new.spec.preferred.clone(), under: None });
                whats.extend(requested(&DrpcSpec::default(), &new.spec, &app, &mut asked.assumed));
            }
            (Some(old), Some(new)) => {
                whats.extend(requested(&old.spec, &new.spec, &app, &mut asked.assumed));
                if old.meta.deleting.is_none() && new.meta.deleting.is_some() {
                    whats.push(Happening::Unprotect { app: app.clone() });
                }
            }
            (Some(old), None) if old.meta.deleting.is_none() => whats.push(Happening::Unprotect { app }),
            _ => {}
        }
        if item.fate != Fate::Added {
            match new {
                Some(new) => drop(known.insert(object, new.clone())),
                None => drop(known.remove(&object)),
            }
        }
        if item.fate != Fate::Left {
            let record = item.seq.map(|seq| (telling.hub, seq));
            let changed = item.fate != Fate::Kept;
            asked.happenings.extend(whats.into_iter().map(|what| Told { time: item.time, what, record, changed }));
        }
    }
    asked.assumed.sort();
    asked.assumed.dedup();
    asked
}

/// The records of DRPCs in the order of the log, changed as the user wants them.
fn items(telling: &Telling<'_>, scripts: &Scripts) -> Vec<Item> {
    let is_drpc = |record: &Record| match &record.payload {
        Payload::Observed(fact) => matches!(fact, Fact::Hub(hub::Fact::Drpc(_))),
        Payload::Gone(object) => object.kind == Kind::Drpc,
        _ => false,
    };
    let ahead = telling.merged.ahead.get(telling.hub).copied().unwrap_or_default();
    let shown = |time: Time| Time(time.0.saturating_add_signed(-ahead));
    let Some(script) = scripts.get(&telling.hub) else {
        let drpcs = telling.of(telling.hub).filter(|(_, entry)| is_drpc(&entry.record));
        let item = |entry: &crate::merge::Entry| Item {
            order: (entry.time, entry.record.seq, 0),
            time: entry.time,
            seq: Some(entry.record.seq),
            payload: entry.record.payload.clone(),
            fate: Fate::Kept,
        };
        return drpcs.map(|(_, entry)| item(entry)).collect();
    };
    let inputs = script.inputs().filter(|(_, input)| input.part != Part::Vacated && is_drpc(&input.record));
    let mut items: Vec<Item> = inputs
        .map(|(key, input)| {
            let time = shown(key.time);
            let (order, fate) = match (input.from, input.part) {
                (None, _) => ((time, key.seq(), 1), Fate::Added),
                (Some(seq), Part::Left) => ((shown(input.record.stamp.time), seq, 0), Fate::Left),
                (Some(seq), Part::Kept) => ((shown(input.record.stamp.time), seq, 0), Fate::Kept),
                (Some(seq), _) => ((shown(input.record.stamp.time), seq, 0), Fate::Changed),
            };
            Item { order, time, seq: input.from, payload: input.record.payload.clone(), fate }
        })
        .collect();
    items.sort_by_key(|item| item.order);
    items
}

/// What a change of a DRPC's spec asks for.
fn requested(old: &DrpcSpec, new: &DrpcSpec, app: &str, assumed: &mut Vec<String>) -> Option<Happening> {
    let app = app.to_owned();
    match new.action.as_str() {
        "Failover" if old.action != "Failover" || old.failover != new.failover => {
            Some(Happening::Failover { app, to: new.failover.clone() })
        }
        "Relocate" if old.action != "Relocate" || old.preferred != new.preferred => {
            Some(Happening::Relocate { app, to: new.preferred.clone() })
        }
        "" if !old.action.is_empty() => Some(Happening::Withdraw { app }),
        _ => {
            if !old.preferred.is_empty() && old.preferred != new.preferred {
                let (was, now) = (&old.preferred, &new.preferred);
                assumed.push(format!(
                    "the preferred cluster of {app} stays {was}: that it became {now} without an action is not retold"
                ));
            }
            None
        }
    }
}

fn first_uid(telling: &Telling<'_>, object: &ObjectId) -> String {
    let mut facts = telling.of(telling.hub).filter_map(|(_, entry)| match &entry.record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc))) if drpc.meta.object(Kind::Drpc) == *object => {
            Some(drpc.meta.uid.clone())
        }
        _ => None,
    });
    facts.next().unwrap_or_default()
}
