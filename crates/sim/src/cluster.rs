//! One simulated cluster: an API server shared by its inhabitants, and news of its changes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::api::{Api, ApiError, Resource};
use crate::api_server::delete::{DeleteOptions, Deletion};
use crate::api_server::kinds::{TypeName, TypeRef};
use crate::api_server::object::{self, Object};
use crate::api_server::patch::Patch;
use crate::api_server::selector::Labels;
use crate::api_server::view;
use crate::api_server::watch::Filter;
use crate::api_server::{ApiServer, Refusal, Write};
use crate::time::Time;

/// Where a cluster gets the time from.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// A handle on a cluster; clones share it.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    clock: Clock,
    server: Mutex<ApiServer>,
    news: Mutex<BTreeMap<TypeName, watch::Sender<u64>>>,
    /// Somebody collects what changed instead of being told.
    by_hand: bool,
    reachable: watch::Sender<bool>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

/// Name under which writes through [`Api`] own fields.
const MANAGER: &str = "simulated-world";

impl Cluster {
    /// A fresh cluster; the seed decides the uids of its objects.
    #[must_use]
    pub fn new(name: &str, seed: u64, clock: Clock) -> Self {
        let server = ApiServer::new(seed, clock());
        Self::made(name, server, clock, false)
    }

    /// A cluster with this content that tells nobody of its changes: a driver in virtual time collects them with
    /// [`Cluster::take_touched`].
    #[must_use]
    pub fn driven(name: &str, content: ApiServer, clock: Clock) -> Self {
        Self::made(name, content, clock, true)
    }

    fn made(name: &str, server: ApiServer, clock: Clock, by_hand: bool) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            clock,
            server: Mutex::new(server),
            news: Mutex::new(BTreeMap::new()),
            by_hand,
            reachable: watch::Sender::new(true),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The kinds that changed since this was asked last, on a [driven](Cluster::driven) cluster.
    #[must_use]
    pub fn take_touched(&self) -> BTreeSet<TypeName> {
        self.lock().store_mut().take_touched()
    }

    /// A fresh cluster that lives in real time.
    #[must_use]
    pub fn in_real_time(name: &str, seed: u64) -> Self {
        Self::new(name, seed, Arc::new(Time::wall))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The time as the cluster sees it.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.shared.clock)()
    }

    /// Works on the server under its lock, reachable or not, then tells of what changed.
    pub fn with<R>(&self, work: impl FnOnce(&mut ApiServer, Time) -> R) -> R {
        let now = self.now();
        let (result, touched) = {
            let mut server = self.lock();
            let result = work(&mut server, now);
            if self.shared.by_hand {
                return result;
            }
            (result, server.store_mut().take_touched())
        };
        if !touched.is_empty() {
            let news = self.shared.news.lock().unwrap_or_else(PoisonError::into_inner);
            for sender in touched.iter().filter_map(|kind| news.get(kind)) {
                sender.send_modify(|count| *count += 1);
            }
        }
        result
    }

    /// A write that panicked has at worst left one change half told; the objects themselves are whole.
    fn lock(&self) -> MutexGuard<'_, ApiServer> {
        self.shared.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// News of a kind: the number rises with each change of any of its objects.
    #[must_use]
    pub fn changed(&self, kind: &TypeName) -> watch::Receiver<u64> {
        let mut news = self.shared.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.entry(kind.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// News of a kind as an agent names it.
    #[must_use]
    pub fn changed_kind(&self, kind: &Resource) -> watch::Receiver<u64> {
        let group = if kind.group == "events.k8s.io" { "" } else { kind.group };
        self.changed(&TypeName::new(group, kind.plural))
    }

    /// Loses the cluster without warning, or brings it back: while unreachable its front hangs up on everybody, and
    /// [`Api`] answers [`ApiError::Unreachable`].
    pub fn set_reachable(&self, reachable: bool) {
        self.shared.reachable.send_replace(reachable);
    }

    /// Whether it can be reached now.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        *self.shared.reachable.borrow()
    }

    /// To wait for the cluster to be lost or to come back.
    #[must_use]
    pub fn reachability(&self) -> watch::Receiver<bool> {
        self.shared.reachable.subscribe()
    }

    fn ask<R>(
        &self,
        kind: &Resource,
        work: impl FnOnce(&mut ApiServer, &TypeRef, Time) -> Result<R, Refusal>,
    ) -> Result<R, ApiError> {
        if !self.is_reachable() {
            return Err(ApiError::Unreachable(format!("cluster {} is lost", self.shared.name)));
        }
        self.with(|server, now| {
            let known = server.registry().find(kind.group, kind.version, kind.plural);
            let kind = known.ok_or_else(Refusal::no_such_path)?;
            work(server, &kind, now)
        })
        .map_err(ApiError::from)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match (refusal.code, refusal.reason) {
            (404, _) => Self::NotFound,
            (409, "AlreadyExists") => Self::AlreadyExists,
            (409, _) => Self::Conflict,
            (422, _) => Self::Invalid(refusal.message),
            (code, _) => Self::Other { code, message: refusal.message },
        }
    }
}

/// A stored object as a resource's path shows it: nearly always as it is.
fn seen(kind: &TypeRef, object: Arc<Object>) -> Arc<Object> {
    match view::convert(kind, object.value()) {
        Cow::Borrowed(_) => object,
        Cow::Owned(shown) => Arc::new(Object::told(shown)),
    }
}

/// What a write of the status of a custom object looks at: identity and status.
fn without_content(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    let seen = fields.filter(|(field, _)| matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
    Value::Object(seen.map(|(field, part)| (field.clone(), part.clone())).collect())
}

/// The namespace that a call is about: an empty one is none.
fn space(object: &Value) -> Option<&str> {
    Some(object::namespace(object)).filter(|name| !name.is_empty())
}

impl Api for Cluster {
    fn get(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Value, ApiError> {
        let (kind, object) =
            self.ask(kind, |server, kind, _| Ok((kind.clone(), server.get(kind, namespace, name)?)))?;
        Ok(view::whole(&kind, &object))
    }

    fn list(&self, kind: &Resource, namespace: Option<&str>, labels: Option<&str>) -> Result<Vec<Value>, ApiError> {
        let labels = Labels::parse(labels.unwrap_or_default()).map_err(ApiError::from)?;
        let (kind, objects) = self.ask(kind, |server, kind, _| {
            let filter = Filter { labels, ..Filter::all(kind, namespace) };
            Ok((kind.clone(), server.select(&filter)))
        })?;
        let objects = objects.iter();
        Ok(objects.map(|object| view::whole(&kind, object)).collect())
    }

    fn see(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Arc<Object>, ApiError> {
        self.ask(kind, |server, kind, _| Ok(seen(kind, server.get(kind, namespace, name)?)))
    }

    fn see_all(&self, kind: &Resource, namespace: Option<&str>) -> Result<Vec<Arc<Object>>, ApiError> {
        self.ask(kind, |server, kind, _| {
            let all = server.store().list(kind.stored(), namespace.filter(|_| kind.kind.namespaced));
            Ok(all.map(|object| seen(kind, object.clone())).collect())
        })
    }

    fn create(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        self.ask(kind, |server, kind, now| {
            server.create(kind, space(object), object.clone(), &mut Write::new(now, MANAGER))
        })
    }

    fn update(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        self.replace(kind, object, false)
    }

    fn update_status(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        self.replace(kind, object, true)
    }

    fn merge_patch(
        &self,
        kind: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        subresource: Option<&str>,
    ) -> Result<Arc<Object>, ApiError> {
        self.ask(kind, |server, kind, now| {
            let mut write = Write { subresource, ..Write::new(now, MANAGER) };
            server.patch(kind, namespace, name, &Patch::Merge(patch.clone()), &mut write)
        })
    }

    fn apply(&self, kind: &Resource, object: &Value, manager: &str, force: bool) -> Result<Arc<Object>, ApiError> {
        self.ask(kind, |server, kind, now| {
            let mut write = Write { force, ..Write::new(now, manager) };
            server.apply(kind, space(object), object::name(object), object.clone(), &mut write)
        })
    }

    fn delete(&self, kind: &Resource, namespace: Option<&str>, name: &str, uid: Option<&str>) -> Result<(), ApiError> {
        let options = DeleteOptions { uid: uid.map(str::to_owned), ..DeleteOptions::default() };
        self.ask(kind, |server, kind, now| {
            server.delete(kind, namespace, name, &options, now).map(|(Deletion::Gone(_) | Deletion::Pending(_))| ())
        })
    }
}

impl Cluster {
    /// Replaces an object or its status; a missing version means the current one.
    fn replace(&self, kind: &Resource, object: &Value, status: bool) -> Result<Arc<Object>, ApiError> {
        self.ask(kind, |server, kind, now| {
            let (namespace, name) = (space(object), object::name(object));
            let subresource = status.then_some("status").filter(|_| kind.has_status());
            let mut object = match subresource {
                Some(_) if kind.kind.custom => without_content(object),
                _ => object.clone(),
            };
            if object::meta_text(&object, "resourceVersion").is_empty() {
                let current = server.get(kind, namespace, name)?.version().to_string();
                object::meta_mut(&mut object).insert("resourceVersion".to_owned(), json!(current));
            }
            let mut write = Write { subresource, ..Write::new(now, MANAGER) };
            server.update(kind, namespace, name, object, &mut write)
        })
    }
}
