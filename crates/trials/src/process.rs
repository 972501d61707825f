//! One operator process: the ledger that production runs, a log in memory, and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use ramen_events::{
    Aggregate, BlobId, ClusterName, Origin, Position, Record, Seq, Stamp, Time,
    log::{Batch, EventLog, History, MemoryLog, MemoryStore},
};
use ramen_ledger::{Flight, Input, Ledger, Look};
use ramen_ports::{Answer, Blobs, Effect, Operator, Watch};
use ramen_projector::{DECIDER_VERSION, Domain, World};

/// Records between two snapshots: few, so that restarts go through them.
const SNAPSHOT_EVERY: u64 = 150;
/// Batches that may be unsynced at a time: what a machine that dies can lose of what was promised.
const TAIL: usize = 6;

/// What followed from a look at the inputs.
#[derive(Default)]
pub(crate) struct Stepped {
    /// Commands to carry out, now that they are durable.
    pub(crate) flights: Vec<Flight>,
    /// Objects to look up.
    pub(crate) looks: Vec<Look>,
    /// What was appended.
    pub(crate) records: Vec<Record>,
    /// Gates that are shut where records say that something moved.
    pub(crate) gates: Vec<(Seq, &'static str)>,
}

/// Where a process dies within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Before anything of the step is appended.
    BeforeAppend,
    /// After the append, before anything is done.
    AfterAppend,
    /// The append fails: the disk is full, and the process ends.
    DiskFull,
}

/// An operator process, whichever controllers it runs.
pub(crate) trait Process {
    /// Whether it runs.
    fn is_up(&self) -> bool;
    /// The kinds that it watches.
    fn watches(&self) -> &[Watch];
    /// Opens the log and goes on from it.
    fn start(&mut self, wall: Time);
    /// Dies; of the batches that are not synced, only so many are on the disk.
    fn crash(&mut self, surviving: usize);
    /// Loses its disk.
    fn lose_disk(&mut self);
    /// Takes an input in, at the next step.
    fn push(&mut self, input: Input);
    /// Takes all inputs in, decides, appends. `None`: it died of it.
    fn step(&mut self, wall: Time, death: Option<Death>) -> Option<Stepped>;
    /// When it wants to be asked again, by its own clock.
    fn next_timer(&self) -> Option<Time>;
    /// The effects of a command.
    fn render(&self, flight: &Flight) -> Result<Vec<Effect>, String>;
    /// Where its aggregates stand in their runbooks.
    fn positions(&self) -> Option<&BTreeMap<Aggregate, Position>>;
    /// Commands in flight or refused, and why, for a person who asks what it is waiting for.
    fn failing(&self) -> Vec<String>;
    /// Whether its log, folded from the first record on, gives the state that it has; so it does while it is down.
    fn is_like_its_log(&self) -> bool;
    /// Whether an observation, a decision or the reading of an answer panicked since this was asked last.
    fn take_panicked(&mut self) -> bool;
    /// What stays when it dies.
    fn disk(&self) -> &MemoryStore;
    /// Batches that a dying machine would lose.
    fn unsynced(&self) -> usize;
    /// Another process of the same operator, on an empty disk of its own.
    fn rival(&self) -> Box<dyn Process>;
}

/// A process of one operator.
pub(crate) struct Running<O: Operator> {
    operator: Arc<O>,
    watches: Vec<Watch>,
    cluster: ClusterName,
    disk: MemoryStore,
    panicked: bool,
    life: Option<Life<O>>,
}

struct Life<O: Operator> {
    log: MemoryLog,
    ledger: Ledger<O>,
    inbox: Vec<Input>,
    saved: u64,
}

impl<O: Operator> Running<O> {
    pub(crate) fn new(operator: O, cluster: &str) -> Self {
        let watches = operator.watches();
        let disk = MemoryStore::new();
        let cluster = ClusterName::from(cluster);
        Self { operator: Arc::new(operator), watches, cluster, disk, panicked: false, life: None }
    }
}

impl<O: Operator> Process for Running<O> {
    fn is_up(&self) -> bool {
        self.life.is_some()
    }

    fn watches(&self) -> &[Watch] {
        &self.watches
    }

    fn start(&mut self, wall: Time) {
        let log = MemoryLog::open(&self.disk);
        self.disk.set_lazy(true);
        let world = recover::<O::Domain>(&log);
        let origin = Origin { operator: O::Domain::OPERATOR, cluster: self.cluster.clone(), epoch: log.epoch() };
        let stamp: Stamp = log.head().stamp;
        let saved = world.head.0;
        let mut ledger = Ledger::new(Arc::clone(&self.operator), origin, world, stamp);
        ledger.start(wall);
        self.life = Some(Life { log, ledger, inbox: Vec::new(), saved });
    }

    fn crash(&mut self, surviving: usize) {
        self.life = None;
        self.disk.crash(surviving);
    }

    fn lose_disk(&mut self) {
        self.life = None;
        self.disk = MemoryStore::new();
    }

    fn push(&mut self, input: Input) {
        if let Some(life) = &mut self.life {
            life.inbox.push(input);
        }
    }

    fn step(&mut self, wall: Time, death: Option<Death>) -> Option<Stepped> {
        let life = self.life.as_mut()?;
        for input in std::mem::take(&mut life.inbox) {
            life.ledger.take(input, wall);
        }
        life.ledger.fire(wall);
        let outbox = life.ledger.flush();
        self.panicked |= outbox.panicked > 0;
        if death == Some(Death::BeforeAppend) {
            self.crash(TAIL);
            return None;
        }
        if !outbox.records.is_empty() {
            let batch = Batch::of_records(outbox.records.clone(), outbox.blobs);
            if death == Some(Death::DiskFull) || life.log.append(batch).is_err() {
                self.crash(TAIL);
                return None;
            }
            if self.disk.unsynced_batches() > TAIL && self.disk.sync().is_err() {
                self.crash(TAIL);
                return None;
            }
        }
        if death == Some(Death::AfterAppend) {
            self.crash(TAIL);
            return None;
        }
        let head = life.ledger.world().head;
        if head.0 >= life.saved + SNAPSHOT_EVERY {
            life.saved = head.0;
            if let Ok(bytes) = bincode::encode_to_vec(life.ledger.world(), bincode::config::standard()) {
                // As in production: failing to save one costs the next start some time, nothing else.
                let _ = life.log.save_snapshot(head, DECIDER_VERSION, &bytes);
            }
        }
        Some(Stepped { flights: outbox.flights, looks: outbox.looks, records: outbox.records, gates: outbox.gates })
    }

    fn next_timer(&self) -> Option<Time> {
        self.life.as_ref()?.ledger.next_timer()
    }

    fn render(&self, flight: &Flight) -> Result<Vec<Effect>, String> {
        let life = self.life.as_ref().ok_or("the process is down")?;
        let rendered = self.operator.render(flight.id, &flight.command, &LogBlobs(&life.log));
        rendered.map(|rendered| flight.effects(rendered)).map_err(|err| err.to_string())
    }

    fn positions(&self) -> Option<&BTreeMap<Aggregate, Position>> {
        Some(&self.life.as_ref()?.ledger.world().positions)
    }

    fn failing(&self) -> Vec<String> {
        let Some(life) = &self.life else { return vec!["the process is down".to_owned()] };
        let world = life.ledger.world();
        let of = |aggregate: &Aggregate| -> Vec<String> {
            let failing = world.flights.failing(aggregate);
            failing
                .map(|(slot, attempt)| {
                    let why = attempt.failure.as_ref().and_then(|outcome| outcome.message()).unwrap_or_default();
                    format!("{aggregate} {slot}: {why}")
                })
                .collect()
        };
        world.domain.aggregates().iter().flat_map(of).collect()
    }

    fn is_like_its_log(&self) -> bool {
        let Some(life) = &self.life else { return true };
        let bytes = |world: &World<O::Domain>| bincode::encode_to_vec(world, bincode::config::standard()).ok();
        bytes(life.ledger.world()) == bytes(&fold(&life.log, World::default()))
    }

    fn take_panicked(&mut self) -> bool {
        std::mem::take(&mut self.panicked)
    }

    fn disk(&self) -> &MemoryStore {
        &self.disk
    }

    fn unsynced(&self) -> usize {
        self.disk.unsynced_batches()
    }

    fn rival(&self) -> Box<dyn Process> {
        // A second pod has a volume of its own: it begins with nothing but what it can see.
        Box::new(Self {
            operator: Arc::clone(&self.operator),
            watches: self.watches.clone(),
            cluster: self.cluster.clone(),
            disk: MemoryStore::new(),
            panicked: false,
            life: None,
        })
    }
}

/// Folds the log: the newest snapshot and what came after it.
fn recover<D: Domain>(log: &MemoryLog) -> World<D> {
    let snapshot = log.latest_snapshot(DECIDER_VERSION).ok().flatten();
    let saved = snapshot.and_then(|saved| bincode::decode_from_slice(&saved.bytes, bincode::config::standard()).ok());
    fold(log, saved.map(|(world, _)| world).unwrap_or_default())
}

/// What a world becomes by the records after it.
fn fold<D: Domain>(log: &MemoryLog, mut world: World<D>) -> World<D> {
    for record in log.scan(world.head.next()) {
        // A log in memory that nobody tampered with is whole.
        let Ok((record, _)) = record else { break };
        world.apply(&record);
    }
    world
}

struct LogBlobs<'a>(&'a MemoryLog);

impl Blobs for LogBlobs<'_> {
    fn get(&self, id: BlobId) -> Option<Vec<u8>> {
        self.0.blob(id).ok().flatten()
    }
}

/// An effect's answer, as the ledger wants it.
pub(crate) fn answer(object: Option<Arc<serde_json::Value>>) -> Answer {
    object.map_or(Answer::Nothing, Answer::Object)
}
