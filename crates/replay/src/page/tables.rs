//! The parts of the page that need no scripts.

use std::io::{self, Write};

use ramen_events::Time;

use crate::{
    merge::Merged,
    moment::{clock_text, span_text},
    page::{Mark, escape},
    story::{Block, Row, Story},
    walks::Walk,
    words::wait_text,
};

/// What has to be known before anything is believed: salvaged logs, clocks.
pub fn warnings(merged: &Merged) -> Vec<String> {
    let salvaged = merged.logs.iter().filter_map(|log| {
        let wrong = log.wrong.as_ref()?;
        Some(format!(
            "{}: {wrong}. Shown is what is intact, up to record {}.",
            log.path.display(),
            log.history.head().seq
        ))
    });
    salvaged.chain(merged.clocks()).collect()
}

/// One row for each action.
pub fn actions(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    for block in story.blocks() {
        let walk = block.walk;
        let (what, waited) = longest_wait(&block, story.end_of(walk.log));
        let wait = if what.is_empty() {
            String::new()
        } else {
            format!("<span class=\"num\">{}</span> for {}", span_text(waited), escape(&what))
        };
        write!(
            out,
            "<tr data-from=\"{}\" data-until=\"{}\"{}><th scope=\"row\">{}</th><td class=\"action\">{}</td><td \
             class=\"num\">{}</td><td class=\"num took\">{}</td><td>{}</td><td class=\"wait\">{wait}</td></tr>",
            walk.from.0.saturating_sub(story.start.0),
            walk.end(story.end_of(walk.log)).0.saturating_sub(story.start.0),
            if walk.until.is_none() { " data-open" } else { "" },
            escape(&walk.aggregate.to_string()),
            escape(&action(walk)),
            clock_text(walk.from),
            span_text(walk.ms(story.end_of(walk.log))),
            result(walk),
        )?;
    }
    Ok(())
}

/// "failover to c2" says more than "failover-c2-2".
fn action(walk: &Walk) -> String {
    let target = walk.action.strip_prefix(&walk.runbook).and_then(|rest| rest.strip_prefix('-'));
    match target.and_then(|target| target.rsplit_once('-')) {
        Some((target, _)) if walk.runbook == "deploy" => format!("deploy on {target}"),
        Some((target, _)) => format!("{} to {target}", walk.runbook),
        None if walk.runbook == "contact" => "first contact".to_owned(),
        None => walk.runbook.clone(),
    }
}

fn result(walk: &Walk) -> &'static str {
    match (walk.complete, walk.until, walk.runbook.as_str()) {
        (true, ..) => "<span class=\"good\">complete</span>",
        // Whoever has been contacted goes on with what was asked.
        (false, Some(_), "contact") => "<span class=\"good\">answered</span>",
        (false, Some(_), _) => "<span class=\"waits\">left for something else</span>",
        (false, None, _) => "<span class=\"waits\">goes on</span>",
    }
}

/// What the action itself waited for longest.
fn longest_wait(block: &Block<'_>, end: Time) -> (String, u64) {
    let waits = block.walk.steps.iter().flat_map(|step| &step.waits);
    let longest = waits.map(|waiting| (waiting.until.unwrap_or(end).ms_since(waiting.from), &waiting.wait));
    longest.max_by_key(|(ms, _)| *ms).map(|(ms, wait)| (wait_text(wait), ms)).unwrap_or_default()
}

/// What people did and what befell the world, one row each; nothing where nobody told of it.
pub fn marks(story: &Story, marks: &[Mark], out: &mut dyn Write) -> io::Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    out.write_all(
        b"<section class=\"panel\" aria-labelledby=\"marks-title\"><h2 id=\"marks-title\">People and faults</h2><div \
          class=\"scroll\"><table><thead><tr><th scope=\"col\">When</th><th scope=\"col\">For</th><th \
          scope=\"col\">What</th></tr></thead><tbody>",
    )?;
    for mark in marks {
        let lasted = mark.until.map(|until| span_text(until.ms_since(mark.from))).unwrap_or_default();
        let class = if mark.is_fault { "mark fault" } else { "mark" };
        let from = if mark.from < story.start { story.start } else { mark.from };
        write!(
            out,
            "<tr><td class=\"num\">{}</td><td class=\"num\">{lasted}</td><td><span class=\"{class}\">{}</span></td></tr>",
            clock_text(from),
            escape(&mark.words)
        )?;
    }
    out.write_all(b"</tbody></table></div></section>")
}

/// For each action its steps, with bars.
pub fn steps(merged: &Merged, story: &Story, out: &mut dyn Write) -> io::Result<()> {
    for block in story.blocks() {
        let walk = block.walk;
        let rows = block.rows();
        if rows.is_empty() {
            continue;
        }
        write!(
            out,
            "<details class=\"steps\"><summary><b>{}</b> {} <span class=\"num\">{}</span></summary><table><thead><tr>\
             <th scope=\"col\">Cluster</th><th scope=\"col\">Step</th><th scope=\"col\">From</th><th \
             scope=\"col\">Took</th><th scope=\"col\" class=\"bars\">When</th><th scope=\"col\">Waited for</th></tr>\
             </thead><tbody>",
            escape(&walk.aggregate.to_string()),
            escape(&action(walk)),
            span_text(walk.ms(story.end_of(walk.log))),
        )?;
        for row in rows {
            step_row(out, merged, story, walk, &row)?;
        }
        out.write_all(b"</tbody></table></details>")?;
    }
    Ok(())
}

fn step_row(out: &mut dyn Write, merged: &Merged, story: &Story, walk: &Walk, row: &Row<'_>) -> io::Result<()> {
    let (step, log) = (row.step, row.walk.log);
    let until = step.until.unwrap_or(story.end_of(log));
    let per_mille = |time: Time| {
        let length = walk.ms(story.end_of(walk.log)).max(1);
        time.ms_since(walk.from).min(length) * 1000 / length
    };
    let (from, to) = (per_mille(step.from), per_mille(until));
    let waits: String = step
        .waits
        .iter()
        .map(|waiting| {
            let ms = waiting.until.unwrap_or(story.end_of(log)).ms_since(waiting.from);
            format!(
                "<li><span class=\"num\">{}</span><span>{}</span></li>",
                span_text(ms),
                escape(&wait_text(&waiting.wait))
            )
        })
        .collect();
    write!(
        out,
        "<tr class=\"k{}\"><td><i class=\"dot\"></i>{}</td><th scope=\"row\">{}</th><td class=\"num\" \
         title=\"{}\">{}</td><td class=\"num\">{}</td><td class=\"bars\"><i style=\"margin-left:{}.{}%;width:{}.{}%\">\
         </i></td><td><ul>{waits}</ul></td></tr>",
        log % 6,
        escape(story.log(log)),
        escape(&step.name),
        escape(&merged.name(step.entry)),
        clock_text(step.from),
        span_text(until.ms_since(step.from)),
        from / 10,
        from % 10,
        (to - from) / 10,
        (to - from) % 10,
    )
}

/// Where the records come from: what makes the page checkable.
pub fn origin(merged: &Merged) -> String {
    let row = |log: &crate::open::Log| {
        let (base, head) = (log.history.base(), log.history.head());
        let file = log.path.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"num\">{} to {}</td><td><code>{}</code></td></tr>",
            escape(log.name()),
            escape(&file),
            base.seq.next(),
            head.seq,
            head.hash
        )
    };
    merged.logs.iter().map(row).collect()
}
