//! The work-manager's view agent, one per managed cluster: answers ManagedClusterViews with the live object.
//!
//! Rules: spec hub 9.2. There is no heartbeat: when nothing changed nothing is written, and after a failed read the
//! old result stays beside `Processing`=False.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ramen_api::path::At as _;
use serde_json::Value;

use crate::agents::conditions::{self, Condition};
use crate::agents::{Agent, AgentWorld, Side, earlier, object};
use crate::api::{ApiError, Object, Resource};
use crate::kinds::{self, Discovery};
use crate::time::Time;

const PROCESSING: &str = "Processing";

/// Period of a view that names none.
pub const DEFAULT_PERIOD: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Known {
    /// Version of the view at the last look; another one is an event.
    version: String,
    due: Option<Time>,
}

/// The agent.
pub struct ViewAgent {
    name: String,
    cluster: String,
    period: Duration,
    kinds: Discovery,
    known: BTreeMap<String, Known>,
}

impl ViewAgent {
    /// The agent of a cluster, with the period of views that name none.
    #[must_use]
    pub fn new(cluster: &str, period: Duration) -> Self {
        Self {
            name: format!("{cluster}/view"),
            cluster: cluster.to_owned(),
            period,
            kinds: Discovery::default(),
            known: BTreeMap::new(),
        }
    }

    /// Answers one view if it is time; when to look at it again.
    fn answer(&self, view: &Value, now: Time, world: &AgentWorld<'_>) -> Time {
        let seconds = view.at("/spec/scope/updateIntervalSeconds").and_then(Value::as_u64).unwrap_or_default();
        let period = if seconds == 0 { self.period } else { Duration::from_secs(seconds) };
        if let Some(flip) = conditions::find(object::list(view, "/status/conditions"), PROCESSING) {
            let since = Time::parse(object::text(flip, "/lastTransitionTime")).unwrap_or_default();
            // Compared with the second's precision that the time is written with, as the agent does.
            if now.since(since) < period {
                return since + period;
            }
        }
        let found = self.read(&view["spec"]["scope"], world);
        let (status, reason, message) = match &found {
            Ok(_) => ("True", "GetResourceProcessing", "Watching resources successfully"),
            Err(failure) => ("False", failure.reason, failure.message.as_str()),
        };
        let mut held = object::list(view, "/status/conditions").to_vec();
        let condition = Condition { kind: PROCESSING, status, reason, message, observed_generation: None };
        conditions::set(&mut held, &condition, now);
        let shown = view.at("/status/result").unwrap_or(&Value::Null);
        let news = found.ok().filter(|live| !is_version(shown, live));
        if news.is_none() && object::list(view, "/status/conditions") == held {
            return now + period;
        }
        let mut answered = view.clone();
        answered["status"]["conditions"] = Value::Array(held);
        if let Some(live) = news {
            answered["status"]["result"] = live.whole();
        }
        match world.hub.update_status(&kinds::VIEW, &answered) {
            // Another write came first: its event brings us back.
            Err(ApiError::Conflict) => now + Duration::from_millis(100),
            _ => now + period,
        }
    }

    fn read(&self, scope: &Value, world: &AgentWorld<'_>) -> Result<Arc<Object>, Failure> {
        let of = |key: &str| object::text(scope, key);
        if of("/name").is_empty() {
            return Err(Failure::new("ResourceNameInvalid", "invalid resource name"));
        }
        let resource = self.resource(scope, world)?;
        if resource == kinds::SECRET {
            return Err(Failure { reason: "ResourceTypeInvalid", message: "viewing secrets is not allowed".into() });
        }
        let namespace = Some(of("/namespace")).filter(|namespace| !namespace.is_empty());
        world.own.see(&resource, namespace, of("/name")).map_err(|refused| match refused {
            ApiError::NotFound => {
                let dot = if resource.group.is_empty() { "" } else { "." };
                let kind = format!("{}{dot}{}", resource.plural, resource.group);
                Failure::new("GetResourceFailed", &format!("{kind} \"{}\" not found", of("/name")))
            }
            other => Failure::new("GetResourceFailed", &other.to_string()),
        })
    }

    fn resource(&self, scope: &Value, world: &AgentWorld<'_>) -> Result<Resource, Failure> {
        let of = |key: &str| object::text(scope, key);
        let (group, version, kind) = (of("/apiGroup"), of("/version"), of("/kind"));
        if !of("/resource").is_empty() {
            return self
                .kinds
                .find_plural(world.own, group, version, of("/resource"))
                .ok_or_else(|| Failure::new("ResourceTypeInvalid", "the cluster does not serve this resource"));
        }
        if kind.is_empty() || version.is_empty() {
            return Err(Failure::new("ResourceTypeInvalid", "invalid resource type"));
        }
        self.kinds.find(world.own, group, version, kind).ok_or_else(|| {
            let slash = if group.is_empty() { "" } else { "/" };
            let message = format!("no matches for kind \"{kind}\" in version \"{group}{slash}{version}\"");
            Failure::new("ResourceGVKInvalid", &message)
        })
    }
}

/// Whether a view shows this very version of an object.
fn is_version(shown: &Value, live: &Value) -> bool {
    !object::uid(live).is_empty()
        && object::uid(shown) == object::uid(live)
        && object::version(shown) == object::version(live)
        && shown["apiVersion"] == live["apiVersion"]
}

struct Failure {
    reason: &'static str,
    message: String,
}

impl Failure {
    fn new(reason: &'static str, why: &str) -> Self {
        Self { reason, message: format!("failed to get resource with err: {why}") }
    }
}

impl Agent for ViewAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Hub, kinds::VIEW)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let Ok(views) = world.hub.see_all(&kinds::VIEW, Some(&self.cluster)) else {
            return Some(now + Duration::from_secs(1));
        };
        self.known.retain(|name, _| views.iter().any(|view| object::name(view) == name));
        let mut next = None;
        for view in views.iter().filter(|view| !object::deleting(view)) {
            let mut known = self.known.remove(object::name(view)).unwrap_or_default();
            if known.version != object::version(view) || known.due.is_none_or(|due| due <= now) {
                object::version(view).clone_into(&mut known.version);
                known.due = Some(self.answer(view, now, world));
            }
            next = earlier(next, known.due);
            self.known.insert(object::name(view).to_owned(), known);
        }
        next
    }
}
