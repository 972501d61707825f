//! Bytes that were written once must be read for ever.
//!
//! `golden/form1.txt` has the stored bytes of the records below, one a line, in hex. Lines are added (a new kind of
//! payload), never changed: a test that fails here tells of a change that would make existing logs unreadable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

use ramen_events::{
    ActionId, Aggregate, Cause, ClusterName, CommandId, Controller, Epoch, Fact, Kind, ObjectId, Operator, Origin,
    Outcome, Payload, Position, Record, Seq, Stamp, Time, Wait,
    hub::{self, Author, AuthorsFact, ObjectRef},
    log, stored,
};

const FORM_1: &str = include_str!("golden/form1.txt");

fn position(wait: Option<Wait>) -> Payload {
    Payload::Moved(Position {
        runbook: "failover".to_owned(),
        action: ActionId("failover-7".to_owned()),
        step: "WaitForReadiness".to_owned(),
        wait,
        since: Time(1_700_000_000_123),
    })
}

fn finished(outcome: Outcome) -> Payload {
    Payload::Finished { id: CommandId::derive("drpc/ns/app", Seq(3), b"command"), slot: "status".to_owned(), outcome }
}

fn authors() -> Payload {
    let author = Author {
        manager: "kubectl-patch".to_owned(),
        operation: "Update".to_owned(),
        at: Some(Time(1_700_000_000_000)),
        fields: vec!["action".to_owned(), "failoverCluster".to_owned()],
    };
    let drpc = ObjectRef::new("ns", "app");
    Payload::Observed(Fact::Hub(hub::Fact::Authors(AuthorsFact { drpc, uid: "u1".to_owned(), authors: vec![author] })))
}

/// The records of the fixture: every payload that is no fact or command, every outcome, every cause, and remarks.
fn golden() -> Vec<Record> {
    let text = |text: &str| text.to_owned();
    let app = || Some(Aggregate::new(Controller::Drpc, "ns", "app"));
    let remote = Cause::Remote {
        cluster: ClusterName::from("hub"),
        command: CommandId::derive("drpc/ns/app", Seq(9), b"other command"),
    };
    let wait = Wait {
        what: text("volumes to become primary"),
        on: Some(ClusterName::from("c2")),
        remedy: text("look at the storage"),
    };
    let contents = [
        (None, Cause::Outside, Payload::Started { operator: Operator::Spoke, epoch: Epoch(3), decider: 1 }),
        (None, Cause::Outside, Payload::Synced),
        (None, remote, Payload::Gone(ObjectId::new(Kind::PersistentVolumeClaim, "ns", "data"))),
        (None, Cause::Outside, Payload::Gone(ObjectId::cluster_scoped(Kind::StorageClass, "fast"))),
        (app(), Cause::Outside, Payload::TimerFired { wanted: Time(u64::MAX), why: text("look again") }),
        (app(), Cause::Local(Seq(2)), position(Some(wait))),
        (app(), Cause::Local(Seq(70_000)), position(None)),
        (app(), Cause::Local(Seq(3)), finished(Outcome::Done)),
        (app(), Cause::Local(Seq(3)), finished(Outcome::Conflict { message: text("written by somebody else") })),
        (
            app(),
            Cause::Local(Seq(3)),
            finished(Outcome::Refused { code: 403, reason: text("Forbidden"), message: text("not allowed") }),
        ),
        (app(), Cause::Local(Seq(3)), finished(Outcome::Unreachable { message: text("connection refused") })),
        (app(), Cause::Local(Seq(3)), finished(Outcome::Unknown { message: text("timed out") })),
        (None, Cause::Outside, Payload::Lost { records: 3 }),
        (None, Cause::Outside, authors()),
    ];
    (1_u64..)
        .zip(contents)
        .map(|(seq, (aggregate, cause, payload))| Record {
            seq: Seq(seq * 1000),
            stamp: Stamp { time: Time(1_700_000_000_000 + seq), count: u32::from(seq % 2 == 0) * 300 },
            origin: Origin { operator: Operator::Spoke, cluster: ClusterName::from("c1"), epoch: Epoch(3) },
            aggregate,
            cause,
            payload,
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn form_1_is_read_for_ever() {
    let lines: Vec<&str> = FORM_1.lines().collect();
    assert_eq!(lines.len(), golden().len());
    for (line, record) in lines.iter().zip(golden()) {
        assert_eq!(stored::decode(&bytes(line)).unwrap(), record);
    }
}

#[test]
fn form_1_is_written_as_it_was() {
    assert_eq!(stored::FORM, 1, "once there is a newer form, this test goes: form 1 is no longer written");
    let written: Vec<String> = golden().iter().map(|record| hex(&stored::encode(record).unwrap())).collect();
    assert_eq!(FORM_1.lines().collect::<Vec<_>>(), written);
}

#[test]
fn stored_bytes_that_are_cut_or_longer_or_unknown_are_no_record() {
    for line in FORM_1.lines() {
        let whole = bytes(line);
        for length in 0..whole.len() {
            assert!(stored::decode(&whole[..length]).is_err(), "{length} bytes of {line}");
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert!(matches!(stored::decode(&longer), Err(stored::Error::Surplus { surplus: 1 })));
        let newer = [&[2], &whole[1..]].concat();
        assert!(matches!(stored::decode(&newer), Err(stored::Error::TooNew { found: 2 })));
    }
}

/// After a downgrade, a log holds what this version does not know: that is no damage, and nobody may cut it off.
#[test]
fn a_fact_of_a_later_version_is_no_damage() {
    let synced = golden().into_iter().find(|record| record.payload == Payload::Synced).unwrap();
    let mut bytes = stored::encode(&synced).unwrap();
    *bytes.last_mut().unwrap() = 200;
    let stored = log::Stored { seq: synced.seq, bytes, hash: ramen_events::ChainHash::GENESIS };
    let refused = stored.record().unwrap_err();
    assert!(matches!(refused, log::Error::Newer { .. }), "{refused:?}");
    assert!(refused.remedy().contains("use the version that wrote it"), "{}", refused.remedy());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_nor_claim_much_memory(tail: Vec<u8>) {
        let bytes = [&[1], tail.as_slice()].concat();
        if let Ok(record) = stored::decode(&bytes) {
            let again = stored::encode(&record).unwrap();
            proptest::prop_assert_eq!(stored::decode(&again).unwrap(), record);
        }
    }

    #[test]
    fn a_golden_record_with_a_changed_byte_never_panics(line in 0..12_usize, at: proptest::sample::Index, byte: u8) {
        let mut bytes = bytes(FORM_1.lines().nth(line).unwrap());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(stored::decode(&bytes));
    }
}
