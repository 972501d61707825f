//! What can go wrong at each point where an operator meets the world, and when it does.
//!
//! A [`Rule`] says at which points, how often or which one of them in turn, and what happens there. Seeds, plans,
//! scenarios and exhaustive runs all say it so.

use std::collections::{BTreeMap, BTreeSet};

use ramen_ports::Effect;
use ramen_sim::{rng::Rng, time::Time};
use serde::{Deserialize, Serialize};

use crate::calls;

/// A kind of point at which something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Inputs were decided on and are about to be appended.
    Append,
    /// A call to the API server or to a store is about to be made.
    Call,
    /// A watch has something to tell.
    Watch,
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
    /// What the watch has to tell comes late.
    Late,
    /// What the watch has to tell comes twice.
    Twice,
}

impl Mishap {
    /// Where this can happen.
    pub fn point(self) -> &'static [Point] {
        match self {
            Self::CrashBefore | Self::CrashAfter | Self::CrashLosingTail => &[Point::Append, Point::Call],
            Self::DiskFull => &[Point::Append],
            Self::Conflict | Self::TooMany | Self::Broken | Self::Unheard | Self::LostAnswer => &[Point::Call],
            Self::Gap | Self::Late | Self::Twice => &[Point::Watch],
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
    #[serde(default)]
    pub from: u64,
    /// Not after this many milliseconds of the run.
    #[serde(default = "forever")]
    pub until: u64,
}

fn forever() -> u64 {
    u64::MAX
}

/// The rules of a run, and how many points there were.
pub(crate) struct Hazards {
    rules: Vec<(Rule, u64)>,
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
        let rules = rules.iter().map(|rule| (rule.clone(), 0)).collect();
        Self {
            rules,
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
        for (rule, met) in &mut self.rules {
            let concerned = rule.point == point && rule.at.as_deref().is_none_or(|at| at == operator);
            if !concerned || elapsed < rule.from || elapsed > rule.until {
                continue;
            }
            *met += 1;
            let strikes = match rule.frequency {
                Frequency::Nth(n) => *met == n + 1,
                Frequency::PerMille(share) => self.rng.below(1000) < share,
            };
            if strikes {
                self.struck.insert(rule.mishap);
                self.happened.push((now, format!("{operator}: {:?} at {}", rule.mishap, what())));
                return Some(rule.mishap);
            }
        }
        None
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
        Effect::Apply { .. } => "apply",
        Effect::Create { .. } => "create",
        Effect::Merge { .. } => "merge",
        Effect::MergeStatus { .. } => "merge status of",
        Effect::Delete { .. } => "delete",
        Effect::Event { reason, .. } => return format!("report {reason}"),
        Effect::Store { profile, operation } => {
            let operation = format!("{operation:?}");
            let verb = operation.split(['(', ' ']).next().unwrap_or_default();
            return format!("{verb} in {}", profile.name);
        }
    };
    calls::target(effect).map_or_else(
        || verb.to_owned(),
        |target| format!("{verb} {} {}/{}", target.resource.kind, target.namespace, target.name),
    )
}
