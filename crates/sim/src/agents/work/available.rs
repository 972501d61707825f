//! The status loop over a ManifestWork: whether its objects exist, and the feedback values of each.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::feedback;
use super::resource_meta::ResourceMeta;
use crate::agents::AgentWorld;
use crate::agents::conditions::{self, Condition};
use crate::agents::object;
use crate::api::{Api, ApiError, Object, Resource};
use crate::kinds::{self, Discovery};
use crate::time::Time;

/// An object whose changes are to be told at once.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub resource: Resource,
    pub namespace: Option<String>,
    pub name: String,
    /// Version last told; empty when it did not exist.
    pub version: String,
}

/// An object that was looked for, and what was there.
struct Found {
    resource: Resource,
    namespace: Option<String>,
    name: String,
    object: Option<Arc<Object>>,
}

/// What a look saw, and what to watch.
pub(super) struct Seen {
    /// The work as written.
    pub work: Arc<Object>,
    pub watched: Vec<Watched>,
    objects: Vec<Found>,
    /// Every object was found, or found to be missing.
    all: bool,
}

impl Seen {
    /// Whether another look would see nothing else, and so write nothing.
    pub fn is_still_so(&self, work: &Arc<Object>, own: &dyn Api) -> bool {
        let same =
            |found: &Found| match (own.see(&found.resource, found.namespace.as_deref(), &found.name), &found.object) {
                (Ok(live), Some(seen)) => Arc::ptr_eq(&live, seen),
                (Err(ApiError::NotFound), None) => true,
                _ => false,
            };
        self.all && Arc::ptr_eq(&self.work, work) && self.objects.iter().all(same)
    }
}

/// Reads every object that the work applied and tells what is there.
pub(super) fn look(
    served: &Discovery,
    work: &Arc<Object>,
    now: Time,
    world: &AgentWorld<'_>,
) -> Result<Seen, ApiError> {
    let (mut watched, mut objects) = (Vec::new(), Vec::new());
    let mut manifests = object::list(work, "/status/resourceStatus/manifests").to_vec();
    let (mut missing, mut unknown) = (0, 0);
    for entry in &mut manifests {
        let meta = meta_of(entry, served, world);
        let live = match meta.resource {
            None => Err(ApiError::Other { code: 404, message: format!("kind {} is not served", meta.kind) }),
            Some(resource) => world.own.see(&resource, meta.namespace(), &meta.name),
        };
        let mut conditions = object::list(entry, "/conditions").to_vec();
        conditions::set(&mut conditions, &available(&live, &mut String::new()), now);
        match &live {
            Ok(live) => tell(work, entry, &meta, live, &mut conditions, now),
            Err(ApiError::NotFound) => missing += 1,
            Err(_) => unknown += 1,
        }
        let wanted = feedback::wanted(work, &meta);
        if let Some(resource) = meta.resource {
            objects.push(Found {
                resource,
                namespace: meta.namespace().map(str::to_owned),
                name: meta.name.clone(),
                object: live.as_ref().ok().cloned(),
            });
        }
        if let Some(resource) = meta.resource.filter(|_| wanted.watch) {
            watched.push(Watched {
                resource,
                namespace: meta.namespace().map(ToOwned::to_owned),
                name: meta.name.clone(),
                version: live.as_ref().map(|live| object::version(live)).unwrap_or_default().to_owned(),
            });
        }
        entry["conditions"] = Value::Array(conditions);
    }
    let total = manifests.len();
    let (status, reason, message) = match (missing, unknown) {
        (0, 0) if total == 0 => ("Unknown", "ResourcesStatusUnknown", "No resource to look at".to_owned()),
        (0, 0) => ("True", "ResourcesAvailable", "All resources are available".to_owned()),
        (0, _) => ("Unknown", "ResourcesStatusUnknown", format!("{unknown} of {total} resources have unknown status")),
        _ => ("False", "ResourcesNotAvailable", format!("{missing} of {total} resources are not available")),
    };
    let mut conditions = object::list(work, "/status/conditions").to_vec();
    let condition = Condition {
        kind: "Available",
        status,
        reason,
        message: &message,
        // Of the work's present generation, even while its spec is not applied yet: that is how the agent does it.
        observed_generation: Some(object::generation(work)),
    };
    conditions::set(&mut conditions, &condition, now);
    let work = write_status(work, conditions, manifests, world.hub)?;
    Ok(Seen { work, watched, objects, all: unknown == 0 })
}

/// Writes the status of a work, unless it says that already; the work as it is then.
pub(super) fn write_status(
    work: &Arc<Object>,
    conditions: Vec<Value>,
    manifests: Vec<Value>,
    hub: &dyn Api,
) -> Result<Arc<Object>, ApiError> {
    let resources = Value::Object(Map::from_iter([("manifests".to_owned(), Value::Array(manifests))]));
    let conditions = Value::Array(conditions);
    let status = &work["status"];
    if status["conditions"] == conditions && status["resourceStatus"] == resources {
        return Ok(work.clone());
    }
    let mut told = work.value().clone();
    told["status"]["conditions"] = conditions;
    told["status"]["resourceStatus"] = resources;
    hub.update_status(&kinds::MANIFEST_WORK, &told)
}

fn meta_of(entry: &Value, served: &Discovery, world: &AgentWorld<'_>) -> ResourceMeta {
    let of = |key: &str| object::text(&entry["resourceMeta"], key).to_owned();
    let (group, version, kind) = (of("/group"), of("/version"), of("/kind"));
    let resource = served.find(world.own, &group, &version, &kind);
    ResourceMeta { ordinal: 0, group, version, kind, name: of("/name"), namespace: of("/namespace"), resource }
}

fn available<'m>(live: &Result<Arc<Object>, ApiError>, message: &'m mut String) -> Condition<'m> {
    let (status, reason) = match live {
        Ok(_) => ("True", "ResourceAvailable"),
        Err(ApiError::NotFound) => ("False", "ResourceNotAvailable"),
        Err(_) => ("Unknown", "FetchingResourceFailed"),
    };
    *message = match live {
        Ok(_) => "Resource is available".to_owned(),
        Err(ApiError::NotFound) => "Resource is not available".to_owned(),
        Err(why) => format!("Failed to fetch resource: {why}"),
    };
    Condition { kind: "Available", status, reason, message, observed_generation: None }
}

/// Puts the feedback values of a live object into its entry; a change of values shows in the condition's time.
fn tell(work: &Value, entry: &mut Value, meta: &ResourceMeta, live: &Value, conditions: &mut Vec<Value>, now: Time) {
    let wanted = feedback::wanted(work, meta);
    let (values, errors) = feedback::read(&wanted, live);
    if object::list(entry, "/statusFeedback/values") != values {
        conditions::remove(conditions, feedback::SYNCED);
    }
    conditions::set(conditions, &feedback::condition(&wanted, &errors, &mut String::new()), now);
    let told = (!values.is_empty()).then(|| ("values".to_owned(), Value::Array(values)));
    entry["statusFeedback"] = Value::Object(told.into_iter().collect());
}
