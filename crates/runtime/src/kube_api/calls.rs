//! The calls that effects come down to.

use std::{sync::Arc, time::Duration};

use http::Request as HttpRequest;
use kube::{
    Client,
    core::{
        params::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
        request::Request,
    },
};
use ramen_api::kinds::{self, Resource};
use ramen_events::Outcome;
use ramen_ledger::Sight;
use ramen_ports::{Requirement, Target, Unused, User};
use serde_json::{Value, json};

use super::failure;

/// How many objects are listed at a time.
const PAGE: u32 = 500;

/// Makes calls as one field manager.
#[derive(Clone)]
pub(crate) struct Calls {
    client: Client,
    manager: &'static str,
    limit: Duration,
}

/// What a call showed, and its failure if it was one.
pub(crate) struct Called {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// The object as it is now, as far as the server told.
    pub(crate) sight: Option<Sight>,
}

impl Calls {
    /// Calls by this client; `manager` is the field manager of all writes, `limit` the time for each call.
    pub(crate) fn new(client: Client, manager: &'static str, limit: Duration) -> Self {
        Self { client, manager, limit }
    }

    /// Server-side apply, by force.
    pub(crate) async fn apply(&self, target: &Target, body: &Value) -> Called {
        let body = target.complete(body);
        let params = PatchParams::apply(self.manager).force();
        self.write(target, request(target).patch(&target.name, &params, &Patch::Apply(&body))).await
    }

    /// Creates an object.
    pub(crate) async fn create(&self, target: &Target, body: &Value) -> Called {
        let params = PostParams { field_manager: Some(self.manager.to_owned()), ..PostParams::default() };
        let body = target.complete(body).to_string().into_bytes();
        self.write(target, request(target).create(&params, body)).await
    }

    /// JSON merge patch.
    pub(crate) async fn merge(&self, target: &Target, body: &Value) -> Called {
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        self.write(target, request(target).patch(&target.name, &params, &Patch::Merge(body))).await
    }

    /// JSON merge patch of the status.
    pub(crate) async fn merge_status(&self, target: &Target, body: &Value) -> Called {
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        let patch = request(target).patch_subresource("status", &target.name, &params, &Patch::Merge(body));
        self.write(target, patch).await
    }

    /// Deletes an object, only if it is still this one. That it is not there is what was wanted.
    pub(crate) async fn delete(&self, target: &Target, uid: Option<&str>) -> Called {
        let preconditions = uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::background() };
        match self.send(target, request(target).delete(&target.name, &params)).await {
            Ok(answer) if still_there(&answer) => done(target, Some(answer)),
            Ok(_) => done(target, None),
            Err(failed) if failed.not_found => done(target, None),
            Err(failed) => self.failed(target, failed).await,
        }
    }

    /// Reads an object; `Ok(None)`: it is not there.
    pub(crate) async fn get(&self, target: &Target) -> Result<Option<Value>, Outcome> {
        match self.send(target, request(target).get(&target.name, &GetParams::default())).await {
            Ok(object) => Ok(Some(object)),
            Err(failed) if failed.not_found => Ok(None),
            Err(failed) => Err(failed.outcome),
        }
    }

    /// Asks whether an object is as it has to be. If it is not, what it is like now is news.
    pub(crate) async fn require(&self, requirement: &Requirement) -> Called {
        let object = match self.get(&requirement.target).await {
            Ok(object) => object,
            Err(outcome) => return Called { outcome, sight: None },
        };
        match requirement.judge(object.as_ref()) {
            Ok(()) => Called { outcome: Outcome::Done, sight: None },
            Err(outcome) => Called { outcome, sight: Some(sight(&requirement.target, object)) },
        }
    }

    /// Asks whether nobody uses a claim. If somebody does, that one is news.
    pub(crate) async fn require_unused(&self, unused: &Unused) -> Called {
        match self.user_of(unused).await {
            Ok(None) => Called { outcome: Outcome::Done, sight: None },
            Ok(Some(user)) => {
                let User { target, object, outcome } = *user;
                Called { outcome, sight: Some(sight(&target, Some(object))) }
            }
            Err(outcome) => Called { outcome, sight: None },
        }
    }

    async fn user_of(&self, unused: &Unused) -> Result<Option<Box<User>>, Outcome> {
        if Unused::is_moot(self.get(&unused.replication()).await?.as_ref()) {
            return Ok(None);
        }
        let pods = self.list(&kinds::POD, &unused.namespace).await?;
        let claim = self.get(&unused.claim()).await?;
        let attachments = self.list(&kinds::VOLUME_ATTACHMENT, "").await?;
        Ok(unused.judge(claim.as_ref(), &pods, &attachments).err())
    }

    /// All objects of a kind, page by page, as they are now.
    async fn list(&self, resource: &'static Resource, namespace: &str) -> Result<Vec<Value>, Outcome> {
        let target = Target { resource, namespace: namespace.to_owned(), name: String::new() };
        let mut params = ListParams::default().limit(PAGE);
        let mut objects = Vec::new();
        loop {
            let mut page = self.send(&target, request(&target).list(&params)).await.map_err(|failed| failed.outcome)?;
            if let Value::Array(items) = page["items"].take() {
                objects.extend(items);
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str).filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(token),
                None => return Ok(objects),
            }
        }
    }

    /// Creates an object about which nobody wants to know more.
    pub(crate) async fn post(&self, target: &Target, body: &Value) -> Result<(), Outcome> {
        let params = PostParams { field_manager: Some(self.manager.to_owned()), ..PostParams::default() };
        let body = body.to_string().into_bytes();
        self.send(target, request(target).create(&params, body)).await.map(drop).map_err(|failed| failed.outcome)
    }

    /// Asks a question of the kind that is answered at once and kept nowhere; returns the answer's `status`.
    pub(crate) async fn review(&self, resource: &'static Resource, spec: Value) -> Result<Value, Outcome> {
        let target = Target { resource, namespace: String::new(), name: String::new() };
        let body = json!({ "apiVersion": resource.api_version(), "kind": resource.kind, "spec": spec });
        let body = body.to_string().into_bytes();
        let answer = self.send(&target, request(&target).create(&PostParams::default(), body)).await;
        answer.map(|mut answer| answer["status"].take()).map_err(|failed| failed.outcome)
    }

    /// Merges `patch` and returns the object.
    pub(crate) async fn patch(&self, target: &Target, patch: &Value) -> Result<Value, Outcome> {
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        let request = request(target).patch(&target.name, &params, &Patch::Merge(patch));
        self.send(target, request).await.map_err(|failed| failed.outcome)
    }

    async fn write(&self, target: &Target, request: Built) -> Called {
        match self.send(target, request).await {
            Ok(object) => done(target, Some(object)),
            Err(failed) => self.failed(target, failed).await,
        }
    }

    /// When the object is not what was expected it is read, so that the next decision sees what is really there.
    /// "Not found" alone does not say what was not found: a subresource may be missing instead of the object.
    async fn failed(&self, target: &Target, failed: Failed) -> Called {
        // That a namespace is there is all that anybody wants to know of it.
        let matters = *target.resource != kinds::NAMESPACE;
        let is_stale = failed.conflict || failed.not_found;
        let object = if is_stale && matters { self.get(target).await.ok() } else { None };
        Called { outcome: failed.outcome, sight: object.map(|object| sight(target, object)) }
    }

    async fn send(&self, target: &Target, request: Built) -> Result<Value, Failed> {
        let request = request.map_err(|err| Failed::from(&kube::Error::BuildRequest(err)))?;
        match tokio::time::timeout(self.limit, self.client.request::<Value>(request)).await {
            Ok(Ok(mut object)) => {
                shorten(&mut object, target.resource);
                Ok(object)
            }
            Ok(Err(err)) => Err(Failed::from(&err)),
            Err(_) => Err(Failed {
                outcome: Outcome::Unknown { message: format!("no answer within {} s", self.limit.as_secs()) },
                not_found: false,
                conflict: false,
            }),
        }
    }
}

type Built = Result<HttpRequest<Vec<u8>>, kube::core::request::Error>;

struct Failed {
    outcome: Outcome,
    not_found: bool,
    conflict: bool,
}

impl From<&kube::Error> for Failed {
    fn from(err: &kube::Error) -> Self {
        let (not_found, conflict) = (failure::is_not_found(err), failure::is_conflict(err));
        Self { outcome: failure::outcome(err), not_found, conflict }
    }
}

fn done(target: &Target, object: Option<Value>) -> Called {
    Called { outcome: Outcome::Done, sight: Some(sight(target, object)) }
}

fn sight(target: &Target, object: Option<Value>) -> Sight {
    let Target { resource, namespace, name } = target;
    Sight { resource, namespace: namespace.clone(), name: name.clone(), object: object.map(Arc::new) }
}

fn request(target: &Target) -> Request {
    let resource = target.resource;
    let root = if resource.group.is_empty() { "api" } else { "apis" };
    let api = resource.api_version();
    let namespace =
        if target.namespace.is_empty() { String::new() } else { format!("namespaces/{}/", target.namespace) };
    Request::new(format!("/{root}/{api}/{namespace}{}", resource.plural))
}

/// Who owns which field is of no use to any decision, and often longer than the rest of the object. Of a
/// DRPlacementControl, what says who wrote the spec is kept: the operator makes a remark of it.
pub(crate) fn shorten(object: &mut Value, resource: &Resource) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if *resource != kinds::DR_PLACEMENT_CONTROL {
        metadata.remove("managedFields");
    } else if let Some(entries) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
        entries.retain(|entry| entry.pointer("/fieldsV1/f:spec").is_some());
    }
}

/// Whether what a deletion answered is an object that still waits for somebody.
fn still_there(answer: &Value) -> bool {
    let waits = |pointer| answer.pointer(pointer).is_some_and(|value| *value != json!([]) && *value != json!(0));
    answer.get("kind").and_then(Value::as_str) != Some("Status")
        && (waits("/metadata/finalizers") || waits("/metadata/deletionGracePeriodSeconds"))
}
