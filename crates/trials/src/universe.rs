//! The hub, the managed clusters, their inhabitants, stores, storage and operators, in virtual time.
//!
//! ```text
//!   queue ──> the next moment ──> an agent runs │ a watch tells │ an operator steps │ a call is made │ an answer comes
//!     ^                                                                                        │
//!     └──────────────── what changed wakes who watches it, a few milliseconds later ───────────┘
//! ```
//!
//! One thread, no sockets, no clock: time jumps from one entry of the queue to the next. All that is random (how long
//! things take, what goes wrong) comes from the seed, so a run is a function of its plan.

mod links;
mod operators;
mod power;
mod requests;
mod setting;
mod subscribers;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use ramen_events::{Controller, Wait};
use ramen_ledger::{Flight, Look};
use ramen_ports::{
    Answer, Effect,
    requests::{Reply, Request},
};
use ramen_sim::{
    agents::{Agent, AgentWorld},
    api::Resource,
    api_server::watch::Watch,
    apps::{Application, deploy::Applications},
    cluster::Cluster,
    rng::Rng,
    storage::Storage,
    time::Time,
};

use self::{links::Far, subscribers::Subscribers};
use crate::{
    hazards::{Fared, Hazards, Mishap, Point},
    process::Process,
    stores::Stores,
};

pub(crate) use self::setting::serves;
pub use self::{
    operators::RESTART,
    power::{BOOT, Rebuilt},
    setting::{Outline, ReclaimPolicy},
};

/// The hub's name among the clusters.
pub const HUB: &str = "hub";

/// What happens at a moment.
#[derive(Debug)]
enum Due {
    /// An agent looks.
    Agent(usize),
    /// A watch of an operator tells what it has to tell.
    Watch { process: usize, life: u64, watch: usize },
    /// An operator takes in what waits.
    Step { process: usize, life: u64 },
    /// The next call of a command is made.
    Call { process: usize, life: u64, flight: u64 },
    /// The answer to it comes.
    Answered { process: usize, life: u64, flight: u64, outcome: Option<ramen_events::Outcome> },
    /// A request to a store is sent, one of several side by side.
    Send { process: usize, life: u64, flight: u64, index: usize, request: Box<Request> },
    /// A request to a slow store takes effect, whatever became of who sent it.
    Arrive(Box<requests::OnItsWay>),
    /// The answer to a request to a store comes.
    Replied { process: usize, life: u64, flight: u64, index: usize, reply: Box<Result<Reply, ramen_events::Outcome>> },
    /// An object is looked up; if that fails, again after a pause.
    Look { process: usize, life: u64, look: Box<Look>, pause: Duration },
    /// An operator starts.
    Start { process: usize },
    /// An operator that was replaced finds out.
    Retire { process: usize },
}

/// One cluster, or the hub.
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    /// Milliseconds by which its clock is ahead.
    skew: Arc<AtomicI64>,
    /// Whether it has power.
    pub(crate) up: bool,
    /// When it lost power last.
    lost: Option<Time>,
    /// Whether its agents reach the hub.
    pub(crate) hub_link: bool,
    /// Stores that its operator does not reach.
    pub(crate) cut_off_stores: BTreeSet<String>,
}

/// An agent, where it lives, and when it looks next.
struct Inhabitant {
    home: String,
    agent: Box<dyn Agent>,
    watched: Vec<(ramen_sim::agents::Side, Resource)>,
    due: Option<Time>,
}

/// An operator: the process, and what is on its way to and from it.
pub(crate) struct Operated {
    /// `hub`, or the cluster that it runs on.
    pub(crate) home: String,
    pub(crate) process: Box<dyn Process>,
    /// Counts starts and deaths: what belongs to an earlier life is dropped.
    life: u64,
    watches: Vec<Option<Watch>>,
    /// Watches with a delivery under way.
    telling: BTreeSet<usize>,
    stepping: Option<Time>,
    flights: BTreeMap<u64, Airborne>,
    next_flight: u64,
    /// A second one that believes that it leads, too.
    pub(crate) rival: bool,
}

/// A command under way.
struct Airborne {
    flight: Flight,
    effects: std::collections::VecDeque<Effect>,
    /// The operation on a store that is the present effect.
    underway: Option<requests::Underway>,
    answers: Vec<Answer>,
    sights: Vec<ramen_ledger::Sight>,
}

/// What an event of the universe changed, for those who check.
#[derive(Debug, Default)]
pub struct Turn {
    /// Kinds that changed, by cluster.
    pub touched: Vec<(String, BTreeSet<ramen_sim::api_server::kinds::TypeName>)>,
    /// Records that were appended: by whom, which.
    pub appended: Vec<(String, Vec<ramen_events::Record>)>,
    /// Gates that are shut where those say that something moved, if its position does not tell which: by whom, in which record.
    pub gates: Vec<((String, ramen_events::Seq), &'static str)>,
    /// A store was written or listed.
    pub stored: bool,
    /// Objects that were deleted from stores: by whose operator, from which store, which key.
    pub deleted: Vec<(String, String, String)>,
    /// An operator that panicked: where it runs.
    pub panicked: Option<String>,
    /// An agent of this name ran.
    pub ran: Option<usize>,
}

/// Everything there is.
pub struct Universe {
    now: Arc<AtomicU64>,
    begin: Time,
    queue: BTreeMap<(Time, u64), Due>,
    tick: u64,
    rng: Rng,
    pub(crate) places: BTreeMap<String, Place>,
    /// The stores.
    pub stores: Stores,
    storage: Mutex<Storage>,
    inhabitants: Vec<Inhabitant>,
    subscribers: Subscribers,
    pub(crate) operators: Vec<Operated>,
    applications: Applications,
    pub(crate) hazards: Hazards,
    turn: Turn,
    /// Events so far.
    pub events: u64,
    /// Of which objects operators told people what, by reason.
    pub reported: BTreeSet<(String, String)>,
    /// Applications whose DRPC was deleted while its policy was not there: the hub knew of nothing to delete with it.
    pub left_behind: BTreeSet<String>,
    /// When claims were taken out of their applications, last: by application and claim.
    pub(crate) dropped: BTreeMap<(String, String), Time>,
    /// Whether what cannot be carried out is noted.
    pub strict: bool,
    /// The first request that could not be carried out, and why, where that is noted.
    pub refused: Option<String>,
    /// What people changed by hand: where, of which kind, and by which name.
    by_hand: BTreeSet<(String, String, String)>,
    backup: Option<power::Copies>,
    /// How often the hub was rebuilt without its placement decisions: then nobody knows where unprotected applications run.
    pub hub_forgot: u32,
    /// Agents that stand still.
    paused: BTreeSet<String>,
    outline: Outline,
}

impl Universe {
    /// The moment.
    pub fn now(&self) -> Time {
        Time(self.now.load(Ordering::Relaxed))
    }

    /// A person changes an object on a cluster by hand.
    pub(crate) fn note_by_hand(&mut self, on: &str, kind: &str, name: &str) {
        self.by_hand.insert((on.to_owned(), kind.to_owned(), name.to_owned()));
    }

    /// Whether a person changed this object by hand: then it is no more what the world made it.
    pub(crate) fn is_changed_by_hand(&self, on: &str, kind: &Resource, name: &str) -> bool {
        !self.by_hand.is_empty() && self.by_hand.contains(&(on.to_owned(), kind.kind.to_owned(), name.to_owned()))
    }

    /// Whether a person changed any object of one of these kinds by hand, wherever.
    pub(crate) fn are_changed_by_hand(&self, kinds: &[&Resource]) -> bool {
        self.by_hand.iter().any(|(_, of, _)| kinds.iter().any(|kind| kind.kind == of))
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now().since(self.begin)
    }

    /// One cluster's API server, or the hub's.
    ///
    /// # Panics
    /// Never for clusters of the outline.
    pub fn cluster(&self, name: &str) -> &Cluster {
        #[expect(clippy::expect_used, reason = "plans and scenarios are checked against the outline before they run")]
        &self.places.get(name).expect("a cluster of the outline").cluster
    }

    /// The names of the managed clusters.
    pub fn managed(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str).filter(|name| *name != HUB)
    }

    /// Whether a cluster has power.
    pub fn is_up(&self, name: &str) -> bool {
        self.places.get(name).is_some_and(|place| place.up)
    }

    /// The storage.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The applications that exist.
    pub fn applications(&self) -> MutexGuard<'_, Vec<Application>> {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it was made of.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// What the mishaps of the run were.
    pub fn mishaps(&self) -> &[(Time, String)] {
        &self.hazards.happened
    }

    /// What became of each rule of mishaps, in their order.
    pub fn fared(&self) -> &[Fared] {
        self.hazards.fared()
    }

    /// Which kinds of mishaps there were so far.
    pub fn struck(&self) -> &BTreeSet<Mishap> {
        &self.hazards.struck
    }

    /// No mishap happens from now on.
    pub fn calm(&mut self) {
        self.hazards.end();
    }

    /// When the next thing happens.
    pub fn next(&self) -> Option<Time> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets time pass to `at` without anything happening.
    pub fn pass_to(&mut self, at: Time) {
        self.now.fetch_max(at.millis(), Ordering::Relaxed);
    }

    /// Lets the next thing happen, and tells what it changed; `None` when nothing is to happen any more.
    pub fn turn(&mut self) -> Option<Turn> {
        let ((at, _), due) = self.queue.pop_first()?;
        self.pass_to(at);
        self.events += 1;
        self.happen(due);
        self.spread();
        Some(std::mem::take(&mut self.turn))
    }

    /// Wakes who watches what changed. To be called after changes from outside, by users and faults.
    pub fn spread(&mut self) {
        let Self { places, subscribers, .. } = self;
        let mut woken = BTreeSet::new();
        for (name, place) in places.iter() {
            let touched = place.cluster.take_touched();
            if touched.is_empty() {
                continue;
            }
            subscribers.of(name, &touched, &mut woken);
            self.turn.touched.push((name.clone(), touched));
        }
        for subscriber in woken {
            self.wake(subscriber);
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Agent(index) => self.run_agent(index),
            Due::Watch { process, life, watch } if self.lives(process, life) => self.tell(process, watch),
            Due::Step { process, life } if self.lives(process, life) => self.step(process),
            Due::Call { process, life, flight } if self.lives(process, life) => self.call(process, flight),
            Due::Answered { process, life, flight, outcome } if self.lives(process, life) => {
                self.answered(process, flight, outcome);
            }
            Due::Send { process, life, flight, index, request } if self.lives(process, life) => {
                self.send(process, flight, index, *request);
            }
            Due::Arrive(on_its_way) => self.arrive(*on_its_way),
            Due::Replied { process, life, flight, index, reply } if self.lives(process, life) => {
                self.replied(process, flight, index, *reply);
            }
            Due::Look { process, life, look, pause } if self.lives(process, life) => self.look(process, *look, pause),
            Due::Start { process } => self.start(process),
            Due::Retire { process } => self.end_life(process),
            _ => {}
        }
    }

    fn enqueue(&mut self, after: Duration, due: Due) {
        let at = self.now() + after;
        self.enqueue_at(at, due);
    }

    fn enqueue_at(&mut self, at: Time, due: Due) {
        self.tick += 1;
        self.queue.insert((at, self.tick), due);
    }

    /// A span of up to so many milliseconds.
    fn lag(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.rng.below(most - least + 1))
    }

    fn run_agent(&mut self, index: usize) {
        let now = self.now();
        let Some(inhabitant) = self.inhabitants.get_mut(index) else { return };
        if inhabitant.due.is_some_and(|due| due <= now) {
            inhabitant.due = None;
        } else {
            return; // it was woken earlier instead
        }
        let Some(place) = self.places.get(&inhabitant.home) else { return };
        let Some(hub) = self.places.get(HUB) else { return };
        if !place.up || self.paused.contains(inhabitant.agent.name()) {
            return;
        }
        let far = Far { cluster: &hub.cluster, cut: !(place.hub_link && hub.up) };
        let world = AgentWorld { hub: &far, own: &place.cluster, storage: &self.storage };
        let next = inhabitant.agent.run(now, &world);
        let watched = inhabitant.agent.watches();
        if watched != inhabitant.watched {
            self.subscribers.agent(index, &inhabitant.home, &inhabitant.watched, &watched);
            inhabitant.watched = watched;
        }
        self.turn.ran = Some(index);
        if let Some(next) = next {
            self.plan_agent(index, next.max(now + Duration::from_millis(1)));
        }
    }

    /// Has an agent look at a moment, unless it does so earlier anyway.
    fn plan_agent(&mut self, index: usize, at: Time) {
        let Some(inhabitant) = self.inhabitants.get_mut(index) else { return };
        if inhabitant.due.is_none_or(|due| at < due) {
            inhabitant.due = Some(at);
            self.enqueue_at(at, Due::Agent(index));
        }
    }

    fn wake(&mut self, subscriber: subscribers::Subscriber) {
        match subscriber {
            subscribers::Subscriber::Agent(index) => {
                let at = self.now() + self.lag(1, 4);
                self.plan_agent(index, at);
            }
            subscribers::Subscriber::Watch { process, watch } => self.announce(process, watch),
        }
    }

    /// What each operator waits for and fails at, in words: whose, what.
    pub fn waits(&self) -> Vec<(String, String)> {
        let mut waits = Vec::new();
        for operated in self.operators.iter().filter(|operated| !operated.rival) {
            if let Some(place) = self.places.get(&operated.home).filter(|place| !place.up) {
                let since = place.lost.map(|lost| format!(" since {lost}")).unwrap_or_default();
                let what = if operated.home == HUB { "the hub" } else { "the cluster" };
                waits.push((operated.home.clone(), format!("{what} has no power{since}")));
                continue;
            }
            for (aggregate, position) in operated.process.positions().into_iter().flatten() {
                if let Some(wait) = &position.wait {
                    let words = format!("{aggregate}, step {}: {}", position.step, wait.sentence(position.since));
                    waits.push((operated.home.clone(), words));
                }
            }
            waits.extend(operated.process.failing().into_iter().map(|words| (operated.home.clone(), words)));
        }
        waits
    }

    /// What an operator waits for on behalf of the object of this name, if it has for longer than `least` by its own clock.
    pub fn long_wait(&self, home: &str, of: Controller, name: &str, least: Duration) -> Option<Wait> {
        let operated = self.operators.iter().find(|operated| !operated.rival && operated.home == home)?;
        let now = ramen_events::Time(self.places.get(home)?.cluster.now().millis());
        let mut positions = operated.process.positions()?.iter();
        let (_, position) = positions.find(|(about, _)| about.controller == of && about.name == name)?;
        let long = u128::from(now.ms_since(position.since)) > least.as_millis();
        position.wait.clone().filter(|_| long)
    }

    /// The first operator whose log, folded anew, gives another state than the one it has.
    pub fn unlike_its_log(&self) -> Option<&str> {
        let mut stays = self.operators.iter().filter(|operated| !operated.rival);
        stays.find(|operated| !operated.process.is_like_its_log()).map(|operated| operated.home.as_str())
    }

    /// Whether an operator was replaced there that does not know it yet.
    pub fn has_rival(&self, home: &str) -> bool {
        self.operators.iter().any(|operated| operated.rival && operated.home == home && operated.process.is_up())
    }

    /// The logs of the operators: whose, and what is on its disk.
    pub fn logs(&self) -> Vec<(String, ramen_events::log::MemoryStore)> {
        let stays = self.operators.iter().filter(|operated| !operated.rival);
        stays.map(|operated| (operated.home.clone(), operated.process.disk().clone())).collect()
    }

    /// The logs of operators that were replaced, in the order in which they were: whose, and what is on its disk.
    pub fn replaced_logs(&self) -> Vec<(String, ramen_events::log::MemoryStore)> {
        let replaced = self.operators.iter().filter(|operated| operated.rival);
        replaced.map(|operated| (operated.home.clone(), operated.process.disk().clone())).collect()
    }

    /// How many points at which something could go wrong were met, by kind.
    pub fn points_met(&self) -> &BTreeMap<Point, u64> {
        &self.hazards.met
    }
}
