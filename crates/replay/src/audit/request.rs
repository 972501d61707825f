//! Who asked for what, and when.

use ramen_events::{
    Aggregate, Fact, Payload,
    hub::{self, AuthorsFact},
};
use serde_json::Value;

use crate::{
    audit::before::Before,
    audit::index::between,
    audit::report::{Author, NOT_KNOWN, Request, When},
    authors::{self, NO_USER},
    causes,
    changes::{self, Change},
    merge::Merged,
    words,
};

/// The request that led to what the entry `began` began: the last change of what is asked of the DRPC until then.
pub fn of(
    merged: &Merged,
    own: &[usize],
    drpc: &Aggregate,
    began: usize,
    before: Option<&Before>,
) -> (Option<usize>, Request) {
    let before = before.and_then(|before| before.drpc(drpc));
    let asks = |index: &usize| {
        is_about(merged, *index, drpc)
            && causes::is_request(merged, *index)
            // What stood there before the logs begin was asked for earlier.
            && !before.is_some_and(|before| merged.before(*index).is_none() && asked_since(merged, *index, before).is_empty())
    };
    let Some(index) = between(own, 0, began).iter().rev().copied().find(asks) else {
        let when = merged.entries.get(began).map_or(When(ramen_events::Time(0)), |entry| When(entry.time));
        let note = "the logs begin after the request; times are counted from when the action is first seen".to_owned();
        let by = Author { note: "no record shows the request".to_owned(), ..nobody() };
        return (None, Request { when, record: NOT_KNOWN.to_owned(), changes: Vec::new(), by, note });
    };
    let (changes, note) = match (words::news(merged, index), before) {
        (Some(changes), _) => (changes.into_iter().filter(is_asked).collect(), String::new()),
        (None, Some(before)) => (asked_since(merged, index, before), String::new()),
        (None, None) => (first_seen(merged, index), first_note(merged, index)),
    };
    let when = merged.entries.get(index).map_or(When(ramen_events::Time(0)), |entry| When(entry.time));
    let by = author(merged, own, drpc, index, &changes);
    (Some(index), Request { when, record: merged.name(index), changes, by, note })
}

/// The field managers that own what was changed, at the request: the operator recorded them just before it.
fn author(merged: &Merged, own: &[usize], drpc: &Aggregate, index: usize, changes: &[Change]) -> Author {
    let unknown = |note: &str| Author { note: note.to_owned(), ..nobody() };
    let uid = self::drpc(merged, index).map_or("", |fact| fact.meta.uid.as_str());
    let earlier = between(own, 0, index).iter().rev().copied();
    let Some((at, fact)) = authors::remark(merged, earlier, drpc, index).filter(|(_, fact)| fact.uid == uid) else {
        return unknown("the log holds no metadata.managedFields of the object, nor who sent the request");
    };
    let (set, removed) = authors::fields(changes);
    let owners = authors::managers(fact, &set);
    if owners.is_empty() {
        return unknown(match (set.is_empty(), removed.is_empty()) {
            (true, false) => "a field was taken away: then metadata.managedFields does not tell who did it",
            (true, true) => "metadata.managedFields is recorded of action, failoverCluster and preferredCluster only",
            (false, _) => "metadata.managedFields names nobody for what was changed",
        });
    }
    let joined = |text: fn(&hub::Author) -> &str| {
        let mut texts: Vec<&str> = owners.iter().map(|author| text(author)).collect();
        texts.dedup();
        texts.join(", ")
    };
    Author {
        manager: joined(|author| &author.manager),
        operation: joined(|author| &author.operation),
        at: owners.iter().filter_map(|author| author.at).max().map(When),
        record: merged.name(at),
        user: NOT_KNOWN.to_owned(),
        note: with_owners(fact, &set),
    }
}

/// Why there is no user; and whose is which field, when it is more than one manager's.
fn with_owners(fact: &AuthorsFact, set: &[&str]) -> String {
    let owners = authors::managers(fact, set);
    if owners.len() < 2 {
        return NO_USER.to_owned();
    }
    let owned = |author: &hub::Author| {
        let fields: Vec<&str> = author.fields.iter().map(String::as_str).filter(|field| set.contains(field)).collect();
        format!("{} of {}", author.manager, fields.join(" and "))
    };
    format!("{}; {NO_USER}", owners.into_iter().map(owned).collect::<Vec<_>>().join(", "))
}

fn nobody() -> Author {
    let not_known = || NOT_KNOWN.to_owned();
    Author {
        manager: not_known(),
        operation: not_known(),
        at: None,
        record: not_known(),
        user: not_known(),
        note: String::new(),
    }
}

/// Whether an entry shows this DRPC.
pub fn is_about(merged: &Merged, index: usize, drpc: &Aggregate) -> bool {
    self::drpc(merged, index).is_some_and(|fact| fact.meta.namespace == drpc.namespace && fact.meta.name == drpc.name)
}

/// The DRPC that an entry shows.
pub fn drpc(merged: &Merged, index: usize) -> Option<&hub::DrpcFact> {
    match &merged.entries.get(index)?.record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Drpc(fact))) => Some(fact),
        _ => None,
    }
}

fn is_asked(change: &Change) -> bool {
    change.path.starts_with("spec") || change.path == "meta.deleting"
}

/// What a DRPC asks for that it did not ask for before the logs begin.
fn asked_since(merged: &Merged, index: usize, before: &Value) -> Vec<Change> {
    let fact = drpc(merged, index).and_then(|fact| serde_json::to_value(fact).ok()).unwrap_or_default();
    changes::between(before, &fact).into_iter().filter(is_asked).collect()
}

/// What an object asks for that was not seen before.
fn first_seen(merged: &Merged, index: usize) -> Vec<Change> {
    let Some(fact) = drpc(merged, index) else { return Vec::new() };
    let spec = serde_json::to_value(&fact.spec).unwrap_or_default();
    let is_said = |value: &Value| {
        !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && *value != Value::Array(Vec::new())
    };
    let fields = spec.as_object().into_iter().flatten().filter(|(_, value)| is_said(value));
    fields
        .map(|(name, value)| Change { path: format!("spec.{name}"), before: None, after: Some(value.clone()) })
        .collect()
}

fn first_note(merged: &Merged, index: usize) -> String {
    match drpc(merged, index) {
        Some(fact) if fact.status.observed_generation > 0 => {
            "the object was seen for the first time, but an operator had answered it before: the request is older than \
             this log"
                .to_owned()
        }
        _ => String::new(),
    }
}
