//! What happens in a run: the story that users tell, the faults that befall it, the mishaps on the way.

use serde::{Deserialize, Serialize};

use crate::{happening::Happening, hazards::Rule, universe::Outline, until::Until};

/// One thing that users do, when its moment has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The moment.
    pub when: Until,
    /// Milliseconds after that moment.
    #[serde(default)]
    pub after: u64,
    /// Milliseconds after which nobody waits for the moment any longer and goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Milliseconds within which the moment has to come, else the run has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<u64>,
    /// What must hold when the moment has come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Until>,
    /// What is done then.
    pub what: Vec<Happening>,
}

impl Act {
    /// Something that is done as soon as a moment has come.
    pub fn when(when: Until, what: impl Into<Vec<Happening>>) -> Self {
        Self { when, after: 0, patience: None, within: None, expect: Vec::new(), what: what.into() }
    }

    /// So much later.
    #[must_use]
    pub fn after(mut self, ms: u64) -> Self {
        self.after = ms;
        self
    }

    /// Nobody waits longer than this.
    #[must_use]
    pub fn patience(mut self, ms: u64) -> Self {
        self.patience = Some(ms);
        self
    }
}

/// Something that befalls the world at a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    /// Milliseconds from the beginning.
    pub at: u64,
    /// What.
    pub what: Happening,
}

/// A run, as a function of which everything happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Decides how long things take and where random mishaps strike.
    pub seed: u64,
    /// What the universe is made of.
    #[serde(default)]
    pub outline: Outline,
    /// What users do, one act after the other.
    pub story: Vec<Act>,
    /// What befalls the world meanwhile.
    #[serde(default)]
    pub faults: Vec<Timed>,
    /// What goes wrong now and then.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Whether a request that cannot be carried out fails the run. People who write a story mean what they ask for; what is
    /// drawn at random may come when there is nothing to ask for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// The story of the demo: protect, lose a cluster, fail over, heal, relocate, unprotect.
pub fn canonical(seed: u64, claims: usize) -> Plan {
    let app = || "app".to_owned();
    let settled = |phase: &str| Until::Settled { app: app(), phase: phase.to_owned() };
    let (c1, c2) = (|| "c1".to_owned(), || "c2".to_owned());
    let story = vec![
        Act::when(Until::Validated, [Happening::Deploy { app: app(), claims, on: c1(), under: None }]),
        Act::when(Until::Runs { app: app(), on: c1() }, [Happening::Protect { app: app(), on: c1(), under: None }]),
        Act::when(
            settled("Deployed"),
            [Happening::Lose { cluster: c1() }, Happening::Failover { app: app(), to: c2() }],
        )
        .after(3000),
        Act::when(Until::Available { app: app(), phase: "FailedOver".to_owned() }, []),
        Act::when(Until::Runs { app: app(), on: c2() }, [Happening::BringBack { cluster: c1() }]).after(1000),
        Act::when(settled("FailedOver"), [Happening::Relocate { app: app(), to: c1() }]).after(1000),
        Act::when(Until::Runs { app: app(), on: c1() }, []),
        Act::when(settled("Relocated"), [Happening::Unprotect { app: app() }]).after(1000),
        Act::when(Until::Unprotected { app: app() }, []),
    ];
    Plan { seed, outline: Outline::default(), story, faults: Vec::new(), rules: Vec::new(), strict: false }
}
