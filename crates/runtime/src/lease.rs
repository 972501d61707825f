//! Leadership by a Lease: one process acts, others wait.
//!
//! A holder renews the Lease; whoever sees it unrenewed for its whole duration, by the own clock, takes it. A process
//! of the same identity (the pod's restarted container) takes it back at once. Writes carry the version that was read,
//! so two candidates cannot both succeed.
//!
//! What is written anyway also carries an anchor: the end of the log, for whoever has to prove that it was not changed.

use std::time::{Duration, Instant};

use ramen_api::kinds::LEASE;
use ramen_events::{Outcome, Seq, anchor::ANNOTATION};
use ramen_ports::Target;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    clock::machine_time,
    head::Later,
    kube_api::calls::Calls,
    leadership::{Leadership, Moment},
    settings,
};

/// How often a candidate looks, at least.
const LOOK: Duration = Duration::from_secs(5);

/// A Lease that this process wants, or holds.
pub(crate) struct Lease {
    calls: Calls,
    settings: settings::Lease,
    target: Target,
    identity: String,
    version: String,
    /// The log whose end is noted on the Lease, once it is open.
    noted: Later,
    /// The last record that was noted.
    last_noted: Seq,
    leadership: Leadership,
}

/// Somebody else's Lease, as last seen to change.
struct Rival {
    renewed: String,
    seen: Instant,
}

impl Lease {
    /// The Lease of that name in `namespace`; `identity` is this process's.
    pub(crate) fn new(calls: Calls, settings: settings::Lease, namespace: &str, identity: &str) -> Self {
        let target = Target { resource: &LEASE, namespace: namespace.to_owned(), name: settings.name.clone() };
        Self {
            calls,
            settings,
            target,
            identity: identity.to_owned(),
            version: String::new(),
            noted: Later::default(),
            last_noted: Seq(0),
            leadership: Leadership::default(),
        }
    }

    /// What those ask who make calls.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Others wait for the whole duration: ending earlier leaves room for calls that are under way.
    fn patience(&self) -> Duration {
        self.settings.duration.saturating_sub(self.settings.duration / 3)
    }

    /// Has the end of a log noted with each renewal, once it is open: it costs no request of its own.
    pub(crate) fn note(&mut self, log: Later) {
        self.noted = log;
    }

    /// Waits until this process leads. `false` if it was stopped before.
    pub(crate) async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        let mut rival = None;
        let mut told = String::new();
        loop {
            let asked = Moment::now();
            let pause = match self.attempt(&mut rival).await {
                Ok(None) => {
                    self.leadership.extend(asked, self.patience());
                    return true;
                }
                Ok(Some(holder)) => {
                    if told != holder {
                        tracing::info!(lease = %self.settings.name, %holder, "waiting to become leader");
                        told = holder;
                    }
                    LOOK.min(self.settings.renew)
                }
                Err(outcome) => {
                    tracing::warn!(lease = %self.settings.name, error = outcome.message(), "could not ask for the Lease");
                    LOOK.min(self.settings.renew)
                }
            };
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return false;
            }
        }
    }

    /// Renews until `stop`, then gives the Lease up.
    ///
    /// # Errors
    /// When another process holds the Lease, or it could not be renewed for so long that one might.
    pub(crate) async fn keep(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        let mut pause = self.settings.renew;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let asked = Moment::now();
            match self.renew().await {
                Ok(()) => {
                    self.leadership.extend(asked, self.patience());
                    pause = self.settings.renew;
                }
                Err(Renewal::Lost(reason)) => return Err(Error::LostLeadership { reason }),
                Err(Renewal::Failed(outcome)) if self.leadership.check().is_err() => {
                    let cause = outcome.message().unwrap_or_default();
                    let seconds = self.patience().as_secs();
                    let reason = format!("the Lease could not be renewed for {seconds} s: {cause}");
                    return Err(Error::LostLeadership { reason });
                }
                Err(Renewal::Failed(outcome)) => {
                    tracing::warn!(error = outcome.message(), "could not renew the Lease; trying again");
                    pause = (self.settings.renew / 5).max(Duration::from_millis(100));
                }
            }
        }
        Ok(())
    }

    /// Gives the Lease up, so that the next leader need not wait. Not being able to costs it that wait.
    pub(crate) async fn release(&mut self) {
        let spec = json!({ "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": now() });
        if let Err(outcome) = self.write(spec).await {
            tracing::debug!(error = outcome.message(), "could not give the Lease up");
        }
    }

    /// `None`: this process leads. Else who does.
    async fn attempt(&mut self, rival: &mut Option<Rival>) -> Result<Option<String>, Outcome> {
        let Some(lease) = self.calls.get(&self.target).await? else {
            let spec = self.spec(0, now());
            let created = self.calls.create(&self.target, &json!({ "spec": spec })).await;
            return match created.outcome {
                Outcome::Done => {
                    let object = created.sight.and_then(|sight| sight.object).unwrap_or_default();
                    self.version = text(&object, "/metadata/resourceVersion");
                    Ok(None)
                }
                Outcome::Conflict { .. } => Ok(Some("another process".to_owned())),
                outcome => Err(outcome),
            };
        };
        let holder = text(&lease, "/spec/holderIdentity");
        let renewed = text(&lease, "/spec/renewTime");
        if !holder.is_empty() && holder != self.identity {
            let duration = lease.pointer("/spec/leaseDurationSeconds").and_then(Value::as_u64);
            let duration = duration.map_or(self.settings.duration, Duration::from_secs);
            match rival {
                Some(known) if known.renewed == renewed => {
                    if known.seen.elapsed() < duration {
                        return Ok(Some(holder));
                    }
                }
                _ => {
                    *rival = Some(Rival { renewed, seen: Instant::now() });
                    return Ok(Some(holder));
                }
            }
        }
        self.version = text(&lease, "/metadata/resourceVersion");
        let before = lease.pointer("/spec/leaseTransitions").and_then(Value::as_u64).unwrap_or_default();
        let transitions = if holder == self.identity { before } else { before + 1 };
        match self.write(self.spec(transitions, now())).await {
            Ok(()) => Ok(None),
            Err(Outcome::Conflict { .. }) => Ok(Some("another process".to_owned())),
            Err(outcome) => Err(outcome),
        }
    }

    fn spec(&self, transitions: u64, now: String) -> Value {
        json!({
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self.settings.duration.as_secs(),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        })
    }

    async fn renew(&mut self) -> Result<(), Renewal> {
        if self.version.is_empty() {
            self.reread().await?;
        }
        match self.write(json!({ "renewTime": now() })).await {
            Ok(()) => Ok(()),
            // Somebody wrote it, perhaps we ourselves in a call that timed out: who holds it now?
            Err(Outcome::Conflict { .. }) => {
                self.reread().await?;
                self.write(json!({ "renewTime": now() })).await.map_err(Renewal::Failed)
            }
            Err(Outcome::Refused { code: 404, .. }) => Err(Renewal::Lost("somebody deleted the Lease".to_owned())),
            Err(outcome) => Err(Renewal::Failed(outcome)),
        }
    }

    async fn reread(&mut self) -> Result<(), Renewal> {
        let Some(lease) = self.calls.get(&self.target).await.map_err(Renewal::Failed)? else {
            return Err(Renewal::Lost("somebody deleted the Lease".to_owned()));
        };
        let holder = text(&lease, "/spec/holderIdentity");
        if holder != self.identity {
            return Err(Renewal::Lost(format!("{holder:?} holds the Lease")));
        }
        self.version = text(&lease, "/metadata/resourceVersion");
        Ok(())
    }

    async fn write(&mut self, spec: Value) -> Result<(), Outcome> {
        let mut patch = json!({ "metadata": { "resourceVersion": self.version }, "spec": spec });
        let anchor = self.noted.get().and_then(|log| log.anchor(machine_time()));
        let anchor = anchor.filter(|anchor| anchor.seq > self.last_noted);
        if let Some(text) = anchor.as_ref().and_then(|anchor| serde_json::to_string(anchor).ok()) {
            patch["metadata"]["annotations"] = json!({ ANNOTATION: text });
        }
        let lease = self.calls.patch(&self.target, &patch).await?;
        self.version = text(&lease, "/metadata/resourceVersion");
        self.last_noted = anchor.map_or(self.last_noted, |anchor| anchor.seq);
        Ok(())
    }
}

enum Renewal {
    Lost(String),
    Failed(Outcome),
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Leases tell times in microseconds.
fn now() -> String {
    let now = machine_time();
    format!("{}.{:03}000Z", now.rfc3339().trim_end_matches('Z'), now.0 % 1000)
}
