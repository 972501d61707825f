//! Keys in, screens out.

use std::path::PathBuf;

use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};

use super::{Model, course::Course};
use crate::{input::Input, merge::Merged, state::State};

fn logs(names: &[&str]) -> Merged {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../replay-fixtures/v1");
    let logs = names.iter().map(|name| folder.join(format!("{name}.ramenlog"))).collect();
    Input::of(logs, false).read().expect("recorded logs")
}

fn story() -> Merged {
    logs(&["story-hub", "story-c1", "story-c2"])
}

fn model(merged: &Merged) -> Model<'_> {
    Model::new(merged, (0..merged.entries.len()).collect()).expect("whole logs")
}

/// Types keys; `<Enter>` and the like are keys with names.
fn keys(model: &mut Model<'_>, text: &str) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (code, after) = match named {
            Some((name, after)) => (
                match name {
                    "Enter" => KeyCode::Enter,
                    "Esc" => KeyCode::Esc,
                    "Tab" => KeyCode::Tab,
                    "BackTab" => KeyCode::BackTab,
                    "Down" => KeyCode::Down,
                    "Up" => KeyCode::Up,
                    "PgDn" => KeyCode::PageDown,
                    "Home" => KeyCode::Home,
                    "End" => KeyCode::End,
                    "Backspace" => KeyCode::Backspace,
                    other => panic!("no key is called {other}"),
                },
                after,
            ),
            None => (KeyCode::Char(first), &rest[first.len_utf8()..]),
        };
        model.press(KeyEvent::new(code, KeyModifiers::NONE));
        rest = after;
    }
}

fn screen(model: &mut Model<'_>, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a buffer");
    terminal.draw(|frame| model.draw(frame)).expect("a buffer can be drawn to");
    terminal.backend().to_string()
}

/// Where the cursor is after these keys.
fn at(model: &mut Model<'_>, text: &str) -> String {
    keys(model, text);
    model.merged.name(model.cursor)
}

#[test]
fn state_and_gates_stand_beside_the_records() {
    let merged = story();
    let mut model = model(&merged);
    keys(&mut model, "ghub#221<Enter>");
    insta::assert_snapshot!(screen(&mut model, 160, 44));
}

#[test]
fn on_a_narrow_terminal_they_stand_below() {
    let merged = story();
    let mut model = model(&merged);
    keys(&mut model, "ghub#216<Enter>");
    insta::assert_snapshot!(screen(&mut model, 80, 36));
}

#[test]
fn help_and_breakpoints_lie_over_the_rest() {
    let merged = story();
    let mut model = model(&merged);
    keys(&mut model, "?");
    insta::assert_snapshot!("help", screen(&mut model, 100, 30));
    keys(&mut model, "qbstep Cleaning Up<Enter>bkind ProbeStore<Enter>cB");
    insta::assert_snapshot!("breakpoints", screen(&mut model, 100, 30));
    keys(&mut model, "1");
    assert_eq!(model.breaks.iter().map(|stops| stops.text.as_str()).collect::<Vec<_>>(), ["kind ProbeStore"]);
    assert!(!model.done, "q closed the help, and did not quit");
    keys(&mut model, "xq");
    assert!(model.done);
}

#[test]
fn what_is_typed_shows_and_what_is_wrong_with_it_too() {
    let merged = story();
    let mut model = model(&merged);
    for (typed, words) in [
        ("gnoon<Enter>", "none of: a record"),
        ("g9999<Enter>", "there is no record 9999"),
        ("g20:00<Enter>", "before the logs begin"),
        ("bx<Enter>", "expected an object, such as drpc/app.status.phase"),
        ("bkind Nothing<Enter>", "ApplyVrgWork"),
        ("bstep Nowhere<Enter>", "Cleaning Up"),
        ("bdrpc/nobody.status.phase == X<Enter>", "never show drpc/nobody"),
        ("=/status/nothing<Enter>", "never changes"),
        ("=pod/nobody.status<Enter>", "is never there"),
        ("onobody<Enter>", "drpc/apps/app-000 on hub"),
    ] {
        keys(&mut model, typed);
        let line = screen(&mut model, 400, 12).lines().last().unwrap_or_default().to_owned();
        assert!(line.contains(words), "{typed}: no {words:?} in {line}");
        keys(&mut model, "<Esc>");
    }
    keys(&mut model, "Q");
    assert!(screen(&mut model, 120, 12).contains("Q does nothing; ? tells what keys do"));
}

#[test]
fn there_and_back_again() {
    let merged = story();
    let mut model = model(&merged);
    assert_eq!(at(&mut model, "ghub#179<Enter>"), "hub#179");
    assert_eq!(at(&mut model, "n"), "hub#181", "the next command");
    assert_eq!(at(&mut model, "nN"), "hub#181", "and the one before");
    let before = model.cursor;
    at(&mut model, "<Down><Down><Down><Up><Up><Up>");
    assert_eq!(model.cursor, before);
    assert_eq!(at(&mut model, "s"), "hub#196", "WaitingForResourceRestore is over");
    assert_eq!(at(&mut model, "S"), "hub#180", "where it began");
    at(&mut model, "<End>");
    assert_eq!(model.cursor, merged.entries.len() - 1);
    at(&mut model, "<Down>n");
    assert!(model.said.contains("no command after this"), "{}", model.said);
    assert_eq!(at(&mut model, "<Home>"), merged.name(0));
    assert_eq!(at(&mut model, "g23:46:15<Enter>"), "c1#94", "the last record up to then");
}

/// What `bisect` finds is where it stops.
#[test]
fn breakpoints_stop_where_bisect_finds_it() {
    let merged = story();
    let mut model = model(&merged);
    keys(&mut model, "bdrpc/app-000.status.progression == \"Cleaning Up\"<Enter>");
    let first = at(&mut model, "<Home>c");
    assert_eq!(first, "hub#216");
    assert_eq!(model.said, "breakpoint 1: drpc/app-000.status.progression == \"Cleaning Up\"");
    at(&mut model, "c");
    assert_eq!(model.said, "there is no breakpoint after this");
    keys(&mut model, "bdrpc/app-000.status.progression == Completed<Enter>");
    assert_eq!(model.said, "breakpoint 2: 3 places; c goes to the next", "deployed, failed over, relocated");
    let completed = at(&mut model, "c");
    assert_eq!(model.said, "breakpoint 2: drpc/app-000.status.progression == Completed");
    assert_ne!(completed, first);
    assert_eq!(at(&mut model, "C"), first);
    assert_eq!(model.said, "breakpoint 1: drpc/app-000.status.progression == \"Cleaning Up\"");
    at(&mut model, "CC");
    assert_eq!(model.said, "there is no breakpoint before this");
    // One that has to last stops once it has lasted.
    keys(&mut model, "B11bdrpc/app-000.status.progression == \"Cleaning Up\" for 2s<Enter><Home>c");
    let began = merged.at(0, ramen_events::Seq(216)).expect("the record");
    let own = merged.entries_of(0);
    let here = own.binary_search(&model.cursor).expect("a record of the hub");
    let lasted = |index: usize| merged.entries[index].time.ms_since(merged.entries[began].time);
    assert!(lasted(own[here]) >= 2_000 && lasted(own[here - 1]) < 2_000, "the first record by which it has lasted");
}

/// By hand: the field of the object, record by record.
#[test]
fn changes_of_a_field_are_found_in_both_directions() {
    let merged = story();
    let mut model = model(&merged);
    let path = "status.progression".parse::<crate::field::Path>().expect("a path");
    let subject = model.selected().cloned().expect("the DRPC");
    let mut by_hand = Vec::new();
    let mut stands = None;
    let mut state = State::at(&merged.logs[0], ramen_events::Seq(0)).expect("the start");
    for &index in merged.entries_of(0) {
        state.apply(&merged.entries[index].record);
        let object = crate::object::of(&state, &subject.aggregate).ok();
        let now = object.as_ref().and_then(|object| path.get(object)).cloned();
        if now != stands {
            by_hand.push(index);
            stands = now;
        }
    }
    let mut found = Vec::new();
    keys(&mut model, "<Home>f");
    while model.said.is_empty() {
        found.push(model.cursor);
        keys(&mut model, "f");
    }
    assert_eq!(model.said, "there is no change of status.progression after this");
    assert!(found.len() > 10);
    assert_eq!(found, by_hand);
    let mut back = vec![model.cursor];
    keys(&mut model, "F");
    while model.said.is_empty() {
        back.push(model.cursor);
        keys(&mut model, "F");
    }
    back.reverse();
    assert_eq!(back, by_hand);
    // The same, written as a pointer and with its object.
    for text in ["/status/progression", "drpc/app-000.status.progression"] {
        keys(&mut model, "=");
        (0..40).for_each(|_| keys(&mut model, "<Backspace>"));
        keys(&mut model, &format!("{text}<Enter>"));
        assert_eq!(model.field.as_ref().map(|field| &field.at), Some(&by_hand), "{text}");
    }
}

#[test]
fn a_vrg_is_selected_and_looked_at_alone() {
    let merged = story();
    let mut model = model(&merged);
    keys(&mut model, "o on c1<Enter>a");
    let subject = model.selected().cloned().expect("a VRG");
    assert_eq!((model.log_name(subject.log), subject.aggregate.to_string().as_str()), ("c1", "vrg/app-000/app-000"));
    let listed = model.rows.len();
    keys(&mut model, "ghub#179<Enter>");
    assert_eq!(model.rows.len(), listed, "the record that was gone to is listed instead of the one before");
    keys(&mut model, "<Home><Down><Down>z");
    assert_eq!(model.rows.len(), listed - 1, "and no longer than the cursor is on it");
    assert!(model.rows.len() < merged.entries_of(1).len());
    assert!(model.rows.iter().all(|row| merged.log_name(&merged.entries[*row]) == "c1"));
    insta::assert_snapshot!(screen(&mut model, 100, 24));
    keys(&mut model, "zza<Tab>");
    assert_eq!(model.rows.len(), merged.entries.len());
    let aggregate = model.selected().map(|subject| (subject.log, subject.aggregate.to_string()));
    assert_eq!(aggregate, Some((2, "vrg/app-000/app-000".to_owned())));
}

#[test]
fn the_documentation_has_all_keys() {
    let document = include_str!("../../../../docs/replay.md").replace('`', "");
    for (key, what) in super::keys::KEYS {
        assert!(document.contains(what), "docs/replay.md does not tell that {key} is for: {what}");
    }
}

/// At any record, in any order, the state is that of a fold from the beginning.
#[test]
fn check_points_give_what_folding_gives() {
    let merged = logs(&["chaos-5-hub", "chaos-5-c1", "chaos-5-c2"]);
    let mut course = Course::new(&merged).expect("whole logs");
    let total = merged.entries.len();
    for turn in 0..60 {
        // Here and there, as primes go.
        let entry = turn * 7919 % total;
        for log in 0..merged.logs.len() {
            let state = course.state(log, entry).expect("a state");
            let seq = merged.entries_of(log).iter().take_while(|index| **index <= entry).count();
            let folded = State::at(&merged.logs[log], ramen_events::Seq(seq as u64)).expect("the log is whole");
            assert_eq!(state.bytes(), folded.bytes(), "log {log} at {entry}");
        }
    }
}

/// One key is one step, however long the log is.
#[test]
fn going_back_folds_little() {
    let merged = logs(&["chaos-5-hub"]);
    let mut model = model(&merged);
    keys(&mut model, "<End>");
    screen(&mut model, 160, 44);
    let (before, keys_pressed) = (model.course.folded(), 200);
    for _ in 0..keys_pressed {
        keys(&mut model, "<Up>");
        screen(&mut model, 160, 44);
    }
    let each = (model.course.folded() - before) / keys_pressed;
    assert!(each <= 32, "{each} records a key, of {}", merged.entries.len());
}

/// Whatever is pressed, it goes on; and it draws on terminals of any size.
#[test]
fn no_key_and_no_size_is_too_much() {
    let merged = story();
    let mut model = model(&merged);
    let all = [
        "jkjjk",
        "nnNN",
        "ssSS",
        "ffFF",
        "cC",
        "=x<Backspace><Esc>",
        "bkind Moved<Enter>",
        "ccC",
        "B9",
        "B",
        "b<Esc>",
        "gHUB<Enter>",
        "<Esc>",
        "oapp<Enter>",
        "a",
        "<Enter>",
        "[]{}]]]]}}}",
        "z",
        "?",
        "z",
        "<Tab><BackTab><Tab>",
        "z",
        "z",
        "z",
        "<PgDn>",
        "<End>",
        "<Home>",
        "é",
        "a",
    ];
    for (turn, (width, height)) in [(200, 60), (40, 10), (10, 3), (1, 1), (3, 50)].into_iter().enumerate() {
        for pressed in all {
            keys(&mut model, pressed);
            screen(&mut model, width, height);
        }
        keys(&mut model, "<Esc>");
        assert!(!model.done, "turn {turn}");
    }
}
