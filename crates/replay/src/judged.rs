//! What a log knew of an object beside what a cluster shows of it now: which differences time alone explains.

use ramen_events::Time;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    changes::{self, Change},
    object::filled,
};

/// How the cluster and the log go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is different.
    Same,
    /// The cluster shows something that was written after the moment of the log: it is newer, and that may be all.
    Newer,
    /// The object is not there, or another one of that name was made later.
    Gone,
    /// The cluster shows something that was written before the moment of the log, and the log has it otherwise.
    Contradicts,
}

/// An object of a log and of a cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// How they go together.
    pub verdict: Verdict,
    /// The same for people.
    pub words: String,
    /// The moment of the log.
    #[serde(serialize_with = "as_text")]
    pub known: Time,
    /// When the cluster's object was written last, as far as it says; of a condition, when it changed last.
    #[serde(serialize_with = "as_text_or_null")]
    pub written: Option<Time>,
    /// What is different.
    pub changes: Vec<Change>,
}

fn as_text<S: serde::Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn as_text_or_null<S: serde::Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

/// API servers tell times in seconds: what came in the same second may have come later.
const SECOND: u64 = 1_000;

impl Judged {
    /// Of an object as the log knew it at a time, and as the cluster shows it, if it does.
    pub fn new(known: Time, log: &Value, cluster: Option<&Value>) -> Self {
        let judged = |verdict, words: String, written, changes| Self { verdict, words, known, written, changes };
        let Some(cluster) = cluster else {
            let words = format!(
                "is not in the cluster now; the log has it at {known}, so it was deleted since, or this is \
                                 another cluster"
            );
            return judged(Verdict::Gone, words, None, Vec::new());
        };
        let uid = |object: &Value| object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        let made = time(cluster.pointer("/metadata/creationTimestamp"));
        if uid(log) != uid(cluster) {
            let when = made.map(|made| format!(", made at {made}")).unwrap_or_default();
            let words = format!("is another object in the cluster now{when}: that of the log (at {known}) was deleted");
            return match made {
                Some(made) if !is_after(made, known) => {
                    let words = format!(
                        "is another object in the cluster, which was there ({made}) before the moment of the log ({known}): is \
                         this the cluster that the log is of?"
                    );
                    let change =
                        Change { path: "metadata.uid".into(), before: json(uid(log)), after: json(uid(cluster)) };
                    judged(Verdict::Contradicts, words, Some(made), vec![change])
                }
                made => judged(Verdict::Gone, words, made, Vec::new()),
            };
        }
        let changes = changes::between(&compared(log), &compared(cluster));
        let written = written(cluster);
        if changes.is_empty() {
            return judged(Verdict::Same, format!("is in the cluster as the log has it at {known}"), written, changes);
        }
        match written {
            Some(written) if is_after(written, known) && written <= known => {
                let words = format!(
                    "the cluster may be newer: it was written in the second ({written}) in which the log stands; these \
                     differences do not say that either is wrong"
                );
                judged(Verdict::Newer, words, Some(written), changes)
            }
            Some(written) if is_after(written, known) => {
                let words = format!(
                    "the cluster is newer: it was written at {written}, and the log knows it up to {known}; these differences \
                     do not say that either is wrong"
                );
                judged(Verdict::Newer, words, Some(written), changes)
            }
            Some(written) => {
                let words = format!(
                    "the cluster shows what was written at {written}, and the log, which goes up to {known}, should have seen \
                     it: look whether the operator that wrote the log still watches this cluster, and at the clocks of both"
                );
                judged(Verdict::Contradicts, words, Some(written), changes)
            }
            None => {
                let words = format!("the cluster does not say when it was written; the log knows it up to {known}");
                judged(Verdict::Newer, words, None, changes)
            }
        }
    }
}

fn json(text: Option<String>) -> Option<Value> {
    text.map(Value::String)
}

/// What of an object is compared: what the operator writes, and what is asked of it, by its generation.
fn compared(object: &Value) -> Value {
    let metadata = |name: &str| object.pointer(&format!("/metadata/{name}")).cloned();
    filled(json!({
        "metadata": {"generation": metadata("generation"), "deletionTimestamp": metadata("deletionTimestamp")},
        "status": object.get("status"),
    }))
}

/// When an object was written last: what its managers say of it, or what stands in its status.
fn written(object: &Value) -> Option<Time> {
    let list = |path: &str| object.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let managers = list("/metadata/managedFields").map(|manager| manager.get("time"));
    let conditions = list("/status/conditions").map(|condition| condition.get("lastTransitionTime"));
    let others = ["/status/lastUpdateTime", "/metadata/deletionTimestamp"].map(|path| object.pointer(path));
    managers.chain(conditions).chain(others).filter_map(time).max()
}

fn time(value: Option<&Value>) -> Option<Time> {
    Time::parse(value?.as_str()?)
}

fn is_after(told: Time, known: Time) -> bool {
    told.0 + SECOND > known.0
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// 12:00:05.250 on the log's clock.
    const KNOWN: &str = "2026-01-31T12:00:05.250Z";

    fn drpc(uid: &str, phase: &str, generation: i64, more: &[(&str, Value)]) -> Value {
        let mut object = json!({
            "metadata": {"uid": uid, "generation": generation},
            "spec": {"action": ""},
            "status": {"phase": phase, "conditions": [
                {"type": "Available", "status": "True", "lastTransitionTime": "2026-01-31T11:00:00Z"}]},
        });
        for (path, value) in more {
            *object.pointer_mut(path).expect("a place") = value.clone();
        }
        object
    }

    fn cluster(phase: &str, written: &str) -> Value {
        let managed = json!({"uid": "1", "generation": 1, "managedFields": [
            {"manager": "ramen-hub", "subresource": "status", "time": written}]});
        drpc("1", phase, 1, &[("/metadata", managed)])
    }

    #[rstest]
    #[case::nothing_is_different(
        Some(cluster("Deployed", "2026-01-31T12:30:00Z")),
        Verdict::Same,
        0,
        "as the log has it"
    )]
    #[case::written_later(
        Some(cluster("FailedOver", "2026-01-31T12:30:00Z")),
        Verdict::Newer,
        1,
        "the cluster is newer: it was written at 2026-01-31T12:30:00Z"
    )]
    #[case::written_in_the_same_second(
        Some(cluster("FailedOver", "2026-01-31T12:00:05Z")),
        Verdict::Newer,
        1,
        "may be newer"
    )]
    #[case::written_before(
        Some(cluster("FailedOver", "2026-01-31T12:00:03Z")),
        Verdict::Contradicts,
        1,
        "should have seen it"
    )]
    #[case::without_managers_its_conditions_tell(
        Some(drpc("1", "FailedOver", 1, &[])), Verdict::Contradicts, 1, "2026-01-31T11:00:00Z"
    )]
    #[case::it_does_not_say(
        Some(drpc("1", "FailedOver", 1, &[("/status/conditions", json!([]))])), Verdict::Newer, 2, "does not say when"
    )]
    #[case::asked_for_something_else(
        Some(drpc("1", "Deployed", 2, &[("/status/conditions/0/lastTransitionTime", json!("2026-01-31T12:01:00Z"))])),
        Verdict::Newer, 2, "newer"
    )]
    #[case::it_is_gone(None, Verdict::Gone, 0, "is not in the cluster now")]
    #[case::made_anew(
        Some(drpc("2", "Deployed", 1, &[("/metadata", json!({"uid": "2", "creationTimestamp": "2026-01-31T13:00:00Z"}))])),
        Verdict::Gone, 0, "made at 2026-01-31T13:00:00Z"
    )]
    #[case::of_another_cluster(
        Some(drpc("2", "Deployed", 1, &[("/metadata", json!({"uid": "2", "creationTimestamp": "2026-01-31T09:00:00Z"}))])),
        Verdict::Contradicts, 1, "is this the cluster that the log is of?"
    )]
    fn differences_are_judged_by_when_they_were_written(
        #[case] cluster: Option<Value>,
        #[case] verdict: Verdict,
        #[case] changes: usize,
        #[case] words: &str,
    ) {
        let known = Time::parse(KNOWN).expect("a time");
        let judged = Judged::new(known, &drpc("1", "Deployed", 1, &[]), cluster.as_ref());
        assert_eq!((judged.verdict, judged.changes.len()), (verdict, changes), "{judged:#?}");
        assert!(judged.words.contains(words), "{}", judged.words);
    }
}
