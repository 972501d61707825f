//! Kubernetes Events, for people who run `kubectl describe`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ramen_api::kinds::Resource;
use ramen_events::Time;
use ramen_ports::Target;
use serde_json::{Value, json};

/// The same words about the same object are not repeated within this time.
const REST: Duration = Duration::from_secs(10);

/// The core kind, which every version of `kubectl` shows.
const EVENT: Resource = Resource { group: "", version: "v1", kind: "Event", plural: "events", namespaced: true };

type Said = (String, String, String);

/// What to say about an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice<'a> {
    pub(crate) regarding: &'a Target,
    pub(crate) uid: &'a str,
    pub(crate) warning: bool,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

/// Remembers what was said lately.
#[derive(Debug)]
pub(crate) struct Notices {
    reporter: &'static str,
    instance: String,
    said: Mutex<BTreeMap<Said, Instant>>,
}

impl Notices {
    /// Notices of this operator, written by the process of that identity.
    pub(crate) fn new(reporter: &'static str, instance: String) -> Self {
        Self { reporter, instance, said: Mutex::default() }
    }

    /// The object to create, and where; `None` when the same was said a moment ago.
    pub(crate) fn event(&self, notice: Notice<'_>, now: Time) -> Option<(Target, Value)> {
        let Notice { regarding, uid, warning, reason, message } = notice;
        let about = format!("{}/{}/{}", regarding.resource.kind, regarding.namespace, regarding.name);
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            said.retain(|_, when| when.elapsed() < REST);
            let words = (about, reason.to_owned(), message.to_owned());
            if said.insert(words, Instant::now()).is_some() {
                return None;
            }
        }
        // Events about cluster-scoped objects live in `default`.
        let namespace = if regarding.namespace.is_empty() { "default" } else { &regarding.namespace };
        let name = event_name(&regarding.name, reason, message, now);
        let time = now.rfc3339();
        let body = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": namespace },
            "involvedObject": {
                "apiVersion": regarding.resource.api_version(),
                "kind": regarding.resource.kind,
                "namespace": regarding.namespace,
                "name": regarding.name,
                "uid": uid,
            },
            "type": if warning { "Warning" } else { "Normal" },
            "reason": reason,
            "message": message,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
            "source": { "component": self.reporter },
            "reportingComponent": self.reporter,
            "reportingInstance": self.instance,
        });
        let target = Target { resource: &EVENT, namespace: namespace.to_owned(), name };
        Some((target, body))
    }
}

/// A name that no other event about the object has: it ends in the time and a digest of the words.
fn event_name(object: &str, reason: &str, message: &str, now: Time) -> String {
    let words = ramen_events::BlobId::of(format!("{reason}\0{message}").as_bytes()).to_string();
    let tail = format!("{:x}{}", now.0, words.get(..6).unwrap_or_default());
    let object = object.get(..object.len().min(200)).unwrap_or(object);
    format!("{object}.{tail}")
}

#[cfg(test)]
mod tests {
    use ramen_api::kinds::DR_POLICY;

    use super::*;

    #[test]
    fn the_same_words_are_said_once() {
        let notices = Notices::new("ramen-hub", "pod-1".to_owned());
        let target = Target { resource: &DR_POLICY, namespace: String::new(), name: "p".to_owned() };
        let notice = |message| Notice { regarding: &target, uid: "u", warning: true, reason: "Failed", message };
        let (place, body) = notices.event(notice("a"), Time(1000)).unwrap();
        assert_eq!((place.namespace.as_str(), &body["involvedObject"]["uid"]), ("default", &json!("u")));
        assert!(notices.event(notice("a"), Time(2000)).is_none());
        assert!(notices.event(notice("b"), Time(2000)).is_some());
    }
}
