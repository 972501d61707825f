//! Scenarios as files: a world, a timeline of what users do and what befalls it, and what is expected.
//!
//! `docs/scenarios.md` describes every field. A file is refused, with line and column, when it has fields that nobody
//! knows, names clusters, stores, applications that it does not have, or asks for what no world can bear.

mod bounds;
mod check;
mod meant;
mod names;
mod objects;
mod place;
mod play;
mod told;
mod words;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use crate::{happening::Happening, hazards::Rule, span::Span, universe::Outline, until::Until};

pub use self::{
    bounds::CLAIMS,
    check::{Error, parse, read},
    names::progressions,
    play::{Place, Played, Unmet, play, play_retold},
    told::Told,
};

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What it is about, in one line.
    pub title: String,
    /// What goes wrong without the care that is taken here, for a reader who never saw the code.
    pub why: String,
    /// What the world is made of.
    #[serde(default = "one_pair")]
    pub world: Spanned<Outline>,
    /// Decides how long things take.
    #[serde(default)]
    pub seed: u64,
    /// The applications.
    pub applications: Vec<Application>,
    /// What users do and what befalls the world, each when its moment has come, one after the other.
    pub timeline: Vec<Spanned<Entry>>,
    /// What befalls the world at moments counted from the beginning.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What goes wrong now and then at operators.
    #[serde(default)]
    pub mishaps: Vec<Spanned<Rule>>,
    /// Whether everything is mended and has to come to rest at the end, with all rules checked.
    #[serde(default = "yes")]
    pub rests: bool,
    /// What must hold at the very end.
    #[serde(default)]
    pub end: Vec<Spanned<Until>>,
}

impl Scenario {
    /// Everything that is done or happens in it: by its timeline, then by its faults.
    fn happenings(&self) -> impl Iterator<Item = &Spanned<Happening>> {
        let timed = self.faults.iter().flat_map(|fault| &fault.what);
        self.timeline.iter().flat_map(|entry| &entry.value.what).chain(timed)
    }
}

fn yes() -> bool {
    true
}

fn one_pair() -> Spanned<Outline> {
    nowhere(Outline::default())
}

/// What the file does not say.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Location::UNKNOWN, Location::UNKNOWN)
}

/// An application, deployed at the beginning.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Application {
    /// Its name; also of its namespace and its DRPC.
    pub name: Spanned<String>,
    /// How many claims it has.
    #[serde(default = "two")]
    pub claims: Spanned<usize>,
    /// Where it runs at first.
    pub on: Spanned<String>,
    /// Its policy; the first of that cluster if not given.
    #[serde(default)]
    pub under: Option<Spanned<String>>,
    /// Whether it is protected from the beginning.
    #[serde(default = "yes")]
    pub protected: bool,
}

fn two() -> Spanned<usize> {
    nowhere(2)
}

/// One entry of the timeline.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entry {
    /// Its moment; at once when left out.
    #[serde(default)]
    pub when: Option<Spanned<Until>>,
    /// How long after that moment.
    #[serde(default)]
    pub after: Span,
    /// How long the moment may take to come; ten minutes when left out.
    #[serde(default)]
    pub within: Option<Spanned<Span>>,
    /// After how long nobody waits for the moment any longer and goes on, instead of failing; not beside `within`.
    #[serde(default)]
    pub patience: Option<Span>,
    /// What must hold when the moment has come.
    #[serde(default)]
    pub expect: Vec<Spanned<Until>>,
    /// What is done then.
    #[serde(default, rename = "do")]
    pub what: Vec<Spanned<Happening>>,
}

impl Entry {
    /// How long the moment may take before the scenario has failed; `None` where patience ends instead.
    fn limit(&self) -> Option<Span> {
        if self.patience.is_some() {
            return None;
        }
        Some(self.within.as_ref().map_or(WITHIN, |within| within.value))
    }
}

/// How long a moment may take if an entry does not say: ten minutes.
const WITHIN: Span = Span(600_000);

/// Something that befalls the world at a moment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// When, counted from the beginning.
    pub at: Span,
    /// What.
    #[serde(rename = "do")]
    pub what: Vec<Spanned<Happening>>,
}
