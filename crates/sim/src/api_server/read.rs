//! Get, list, and the start of a watch.

use std::sync::Arc;
use std::time::Duration;

use super::answer::Answer;
use super::kinds::TypeRef;
use super::object::Object;
use super::refusal::Refusal;
use super::request::{Request, Target};
use super::selector::{Fields, Labels};
use super::view::{Form, View, convert};
use super::watch::{Filter, Start, Watch};
use super::{ApiServer, store};
use crate::time::Time;

impl ApiServer {
    pub(super) fn read(&mut self, now: Time, request: &Request, target: &Target) -> Result<Answer, Refusal> {
        let form = Form::negotiate(&request.accept, request.param("includeObject"))?;
        let view = View { kind: target.kind.clone(), form, now };
        if let Some(name) = &target.name {
            let object = self.get(&target.kind, target.namespace.as_deref(), name)?;
            return Ok(Answer::one(200, view, object));
        }
        let filter = filter(request, target)?;
        if request.flag("watch") {
            return self.start_watch(request, view, filter).map(Answer::watch);
        }
        if let Some(wanted) = version_param(request)?
            && wanted > self.store.version()
        {
            return Err(Refusal::too_large_version(wanted, self.store.version()));
        }
        let objects = self.select(&filter);
        Ok(Answer::list(view, objects, self.store.version()))
    }

    /// The objects that a filter selects.
    #[must_use]
    pub fn select(&self, filter: &Filter) -> Vec<Arc<Object>> {
        // A name selects at most one object: no need to look at all of them.
        if let (Some(name), true) = (filter.fields.name(), filter.namespace.is_some() || !filter.kind.kind.namespaced) {
            let key = Self::key(&filter.kind, filter.namespace.as_deref(), name);
            let found = self.store.get(&key).filter(|object| filter.matches(object.value()));
            return found.cloned().into_iter().collect();
        }
        let all = self.store.list(filter.kind.stored(), filter.namespace.as_deref());
        all.filter(|object| filter.matches(object.value())).cloned().collect()
    }

    fn start_watch(&mut self, request: &Request, view: View, filter: Filter) -> Result<Watch, Refusal> {
        let wanted = version_param(request)?;
        let current = self.store.version();
        let streaming_list = request.flag("sendInitialEvents");
        if streaming_list && request.param("resourceVersionMatch") != Some("NotOlderThan") {
            return Err(Refusal::unprocessable(
                "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch must be set to NotOlderThan when sendInitialEvents is set",
            ));
        }
        let start = match wanted {
            Some(version) if version > current => return Err(Refusal::too_large_version(version, current)),
            _ if streaming_list => Start::List { mark_end: true },
            None | Some(0) => Start::List { mark_end: false },
            Some(version) => Start::After(version),
        };
        let timeout = request.param("timeoutSeconds").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Ok(Watch::new(view, filter, start, request.flag("allowWatchBookmarks"), timeout))
    }
}

fn version_param(request: &Request) -> Result<Option<u64>, Refusal> {
    match request.param("resourceVersion").filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => {
            let bad = || {
                Refusal::bad_request(format!(
                    "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
                ))
            };
            text.parse().map(Some).map_err(|_| bad())
        }
    }
}

/// The filter of a list, watch or deletion of many.
pub(super) fn filter(request: &Request, target: &Target) -> Result<Filter, Refusal> {
    let labels = Labels::parse(request.param("labelSelector").unwrap_or_default())?;
    let fields = Fields::parse(request.param("fieldSelector").unwrap_or_default(), &target.kind)?;
    Ok(Filter { kind: target.kind.clone(), namespace: target.namespace.clone(), labels, fields })
}

impl Filter {
    /// Everything of a resource.
    #[must_use]
    pub fn all(kind: &TypeRef, namespace: Option<&str>) -> Self {
        Self {
            kind: kind.clone(),
            namespace: namespace.map(str::to_owned),
            labels: Labels::default(),
            fields: Fields::default(),
        }
    }

    /// Whether a stored object is selected (its namespace is not looked at).
    #[must_use]
    pub fn matches(&self, stored: &serde_json::Value) -> bool {
        self.labels.matches(stored) && (self.fields.is_empty() || self.fields.matches(&convert(&self.kind, stored)))
    }

    /// Whether a change of the store can concern the filter at all.
    #[must_use]
    pub(super) fn concerns(&self, change: &store::Change) -> bool {
        let of = super::object::namespace(change.object.value());
        self.namespace.as_deref().is_none_or(|wanted| wanted == of)
    }
}
