//! `docs/defects.md`: the tables as a document, with the plan that caught each defect in the last hunt.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::PathBuf};

use crate::{defect::Defect, hunt::Hunted};

const HOW: &str = "UPDATE_DOCS=1 cargo test --release -p ramen-trials --test defects";

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/defects.md"))
}

/// Cells of the document's table, without its head.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| defect |"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The plan that caught each defect, by its name.
pub fn caught_in() -> BTreeMap<String, String> {
    rows().into_iter().filter_map(|row| Some((row.first()?.clone(), row.get(3)?.clone()))).collect()
}

/// Checks that the document says what the tables say. Which plan catches a defect changes with each decision that changes,
/// so that is not checked.
pub fn check(defects: &[&Defect]) {
    if env::var_os("UPDATE_DOCS").is_some() {
        return;
    }
    let there: Vec<Vec<String>> = rows().into_iter().map(|row| row.into_iter().take(3).collect()).collect();
    let fresh: Vec<Vec<String>> = defects.iter().map(|defect| says(defect).to_vec()).collect();
    assert!(there == fresh, "docs/defects.md is not current: {HOW}");
}

fn says(defect: &Defect) -> [String; 3] {
    [defect.name.to_owned(), defect.what.to_owned(), defect.rules.join("; or ")]
}

/// Writes the document anew.
pub fn write(hunted: &[Hunted]) {
    let mut text = format!(
        "# Deliberate defects\n\n\
         A simulation that cannot fail proves nothing. Each of these {} defects is one gate that always stands open, one\n\
         order that is wrong, one omission, or a panic. They exist only in `crates/trials/tests/defects/`, where what operators see\n\
         and do is tampered with; production code knows nothing of them. The test fails unless the rule named here is broken\n\
         with the defect, and no rule is broken in the same run without it.\n\n\
         Plans are tried in this order: the story of the demo, with its eight variants; three scenarios with an operator that was\n\
         replaced and goes on; seeds from 0 on without faults; seeds from 0 on with all of them. The last columns say in which\n\
         plan the defect was caught when all of them were last hunted, and how many plans that took.\n\n\
         ```console\n\
         cargo test --release -p ramen-trials --test defects -- --nocapture\n\
         {HOW}   # hunts from the start, and writes this file\n\
         ```\n\n\
         | defect | what is changed | caught by | in | plans needed |\n|---|---|---|---|---|\n",
        hunted.len()
    );
    for found in hunted {
        let cells = says(found.defect).join(" | ");
        let _ = writeln!(text, "| {cells} | {} | {} |", found.caught_in(), found.trials);
    }
    fs::write(file(), text).unwrap();
}
