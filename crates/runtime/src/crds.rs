//! Which kinds the API server serves, as far as CRDs tell.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kube::Client;
use ramen_api::kinds::{CUSTOM_RESOURCE_DEFINITION, Resource};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::stream::{Event, Source, Stream};

/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// Which CRDs there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Served {
    /// Not known yet.
    #[default]
    Asking,
    /// They cannot be listed: each kind has to be tried.
    Unknown,
    /// These, by name.
    Crds(BTreeSet<String>),
}

impl Served {
    /// Whether it makes sense to ask for objects of the kind.
    pub(crate) fn may_serve(&self, resource: &Resource) -> bool {
        match self {
            Self::Asking | Self::Unknown => true,
            Self::Crds(names) => is_built_in(resource) || names.contains(&resource.crd_name()),
        }
    }
}

/// Groups without a dot, and those of Kubernetes itself, come with the API server.
fn is_built_in(resource: &Resource) -> bool {
    let kubernetes = resource.group.ends_with(".k8s.io");
    !resource.group.contains('.')
        || (kubernetes
            && ["apiextensions", "coordination", "events", "networking", "rbac.authorization", "storage"]
                .iter()
                .any(|name| resource.group.strip_suffix(".k8s.io") == Some(name)))
}

/// Once a kind is missing, watches the CRDs' metadata and tells which there are, until dropped.
pub(crate) async fn follow(client: Client, served: watch::Sender<Served>, missing: Arc<Notify>) {
    missing.notified().await;
    let mut events = Stream::new(client, Source::new(&CUSTOM_RESOURCE_DEFINITION, None, "").metadata_only());
    let mut names = BTreeSet::new();
    let mut reading = false;
    loop {
        match events.next().await {
            Ok(Event::Started) => {
                names.clear();
                reading = true;
            }
            Ok(Event::Listed(crd) | Event::Changed(crd)) => names.extend(name(&crd)),
            Ok(Event::Done) => reading = false,
            Ok(Event::Deleted(crd)) => {
                if let Some(name) = name(&crd) {
                    names.remove(&name);
                }
            }
            Err(err) => {
                tracing::debug!(error = crate::kube_api::failure::chain(&err), "could not watch the CRDs");
                served.send_if_modified(|served| {
                    let first = *served == Served::Asking;
                    if first {
                        *served = Served::Unknown;
                    }
                    first
                });
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        }
        if !reading {
            served.send_if_modified(|served| {
                let now = Served::Crds(names.clone());
                let changed = *served != now;
                *served = now;
                changed
            });
        }
    }
}

fn name(crd: &Value) -> Option<String> {
    crd["metadata"]["name"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use ramen_api::kinds::{POD, STORAGE_CLASS, VOLUME_REPLICATION, VOLUME_SNAPSHOT_CLASS};

    use super::*;

    #[test]
    fn a_missing_crd_means_a_missing_kind_and_built_in_kinds_need_none() {
        let served = Served::Crds([VOLUME_REPLICATION.crd_name()].into());
        assert!(served.may_serve(&POD) && served.may_serve(&STORAGE_CLASS));
        assert!(served.may_serve(&VOLUME_REPLICATION));
        assert!(!served.may_serve(&VOLUME_SNAPSHOT_CLASS), "a group of Kubernetes, but a CRD");
        assert!(Served::Unknown.may_serve(&VOLUME_SNAPSHOT_CLASS));
    }
}
