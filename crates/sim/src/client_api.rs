//! [`Api`] over a Kubernetes client, so that the same agents live on real API servers.
//!
//! Agents look often and change little: what they read comes from a copy that one watch per kind keeps, with their own
//! writes in it at once. Until a kind's copy is complete, reads ask the server.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use kube::core::params::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{DynamicObject, Request, Resource as _};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{Api, ApiError, Object, Resource};
use crate::api_server::object;
use crate::api_server::selector::Labels;
use crate::driver::Site;

/// Name under which writes that say none own fields.
const MANAGER: &str = "simulated-world";

/// A cluster behind a client; clones share the copies. Its methods block: they may be called from any thread, within a
/// runtime of several threads too.
#[derive(Clone)]
pub struct ClientApi {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    runtime: Handle,
    copies: Mutex<BTreeMap<Resource, Arc<Mirror>>>,
    reachable: AtomicBool,
}

impl std::fmt::Debug for ClientApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientApi").finish_non_exhaustive()
    }
}

/// The copy of all objects of a kind.
struct Mirror {
    kind: Resource,
    content: Mutex<Content>,
    news: watch::Sender<u64>,
    /// The watch that feeds it; ends with the copy.
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Content {
    complete: bool,
    objects: BTreeMap<(String, String), Value>,
    /// The list that is under way.
    coming: BTreeMap<(String, String), Value>,
    /// Uids that were seen to go: the answer to a late write of theirs brings none of them back.
    gone: BTreeSet<String>,
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

fn key(object: &Value) -> (String, String) {
    (object::namespace(object).to_owned(), object::name(object).to_owned())
}

fn version(object: &Value) -> u64 {
    object::meta_text(object, "resourceVersion").parse().unwrap_or(0)
}

impl Mirror {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    /// Takes in an object unless a newer version of it is known.
    fn put(&self, object: Value) {
        // The write that took the last finalizer of an object is answered with it, but it is gone. Pods and namespaces
        // have other reasons to stay.
        let lingers = object.get("kind").is_some_and(|kind| kind == "Pod" || kind == "Namespace");
        if object::is_deleting(&object) && object::finalizers(&object).is_empty() && !lingers {
            return self.drop_one(&object);
        }
        let mut content = self.content();
        let known = content
            .objects
            .get(&key(&object))
            .is_some_and(|known| object::uid(known) == object::uid(&object) && version(known) >= version(&object));
        if !known && !content.gone.contains(object::uid(&object)) {
            content.objects.insert(key(&object), object);
            drop(content);
            self.told();
        }
    }

    fn drop_one(&self, object: &Value) {
        let mut content = self.content();
        content.gone.insert(object::uid(object).to_owned());
        let same = content.objects.get(&key(object)).is_some_and(|known| object::uid(known) == object::uid(object));
        if same {
            content.objects.remove(&key(object));
            drop(content);
            self.told();
        }
    }

    fn feed(&self, event: watcher::Event<DynamicObject>) {
        // Items of a list of a built-in kind do not say what they are.
        let plain = |object: DynamicObject| {
            let mut object = serde_json::to_value(object).unwrap_or_default();
            object["apiVersion"] = json!(self.kind.api_version());
            object["kind"] = json!(self.kind.kind);
            object
        };
        match event {
            watcher::Event::Apply(object) => self.put(plain(object)),
            watcher::Event::Delete(object) => self.drop_one(&plain(object)),
            watcher::Event::Init => self.content().coming.clear(),
            watcher::Event::InitApply(object) => {
                let object = plain(object);
                self.content().coming.insert(key(&object), object);
            }
            watcher::Event::InitDone => {
                let mut content = self.content();
                content.objects = std::mem::take(&mut content.coming);
                content.complete = true;
                content.gone.clear();
                drop(content);
                self.told();
            }
        }
    }
}

impl ClientApi {
    /// A cluster behind `client`, whose tasks run on `runtime`.
    #[must_use]
    pub fn new(client: Client, runtime: Handle) -> Self {
        let (copies, reachable) = (Mutex::new(BTreeMap::new()), AtomicBool::new(true));
        Self { shared: Arc::new(Shared { client, runtime, copies, reachable }) }
    }

    fn copy(&self, kind: &Resource) -> Arc<Mirror> {
        let mut copies = self.shared.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = copies.entry(*kind).or_insert_with(|| {
            let content = Mutex::new(Content::default());
            let copy = Arc::new(Mirror { kind: *kind, content, news: watch::Sender::new(0), task: Mutex::new(None) });
            let api = kube::Api::all_with(self.shared.client.clone(), &kind.api_resource());
            let weak = Arc::downgrade(&copy);
            let feeding = async move {
                let mut events = pin!(watcher::watcher(api, watcher::Config::default()).default_backoff());
                while let Some(event) = events.next().await {
                    let Some(copy) = weak.upgrade() else { return };
                    // What failed is tried again by the watcher, after a pause.
                    if let Ok(event) = event {
                        copy.feed(event);
                    }
                }
            };
            *copy.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.shared.runtime.spawn(feeding));
            copy
        });
        copy.clone()
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        if Handle::try_current().is_ok() {
            tokio::task::block_in_place(|| self.shared.runtime.block_on(work))
        } else {
            self.shared.runtime.block_on(work)
        }
    }

    fn ask(&self, request: Result<http::Request<Vec<u8>>, kube::core::request::Error>) -> Result<Value, ApiError> {
        if !self.shared.reachable.load(Ordering::Relaxed) {
            return Err(ApiError::Unreachable("the cluster is lost".to_owned()));
        }
        let request = request.map_err(|error| ApiError::Other { code: 400, message: error.to_string() })?;
        self.wait(self.shared.client.request::<Value>(request)).map_err(refusal)
    }

    fn write(
        &self,
        kind: &Resource,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Arc<Object>, ApiError> {
        let object = self.ask(request)?;
        self.copy(kind).put(object.clone());
        Ok(Arc::new(Object::told(object)))
    }

    /// The object's current version, in an object that names none: an update without one means the current one.
    fn with_version(&self, kind: &Resource, object: &Value) -> Result<Vec<u8>, ApiError> {
        let mut object = object.clone();
        if object::meta_text(&object, "resourceVersion").is_empty() {
            let path = path(kind, space(&object));
            let current = self.ask(path.get(object::name(&object), &GetParams::default()))?;
            let version = object::meta_text(&current, "resourceVersion").to_owned();
            object::meta_mut(&mut object).insert("resourceVersion".to_owned(), json!(version));
        }
        Ok(object.to_string().into_bytes())
    }
}

fn path(kind: &Resource, namespace: Option<&str>) -> Request {
    let namespace = namespace.filter(|_| kind.namespaced);
    Request::new(DynamicObject::url_path(&kind.api_resource(), namespace))
}

fn space(object: &Value) -> Option<&str> {
    Some(object::namespace(object)).filter(|name| !name.is_empty())
}

fn writer() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

fn refusal(error: Error) -> ApiError {
    match error {
        Error::Api(status) => match (status.code, status.reason.as_str()) {
            (404, _) => ApiError::NotFound,
            (409, "AlreadyExists") => ApiError::AlreadyExists,
            (409, _) => ApiError::Conflict,
            (422, _) => ApiError::Invalid(status.message),
            (code, _) => ApiError::Other { code, message: status.message },
        },
        other => ApiError::Unreachable(other.to_string()),
    }
}

impl Api for ClientApi {
    fn get(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Value, ApiError> {
        let copy = self.copy(kind);
        {
            let content = copy.content();
            if content.complete && self.shared.reachable.load(Ordering::Relaxed) {
                let namespace = namespace.filter(|_| kind.namespaced).unwrap_or_default();
                let found = content.objects.get(&(namespace.to_owned(), name.to_owned()));
                return found.cloned().ok_or(ApiError::NotFound);
            }
        }
        self.ask(path(kind, namespace).get(name, &GetParams::default()))
    }

    fn list(&self, kind: &Resource, namespace: Option<&str>, labels: Option<&str>) -> Result<Vec<Value>, ApiError> {
        let copy = self.copy(kind);
        {
            let content = copy.content();
            if content.complete && self.shared.reachable.load(Ordering::Relaxed) {
                let labels = Labels::parse(labels.unwrap_or_default())?;
                let of = |object: &&Value| namespace.is_none_or(|wanted| wanted == object::namespace(object));
                let all = content.objects.values().filter(of);
                return Ok(all.filter(|object| labels.matches(object)).cloned().collect());
            }
        }
        let params = labels.map_or_else(ListParams::default, |labels| ListParams::default().labels(labels));
        let mut list = self.ask(path(kind, namespace).list(&params))?;
        let mut items = match list.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        for item in &mut items {
            // Items of lists do not say what they are.
            item["apiVersion"] = json!(kind.api_version());
            item["kind"] = json!(kind.kind);
        }
        Ok(items)
    }

    fn create(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        let request = path(kind, space(object)).create(&writer(), object.to_string().into_bytes());
        self.write(kind, request)
    }

    fn update(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        let body = self.with_version(kind, object)?;
        self.write(kind, path(kind, space(object)).replace(object::name(object), &writer(), body))
    }

    fn update_status(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        let body = self.with_version(kind, object)?;
        let path = path(kind, space(object));
        self.write(kind, path.replace_subresource("status", object::name(object), &writer(), body))
    }

    fn merge_patch(
        &self,
        kind: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        subresource: Option<&str>,
    ) -> Result<Arc<Object>, ApiError> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let (path, patch) = (path(kind, namespace), Patch::Merge(patch));
        let request = match subresource {
            Some(subresource) => path.patch_subresource(subresource, name, &params, &patch),
            None => path.patch(name, &params, &patch),
        };
        self.write(kind, request)
    }

    fn apply(&self, kind: &Resource, object: &Value, manager: &str, force: bool) -> Result<Arc<Object>, ApiError> {
        let params = PatchParams { force, ..PatchParams::apply(manager) };
        let request = path(kind, space(object)).patch(object::name(object), &params, &Patch::Apply(object));
        self.write(kind, request)
    }

    fn delete(&self, kind: &Resource, namespace: Option<&str>, name: &str, uid: Option<&str>) -> Result<(), ApiError> {
        let mut params = DeleteParams::background();
        if let Some(uid) = uid {
            params.preconditions =
                Some(kube::core::params::Preconditions { uid: Some(uid.to_owned()), resource_version: None });
        }
        // There is no kubelet to end a pod in grace.
        if kind.kind == "Pod" {
            params.grace_period_seconds = Some(0);
        }
        self.ask(path(kind, namespace).delete(name, &params)).map(|_| ())
    }
}

impl Site for ClientApi {
    fn news(&self, kind: &Resource) -> watch::Receiver<u64> {
        self.copy(kind).news.subscribe()
    }

    fn set_reachable(&self, reachable: bool) {
        self.shared.reachable.store(reachable, Ordering::Relaxed);
    }
}
