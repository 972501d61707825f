//! What an audit says. The JSON schema in `docs/audit.schema.json` is made from these types.

use ramen_events::{Stamp, Time};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::changes::Change;

/// The version of the form: it rises when a field changes its meaning or goes away.
pub const FORM: &str = "ramen-audit/1";

/// What is said where nothing in the logs tells.
pub const NOT_KNOWN: &str = "not known";

/// A moment (RFC 3339, UTC, with milliseconds), on the hub's clock as far as the logs prove how clocks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String", extend("format" = "date-time"))]
pub struct When(pub Time);

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Stamp { time: self.0, count: 0 })
    }
}

/// Everything.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// What it is about.
    pub head: Head,
    /// The logs that it was read from, and whether they are whole.
    pub logs: Vec<LogProof>,
    /// The actions, application by application, in order of time.
    pub actions: Vec<Action>,
}

/// One line of `--format jsonl`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Line<'a> {
    /// The first line.
    Report(&'a Head),
    /// One for each log.
    Log(&'a LogProof),
    /// One for each action.
    Action(&'a Action),
}

/// What a report is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Head {
    /// The form of what follows: `ramen-audit/1`.
    pub form: String,
    /// The program that wrote it, with its version.
    pub written_by: String,
    /// The application asked for; null: all.
    pub application: Option<String>,
    /// The policy asked for; null: all.
    pub policy: Option<String>,
    /// From when actions were asked for; null: from the start of the logs.
    pub since: Option<When>,
    /// Until when; null: until their end.
    pub until: Option<When>,
    /// When the logs begin.
    pub logs_begin: When,
    /// When the logs end.
    pub logs_end: When,
    /// What the logs prove about clocks that differ.
    pub clocks: Vec<String>,
    /// What is missing for the report to be complete: parts of logs, and logs.
    pub gaps: Vec<String>,
}

/// A log, and what is proven of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LogProof {
    /// What its records are called by: `hub` in `hub#120`.
    pub name: String,
    /// Whose log it is.
    pub owner: String,
    /// The file or directory it was read from, without its folder.
    pub file: String,
    /// SHA-256 of the file; null for a directory.
    pub sha256: Option<String>,
    /// Number of the first record.
    pub first: u64,
    /// Number of the last record.
    pub last: u64,
    /// Time of the first record, on the log's own clock.
    pub first_time: When,
    /// Time of the last record, on the log's own clock.
    pub last_time: When,
    /// BLAKE3 chain hash before the first record; all zero when the first record is number 1.
    pub hash_before: String,
    /// BLAKE3 chain hash of the last record: whoever kept it elsewhere can prove that nothing was changed.
    pub hash: String,
    /// Whether the chain was recomputed from the first to the last record and holds.
    pub chain_verified: bool,
    /// How it stands to anchors of its end that were noted elsewhere, in words; null when none were given.
    pub anchors: Option<String>,
    /// The last record that an anchor proves; null when none does.
    pub anchored: Option<u64>,
    /// What is not in it, in words; empty when it is complete up to its last record.
    pub gaps: Vec<String>,
}

/// One action of an application: what was asked, done and reached.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Action {
    /// The DRPlacementControl: `drpc/NAMESPACE/NAME`.
    pub application: String,
    /// The DRPolicy, or `not known`.
    pub policy: String,
    /// `deploy`, `failover`, `relocate` or `deletion`.
    pub kind: String,
    /// The identity of the action: kind, target and generation.
    pub action: String,
    /// The cluster that it ran on before; `none` before the first deployment, or `not known`.
    pub from_cluster: String,
    /// The cluster that it was to run on; `none` for a deletion, or `not known`.
    pub to_cluster: String,
    /// Who asked for what, and when.
    pub request: Request,
    /// When the operator began.
    pub began: Seen,
    /// When the operator was done, or left it for something else; null while it goes on.
    pub ended: Option<Seen>,
    /// Milliseconds from the request to the end, or to the end of the logs.
    pub took_ms: u64,
    /// How it ended.
    pub result: Ending,
    /// When the hub first saw the old cluster as lost; null when no record tells of a loss.
    pub loss: Option<Seen>,
    /// When the hub reported the application as available on its target; null when it did not.
    pub recovered: Option<Seen>,
    /// The first pod with protected claims that was seen on the target; null when none was, or without that log.
    pub pods_seen: Option<Seen>,
    /// What was reached, against what was wanted.
    pub objectives: Vec<Objective>,
    /// The steps, in order of time.
    pub steps: Vec<Step>,
    /// Commands that belong to no step, such as reports of the state.
    pub other_commands: Vec<CommandRun>,
    /// What was not protected when it mattered: at the loss, or else at the request.
    pub not_protected: Vec<Unprotected>,
    /// What did not go as it goes when all is well.
    pub deviations: Vec<Deviation>,
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// All of its steps were done.
    Complete,
    /// Something else was asked for before it was done.
    Superseded,
    /// It was not done when the logs ended.
    GoesOn,
}

impl Ending {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Superseded => "left for something else",
            Self::GoesOn => "goes on at the end of the logs",
        }
    }
}

/// Something that a record shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seen {
    /// When.
    pub when: When,
    /// The record: `hub#120`.
    pub record: String,
    /// What it says.
    pub what: String,
}

/// A request.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Request {
    /// When it was first seen.
    pub when: When,
    /// The record that shows it; `not known` when the logs begin later.
    pub record: String,
    /// What was changed.
    pub changes: Vec<Change>,
    /// Who asked for it.
    pub by: Author,
    /// What limits the above, in words; empty when nothing does.
    pub note: String,
}

/// Who asked. Each field is `not known` unless a record says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Author {
    /// The field manager of the change, from `metadata.managedFields`: the program, such as `kubectl-edit`.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// When the manager last changed one of its fields, by the API server's clock, in whole seconds; null when not known.
    pub at: Option<When>,
    /// The record that tells of the manager: `hub#119`.
    pub record: String,
    /// The user.
    pub user: String,
    /// Why something is not known, and which of several managers owns what; empty when all is known.
    pub note: String,
}

impl Author {
    /// In one line.
    pub fn words(&self) -> String {
        if self.manager == NOT_KNOWN {
            return format!("{NOT_KNOWN}: {}", self.note);
        }
        let at = self.at.map(|at| format!(" at {}", at.0)).unwrap_or_default();
        format!("field manager {} ({}{at}); {}", self.manager, self.operation, self.note)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// From the request to the application being available.
    RtoFromRequest,
    /// From the loss, as first observed, to the application being available.
    RtoFromLoss,
    /// From the last completed synchronization of a volume to the loss.
    RpoOfVolume,
    /// From the last completed synchronization of all volumes of a VRG to the loss.
    RpoOfGroup,
}

impl Measure {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::RtoFromRequest => "RTO from the request",
            Self::RtoFromLoss => "RTO from the loss",
            Self::RpoOfVolume => "RPO of volume",
            Self::RpoOfGroup => "RPO of VRG",
        }
    }

    /// Whether it is a time of recovery.
    pub fn is_rto(self) -> bool {
        matches!(self, Self::RtoFromRequest | Self::RtoFromLoss)
    }
}

/// Whether a target was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Verdict {
    /// It was.
    #[serde(rename = "pass")]
    Pass,
    /// It was not.
    #[serde(rename = "fail")]
    Fail,
    /// There is no target, or the logs do not tell.
    #[serde(rename = "not known")]
    NotKnown,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotKnown => NOT_KNOWN,
        }
    }
}

/// What was reached, against what was wanted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Objective {
    /// What is measured.
    pub measure: Measure,
    /// Of what: the application, a claim, or a VRG.
    pub of: String,
    /// Reached, in milliseconds; null when it is not known.
    pub reached_ms: Option<u64>,
    /// Wanted at most, in milliseconds; null when no target was given.
    pub target_ms: Option<u64>,
    /// Where the target comes from; empty without one.
    pub target_from: String,
    /// Whether it was met.
    pub result: Verdict,
    /// The records that prove it.
    pub evidence: Vec<String>,
    /// How it was counted, or why it is not known.
    pub note: String,
}

/// A step of the hub's runbook, or of a cluster's meanwhile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Step {
    /// The cluster whose operator did it.
    pub cluster: String,
    /// For which object.
    pub aggregate: String,
    /// Its name.
    pub step: String,
    /// When it began.
    pub from: When,
    /// When it ended; null when it had not at the end of the log.
    pub until: Option<When>,
    /// How long, in milliseconds, at most up to the end of the log.
    pub ms: u64,
    /// The record that shows its beginning.
    pub record: String,
    /// The record that shows its end; null as long as it lasts.
    pub ended_by: Option<String>,
    /// What it waited for.
    pub waits: Vec<Waited>,
    /// What was done.
    pub commands: Vec<CommandRun>,
}

/// A wait.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Waited {
    /// For what.
    pub what: String,
    /// On which cluster; null when on none.
    pub on: Option<String>,
    /// Since when.
    pub from: When,
    /// Until when; null when it had not ended.
    pub until: Option<When>,
    /// How long, in milliseconds.
    pub ms: u64,
    /// The record that shows it.
    pub record: String,
}

/// A command, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CommandRun {
    /// The record that holds it.
    pub record: String,
    /// The cluster whose operator gave it.
    pub cluster: String,
    /// Its name and main arguments.
    pub command: String,
    /// When it was decided.
    pub when: When,
    /// How it ended: `done`, `conflict`, `refused`, `unreachable`, `outcome unknown`; `not known` without a record.
    pub outcome: String,
    /// The text that came with a failure; empty without one.
    pub message: String,
    /// The record that shows the outcome; null when there is none.
    pub outcome_record: Option<String>,
    /// How long it took, in milliseconds; null when it is not known.
    pub ms: Option<u64>,
}

/// Something that was not protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unprotected {
    /// The object, or the part of the request.
    pub what: String,
    /// Why.
    pub why: String,
    /// The record that shows it; `not known` when what is missing is the log.
    pub record: String,
}

/// What kind of deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeviationKind {
    /// A command failed.
    FailedCommand,
    /// Somebody else wrote the same object at the same time.
    Conflict,
    /// A command was given again after it had failed.
    Retry,
    /// Somebody or something other than the operators changed what they work on.
    Intervention,
    /// An operator was started again.
    Restart,
    /// A log lost records.
    LostRecords,
}

impl DeviationKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::FailedCommand => "failed command",
            Self::Conflict => "conflict",
            Self::Retry => "retry",
            Self::Intervention => "intervention",
            Self::Restart => "restart",
            Self::LostRecords => "lost records",
        }
    }
}

/// What did not go as it goes when all is well.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Deviation {
    /// What kind.
    pub kind: DeviationKind,
    /// When.
    pub when: When,
    /// What happened.
    pub what: String,
    /// The records that show it.
    pub evidence: Vec<String>,
}
