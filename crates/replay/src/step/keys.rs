//! What keys do.

/// Keys, and what they do: the one list that the help on `?`, `--help` and the documentation show.
pub const KEYS: [(&str, &str); 20] = [
    ("Down Up, j k", "the next record, the one before"),
    ("PgDn PgUp", "a page of records on, back"),
    ("Home End", "the first record, the last one"),
    ("n N", "the next command, the one before"),
    ("s S", "where the selected DRPC or VRG comes to another step: next, before"),
    ("f F", "where the field changes: next, before"),
    ("=", "choose the field: status.phase, /status/phase, or drpc/app.status.phase"),
    ("c C", "on to the next breakpoint, back to the one before"),
    ("b", "add a breakpoint: kind KIND, step STEP, about TEXT, or a condition"),
    ("B", "breakpoints; a number removes one"),
    ("g", "go to a record (hub#120) or a time (12:00:05)"),
    ("Tab, Shift-Tab", "select the next DRPC or VRG, the one before"),
    ("o", "select a DRPC or VRG by its name"),
    ("a", "only records that concern it, or all"),
    ("Enter", "the record itself instead of the state, and back"),
    ("[ ]", "scroll the state"),
    ("{ }", "scroll the gates"),
    ("z", "one part alone, and back"),
    ("?", "this help"),
    ("q", "quit"),
];

/// All keys, for `--help`.
pub fn help() -> String {
    let keys = KEYS.iter().map(|(key, what)| format!("  {key:<16}{what}\n"));
    format!("Keys:\n{}", keys.collect::<String>())
}
