//! A record in words: what it is about, and what it says.

use std::collections::BTreeMap;

use ramen_events::{
    Cause, Command, Condition, Fact, Outcome, Payload, Position, Record,
    hub::{self, DrpcStatus},
    spoke,
};
use serde_json::Value;

use crate::{
    authors,
    changes::{self, Change},
    merge::{Entry, Merged},
};

/// How many changes of a fact are told in one line.
const TOLD: usize = 4;
/// How long a value may be in one line.
const VALUE: usize = 60;

/// Fields of facts that say nothing to people: they change with everything else.
const NOISE: [&str; 6] = ["resource_version", "content", "blob", "body", "since", "observed_generation"];

/// What a record is about: an object, or the aggregate that was decided for.
pub fn about(record: &Record) -> String {
    match &record.payload {
        Payload::Observed(fact) => fact.object().to_string(),
        Payload::Gone(object) => object.to_string(),
        Payload::Started { .. } | Payload::Synced => String::new(),
        _ => record.aggregate.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// The kind of the record: its payload's name, and a command's own.
pub fn kind(entry: &Entry) -> &'static str {
    entry.record.payload.name()
}

/// What a record says, in one line.
pub fn says(merged: &Merged, index: usize) -> String {
    let is_fact = matches!(merged.entries.get(index).map(|entry| &entry.record.payload), Some(Payload::Observed(_)));
    let news = if is_fact { news(merged, index) } else { None };
    says_of(merged, index, news.as_deref())
}

/// What a record says, in one line; `news` is what a fact tells that the one before did not.
pub fn says_of(merged: &Merged, index: usize, news: Option<&[Change]>) -> String {
    let Some(entry) = merged.entries.get(index) else { return String::new() };
    match &entry.record.payload {
        Payload::Started { epoch, decider, .. } => format!("process {epoch} opened the log (deciders {decider})"),
        Payload::Synced => "everything was listed: what is absent now is absent".to_owned(),
        Payload::Observed(Fact::Hub(hub::Fact::Authors(fact))) => authors::words(fact),
        Payload::Observed(_) => observed(news),
        Payload::Gone(_) => "is gone".to_owned(),
        Payload::TimerFired { why, .. } => why.clone(),
        Payload::Commanded { id, command, .. } => {
            let outcome = merged.finished(*id).and_then(|at| Some((at, merged.entries.get(at)?)));
            let ended = match outcome {
                Some((at, end)) => {
                    let took = crate::moment::span_text(end.record.stamp.time.ms_since(entry.record.stamp.time));
                    format!(" ({} after {took}, {})", ended(&end.record.payload), merged.name(at))
                }
                None => " (no outcome)".to_owned(),
            };
            format!("{}{ended}", commanded(command))
        }
        Payload::Finished { id, slot, outcome } => {
            let command =
                merged.commanded(*id).and_then(|at| merged.entries.get(at)).map(|entry| &entry.record.payload);
            let name = match command {
                Some(Payload::Commanded { command, .. }) => command.name(),
                _ => slot,
            };
            format!("{name} {}", outcome_text(outcome))
        }
        Payload::Moved(position) => moved(position),
        Payload::Lost { records } => {
            format!("the log lacked {records} records that it had acknowledged: what was done then is not in it")
        }
    }
}

fn ended(payload: &Payload) -> &'static str {
    match payload {
        Payload::Finished { outcome, .. } => outcome_word(outcome),
        _ => "ended",
    }
}

/// How a command ended, in one word.
pub fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Conflict { .. } => "conflict",
        Outcome::Refused { .. } => "refused",
        Outcome::Unreachable { .. } => "unreachable",
        Outcome::Unknown { .. } => "outcome unknown",
    }
}

/// How a command ended, with the text that came with it.
pub fn outcome_text(outcome: &Outcome) -> String {
    let word = outcome_word(outcome);
    match outcome {
        Outcome::Done => word.to_owned(),
        Outcome::Refused { code, reason, message } => format!("{word} ({code} {reason}): {message}"),
        other => format!("{word}: {}", other.message().unwrap_or_default()),
    }
}

/// Where an aggregate stands now.
pub fn moved(position: &Position) -> String {
    let runbook = format!("{} ({})", position.runbook, position.action);
    match (&position.wait, position.step.as_str()) {
        (_, "") => format!("{runbook}: complete"),
        (Some(wait), step) => {
            let on = wait.on.as_ref().map(|cluster| format!(" on {cluster}")).unwrap_or_default();
            format!("{runbook}: {step}: waits for {}{on}", wait.what)
        }
        (None, step) => format!("{runbook}: {step}"),
    }
}

fn observed(news: Option<&[Change]>) -> String {
    let Some(changes) = news else {
        return "seen for the first time".to_owned();
    };
    let told = changes.iter().take(TOLD).map(|change| change.line(VALUE)).collect::<Vec<_>>().join("; ");
    match changes.len().saturating_sub(TOLD) {
        _ if changes.is_empty() => "nothing that people would look at".to_owned(),
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

/// What a fact tells that the one before did not; `None` when there was none before.
pub fn news(merged: &Merged, index: usize) -> Option<Vec<Change>> {
    Some(differences(merged, &fact(merged, merged.before(index)?)?, &fact(merged, index)?))
}

fn fact(merged: &Merged, index: usize) -> Option<Value> {
    match &merged.entries.get(index)?.record.payload {
        Payload::Observed(fact) => Some(contents(serde_json::to_value(fact).ok()?)),
        _ => None,
    }
}

/// What facts tell that those before them did not, for whoever goes through all of them in order: each is looked at once.
pub struct News<'a> {
    merged: &'a Merged,
    /// The last fact of each object, by its entry.
    last: BTreeMap<usize, Value>,
}

impl<'a> News<'a> {
    /// From the first entry on.
    pub fn new(merged: &'a Merged) -> Self {
        Self { merged, last: BTreeMap::new() }
    }

    /// As [`news`], for entries in order.
    pub fn of(&mut self, index: usize) -> Option<Vec<Change>> {
        let after = fact(self.merged, index)?;
        let before = self.merged.before(index);
        let before = before.and_then(|before| self.last.remove(&before).or_else(|| fact(self.merged, before)));
        let changes = before.map(|before| differences(self.merged, &before, &after));
        self.last.insert(index, after);
        changes
    }

    /// An object is gone: its last fact is of no more use.
    pub fn forget(&mut self, index: usize) {
        if let Some(before) = self.merged.before(index) {
            self.last.remove(&before);
        }
    }
}

fn differences(merged: &Merged, before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = changes::between(before, after);
    changes.retain(|change| {
        let last = change.path.rsplit('.').next().unwrap_or_default();
        !NOISE.contains(&last.split('[').next().unwrap_or_default())
    });
    for change in &mut changes {
        [&mut change.before, &mut change.after].into_iter().flatten().for_each(|value| name_command(merged, value));
    }
    changes.sort_by_key(|change| rank(&change.path));
    changes
}

/// Fields that people look for first.
const TELLING: [&str; 12] = [
    "action",
    "role",
    "state",
    "status",
    "replication_state",
    "phase",
    "progression",
    "bound",
    "deleting",
    "deleted_at",
    "preferred",
    "failover",
];
/// Fields that say how rather than what.
const BOOKKEEPING: [&str; 8] =
    ["generation", "message", "reason", "last_update", "uid", "interval", "touched", "role_text"];

/// What an object answers says more than its bookkeeping.
fn rank(path: &str) -> u8 {
    let last = path.rsplit('.').next().unwrap_or_default();
    match last.split('[').next().unwrap_or_default() {
        last if TELLING.contains(&last) => 0,
        last if BOOKKEEPING.contains(&last) || path.starts_with("meta") || path.contains("annotations") => 2,
        _ => 1,
    }
}

/// An id of a command says nothing; the record does in which it was decided.
fn name_command(merged: &Merged, value: &mut Value) {
    let id = value.as_str().filter(|text| text.len() == 36).and_then(|_| serde_json::from_value(value.clone()).ok());
    if let Some(at) = id.and_then(|id| merged.commanded(id)) {
        *value = Value::String(merged.name(at));
    }
}

/// The fact without the names of the enums around it.
pub fn contents(fact: Value) -> Value {
    let inner = |value: Value| match value {
        Value::Object(fields) if fields.len() == 1 => fields.into_iter().next().map_or(Value::Null, |(_, value)| value),
        other => other,
    };
    let mut contents = inner(inner(fact));
    // What agents read back of conditions comes as triples.
    let conditions = contents.pointer_mut("/feedback/conditions").and_then(Value::as_object_mut);
    for condition in conditions.into_iter().flat_map(|conditions| conditions.values_mut()) {
        if let Some([status, reason, generation]) = condition.as_array().map(Vec::as_slice) {
            *condition = serde_json::json!({"status": status, "reason": reason, "generation": generation});
        }
    }
    contents
}

/// What led to a record.
pub fn because(merged: &Merged, index: usize) -> String {
    let Some(entry) = merged.entries.get(index) else { return String::new() };
    match &entry.record.cause {
        Cause::Outside => String::new(),
        Cause::Local(seq) => format!("{}#{seq}", merged.log_name(entry)),
        Cause::Remote { cluster, command } => {
            merged.commanded(*command).map_or_else(|| format!("{cluster}: {command}"), |at| merged.name(at))
        }
    }
}

/// A command and its main arguments.
pub fn commanded(command: &Command) -> String {
    let name = command.name();
    let arguments = match command {
        Command::Hub(command) => of_hub(command),
        Command::Spoke(command) => of_spoke(command),
    };
    if arguments.is_empty() { name.to_owned() } else { format!("{name} {arguments}") }
}

fn of_hub(command: &hub::Command) -> String {
    use hub::Command as C;
    match command {
        C::CreateConfig => String::new(),
        C::CreateOpsNamespace { name } => name.clone(),
        C::PatchMeta(patch) => format!("{:?} {}", patch.kind, patch.object),
        C::WriteDrpcStatus { status, .. } => drpc_status(status),
        C::WritePolicyStatus { policy, status, .. } => format!("{policy}: {}", conditions(&status.conditions)),
        C::WriteClusterStatus { cluster, status, .. } => format!("{cluster}: {}", conditions(&status.conditions)),
        C::ApplyVrgWork(work) => {
            let spec = &work.manifest.spec;
            let sync = match (spec.prepare_for_final_sync, spec.run_final_sync) {
                (false, false) => "",
                (true, false) => ", prepare final sync",
                (_, true) => ", run final sync",
            };
            let action = if spec.action.is_empty() { String::new() } else { format!(" for {}", spec.action) };
            format!("{}: be {}{action}{sync}", work.cluster, spec.state)
        }
        C::ApplyNamespaceWork(work) => format!("{}: namespace {}", work.cluster, work.namespace),
        C::ApplyClusterWork { cluster, .. } | C::ApplyConfigWork { cluster, .. } => cluster.to_string(),
        C::ApplyModeWork(work) => format!("{}: {} prepares relation {}", work.cluster, work.provisioner, work.target),
        C::DeleteWork { cluster, name, .. } | C::TouchView { cluster, name, .. } | C::DeleteView { cluster, name } => {
            format!("{cluster}: {name}")
        }
        C::ApplyView(wish) => format!("{}: {} {}", wish.cluster, wish.scope.kind, wish.scope.name),
        C::WriteDecision { placement, entries, create, .. } => {
            let clusters = |entries: &[hub::DecisionEntry]| {
                entries.iter().map(|entry| entry.cluster.as_str()).collect::<Vec<_>>().join(", ")
            };
            let what = match entries {
                None if *create => "clusters later".to_owned(),
                None => "clusters as they are".to_owned(),
                Some(entries) if entries.is_empty() => "no cluster".to_owned(),
                Some(entries) => clusters(entries),
            };
            format!("{placement}: {what}")
        }
        C::ProbeStore { profile, .. } => profile.name.clone(),
        C::FetchStoredVrg { profile, key } => format!("{}: {key}", profile.name),
    }
}

fn drpc_status(status: &DrpcStatus) -> String {
    format!("{}, {}: {}", status.phase, status.progression, conditions(&status.conditions))
}

fn conditions(conditions: &[Condition]) -> String {
    let words = conditions.iter().map(|condition| format!("{}={}", condition.kind, condition.status.as_str()));
    words.collect::<Vec<_>>().join(" ")
}

fn of_spoke(command: &spoke::Command) -> String {
    use spoke::Command as C;
    match command {
        C::SetFinalizers { object, .. } => object.to_string(),
        C::WriteVrgStatus { status, .. } => format!("{}: {}", status.state, conditions(&status.conditions)),
        C::ProtectVolume { pvc, .. }
        | C::ReleaseVolume { pvc, .. }
        | C::MarkArchived { pvc, .. }
        | C::CompleteBinding { pvc, .. } => pvc.to_string(),
        C::ApplyReplication { pvc, role, .. } => format!("{pvc}: be {}", role.as_str()),
        C::DeleteReplication { key, .. } => key.to_string(),
        C::Upload { store, pvc, .. } | C::DeleteStored { store, pvc, .. } => format!("{pvc}: store {}", store.name),
        C::UploadVrg { store, .. } | C::FetchStored { store, .. } | C::DeleteAllStored { store, .. } => {
            format!("store {}", store.name)
        }
        C::RestorePv { name, .. } | C::DeleteClusterClaim { name } => name.clone(),
        C::RestorePvc { key, .. } => key.to_string(),
        C::ClearClaim { volume, claim, .. } => format!("{volume}: for {claim}"),
        C::NoteDestination { volume, handle } => format!("{volume}: {handle}"),
        C::CreateConfig => String::new(),
        C::WriteClusterConfigStatus { name, .. } => name.clone(),
        C::Fenced { command, .. } | C::RestoreArchived { restore: command } => of_spoke(command),
    }
}

/// What a command asks for, as JSON.
pub fn body(command: &Command) -> Value {
    contents(serde_json::to_value(command).unwrap_or_default())
}

/// A wait with its cluster: "volumes to become secondary on c1".
pub fn wait_text(wait: &ramen_events::Wait) -> String {
    let on = wait.on.as_ref().map(|cluster| format!(" on {cluster}")).unwrap_or_default();
    format!("{}{on}", wait.what)
}
