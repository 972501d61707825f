//! Create and update: identity, concurrency, who may change what, generation, ownership of fields.

use std::sync::Arc;

use ramen_api::path::At as _;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::guard::{check_preconditions, identify, protect, raise_generation};
use super::kinds::{Generation, TypeRef};
use super::managed::{Managers, Operation, Who};
use super::object::{self, Object, meta_mut};
use super::patch::{self, Patch};
use super::refusal::{Cause, Refusal};
use super::request::{Request, Target};
use super::shape::Shape;
use super::store::Key;
use super::view::{Form, View, to_stored};
use super::{ApiServer, apply, crd, defaults, rules, typed, validate};
use crate::time::Time;

/// What to do about fields that the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Drop them silently.
    Ignore,
    /// Drop them and say so.
    Warn,
    /// Refuse the write.
    Refuse,
}

/// Who writes, when and how.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    /// The time.
    pub now: Time,
    /// Field manager.
    pub manager: &'a str,
    /// Subresource; `None` for the object itself.
    pub subresource: Option<&'a str>,
    /// Check everything and store nothing.
    pub dry: bool,
    /// What to do about unknown fields.
    pub unknown: Unknown,
    /// Take over fields that others own (apply only).
    pub force: bool,
    /// What the writer should be told.
    pub warnings: Vec<String>,
}

impl<'a> Write<'a> {
    /// A plain write.
    #[must_use]
    pub fn new(now: Time, manager: &'a str) -> Self {
        let unknown = Unknown::Ignore;
        Self { now, manager, subresource: None, dry: false, unknown, force: false, warnings: Vec::new() }
    }

    /// The same for the status subresource.
    #[must_use]
    pub fn status(mut self) -> Self {
        self.subresource = Some("status");
        self
    }

    pub(super) fn of(now: Time, request: &'a Request, target: &'a Target) -> Self {
        let unknown = match request.param("fieldValidation") {
            Some("Strict") => Unknown::Refuse,
            Some("Ignore") => Unknown::Ignore,
            _ => Unknown::Warn,
        };
        Self {
            now,
            manager: request.manager(),
            subresource: target.subresource.as_deref(),
            dry: request.param("dryRun") == Some("All"),
            unknown,
            force: request.flag("force"),
            warnings: Vec::new(),
        }
    }

    fn who(&self, kind: &TypeRef, operation: Operation) -> Who {
        Who {
            manager: self.manager.to_owned(),
            operation,
            api_version: kind.api_version(),
            subresource: self.subresource.unwrap_or_default().to_owned(),
        }
    }
}

impl ApiServer {
    pub(super) fn http_create(&mut self, now: Time, request: &Request, target: &Target) -> Result<Answer, Refusal> {
        let form = Form::negotiate(&request.accept, request.param("includeObject"))?;
        let value = patch::read_object(&request.body, &request.content_type)?;
        let mut write = Write::of(now, request, target);
        let object = self.create(&target.kind, target.namespace.as_deref(), value, &mut write)?;
        Ok(Answer::one(201, View { kind: target.kind.clone(), form, now }, object).warn(write.warnings))
    }

    pub(super) fn http_update(
        &mut self,
        now: Time,
        request: &Request,
        target: &Target,
        name: &str,
    ) -> Result<Answer, Refusal> {
        let form = Form::negotiate(&request.accept, request.param("includeObject"))?;
        let value = patch::read_object(&request.body, &request.content_type)?;
        let mut write = Write::of(now, request, target);
        let object = self.update(&target.kind, target.namespace.as_deref(), name, value, &mut write)?;
        Ok(Answer::one(200, View { kind: target.kind.clone(), form, now }, object).warn(write.warnings))
    }

    pub(super) fn http_patch(
        &mut self,
        now: Time,
        request: &Request,
        target: &Target,
        name: &str,
    ) -> Result<Answer, Refusal> {
        let form = Form::negotiate(&request.accept, request.param("includeObject"))?;
        let mut write = Write::of(now, request, target);
        let patch = patch::read(&request.body, &request.content_type, &target.kind)?;
        let existed = self.store.version();
        let object = if let Patch::Apply(config) = patch {
            if request.param("fieldManager").is_none_or(str::is_empty) {
                return Err(Refusal::unprocessable(
                    "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
                ));
            }
            self.apply(&target.kind, target.namespace.as_deref(), name, config, &mut write)?
        } else {
            let patched = self.patch(&target.kind, target.namespace.as_deref(), name, &patch, &mut write);
            patched.map_err(|refusal| refusal.of_patch(&String::from_utf8_lossy(&request.body)))?
        };
        let created = object.version() > existed
            && self
                .store
                .changes_since(target.kind.stored(), object.version() - 1)
                .next()
                .is_some_and(|change| change.previous.is_none());
        let code = if created { 201 } else { 200 };
        Ok(Answer::one(code, View { kind: target.kind.clone(), form, now }, object).warn(write.warnings))
    }

    /// Creates an object.
    ///
    /// # Errors
    /// As real servers refuse.
    pub fn create(
        &mut self,
        kind: &TypeRef,
        namespace: Option<&str>,
        value: Value,
        write: &mut Write<'_>,
    ) -> Result<Arc<Object>, Refusal> {
        let mut value = identify(kind, namespace, None, value)?;
        if !object::meta_text(&value, "resourceVersion").is_empty() {
            return Err(Refusal::bad_request("resourceVersion should not be set on objects to be created"));
        }
        if object::name(&value).is_empty() {
            let prefix = object::meta_text(&value, "generateName");
            if prefix.is_empty() {
                let cause = Cause::required("metadata.name", "name or generateName is required");
                return Err(Refusal::invalid(&kind.kind, "", &[cause]));
            }
            let name = format!("{prefix}{}", self.next_suffix());
            meta_mut(&mut value).insert("name".to_owned(), json!(name));
        }
        if kind.has_status() {
            value.as_object_mut().map(|map| map.remove("status"));
        }
        meta_mut(&mut value).remove("managedFields");
        self.insert(kind, value, None, write)
    }

    /// Stores an object that did not exist; `managers` are known when it is applied.
    fn insert(
        &mut self,
        kind: &TypeRef,
        mut value: Value,
        managers: Option<Managers>,
        write: &mut Write<'_>,
    ) -> Result<Arc<Object>, Refusal> {
        let name = object::name(&value).to_owned();
        let namespace = object::namespace(&value).to_owned();
        let causes = rules::name(kind, &name);
        if !causes.is_empty() {
            return Err(Refusal::invalid(&kind.kind, &name, &causes));
        }
        self.admit_to_namespace(kind, &namespace, &name)?;
        let key = Self::key(kind, Some(&namespace), &name);
        if self.store.get(&key).is_some() {
            return Err(Refusal::already_exists(&kind.kind, &name));
        }
        let uid = self.next_uid();
        let meta = meta_mut(&mut value);
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"] {
            meta.remove(field);
        }
        meta.insert("uid".to_owned(), json!(uid));
        meta.insert("creationTimestamp".to_owned(), json!(write.now.rfc3339()));
        if kind.kind.generation != Generation::None {
            meta.insert("generation".to_owned(), json!(1));
        }
        self.complete(kind, &mut value, write)?;
        defaults::fill(kind, &mut value, self, write.now);
        let mut causes = validate::object(kind, &value, None);
        causes.extend(rules::created(kind, &value));
        if !causes.is_empty() {
            return Err(Refusal::invalid(&kind.kind, &name, &causes));
        }
        let mut managers = managers.unwrap_or_else(|| {
            let mut managers = Managers::default();
            let who = write.who(kind, Operation::Update);
            let blank = Value::Object(Map::new());
            let mut written = value.clone();
            if kind.has_status()
                && let Some(map) = written.as_object_mut()
            {
                // The first status is the server's.
                map.remove("status");
            }
            managers.updated(who, &blank, &written, &Shape::of(kind), &write.now.rfc3339());
            managers
        });
        managers.settle();
        let value = to_stored(kind, value);
        if write.dry {
            return Ok(Arc::new(Object::new(value, Arc::new(managers), self.store.version())));
        }
        let object = self.store.put(&key, value, Arc::new(managers));
        let object = if crd::is_definition(kind) { self.register(&key, object, write.now)? } else { object };
        self.after_creation(&key, &object, write.now);
        Ok(object)
    }

    /// Replaces an object or its status.
    ///
    /// # Errors
    /// As real servers refuse.
    pub fn update(
        &mut self,
        kind: &TypeRef,
        namespace: Option<&str>,
        name: &str,
        value: Value,
        write: &mut Write<'_>,
    ) -> Result<Arc<Object>, Refusal> {
        let value = identify(kind, namespace, Some(name), value)?;
        let old = self.get(kind, namespace, name)?;
        if kind.kind.custom && object::meta_text(&value, "resourceVersion").is_empty() {
            let cause = Cause {
                reason: "FieldValueInvalid",
                field: "metadata.resourceVersion".to_owned(),
                message: "Invalid value: 0: must be specified for an update".to_owned(),
            };
            return Err(Refusal::invalid(&kind.kind, name, &[cause]));
        }
        self.replace(kind, &old, value, None, write)
    }

    /// Patches an object or its status; not for apply.
    ///
    /// # Errors
    /// As real servers refuse.
    pub fn patch(
        &mut self,
        kind: &TypeRef,
        namespace: Option<&str>,
        name: &str,
        patch: &Patch,
        write: &mut Write<'_>,
    ) -> Result<Arc<Object>, Refusal> {
        let old = self.get(kind, namespace, name)?;
        let shown = match patch {
            // Only such a patch can speak of what is kept beside the object.
            Patch::Json(_) => super::view::whole(kind, &old),
            _ => super::view::convert(kind, old.value()).into_owned(),
        };
        let value = identify(kind, namespace, Some(name), patch.onto(shown)?)?;
        self.replace(kind, &old, value, None, write)
    }

    /// Server-side apply to an object or its status; creates the object when it does not exist.
    ///
    /// # Errors
    /// A conflict when others own fields that would change, unless forced; else as real servers refuse.
    pub fn apply(
        &mut self,
        kind: &TypeRef,
        namespace: Option<&str>,
        name: &str,
        config: Value,
        write: &mut Write<'_>,
    ) -> Result<Arc<Object>, Refusal> {
        if config.at("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let mut config = identify(kind, namespace, Some(name), config)?;
        typed::check(kind, &config)?;
        let on_status = write.subresource == Some("status");
        if kind.has_status()
            && let Some(map) = config.as_object_mut()
        {
            if on_status {
                map.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
            } else {
                map.remove("status");
            }
        }
        let who = write.who(kind, Operation::Apply);
        let now = write.now.rfc3339();
        let shape = Shape::of(kind);
        let Some(old) = self.store.get(&Self::key(kind, namespace, name)).cloned() else {
            if on_status {
                return Err(Refusal::not_found(&kind.kind, name));
            }
            if !object::uid(&config).is_empty() {
                let why = "uid mismatch: the provided object specified a uid, and no existing object was found";
                return Err(Refusal::conflict(&kind.kind, name, why));
            }
            let mut managers = Managers::default();
            let value = apply::apply(&Value::Null, &config, &shape, &mut managers, who, write.force, &now)
                .map_err(|conflicts| Refusal::apply_conflict(&conflicts))?;
            return self.insert(kind, value, Some(managers), write);
        };
        check_preconditions(kind, &config, old.value())?;
        let mut managers = Managers::clone(old.managers());
        let live = super::view::convert(kind, old.value());
        if on_status && kind.kind.custom {
            // Nothing but status can change, so nothing else is taken into ownership.
            let identity = json!({
                "apiVersion": config["apiVersion"], "kind": config["kind"],
                "metadata": { "name": name, "namespace": config["metadata"].get("namespace") },
                "status": config.get("status").cloned().unwrap_or_default(),
            });
            config = identity;
            if config["status"].is_null() {
                config.as_object_mut().map(|map| map.remove("status"));
            }
        }
        let value = apply::apply(&live, &config, &shape, &mut managers, who, write.force, &now)
            .map_err(|conflicts| Refusal::apply_conflict(&conflicts))?;
        self.replace(kind, &old, value, Some(managers), write)
    }

    /// Puts `value` in place of `old`, as far as the writer may.
    fn replace(
        &mut self,
        kind: &TypeRef,
        old: &Arc<Object>,
        mut value: Value,
        managers: Option<Managers>,
        write: &mut Write<'_>,
    ) -> Result<Arc<Object>, Refusal> {
        let name = object::name(old.value()).to_owned();
        let before = super::view::convert(kind, old.value());
        let before = before.as_ref();
        check_preconditions(kind, &value, before)?;
        meta_mut(&mut value).remove("managedFields");
        protect(kind, &mut value, before, write.subresource);
        let causes = rules::metadata_updated(&value, before);
        if !causes.is_empty() {
            return Err(Refusal::invalid(&kind.kind, &name, &causes));
        }
        self.complete(kind, &mut value, write)?;
        defaults::keep(kind, &mut value, before);
        let mut causes = validate::object(kind, &value, Some(before));
        causes.extend(rules::updated(kind, &value, before));
        if !causes.is_empty() {
            return Err(Refusal::invalid(&kind.kind, &name, &causes));
        }
        // Only an apply can change who owns what without changing the object.
        if managers.is_none() && value == *before {
            return Ok(old.clone());
        }
        let mut managers = managers.unwrap_or_else(|| {
            let mut managers = Managers::clone(old.managers());
            let who = write.who(kind, Operation::Update);
            managers.updated(who, before, &value, &Shape::of(kind), &write.now.rfc3339());
            managers
        });
        managers.settle();
        raise_generation(kind, &mut value, before);
        if value == *before && managers == **old.managers() {
            return Ok(old.clone());
        }
        let managers = Arc::new(managers);
        let value = to_stored(kind, value);
        if write.dry {
            return Ok(Arc::new(Object::new(value, managers, self.store.version())));
        }
        let key = Key { kind: kind.stored().clone(), namespace: object::namespace(&value).to_owned(), name };
        if object::is_deleting(&value) && self.may_vanish(kind, &value) {
            return Ok(self.vanish(&key, value, write.now));
        }
        let object = self.store.put(&key, value, managers);
        let object = if crd::is_definition(kind) { self.register(&key, object, write.now)? } else { object };
        self.after_update(&key, &object, write.now);
        Ok(object)
    }

    /// Prunes and fills in defaults by schema.
    fn complete(&self, kind: &TypeRef, value: &mut Value, write: &mut Write<'_>) -> Result<(), Refusal> {
        let Some(schema) = &kind.version().schema else { return Ok(()) };
        let unknown = schema.prune_object(value);
        if !unknown.is_empty() && write.unknown != Unknown::Ignore {
            let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
            if write.unknown == Unknown::Refuse {
                return Err(Refusal::strict(&texts));
            }
            write.warnings.extend(texts);
        }
        schema.default_object(value);
        Ok(())
    }

    fn admit_to_namespace(&self, kind: &TypeRef, namespace: &str, name: &str) -> Result<(), Refusal> {
        if !kind.kind.namespaced {
            return Ok(());
        }
        let Some(spaces) = self.registry.find("", "v1", "namespaces") else { return Ok(()) };
        let home = self.get(&spaces, None, namespace)?;
        if object::is_deleting(home.value()) {
            return Err(Refusal::namespace_terminating(&kind.kind, name, namespace));
        }
        Ok(())
    }
}
