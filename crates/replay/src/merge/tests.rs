#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

use std::path::PathBuf;

use super::*;
use crate::{page, story::Story, walks};

fn logs(story: &str) -> Vec<Log> {
    let file = |name: &str| {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../replay-fixtures/v1");
        Log::open(&root.join(format!("{story}-{name}.ramenlog")), false).expect("a recorded log")
    };
    ["hub", "c1", "c2"].map(file).into()
}

fn order(merged: &Merged) -> Vec<(usize, Seq, Time)> {
    merged.entries.iter().map(|entry| (entry.log, entry.record.seq, entry.time)).collect()
}

#[test]
fn what_is_held_is_in_the_order_of_all() {
    for story in ["story", "chaos-5"] {
        let all = Merged::read(logs(story)).expect("whole logs");
        let some = Merged::read_some(logs(story), &walks::tell).expect("whole logs");
        let told = all.entries.iter().filter(|entry| walks::tell(&entry.record));
        let told: Vec<_> = told.map(|entry| (entry.log, entry.record.seq, entry.time)).collect();
        assert_eq!(order(&some), told, "{story}");
        assert_eq!((some.total(), some.ahead.clone()), (all.entries.len() as u64, all.ahead.clone()), "{story}");
        assert!(some.is_partial() && !all.is_partial());
        for (index, entry) in some.entries.iter().enumerate() {
            assert_eq!(some.at(entry.log, entry.record.seq), Some(index));
        }
        let gap = all.entries.iter().find(|entry| !walks::tell(&entry.record)).expect("a record that is not held");
        assert_eq!(some.at(gap.log, gap.record.seq), None);
    }
}

#[test]
fn a_page_of_steps_has_the_steps_and_says_what_is_left_out() {
    let page = |merged: &Merged| {
        let story = Story::of(merged, None).expect("applications");
        let mut page = Vec::new();
        page::html(merged, &story, None, &mut page).expect("it is written into memory");
        (String::from_utf8(page).expect("text"), story)
    };
    let (all, story) = page(&Merged::read(logs("story")).expect("whole logs"));
    let (some, same) = page(&Merged::read_some(logs("story"), &walks::tell).expect("whole logs"));
    assert_eq!((story.start, story.end), (same.start, same.end));
    let part = |page: &str, from: &str, to: &str| {
        let (_, rest) = page.split_once(from).expect("such a part");
        rest.split_once(to).expect("its end").0.to_owned()
    };
    for (from, to) in
        [("<tbody id=\"actions\">", "</tbody>"), ("<h2 id=\"steps-title\">", "</main>"), ("<footer", "</footer>")]
    {
        assert_eq!(part(&all, from, to), part(&some, from, to));
    }
    assert!(some.len() < all.len());
    assert!(!all.contains("this page holds") && some.contains("records this page holds"), "it says so");
    assert!(some.contains("`ramen-replay show`"), "and what to do");
}
