//! The objects of a cluster and the recent changes of each kind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::TypeName;
use super::object::{self, Object};

/// Changes of one kind that are kept for watchers that resume.
const HISTORY: usize = 1024;

/// Where one object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which kind.
    pub kind: TypeName,
    /// Namespace; empty for kinds without.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It has a new version.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The object after the change; for a deletion its last state, under the version of the deletion.
    pub object: Arc<Object>,
    /// The object before it.
    pub previous: Option<Arc<Object>>,
}

#[derive(Debug, Default, Clone)]
struct Shelf {
    objects: BTreeMap<(String, String), Arc<Object>>,
    log: VecDeque<Change>,
    /// Oldest version from which a watch can resume.
    floor: u64,
}

/// All objects of a server.
#[derive(Debug, Default, Clone)]
pub struct Store {
    version: u64,
    shelves: BTreeMap<TypeName, Shelf>,
    by_uid: BTreeMap<String, Key>,
    dependents: BTreeMap<String, BTreeSet<Key>>,
    touched: BTreeSet<TypeName>,
}

impl Store {
    /// The version of the latest change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The object at a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.shelves.get(&key.kind)?.objects.get(&(key.namespace.clone(), key.name.clone()))
    }

    /// Objects of a kind, of one namespace or of all, in order of namespace and name.
    pub fn list<'s>(&'s self, kind: &TypeName, namespace: Option<&'s str>) -> impl Iterator<Item = &'s Arc<Object>> {
        let shelf = self.shelves.get(kind);
        let start = (namespace.unwrap_or_default().to_owned(), String::new());
        shelf
            .into_iter()
            .flat_map(move |shelf| shelf.objects.range(start.clone()..))
            .take_while(move |((of, _), _)| namespace.is_none_or(|wanted| wanted == of))
            .map(|(_, object)| object)
    }

    /// Keys of everything in a namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        for (kind, shelf) in &self.shelves {
            let start = (namespace.to_owned(), String::new());
            for ((_, name), _) in shelf.objects.range(start..).take_while(|((of, _), _)| of == namespace) {
                keys.push(Key { kind: kind.clone(), namespace: namespace.to_owned(), name: name.clone() });
            }
        }
        keys
    }

    /// Keys of all objects of a kind.
    #[must_use]
    pub fn keys(&self, kind: &TypeName) -> Vec<Key> {
        let shelf = self.shelves.get(kind);
        let names = shelf.into_iter().flat_map(|shelf| shelf.objects.keys());
        names
            .map(|(namespace, name)| Key { kind: kind.clone(), namespace: namespace.clone(), name: name.clone() })
            .collect()
    }

    /// Where the object with a uid is.
    #[must_use]
    pub fn find_uid(&self, uid: &str) -> Option<&Key> {
        self.by_uid.get(uid)
    }

    /// Who names a uid as an owner.
    #[must_use]
    pub fn dependents(&self, uid: &str) -> Vec<Key> {
        self.dependents.get(uid).map(|keys| keys.iter().cloned().collect()).unwrap_or_default()
    }

    /// Makes room for a kind: watches of it can resume from now on.
    pub fn open(&mut self, kind: &TypeName) {
        let floor = self.version;
        self.shelves.entry(kind.clone()).or_insert_with(|| Shelf { floor, ..Shelf::default() });
    }

    /// Whether the kind has been opened.
    #[must_use]
    pub fn is_open(&self, kind: &TypeName) -> bool {
        self.shelves.contains_key(kind)
    }

    /// Forgets a kind and its history.
    pub fn close(&mut self, kind: &TypeName) {
        self.shelves.remove(kind);
        self.touched.insert(kind.clone());
    }

    /// Forgets the history of a kind, so that its watchers have to list again.
    pub fn forget_history(&mut self, kind: &TypeName) {
        if let Some(shelf) = self.shelves.get_mut(kind) {
            shelf.log.clear();
            self.version += 1;
            shelf.floor = self.version;
            self.touched.insert(kind.clone());
        }
    }

    /// Stores a new version of an object.
    pub fn put(&mut self, key: &Key, mut value: Value) -> Arc<Object> {
        self.version += 1;
        object::meta_mut(&mut value).insert("resourceVersion".to_owned(), json!(self.version.to_string()));
        let object = Arc::new(Object::new(value, self.version));
        let shelf = self.shelves.entry(key.kind.clone()).or_default();
        let previous = shelf.objects.insert((key.namespace.clone(), key.name.clone()), object.clone());
        if let Some(previous) = &previous {
            self.unlink(key, previous.value());
        }
        self.link(key, object.value());
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.record(&key.kind, Change { kind, object: object.clone(), previous });
        object
    }

    /// Removes an object; `last` is its state as the watchers see it leave.
    pub fn remove(&mut self, key: &Key, mut last: Value) -> Arc<Object> {
        self.version += 1;
        object::meta_mut(&mut last).insert("resourceVersion".to_owned(), json!(self.version.to_string()));
        let object = Arc::new(Object::new(last, self.version));
        let shelf = self.shelves.entry(key.kind.clone()).or_default();
        let previous = shelf.objects.remove(&(key.namespace.clone(), key.name.clone()));
        if let Some(previous) = &previous {
            self.unlink(key, previous.value());
        }
        self.record(&key.kind, Change { kind: ChangeKind::Deleted, object: object.clone(), previous });
        object
    }

    fn link(&mut self, key: &Key, value: &Value) {
        self.by_uid.insert(object::uid(value).to_owned(), key.clone());
        for owner in object::owners(value) {
            if let Some(uid) = owner.get("uid").and_then(Value::as_str) {
                self.dependents.entry(uid.to_owned()).or_default().insert(key.clone());
            }
        }
    }

    fn unlink(&mut self, key: &Key, value: &Value) {
        self.by_uid.remove(object::uid(value));
        for owner in object::owners(value) {
            let Some(uid) = owner.get("uid").and_then(Value::as_str) else { continue };
            if let Some(keys) = self.dependents.get_mut(uid) {
                keys.remove(key);
                if keys.is_empty() {
                    self.dependents.remove(uid);
                }
            }
        }
    }

    fn record(&mut self, kind: &TypeName, change: Change) {
        if let Some(shelf) = self.shelves.get_mut(kind) {
            shelf.log.push_back(change);
            if shelf.log.len() > HISTORY
                && let Some(oldest) = shelf.log.pop_front()
            {
                shelf.floor = oldest.object.version();
            }
        }
        self.touched.insert(kind.clone());
    }

    /// Oldest version from which a watch of a kind can resume; `None` when the kind is not served any more.
    #[must_use]
    pub fn floor(&self, kind: &TypeName) -> Option<u64> {
        self.shelves.get(kind).map(|shelf| shelf.floor)
    }

    /// Changes of a kind after a version, oldest first.
    pub fn changes_since(&self, kind: &TypeName, version: u64) -> impl Iterator<Item = &Change> {
        self.shelves.get(kind).into_iter().flat_map(move |shelf| {
            let first = shelf.log.partition_point(|change| change.object.version() <= version);
            shelf.log.range(first..)
        })
    }

    /// Kinds that changed since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<TypeName> {
        std::mem::take(&mut self.touched)
    }
}
