//! Where to stop: places in the logs that are looked up once, when they are asked for.

use ramen_events::{Aggregate, Controller, Kind, Payload, Record};

use crate::{
    field::Path,
    filter,
    merge::Merged,
    predicate::{self, Field, Object, Predicate, Test, View, Watch},
    state::State,
    step::{Subject, course::start},
};

/// What may be typed.
pub const BREAKS: &str = "kind KIND, step STEP, about TEXT, or a condition such as drpc/app.status.phase == FailedOver";

/// Entries at which to stop, and what was typed for them.
#[derive(Clone, Debug)]
pub struct Stops {
    /// What was typed.
    pub text: String,
    /// The entries, in order.
    pub at: Vec<usize>,
}

impl Stops {
    /// The places of a breakpoint.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn of_break(merged: &Merged, text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim().trim_matches('"');
        let at = match (word, rest) {
            ("", _) => return Err(format!("a breakpoint is one of: {BREAKS}")),
            ("kind" | "step" | "about", "") => return Err(format!("{word} what? A breakpoint is one of: {BREAKS}")),
            ("kind", kind) => of_kind(merged, kind)?,
            ("step", step) => of_step(merged, step)?,
            ("about", about) => {
                entries(merged, |index| merged.entries.get(index).is_some_and(|entry| filter::is_about(entry, about)))
            }
            _ => of_condition(merged, &predicate::parse(text).map_err(|wrong| wrong.to_string())?)?,
        };
        Ok(Self { text: text.to_owned(), at })
    }

    /// Where one field changes: of any object (`drpc/app.status.phase`), or of the subject (`status.phase`,
    /// `/status/phase`).
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn of_field(merged: &Merged, subject: Option<&Subject>, text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (field, logs) = match absolute(text) {
            Some(field) => (field?, (0..merged.logs.len()).collect()),
            None => {
                let subject = subject.ok_or("there is no DRPC or VRG in these logs")?;
                (of_subject(subject, text)?, vec![subject.log])
            }
        };
        let mut at = Vec::new();
        let mut seen = false;
        for log in logs {
            seen |= changes(merged, log, &field, &mut at)?;
        }
        at.sort_unstable();
        if at.is_empty() {
            let why = if seen { "never changes" } else { "is never there" };
            return Err(format!("{text} {why} in these logs"));
        }
        Ok(Self { text: text.to_owned(), at })
    }

    /// The next place after an entry.
    pub fn after(&self, entry: usize) -> Option<usize> {
        self.at.get(self.at.partition_point(|at| *at <= entry)).copied()
    }

    /// The last place before an entry.
    pub fn before(&self, entry: usize) -> Option<usize> {
        self.at.iter().take(self.at.partition_point(|at| *at < entry)).next_back().copied()
    }

    /// Whether an entry is such a place.
    pub fn is_at(&self, entry: usize) -> bool {
        self.at.binary_search(&entry).is_ok()
    }
}

fn entries(merged: &Merged, is_wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..merged.entries.len()).filter(|index| is_wanted(*index)).collect()
}

fn of_kind(merged: &Merged, kind: &str) -> Result<Vec<usize>, String> {
    let found = entries(merged, |index| merged.entries.get(index).is_some_and(|entry| filter::is_of_kind(entry, kind)));
    if !found.is_empty() {
        return Ok(found);
    }
    let name = |payload: &Payload| match payload {
        Payload::Commanded { command, .. } => vec![payload.name(), command.name()],
        _ => vec![payload.name()],
    };
    let mut kinds: Vec<&str> = merged.entries.iter().flat_map(|entry| name(&entry.record.payload)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Err(format!("no record is of kind {kind}; there is {}", kinds.join(", ")))
}

fn of_step(merged: &Merged, step: &str) -> Result<Vec<usize>, String> {
    let mut last: std::collections::BTreeMap<(usize, &Aggregate), &str> = std::collections::BTreeMap::new();
    let mut steps = Vec::new();
    let mut found = Vec::new();
    for (index, entry) in merged.entries.iter().enumerate() {
        if let (Payload::Moved(position), Some(aggregate)) = (&entry.record.payload, &entry.record.aggregate) {
            let before = last.insert((entry.log, aggregate), &position.step);
            steps.push(position.step.as_str());
            if position.step.eq_ignore_ascii_case(step) && before != Some(&position.step) {
                found.push(index);
            }
        }
    }
    steps.retain(|step| !step.is_empty());
    steps.sort_unstable();
    steps.dedup();
    if found.is_empty() {
        Err(format!("nothing ever is at step {step}; there is {}", steps.join(", ")))
    } else {
        Ok(found)
    }
}

/// Folds a log, and tells of each record with the state after it.
fn follow(merged: &Merged, log: usize, mut each: impl FnMut(usize, &Record, &State)) -> Result<(), String> {
    let mut state = start(merged, log).map_err(|err| format!("{err:#}"))?;
    for &index in merged.entries_of(log) {
        if let Some(entry) = merged.entries.get(index) {
            state.apply(&entry.record);
            each(index, &entry.record, &state);
        }
    }
    Ok(())
}

/// Records after which a condition holds (for long enough) that did not before, in each log by itself.
fn of_condition(merged: &Merged, predicate: &Predicate) -> Result<Vec<usize>, String> {
    let mut found = Vec::new();
    let mut unseen = predicate.objects();
    for log in 0..merged.logs.len() {
        let begin = start(merged, log).map_err(|err| format!("{err:#}"))?;
        let mut watch = Watch::new(&predicate.test, &begin);
        let mut since = watch.holds().then_some(begin.now());
        // What holds when the log begins is no place in it, unless it has to last.
        let mut told = since.is_some() && predicate.lasting == 0;
        follow(merged, log, |index, record, state| {
            let now = record.stamp.time;
            if watch.follow(record, state) {
                let lasts = now.ms_since(*since.get_or_insert(now));
                if !told && lasts >= predicate.lasting {
                    found.push(index);
                    told = true;
                }
            } else {
                (since, told) = (None, false);
            }
        })?;
        let here = watch.unseen();
        unseen.retain(|object| here.contains(object));
    }
    if let [first, ..] = unseen.as_slice() {
        return Err(format!("the logs never show {first}"));
    }
    found.sort_unstable();
    Ok(found)
}

/// Adds the records after which something else stands in a field; tells whether its object was ever there.
fn changes(merged: &Merged, log: usize, field: &Field, found: &mut Vec<usize>) -> Result<bool, String> {
    let mut view = View::new(&field.object, &start(merged, log).map_err(|err| format!("{err:#}"))?);
    let look = |view: &View| match &field.path {
        Some(path) => path.get(&view.value).cloned(),
        None => Some(view.value.clone()),
    };
    let mut stands = look(&view);
    follow(merged, log, |index, record, state| {
        if view.follow(&field.object, record, state) {
            let now = look(&view);
            if now != stands {
                found.push(index);
                stands = now;
            }
        }
    })?;
    Ok(view.was_there)
}

/// A field with its object, if it is written like one.
fn absolute(text: &str) -> Option<Result<Field, String>> {
    let (kind, _) = text.split_once('/').filter(|(kind, _)| !kind.is_empty() && !kind.contains(['.', '[']))?;
    match predicate::parse(text) {
        Ok(Predicate { test: Test::Exists(field), lasting: 0 }) => Some(Ok(field)),
        Ok(_) => Some(Err(format!("{text} is a condition: give a field, such as {kind}/app.status.phase"))),
        Err(wrong) => Some(Err(wrong.to_string())),
    }
}

fn of_subject(subject: &Subject, text: &str) -> Result<Field, String> {
    let aggregate = &subject.aggregate;
    let kind = if aggregate.controller == Controller::Drpc { Kind::Drpc } else { Kind::Vrg };
    let object = Object { kind, namespace: Some(aggregate.namespace.clone()), name: aggregate.name.clone() };
    let path = match text.strip_prefix('/') {
        // As JSON pointers are written.
        Some(pointer) => pointer.split('/').map(|step| format!("[\"{step}\"]")).collect(),
        None => text.to_owned(),
    };
    let path: Path = path.parse().map_err(|wrong| format!("the field: {wrong}"))?;
    Ok(Field { object, path: Some(path) })
}
