//! What an object has to be like for a call to be made.

use ramen_events::Outcome;
use serde_json::{Value, json};

use crate::{Effect, Target};

/// An object that has to be there, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Which one.
    pub target: Target,
    /// Still this very object.
    pub uid: Option<String>,
    /// Still this `metadata.generation`: nobody asked it for something else since. Reports in its status do not count.
    pub generation: Option<i64>,
    /// Still this `metadata.resourceVersion`: nothing was written to it since, not even to its status. The command's own first
    /// write to this object carries it, so that nobody comes between ([`Requirement::guard`]).
    pub version: Option<String>,
    /// Also if it is being deleted.
    pub may_leave: bool,
}

impl Requirement {
    /// Judges the object as the API server has it now; `None`: it is not there.
    ///
    /// # Errors
    /// A conflict that says what is otherwise: what is wanted was decided on what is no longer so.
    pub fn judge(&self, object: Option<&Value>) -> Result<(), Outcome> {
        let field = |pointer| object.and_then(|object| object.pointer(pointer));
        let text = |pointer| field(pointer).and_then(Value::as_str);
        let generation = field("/metadata/generation").and_then(Value::as_i64);
        let why = if object.is_none() {
            "is gone"
        } else if self.uid.as_deref().is_some_and(|uid| text("/metadata/uid") != Some(uid)) {
            "is another one of the same name"
        } else if !self.may_leave && text("/metadata/deletionTimestamp").is_some() {
            "is being deleted"
        } else if self.generation.is_some_and(|wanted| generation != Some(wanted))
            || self.version.as_deref().is_some_and(|wanted| text("/metadata/resourceVersion") != Some(wanted))
        {
            "was changed after this was decided"
        } else {
            return Ok(());
        };
        let Target { resource, namespace, name } = &self.target;
        Err(Outcome::Conflict { message: format!("{} {namespace}/{name} {why}", resource.kind) })
    }

    /// Has the first of `calls` that changes this object fail with a conflict if the object moved on.
    pub fn guard(&self, calls: &mut [Effect]) {
        let Some(version) = &self.version else { return };
        let first = calls.iter_mut().find_map(|call| match call {
            Effect::Merge { target, body } | Effect::MergeStatus { target, body } if *target == self.target => {
                Some(body)
            }
            _ => None,
        });
        if let Some(body) = first {
            body["metadata"]["resourceVersion"] = json!(version);
        }
    }
}

#[cfg(test)]
mod tests {
    use ramen_api::kinds;

    use super::*;

    #[test]
    fn an_object_has_to_be_there_the_same_and_to_stay() {
        let live = json!({ "metadata": { "uid": "1", "generation": 2 } });
        let leaving = json!({ "metadata": { "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z" } });
        let cases = [
            (None, None, false, None, Some("is gone")),
            (None, None, true, Some(&live), None),
            (Some("1"), None, false, Some(&live), None),
            (Some("2"), None, true, Some(&live), Some("is another one of the same name")),
            (Some("1"), None, false, Some(&leaving), Some("is being deleted")),
            (Some("1"), None, true, Some(&leaving), None),
            (Some("1"), Some(2), false, Some(&live), None),
            (Some("1"), Some(1), true, Some(&live), Some("was changed after this was decided")),
            (None, Some(2), true, Some(&leaving), Some("was changed after this was decided")),
        ];
        for (uid, generation, may_leave, object, expected) in cases {
            let resource = &kinds::VOLUME_REPLICATION_GROUP;
            let target = Target { resource, namespace: "shop".into(), name: "web".into() };
            let requirement = Requirement { target, uid: uid.map(str::to_owned), generation, version: None, may_leave };
            let message = expected.map(|why| format!("VolumeReplicationGroup shop/web {why}"));
            let judged = requirement.judge(object).map_err(|outcome| outcome.message().unwrap_or_default().to_owned());
            assert_eq!(judged.err(), message, "{uid:?} {generation:?} {may_leave} {object:?}");
        }
    }
    #[test]
    fn what_stands_on_a_version_writes_to_no_other() {
        let target = |name: &str| Target {
            resource: &kinds::PLACEMENT_DECISION,
            namespace: "shop".into(),
            name: name.to_owned(),
        };
        let version = Some("7".to_owned());
        let requirement = Requirement { target: target("a"), uid: None, generation: None, version, may_leave: true };
        for (version, met) in [("7", true), ("8", false)] {
            let object = json!({ "metadata": { "resourceVersion": version } });
            assert_eq!(requirement.judge(Some(&object)).is_ok(), met, "{version}");
        }

        let merge = |name, body| Effect::MergeStatus { target: target(name), body };
        let mut calls = [merge("b", json!({ "status": 1 })), merge("a", json!({ "status": 2 })), merge("a", json!({}))];
        requirement.guard(&mut calls);
        let guarded = json!({ "metadata": { "resourceVersion": "7" }, "status": 2 });
        assert_eq!(calls, [merge("b", json!({ "status": 1 })), merge("a", guarded), merge("a", json!({}))]);
    }
}
