//! What `docs/pitfalls.md` names as a guard exists: scenarios, rules, tests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// What stands between two marks.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(begin) {
        let Some((name, more)) = after.split_once(end) else { break };
        found.insert(name);
        rest = more;
    }
    found
}

/// The lines of the tables.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| number"))
}

/// Everything that is written in Rust below a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_pitfall_has_a_row_and_something_that_guards_it() {
    let text = read("docs/pitfalls.md");
    let told: Vec<(&str, &str)> = rows(&text)
        .map(|row| {
            let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
            (cells.next().unwrap(), cells.nth(1).unwrap())
        })
        .collect();
    let all = [("P", 27), ("V", 39), ("H", 30), ("C", 25)];
    let all: Vec<String> =
        all.iter().flat_map(|(letter, most)| (1..=*most).map(move |n| format!("{letter}{n}"))).collect();
    assert_eq!(told.iter().map(|(number, _)| *number).collect::<Vec<_>>(), all);
    for (number, guard) in told {
        assert!(guard.contains(['`', '*']) || guard.starts_with("not met: "), "{number}: {guard}");
    }
}

#[test]
fn scenarios_that_guard_exist() {
    let text = read("docs/pitfalls.md");
    let named = between(&text, "(../scenarios/", ")");
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !root().join("scenarios").join(name).is_file()).collect();
    assert!(missing.is_empty(), "there are no scenarios {missing:?}");
}

#[test]
fn rules_that_guard_exist() {
    let simulation = read("docs/simulation.md");
    let (_, rules) = simulation.split_once("## What must hold").unwrap();
    let (rules, _) = rules.split_once("That these rules can fail").unwrap();
    let known: BTreeSet<&str> = rows(rules)
        .filter_map(|row| row.trim_matches('|').split('|').next())
        .flat_map(|cell| cell.trim().split(", "))
        .collect();
    let text = read("docs/pitfalls.md");
    let table: String = rows(&text).collect();
    let named = between(&table, "**", "**");
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named.difference(&known).collect();
    assert!(missing.is_empty(), "there are no rules {missing:?}");
}

#[test]
fn tests_that_guard_exist() {
    let mut all = String::new();
    sources(&root().join("crates"), &mut all);
    let text = read("docs/pitfalls.md");
    let table: String = rows(&text).collect();
    let named = between(&table, "`", "`");
    // Names of scenarios have dashes.
    let tests = named.iter().filter(|name| !table.contains(&format!("[`{name}`](../scenarios/")));
    let missing: Vec<_> = tests.filter(|name| !all.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "there are no tests {missing:?}");
}
