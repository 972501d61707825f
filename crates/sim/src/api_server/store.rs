//! The objects of a cluster and the recent changes of each kind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::TypeName;
use super::managed::Managers;
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
    /// By namespace and name.
    objects: BTreeMap<String, BTreeMap<String, Arc<Object>>>,
    log: VecDeque<Change>,
    /// Oldest version from which a watch can resume.
    floor: u64,
}

impl Shelf {
    fn put(&mut self, key: &Key, object: Arc<Object>) -> Option<Arc<Object>> {
        if let Some(held) = self.objects.get_mut(&key.namespace).and_then(|space| space.get_mut(&key.name)) {
            return Some(std::mem::replace(held, object));
        }
        self.objects.entry(key.namespace.clone()).or_default().insert(key.name.clone(), object)
    }

    fn remove(&mut self, key: &Key) -> Option<Arc<Object>> {
        let space = self.objects.get_mut(&key.namespace)?;
        let removed = space.remove(&key.name);
        if space.is_empty() {
            self.objects.remove(&key.namespace);
        }
        removed
    }
}

/// All objects of a server. Copies share what neither of them changes.
#[derive(Debug, Default, Clone)]
pub struct Store {
    version: u64,
    shelves: BTreeMap<TypeName, Arc<Shelf>>,
    by_uid: Arc<BTreeMap<String, Key>>,
    dependents: Arc<BTreeMap<String, BTreeSet<Key>>>,
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
        self.find(&key.kind, &key.namespace, &key.name)
    }

    /// The object of a kind with this name; the namespace is empty for kinds without.
    #[must_use]
    pub fn find(&self, kind: &TypeName, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.shelves.get(kind)?.objects.get(namespace)?.get(name)
    }

    /// Objects of a kind, of one namespace or of all, in order of namespace and name.
    pub fn list<'s>(&'s self, kind: &TypeName, namespace: Option<&'s str>) -> impl Iterator<Item = &'s Arc<Object>> {
        let shelf = self.shelves.get(kind);
        let one = namespace.and_then(|namespace| shelf?.objects.get(namespace));
        let all = shelf.filter(|_| namespace.is_none()).into_iter().flat_map(|shelf| shelf.objects.values());
        one.into_iter().chain(all).flat_map(BTreeMap::values)
    }

    /// Keys of everything in a namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        for (kind, shelf) in &self.shelves {
            for name in shelf.objects.get(namespace).into_iter().flat_map(BTreeMap::keys) {
                keys.push(Key { kind: kind.clone(), namespace: namespace.to_owned(), name: name.clone() });
            }
        }
        keys
    }

    /// Keys of all objects of a kind.
    #[must_use]
    pub fn keys(&self, kind: &TypeName) -> Vec<Key> {
        let spaces = self.shelves.get(kind).into_iter().flat_map(|shelf| &shelf.objects);
        let names = spaces.flat_map(|(namespace, space)| space.keys().map(move |name| (namespace, name)));
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
        self.shelves.entry(kind.clone()).or_insert_with(|| Arc::new(Shelf { floor, ..Shelf::default() }));
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
        if let Some(shelf) = self.shelves.get_mut(kind).map(Arc::make_mut) {
            shelf.log.clear();
            self.version += 1;
            shelf.floor = self.version;
            self.touched.insert(kind.clone());
        }
    }

    /// Stores a new version of an object whose fields belong to whom they belonged.
    pub(super) fn put_same_owners(&mut self, key: &Key, value: Value) -> Arc<Object> {
        let managers = self.get(key).map(|object| object.managers().clone()).unwrap_or_default();
        self.put(key, value, managers)
    }

    /// Stores a new version of an object.
    pub(super) fn put(&mut self, key: &Key, mut value: Value, managers: Arc<Managers>) -> Arc<Object> {
        self.version += 1;
        object::meta_mut(&mut value).insert("resourceVersion".to_owned(), json!(self.version.to_string()));
        let object = Arc::new(Object::new(value, managers, self.version));
        let shelf = Arc::make_mut(self.shelves.entry(key.kind.clone()).or_default());
        let previous = shelf.put(key, object.clone());
        let same_place = previous.as_ref().is_some_and(|previous| {
            object::uid(previous) == object::uid(&object) && object::owners(previous) == object::owners(&object)
        });
        if !same_place {
            if let Some(previous) = &previous {
                self.unlink(key, previous.value());
            }
            self.link(key, object.value());
        }
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.record(&key.kind, Change { kind, object: object.clone(), previous });
        object
    }

    /// Removes an object; `last` is its state as the watchers see it leave.
    pub fn remove(&mut self, key: &Key, mut last: Value) -> Arc<Object> {
        self.version += 1;
        object::meta_mut(&mut last).insert("resourceVersion".to_owned(), json!(self.version.to_string()));
        let managers = self.get(key).map(|object| object.managers().clone()).unwrap_or_default();
        let object = Arc::new(Object::new(last, managers, self.version));
        let shelf = Arc::make_mut(self.shelves.entry(key.kind.clone()).or_default());
        let previous = shelf.remove(key);
        if let Some(previous) = &previous {
            self.unlink(key, previous.value());
        }
        self.record(&key.kind, Change { kind: ChangeKind::Deleted, object: object.clone(), previous });
        object
    }

    fn link(&mut self, key: &Key, value: &Value) {
        Arc::make_mut(&mut self.by_uid).insert(object::uid(value).to_owned(), key.clone());
        for owner in object::owners(value) {
            if let Some(uid) = owner.get("uid").and_then(Value::as_str) {
                let dependents = Arc::make_mut(&mut self.dependents);
                dependents.entry(uid.to_owned()).or_default().insert(key.clone());
            }
        }
    }

    fn unlink(&mut self, key: &Key, value: &Value) {
        Arc::make_mut(&mut self.by_uid).remove(object::uid(value));
        for owner in object::owners(value) {
            let Some(uid) = owner.get("uid").and_then(Value::as_str) else { continue };
            let dependents = Arc::make_mut(&mut self.dependents);
            if let Some(keys) = dependents.get_mut(uid) {
                keys.remove(key);
                if keys.is_empty() {
                    dependents.remove(uid);
                }
            }
        }
    }

    fn record(&mut self, kind: &TypeName, change: Change) {
        if let Some(shelf) = self.shelves.get_mut(kind).map(Arc::make_mut) {
            shelf.log.push_back(change);
            if shelf.log.len() > HISTORY
                && let Some(oldest) = shelf.log.pop_front()
            {
                shelf.floor = oldest.object.version();
            }
        }
        if !self.touched.contains(kind) {
            self.touched.insert(kind.clone());
        }
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
