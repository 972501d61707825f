//! What people do to objects with kubectl.

use std::{borrow::Cow, cmp::Ordering, fmt};

use ramen_sim::{
    agents::object,
    api::{Api, ApiError, Resource},
    kinds,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::befall::called;
use crate::{universe::Universe, until::resource};

/// An object, or a part of one, as people write it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Manifest(pub Value);

impl Ord for Manifest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.to_string().cmp(&other.0.to_string())
    }
}

impl PartialOrd for Manifest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Manifest {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Manifest {}

impl Manifest {
    /// What it is, in which namespace, called how.
    pub(crate) fn named(&self) -> Named<'_> {
        let kind = self.0["kind"].as_str().unwrap_or_default();
        Named { kind, namespace: object::namespace(&self.0), name: object::name(&self.0) }
    }

    /// Its fields without the status, and the status.
    fn halves(&self) -> (Value, Option<Value>) {
        let mut fields = self.0.clone();
        let status = fields.as_object_mut().and_then(|fields| fields.remove("status"));
        (fields, status.map(|status| serde_json::json!({ "status": status })))
    }
}

/// An object by kind, namespace and name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) kind: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        if namespace.is_empty() { write!(f, "{kind} {name}") } else { write!(f, "{kind} {namespace}/{name}") }
    }
}

impl<'a> Named<'a> {
    fn space(&self) -> Option<&'a str> {
        Some(self.namespace).filter(|name| !name.is_empty())
    }

    /// Its name. A volume may be named by its claim, since nobody knows its own name before it is there.
    pub(crate) fn called(&self, api: &dyn Api) -> Cow<'a, str> {
        let own = Cow::Borrowed(self.name);
        let Some((namespace, claim)) = self.name.split_once('/').filter(|_| self.kind == kinds::PV.kind) else {
            return own;
        };
        let bound = api.see(&kinds::PVC, Some(namespace), claim).ok();
        let bound = bound.as_deref().map(|claim| object::text(claim, "/spec/volumeName").to_owned());
        let volumes = api.see_all(&kinds::PV, None).unwrap_or_default();
        let of_claim = |volume: &&std::sync::Arc<ramen_sim::api::Object>| {
            object::text(volume, "/spec/claimRef/namespace") == namespace
                && object::text(volume, "/spec/claimRef/name") == claim
        };
        let left = || volumes.iter().find(of_claim).map(|volume| object::name(volume).to_owned());
        bound.filter(|name| !name.is_empty()).or_else(left).map_or(own, Cow::Owned)
    }

    fn resource(&self) -> Result<Resource, ApiError> {
        // Scenarios are checked before they are played; plans that were written by hand may name anything.
        resource(self.kind).ok_or(ApiError::NotFound)
    }
}

pub(super) fn apply(universe: &mut Universe, on: &str, manifest: &Manifest) -> Result<(), String> {
    let named = manifest.named();
    let done = made_or_changed(universe.cluster(on), &named, manifest);
    note(universe, on, &named, done)
}

fn made_or_changed(api: &dyn Api, named: &Named<'_>, manifest: &Manifest) -> Result<(), ApiError> {
    let (kind, (fields, status)) = (named.resource()?, manifest.halves());
    match api.create(&kind, &fields) {
        Err(ApiError::AlreadyExists) => {
            drop(api.merge_patch(&kind, named.space(), &named.called(api), &fields, None)?)
        }
        other => drop(other?),
    }
    change_status(api, &kind, named, status)
}

pub(super) fn patch(universe: &mut Universe, on: &str, named: &Named<'_>, patch: &Manifest) -> Result<(), String> {
    let done = changed(universe.cluster(on), named, patch);
    note(universe, on, named, done)
}

fn changed(api: &dyn Api, named: &Named<'_>, patch: &Manifest) -> Result<(), ApiError> {
    let (kind, (fields, status)) = (named.resource()?, patch.halves());
    if fields.as_object().is_some_and(|fields| !fields.is_empty()) {
        api.merge_patch(&kind, named.space(), &named.called(api), &fields, None)?;
    }
    change_status(api, &kind, named, status)
}

fn change_status(api: &dyn Api, kind: &Resource, named: &Named<'_>, status: Option<Value>) -> Result<(), ApiError> {
    let Some(status) = status else { return Ok(()) };
    api.merge_patch(kind, named.space(), &named.called(api), &status, Some("status")).map(drop)
}

pub(super) fn delete(universe: &mut Universe, on: &str, named: &Named<'_>) -> Result<(), String> {
    let api = universe.cluster(on);
    let kind = named.resource();
    let done = kind.and_then(|kind| api.delete(&kind, named.space(), &named.called(api), None));
    note(universe, on, named, done)
}

/// A request that is refused did not happen, and the story would go on as if it had.
fn note(universe: &mut Universe, on: &str, named: &Named<'_>, done: Result<(), ApiError>) -> Result<(), String> {
    universe.note_by_hand(on, named.kind, named.name);
    done.map_err(|why| format!("{} refused {named}: {why}", called(on)))
}
