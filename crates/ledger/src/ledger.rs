//! From inputs to records and decisions: the pipeline without its sockets and clocks.
//!
//! ```text
//!   Input ──> fresh? ──> observe ──> news? ──> Record ──> World::apply ──> World::decide ──> Records, flights, timers
//! ```
//!
//! Nothing here waits for anything. The caller tells the wall time, makes the records durable and only then lets the
//! commands among them fly.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ramen_api::kinds::Resource;
use ramen_api::path::At as _;
use ramen_events::{Aggregate, Cause, Clock, Command, Kind, ObjectId, Origin, Payload, Record, Seq, Stamp, Time};
use ramen_ports::{Observation, Operator, Requirement, Target, Watch};
use ramen_projector::{DECIDER_VERSION, Decided, Domain, Ground, World};
use serde_json::Value;

use crate::{
    freshness::{Age, Freshness},
    input::{Answered, Flight, Input, Look, Looked},
    listings::{Listings, Missing},
    timers::{Timers, Wish},
};

/// A decision that asks to be asked again at once, or in the past, waits this long, so that it cannot spin; in
/// milliseconds.
pub const SHORTEST_WAIT_MS: u64 = 10;

/// What follows from a number of inputs.
#[derive(Debug, Default)]
pub struct Outbox {
    /// To be made durable, in this order, before anything else is done.
    pub records: Vec<Record>,
    /// Objects that the records name; durable with them.
    pub blobs: Vec<Vec<u8>>,
    /// To be carried out once the records are durable.
    pub flights: Vec<Flight>,
    /// To be looked up.
    pub looks: Vec<Look>,
    /// Gates that are shut where a record says that something moved, if its position does not tell which.
    pub gates: Vec<(Seq, &'static str)>,
    /// Sightings that told nothing new.
    pub dropped: Dropped,
    /// Observations, decisions and readings of answers that panicked: each is a defect, and changed nothing.
    pub panicked: u64,
}

/// Sightings that made no record, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Overtaken by something newer.
    pub older: u64,
    /// Seen before in this very version.
    pub same: u64,
    /// Changed in nothing that matters to a decision.
    pub no_news: u64,
}

/// Everything that the pipeline remembers between two inputs.
pub struct Ledger<O: Operator> {
    operator: Arc<O>,
    watches: Vec<Watch>,
    origin: Origin,
    world: World<O::Domain>,
    clock: Clock,
    listings: Listings,
    freshness: Freshness,
    /// Objects that the state holds facts of.
    told: BTreeSet<ObjectId>,
    timers: Timers,
    outbox: Outbox,
}

impl<O: Operator> Ledger<O> {
    /// Goes on from a world folded up to the log's head, whose last stamp is `stamp`.
    pub fn new(operator: Arc<O>, origin: Origin, world: World<O::Domain>, stamp: Stamp) -> Self {
        let watches = operator.watches();
        let kinds: BTreeSet<Kind> = watches.iter().map(|watch| watch.kind).collect();
        let told = kinds.into_iter().flat_map(|kind| world.domain.known(kind)).collect();
        Self {
            listings: Listings::new(&watches),
            operator,
            watches,
            origin,
            world,
            clock: Clock::after(stamp),
            freshness: Freshness::default(),
            told,
            timers: Timers::default(),
            outbox: Outbox::default(),
        }
    }

    /// Records that this process writes from here on.
    pub fn start(&mut self, wall: Time) {
        let (operator, epoch) = (self.origin.operator, self.origin.epoch);
        self.enter(None, Cause::Outside, Payload::Started { operator, epoch, decider: DECIDER_VERSION }, wall);
    }

    /// Records that the log lacked records which it had acknowledged when it was opened.
    pub fn lost(&mut self, records: u64, wall: Time) {
        self.enter(None, Cause::Outside, Payload::Lost { records }, wall);
    }

    /// Takes one input in. `wall` is what the clock on the wall shows.
    pub fn take(&mut self, input: Input, wall: Time) {
        match input {
            Input::ListStarted(watch) => self.listings.started(watch),
            Input::Listed(watch, object) => self.listed(watch, &object, wall),
            Input::Changed(watch, object) => self.changed(watch, &object, wall),
            Input::Deleted(watch, object) => self.deleted(watch, &object, wall),
            Input::ListDone(watch) => self.complete(watch, wall),
            Input::NotServed(watch) => {
                self.listings.started(watch);
                self.complete(watch, wall);
            }
            Input::Answered(answered) => self.answered(*answered, wall),
            Input::Looked(looked) => self.looked(&looked, wall),
        }
    }

    /// Asks those whose moment has come.
    pub fn fire(&mut self, wall: Time) {
        while let Some((aggregate, wish)) = self.timers.due(wall) {
            if self.world.domain.exists(&aggregate) {
                let payload = Payload::TimerFired { wanted: wish.at, why: wish.why };
                self.enter(Some(aggregate), Cause::Local(wish.asked_by), payload, wall);
            }
        }
    }

    /// When [`Ledger::fire`] has something to do next.
    pub fn next_timer(&self) -> Option<Time> {
        self.timers.next()
    }

    /// How many aggregates wait for a moment.
    pub fn timers(&self) -> usize {
        self.timers.count()
    }

    /// Hands out what followed from the inputs since the last time.
    pub fn flush(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// The state, to be saved.
    pub fn world(&self) -> &World<O::Domain> {
        &self.world
    }

    /// The kinds that have to be listed before anything is decided.
    pub fn unsettled(&self) -> Vec<Kind> {
        self.listings.unsettled().collect()
    }

    fn listed(&mut self, watch: usize, object: &Value, wall: Time) {
        let Some(id) = self.id_of(watch, object) else { return };
        self.listings.shows(watch, &id);
        match self.freshness.see(&id, object, self.world.head) {
            Age::Newer => self.observe(&id, object, Cause::Outside, wall),
            Age::Same => self.outbox.dropped.same += 1,
            // A list shows the present, unless an answer overtook it; or the API server's store was set back.
            Age::Older => self.look(id),
        }
    }

    fn changed(&mut self, watch: usize, object: &Value, wall: Time) {
        let Some(id) = self.id_of(watch, object) else { return };
        self.listings.shows(watch, &id);
        self.sighted(&id, object, Cause::Outside, wall);
    }

    fn deleted(&mut self, watch: usize, object: &Value, wall: Time) {
        let Some(id) = self.id_of(watch, object) else { return };
        if self.listings.hides(watch, &id) {
            // It left the selector of one watch; another one of its kind still shows it.
            self.sighted(&id, object, Cause::Outside, wall);
        } else if self.freshness.went(&id, object) {
            self.lose(&id, Cause::Outside, wall);
        } else {
            self.outbox.dropped.older += 1;
        }
    }

    fn complete(&mut self, watch: usize, wall: Time) {
        let Some(kind) = self.listings.kind(watch) else { return };
        let of_kind = self.told.range(ObjectId::new(kind, "", "")..).take_while(|id| id.kind == kind);
        let known = of_kind.cloned().collect();
        let Missing { gone, unsure } = self.listings.complete(watch, &known);
        for id in gone {
            self.freshness.is_gone(&id);
            self.lose(&id, Cause::Outside, wall);
        }
        for id in unsure {
            self.look(id);
        }
        if !self.world.synced && self.listings.settled() {
            self.enter(None, Cause::Outside, Payload::Synced, wall);
        }
    }

    fn answered(&mut self, answered: Answered, wall: Time) {
        let Answered { flight, outcome, answers, sights } = answered;
        let cause = Cause::Local(flight.seq);
        for sight in sights {
            let Some(kind) = self.kind_of(sight.resource) else { continue };
            // What stopped a command tells what others wrote: it did not bring that about.
            let is_ground = !outcome.is_done() && flight.stands_on(&sight);
            let cause = if is_ground { Cause::Outside } else { cause.clone() };
            let id = ObjectId::new(kind, sight.namespace, sight.name);
            match sight.object {
                Some(object) if self.listings.covers(&id, &object) => {
                    self.listings.answered(&id);
                    self.sighted(&id, &object, cause, wall);
                }
                Some(_) => {}
                // Others write what a command stands on: there may be a new one since this was answered. Of all else there
                // is one only if it was seen: what was known before the command left, and was not there after it, is gone
                // for good, however late that is told. So a deletion costs no look.
                None if is_ground || self.freshness.came_after(&id, flight.seq) => self.look(id),
                None => {
                    self.freshness.is_gone(&id);
                    self.lose(&id, cause, wall);
                }
            }
        }
        let read =
            catch_unwind(AssertUnwindSafe(|| self.operator.observe_answers(&flight.command, &answers, &outcome)));
        let observations = read.unwrap_or_else(|_| {
            self.outbox.panicked += 1;
            tracing::error!(command = %flight.id, "reading an answer panicked: a defect, please report it");
            Vec::new()
        });
        for observation in observations {
            self.learn(observation, cause.clone(), wall);
        }
        let payload = Payload::Finished { id: flight.id, slot: flight.slot, outcome };
        self.enter(Some(flight.aggregate), cause, payload, wall);
    }

    fn looked(&mut self, looked: &Looked, wall: Time) {
        let id = &looked.look.id;
        let unchanged = self.freshness.version(id) == looked.look.version;
        if looked.object.is_some() {
            self.listings.answered(id);
        }
        match &looked.object {
            Some(object) if unchanged => {
                self.freshness.remember(id, object, self.world.head);
                self.observe(id, object, Cause::Outside, wall);
            }
            Some(object) => self.sighted(id, object, Cause::Outside, wall),
            None if unchanged => {
                self.freshness.is_gone(id);
                self.lose(id, Cause::Outside, wall);
            }
            None => self.outbox.dropped.older += 1,
        }
    }

    /// Observes a sighting unless it is of the past.
    fn sighted(&mut self, id: &ObjectId, object: &Value, cause: Cause, wall: Time) {
        match self.freshness.see(id, object, self.world.head) {
            Age::Newer => self.observe(id, object, cause, wall),
            Age::Same => self.outbox.dropped.same += 1,
            Age::Older => self.outbox.dropped.older += 1,
        }
    }

    /// An object that tells nothing any more is forgotten like one that is gone. One that cannot be read for a defect of
    /// ours changes nothing: it must not stop the work on all others.
    fn observe(&mut self, id: &ObjectId, object: &Value, cause: Cause, wall: Time) {
        let operator = &self.operator;
        let read = || (operator.remark(id.kind, object), operator.observe(id.kind, object));
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok((remark, Some(observation))) => {
                if let Some(remark) = remark.filter(|remark| self.world.is_news(&remark.fact)) {
                    self.enter(None, cause.clone(), Payload::Observed(remark.fact), wall);
                }
                self.learn(observation, cause, wall);
            }
            Ok((_, None)) => self.lose(id, cause, wall),
            Err(_) => {
                self.outbox.panicked += 1;
                tracing::error!(object = %id, "reading an object panicked: a defect, please report it");
            }
        }
    }

    /// Records a fact if it is news. The cause that the object itself names counts more than `cause`.
    fn learn(&mut self, observation: Observation, cause: Cause, wall: Time) {
        let Observation { fact, blobs, cause: named } = observation;
        if !self.world.is_news(&fact) {
            self.outbox.dropped.no_news += 1;
            return;
        }
        self.told.insert(fact.object());
        self.outbox.blobs.extend(blobs);
        let cause = if named == Cause::Outside { cause } else { named };
        self.enter(None, cause, Payload::Observed(fact), wall);
    }

    /// Records that an object is gone if the state holds facts of it.
    fn lose(&mut self, id: &ObjectId, cause: Cause, wall: Time) {
        if self.told.remove(id) {
            self.enter(None, cause, Payload::Gone(id.clone()), wall);
        }
    }

    fn look(&mut self, id: ObjectId) {
        if let Some(resource) = self.resource_of(id.kind) {
            let version = self.freshness.version(&id);
            self.outbox.looks.push(Look { id, resource, version });
        }
    }

    /// Records an input, asks whom it touches, and records what they want.
    fn enter(&mut self, aggregate: Option<Aggregate>, cause: Cause, payload: Payload, wall: Time) {
        let (seq, touched) = self.record(aggregate, cause, payload, wall);
        for aggregate in touched {
            let asked = catch_unwind(AssertUnwindSafe(|| self.world.decide(&aggregate, seq)));
            let decided = asked.unwrap_or_else(|_| {
                self.outbox.panicked += 1;
                tracing::error!(seq = seq.0, %aggregate, "a decision panicked: a defect, please report it with the log");
                Decided::default()
            });
            for payload in decided.payloads {
                let flight = match &payload {
                    Payload::Commanded { id, slot, command } => Some((*id, slot.clone(), command.clone())),
                    _ => None,
                };
                let moved = matches!(payload, Payload::Moved(_));
                let (seq, _) = self.record(Some(aggregate.clone()), Cause::Local(seq), payload, wall);
                self.outbox.gates.extend(decided.gate.filter(|_| moved).map(|gate| (seq, gate)));
                if let Some((id, slot, command)) = flight {
                    let grounds = self.grounds(&aggregate, &command);
                    self.outbox.flights.push(Flight { aggregate: aggregate.clone(), id, slot, command, seq, grounds });
                }
            }
            let soonest = self.world.now.plus_ms(SHORTEST_WAIT_MS);
            let wish = decided.again.map(|(at, why)| Wish { at: at.max(soonest), why, asked_by: seq });
            self.timers.set(&aggregate, wish);
        }
    }

    /// What a command stands on, as it was seen last. What was not seen is no ground: whether it is there now is not asked.
    fn grounds(&self, aggregate: &Aggregate, command: &Command) -> Vec<Requirement> {
        let seen = |ground: Ground| {
            let (id, whole) = match ground {
                Ground::Spec(id) => (id, false),
                Ground::Whole(id) => (id, true),
            };
            let (uid, generation) = self.freshness.uid_and_generation(&id)?;
            let uid = Some(uid.to_owned());
            let version = self.freshness.version(&id).filter(|_| whole).map(|version| version.to_string());
            let resource = self.resource_of(id.kind)?;
            let ObjectId { namespace, name, .. } = id;
            let target = Target { resource, namespace, name };
            Some(Requirement { target, uid, generation, version, may_leave: true })
        };
        self.operator.grounds(&self.world.domain, aggregate, command).into_iter().filter_map(seen).collect()
    }

    fn record(
        &mut self,
        aggregate: Option<Aggregate>,
        cause: Cause,
        payload: Payload,
        wall: Time,
    ) -> (Seq, BTreeSet<Aggregate>) {
        let seq = self.world.head.next();
        let stamp = self.clock.tick(wall);
        let record = Record { seq, stamp, origin: self.origin.clone(), aggregate, cause, payload };
        let touched = self.world.apply(&record);
        self.outbox.records.push(record);
        (seq, touched)
    }

    fn resource_of(&self, kind: Kind) -> Option<&'static Resource> {
        self.watches.iter().find(|watch| watch.kind == kind).map(|watch| watch.resource)
    }

    fn kind_of(&self, resource: &Resource) -> Option<Kind> {
        self.watches
            .iter()
            .find(|watch| watch.resource.group == resource.group && watch.resource.plural == resource.plural)
            .map(|watch| watch.kind)
    }

    fn id_of(&self, watch: usize, object: &Value) -> Option<ObjectId> {
        let kind = self.watches.get(watch)?.kind;
        let text = |pointer| object.at(pointer).and_then(Value::as_str);
        let namespace = text("/metadata/namespace").unwrap_or_default();
        Some(ObjectId::new(kind, namespace, text("/metadata/name")?))
    }
}

#[cfg(test)]
mod tests;
