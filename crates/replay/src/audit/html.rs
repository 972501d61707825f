//! The report as one HTML page: no network, no scripts; it prints.

use std::fmt::Write as _;

use crate::{
    audit::report::{Action, CommandRun, NOT_KNOWN, Objective, Report, Seen, Step, Verdict, When},
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

fn summary(page: &mut String, report: &Report) {
    page.push_str(
        "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n<div class=\"wide\"><table>\n<thead><tr>\
         <th scope=\"col\">Application</th><th scope=\"col\">Action</th><th scope=\"col\">Asked for</th><th \
         scope=\"col\">Took</th><th scope=\"col\">Result</th><th scope=\"col\">Objectives</th></tr></thead>\n<tbody>\n",
    );
    for (index, action) in report.actions.iter().enumerate() {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\"><a href=\"#action-{index}\">{}</a></th><td>{}</td><td class=\"num\">{}</td><td \
             class=\"num\">{}</td><td>{}</td><td>{}</td></tr>",
            escape(&action.application),
            escape(&heading(action)),
            full(action.request.when),
            span_text(action.took_ms),
            action.result.words(),
            tally(&action.objectives)
        );
    }
    page.push_str("</tbody></table></div>\n");
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
         kept a last hash elsewhere, as anchors do, can check that nothing was changed since.</p>\n<div class=\"wide\"><table>\n<thead>\
         <tr><th scope=\"col\">Log</th><th scope=\"col\">File</th><th scope=\"col\">Records</th><th scope=\"col\">Chain\
         </th><th scope=\"col\">Last hash</th></tr></thead>\n<tbody>\n",
    );
    for log in &report.logs {
        let chain = if log.chain_verified { "verified, first to last" } else { "not verified" };
        let anchors = log.anchors.as_ref().map(|words| format!("; {}", escape(words))).unwrap_or_default();
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"num\">{} to {}</td><td>{chain}{anchors}</td><td><code>{}</code>\
             </td></tr>",
            escape(&log.name),
            escape(&log.file),
            log.first,
            log.last,
            log.hash
        );
    }
    page.push_str("</tbody></table></div>\n<h3>Gaps</h3>\n");
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
    page.push_str(
        "<h3>Objectives</h3>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Objective</th><th \
         scope=\"col\">Of</th><th scope=\"col\">Reached</th><th scope=\"col\">Target</th><th scope=\"col\">Result</th><th \
         scope=\"col\">Evidence</th></tr></thead>\n<tbody>\n",
    );
    for objective in objectives {
        let span = |ms: Option<u64>| ms.map_or_else(|| "not known".to_owned(), span_text);
        let target = match objective.target_ms {
            Some(ms) => format!("{}{}", span_text(ms), note(&objective.target_from)),
            None => "none given".to_owned(),
        };
        let evidence: Vec<String> = objective.evidence.iter().map(|name| record(name)).collect();
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"num\">{}</td><td>{target}</td><td>{}</td><td>{}{}</td></tr>",
            objective.measure.words(),
            escape(&objective.of),
            span(objective.reached_ms),
            badge(objective.result, objective.result.words()),
            evidence.join(" "),
            note(&objective.note)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn steps(page: &mut String, action: &Action) {
    page.push_str(
        "<h3>Steps</h3>\n<div class=\"wide\"><table class=\"steps\">\n<thead><tr><th scope=\"col\">Cluster</th><th \
         scope=\"col\">Step</th><th scope=\"col\">From</th><th scope=\"col\">Until</th><th scope=\"col\">Took</th><th \
         scope=\"col\">Waited for</th><th scope=\"col\">Commands and outcomes</th></tr></thead>\n<tbody>\n",
    );
    for step in &action.steps {
        of_step(page, step);
    }
    if !action.other_commands.is_empty() {
        let _ = writeln!(
            page,
            "<tr><td></td><th scope=\"row\">in no step</th><td></td><td></td><td></td><td></td><td>{}</td></tr>",
            commands(&action.other_commands)
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn of_step(page: &mut String, step: &Step) {
    let waits: String = step
        .waits
        .iter()
        .map(|wait| {
            let on = wait.on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
            format!("<li><span class=\"num\">{}</span> {}{}</li>", span_text(wait.ms), escape(&wait.what), escape(&on))
        })
        .collect();
    let waits = if waits.is_empty() { String::new() } else { format!("<ul>{waits}</ul>") };
    let _ = writeln!(
        page,
        "<tr><td>{}</td><th scope=\"row\">{}<br>{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}\
         </td><td>{waits}</td><td>{}</td></tr>",
        escape(&step.cluster),
        escape(&step.step),
        record(&step.record),
        clock_text(step.from.0),
        step.until.map_or_else(|| "goes on".to_owned(), |until| clock_text(until.0)),
        span_text(step.ms),
        commands(&step.commands)
    );
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
