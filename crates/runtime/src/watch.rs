//! One watcher per row of the operator's table.
//!
//! A kind that the operator can work without, and that the API server does not serve, counts as a kind without objects.
//! It is watched as soon as its CRD appears: one watch on the CRDs' metadata tells, so a missing kind costs one request.
//! Where no kind is missing, nobody looks at CRDs.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kube::Client;
use ramen_api::kinds::{self, Resource};
use ramen_ledger::Input;
use ramen_ports::Watch;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};

use crate::{
    crds::Served,
    kube_api::{calls::shorten, failure::chain},
    metrics::Metrics,
    stream::{self, Event, Source, Stream},
    vault::{Vault, name_of},
};

/// Pauses after failures: first, longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Longest pause between questions for a missing kind when its CRD cannot be watched.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Whether an object makes another kind interesting.
type Wakes = fn(&Value) -> bool;

/// One watcher.
pub(crate) struct Watcher {
    /// Its place in the operator's table.
    pub(crate) index: usize,
    /// What it watches.
    pub(crate) watch: Watch,
    /// Whom it asks.
    pub(crate) client: Client,
    /// Whom it tells.
    pub(crate) inputs: mpsc::Sender<Input>,
    /// Where the values of Secrets go.
    pub(crate) vault: Arc<Vault>,
    /// Which CRDs there are, once somebody asked.
    pub(crate) served: watch::Receiver<Served>,
    /// Asks for that.
    pub(crate) missing: Arc<Notify>,
    /// Places of those that wait for objects of this kind, and for which.
    pub(crate) waiting: Vec<(usize, Wakes)>,
    /// Places of those for which there was such an object.
    pub(crate) seen: watch::Sender<BTreeSet<usize>>,
    pub(crate) metrics: Metrics,
}

/// The pipeline takes no more inputs: the process ends.
struct Closed;

/// Why a watch came to an end.
enum End {
    NotServed,
    Closed,
}

impl From<Closed> for End {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

impl Watcher {
    /// Watches until the pipeline takes no more.
    pub(crate) async fn run(mut self) {
        let mut pause = PAUSES.0;
        if self.watch.once.is_some() {
            if self.tell(Input::NotServed(self.index)).await.is_err() {
                return;
            }
            if self.seen.subscribe().wait_for(|seen| seen.contains(&self.index)).await.is_err() {
                return;
            }
        }
        loop {
            match self.follow(&mut pause).await {
                End::Closed => return,
                End::NotServed => {
                    if self.watch.optional {
                        if self.tell(Input::NotServed(self.index)).await.is_err() {
                            return;
                        }
                        self.until_served().await;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(if self.watch.optional { ASK_AGAIN } else { PAUSES.1 });
                }
            }
        }
    }

    /// Waits until the kind's CRD is there, or it cannot be known whether it is.
    async fn until_served(&mut self) {
        let resource = self.watch.resource;
        self.missing.notify_one();
        let known = |served: &Served| *served != Served::Asking && served.may_serve(resource);
        if self.served.wait_for(known).await.is_err() {
            // Nobody watches the CRDs any more: the process ends.
            std::future::pending::<()>().await;
        }
    }

    /// Lists and watches; ends when the kind is not served.
    async fn follow(&self, pause: &mut Duration) -> End {
        let source = Source::new(self.watch.resource, self.watch.namespace.as_deref(), &self.watch.labels);
        let mut events = Stream::new(self.client.clone(), source);
        let mut secrets = BTreeSet::new();
        loop {
            match events.next().await {
                Ok(event) => {
                    // The start of a list is no success yet.
                    if event != Event::Started {
                        *pause = PAUSES.0;
                    }
                    if let Err(closed) = self.pass_on(event, &mut secrets).await {
                        return closed.into();
                    }
                }
                Err(err) if err.code() == Some(404) => {
                    if !self.watch.optional {
                        self.complain(&err);
                    }
                    return End::NotServed;
                }
                Err(err) => {
                    self.complain(&err);
                    if self.watch.optional && err.code() == Some(403) {
                        return End::NotServed;
                    }
                    // A server that says when to come back is busy, or has only just learned of the kind.
                    tokio::time::sleep(err.retry_after().unwrap_or_default().max(*pause)).await;
                    *pause = (*pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    async fn pass_on(&self, event: Event, secrets: &mut BTreeSet<(String, String)>) -> Result<(), Closed> {
        let is_secret = *self.watch.resource == kinds::SECRET;
        if let Event::Listed(object) | Event::Changed(object) = &event {
            self.wake_others(object);
        }
        let input = match event {
            Event::Started => {
                secrets.clear();
                Input::ListStarted(self.index)
            }
            Event::Listed(object) => {
                let object = whole(object, self.watch.resource);
                if is_secret {
                    self.vault.learn(&object);
                    secrets.extend(name_of(&object));
                }
                Input::Listed(self.index, Arc::new(object))
            }
            Event::Done => {
                if is_secret {
                    self.vault.keep_only(self.watch.namespace.as_deref(), secrets);
                    secrets.clear();
                }
                Input::ListDone(self.index)
            }
            Event::Changed(object) => {
                let object = whole(object, self.watch.resource);
                if is_secret {
                    self.vault.learn(&object);
                }
                Input::Changed(self.index, Arc::new(object))
            }
            Event::Deleted(object) => {
                let object = whole(object, self.watch.resource);
                if is_secret {
                    self.vault.forget(&object);
                    if let Some(name) = name_of(&object) {
                        secrets.remove(&name);
                    }
                }
                Input::Deleted(self.index, Arc::new(object))
            }
        };
        self.tell(input).await
    }

    /// Has those begin for which this object matters.
    fn wake_others(&self, object: &Value) {
        for (index, when) in &self.waiting {
            if when(object) {
                self.seen.send_if_modified(|seen| seen.insert(*index));
            }
        }
    }

    async fn tell(&self, input: Input) -> Result<(), Closed> {
        self.inputs.send(input).await.map_err(|_| Closed)
    }

    fn complain(&self, err: &stream::Error) {
        let kind = self.watch.resource.kind;
        self.metrics.watch_error(kind.to_owned());
        let error = match err.status() {
            Some(status) => format!("{} ({} {})", status.message, status.code, status.reason),
            None => chain(err),
        };
        if err.retry_after().is_some() {
            tracing::info!(kind, error, "a watch has to wait");
        } else {
            tracing::warn!(kind, error, "a watch failed; it is taken up again");
        }
    }
}

/// The object with its `apiVersion` and `kind`, which lists leave out, and without what nobody needs.
fn whole(mut object: Value, resource: &Resource) -> Value {
    object["apiVersion"] = Value::String(resource.api_version());
    object["kind"] = Value::String(resource.kind.to_owned());
    shorten(&mut object, resource);
    object
}
