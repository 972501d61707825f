//! Who wrote what a DRPlacementControl asks for, as far as the log tells: the field managers, which are programs.

use ramen_events::{
    Aggregate, Controller, Fact, Kind, Payload,
    hub::{self, AuthorsFact},
};

use crate::{changes::Change, merge::Merged};

/// Why no user is named.
pub const NO_USER: &str = "the user is not known: the admission webhook is not on";

/// The field of the spec that a changed field of a fact is, if its owner is recorded.
fn field(path: &str) -> Option<&'static str> {
    match path {
        "spec.action" => Some("action"),
        "spec.failover" => Some("failoverCluster"),
        "spec.preferred" => Some("preferredCluster"),
        _ => None,
    }
}

/// The fields among these changes whose owner is recorded, and whether somebody set them or took them away.
pub fn fields(changes: &[Change]) -> (Vec<&'static str>, Vec<&'static str>) {
    let empty = |change: &Change| change.after.as_ref().is_none_or(|after| after.is_null() || after == "");
    let of = |removed: bool| {
        let those = changes.iter().filter(|change| empty(change) == removed);
        those.filter_map(|change| field(&change.path)).collect()
    };
    (of(false), of(true))
}

/// The last remark on who wrote a DRPC's spec among these entries, newest first, of the log of entry `index`.
pub fn remark<'a>(
    merged: &'a Merged,
    newest_first: impl Iterator<Item = usize>,
    drpc: &Aggregate,
    index: usize,
) -> Option<(usize, &'a AuthorsFact)> {
    let log = merged.entries.get(index)?.log;
    for at in newest_first {
        let entry = merged.entries.get(at)?;
        if entry.log != log {
            continue;
        }
        match &entry.record.payload {
            Payload::Observed(Fact::Hub(hub::Fact::Authors(fact)))
                if fact.drpc.namespace == drpc.namespace && fact.drpc.name == drpc.name =>
            {
                return Some((at, fact));
            }
            // What was written about an earlier object of that name says nothing about this one.
            Payload::Gone(object)
                if object.kind == Kind::Drpc && object.namespace == drpc.namespace && object.name == drpc.name =>
            {
                return None;
            }
            _ => {}
        }
    }
    None
}

/// The field managers that own any of `fields`: each once.
pub fn managers<'a>(fact: &'a AuthorsFact, fields: &[&str]) -> Vec<&'a hub::Author> {
    let owns = |author: &&hub::Author| author.fields.iter().any(|field| fields.contains(&field.as_str()));
    fact.authors.iter().filter(owns).collect()
}

/// In words: "kubectl-patch (Update of action, failoverCluster at 2026-11-23T23:46:13Z)".
pub fn words(fact: &AuthorsFact) -> String {
    if fact.authors.is_empty() {
        return "no field manager owns what the spec asks for".to_owned();
    }
    let one = |author: &hub::Author| {
        let at = author.at.map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{} ({} of {}{at})", author.manager, author.operation, author.fields.join(", "))
    };
    format!("spec written by {}", fact.authors.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// Who a request came from, for one line: "field manager kubectl-patch". `None` when the log does not tell.
pub fn by(merged: &Merged, index: usize) -> Option<String> {
    let Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc))) = &merged.entries.get(index)?.record.payload else {
        return None;
    };
    let aggregate = Aggregate::new(Controller::Drpc, drpc.meta.namespace.clone(), drpc.meta.name.clone());
    let (_, fact) =
        remark(merged, (0..index).rev(), &aggregate, index).filter(|(_, fact)| fact.uid == drpc.meta.uid)?;
    let (set, _) = match crate::words::news(merged, index) {
        Some(changes) => fields(&changes),
        None => (vec!["action", "failoverCluster", "preferredCluster"], Vec::new()),
    };
    let mut names: Vec<&str> = managers(fact, &set).iter().map(|author| author.manager.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| format!("field manager {}", names.join(", ")))
}
