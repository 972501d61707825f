//! The report as one table: what spreadsheets take.

use ramen_events::Stamp;

use crate::audit::report::{Action, CommandRun, NOT_KNOWN, Report, When};

const COLUMNS: [&str; 13] = [
    "application",
    "action",
    "row",
    "cluster",
    "what",
    "from",
    "until",
    "ms",
    "target_ms",
    "result",
    "evidence",
    "by",
    "note",
];

/// A row; fields that it has no use for stay empty.
#[derive(Default)]
struct Row<'a> {
    application: &'a str,
    action: &'a str,
    row: &'a str,
    cluster: &'a str,
    what: String,
    from: String,
    until: String,
    ms: String,
    target_ms: String,
    result: String,
    evidence: String,
    by: String,
    note: String,
}

/// The whole table, lines ended as RFC 4180 wants them.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    line(&mut text, &COLUMNS);
    for log in &report.logs {
        let row = Row {
            row: "log",
            cluster: &log.name,
            what: format!("{}: records {} to {} of {}", log.file, log.first, log.last, log.owner),
            from: time(log.first_time),
            until: time(log.last_time),
            result: if log.chain_verified { "chain verified" } else { "chain not verified" }.to_owned(),
            evidence: format!("last hash {}", log.hash),
            note: log
                .anchors
                .iter()
                .filter(|_| log.anchored.is_some())
                .chain(&log.gaps)
                .cloned()
                .collect::<Vec<_>>()
                .join("; "),
            ..Row::default()
        };
        row.print(&mut text);
    }
    for gap in &report.head.gaps {
        Row { row: "gap", what: gap.clone(), ..Row::default() }.print(&mut text);
    }
    for action in &report.actions {
        of_action(&mut text, action);
    }
    text
}

fn of_action(text: &mut String, action: &Action) {
    let row = |row| Row { application: &action.application, action: &action.action, row, ..Row::default() };
    let changes: Vec<String> = action.request.changes.iter().map(|change| change.line(200)).collect();
    let by = &action.request.by;
    Row {
        what: changes.join("; "),
        from: time(action.request.when),
        evidence: [&action.request.record, &by.record]
            .into_iter()
            .filter(|record| **record != NOT_KNOWN || record == &&action.request.record)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        by: by.words(),
        note: action.request.note.clone(),
        ..row("request")
    }
    .print(text);
    Row {
        what: format!("{} from {} to {}", action.kind, action.from_cluster, action.to_cluster),
        from: time(action.request.when),
        until: action.ended.as_ref().map(|ended| time(ended.when)).unwrap_or_default(),
        ms: action.took_ms.to_string(),
        result: action.result.words().to_owned(),
        evidence: [Some(&action.began), action.ended.as_ref()]
            .into_iter()
            .flatten()
            .map(|seen| seen.record.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        ..row("action")
    }
    .print(text);
    for (name, seen) in [("loss", &action.loss), ("recovered", &action.recovered), ("pods seen", &action.pods_seen)] {
        if let Some(seen) = seen {
            Row { what: seen.what.clone(), from: time(seen.when), evidence: seen.record.clone(), ..row(name) }
                .print(text);
        }
    }
    for objective in &action.objectives {
        Row {
            what: format!("{} of {}", objective.measure.words(), objective.of),
            ms: objective.reached_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            target_ms: objective.target_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            result: objective.result.words().to_owned(),
            evidence: objective.evidence.join(" "),
            note: [objective.target_from.as_str(), objective.note.as_str()]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
            ..row("objective")
        }
        .print(text);
    }
    for step in &action.steps {
        Row {
            cluster: &step.cluster,
            what: format!("{}: {}", step.aggregate, step.step),
            from: time(step.from),
            until: step.until.map(time).unwrap_or_default(),
            ms: step.ms.to_string(),
            evidence: [Some(step.record.as_str()), step.ended_by.as_deref()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
            ..row("step")
        }
        .print(text);
        for wait in &step.waits {
            Row {
                cluster: &step.cluster,
                what: wait.what.clone() + &wait.on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default(),
                from: time(wait.from),
                until: wait.until.map(time).unwrap_or_default(),
                ms: wait.ms.to_string(),
                evidence: wait.record.clone(),
                note: format!("in step {}", step.step),
                ..row("wait")
            }
            .print(text);
        }
        for command in &step.commands {
            of_command(text, row("command"), command, &format!("in step {}", step.step));
        }
    }
    for command in &action.other_commands {
        of_command(text, row("command"), command, "");
    }
    for missing in &action.not_protected {
        Row {
            what: missing.what.clone(),
            evidence: missing.record.clone(),
            note: missing.why.clone(),
            ..row("not protected")
        }
        .print(text);
    }
    for deviation in &action.deviations {
        Row {
            what: deviation.what.clone(),
            from: time(deviation.when),
            result: deviation.kind.words().to_owned(),
            evidence: deviation.evidence.join(" "),
            ..row("deviation")
        }
        .print(text);
    }
}

fn of_command<'a>(text: &mut String, row: Row<'a>, command: &'a CommandRun, note: &str) {
    Row {
        cluster: &command.cluster,
        what: command.command.clone(),
        from: time(command.when),
        ms: command.ms.map(|ms| ms.to_string()).unwrap_or_default(),
        result: command.outcome.clone(),
        evidence: [Some(command.record.as_str()), command.outcome_record.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
        note: [note, command.message.as_str()]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("; "),
        ..row
    }
    .print(text);
}

fn time(when: When) -> String {
    Stamp { time: when.0, count: 0 }.to_string()
}

impl Row<'_> {
    fn print(&self, text: &mut String) {
        let Self { application, action, row, cluster, what, from, until, ms, target_ms, result, evidence, by, note } =
            self;
        line(text, &[application, action, row, cluster, what, from, until, ms, target_ms, result, evidence, by, note]);
    }
}

fn line(text: &mut String, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|field| cell(field)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

/// A cell as RFC 4180 quotes it. Texts come from objects of others: what a spreadsheet would take for a formula is made
/// a text.
fn cell(field: &str) -> String {
    let field =
        if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        assert_eq!(cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("plain"), "plain");
    }
}
