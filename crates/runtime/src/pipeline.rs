//! The one loop: inputs in, records durable, then commands out.
//!
//! Whatever waits is taken in together and made durable with one sync. Only then do the commands among it go to the
//! executor: nothing is ever done that the log does not know of.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ramen_events::{
    Record, Seq,
    log::{Batch, EventLog, History},
};
use ramen_ledger::{Dropped, Input, Ledger, Outbox};
use ramen_ports::Operator;
use ramen_projector::{DECIDER_VERSION, Domain, World};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Error, Limits, clock::WallClock, executor::Work, gauges::Question, metrics::Metrics, telemetry};

/// The clock is looked at this often even if nothing is due: it may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Folds the log up to its head: the newest snapshot and what came after it.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn recover<D: Domain>(log: &dyn History) -> Result<World<D>, Error> {
    let start = Instant::now();
    let snapshot = log.latest_snapshot(DECIDER_VERSION).map_err(Error::ReadLog)?;
    let saved = snapshot.and_then(|snapshot| {
        let decoded = bincode::decode_from_slice(&snapshot.bytes, bincode::config::standard());
        match decoded {
            Ok((world, _)) => Some(world),
            Err(err) => {
                tracing::warn!(seq = snapshot.seq.0, error = %err, "a snapshot is of no use; folding from the start");
                None
            }
        }
    });
    let mut world: World<D> = saved.unwrap_or_default();
    let from = world.head.max(log.base().seq);
    for record in log.scan(from.next()) {
        let (record, _) = record.map_err(Error::ReadLog)?;
        world.apply(&record);
    }
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(snapshot = from.0, seq = world.head.0, ms, "the log is folded");
    Ok(world)
}

/// The loop and what it owns.
pub(crate) struct Pipeline<O: Operator> {
    pub(crate) ledger: Ledger<O>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) clock: WallClock,
    pub(crate) inputs: mpsc::Receiver<Input>,
    /// `None` once the process is asked to stop: commands are still recorded, but none flies any more.
    pub(crate) work: Option<mpsc::UnboundedSender<Work>>,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    /// Scrapes that ask for gauges.
    pub(crate) questions: mpsc::Receiver<Question>,
    /// How many acknowledged records were gone when the log was opened.
    pub(crate) lost: u64,
    /// The last record of the last snapshot.
    pub(crate) saved: Seq,
}

impl<O: Operator> Pipeline<O> {
    /// Runs until `stop` is cancelled and all who send inputs are gone.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        let wall = self.clock.now();
        self.ledger.start(wall);
        if self.lost > 0 {
            self.ledger.lost(self.lost, wall);
        }
        self.commit().await?;
        let mut waiting = Vec::with_capacity(self.limits.batch);
        loop {
            let sleep = self.ledger.next_timer().map_or(LONGEST_SLEEP, |at| self.clock.until(at).min(LONGEST_SLEEP));
            tokio::select! {
                biased;
                () = stop.cancelled(), if self.work.is_some() => self.work = None,
                count = self.inputs.recv_many(&mut waiting, self.limits.batch) => {
                    if count == 0 {
                        break;
                    }
                }
                Some(question) = self.questions.recv() => {
                    // Who asked may have lost patience.
                    let _ = question.send(self.ledger.world().domain.gauges());
                    continue;
                }
                () = tokio::time::sleep(sleep), if self.work.is_some() => self.tell_delay(),
            }
            for input in waiting.drain(..) {
                let wall = self.clock.now();
                self.ledger.take(input, wall);
            }
            if self.work.is_some() {
                let wall = self.clock.now();
                self.ledger.fire(wall);
            }
            self.commit().await?;
        }
        self.save().await;
        Ok(())
    }

    /// Makes what followed from the inputs durable, then lets it happen.
    async fn commit(&mut self) -> Result<(), Error> {
        let Outbox { records, blobs, flights, looks, dropped, panicked, gates: _ } = self.ledger.flush();
        self.count(dropped);
        self.metrics.panicked(panicked);
        if !records.is_empty() {
            let told: Vec<Record> = records.iter().filter(|record| telemetry::is_told(record)).cloned().collect();
            for record in &records {
                self.metrics.record(record.payload.name());
            }
            self.append(records, blobs).await?;
            told.iter().for_each(telemetry::tell);
        }
        if let Some(work) = &self.work {
            for item in flights.into_iter().map(Box::new).map(Work::Fly).chain(looks.into_iter().map(Work::Look)) {
                // The executor only goes first when the process ends.
                let _ = work.send(item);
            }
        }
        if self.ledger.world().head.0 >= self.saved.0.saturating_add(self.limits.snapshot_every) {
            self.save().await;
        }
        Ok(())
    }

    async fn append(&self, records: Vec<Record>, blobs: Vec<Vec<u8>>) -> Result<(), Error> {
        let (log, count, start) = (Arc::clone(&self.log), records.len(), Instant::now());
        let appended = tokio::task::spawn_blocking(move || log.append(Batch::of_records(records, blobs))).await;
        match appended {
            Ok(Ok(_)) => {
                self.metrics.appended(start.elapsed());
                Ok(())
            }
            Ok(Err(err)) => Err(Error::Append { records: count, err }),
            Err(_) => Err(Error::Ended { part: "the log's writer" }),
        }
    }

    /// Saves the state. Failing to costs the next start some time, nothing else.
    async fn save(&mut self) {
        let world = self.ledger.world();
        let seq = world.head;
        if seq == self.saved {
            return;
        }
        // Tried or not, the next attempt is a snapshot's distance away.
        self.saved = seq;
        let bytes = match bincode::encode_to_vec(world, bincode::config::standard()) {
            Ok(bytes) => bytes,
            Err(err) => {
                tracing::warn!(seq = seq.0, error = %err, "could not encode a snapshot");
                return;
            }
        };
        let log = Arc::clone(&self.log);
        let saved = tokio::task::spawn_blocking(move || log.save_snapshot(seq, DECIDER_VERSION, &bytes)).await;
        match saved {
            Ok(Ok(())) => tracing::debug!(seq = seq.0, "saved a snapshot"),
            Ok(Err(err)) => tracing::warn!(seq = seq.0, error = %err, "could not save a snapshot"),
            Err(_) => tracing::warn!(seq = seq.0, "could not save a snapshot: its writer panicked"),
        }
    }

    /// Without all lists nothing is decided: if they take long, people want to know which.
    fn tell_delay(&self) {
        if !self.ledger.world().synced {
            let kinds = self.ledger.unsettled();
            tracing::warn!(?kinds, "nothing is decided yet: these kinds could not be listed so far");
        }
    }

    fn count(&self, dropped: Dropped) {
        let Dropped { older, same, no_news } = dropped;
        for (reason, count) in [("older", older), ("same", same), ("no_news", no_news)] {
            self.metrics.dropped(reason, count);
        }
        let world = self.ledger.world();
        self.metrics.synced.set(world.synced.into());
        self.metrics.head.set(i64::try_from(world.head.0).unwrap_or(i64::MAX));
        self.metrics.queue_depth.set(i64::try_from(self.inputs.len()).unwrap_or(i64::MAX));
        self.metrics.timers.set(i64::try_from(self.ledger.timers()).unwrap_or(i64::MAX));
    }
}
