//! What can go wrong at each point where an operator meets the world, and when it does.
//!
//! A [`Rule`] says at which points, how often or which one of them in turn, and what happens there. Seeds, plans,
//! scenarios and exhaustive runs all say it so.

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::Outcome;
use ramen_ports::{Effect, requests::Request};
use ramen_sim::{rng::Rng, time::Time};
use serde::{Deserialize, Serialize};

use crate::{calls, span};

/// A kind of point at which something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Inputs were decided on and are about to be appended.
    Append,
    /// A call that changes something in the API server or in a store is about to be made.
    Call,
    /// Something is about to be read, past all watches: what a command requires, what a look is at, what lies in a store.
    Read,
    /// A watch has something to tell.
    Watch,
    /// A watch begins, anew perhaps, and lists what there is.
    List,
}

/// What goes wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mishap {
    /// The process dies before: nothing of it happened.
    CrashBefore,
    /// The process dies after: it happened, and the process does not know.
    CrashAfter,
    /// As `crash-after`, and the log's unsynced tail is lost with it.
    CrashLosingTail,
    /// The disk is full: the append fails, and the process ends.
    DiskFull,
    /// Answered with "conflict", without effect.
    Conflict,
    /// Answered with "too many requests", without effect.
    TooMany,
    /// Answered with "internal error", without effect.
    Broken,
    /// Never answered, without effect.
    Unheard,
    /// Never answered, though it took effect.
    LostAnswer,
    /// The watch breaks off: what it had to tell is missed, and it lists again.
    Gap,
    /// What the watch has to tell comes late; at its beginning the list fails, and is repeated as much later.
    Late,
    /// What the watch has to tell comes twice.
    Twice,
}

impl Mishap {
    /// Where this can happen. What can happen at random calls can happen at reads, too, if they answer reads at all, and what
    /// can be late at random, at lists.
    pub fn point(self) -> &'static [Point] {
        match self {
            Self::CrashBefore | Self::CrashAfter | Self::CrashLosingTail => &[Point::Append, Point::Call],
            Self::DiskFull => &[Point::Append],
            Self::Conflict | Self::TooMany | Self::Broken | Self::Unheard | Self::LostAnswer => &[Point::Call],
            Self::Gap | Self::Late | Self::Twice => &[Point::Watch],
        }
    }

    /// Whether it happens at reads: that they have no effect leaves some out.
    fn of_reads(self) -> bool {
        matches!(self, Self::CrashBefore | Self::TooMany | Self::Broken | Self::Unheard | Self::LostAnswer)
    }

    /// Where it makes a difference: one after the other, each of them is tried.
    pub fn tried_at(self) -> Vec<Point> {
        // A read that is refused, whatever the word, ends the command; one whose answer is lost takes longer to.
        let at_reads = matches!(self, Self::CrashBefore | Self::Broken).then_some(Point::Read);
        let at_lists = (self == Self::Late).then_some(Point::List);
        self.point().iter().copied().chain(at_reads).chain(at_lists).collect()
    }

    /// How a call ends that comes to nothing because of it; `None` where it comes to something, or nobody is left to know.
    pub(crate) fn failure(self) -> Option<Outcome> {
        match self {
            Self::Conflict => Some(ramen_ports::refusal(409, "Conflict", "the object was changed by somebody else")),
            Self::TooMany => Some(ramen_ports::refusal(429, "TooManyRequests", "try again later")),
            Self::Broken => Some(ramen_ports::refusal(500, "InternalError", "something went wrong")),
            Self::Unheard => Some(Outcome::Unreachable { message: "no answer".to_owned() }),
            _ => None,
        }
    }

    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::CrashBefore,
        Self::CrashAfter,
        Self::CrashLosingTail,
        Self::DiskFull,
        Self::Conflict,
        Self::TooMany,
        Self::Broken,
        Self::Unheard,
        Self::LostAnswer,
        Self::Gap,
        Self::Late,
        Self::Twice,
    ];
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    /// At the n-th such point of the run, counted from 0, and never again.
    Nth(u64),
    /// At so many of a thousand points, at random.
    PerMille(u64),
}

/// Something that goes wrong now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// At which operator: `hub` or a cluster; everywhere when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// At which points.
    pub point: Point,
    /// What.
    pub mishap: Mishap,
    /// How often.
    pub frequency: Frequency,
    /// Not before this many milliseconds of the run.
    #[serde(default, deserialize_with = "span::millis")]
    pub from: u64,
    /// Not after this many milliseconds of the run.
    #[serde(default = "forever", deserialize_with = "span::millis")]
    pub until: u64,
}

impl Rule {
    fn concerns(&self, point: Point) -> bool {
        let at_random = matches!(self.frequency, Frequency::PerMille(_));
        let at_reads = point == Point::Read && self.point == Point::Call && self.mishap.of_reads();
        let at_lists = point == Point::List && self.point == Point::Watch && self.mishap == Mishap::Late;
        self.point == point || at_random && (at_reads || at_lists)
    }
}

fn forever() -> u64 {
    u64::MAX
}

/// What became of a rule in a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fared {
    /// How many points it was about, while it held.
    pub met: u64,
    /// Whether it ever struck.
    pub struck: bool,
}

/// The rules of a run, and how many points there were.
pub(crate) struct Hazards {
    rules: Vec<(Rule, u64)>,
    /// How each rule fared, also when it is over.
    fared: Vec<Fared>,
    rng: Rng,
    begin: Time,
    /// Points met, by kind: what an exhaustive run counts to.
    pub(crate) met: BTreeMap<Point, u64>,
    /// What happened.
    pub(crate) happened: Vec<(Time, String)>,
    /// The kinds of mishaps that happened.
    pub(crate) struck: BTreeSet<Mishap>,
}

impl Hazards {
    pub(crate) fn new(seed: u64, rules: &[Rule], begin: Time) -> Self {
        Self {
            fared: vec![Fared::default(); rules.len()],
            rules: rules.iter().map(|rule| (rule.clone(), 0)).collect(),
            rng: Rng::for_entity(seed, "hazards"),
            begin,
            met: BTreeMap::new(),
            happened: Vec::new(),
            struck: BTreeSet::new(),
        }
    }

    /// What goes wrong at this point, if anything.
    pub(crate) fn at(&mut self, point: Point, operator: &str, what: impl Fn() -> String, now: Time) -> Option<Mishap> {
        *self.met.entry(point).or_default() += 1;
        let elapsed = u64::try_from(now.since(self.begin).as_millis()).unwrap_or(u64::MAX);
        for ((rule, met), fared) in self.rules.iter_mut().zip(&mut self.fared) {
            let concerned = rule.concerns(point) && rule.at.as_deref().is_none_or(|at| at == operator);
            if !concerned || elapsed < rule.from || elapsed > rule.until {
                continue;
            }
            *met += 1;
            fared.met = *met;
            let strikes = match rule.frequency {
                Frequency::Nth(n) => *met == n + 1,
                Frequency::PerMille(share) => self.rng.below(1000) < share,
            };
            if strikes {
                fared.struck = true;
                self.struck.insert(rule.mishap);
                self.happened.push((now, format!("{operator}: {:?} at {}", rule.mishap, what())));
                return Some(rule.mishap);
            }
        }
        None
    }

    /// What became of each rule, in their order.
    pub(crate) fn fared(&self) -> &[Fared] {
        &self.fared
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn end(&mut self) {
        self.rules.clear();
    }
}

/// An effect in a few words.
pub(crate) fn describe(effect: &Effect) -> String {
    let verb = match effect {
        Effect::Require(_) => "require",
        Effect::RequireUnused(unused) => return format!("ask who uses claim {}/{}", unused.namespace, unused.claim),
        Effect::Apply { .. } => "apply",
        Effect::Create { .. } => "create",
        Effect::Merge { .. } => "merge",
        Effect::MergeStatus { .. } => "merge status of",
        Effect::Delete { .. } => "delete",
        Effect::Event { reason, .. } => return format!("report {reason}"),
        Effect::Store { profile, .. } => return format!("call {}", profile.name),
    };
    calls::target(effect).map_or_else(
        || verb.to_owned(),
        |target| format!("{verb} {} {}/{}", target.resource.kind, target.namespace, target.name),
    )
}

/// A request to a store in a few words.
pub(crate) fn describe_request(request: &Request, store: &str) -> String {
    match request {
        Request::Probe(prefix) => format!("probe {prefix} in {store}"),
        Request::List(prefix) => format!("list {prefix} in {store}"),
        Request::Get(key) => format!("read {key} in {store}"),
        Request::Put { key, .. } => format!("put {key} in {store}"),
        Request::Delete(key) => format!("delete {key} in {store}"),
    }
}
