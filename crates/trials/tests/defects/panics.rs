//! Operators that fail as programs do: the ledger catches panics, so that one object does not stop the work on all others, and
//! nobody may do the same thing again and again.

use ramen_events::{Command, Kind};
use serde_json::Value;

use crate::defect::{Defect, SOUND, STORMS};

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
    Defect {
        name: "what was written last is never seen",
        what: "the operator of a cluster sees VRGs without the conditions in their status, and writes them anew",
        rules: &[STORMS],
        see: |seen| {
            if seen.kind == Kind::Vrg
                && let Some(status) = seen.object.get_mut("status").and_then(Value::as_object_mut)
            {
                status.remove("conditions");
            }
            true
        },
        ..SOUND
    },
];
