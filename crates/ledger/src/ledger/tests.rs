//! The ledger on its own: order, freshness and repeatability, without sockets or clocks.

use std::sync::Arc;

use ramen_api::kinds::CONFIG_MAP;
use ramen_events::{
    Cause, ClusterName, Epoch, Kind, ObjectId, Operator as Side, Origin, Outcome, Payload, Record, Seq, Stamp, Time,
};
use ramen_ports::{Requirement, Target};
use ramen_projector::{Domain, World};
use rstest::rstest;
use serde_json::{Value, json};

use super::{Ledger, Outbox};
use crate::input::{Answered, Flight, Input, Looked, Sight};

#[path = "../../tests/support/mirror.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the stories, which use all of it")]
mod mirror;

use mirror::{LOOK_MS, Mirror, State};

const WANTS: usize = 0;
const COPIES: usize = 1;

/// A ledger, and everything that it handed out.
struct Book {
    ledger: Ledger<Mirror>,
    records: Vec<Record>,
    now: Time,
}

impl Book {
    /// One whose watches were all listed.
    fn synced(wants: &[Value], copies: &[Value]) -> Self {
        let origin = Origin { operator: Side::Spoke, cluster: ClusterName::from("c1"), epoch: Epoch(1) };
        let ledger = Ledger::new(Arc::new(Mirror::new()), origin, World::default(), Stamp::default());
        let mut book = Self { ledger, records: Vec::new(), now: Time(1_000_000) };
        book.ledger.start(book.now);
        book.list(WANTS, wants);
        book.list(COPIES, copies);
        book.list(2, &[]);
        book.take(Input::NotServed(3));
        book
    }

    fn list(&mut self, watch: usize, objects: &[Value]) -> Outbox {
        self.ledger.take(Input::ListStarted(watch), self.now);
        for object in objects {
            self.ledger.take(Input::Listed(watch, Arc::new(object.clone())), self.now);
        }
        self.take(Input::ListDone(watch))
    }

    fn take(&mut self, input: Input) -> Outbox {
        self.ledger.take(input, self.now);
        self.flush()
    }

    fn wait(&mut self, ms: u64) -> Outbox {
        self.now = self.now.plus_ms(ms);
        self.ledger.fire(self.now);
        self.flush()
    }

    fn flush(&mut self) -> Outbox {
        let outbox = self.ledger.flush();
        self.records.extend(outbox.records.iter().cloned());
        outbox
    }

    fn flights(&self) -> Vec<Flight> {
        self.records
            .iter()
            .filter_map(|record| match &record.payload {
                Payload::Commanded { id, slot, command } => Some(Flight {
                    aggregate: record.aggregate.clone()?,
                    id: *id,
                    slot: slot.clone(),
                    command: command.clone(),
                    seq: record.seq,
                    grounds: Vec::new(),
                }),
                _ => None,
            })
            .collect()
    }

    fn gone(&self) -> Vec<ObjectId> {
        let gone = |record: &Record| match &record.payload {
            Payload::Gone(id) => Some(id.clone()),
            _ => None,
        };
        self.records.iter().filter_map(gone).collect()
    }
}

fn map(namespace: &str, value: &str, version: u64) -> Value {
    let metadata =
        json!({ "namespace": namespace, "name": "a", "resourceVersion": version.to_string(), "uid": namespace });
    json!({ "metadata": metadata, "data": { "value": value } })
}

fn answered(flight: Flight, outcome: Outcome, object: Option<Value>) -> Input {
    let sights = object.map(|object| Sight {
        resource: &CONFIG_MAP,
        namespace: "copies".to_owned(),
        name: "a".to_owned(),
        object: Some(Arc::new(object)),
    });
    Input::Answered(Box::new(Answered { flight, outcome, answers: Vec::new(), sights: sights.into_iter().collect() }))
}

/// An answer that says that the copy is not there.
fn answered_gone(flight: Flight, outcome: Outcome) -> Input {
    let (namespace, name) = ("copies".to_owned(), "a".to_owned());
    let sights = vec![Sight { resource: &CONFIG_MAP, namespace, name, object: None }];
    Input::Answered(Box::new(Answered { flight, outcome, answers: Vec::new(), sights }))
}

fn copy() -> ObjectId {
    ObjectId::new(Kind::Pod, "copies", "a")
}

#[test]
fn nothing_is_decided_before_everything_was_listed() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[map("copies", "1", 6)]);
    assert_eq!(book.flights().len(), 0, "the copy was not known yet when the wish was");
    let names: Vec<_> = book.records.iter().map(|record| record.payload.name()).collect();
    assert_eq!(names, ["Started", "Observed", "Observed", "Synced"]);
    book.take(Input::Deleted(COPIES, map("copies", "1", 7).into()));
    assert_eq!(book.flights().len(), 1);
}

#[test]
fn an_answer_is_known_before_its_command_ends_and_older_news_is_dropped() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[]);
    let flight = book.flights().remove(0);
    let outbox = book.take(answered(flight.clone(), Outcome::Done, Some(map("copies", "1", 8))));
    let names: Vec<_> = outbox.records.iter().map(|record| record.payload.name()).collect();
    assert_eq!(names, ["Observed", "Finished"]);
    assert!(outbox.records.iter().all(|record| record.cause == Cause::Local(flight.seq)));
    let stale = book.take(Input::Changed(COPIES, map("copies", "0", 7).into()));
    assert_eq!((stale.records.len(), stale.dropped.older), (0, 1));
}

#[test]
fn a_command_stands_on_what_was_seen_last_when_it_was_decided() {
    let mut book = Book::synced(&[], &[]);
    let mut decided = |value, version, generation| {
        let mut wish = map("wants", value, version);
        wish["metadata"]["generation"] = json!(generation);
        let flight = book.take(Input::Changed(WANTS, wish.into())).flights.remove(0);
        let grounds = flight.grounds.clone();
        book.take(answered(flight, Outcome::Done, None));
        grounds
    };
    assert_eq!(decided("1", 5, 1), []);
    let seen = |namespace: &str, generation, version| {
        let target = Target { resource: &CONFIG_MAP, namespace: namespace.to_owned(), name: "a".to_owned() };
        Requirement { target, uid: Some(namespace.to_owned()), generation, version, may_leave: true }
    };
    let wish = seen("wants", Some(2), None);
    assert_eq!(decided("standing", 6, 2), std::slice::from_ref(&wish), "nobody has seen a copy yet");

    let mut book = Book::synced(&[], &[map("copies", "1", 6)]);
    let mut standing = map("wants", "standing", 7);
    standing["metadata"]["generation"] = json!(2);
    let flight = book.take(Input::Changed(WANTS, standing.into())).flights.remove(0);
    assert_eq!(flight.grounds, [wish, seen("copies", None, Some("6".to_owned()))], "by its version: all of it counts");
}

#[test]
fn what_a_command_stood_on_is_news_from_outside_and_is_looked_up_when_it_is_gone() {
    let mut book = Book::synced(&[map("wants", "standing", 5)], &[map("copies", "1", 6)]);
    let refused = || Outcome::Conflict { message: "ConfigMap copies/a was changed after this was decided".to_owned() };
    let last = |book: &Book| {
        let flight = book.flights().pop().unwrap_or_else(|| panic!("a command"));
        Flight { grounds: book.ledger.grounds(&flight.aggregate, &flight.command), ..flight }
    };
    let outbox = book.take(answered(last(&book), refused(), Some(map("copies", "3", 8))));
    let [news, ..] = outbox.records.as_slice() else { panic!("news") };
    assert_eq!((news.payload.name(), &news.cause), ("Observed", &Cause::Outside), "others wrote it");

    book.wait(LOOK_MS);
    let looks = book.take(answered_gone(last(&book), refused())).looks;
    assert_eq!((looks.len(), book.gone()), (1, vec![]), "there may be a new one since");
}

/// A copy made anew under the name of the one before.
fn another(value: &str, version: u64) -> Value {
    let mut object = map("copies", value, version);
    object["metadata"]["uid"] = json!("made anew");
    object
}

#[rstest]
#[case::a_write_that_found_nothing(Outcome::Refused { code: 404, reason: "NotFound".to_owned(), message: String::new() })]
#[case::a_deletion(Outcome::Done)]
fn an_object_made_anew_since_an_answer_said_that_it_is_not_there_is_looked_up(#[case] outcome: Outcome) {
    let mut book = Book::synced(&[map("wants", "2", 5)], &[map("copies", "1", 6)]);
    book.wait(LOOK_MS);
    let flight = book.flights().remove(0);
    book.take(Input::Deleted(COPIES, map("copies", "1", 7).into()));
    book.take(Input::Changed(COPIES, another("1", 8).into()));
    let mut outbox = book.take(answered_gone(flight, outcome));
    assert_eq!(book.gone(), [copy()], "the first one, as the watch told");
    let look = outbox.looks.pop().unwrap_or_else(|| panic!("a look"));
    book.take(Input::Looked(Box::new(Looked { look, object: Some(another("1", 8).into()) })));
    let news = book.take(Input::Changed(COPIES, another("3", 9).into()));
    assert_eq!((news.records.len(), news.dropped.older), (1, 0), "it is there, and goes on changing");
}

#[test]
fn what_was_there_before_a_command_and_is_not_there_after_it_is_gone_without_another_look() {
    let mut book = Book::synced(&[map("wants", "2", 5)], &[map("copies", "1", 6)]);
    book.wait(LOOK_MS);
    let flight = book.flights().remove(0);
    book.take(Input::Changed(COPIES, map("copies", "3", 7).into()));
    let outbox = book.take(answered_gone(flight, Outcome::Done));
    assert_eq!((outbox.looks.len(), book.gone()), (0, vec![copy()]), "it only changed in between");
    let late = book.take(Input::Changed(COPIES, map("copies", "4", 8).into()));
    assert_eq!((late.records.len(), late.dropped.older), (0, 1), "the watch is behind the deletion");
}

#[test]
fn an_object_younger_than_the_list_is_looked_up_before_it_is_taken_for_gone() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[]);
    let flight = book.flights().remove(0);
    book.take(Input::ListStarted(COPIES));
    book.take(answered(flight, Outcome::Done, Some(map("copies", "1", 8))));
    let mut outbox = book.take(Input::ListDone(COPIES));
    let look = outbox.looks.remove(0);
    assert_eq!((&look.id, book.gone()), (&copy(), vec![]));
    book.take(Input::Looked(Box::new(Looked { look, object: None })));
    assert_eq!(book.gone(), [copy()]);
}

#[test]
fn what_a_look_found_while_a_list_was_read_may_be_younger_than_the_list() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[map("copies", "1", 100)]);
    let look = book.list(COPIES, &[map("copies", "old", 90)]).looks.remove(0);
    book.take(Input::ListStarted(COPIES));
    book.take(Input::Looked(Box::new(Looked { look, object: Some(another("1", 101).into()) })));
    let outbox = book.take(Input::ListDone(COPIES));
    assert_eq!((outbox.looks.len(), book.gone()), (1, vec![]));
}

#[test]
fn a_store_that_was_set_back_is_believed_after_a_second_look() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[map("copies", "1", 100)]);
    let mut outbox = book.list(COPIES, &[map("copies", "restored", 40)]);
    assert_eq!(outbox.records.len(), 0, "it may be a list that an answer overtook");
    let look = outbox.looks.pop().unwrap_or_else(|| panic!("a look"));
    let object = Some(Arc::new(map("copies", "restored", 41)));
    let outbox = book.take(Input::Looked(Box::new(Looked { look, object })));
    assert_eq!(outbox.flights.len(), 1, "the restored value is not the wanted one");
}

#[test]
fn a_remark_comes_before_what_it_is_about_and_only_when_it_is_news() {
    let mut book = Book::synced(&[], &[]);
    let mut written = |value: &str, version, author: Option<&str>| {
        let mut object = map("wants", value, version);
        if let Some(author) = author {
            object["metadata"]["annotations"] = json!({ "author": author });
        }
        let outbox = book.take(Input::Changed(WANTS, object.into()));
        let is_remark = |record: &Record| matches!(&record.payload, Payload::Observed(fact) if fact.is_remark());
        (outbox.records.iter().map(is_remark).collect::<Vec<_>>(), outbox.flights.len())
    };
    assert_eq!(written("1", 5, Some("kubectl-edit")), (vec![true, false, false], 1), "then the fact, then the command");
    assert_eq!(written("1", 6, Some("kubectl-edit")), (vec![false], 0), "who wrote it is not new");
    assert_eq!(written("1", 7, Some("kubectl-patch")), (vec![true, false], 0), "somebody else wrote it");
    assert_eq!(written("1", 8, None), (vec![false], 0), "an answer may leave out who wrote it");
}

#[test]
fn a_look_that_was_overtaken_changes_nothing() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[map("copies", "1", 100)]);
    let look = book.list(COPIES, &[map("copies", "old", 90)]).looks.remove(0);
    book.take(Input::Changed(COPIES, map("copies", "1", 101).into()));
    let outbox = book.take(Input::Looked(Box::new(Looked { look, object: None })));
    assert_eq!((outbox.records.len(), book.gone().len()), (0, 0));
}

#[test]
fn a_wish_is_asked_for_at_its_moment_and_not_before() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[map("copies", "1", 6)]);
    assert_eq!(book.wait(LOOK_MS - 1).records.len(), 0);
    let outbox = book.wait(1);
    assert_eq!(outbox.records.len(), 1);
    assert_eq!(outbox.records[0].payload.name(), "TimerFired");
    assert_eq!(book.ledger.next_timer(), Some(book.now.plus_ms(LOOK_MS)));
    book.take(Input::Deleted(WANTS, map("wants", "1", 9).into()));
    assert_eq!(book.wait(LOOK_MS).records.len(), 0, "nobody is there to be asked");
}

#[test]
fn what_panics_changes_nothing_and_is_counted() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[map("copies", "1", 6)]);
    let outbox = book.take(Input::Changed(COPIES, map("copies", "unreadable", 7).into()));
    assert_eq!((outbox.records.len(), outbox.panicked), (0, 1));
    let outbox = book.take(Input::Changed(WANTS, map("wants", "undecidable", 8).into()));
    assert_eq!((outbox.records.len(), outbox.flights.len(), outbox.panicked), (1, 0, 1), "the wish is known");
    let outbox = book.take(Input::Changed(WANTS, map("wants", "unheard", 9).into()));
    assert_eq!((outbox.flights.len(), outbox.panicked), (1, 0), "the next one is decided as always");
    let outbox = book.take(answered(outbox.flights[0].clone(), Outcome::Done, None));
    let names: Vec<_> = outbox.records.iter().map(|record| record.payload.name()).collect();
    assert_eq!((names.first(), outbox.panicked), (Some(&"Finished"), 1), "the command has ended");
}

#[test]
fn a_restart_keeps_what_was_known_and_forgets_what_was_under_way() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[]);
    assert_eq!(book.flights().len(), 1);
    let mut world = World::<State>::default();
    for record in &book.records {
        world.apply(record);
    }
    assert_eq!(world.domain.known(Kind::Pod).len(), 1);
    let stamp = book.records.last().map(|record| record.stamp).unwrap_or_default();
    let origin = Origin { epoch: Epoch(2), ..book.records[0].origin.clone() };
    book.ledger = Ledger::new(Arc::new(Mirror::new()), origin, world, stamp);
    book.ledger.start(Time(1)); // the clock was set back
    book.list(WANTS, &[map("wants", "1", 5)]);
    book.list(COPIES, &[]);
    book.list(2, &[]);
    book.take(Input::NotServed(3));
    assert_eq!(book.flights().len(), 2, "decided anew");
    let stamps: Vec<_> = book.records.iter().map(|record| record.stamp).collect();
    assert!(stamps.is_sorted_by(|one, other| one < other));
}

#[test]
fn the_records_alone_give_the_same_decisions() {
    let mut book = Book::synced(&[map("wants", "1", 5)], &[]);
    let flight = book.flights().remove(0);
    book.take(answered(flight, Outcome::Conflict { message: "no".to_owned() }, Some(map("copies", "0", 8))));
    book.wait(LOOK_MS);
    book.take(Input::Changed(COPIES, map("copies", "2", 11).into()));
    let mut world = World::<State>::default();
    let mut records = book.records.iter().peekable();
    while let Some(record) = records.next() {
        for aggregate in world.apply(record) {
            for payload in world.decide(&aggregate, record.seq).payloads {
                let recorded = records.next().unwrap_or_else(|| panic!("a decision is missing"));
                assert_eq!(recorded.payload, payload);
                world.apply(recorded);
            }
        }
    }
    assert_eq!((world.head, book.flights().len()), (Seq(book.records.len() as u64), 2));
}
