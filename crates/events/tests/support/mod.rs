//! What the tests of the log write.

#![allow(dead_code, reason = "each test file uses what it needs")]

use ramen_events::{
    ActionId, Aggregate, Cause, ClusterName, CommandId, Controller, Epoch, Operator, Origin, Outcome, Payload,
    Position, Record, Seq, Stamp, Time, Wait,
    disk::{Options, Owner},
    log::Draft,
};

/// The hub of these tests.
pub fn owner() -> Owner {
    Owner { operator: Operator::Hub, cluster: ClusterName::from("hub") }
}

/// How the hub of these tests opens its log.
pub fn options() -> Options {
    Options::new(owner())
}

/// Who writes.
pub fn origin(epoch: Epoch) -> Origin {
    Origin { operator: Operator::Hub, cluster: ClusterName::from("hub"), epoch }
}

/// A payload of each common kind, by turns.
pub fn payload(n: u64) -> Payload {
    match n % 4 {
        0 => Payload::Moved(Position {
            runbook: "relocate".to_owned(),
            action: ActionId(format!("app-{n}")),
            step: "RunningFinalSync".to_owned(),
            wait: Some(Wait {
                what: format!("the final sync of {n} volumes"),
                on: Some(ClusterName::from("c1")),
                remedy: "look at the VRG's conditions".to_owned(),
            }),
            since: Time(1_700_000_000_000 + n),
        }),
        1 => Payload::TimerFired { wanted: Time(1_700_000_000_000 + n), why: format!("retry status {n}") },
        2 => Payload::Finished {
            id: CommandId::derive("drpc/ns/app", Seq(n), b"command"),
            slot: "work/c1/vrg".to_owned(),
            outcome: Outcome::Done,
        },
        _ => Payload::Finished {
            id: CommandId::derive("drpc/ns/app", Seq(n), b"command"),
            slot: "status".to_owned(),
            outcome: Outcome::Conflict { message: format!("somebody wrote drpc {n} first") },
        },
    }
}

/// A draft like many.
pub fn draft(n: u64) -> Draft {
    Draft {
        time: Time(1_700_000_000_000 + n),
        origin: origin(Epoch(1)),
        aggregate: Some(Aggregate::new(Controller::Drpc, "ns", "app")),
        cause: Cause::Local(Seq(n)),
        payload: payload(n),
    }
}

/// A record like many.
pub fn record(seq: u64) -> Record {
    let Draft { time, origin, aggregate, cause, payload } = draft(seq);
    Record { seq: Seq(seq), stamp: Stamp { time, count: 0 }, origin, aggregate, cause, payload }
}

/// Records with these numbers.
pub fn records(from: u64, to: u64) -> Vec<Record> {
    (from..=to).map(record).collect()
}
