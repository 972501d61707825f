//! Why an aggregate is where it is: the shut gate, what was seen for it, what would open it, and what led here.

use anyhow::Result;
use ramen_events::{Aggregate, Controller, Kind, ObjectId, Payload, Position, Time};
use serde::Serialize;

use crate::{
    authors,
    causes::{self, How},
    merge::Merged,
    past::{Known, Past},
    why_not, words,
};

/// Why one aggregate is where it is.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Who.
    pub aggregate: String,
    /// On which cluster.
    pub cluster: String,
    /// The last record of that log by then.
    pub record: String,
    /// At what time.
    #[serde(serialize_with = "as_text")]
    pub at: Time,
    /// Where it stands; `None` when it has not begun anything.
    pub standing: Option<Standing>,
    /// Why it is not what was asked about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// What was seen that has to do with it, newest first.
    pub observed: Vec<Seen>,
    /// Attempts that failed.
    pub failing: Vec<String>,
    /// When it went on, if the log reaches that far.
    pub went_on: Option<WentOn>,
    /// The same for what it waits for on other clusters.
    pub elsewhere: Vec<Answer>,
    /// What led here, oldest first.
    pub chain: Vec<Told>,
}

/// Where an aggregate stands in its runbook.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// Name of the runbook.
    pub runbook: String,
    /// Identity of the action.
    pub action: String,
    /// The step; empty when the runbook is complete.
    pub step: String,
    /// Since when it is there.
    #[serde(serialize_with = "as_text")]
    pub since: Time,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// On which cluster.
    pub on: Option<String>,
    /// Since when it waits for that.
    #[serde(serialize_with = "as_text")]
    pub waits_since: Time,
    /// What a person can do.
    pub remedy: Option<String>,
}

/// A fact that has to do with the wait.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// The object.
    pub object: String,
    /// What it told last.
    #[serde(flatten)]
    pub told: Told,
}

/// A record in words.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Its name.
    pub record: String,
    /// Its time.
    #[serde(serialize_with = "as_text")]
    pub time: Time,
    /// What it is about, and what it says.
    pub says: String,
    /// How it follows from the one before it.
    pub how: How,
    /// Whether it is what a user asked for.
    pub request: bool,
    /// Who asked, as far as the log tells: a field manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// When a wait ended.
#[derive(Clone, Debug, Serialize)]
pub struct WentOn {
    /// How much later, in milliseconds.
    pub after_ms: u64,
    /// Where it went.
    pub to: Told,
    /// What opened the gate.
    pub because: Option<Told>,
}

fn as_text<S: serde::Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&ramen_events::Stamp { time: *time, count: 0 })
}

/// How many objects are shown.
const OBJECTS: usize = 6;

/// A moment: after an entry, and how late it was.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The state asked about: why is it not that one?
    pub not: Option<&'a str>,
    /// The last entry that counts.
    pub entry: usize,
    /// The time asked about, no earlier than that entry's.
    pub time: Time,
}

/// Tells about one aggregate from what is known of it.
struct Teller<'a> {
    merged: &'a Merged,
    log: usize,
    aggregate: &'a Aggregate,
    known: Known,
    /// The moment asked about.
    now: Time,
}

/// Why `aggregate` of a log is where it is after the entry `at`; `None` when the log has nothing of it by then.
///
/// # Errors
/// When the log starts in the middle without a snapshot.
pub fn answer(
    merged: &Merged,
    past: &mut dyn Past,
    log: usize,
    aggregate: &Aggregate,
    at: At<'_>,
) -> Result<Option<Answer>> {
    let Some(known) = past.known(log, aggregate, at.entry)? else { return Ok(None) };
    Teller { merged, log, aggregate, known, now: at.time }.answer(past, at).map(Some)
}

impl Teller<'_> {
    fn time(&self, index: Option<usize>) -> Time {
        index.and_then(|index| self.merged.entries.get(index)).map_or(self.known.state.now(), |entry| entry.time)
    }

    fn answer(&self, past: &mut dyn Past, at: At<'_>) -> Result<Answer> {
        let position = self.known.state.position(self.aggregate);
        Ok(Answer {
            aggregate: self.aggregate.to_string(),
            cluster: self.merged.logs.get(self.log).map(|log| log.name().to_owned()).unwrap_or_default(),
            record: self.merged.name(self.known.last),
            at: self.now,
            standing: position.map(|position| self.standing(position)),
            not: at
                .not
                .map(|not| why_not::lines(&self.known.state, self.aggregate, not))
                .transpose()?
                .unwrap_or_default(),
            observed: self.observed(position),
            failing: self.failing(),
            went_on: self.went_on(position),
            elsewhere: self.elsewhere(position, past, at)?,
            chain: self.known.moved.map(|moved| self.chain(moved)).unwrap_or_default(),
        })
    }

    fn standing(&self, position: &Position) -> Standing {
        Standing {
            runbook: position.runbook.clone(),
            action: position.action.0.clone(),
            step: position.step.clone(),
            since: self.time(self.known.entered),
            waits_for: position.wait.as_ref().map(|wait| wait.what.clone()),
            on: position.wait.as_ref().and_then(|wait| wait.on.as_ref()).map(ToString::to_string),
            waits_since: self.time(self.known.moved),
            remedy: position.wait.as_ref().map(|wait| wait.remedy.clone()).filter(|remedy| !remedy.is_empty()),
        }
    }

    /// Facts of the cluster that is waited for; without one, all, those since the step was entered first.
    fn observed(&self, position: Option<&Position>) -> Vec<Seen> {
        let Some(wait) = position.and_then(|position| position.wait.as_ref()) else { return Vec::new() };
        let is_there =
            |object: &ObjectId| wait.on.as_ref().is_none_or(|on| object.namespace == on.0 || object.name == on.0);
        let objects = self.known.objects.iter().filter(|(object, _)| is_there(object));
        let mut seen: Vec<(&ObjectId, usize)> = objects.map(|(object, index)| (object, *index)).collect();
        // What the wait names by name is what it is about.
        let words: Vec<&str> = wait.what.split([' ', ',', ':', '/', '(', ')']).collect();
        let is_named = |object: &ObjectId| object.kind != Kind::Vrg && words.contains(&object.name.as_str());
        if seen.iter().any(|(object, _)| is_named(object)) {
            seen.retain(|(object, _)| is_named(object));
        }
        seen.sort_by_key(|(_, index)| std::cmp::Reverse(*index));
        seen.truncate(OBJECTS);
        seen.into_iter()
            .map(|(object, index)| Seen { object: object.to_string(), told: told(self.merged, index, How::Recorded) })
            .collect()
    }

    fn failing(&self) -> Vec<String> {
        let failing = self.known.state.flights().failing(self.aggregate).map(|(slot, attempt)| {
            let outcome = attempt.failure.as_ref().map(words::outcome_text).unwrap_or_default();
            let since = attempt.failing_since.map(|since| format!(", failing since {since}")).unwrap_or_default();
            let times = if attempt.failures == 1 { "once".to_owned() } else { format!("{} times", attempt.failures) };
            format!("{slot}: {outcome} ({times}{since})")
        });
        failing.collect()
    }

    /// The next time that it moved after this, unless the runbook was complete.
    fn went_on(&self, position: Option<&Position>) -> Option<WentOn> {
        let wait = position?.wait.as_ref()?;
        let later = self.merged.entries.iter().enumerate().skip(self.known.last + 1);
        let (index, entry) = later.into_iter().find(|(_, entry)| {
            let mine = entry.log == self.log && entry.record.aggregate.as_ref() == Some(self.aggregate);
            mine && matches!(&entry.record.payload, Payload::Moved(to) if to.wait.as_ref() != Some(wait))
        })?;
        let because = causes::chain(self.merged, index).iter().rev().nth(1).map(|link| link.entry);
        Some(WentOn {
            after_ms: entry.time.ms_since(self.now),
            to: told(self.merged, index, How::Recorded),
            because: because.map(|because| told(self.merged, because, How::Recorded)),
        })
    }

    /// What the VRGs of this DRPC say on the clusters that are waited for, if their logs are here.
    fn elsewhere(&self, position: Option<&Position>, past: &mut dyn Past, at: At<'_>) -> Result<Vec<Answer>> {
        let Some(wait) = position.and_then(|position| position.wait.as_ref()) else { return Ok(Vec::new()) };
        if self.aggregate.controller != Controller::Drpc {
            return Ok(Vec::new());
        }
        let owners = self.merged.owners();
        let mut answers = Vec::new();
        for ((namespace, name), _) in owners.iter().filter(|(_, owner)| *owner == self.aggregate) {
            let vrg = Aggregate::new(Controller::Vrg, namespace, name);
            for (log, of) in self.merged.logs.iter().enumerate().filter(|(log, _)| *log != self.log) {
                if wait.on.as_ref().is_none_or(|on| on.as_str() == of.name()) {
                    answers.extend(answer(self.merged, past, log, &vrg, At { not: None, ..at })?);
                }
            }
        }
        Ok(answers)
    }

    fn chain(&self, moved: usize) -> Vec<Told> {
        causes::chain(self.merged, moved).into_iter().map(|link| told(self.merged, link.entry, link.how)).collect()
    }
}

/// A record in words.
pub fn told(merged: &Merged, index: usize, how: How) -> Told {
    let entry = merged.entries.get(index);
    let says = words::says(merged, index);
    let about = entry.map(|entry| words::about(&entry.record)).unwrap_or_default();
    let is_fact = matches!(entry.map(|entry| &entry.record.payload), Some(Payload::Observed(_) | Payload::Gone(_)));
    let request = causes::is_request(merged, index);
    Told {
        by: request.then(|| authors::by(merged, index)).flatten(),
        record: merged.name(index),
        time: entry.map_or(Time(0), |entry| entry.time),
        says: if is_fact { format!("{about}: {says}") } else { says },
        how,
        request,
    }
}
