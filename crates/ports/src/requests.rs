//! The requests that an operation on a store comes down to, and their order.
//!
//! ```text
//!   operation ──> Requests::next ──> requests, to be sent side by side
//!                     ^                        │
//!                     └─────── replies ────────┘
//! ```
//!
//! Pure, so that whoever carries operations out, over sockets or without, does it in the same order. A request that fails
//! ends the operation: what was sent before has happened, or may happen yet.
//!
//! What a fence is around ([`StoreOperation::Fenced`], decision 6) is written right after a look at the fence: S3 can make
//! one write depend on what lies under its own key, not under another one. So the fence itself is taken with a conditional
//! put, no write begins later than [`TRUSTED`] after a look at it, unless it is the first one after a look whose answer took
//! longer, and a last look tells whether somebody came between.

use std::{collections::VecDeque, mem, time::Duration};

use ramen_events::{Outcome, spoke::Fence};
use serde_json::Value;

use crate::{StoreAnswer, StoreOperation, fence};

/// How long a look at the fence is trusted.
pub const TRUSTED: Duration = Duration::from_secs(2);
/// How often the fence is tried for while others change it.
const ATTEMPTS: usize = 8;
/// How many keys are deleted between two looks.
const BATCH: usize = 64;

/// One request to a store.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Asks for one key with this prefix: does the bucket exist, and may it be listed? Answered with [`Reply::Done`].
    Probe(String),
    /// Asks for all keys with this prefix. Answered with [`Reply::Keys`].
    List(String),
    /// Reads an object. Answered with [`Reply::Object`].
    Get(String),
    /// Stores an object. Answered with [`Reply::Done`], or with what became of the condition.
    Put {
        /// Its key.
        key: String,
        /// What is stored.
        object: Value,
        /// What must lie there.
        condition: Condition,
    },
    /// Deletes an object; that there is none is fine. Answered with [`Reply::Done`].
    Delete(String),
}

/// What must lie under a key for something to be put there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whatever.
    Any,
    /// Nothing.
    Absent,
    /// What has this tag.
    Tag(String),
}

/// What a store answered. Failures are no replies: they end the operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Done.
    Done,
    /// Keys.
    Keys(Vec<String>),
    /// What lies under a key; `None` only where the store says that nothing does.
    Object(Option<Found>),
    /// Nothing was put: something else lies there than the condition says.
    Changed,
    /// Nothing was put: the store knows no conditions.
    KnowsNoConditions,
}

/// What lies under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The object, or why it can't be read.
    pub object: Result<Value, String>,
    /// Changes with the object; some stores give none.
    pub tag: Option<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Send these, side by side; their replies, in this order, are what to go on with.
    Send(Vec<Request>),
    /// It has come to its end.
    Ended(Result<StoreAnswer, Outcome>),
}

/// An operation under way.
#[derive(Debug)]
pub struct Requests {
    fence: Option<Guard>,
    agenda: VecDeque<Task>,
    awaited: Awaited,
    answer: StoreAnswer,
}

#[derive(Debug)]
struct Guard {
    key: String,
    writer: Fence,
    looked: Option<Duration>,
}

#[derive(Debug)]
enum Task {
    /// Sees to it that the fence is ours, or that nobody's is in the way.
    Look,
    /// Tells whether somebody came between.
    Leave,
    Send(Vec<Request>, Awaited),
}

/// What the replies that come are to.
#[derive(Debug)]
enum Awaited {
    Nothing,
    /// `asked`: the moment before the reply; what is in it was so then at the earliest.
    Look {
        asked: Duration,
        attempt: usize,
    },
    Take {
        taken: Value,
        attempt: usize,
    },
    Leave,
    One(String),
    KeysToTell,
    KeysToRead,
    KeysToDelete,
    All(Vec<String>),
}

impl Requests {
    /// Those of an operation.
    ///
    /// # Errors
    /// A refusal: it is nothing that can be done.
    pub fn of(operation: StoreOperation) -> Result<Self, Outcome> {
        let (guard, operation) = match operation {
            StoreOperation::Fenced { key, writer, operation } => {
                (Some(Guard { key, writer, looked: None }), *operation)
            }
            operation => (None, operation),
        };
        let mut requests =
            Self { fence: guard, agenda: VecDeque::new(), awaited: Awaited::Nothing, answer: StoreAnswer::Done };
        requests.plan(operation)?;
        Ok(requests)
    }

    fn plan(&mut self, operation: StoreOperation) -> Result<(), Outcome> {
        let task = |request, awaited| Task::Send(vec![request], awaited);
        match operation {
            StoreOperation::Put(objects) => {
                for (key, object) in objects {
                    let put = Request::Put { key, object, condition: Condition::Any };
                    self.agenda.extend([Task::Look, task(put, Awaited::Nothing)]);
                }
                self.agenda.push_back(Task::Leave);
            }
            StoreOperation::Delete(keys) => self.delete(keys),
            StoreOperation::DeleteAll(prefix) => {
                self.agenda.extend([Task::Look, task(Request::List(prefix), Awaited::KeysToDelete)]);
            }
            other if self.fence.is_some() => {
                let message = format!("{other:?} is nothing that a fence is for: a defect, please report it");
                return Err(Outcome::Refused { code: 0, reason: "BadRequest".to_owned(), message });
            }
            StoreOperation::Probe { prefix } => {
                self.agenda.push_back(task(Request::Probe(prefix), Awaited::Nothing));
            }
            StoreOperation::Get(key) => self.agenda.push_back(task(Request::Get(key.clone()), Awaited::One(key))),
            StoreOperation::List(prefix) => self.agenda.push_back(task(Request::List(prefix), Awaited::KeysToTell)),
            StoreOperation::GetAll(prefix) => self.agenda.push_back(task(Request::List(prefix), Awaited::KeysToRead)),
            StoreOperation::Fenced { .. } => {}
        }
        Ok(())
    }

    fn delete(&mut self, keys: Vec<String>) {
        let deletions: Vec<Request> = keys.into_iter().map(Request::Delete).collect();
        for batch in deletions.chunks(BATCH) {
            self.agenda.extend([Task::Look, Task::Send(batch.to_vec(), Awaited::Nothing)]);
        }
        self.agenda.push_back(Task::Leave);
    }

    /// As whom it writes, where a fence tells who may.
    pub fn writer(&self) -> Option<&Fence> {
        self.fence.as_ref().map(|fence| &fence.writer)
    }

    /// Goes on with the replies to what was sent last, none at the beginning. `now` is the time that has passed since the
    /// operation began.
    pub fn next(&mut self, replies: Vec<Reply>, now: Duration) -> Next {
        match self.go_on(replies, now) {
            Ok(Some(requests)) => Next::Send(requests),
            Ok(None) => Next::Ended(Ok(mem::replace(&mut self.answer, StoreAnswer::Done))),
            Err(outcome) => Next::Ended(Err(outcome)),
        }
    }

    fn go_on(&mut self, replies: Vec<Reply>, now: Duration) -> Result<Option<Vec<Request>>, Outcome> {
        if let Some(request) = self.take(replies, now)? {
            return Ok(Some(vec![request]));
        }
        while let Some(task) = self.agenda.pop_front() {
            match (task, &self.fence) {
                (Task::Send(requests, awaited), _) => {
                    self.awaited = awaited;
                    return Ok(Some(requests));
                }
                (Task::Leave, Some(fence)) => {
                    self.awaited = Awaited::Leave;
                    return Ok(Some(vec![Request::Get(fence.key.clone())]));
                }
                (Task::Look, Some(fence)) if fence.looked.is_none_or(|looked| now >= looked + TRUSTED) => {
                    return self.look(0, now).map(|request| Some(vec![request]));
                }
                (Task::Look | Task::Leave, _) => {}
            }
        }
        Ok(None)
    }

    /// Takes in what was answered. `Some`: the same task needs one more request.
    fn take(&mut self, replies: Vec<Reply>, now: Duration) -> Result<Option<Request>, Outcome> {
        let awaited = mem::replace(&mut self.awaited, Awaited::Nothing);
        match (awaited, &mut self.fence) {
            (Awaited::Look { asked, attempt }, Some(fence)) => {
                let held = held(&fence.key, replies)?;
                let value = held.as_ref().map(|(value, _)| value);
                let Some(taken) = fence::enter(&fence.key, &fence.writer, value)? else {
                    fence.looked = Some(asked);
                    return Ok(None);
                };
                let condition = match held {
                    None => Condition::Absent,
                    Some((_, Some(tag))) => Condition::Tag(tag),
                    Some((_, None)) => Condition::Any, // a store without tags
                };
                self.awaited = Awaited::Take { taken: taken.clone(), attempt };
                return Ok(Some(Request::Put { key: fence.key.clone(), object: taken, condition }));
            }
            (Awaited::Take { taken, attempt }, Some(fence)) => {
                if replies.first() == Some(&Reply::KnowsNoConditions) {
                    let put = Request::Put { key: fence.key.clone(), object: taken.clone(), condition: Condition::Any };
                    self.awaited = Awaited::Take { taken, attempt };
                    return Ok(Some(put));
                }
                // One that changed meanwhile is no failure, and some stores take no notice of a condition: what lies
                // there now tells who has it.
                return self.look(attempt + 1, now).map(Some);
            }
            (Awaited::Leave, Some(fence)) => {
                let held = held(&fence.key, replies)?;
                fence::leave(&fence.key, &fence.writer, held.as_ref().map(|(value, _)| value))?;
            }
            (Awaited::One(key), _) => {
                self.answer = match found(replies) {
                    None => StoreAnswer::Absent,
                    Some(found) => StoreAnswer::Object(found.object.map_err(|why| {
                        let message = format!("{key}: {why}");
                        Outcome::Refused { code: 0, reason: "BadObject".to_owned(), message }
                    })?),
                };
            }
            (Awaited::KeysToTell, _) => self.answer = StoreAnswer::Keys(keys(replies)),
            (Awaited::KeysToRead, _) => {
                let keys = keys(replies);
                self.answer = StoreAnswer::Objects(Vec::new());
                if !keys.is_empty() {
                    let reads = keys.iter().cloned().map(Request::Get).collect();
                    self.agenda.push_back(Task::Send(reads, Awaited::All(keys)));
                }
            }
            (Awaited::KeysToDelete, fence) => {
                let last = fence.as_ref().map(|fence| fence.key.clone());
                let mut keys = keys(replies);
                keys.retain(|key| Some(key) != last.as_ref());
                self.delete(keys);
                // Last of all: until then it keeps others from taking what is half deleted for a beginning.
                let last = last.map(|key| Task::Send(vec![Request::Delete(key)], Awaited::Nothing));
                self.agenda.extend(last);
            }
            (Awaited::All(keys), _) => {
                // One that went between listing and reading is not there.
                let read = keys.into_iter().zip(replies).filter_map(|(key, reply)| match reply {
                    Reply::Object(Some(found)) => Some((key, found.object)),
                    _ => None,
                });
                self.answer = StoreAnswer::Objects(read.collect());
            }
            (Awaited::Nothing | Awaited::Look { .. } | Awaited::Take { .. } | Awaited::Leave, _) => {}
        }
        Ok(None)
    }

    fn look(&mut self, attempt: usize, now: Duration) -> Result<Request, Outcome> {
        let key = self.fence.as_ref().map(|fence| fence.key.clone()).unwrap_or_default();
        if attempt == ATTEMPTS {
            let message = format!("object {key} in this store does not stay as it is written");
            return Err(Outcome::Refused { code: 0, reason: "FenceContested".to_owned(), message });
        }
        self.awaited = Awaited::Look { asked: now, attempt };
        Ok(Request::Get(key))
    }
}

impl Request {
    /// Whether it changes what lies in the store.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Put { .. } | Self::Delete(_))
    }
}

fn found(replies: Vec<Reply>) -> Option<Found> {
    replies.into_iter().find_map(|reply| match reply {
        Reply::Object(found) => found,
        _ => None,
    })
}

fn keys(replies: Vec<Reply>) -> Vec<String> {
    let keys = replies.into_iter().find_map(|reply| match reply {
        Reply::Keys(keys) => Some(keys),
        _ => None,
    });
    keys.unwrap_or_default()
}

/// What the fence is like now.
fn held(key: &str, replies: Vec<Reply>) -> Result<Option<(Value, Option<String>)>, Outcome> {
    let Some(found) = found(replies) else { return Ok(None) };
    match found.object {
        Ok(value) => Ok(Some((value, found.tag))),
        Err(why) => Err(fence::unreadable(key, &why)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn put(keys: &[&str]) -> Requests {
        let writer = Fence { epoch: 1, cluster: "c1".to_owned(), drpc_uid: "uid".to_owned() };
        let objects = keys.iter().map(|key| ((*key).to_owned(), json!({ "is": key }))).collect();
        let operation = Box::new(StoreOperation::Put(objects));
        Requests::of(StoreOperation::Fenced { key: "fence".to_owned(), writer, operation }).unwrap()
    }

    fn fence(epoch: u64, cluster: &str) -> Vec<Reply> {
        let value = json!({ "kind": "StoreFence", "epoch": epoch, "cluster": cluster });
        vec![Reply::Object(Some(Found { object: Ok(value), tag: Some(format!("tag-{epoch}")) }))]
    }

    fn sent(next: Next) -> String {
        let words = |request: &Request| match request {
            Request::Put { key, condition, .. } => format!("put {key} {condition:?}"),
            other => format!("{other:?}"),
        };
        match next {
            Next::Send(requests) => requests.iter().map(words).collect::<Vec<_>>().join(", "),
            Next::Ended(Ok(_)) => "done".to_owned(),
            Next::Ended(Err(outcome)) => outcome.message().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn a_fence_is_looked_at_taken_looked_at_again_and_once_more_in_the_end() {
        let mut requests = put(&["a", "b"]);
        assert_eq!(sent(requests.next(Vec::new(), Duration::ZERO)), "Get(\"fence\")");
        assert_eq!(sent(requests.next(vec![Reply::Object(None)], SECOND)), "put fence Absent");
        assert_eq!(sent(requests.next(vec![Reply::Changed], SECOND)), "Get(\"fence\")");
        assert_eq!(sent(requests.next(fence(0, "c0"), SECOND)), "put fence Tag(\"tag-0\")");
        assert_eq!(sent(requests.next(vec![Reply::KnowsNoConditions], SECOND)), "put fence Any");
        assert_eq!(sent(requests.next(vec![Reply::Done], SECOND)), "Get(\"fence\")");
        assert_eq!(sent(requests.next(fence(1, "c1"), 2 * SECOND)), "put a Any");
        assert_eq!(
            sent(requests.next(vec![Reply::Done], 3 * SECOND)),
            "Get(\"fence\")",
            "it is trusted for two seconds"
        );
        assert_eq!(sent(requests.next(fence(1, "c1"), 3 * SECOND)), "put b Any");
        assert_eq!(sent(requests.next(vec![Reply::Done], 3 * SECOND)), "Get(\"fence\")");
        assert_eq!(sent(requests.next(fence(1, "c1"), 4 * SECOND)), "done");
    }

    #[test]
    fn a_look_that_is_trusted_saves_a_request() {
        let mut requests = put(&["a", "b"]);
        requests.next(Vec::new(), Duration::ZERO);
        assert_eq!(sent(requests.next(fence(1, "c1"), SECOND)), "put a Any");
        assert_eq!(sent(requests.next(vec![Reply::Done], SECOND)), "put b Any");
        assert_eq!(sent(requests.next(vec![Reply::Done], SECOND)), "Get(\"fence\")");
        let told = sent(requests.next(fence(2, "c2"), SECOND));
        assert!(told.contains("cluster c2") && told.contains("during a write"), "{told}");
    }

    #[test]
    fn who_comes_too_late_writes_nothing() {
        let mut requests = put(&["a"]);
        requests.next(Vec::new(), Duration::ZERO);
        let told = sent(requests.next(fence(2, "c2"), SECOND));
        assert!(told.contains("nothing was written"), "{told}");
    }

    #[test]
    fn a_fence_that_never_stays_ends_it() {
        let mut requests = put(&["a"]);
        let mut next = requests.next(Vec::new(), Duration::ZERO);
        for _ in 0..ATTEMPTS {
            assert_eq!(sent(next), "Get(\"fence\")");
            requests.next(vec![Reply::Object(None)], SECOND);
            next = requests.next(vec![Reply::Changed], SECOND);
        }
        assert!(sent(next).contains("does not stay"));
    }
}
