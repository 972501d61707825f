//! Operators that fail as programs do: the ledger catches that, so that one object does not stop the work on all others.

use ramen_events::{Command, Kind};

use crate::defect::{Defect, SOUND};

const RULE: &[&str] = &["N1 nothing panics"];

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "reading an object panics",
        what: "the operator of a cluster panics when it reads a VRG",
        rules: RULE,
        see: |seen| {
            assert_ne!(seen.kind, Kind::Vrg, "a defect");
            true
        },
        ..SOUND
    },
    Defect {
        name: "reading an answer panics",
        what: "the hub panics when it reads what came of a command",
        rules: RULE,
        hear: |heard| assert!(!matches!(heard.command, Command::Hub(_)), "a defect"),
        ..SOUND
    },
];
