//! `docs/defects.md`: the tables as a document. Which plan catches a defect is not in it: that changes with the weather.

use std::{env, fmt::Write as _, fs, path::Path};

use crate::defect::Defect;

/// Checks that the document says what the tables say, or writes it anew with `UPDATE_DOCS`.
pub fn check(defects: &[&Defect]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/defects.md");
    let fresh = document(defects);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, fresh).unwrap();
        return;
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let how = "UPDATE_DOCS=1 cargo test -p ramen-trials --test defects";
    assert!(there == fresh, "docs/defects.md is not current: {how}");
}

fn document(defects: &[&Defect]) -> String {
    let mut text = format!(
        "# Deliberate defects\n\n\
         A simulation that cannot fail proves nothing. Each of these {} defects is one gate that always stands open, one\n\
         order that is wrong, or one omission. They exist only in `crates/trials/tests/defects/`, where what operators see\n\
         and do is tampered with; production code knows nothing of them. The test fails unless the rule named here is broken\n\
         with the defect, and no rule is broken in the same run without it.\n\n\
         ```console\n\
         cargo test --release -p ramen-trials --test defects -- --nocapture\n\
         UPDATE_DOCS=1 cargo test -p ramen-trials --test defects   # writes this file anew\n\
         ```\n\n\
         | defect | what is changed | caught by |\n|---|---|---|\n",
        defects.len()
    );
    for defect in defects {
        let _ = writeln!(text, "| {} | {} | {} |", defect.name, defect.what, defect.rules.join("; or "));
    }
    text
}
