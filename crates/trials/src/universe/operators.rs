//! The shell around an operator: watches, steps, calls, answers.

use std::time::Duration;

use ramen_events::Outcome;
use ramen_ledger::{Answered, Flight, Input, Look, Looked};
use ramen_ports::{Answer, Effect, Target};
use ramen_sim::{
    api_server::{
        selector::Labels,
        view::{Form, View},
        watch::{Filter, Watch, WatchEvent},
    },
    cluster::Cluster,
    time::Time,
};

use super::{Airborne, Due, HUB, Operated, Universe};
use crate::{
    calls::{self, Called},
    hazards::{self, Mishap, Point},
    process::{self, Death},
};

/// From a broken watch to the next list.
const RELIST: Duration = Duration::from_millis(400);
/// How long a call may take before the operator gives it up.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);
/// From the death of a process to its next start.
pub const RESTART: Duration = Duration::from_secs(2);
/// Pauses between attempts to look an object up: first, longest.
const LOOK_PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// By how much a late watch is late.
const LATE: Duration = Duration::from_secs(5);

impl Universe {
    pub(super) fn lives(&self, process: usize, life: u64) -> bool {
        self.operators.get(process).is_some_and(|operated| operated.life == life && operated.process.is_up())
    }

    /// The time as an operator's clock shows it.
    fn wall(&self, process: usize) -> ramen_events::Time {
        let home = self.operators.get(process).map_or(HUB, |operated| operated.home.as_str());
        ramen_events::Time(self.cluster(home).now().millis())
    }

    pub(super) fn start(&mut self, process: usize) {
        let wall = self.wall(process);
        let Some(operated) = self.operators.get_mut(process) else { return };
        let powered = self.places.get(&operated.home).is_some_and(|place| place.up);
        // One that was replaced is not started again: whoever starts then finds that another one leads.
        if operated.process.is_up() || operated.rival || !powered {
            return;
        }
        operated.life += 1;
        operated.process.start(wall);
        operated.watches = operated.process.watches().iter().map(|_| None).collect();
        let count = operated.watches.len();
        // What `Started` brought about is appended before anything else.
        self.schedule_step(process, 0);
        for watch in 0..count {
            self.announce(process, watch);
        }
    }

    /// The process is gone, with all that was on its way to it. Calls that were made have been made.
    pub(super) fn end_life(&mut self, process: usize) {
        if let Some(operated) = self.operators.get_mut(process) {
            operated.life += 1;
            operated.telling.clear();
            operated.flights.clear();
            operated.stepping = None;
            operated.watches.clear();
            if operated.process.is_up() {
                operated.process.crash(usize::MAX);
            }
        }
    }

    /// Kills an operator, which is started again a little later. With `lost`, that many of the unsynced batches of its
    /// log are lost.
    pub fn crash(&mut self, home: &str, lost: usize) {
        for index in 0..self.operators.len() {
            if self.operators.get(index).is_some_and(|operated| operated.home == home && !operated.rival) {
                self.kill(index, lost);
                self.enqueue(RESTART, Due::Start { process: index });
            }
        }
    }

    pub(super) fn kill(&mut self, process: usize, lost: usize) {
        if let Some(operated) = self.operators.get_mut(process) {
            let surviving = operated.process.unsynced().saturating_sub(lost);
            operated.process.crash(surviving);
        }
        self.end_life(process);
    }

    /// Lets a watch tell what it knows, a little later.
    pub(super) fn announce(&mut self, process: usize, watch: usize) {
        let after = self.lag(0, 3);
        self.announce_after(process, watch, after);
    }

    fn announce_after(&mut self, process: usize, watch: usize, after: Duration) {
        let Some(operated) = self.operators.get_mut(process) else { return };
        if operated.process.is_up() && operated.telling.insert(watch) {
            let life = operated.life;
            self.enqueue(after, Due::Watch { process, life, watch });
        }
    }

    pub(super) fn tell(&mut self, process: usize, index: usize) {
        let now = self.now();
        let Some(operated) = self.operators.get_mut(process) else { return };
        operated.telling.remove(&index);
        let Some(watch) = operated.process.watches().get(index).cloned() else { return };
        let home = operated.home.clone();
        let listing = operated.watches.get(index).is_none_or(Option::is_none);
        let (point, what) = if listing { (Point::List, "list") } else { (Point::Watch, "watch") };
        let mishap = self.hazards.at(point, &home, || format!("the {what} of {}", watch.resource.kind), now);
        match mishap {
            Some(Mishap::Gap) => {
                if let Some(slot) = self.operators.get_mut(process).and_then(|o| o.watches.get_mut(index)) {
                    *slot = None;
                }
                return self.announce_after(process, index, RELIST);
            }
            Some(Mishap::Late) => return self.announce_after(process, index, LATE),
            _ => {}
        }
        let Some(place) = self.places.get(&home) else { return };
        let Some(operated) = self.operators.get_mut(process) else { return };
        let Some(slot) = operated.watches.get_mut(index) else { return };
        let mut inputs = Vec::new();
        let mut broken = false;
        place.cluster.with(|server, _| {
            let resource = watch.resource;
            let Some(kind) = server.registry().find(resource.group, resource.version, resource.plural) else {
                inputs.push(Input::NotServed(index));
                return;
            };
            let fresh = slot.is_none();
            let following = slot.get_or_insert_with(|| {
                let labels = Labels::parse(&watch.labels).unwrap_or_default();
                let filter = Filter { labels, ..Filter::all(&kind, watch.namespace.as_deref()) };
                Watch::selecting(View { kind: kind.clone(), form: Form::Whole, now }, filter)
            });
            if fresh {
                inputs.push(Input::ListStarted(index));
            }
            for event in following.poll(server) {
                match event {
                    WatchEvent::Change(what, object) => {
                        let object = object.shared();
                        inputs.push(match what {
                            "DELETED" => Input::Deleted(index, object),
                            _ if fresh => Input::Listed(index, object),
                            _ => Input::Changed(index, object),
                        });
                    }
                    WatchEvent::Bookmark(..) => {}
                    WatchEvent::Error(_) => broken = true,
                }
            }
            if fresh {
                inputs.push(Input::ListDone(index));
            }
        });
        if broken {
            *slot = None;
        }
        if mishap == Some(Mishap::Twice) {
            let again: Vec<Input> = inputs.iter().filter_map(copy).collect();
            inputs.extend(again);
        }
        let any = !inputs.is_empty();
        for input in inputs {
            operated.process.push(input);
        }
        if broken {
            self.announce_after(process, index, RELIST);
        }
        if any {
            self.schedule_step(process, 1);
        }
    }

    /// Has an operator look at what waits, within so many milliseconds.
    pub(super) fn schedule_step(&mut self, process: usize, most: u64) {
        let after = self.lag(0, most);
        let at = self.now() + after;
        self.schedule_step_at(process, at);
    }

    fn schedule_step_at(&mut self, process: usize, at: Time) {
        let Some(operated) = self.operators.get_mut(process) else { return };
        if operated.process.is_up() && operated.stepping.is_none_or(|planned| at < planned) {
            operated.stepping = Some(at);
            let life = operated.life;
            self.enqueue_at(at, Due::Step { process, life });
        }
    }

    pub(super) fn step(&mut self, process: usize) {
        let (now, wall) = (self.now(), self.wall(process));
        let Some(operated) = self.operators.get_mut(process) else { return };
        operated.stepping = None;
        let home = operated.home.clone();
        let mishap = self.hazards.at(Point::Append, &home, || "an append".to_owned(), now);
        let death = match mishap {
            Some(Mishap::CrashBefore) => Some(Death::BeforeAppend),
            Some(Mishap::CrashAfter | Mishap::CrashLosingTail) => Some(Death::AfterAppend),
            Some(Mishap::DiskFull) => Some(Death::DiskFull),
            _ => None,
        };
        let lost = if mishap == Some(Mishap::CrashLosingTail) { usize::MAX } else { 0 };
        let Some(operated) = self.operators.get_mut(process) else { return };
        let stepped = if lost > 0 { None } else { operated.process.step(wall, death) };
        if operated.process.take_panicked() {
            self.turn.panicked = Some(home.clone());
        }
        let Some(stepped) = stepped else {
            self.kill(process, lost);
            self.enqueue(RESTART, Due::Start { process });
            return;
        };
        self.turn.gates.extend(stepped.gates.into_iter().map(|(seq, gate)| ((home.clone(), seq), gate)));
        if !stepped.records.is_empty() {
            self.turn.appended.push((home.clone(), stepped.records));
        }
        for flight in stepped.flights {
            self.depart(process, flight);
        }
        for look in stepped.looks {
            let (after, life) = (self.lag(1, 5), self.life_of(process));
            self.enqueue(after, Due::Look { process, life, look: Box::new(look), pause: LOOK_PAUSES.0 });
        }
        self.plan_timer(process, wall);
    }

    pub(super) fn life_of(&self, process: usize) -> u64 {
        self.operators.get(process).map_or(0, |operated| operated.life)
    }

    fn plan_timer(&mut self, process: usize, wall: ramen_events::Time) {
        let now = self.now();
        let due = self.operators.get(process).and_then(|operated| operated.process.next_timer());
        if let Some(due) = due {
            let at = now + Duration::from_millis(due.ms_since(wall).max(1));
            self.schedule_step_at(process, at);
        }
    }

    fn depart(&mut self, process: usize, flight: Flight) {
        // The records are synced first.
        let after = self.lag(1, 3);
        let Some(operated) = self.operators.get_mut(process) else { return };
        let (number, life) = (operated.next_flight, operated.life);
        operated.next_flight += 1;
        match operated.process.render(&flight) {
            Ok(effects) => {
                let effects = effects.into();
                let airborne = Airborne { flight, effects, underway: None, answers: Vec::new(), sights: Vec::new() };
                operated.flights.insert(number, airborne);
                self.enqueue(after, Due::Call { process, life, flight: number });
            }
            Err(message) => {
                let outcome = Outcome::Refused { code: 0, reason: "CannotRender".to_owned(), message };
                let effects = [].into();
                let airborne = Airborne { flight, effects, underway: None, answers: Vec::new(), sights: Vec::new() };
                operated.flights.insert(number, airborne);
                self.enqueue(after, Due::Answered { process, life, flight: number, outcome: Some(outcome) });
            }
        }
    }

    /// Makes the next call of a command.
    pub(super) fn call(&mut self, process: usize, number: u64) {
        let now = self.now();
        let Some(operated) = self.operators.get_mut(process) else { return };
        let (home, life) = (operated.home.clone(), operated.life);
        let Some(effect) = operated.flights.get_mut(&number).and_then(|airborne| airborne.effects.pop_front()) else {
            self.enqueue(Duration::ZERO, Due::Answered { process, life, flight: number, outcome: Some(Outcome::Done) });
            return;
        };
        let effect = match effect {
            Effect::Require(requirement) => {
                let Target { resource, namespace, name } = &requirement.target;
                let what = || format!("read {} {namespace}/{name}", resource.kind);
                return self.require(process, number, what, |cluster| calls::unmet(cluster, &requirement));
            }
            Effect::RequireUnused(unused) => {
                let what = || format!("read who uses claim {}/{}", unused.namespace, unused.claim);
                return self.require(process, number, what, |cluster| calls::used(cluster, &unused));
            }
            Effect::Store { profile, operation } => return self.open(process, number, profile, operation),
            effect => effect,
        };
        if let Effect::Event { regarding, reason, .. } = &effect {
            self.reported.insert((regarding.name.clone(), reason.clone()));
        }
        let mishap = match &effect {
            Effect::Event { .. } => None,
            effect => self.hazards.at(Point::Call, &home, || hazards::describe(effect), now),
        };
        if mishap == Some(Mishap::CrashBefore) {
            return self.fall(process, 0);
        }
        let instead = mishap.and_then(Mishap::failure);
        if let Some(outcome) = instead {
            let after = self.lag(1, 5);
            self.enqueue(after, Due::Answered { process, life, flight: number, outcome: Some(outcome) });
            return;
        }
        let told = |universe: &Self| {
            let airborne = universe.operators.get(process).and_then(|operated| operated.flights.get(&number));
            airborne.map_or((0, 0), |airborne| (airborne.answers.len(), airborne.sights.len()))
        };
        let (answers, sights) = told(self);
        let (outcome, after) = self.carry_out(process, number, &home, &effect);
        match mishap {
            Some(Mishap::CrashAfter | Mishap::CrashLosingTail) => {
                let lost = if mishap == Some(Mishap::CrashLosingTail) { usize::MAX } else { 0 };
                self.kill(process, lost);
                self.enqueue(RESTART, Due::Start { process });
            }
            Some(Mishap::LostAnswer) => {
                if let Some(airborne) = self.operators.get_mut(process).and_then(|o| o.flights.get_mut(&number)) {
                    airborne.answers.truncate(answers);
                    airborne.sights.truncate(sights);
                }
                let outcome = Some(Outcome::Unknown { message: "no answer in time".to_owned() });
                self.enqueue(CALL_LIMIT, Due::Answered { process, life, flight: number, outcome });
            }
            _ => {
                let outcome = (outcome != Outcome::Done).then_some(outcome);
                self.enqueue(after, Due::Answered { process, life, flight: number, outcome });
            }
        }
    }

    /// The process dies, and is started again a little later.
    pub(super) fn fall(&mut self, process: usize, lost: usize) {
        self.kill(process, lost);
        self.enqueue(RESTART, Due::Start { process });
    }

    /// Asks what a command requires. If it is not so the next call is not made, and what was found is told.
    fn require(
        &mut self,
        process: usize,
        number: u64,
        what: impl Fn() -> String,
        unmet: impl FnOnce(&Cluster) -> Option<Called>,
    ) {
        let now = self.now();
        let Some(operated) = self.operators.get(process) else { return };
        let (home, life) = (operated.home.clone(), operated.life);
        let mishap = self.hazards.at(Point::Read, &home, what, now);
        if mishap == Some(Mishap::CrashBefore) {
            return self.fall(process, 0);
        }
        let failure = mishap.and_then(Mishap::failure);
        let (outcome, after) = match failure {
            Some(outcome) => (Some(outcome), self.lag(1, 5)),
            None if mishap == Some(Mishap::LostAnswer) => (Some(unheard()), CALL_LIMIT),
            None => {
                let unmet = unmet(self.cluster(&home));
                let airborne = self.operators.get_mut(process).and_then(|o| o.flights.get_mut(&number));
                let outcome = unmet.map(|Called { outcome, sight }| {
                    if let Some(airborne) = airborne {
                        airborne.sights.extend(sight);
                    }
                    outcome
                });
                (outcome, self.lag(1, 5))
            }
        };
        self.enqueue(after, Due::Answered { process, life, flight: number, outcome });
    }

    fn carry_out(&mut self, process: usize, number: u64, home: &str, effect: &Effect) -> (Outcome, Duration) {
        let after = self.lag(1, 5);
        let Some(place) = self.places.get(home) else { return (Outcome::Done, after) };
        let manager = if home == HUB { "ramen-hub" } else { "ramen-spoke" };
        let called = calls::call(&place.cluster, manager, effect);
        let object = called.sight.as_ref().and_then(|sight| sight.object.clone());
        let answer = if called.outcome == Outcome::Done { Some(process::answer(object)) } else { None };
        if let Some(answer) = answer {
            self.note(process, number, answer, called.sight);
        } else if let Some(airborne) = self.operators.get_mut(process).and_then(|o| o.flights.get_mut(&number)) {
            airborne.sights.extend(called.sight);
        }
        (called.outcome, after)
    }

    pub(super) fn note(&mut self, process: usize, number: u64, answer: Answer, sight: Option<ramen_ledger::Sight>) {
        if let Some(airborne) = self.operators.get_mut(process).and_then(|o| o.flights.get_mut(&number)) {
            airborne.answers.push(answer);
            airborne.sights.extend(sight);
        }
    }

    /// An answer came: `None` when it is good and perhaps not the last one.
    pub(super) fn answered(&mut self, process: usize, number: u64, outcome: Option<Outcome>) {
        let Some(operated) = self.operators.get_mut(process) else { return };
        let life = operated.life;
        let outcome = match outcome {
            Some(outcome) => outcome,
            None if operated.flights.get(&number).is_some_and(|airborne| !airborne.effects.is_empty()) => {
                self.enqueue(Duration::ZERO, Due::Call { process, life, flight: number });
                return;
            }
            None => Outcome::Done,
        };
        let Some(Airborne { flight, answers, sights, .. }) = operated.flights.remove(&number) else { return };
        operated.process.push(Input::Answered(Box::new(Answered { flight, outcome, answers, sights })));
        self.schedule_step(process, 1);
    }

    /// Looks an object up, again and again until there is an answer.
    pub(super) fn look(&mut self, process: usize, look: Look, pause: Duration) {
        let now = self.now();
        let Some(operated) = self.operators.get(process) else { return };
        let (home, life) = (operated.home.clone(), operated.life);
        let mishap = self.hazards.at(Point::Read, &home, || format!("look at {}", look.id), now);
        if mishap == Some(Mishap::CrashBefore) {
            return self.fall(process, 0);
        }
        if mishap.is_some() {
            let after = if mishap == Some(Mishap::LostAnswer) { CALL_LIMIT } else { self.lag(1, 5) };
            let next = (pause * 2).min(LOOK_PAUSES.1);
            self.enqueue(after + pause, Due::Look { process, life, look: Box::new(look), pause: next });
            return;
        }
        let (namespace, name) = (look.id.namespace.clone(), look.id.name.clone());
        let object = calls::read(self.cluster(&home), &Target { resource: look.resource, namespace, name });
        if let Some(operated) = self.operators.get_mut(process) {
            operated.process.push(Input::Looked(Box::new(Looked { look, object })));
        }
        self.schedule_step(process, 1);
    }

    /// A second operator starts beside the first, which does not know yet that it no longer leads.
    pub fn start_rival(&mut self, home: &str, first_lasts: Duration) {
        let Some(first) = self
            .operators
            .iter()
            .position(|operated| operated.home == home && !operated.rival && operated.process.is_up())
        else {
            return;
        };
        let Some(operated) = self.operators.get_mut(first) else { return };
        let process = operated.process.rival();
        let kinds = process.watches().to_vec();
        // The new one is the one that stays; the old one is the rival from now on.
        operated.rival = true;
        let index = self.operators.len();
        for (watch, kind) in kinds.iter().enumerate() {
            self.subscribers.add(home, kind.resource, super::subscribers::Subscriber::Watch { process: index, watch });
        }
        self.operators.push(Operated::new(home, process));
        self.enqueue(first_lasts, Due::Retire { process: first });
        self.enqueue(Duration::ZERO, Due::Start { process: index });
    }
}

/// The end of a call whose answer is lost.
pub(super) fn unheard() -> Outcome {
    Outcome::Unknown { message: "no answer in time".to_owned() }
}

/// What a watch may tell twice. Lists are read as a whole.
fn copy(input: &Input) -> Option<Input> {
    match input {
        Input::Changed(index, object) => Some(Input::Changed(*index, object.clone())),
        Input::Deleted(index, object) => Some(Input::Deleted(*index, object.clone())),
        _ => None,
    }
}
