//! The report as one HTML page: no network, no scripts; it prints.

use std::fmt::Write as _;

use crate::{
    audit::report::{Action, CommandRun, LogProof, NOT_KNOWN, Objective, Report, Seen, Step, Verdict, When},
    moment::{clock_text, day_text, span_text},
    page::escape,
};

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(report: &Report) -> String {
    let mut page = String::new();
    let title = title(report);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
    );
    let head = &report.head;
    let _ = writeln!(
        page,
        "<p class=\"quiet\">Logs from <span class=\"num\">{}</span> to <span class=\"num\">{}</span> · written by {} · all \
         times are UTC</p>",
        full(head.logs_begin),
        full(head.logs_end),
        escape(&head.written_by)
    );
    for clock in &head.clocks {
        let _ = writeln!(page, "<p>{}</p>", escape(clock));
    }
    page.push_str("</header>\n<main>\n");
    summary(&mut page, report);
    integrity(&mut page, report);
    for (index, action) in report.actions.iter().enumerate() {
        of_action(&mut page, index, action);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn title(report: &Report) -> String {
    let head = &report.head;
    let about = match (&head.application, &head.policy) {
        (Some(application), _) => format!(": {application}"),
        (None, Some(policy)) => format!(": policy {policy}"),
        (None, None) => String::new(),
    };
    escape(&format!("Disaster recovery evidence{about}"))
}

/// A cell of a table: what the row is about, text, or figures.
enum Cell {
    Head(String),
    Text(String),
    Figures(String),
}

/// A table; each cell carries its title, for screens that are too narrow for columns.
fn table(page: &mut String, class: &str, titles: &[&str], rows: Vec<Vec<Cell>>) {
    let _ = write!(page, "<div class=\"wide {class}\"><table>\n<thead><tr>");
    for title in titles {
        let _ = write!(page, "<th scope=\"col\">{title}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for (title, cell) in titles.iter().zip(row) {
            let _ = match cell {
                Cell::Head(text) => write!(page, "<th scope=\"row\">{text}</th>"),
                Cell::Text(text) if text.is_empty() => write!(page, "<td></td>"),
                Cell::Text(text) => write!(page, "<td data-of=\"{title}\">{text}</td>"),
                Cell::Figures(text) => write!(page, "<td class=\"num\" data-of=\"{title}\">{text}</td>"),
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn summary(page: &mut String, report: &Report) {
    page.push_str("<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n");
    let row = |(index, action): (usize, &Action)| {
        let link = format!("<a href=\"#action-{index}\">{}</a>", escape(&action.application));
        vec![
            Cell::Head(link),
            Cell::Text(escape(&heading(action))),
            Cell::Figures(full(action.request.when)),
            Cell::Figures(span_text(action.took_ms)),
            Cell::Text(action.result.words().to_owned()),
            Cell::Text(tally(&action.objectives)),
        ]
    };
    let titles = ["Application", "Action", "Asked for", "Took", "Result", "Objectives"];
    table(page, "actions", &titles, report.actions.iter().enumerate().map(row).collect());
    if report.actions.is_empty() {
        page.push_str("<p>No action falls into this period.</p>\n");
    }
    page.push_str("</section>\n");
}

fn tally(objectives: &[Objective]) -> String {
    let count = |verdict| objectives.iter().filter(|objective| objective.result == verdict).count();
    let parts = [Verdict::Pass, Verdict::Fail, Verdict::NotKnown].map(|verdict| (verdict, count(verdict)));
    let parts = parts.into_iter().filter(|(_, count)| *count > 0);
    parts.map(|(verdict, count)| badge(verdict, &format!("{count} {}", verdict.words()))).collect::<Vec<_>>().join(" ")
}

fn badge(verdict: Verdict, text: &str) -> String {
    let class = match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotKnown => "unknown",
    };
    format!("<span class=\"verdict {class}\">{text}</span>")
}

fn integrity(page: &mut String, report: &Report) {
    page.push_str(
        "<section aria-labelledby=\"integrity\">\n<h2 id=\"integrity\">Where this comes from</h2>\n<p>Records are named by \
         their log and number, such as <code>hub#120</code>. Each record's hash covers all records before it; whoever \
         kept a last hash elsewhere, as anchors do, can check that nothing was changed since.</p>\n",
    );
    let row = |log: &LogProof| {
        let chain = if log.chain_verified { "verified, first to last" } else { "not verified" };
        let anchors = log.anchors.as_ref().map(|words| format!("; {}", escape(words))).unwrap_or_default();
        vec![
            Cell::Head(escape(&log.name)),
            Cell::Text(escape(&log.file)),
            Cell::Figures(format!("{} to {}", log.first, log.last)),
            Cell::Text(format!("{chain}{anchors}")),
            Cell::Text(format!("<code>{}</code>", log.hash)),
        ]
    };
    table(page, "logs", &["Log", "File", "Records", "Chain", "Last hash"], report.logs.iter().map(row).collect());
    page.push_str("<h3>Gaps</h3>\n");
    list(page, report.head.gaps.iter().map(|gap| escape(gap)), "None: every log is whole, and none is missing.");
    page.push_str("</section>\n");
}

fn list(page: &mut String, items: impl Iterator<Item = String>, none: &str) {
    let items: Vec<String> = items.map(|item| format!("<li>{item}</li>")).collect();
    if items.is_empty() {
        let _ = writeln!(page, "<p>{none}</p>");
    } else {
        let _ = writeln!(page, "<ul>{}</ul>", items.concat());
    }
}

/// "failover from c1 to c2".
pub fn heading(action: &Action) -> String {
    match action.kind.as_str() {
        "deploy" => format!("deploy on {}", action.to_cluster),
        "deletion" => "end of protection".to_owned(),
        kind => format!("{kind} from {} to {}", action.from_cluster, action.to_cluster),
    }
}

fn of_action(page: &mut String, index: usize, action: &Action) {
    let _ = writeln!(
        page,
        "<section class=\"action\" id=\"action-{index}\" aria-labelledby=\"title-{index}\">\n<h2 id=\"title-{index}\">{}: \
         {}</h2>",
        escape(&action.application),
        escape(&heading(action))
    );
    let request = &action.request;
    let by = &request.by;
    page.push_str("<dl>\n");
    pair(page, "Asked for", &format!("<span class=\"num\">{}</span> {}", full(request.when), record(&request.record)));
    let told_by = if by.record == NOT_KNOWN { String::new() } else { format!(" {}", record(&by.record)) };
    pair(page, "Asked by", &format!("{}{told_by}", escape(&by.words())));
    let changes: Vec<String> = request.changes.iter().map(|change| escape(&change.line(200))).collect();
    let asked = if changes.is_empty() { "not known".to_owned() } else { changes.join("<br>") };
    pair(page, "By which change", &format!("{asked}{}", note(&request.note)));
    pair(page, "Policy", &escape(&action.policy));
    seen(page, "Loss first observed", action.loss.as_ref(), "no record tells of a loss");
    seen(page, "Begun", Some(&action.began), "");
    seen(page, "Available again", action.recovered.as_ref(), "not reported");
    seen(page, "First pod on the target", action.pods_seen.as_ref(), "none was seen in these logs");
    seen(page, "Ended", action.ended.as_ref(), "it goes on at the end of the logs");
    pair(page, "Result", &format!("{}, {}", action.result.words(), span_text(action.took_ms)));
    page.push_str("</dl>\n");
    objectives(page, &action.objectives);
    steps(page, action);
    page.push_str("<h3>Not protected</h3>\n");
    let missing = action
        .not_protected
        .iter()
        .map(|missing| format!("{}: {} {}", escape(&missing.what), escape(&missing.why), record(&missing.record)));
    list(page, missing, "Nothing that the logs show.");
    page.push_str("<h3>Deviations</h3>\n");
    let deviations = action.deviations.iter().map(|deviation| {
        let evidence: String = deviation.evidence.iter().map(|name| format!(" {}", record(name))).collect();
        let (when, kind) = (clock_text(deviation.when.0), deviation.kind.words());
        format!("<span class=\"num\">{when}</span> {kind}: {}{evidence}", escape(&deviation.what))
    });
    list(page, deviations, "None that the logs show.");
    page.push_str("</section>\n");
}

fn pair(page: &mut String, name: &str, value: &str) {
    let _ = writeln!(page, "<dt>{name}</dt><dd>{value}</dd>");
}

fn seen(page: &mut String, name: &str, seen: Option<&Seen>, none: &str) {
    match seen {
        Some(seen) => {
            let text = format!(
                "<span class=\"num\">{}</span> {} {}",
                full(seen.when),
                record(&seen.record),
                escape(&seen.what)
            );
            pair(page, name, &text);
        }
        None => pair(page, name, none),
    }
}

fn note(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" <span class=\"quiet\">({})</span>", escape(text)) }
}

fn record(name: &str) -> String {
    format!("<code>{}</code>", escape(name))
}

fn objectives(page: &mut String, objectives: &[Objective]) {
    if objectives.is_empty() {
        return;
    }
    page.push_str("<h3>Objectives</h3>\n");
    let row = |objective: &Objective| {
        let target = match objective.target_ms {
            Some(ms) => format!("{}{}", span_text(ms), note(&objective.target_from)),
            None => "none given".to_owned(),
        };
        let evidence: Vec<String> = objective.evidence.iter().map(|name| record(name)).collect();
        vec![
            Cell::Head(objective.measure.words().to_owned()),
            Cell::Text(escape(&objective.of)),
            Cell::Figures(objective.reached_ms.map_or_else(|| "not known".to_owned(), span_text)),
            Cell::Text(target),
            Cell::Text(badge(objective.result, objective.result.words())),
            Cell::Text(format!("{}{}", evidence.join(" "), note(&objective.note))),
        ]
    };
    let titles = ["Objective", "Of", "Reached", "Target", "Result", "Evidence"];
    table(page, "objectives", &titles, objectives.iter().map(row).collect());
}

fn steps(page: &mut String, action: &Action) {
    page.push_str("<h3>Steps</h3>\n");
    let mut rows: Vec<Vec<Cell>> = action.steps.iter().map(of_step).collect();
    if !action.other_commands.is_empty() {
        let none = || Cell::Text(String::new());
        let commands = Cell::Text(commands(&action.other_commands));
        rows.push(vec![Cell::Head("In no step".to_owned()), none(), none(), none(), none(), none(), commands]);
    }
    table(page, "steps", &["Step", "Cluster", "From", "Until", "Took", "Waited for", "Commands"], rows);
}

fn of_step(step: &Step) -> Vec<Cell> {
    let waits: String = step
        .waits
        .iter()
        .map(|wait| {
            let on = wait.on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
            format!("<li><span class=\"num\">{}</span> {}{}</li>", span_text(wait.ms), escape(&wait.what), escape(&on))
        })
        .collect();
    let waits = if waits.is_empty() { String::new() } else { format!("<ul>{waits}</ul>") };
    vec![
        Cell::Head(format!("{}<br>{}", escape(&step.step), record(&step.record))),
        Cell::Text(escape(&step.cluster)),
        Cell::Figures(clock_text(step.from.0)),
        Cell::Figures(step.until.map_or_else(|| "goes on".to_owned(), |until| clock_text(until.0))),
        Cell::Figures(span_text(step.ms)),
        Cell::Text(waits),
        Cell::Text(commands(&step.commands)),
    ]
}

fn commands(commands: &[CommandRun]) -> String {
    let one = |command: &CommandRun| {
        let class = match command.outcome.as_str() {
            "done" => "",
            "not known" => " class=\"unknown\"",
            _ => " class=\"fail\"",
        };
        format!(
            "<li>{}: <span{class}>{}</span>{} {}</li>",
            escape(&command.command),
            escape(&command.outcome),
            note(&command.message),
            record(&command.record)
        )
    };
    let items: String = commands.iter().map(one).collect();
    if items.is_empty() { String::new() } else { format!("<ul>{items}</ul>") }
}

fn full(when: When) -> String {
    format!("{} {}", day_text(when.0), clock_text(when.0))
}
