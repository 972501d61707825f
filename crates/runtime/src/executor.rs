//! Carries out commands: renders them to effects, makes the calls in order, tells the pipeline how it went.
//!
//! Commands run side by side; that no two of one slot do is the pipeline's promise. Calls to stores wait in a queue of
//! their own per store, so a store that hangs holds up nobody who does not need it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use ramen_events::{BlobId, Outcome, log::History};
use ramen_ledger::{Answered, Flight, Input, Look, Looked, Sight};
use ramen_ports::{Answer, Blobs, Effect, Operator, Target};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::machine_time,
    kube_api::{
        calls::{Called, Calls},
        notices::{Notice, Notices},
    },
    leadership::Leadership,
    metrics::Metrics,
    s3::Stores,
};

/// Pauses between attempts to look an object up: first, longest.
const LOOK_PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What the executor is asked to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// Carry out a command.
    Fly(Box<Flight>),
    /// Look an object up.
    Look(Look),
}

/// Everything that commands are carried out with.
pub(crate) struct Executor<O> {
    pub(crate) operator: Arc<O>,
    pub(crate) calls: Calls,
    /// Asked before each of them.
    pub(crate) leadership: Leadership,
    pub(crate) stores: Stores,
    pub(crate) notices: Notices,
    pub(crate) history: Arc<dyn History>,
    pub(crate) permits: Semaphore,
    pub(crate) metrics: Metrics,
    /// How long commands may take to end once no more come.
    pub(crate) stop_limit: Duration,
}

impl<O: Operator> Executor<O> {
    /// Works until `work` is closed; what is under way then may end within the limit. When `abandon` is cancelled
    /// everything is dropped at once.
    ///
    /// The queue of work has no bound of its own: each slot has at most one command in it, so its length is that of the
    /// state. With a bound, pipeline and executor could wait for each other.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut work: mpsc::UnboundedReceiver<Work>,
        inputs: mpsc::Sender<Input>,
        abandon: CancellationToken,
    ) {
        let mut tasks = JoinSet::new();
        while let Some(Some(work)) = abandon.run_until_cancelled(work.recv()).await {
            while tasks.try_join_next().is_some() {}
            let (executor, inputs) = (Arc::clone(&self), inputs.clone());
            match work {
                Work::Fly(flight) => drop(tasks.spawn(async move {
                    let answered = executor.fly(*flight).await;
                    // A closed queue means that the process ends; the next one decides anew.
                    let _ = inputs.send(Input::Answered(Box::new(answered))).await;
                })),
                Work::Look(look) => drop(tasks.spawn(async move {
                    let looked = executor.look(look).await;
                    let _ = inputs.send(Input::Looked(Box::new(looked))).await;
                })),
            }
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.stop_limit, abandon.run_until_cancelled(rest)).await;
    }

    #[tracing::instrument(skip_all, fields(seq = flight.seq.0, command = %flight.id))]
    async fn fly(self: Arc<Self>, flight: Flight) -> Answered {
        self.metrics.in_flight.inc();
        let (mut answers, mut sights) = (Vec::new(), Vec::new());
        // Whatever happens, the flight must land, or its slot would stay busy until the next start.
        let carried = AssertUnwindSafe(self.carry_out(&flight, &mut answers, &mut sights)).catch_unwind().await;
        let outcome = carried.unwrap_or_else(|_| {
            self.metrics.panicked(1);
            tracing::error!(
                what = flight.command.name(),
                "carrying out a command panicked: a defect, please report it"
            );
            Outcome::Unknown { message: "the operator failed while it carried the command out".to_owned() }
        });
        self.metrics.in_flight.dec();
        self.metrics.command(flight.command.name(), &outcome);
        Answered { flight, outcome, answers, sights }
    }

    async fn carry_out(&self, flight: &Flight, answers: &mut Vec<Answer>, sights: &mut Vec<Sight>) -> Outcome {
        let effects = match self.render(flight).await {
            Ok(effects) => effects,
            Err(message) => return Outcome::Refused { code: 0, reason: "CannotRender".to_owned(), message },
        };
        for effect in effects {
            match self.effect(effect, sights).await {
                Ok(answer) => answers.extend(answer),
                Err(outcome) => return outcome,
            }
        }
        Outcome::Done
    }

    /// Rendering may read blobs from disk: not on the threads that drive the sockets.
    async fn render(&self, flight: &Flight) -> Result<Vec<Effect>, String> {
        let (operator, history) = (Arc::clone(&self.operator), Arc::clone(&self.history));
        let (id, command) = (flight.id, flight.command.clone());
        let rendered = tokio::task::spawn_blocking(move || operator.render(id, &command, &LogBlobs(&*history)));
        match rendered.await {
            Ok(Ok(effects)) => Ok(flight.effects(effects)),
            Ok(Err(err)) => Err(err.to_string()),
            Err(_) => {
                self.metrics.panicked(1);
                Err("rendering the command panicked: a defect, please report it".to_owned())
            }
        }
    }

    async fn effect(&self, effect: Effect, sights: &mut Vec<Sight>) -> Result<Option<Answer>, Outcome> {
        if let Effect::Store { profile, operation } = &effect {
            self.leadership.check()?;
            return self.stores.call(profile, operation).await.map(|answer| Some(Answer::Store(answer)));
        }
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await;
        self.leadership.check()?;
        let called = match &effect {
            Effect::Require(requirement) => return met(self.calls.require(requirement).await, sights),
            Effect::RequireUnused(unused) => return met(self.calls.require_unused(unused).await, sights),
            Effect::Apply { target, body } => self.calls.apply(target, body).await,
            Effect::Create { target, body } => self.calls.create(target, body).await,
            Effect::Merge { target, body } => self.calls.merge(target, body).await,
            Effect::MergeStatus { target, body } => self.calls.merge_status(target, body).await,
            Effect::Delete { target, uid } => self.calls.delete(target, uid.as_deref()).await,
            Effect::Event { regarding, uid, warning, reason, message } => {
                let notice = Notice { regarding, uid, warning: *warning, reason, message };
                self.say(notice).await;
                return Ok(Some(Answer::Nothing));
            }
            Effect::Store { .. } => return Ok(Some(Answer::Nothing)),
        };
        let Called { outcome, sight } = called;
        let object = sight.as_ref().and_then(|sight| sight.object.clone());
        sights.extend(sight);
        match outcome {
            Outcome::Done => Ok(Some(object.map_or(Answer::Nothing, Answer::Object))),
            failed => Err(failed),
        }
    }

    /// Failing to report an Event fails nothing.
    async fn say(&self, notice: Notice<'_>) {
        if let Some((target, body)) = self.notices.event(notice, machine_time())
            && let Err(outcome) = self.calls.post(&target, &body).await
        {
            tracing::debug!(error = outcome.message(), reason = notice.reason, "could not report an event");
        }
    }

    /// Asks until there is an answer.
    async fn look(self: Arc<Self>, look: Look) -> Looked {
        let namespace = look.id.namespace.clone();
        let target = Target { resource: look.resource, namespace, name: look.id.name.clone() };
        let (mut pause, longest) = LOOK_PAUSES;
        loop {
            let permit = self.permits.acquire().await;
            match self.calls.get(&target).await {
                Ok(object) => return Looked { look, object: object.map(Arc::new) },
                Err(outcome) => {
                    tracing::debug!(error = outcome.message(), object = %look.id, "could not look an object up");
                }
            }
            drop(permit);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
}

/// What comes of a requirement: no answer, or the end of its command.
fn met(called: Called, sights: &mut Vec<Sight>) -> Result<Option<Answer>, Outcome> {
    let Called { outcome, sight } = called;
    sights.extend(sight);
    if outcome.is_done() { Ok(None) } else { Err(outcome) }
}

/// Stored objects, read from the log.
struct LogBlobs<'a>(&'a dyn History);

impl Blobs for LogBlobs<'_> {
    fn get(&self, id: BlobId) -> Option<Vec<u8>> {
        self.0.blob(id).unwrap_or_else(|err| {
            tracing::warn!(blob = %id, error = %err, "could not read a stored object");
            None
        })
    }
}
