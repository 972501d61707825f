//! Moments to wait for, told by what objects show.

use std::fmt;

use ramen_sim::{
    agents::object,
    api::{Api, Resource},
    apps::Application,
    kinds,
    look::{self, Drpc},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    check::handle_of,
    happening::Named,
    universe::{HUB, Universe},
};

/// Something to wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Until {
    /// Nothing: now.
    Now,
    /// All policies and clusters are validated.
    Validated,
    /// An application runs on a cluster.
    Runs {
        /// Which.
        app: String,
        /// Where.
        on: String,
    },
    /// An application does not run on a cluster.
    RunsNot {
        /// Which.
        app: String,
        /// Where.
        on: String,
    },
    /// An application lost at most so many acknowledged writes.
    Lost {
        /// Which.
        app: String,
        /// How many.
        at_most: u64,
    },
    /// A condition of the DRPC, or what its operator waits for, contains this text.
    Says {
        /// Whose DRPC.
        app: String,
        /// Which text.
        text: String,
    },
    /// Nothing is left to do for the action that ends in this phase.
    Settled {
        /// Whose DRPC.
        app: String,
        /// `Deployed`, `FailedOver`, `Relocated`.
        phase: String,
    },
    /// The action that ends in this phase has the application available.
    Available {
        /// Whose DRPC.
        app: String,
        /// `Deployed`, `FailedOver`, `Relocated`.
        phase: String,
    },
    /// The DRPC shows this progression.
    Progression {
        /// Whose DRPC.
        app: String,
        /// Which.
        is: String,
    },
    /// The DRPC is gone, and no VRG of it is left anywhere that has power.
    Unprotected {
        /// Whose.
        app: String,
    },
    /// So many objects lie in a store under a prefix.
    Stored {
        /// Name of its profile.
        profile: String,
        /// With which words their keys begin: `shop/`.
        under: String,
        /// How many.
        count: usize,
    },
    /// A field of an object has a value, or is absent when the value is null.
    Field {
        /// `hub`, or the cluster.
        on: String,
        /// Its kind, e.g. `VolumeReplicationGroup`.
        kind: String,
        /// Its namespace, if its kind has one.
        #[serde(default)]
        namespace: String,
        /// Its name.
        name: String,
        /// Path of the field: `spec.replicationState`.
        field: String,
        /// Its value as text; `null`: it is not there, or the object is not.
        is: Option<String>,
        /// Text that its value contains, instead of the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
}

impl Until {
    /// The application that it is about, if it is about one.
    pub fn app(&self) -> Option<&str> {
        match self {
            Self::Runs { app, .. }
            | Self::RunsNot { app, .. }
            | Self::Lost { app, .. }
            | Self::Says { app, .. }
            | Self::Settled { app, .. }
            | Self::Available { app, .. }
            | Self::Progression { app, .. }
            | Self::Unprotected { app } => Some(app),
            Self::Now | Self::Validated | Self::Stored { .. } | Self::Field { .. } => None,
        }
    }

    /// Whether the moment has come; if not, what is there instead.
    ///
    /// # Errors
    /// What is there instead, in words.
    pub fn holds(&self, universe: &Universe) -> Result<(), String> {
        match self {
            Self::Now => Ok(()),
            Self::Validated => validated(universe),
            Self::Runs { app, on } => runs(universe, app, on),
            Self::RunsNot { app, on } => match is_running(universe, app, on) {
                true => Err(format!("{app} runs on {on}")),
                false => Ok(()),
            },
            Self::Lost { app, at_most } => {
                let lost = lost(universe, app);
                if lost <= *at_most { Ok(()) } else { Err(format!("{lost} acknowledged writes of {app} are lost")) }
            }
            Self::Says { app, text } => {
                let drpc = drpc(universe, app)?;
                let told = drpc.conditions().iter().map(|condition| object::text(condition, "/message").to_owned());
                let waits = universe.waits().into_iter().map(|(_, wait)| wait).filter(|wait| wait.contains(app));
                let said: Vec<String> = told.chain(waits).filter(|said| !said.is_empty()).collect();
                if said.iter().any(|said| said.contains(text)) {
                    return Ok(());
                }
                let said: Vec<String> = said.iter().map(|said| format!("{said:?}")).collect();
                let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
                Err(format!("DRPC is {}; said is {said}", drpc.line()))
            }
            Self::Settled { app, phase } => shows(universe, app, |drpc| drpc.settled(phase)),
            Self::Available { app, phase } => shows(universe, app, |drpc| drpc.available(phase)),
            Self::Progression { app, is } => shows(universe, app, |drpc| drpc.progression() == is),
            Self::Unprotected { app } => unprotected(universe, app),
            Self::Stored { profile, under, count } => stored(universe, profile, under, *count),
            Self::Field { on, kind, namespace, name, field, is, contains } => {
                let object = Named { kind, namespace, name };
                let found = resource(kind).and_then(|kind| {
                    let name = object.called(universe.cluster(on));
                    universe.cluster(on).see(&kind, space(namespace), &name).ok()
                });
                let value = found.as_ref().and_then(|found| at_path(found.value(), field)).map(text);
                let holds = match contains {
                    Some(words) => value.as_ref().is_some_and(|value| value.contains(words)),
                    None => value == *is,
                };
                match (holds, found) {
                    (true, _) => Ok(()),
                    (false, Some(_)) => Err(format!("{field} is {}", value.as_deref().unwrap_or("absent"))),
                    (false, None) => Err(format!("there is no {object} on {on} ({})", others(universe, on, &object))),
                }
            }
        }
    }
}

/// So many objects lie under a prefix, whether or not anybody reaches the store.
fn stored(universe: &Universe, profile: &str, under: &str, count: usize) -> Result<(), String> {
    let keys = universe.stores.with(profile, |bucket| {
        let keys = bucket.objects().map(|(key, _)| key.to_owned());
        keys.filter(|key| key.starts_with(under)).collect::<Vec<_>>()
    });
    let keys = keys.unwrap_or_default();
    match keys.as_slice() {
        [] if count != 0 => Err(format!("store {profile} has nothing under {under:?}")),
        keys if keys.len() == count => Ok(()),
        keys => Err(format!("store {profile} has {} there: {}", keys.len(), keys.join(", "))),
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Validated => f.write_str("policies and clusters are validated"),
            Self::Runs { app, on } => write!(f, "{app} runs on {on}"),
            Self::RunsNot { app, on } => write!(f, "{app} does not run on {on}"),
            Self::Lost { app, at_most } => write!(f, "{app} lost at most {at_most} writes"),
            Self::Says { app, text } => write!(f, "something is said of {app} that contains {text:?}"),
            Self::Settled { app, phase } => write!(f, "DRPC {app} has come to rest as {phase}"),
            Self::Available { app, phase } => write!(f, "DRPC {app} is available as {phase}"),
            Self::Progression { app, is } => write!(f, "DRPC {app} shows progression {is}"),
            Self::Unprotected { app } => write!(f, "nothing is left of the protection of {app}"),
            Self::Stored { profile, under, count } => {
                write!(f, "store {profile} has {count} objects under {under:?}")
            }
            Self::Field { on, kind, namespace, name, field, is, contains } => {
                let object = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
                write!(f, "{field} of {kind} {object} on {on} ")?;
                match contains {
                    Some(words) => write!(f, "contains {words:?}"),
                    None => write!(f, "is {}", is.as_deref().unwrap_or("absent")),
                }
            }
        }
    }
}

fn space(namespace: &str) -> Option<&str> {
    Some(namespace).filter(|space| !space.is_empty())
}

/// What there is of a kind, where something of that name is not.
fn others(universe: &Universe, on: &str, object: &Named<'_>) -> String {
    /// So many names help to find the right one.
    const NAMED: usize = 5;
    let there =
        resource(object.kind).and_then(|kind| universe.cluster(on).see_all(&kind, space(object.namespace)).ok());
    let there = there.unwrap_or_default();
    let names: Vec<&str> = there.iter().take(NAMED).map(|found| object::name(found)).collect();
    let place = if object.namespace.is_empty() { String::new() } else { format!("in {} ", object.namespace) };
    match (names.as_slice(), there.len()) {
        ([], _) => format!("{place}there is none"),
        (names, count) if count > NAMED => {
            format!("{place}there are {} and {} more", names.join(", "), count - NAMED)
        }
        ([one], _) => format!("{place}there is {one}"),
        (names, _) => format!("{place}there are {}", names.join(", ")),
    }
}

/// A kind by its name.
pub(crate) fn resource(kind: &str) -> Option<Resource> {
    resources().find(|known| known.kind == kind).copied()
}

/// All kinds that can be named.
pub(crate) fn resources() -> impl Iterator<Item = &'static Resource> {
    const MORE: &[Resource] =
        &[kinds::NODE, kinds::SERVICE_ACCOUNT, kinds::ROLE, kinds::ROLE_BINDING, kinds::CLUSTER_ROLE_BINDING];
    ramen_api::kinds::ALL.iter().chain(MORE)
}

/// What lies at a path of names between dots. `\.` is a dot within a name; an element of a list is named by its number, or
/// by its `type` or `name`.
fn at_path<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    // No object has a name with this character: it stands for a dot within a name meanwhile.
    let path = path.replace("\\.", "\0");
    path.split('.').map(|step| step.replace('\0', ".")).try_fold(object, |value, step| match value {
        Value::Object(fields) => fields.get(&step),
        Value::Array(items) => match step.parse::<usize>() {
            Ok(number) => items.get(number),
            Err(_) => items.iter().find(|item| ["type", "name"].iter().any(|key| item[*key] == *step)),
        },
        _ => None,
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

pub(crate) fn application(universe: &Universe, app: &str) -> Option<Application> {
    universe.applications().iter().find(|application| application.name == app).cloned()
}

pub(crate) fn drpc(universe: &Universe, app: &str) -> Result<Drpc, String> {
    let space = application(universe, app).map_or_else(|| "apps".to_owned(), |found| found.hub_namespace);
    match Drpc::read(universe.cluster(HUB), &space, app) {
        Ok(Some(drpc)) => Ok(drpc),
        Ok(None) => Err(format!("there is no DRPC {app}")),
        Err(err) => Err(format!("DRPC {app}: {err}")),
    }
}

/// Nothing if the DRPC is as wanted, else what it shows.
pub(crate) fn shows(universe: &Universe, app: &str, wanted: impl Fn(&Drpc) -> bool) -> Result<(), String> {
    let drpc = drpc(universe, app)?;
    if wanted(&drpc) { Ok(()) } else { Err(format!("DRPC is {}", drpc.line())) }
}

fn runs(universe: &Universe, app: &str, on: &str) -> Result<(), String> {
    if !universe.is_up(on) {
        return Err(format!("cluster {on} has no power"));
    }
    if is_running(universe, app, on) {
        return Ok(());
    }
    let others: Vec<&str> = universe.managed().filter(|other| is_running(universe, app, other)).collect();
    let others = if others.is_empty() { "nowhere".to_owned() } else { format!("on {}", others.join(" and ")) };
    Err(format!("no pod of {app} runs on {on} (it runs {others})"))
}

fn is_running(universe: &Universe, app: &str, on: &str) -> bool {
    universe.is_up(on) && look::runs(universe.cluster(on), app) == Ok(true)
}

/// Acknowledged writes that an application has no more: those that its volumes lack, and all of a volume beside which it now
/// runs on another.
fn lost(universe: &Universe, app: &str) -> u64 {
    let storage = universe.storage();
    let home = universe.managed().find(|on| is_running(universe, app, on));
    let mounted = |claim: &str| {
        let claim = universe.cluster(home?).see(&kinds::PVC, Some(app), claim).ok()?;
        handle_of(universe, home?, &claim)
    };
    let volumes = storage.volumes_of(app).map(|(handle, claim)| match mounted(claim) {
        Some(other) if other != handle => storage.acknowledged(handle),
        _ => storage.lost(handle),
    });
    volumes.sum()
}

fn validated(universe: &Universe) -> Result<(), String> {
    match look::unvalidated(universe.cluster(HUB)) {
        Ok(None) => Ok(()),
        Ok(Some(lacks)) => Err(lacks),
        Err(err) => Err(format!("the hub: {err}")),
    }
}

fn unprotected(universe: &Universe, app: &str) -> Result<(), String> {
    if let Ok(drpc) = drpc(universe, app) {
        let deleting = if object::deleting(drpc.object()) { "being deleted" } else { "there" };
        return Err(format!("DRPC {app} is still {deleting}: {}", drpc.line()));
    }
    for cluster in universe.managed().filter(|cluster| universe.is_up(cluster)) {
        for kind in [&kinds::VRG, &kinds::VOLUME_REPLICATION] {
            if let Some(object) = universe.cluster(cluster).see_all(kind, Some(app)).unwrap_or_default().first() {
                return Err(format!("{} {} is left on {cluster}", kind.kind, object::name(object)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_names_numbers_and_types() {
        let object = json!({
            "metadata": {"annotations": {"example.com/a": "b"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "claims": [{"name": "data-0", "size": 3}]},
            "data": {"config.yaml": "x"},
        });
        for (path, value) in [
            ("metadata.annotations.example\\.com/a", Some(json!("b"))),
            ("status.conditions.0.status", Some(json!("True"))),
            ("status.conditions.Ready.status", Some(json!("True"))),
            ("status.claims.data-0.size", Some(json!(3))),
            ("data.config\\.yaml", Some(json!("x"))),
            ("data.config.yaml", None),
            ("status.conditions.1.status", None),
            ("status.conditions.Other", None),
        ] {
            assert_eq!(at_path(&object, path), value.as_ref(), "{path}");
        }
    }
}
