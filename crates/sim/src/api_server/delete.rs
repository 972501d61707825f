//! Deletion: preconditions, finalizers, what happens to dependents.

use std::sync::Arc;

use ramen_api::path::At as _;
use serde_json::{Value, json};

use super::ApiServer;
use super::answer::Answer;
use super::kinds::{Generation, TypeRef};
use super::object::{self, Object, meta_mut};
use super::patch;
use super::read::filter;
use super::refusal::{Refusal, success};
use super::request::{Request, Target};
use super::store::Key;
use super::view::{Form, View};
use crate::time::Time;

/// Finalizer of an owner that waits for its dependents to go first.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer of an owner whose dependents have to be set free first.
pub(super) const ORPHAN: &str = "orphan";

/// What a deletion asks for.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// Only the object with this uid.
    pub uid: Option<String>,
    /// Only this version.
    pub version: Option<String>,
    /// `Foreground`, `Background` or `Orphan`.
    pub propagation: Option<String>,
    /// Change nothing.
    pub dry: bool,
}

impl DeleteOptions {
    fn of(request: &Request) -> Result<Self, Refusal> {
        let body = if request.body.is_empty() {
            Value::Null
        } else {
            patch::read_object(&request.body, &request.content_type)?
        };
        let text = |pointer: &str| body.at(pointer).and_then(Value::as_str).map(str::to_owned);
        let orphan = body.get("orphanDependents").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            uid: text("/preconditions/uid"),
            version: text("/preconditions/resourceVersion"),
            propagation: text("/propagationPolicy")
                .or_else(|| request.param("propagationPolicy").map(str::to_owned))
                .or_else(|| (orphan || request.flag("orphanDependents")).then(|| "Orphan".to_owned())),
            dry: request.param("dryRun") == Some("All") || body.at("/dryRun/0").is_some_and(|mode| mode == "All"),
        })
    }
}

/// How far a deletion got.
#[derive(Debug, Clone)]
pub enum Deletion {
    /// The object is gone; its last state.
    Gone(Arc<Object>),
    /// Finalizers hold it.
    Pending(Arc<Object>),
}

impl ApiServer {
    pub(super) fn http_delete(
        &mut self,
        now: Time,
        request: &Request,
        target: &Target,
        name: &str,
    ) -> Result<Answer, Refusal> {
        let form = Form::negotiate(&request.accept, request.param("includeObject"))?;
        let options = DeleteOptions::of(request)?;
        match self.delete(&target.kind, target.namespace.as_deref(), name, &options, now)? {
            Deletion::Gone(object) => {
                Ok(Answer::document(200, success(&target.kind.kind, name, object::uid(object.value()))))
            }
            Deletion::Pending(object) => Ok(Answer::one(200, View { kind: target.kind.clone(), form, now }, object)),
        }
    }

    pub(super) fn http_delete_collection(
        &mut self,
        now: Time,
        request: &Request,
        target: &Target,
    ) -> Result<Answer, Refusal> {
        let form = Form::negotiate(&request.accept, request.param("includeObject"))?;
        let options = DeleteOptions::of(request)?;
        let filter = filter(request, target)?;
        let chosen = self.select(&filter);
        for object in &chosen {
            let (namespace, name) = (object::namespace(object.value()), object::name(object.value()));
            match self.delete(&target.kind, Some(namespace), name, &options, now) {
                // One that an earlier deletion of this round took along.
                Err(refusal) if refusal.code != 404 => return Err(refusal),
                _ => {}
            }
        }
        Ok(Answer::list(View { kind: target.kind.clone(), form, now }, chosen, self.store.version()))
    }

    /// Deletes an object, or marks it for deletion while finalizers hold it.
    ///
    /// # Errors
    /// When it does not exist, or is not the one that the options mean.
    pub fn delete(
        &mut self,
        kind: &TypeRef,
        namespace: Option<&str>,
        name: &str,
        options: &DeleteOptions,
        now: Time,
    ) -> Result<Deletion, Refusal> {
        let old = self.get(kind, namespace, name)?;
        let value = old.value();
        let version = object::meta_text(value, "resourceVersion");
        for (what, fate, given, actual) in [
            ("UID", "deleted and then recreated", &options.uid, object::uid(value)),
            ("ResourceVersion", "modified", &options.version, version),
        ] {
            if let Some(given) = given.as_deref().filter(|given| *given != actual) {
                return Err(Refusal::other_object(&kind.kind, name, what, [given, actual], fate));
            }
        }
        if kind.stored().as_str() == "namespaces" && matches!(name, "default" | "kube-system" | "kube-public") {
            return Err(Refusal::forbidden(&kind.kind, name, "this namespace may not be deleted"));
        }
        let mut value = value.clone();
        match options.propagation.as_deref() {
            Some("Foreground") => add_finalizer(&mut value, FOREGROUND),
            Some("Orphan") => add_finalizer(&mut value, ORPHAN),
            _ => {}
        }
        if kind.stored().as_str() == "customresourcedefinitions.apiextensions.k8s.io" {
            add_finalizer(&mut value, "customresourcecleanup.apiextensions.k8s.io");
        }
        if options.dry {
            return Ok(Deletion::Pending(old));
        }
        let key = Self::key(kind, namespace, name);
        if self.may_vanish(kind, &value) {
            return Ok(Deletion::Gone(self.vanish(&key, value, now)));
        }
        if object::is_deleting(&value) {
            return Ok(Deletion::Pending(old));
        }
        let generation = value.at("/metadata/generation").and_then(Value::as_i64);
        let meta = meta_mut(&mut value);
        meta.insert("deletionTimestamp".to_owned(), json!(now.rfc3339()));
        meta.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
        if let (Some(generation), true) = (generation, kind.kind.generation != Generation::None) {
            meta.insert("generation".to_owned(), json!(generation + 1));
        }
        if kind.stored().as_str() == "namespaces" {
            value["status"]["phase"] = json!("Terminating");
        }
        let object = self.store.put_same_owners(&key, value);
        self.after_mark(&key, &object, now);
        // What had to go first may be gone already.
        Ok(match self.store.get(&key) {
            Some(left) => Deletion::Pending(left.clone()),
            None => Deletion::Gone(object),
        })
    }

    /// Whether nothing holds an object that is to be deleted.
    pub(super) fn may_vanish(&self, kind: &TypeRef, value: &Value) -> bool {
        let held = kind.stored().as_str() == "namespaces"
            && value.at("/spec/finalizers").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        object::finalizers(value).is_empty() && !held
    }

    /// Removes an object and sees to what hung on it.
    pub(super) fn vanish(&mut self, key: &Key, value: Value, now: Time) -> Arc<Object> {
        let object = self.store.remove(key, value);
        self.after_removal(key, &object, now);
        object
    }
}

/// Adds a finalizer unless it is there.
pub(super) fn add_finalizer(value: &mut Value, finalizer: &str) {
    let list = meta_mut(value).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut()
        && !list.iter().any(|known| known == finalizer)
    {
        list.push(json!(finalizer));
    }
}

/// Removes a finalizer.
pub(super) fn remove_finalizer(value: &mut Value, finalizer: &str) {
    let meta = meta_mut(value);
    if let Some(list) = meta.get_mut("finalizers").and_then(Value::as_array_mut) {
        list.retain(|known| known != finalizer);
        if list.is_empty() {
            meta.remove("finalizers");
        }
    }
}
