//! What has to be so for a volume to be demoted: nobody uses it.

use ramen_api::{Resource, kinds, path::At as _};
use ramen_events::Outcome;
use serde_json::Value;

use crate::{
    Target,
    fields::{list, text},
};

/// The claims that a pod mounts.
pub fn claims(pod: &Value) -> impl Iterator<Item = &str> {
    let names = list(pod, "/spec/volumes").iter().filter_map(|volume| volume.at("/persistentVolumeClaim/claimName"));
    names.filter_map(Value::as_str).filter(|name| !name.is_empty())
}

/// Whether a pod has ended: then it uses nothing. One that is to end still does.
#[must_use]
pub fn has_ended(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase").as_str(), "Succeeded" | "Failed")
}

/// A claim that nobody may use for a call to be made, unless its volume is to be secondary already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Namespace of the claim.
    pub namespace: String,
    /// Name of the claim.
    pub claim: String,
}

/// Who uses a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// A pod, or an attachment.
    pub target: Target,
    /// As it is now.
    pub object: Value,
    /// What comes of that: a conflict that names it.
    pub outcome: Outcome,
}

impl Unused {
    /// The claim.
    #[must_use]
    pub fn claim(&self) -> Target {
        self.of_its_name(&kinds::PERSISTENT_VOLUME_CLAIM)
    }

    /// Its replication.
    #[must_use]
    pub fn replication(&self) -> Target {
        self.of_its_name(&kinds::VOLUME_REPLICATION)
    }

    fn of_its_name(&self, resource: &'static Resource) -> Target {
        Target { resource, namespace: self.namespace.clone(), name: self.claim.clone() }
    }

    /// Whether there is nothing to ask: who is told anew of what is secondary already takes it from nobody.
    #[must_use]
    pub fn is_moot(replication: Option<&Value>) -> bool {
        replication.is_some_and(|replication| text(replication, "/spec/replicationState") == "secondary")
    }

    /// Judges by the claim, the pods of its namespace and all attachments, as the API server has them now.
    ///
    /// # Errors
    /// The first one that uses it.
    pub fn judge<'a>(
        &self,
        claim: Option<&Value>,
        pods: impl IntoIterator<Item = &'a Value>,
        attachments: impl IntoIterator<Item = &'a Value>,
    ) -> Result<(), Box<User>> {
        let uses = |pod: &&Value| !has_ended(pod) && claims(pod).any(|claim| claim == self.claim);
        if let Some(pod) = pods.into_iter().find(uses) {
            let name = text(pod, "/metadata/name");
            let target = Target { resource: &kinds::POD, namespace: self.namespace.clone(), name };
            let what = format!("is used by pod {}", target.name);
            return Err(self.used(target, pod, &what));
        }
        let volume = claim.map(|claim| text(claim, "/spec/volumeName")).filter(|volume| !volume.is_empty());
        let is_its = |attachment: &&Value| {
            let attached = attachment.at("/spec/source/persistentVolumeName").and_then(Value::as_str);
            attached.is_some() && attached == volume.as_deref()
        };
        if let Some(attachment) = attachments.into_iter().find(is_its) {
            let name = text(attachment, "/metadata/name");
            let target = Target { resource: &kinds::VOLUME_ATTACHMENT, namespace: String::new(), name };
            let what = format!("has its volume attached to node {}", text(attachment, "/spec/nodeName"));
            return Err(self.used(target, attachment, &what));
        }
        Ok(())
    }

    fn used(&self, target: Target, object: &Value, what: &str) -> Box<User> {
        let message = format!("PersistentVolumeClaim {}/{} {what}", self.namespace, self.claim);
        Box::new(User { target, object: object.clone(), outcome: Outcome::Conflict { message } })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_free_when_no_pod_mounts_it_and_no_node_holds_its_volume() {
        let unused = Unused { namespace: "shop".into(), claim: "data".into() };
        let claim = json!({ "spec": { "volumeName": "pv-1" } });
        let pod = |claim: &str, phase: &str| {
            json!({
                "metadata": { "name": "web-0" },
                "spec": { "volumes": [{ "emptyDir": {} }, { "persistentVolumeClaim": { "claimName": claim } }] },
                "status": { "phase": phase },
            })
        };
        let attachment = |volume: &str| {
            json!({
                "metadata": { "name": "csi-1" },
                "spec": { "nodeName": "n1", "source": { "persistentVolumeName": volume } },
            })
        };
        let judged = |claim: Option<&Value>, pods: &[Value], attachments: &[Value]| {
            let user = unused.judge(claim, pods, attachments).err();
            user.map(|user| (user.target.name, user.outcome.message().unwrap_or_default().to_owned()))
        };
        let said = |name: &str, what: &str| Some((name.to_owned(), format!("PersistentVolumeClaim shop/data {what}")));
        let no_source = json!({ "metadata": { "name": "inline" }, "spec": { "nodeName": "n1", "source": {} } });
        let free = [pod("data", "Succeeded"), pod("data", "Failed"), pod("other", "Running")];
        assert_eq!(judged(Some(&claim), &free, &[attachment("pv-2"), no_source.clone()]), None);
        assert_eq!(judged(None, &[], &[attachment("pv-1"), no_source]), None);
        for phase in ["Pending", "Running", ""] {
            assert_eq!(
                judged(Some(&claim), &[pod("data", phase)], &[]),
                said("web-0", "is used by pod web-0"),
                "{phase}"
            );
        }
        assert_eq!(
            judged(Some(&claim), &free, &[attachment("pv-1")]),
            said("csi-1", "has its volume attached to node n1")
        );
    }

    #[test]
    fn what_is_secondary_already_is_taken_from_nobody() {
        for (role, moot) in [("secondary", true), ("primary", false)] {
            assert_eq!(Unused::is_moot(Some(&json!({ "spec": { "replicationState": role } }))), moot, "{role}");
        }
        assert!(!Unused::is_moot(None), "a secondary that is made anew");
    }
}
