//! Sets of field paths, as `fieldsV1` writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::shape::{Items, Shape};

/// A set of paths as a tree. Steps are spelled as in `fieldsV1`: `f:name`, `k:{"type":"Ready"}`, `v:"item"`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    member: bool,
    children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    /// The set of the path to here only.
    #[must_use]
    pub fn here() -> Self {
        Self { member: true, children: BTreeMap::new() }
    }

    /// Reads `fieldsV1`.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let map = value.as_object();
        let mut set = Self { member: map.is_none_or(Map::is_empty), children: BTreeMap::new() };
        for (step, below) in map.into_iter().flatten() {
            if step == "." {
                set.member = true;
            } else {
                set.children.insert(step.clone(), Self::read(below));
            }
        }
        set
    }

    /// Writes `fieldsV1`.
    #[must_use]
    pub fn write(&self) -> Value {
        let mut map = Map::new();
        if self.member && !self.children.is_empty() {
            map.insert(".".to_owned(), json!({}));
        }
        for (step, below) in &self.children {
            map.insert(step.clone(), below.write());
        }
        Value::Object(map)
    }

    /// Whether no path is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.member && self.children.values().all(Self::is_empty)
    }

    /// Puts a subtree below a step, unless it is empty.
    pub fn put(&mut self, step: String, below: Self) {
        if !below.is_empty() {
            self.children.insert(step, below);
        }
    }

    /// The paths that are below a step.
    #[must_use]
    pub fn below(&self, step: &str) -> Option<&Self> {
        self.children.get(step)
    }

    /// Drops everything below a step, and the step.
    pub fn cut(&mut self, step: &str) {
        self.children.remove(step);
    }

    /// Takes the path to here out of the set, but nothing below it.
    pub fn leave(&mut self) {
        self.member = false;
    }

    /// Below a step, for changes in place.
    pub fn below_mut(&mut self, step: &str) -> Option<&mut Self> {
        self.children.get_mut(step)
    }

    /// Adds the paths of another set.
    pub fn unite(&mut self, other: &Self) {
        self.member |= other.member;
        for (step, below) in &other.children {
            self.children.entry(step.clone()).or_default().unite(below);
        }
    }

    /// Removes exactly the paths of another set.
    pub fn subtract(&mut self, other: &Self) {
        self.member &= !other.member;
        self.children.retain(|step, below| {
            if let Some(gone) = other.children.get(step) {
                below.subtract(gone);
            }
            !below.is_empty()
        });
    }

    /// Removes the paths of another set and everything below them.
    pub fn subtract_trees(&mut self, other: &Self) {
        if other.member {
            *self = Self::default();
            return;
        }
        self.children.retain(|step, below| {
            if let Some(gone) = other.children.get(step) {
                below.subtract_trees(gone);
            }
            !below.is_empty()
        });
    }

    /// The paths in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = Self { member: self.member && other.member, children: BTreeMap::new() };
        for (step, below) in &self.children {
            if let Some(theirs) = other.children.get(step) {
                both.put(step.clone(), below.intersect(theirs));
            }
        }
        both
    }

    /// All paths, as messages show them, e.g. `.spec.containers[name="web"].image`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(&mut String::new(), &mut paths);
        paths
    }

    fn collect(&self, at: &mut String, paths: &mut Vec<String>) {
        if self.member {
            paths.push(at.clone());
        }
        for (step, below) in &self.children {
            let length = at.len();
            at.push_str(&step_text(step));
            below.collect(at, paths);
            at.truncate(length);
        }
    }

    /// Whether the path to here is in the set.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.member
    }

    /// The steps from here.
    pub fn steps(&self) -> impl Iterator<Item = (&String, &Self)> {
        self.children.iter()
    }
}

fn step_text(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("v", value)) => format!("[={value}]"),
        Some(("k", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        _ => step.to_owned(),
    }
}

/// Step to a field.
#[must_use]
pub fn field_step(name: &str) -> String {
    format!("f:{name}")
}

/// Steps to the items of a merging list, in order; `None` for atomic lists.
#[must_use]
pub fn item_steps(shape: &Shape<'_>, list: &[Value]) -> Option<Vec<String>> {
    match shape.items() {
        Items::Atomic => None,
        Items::Set => Some(list.iter().map(|item| format!("v:{item}")).collect()),
        Items::Keyed(keys) => {
            Some(list.iter().map(|item| format!("k:{}", Value::Object(shape.key_of(&keys, item)))).collect())
        }
    }
}

/// The paths that an applied configuration sets.
#[must_use]
pub fn of(value: &Value, shape: &Shape<'_>) -> FieldSet {
    let mut set = FieldSet::default();
    match value {
        Value::Object(map) if !shape.is_atomic_map() && !map.is_empty() => {
            for (name, item) in map {
                let mut below = of(item, &shape.field(name));
                if !shape.declares(name) {
                    below.member = true;
                }
                set.put(field_step(name), below);
            }
        }
        Value::Array(list) if !list.is_empty() => match item_steps(shape, list) {
            Some(steps) => {
                for (step, item) in steps.into_iter().zip(list) {
                    let mut below = if item.is_object() { of(item, &shape.item()) } else { FieldSet::default() };
                    below.member = true;
                    set.put(step, below);
                }
            }
            None => set.member = true,
        },
        _ => set.member = true,
    }
    set
}

/// What differs between two versions of a value.
#[derive(Debug, Default)]
pub struct Difference {
    /// Paths that are new or have another value.
    pub changed: FieldSet,
    /// Topmost paths that are gone.
    pub removed: FieldSet,
}

/// Compares two versions of a value.
#[must_use]
pub fn compare(old: &Value, new: &Value, shape: &Shape<'_>) -> Difference {
    if old == new { Difference::default() } else { differ(old, new, shape) }
}

/// Compares two values that are not the same.
fn differ(old: &Value, new: &Value, shape: &Shape<'_>) -> Difference {
    let mut difference = Difference::default();
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !shape.is_atomic_map() => {
            for (name, value) in new {
                match old.get(name) {
                    Some(was) if was == value => {}
                    Some(was) => descend(&mut difference, field_step(name), differ(was, value, &shape.field(name))),
                    None => difference.changed.put(field_step(name), added(value, &shape.field(name))),
                }
            }
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                difference.removed.put(field_step(name), FieldSet::here());
            }
        }
        (Value::Array(old), Value::Array(new)) => match (item_steps(shape, old), item_steps(shape, new)) {
            (Some(old_steps), Some(new_steps)) => {
                for (step, value) in new_steps.iter().zip(new) {
                    match old_steps.iter().position(|known| known == step) {
                        Some(at) if old[at] == *value => {}
                        Some(at) => {
                            let below = differ(&old[at], value, &shape.item());
                            descend(&mut difference, step.clone(), below);
                        }
                        None => {
                            let mut below = added(value, &shape.item());
                            below.member = true;
                            difference.changed.put(step.clone(), below);
                        }
                    }
                }
                for step in old_steps.iter().filter(|step| !new_steps.contains(step)) {
                    difference.removed.put(step.clone(), FieldSet::here());
                }
            }
            _ => difference.changed.member = true,
        },
        _ => difference.changed.member = true,
    }
    difference
}

fn descend(difference: &mut Difference, step: String, below: Difference) {
    difference.changed.put(step.clone(), below.changed);
    difference.removed.put(step, below.removed);
}

/// All paths of a new value, its containers included.
fn added(value: &Value, shape: &Shape<'_>) -> FieldSet {
    let mut set = FieldSet::here();
    match value {
        Value::Object(map) if !shape.is_atomic_map() => {
            for (name, item) in map {
                set.put(field_step(name), added(item, &shape.field(name)));
            }
        }
        Value::Array(list) => {
            for (step, item) in item_steps(shape, list).unwrap_or_default().into_iter().zip(list) {
                let below = if item.is_object() { added(item, &shape.item()) } else { FieldSet::here() };
                set.put(step, below);
            }
        }
        _ => {}
    }
    set
}
