//! What effects come down to on an embedded API server: the calls that the runtime makes over HTTP, made directly.

use std::sync::Arc;

use ramen_events::Outcome;
use ramen_ledger::Sight;
use ramen_ports::{Effect, Requirement, Target, Unused, User};
use ramen_sim::{
    api::Resource,
    api_server::{
        ApiServer, Refusal, Write,
        delete::{DeleteOptions, Deletion},
        kinds::{TypeName, TypeRef},
        object::Object,
        patch::Patch,
    },
    cluster::Cluster,
    kinds,
    time::Time,
};
use serde_json::Value;

/// What a call showed, and its failure if it was one.
pub(crate) struct Called {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// The object as it is now, as far as the server told.
    pub(crate) sight: Option<Sight>,
}

/// Makes the call of an effect on an API server, as this field manager. Effects that are no calls are done already.
pub(crate) fn call(cluster: &Cluster, manager: &str, effect: &Effect) -> Called {
    let Some(target) = target(effect) else { return Called { outcome: Outcome::Done, sight: None } };
    cluster.with(|server, now| {
        let Some(kind) = kind(server, target) else {
            return failed(server, target, &Refusal::no_such_path());
        };
        match made(server, &kind, now, manager, target, effect) {
            Ok(object) => Called { outcome: Outcome::Done, sight: Some(sight(target, object)) },
            // That it is not there is what was wanted.
            Err(refusal) if refusal.code == 404 && matches!(effect, Effect::Delete { .. }) => {
                Called { outcome: Outcome::Done, sight: Some(sight(target, None)) }
            }
            Err(refusal) => failed(server, target, &refusal),
        }
    })
}

/// Reads one object; `None`: it is not there.
pub(crate) fn read(cluster: &Cluster, target: &Target) -> Option<Arc<Value>> {
    cluster.with(|server, _| stored(server, target))
}

/// Asks whether an object is as it has to be; a failure if it is not.
pub(crate) fn unmet(cluster: &Cluster, requirement: &Requirement) -> Option<Called> {
    let object = read(cluster, &requirement.target);
    let outcome = requirement.judge(object.as_deref()).err()?;
    Some(Called { outcome, sight: Some(sight(&requirement.target, object)) })
}

/// All objects of a kind, without copying them.
pub(crate) fn all(cluster: &Cluster, kind: &Resource, namespace: Option<&str>) -> Vec<Arc<Object>> {
    let name = TypeName::new(kind.group, kind.plural);
    cluster.with(|server, _| server.store().list(&name, namespace).cloned().collect())
}

/// Asks whether nobody uses a claim; a failure if somebody does.
pub(crate) fn used(cluster: &Cluster, unused: &Unused) -> Option<Called> {
    if Unused::is_moot(read(cluster, &unused.replication()).as_deref()) {
        return None;
    }
    let pods = all(cluster, &kinds::POD, Some(&unused.namespace));
    let attachments = all(cluster, &kinds::VOLUME_ATTACHMENT, None);
    let claim = read(cluster, &unused.claim());
    let judged = unused.judge(
        claim.as_deref(),
        pods.iter().map(|pod| pod.value()),
        attachments.iter().map(|attachment| attachment.value()),
    );
    let User { target, object, outcome } = *judged.err()?;
    Some(Called { outcome, sight: Some(sight(&target, Some(Arc::new(object)))) })
}

/// The object that an effect is about.
pub(crate) fn target(effect: &Effect) -> Option<&Target> {
    match effect {
        Effect::Apply { target, .. }
        | Effect::Create { target, .. }
        | Effect::Merge { target, .. }
        | Effect::MergeStatus { target, .. }
        | Effect::Delete { target, .. }
        | Effect::Require(Requirement { target, .. }) => Some(target),
        Effect::RequireUnused(_) | Effect::Event { .. } | Effect::Store { .. } => None,
    }
}

fn made(
    server: &mut ApiServer,
    kind: &TypeRef,
    now: Time,
    manager: &str,
    target: &Target,
    effect: &Effect,
) -> Result<Option<Arc<Value>>, Refusal> {
    let (namespace, name) = (space(target), target.name.as_str());
    let mut write = Write::new(now, manager);
    let object = match effect {
        Effect::Apply { body, .. } => {
            write.force = true;
            server.apply(kind, namespace, name, target.complete(body), &mut write)?
        }
        Effect::Create { body, .. } => server.create(kind, namespace, target.complete(body), &mut write)?,
        Effect::Merge { body, .. } => server.patch(kind, namespace, name, &Patch::Merge(body.clone()), &mut write)?,
        Effect::MergeStatus { body, .. } => {
            write.subresource = Some("status");
            server.patch(kind, namespace, name, &Patch::Merge(body.clone()), &mut write)?
        }
        Effect::Delete { uid, .. } => {
            let options = DeleteOptions { uid: uid.clone(), ..DeleteOptions::default() };
            return Ok(match server.delete(kind, namespace, name, &options, now)? {
                Deletion::Gone(_) => None,
                Deletion::Pending(object) => Some(object.shared()),
            });
        }
        Effect::Require(_) | Effect::RequireUnused(_) | Effect::Event { .. } | Effect::Store { .. } => return Ok(None),
    };
    Ok(Some(object.shared()))
}

/// When the object is not what was expected it is read, as the runtime does.
fn failed(server: &ApiServer, target: &Target, refusal: &Refusal) -> Called {
    let told = matches!(refusal.code, 404 | 409).then(|| sight(target, stored(server, target)));
    Called { outcome: ramen_ports::refusal(refusal.code, refusal.reason, &refusal.message), sight: told }
}

fn stored(server: &ApiServer, target: &Target) -> Option<Arc<Value>> {
    let kind = kind(server, target)?;
    server.get(&kind, space(target), &target.name).ok().map(|object| object.shared())
}

fn kind(server: &ApiServer, target: &Target) -> Option<TypeRef> {
    let resource = target.resource;
    server.registry().find(resource.group, resource.version, resource.plural)
}

fn space(target: &Target) -> Option<&str> {
    Some(target.namespace.as_str()).filter(|namespace| !namespace.is_empty())
}

fn sight(target: &Target, object: Option<Arc<Value>>) -> Sight {
    let Target { resource, namespace, name } = target;
    Sight { resource, namespace: namespace.clone(), name: name.clone(), object }
}
