//! What follows from a write: dependents of owners that are gone, namespaces and definitions that are to be emptied.
//!
//! Real clusters have controllers for this that act moments later; here it has happened when the write returns.

use std::sync::Arc;

use ramen_api::path::At as _;
use serde_json::{Value, json};

use super::delete::{DeleteOptions, FOREGROUND, ORPHAN, remove_finalizer};
use super::kinds::TypeName;
use super::object::{self, Object, meta_mut};
use super::store::Key;
use super::{ApiServer, crd};
use crate::time::Time;

impl ApiServer {
    pub(super) fn after_creation(&mut self, key: &Key, object: &Arc<Object>, now: Time) {
        if !object::owners(object.value()).is_empty() {
            self.judge(key, now);
        }
    }

    pub(super) fn after_update(&mut self, key: &Key, object: &Arc<Object>, now: Time) {
        if !object::owners(object.value()).is_empty() {
            self.judge(key, now);
        }
        if object::is_deleting(object.value()) {
            self.after_mark(key, object, now);
        }
    }

    /// An object was marked for deletion, or is and has changed: let go of what waits for others.
    pub(super) fn after_mark(&mut self, key: &Key, object: &Arc<Object>, now: Time) {
        match key.kind.as_str() {
            "namespaces" => self.empty_namespace(&key.name, now),
            "customresourcedefinitions.apiextensions.k8s.io" => self.empty_definition(key, now),
            _ => {}
        }
        let finalizers = object::finalizers(object.value());
        let (foreground, orphan) = (finalizers.contains(&FOREGROUND), finalizers.contains(&ORPHAN));
        let uid = object::uid(object.value()).to_owned();
        if orphan {
            for dependent in self.store.dependents(&uid) {
                self.drop_owner(&dependent, |owner| owner.get("uid").and_then(Value::as_str) == Some(uid.as_str()));
            }
            self.release(key, ORPHAN, now);
        }
        if foreground {
            for dependent in self.store.dependents(&uid) {
                self.judge(&dependent, now);
            }
            self.foreground_done(key, &uid, now);
        }
    }

    /// An object is gone.
    pub(super) fn after_removal(&mut self, key: &Key, object: &Arc<Object>, now: Time) {
        for dependent in self.store.dependents(object::uid(object.value())) {
            self.judge(&dependent, now);
        }
        for owner in object::owners(object.value()) {
            let uid = owner.get("uid").and_then(Value::as_str).unwrap_or_default();
            if let Some(owner_key) = self.store.find_uid(uid).cloned() {
                self.foreground_done(&owner_key, uid, now);
            }
        }
        if key.kind.as_str() == "customresourcedefinitions.apiextensions.k8s.io" {
            self.unregister(object.value());
        }
        if let Some(definition) = self.definition_of(&key.kind)
            && self.store.get(&definition).is_some_and(|object| object::is_deleting(object.value()))
        {
            self.empty_definition(&definition, now);
        }
        if !key.namespace.is_empty() {
            let home = namespace_key(&key.namespace);
            if self.store.get(&home).is_some_and(|object| object::is_deleting(object.value())) {
                self.close_namespace(&home, now);
            }
        }
    }

    /// Deletes an object all of whose owners are gone; of one that has another, drops the references to the gone.
    fn judge(&mut self, key: &Key, now: Time) {
        let Some(object) = self.store.get(key).cloned() else { return };
        let owners = object::owners(object.value());
        if owners.is_empty() || object::is_deleting(object.value()) {
            return;
        }
        let lives = |owner: &Value| {
            let uid = owner.get("uid").and_then(Value::as_str).unwrap_or_default();
            let found = self.store.find_uid(uid).filter(|at| at.namespace.is_empty() || at.namespace == key.namespace);
            let named = found.filter(|at| owner.get("name").is_some_and(|name| *name == at.name));
            named.and_then(|at| self.store.get(at)).is_some_and(|owner| {
                !(object::is_deleting(owner.value()) && object::finalizers(owner.value()).contains(&FOREGROUND))
            })
        };
        let living = owners.iter().filter(|owner| lives(owner)).count();
        if living == owners.len() {
            return;
        }
        if living > 0 {
            let gone: Vec<String> = owners
                .iter()
                .filter(|owner| !lives(owner))
                .filter_map(|owner| owner.get("uid").and_then(Value::as_str).map(str::to_owned))
                .filter(|uid| self.store.find_uid(uid).is_none())
                .collect();
            self.drop_owner(key, |owner| gone.iter().any(|uid| owner.get("uid").is_some_and(|known| known == uid)));
            return;
        }
        self.delete_at(key, now);
    }

    fn delete_at(&mut self, key: &Key, now: Time) {
        if let Some(kind) = self.registry.stored(&key.kind) {
            let options = DeleteOptions { propagation: Some("Background".to_owned()), ..DeleteOptions::default() };
            // It exists and no precondition was set: nothing can refuse.
            let _ = self.delete(&kind, Some(&key.namespace), &key.name, &options, now);
        }
    }

    fn drop_owner(&mut self, key: &Key, goes: impl Fn(&Value) -> bool) {
        let Some(object) = self.store.get(key) else { return };
        let mut value = object.value().clone();
        let kept: Vec<Value> = object::owners(&value).iter().filter(|owner| !goes(owner)).cloned().collect();
        if kept.len() == object::owners(&value).len() {
            return;
        }
        let meta = meta_mut(&mut value);
        if kept.is_empty() {
            meta.remove("ownerReferences");
        } else {
            meta.insert("ownerReferences".to_owned(), Value::Array(kept));
        }
        self.store.put_same_owners(key, value);
    }

    /// Takes a finalizer from an object and lets it go if that was the last.
    fn release(&mut self, key: &Key, finalizer: &str, now: Time) {
        let (Some(object), Some(kind)) = (self.store.get(key), self.registry.stored(&key.kind)) else { return };
        let mut value = object.value().clone();
        remove_finalizer(&mut value, finalizer);
        if self.may_vanish(&kind, &value) {
            self.vanish(key, value, now);
        } else {
            self.store.put_same_owners(key, value);
        }
    }

    /// An owner that is deleted in the foreground goes when no dependent blocks it.
    fn foreground_done(&mut self, key: &Key, uid: &str, now: Time) {
        let waits = self.store.get(key).is_some_and(|owner| {
            object::is_deleting(owner.value()) && object::finalizers(owner.value()).contains(&FOREGROUND)
        });
        if !waits {
            return;
        }
        let blocked = self.store.dependents(uid).iter().filter_map(|key| self.store.get(key)).any(|dependent| {
            object::owners(dependent.value()).iter().any(|owner| {
                owner.get("uid").is_some_and(|known| known == uid)
                    && owner.get("blockOwnerDeletion").and_then(Value::as_bool).unwrap_or(false)
            })
        });
        if !blocked {
            self.release(key, FOREGROUND, now);
        }
    }

    fn empty_namespace(&mut self, namespace: &str, now: Time) {
        for key in self.store.in_namespace(namespace) {
            let deleting = self.store.get(&key).is_none_or(|object| object::is_deleting(object.value()));
            if !deleting {
                self.delete_at(&key, now);
            }
        }
        self.close_namespace(&namespace_key(namespace), now);
    }

    /// Lets a namespace go when it is empty, else says what is left in it.
    fn close_namespace(&mut self, home: &Key, now: Time) {
        let (Some(object), Some(kind)) = (self.store.get(home), self.registry.stored(&home.kind)) else { return };
        let mut value = object.value().clone();
        let left = self.store.in_namespace(&home.name);
        if left.is_empty() {
            value["spec"]["finalizers"] = json!([]);
            if self.may_vanish(&kind, &value) {
                self.vanish(home, value, now);
            } else if value != *object.value() {
                self.store.put_same_owners(home, value);
            }
            return;
        }
        value["status"]["conditions"] = self.namespace_conditions(&left, &value, now);
        if value != *object.value() {
            self.store.put_same_owners(home, value);
        }
    }

    fn namespace_conditions(&self, left: &[Key], home: &Value, now: Time) -> Value {
        let mut counts: Vec<(String, usize)> = Vec::new();
        let mut holders: Vec<(String, usize)> = Vec::new();
        let count = |list: &mut Vec<(String, usize)>, what: &str| match list.iter_mut().find(|(known, _)| known == what)
        {
            Some((_, number)) => *number += 1,
            None => list.push((what.to_owned(), 1)),
        };
        for key in left {
            let kind = key.kind.as_str();
            count(&mut counts, &if kind.contains('.') { kind.to_owned() } else { format!("{kind}.") });
            for finalizer in self.store.get(key).map(|object| object::finalizers(object.value())).unwrap_or_default() {
                count(&mut holders, finalizer);
            }
        }
        let text = |list: &[(String, usize)], say: &dyn Fn(&str, usize) -> String| {
            list.iter().map(|(what, number)| say(what, *number)).collect::<Vec<_>>().join(", ")
        };
        let content = text(&counts, &|what, number| format!("{what} has {number} resource instances"));
        let held = text(&holders, &|what, number| format!("{what} in {number} resource instances"));
        let since = |kind: &str| {
            let conditions = home.at("/status/conditions").and_then(Value::as_array).into_iter().flatten();
            let known = conditions.into_iter().find(|condition| condition["type"] == kind);
            known.map_or_else(|| json!(now.rfc3339()), |condition| condition["lastTransitionTime"].clone())
        };
        json!([
            { "type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain",
              "message": format!("Some resources are remaining: {content}"),
              "lastTransitionTime": since("NamespaceContentRemaining") },
            { "type": "NamespaceFinalizersRemaining", "status": if held.is_empty() { "False" } else { "True" },
              "reason": if held.is_empty() { "ContentHasNoFinalizers" } else { "SomeFinalizersRemain" },
              "message": format!("Some content in the namespace has finalizers remaining: {held}"),
              "lastTransitionTime": since("NamespaceFinalizersRemaining") },
        ])
    }

    fn empty_definition(&mut self, definition: &Key, now: Time) {
        let Some(object) = self.store.get(definition).cloned() else { return };
        let instances = crd::type_name(object.value());
        for key in self.store.keys(&instances) {
            let deleting = self.store.get(&key).is_none_or(|object| object::is_deleting(object.value()));
            if !deleting {
                self.delete_at(&key, now);
            }
        }
        // The last of them may have brought us here and finished already.
        let waits = self.store.get(definition).is_some_and(|object| {
            object::finalizers(object.value()).contains(&"customresourcecleanup.apiextensions.k8s.io")
        });
        if waits && self.store.keys(&instances).is_empty() {
            self.release(definition, "customresourcecleanup.apiextensions.k8s.io", now);
        }
    }

    /// Where the definition of a custom kind is.
    fn definition_of(&self, kind: &TypeName) -> Option<Key> {
        let known = self.registry.stored(kind).is_some_and(|kind| kind.kind.custom);
        known.then(|| Key {
            kind: TypeName::new("apiextensions.k8s.io", "customresourcedefinitions"),
            namespace: String::new(),
            name: kind.as_str().to_owned(),
        })
    }
}

fn namespace_key(name: &str) -> Key {
    Key { kind: TypeName::new("", "namespaces"), namespace: String::new(), name: name.to_owned() }
}
