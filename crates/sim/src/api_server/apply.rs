//! Server-side apply: a manager says all that it wants, and owns exactly that.

use serde_json::{Map, Value};

use super::fields::{self, FieldSet, item_steps};
use super::managed::{self, Entry, Managers, Operation, Who};
use super::shape::{Items, Shape};

/// A conflict: (manager as messages show it, path).
pub type Conflict = (String, String);

/// Applies a configuration to a live object (`Null` when there is none); `managers` become those of the result.
///
/// # Errors
/// The fields that others own and that would change, unless `force`.
pub fn apply(
    live: &Value,
    config: &Value,
    shape: &Shape<'_>,
    managers: &mut Managers,
    who: Who,
    force: bool,
    now: &str,
) -> Result<Value, Vec<Conflict>> {
    let mut wanted = fields::of(config, shape);
    managed::strip(&mut wanted);
    let merged = merge(live, config, shape);
    let own = managers.position(&who);

    let mut changed = fields::compare(live, &merged, shape).changed;
    managed::strip(&mut changed);
    let mut conflicts = Vec::new();
    for (_, entry) in managers.0.iter_mut().enumerate().filter(|(at, _)| Some(*at) != own) {
        let taken = entry.fields.intersect(&changed);
        // A manager that wrote by other means than apply keeps its own fields when it starts to apply.
        let same = entry.who.manager == who.manager && entry.who.operation == Operation::Update;
        if force || same {
            entry.fields.subtract(&taken);
        } else {
            conflicts.extend(taken.paths().into_iter().map(|path| (shown(entry), path)));
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }

    let before = own.map(|at| managers.0[at].fields.clone()).unwrap_or_default();
    let mut others = FieldSet::default();
    for (_, entry) in managers.0.iter().enumerate().filter(|(at, _)| Some(*at) != own) {
        others.unite(&entry.fields);
    }
    let result = drop_unwanted(merged, &before, &wanted, &others, shape).unwrap_or(Value::Null);

    let removed = fields::compare(live, &result, shape).removed;
    for entry in &mut managers.0 {
        entry.fields.subtract_trees(&removed);
    }
    match own {
        Some(at) => {
            if before != wanted || result != *live {
                now.clone_into(&mut managers.0[at].time);
            }
            managers.0[at].fields = wanted;
            managers.0[at].who.api_version = who.api_version;
        }
        None => managers.0.push(Entry { who, time: now.to_owned(), fields: wanted }),
    }
    managers.0.retain(|entry| !entry.fields.is_empty());
    Ok(result)
}

fn shown(entry: &Entry) -> String {
    let mut text = format!("\"{}\"", entry.who.manager);
    if !entry.who.subresource.is_empty() {
        text.push_str(&format!(" with subresource \"{}\"", entry.who.subresource));
    }
    if entry.who.operation == Operation::Update {
        text.push_str(&format!(" using {}", entry.who.api_version));
    }
    text
}

/// The live value with the configuration's fields set.
fn merge(live: &Value, config: &Value, shape: &Shape<'_>) -> Value {
    match (live, config) {
        (Value::Object(live), Value::Object(config)) if !shape.is_atomic_map() => {
            let mut result = live.clone();
            for (name, value) in config {
                let below = merge(live.get(name).unwrap_or(&Value::Null), value, &shape.field(name));
                result.insert(name.clone(), below);
            }
            Value::Object(result)
        }
        (Value::Array(old), Value::Array(new)) => match (item_steps(shape, old), item_steps(shape, new)) {
            (Some(old_steps), Some(new_steps)) => {
                let mut result = old.clone();
                for (step, item) in new_steps.iter().zip(new) {
                    match old_steps.iter().position(|known| known == step) {
                        Some(at) => result[at] = merge(&old[at], item, &shape.item()),
                        None => result.push(item.clone()),
                    }
                }
                Value::Array(result)
            }
            _ => config.clone(),
        },
        _ => config.clone(),
    }
}

/// A value without what its applier owned, does not want any more, and nobody else owns. `None`: all of it goes.
fn drop_unwanted(
    value: Value,
    before: &FieldSet,
    wanted: &FieldSet,
    others: &FieldSet,
    shape: &Shape<'_>,
) -> Option<Value> {
    if before.is_member() && wanted.is_empty() && others.is_empty() {
        return None;
    }
    let none = FieldSet::default();
    let keep = |step: &str, item: Value, shape: &Shape<'_>| match before.below(step) {
        None => Some(item),
        Some(before) => {
            let wanted = wanted.below(step).unwrap_or(&none);
            let others = others.below(step).unwrap_or(&none);
            drop_unwanted(item, before, wanted, others, shape)
        }
    };
    match value {
        Value::Object(map) if before.steps().next().is_some() => {
            let had = !map.is_empty();
            let mut result = Map::new();
            for (name, item) in map {
                if let Some(item) = keep(&fields::field_step(&name), item, &shape.field(&name)) {
                    result.insert(name, item);
                }
            }
            // A map that only held what is gone goes too: it was there for their sake.
            let bare = had && result.is_empty() && wanted.is_empty() && others.is_empty();
            if bare { None } else { Some(Value::Object(result)) }
        }
        Value::Array(list) if before.steps().next().is_some() => {
            let steps = item_steps(shape, &list).unwrap_or_default();
            let had = !list.is_empty();
            let mut result = Vec::new();
            for (at, item) in list.into_iter().enumerate() {
                let Some(step) = steps.get(at) else {
                    result.push(item);
                    continue;
                };
                let identity = match shape.items() {
                    Items::Keyed(keys) => shape.key_of(&keys, &item),
                    _ => Map::new(),
                };
                if let Some(mut kept) = keep(step, item, &shape.item()) {
                    // What others still own in an item needs the fields that tell the item apart.
                    if let Some(fields) = kept.as_object_mut() {
                        fields.extend(identity);
                    }
                    result.push(kept);
                }
            }
            let bare = had && result.is_empty() && wanted.is_empty() && others.is_empty();
            if bare { None } else { Some(Value::Array(result)) }
        }
        other => Some(other),
    }
}
