//! An answer to "why" in lines, for terminals and for whoever draws them elsewhere.

use anstyle::Style;

use crate::{
    causes::How,
    changes::cut,
    moment::{clock_text, span_text},
    table::{BAD, BOLD, Cell, DIM, GOOD, Line, NAME, WAITING},
    why::{Answer, Standing, Told},
};

/// Links of a chain that are shown: the first ones, and the last ones.
const FIRST: usize = 4;
const LAST: usize = 10;

/// How wide lines get where there is no limit.
const UNLIMITED: usize = 180;
/// How much of a text is shown at least.
const LEAST: usize = 40;

/// The answer, and those on other clusters; `width` is that of a line, if there is a limit.
pub fn answer(answer: &Answer, width: Option<usize>) -> Vec<Line> {
    let mut lines = Lines { width, lines: Vec::new() };
    lines.title(answer, "");
    lines.stand(answer, "");
    for other in &answer.elsewhere {
        lines.blank();
        lines.title(other, "  ");
        lines.stand(other, "  ");
    }
    if !answer.chain.is_empty() {
        lines.blank();
        lines.line(vec![plain("  "), ("how it came to this".to_owned(), DIM)]);
        lines.lines.extend(chain(&answer.chain, width));
    }
    lines.blank();
    lines.lines
}

/// What led to something, oldest first.
pub fn chain(chain: &[Told], width: Option<usize>) -> Vec<Line> {
    let mut lines = Vec::new();
    let names = chain.iter().map(|told| told.record.len()).max().unwrap_or_default();
    for (index, told) in chain.iter().enumerate() {
        if chain.len() > FIRST + LAST + 1 && index >= FIRST && index < chain.len() - LAST {
            if index == FIRST {
                let more = format!("… {} more …", chain.len() - FIRST - LAST);
                lines.push(vec![plain("    "), (more, DIM)]);
            }
            continue;
        }
        let mark = match (told.request, told.how) {
            (true, _) => {
                let by = told.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                (format!("  ← asked for{by}"), BOLD)
            }
            (_, How::Followed) => ("  (likely)".to_owned(), DIM),
            _ => plain(""),
        };
        lines.push(vec![
            plain("    "),
            (clock_text(told.time), DIM),
            plain("  "),
            (format!("{:names$}", told.record), NAME),
            plain(format!("  {}", fitted(&told.says, names + 20 + mark.0.chars().count(), width))),
            mark,
        ]);
    }
    lines
}

struct Lines {
    width: Option<usize>,
    lines: Vec<Line>,
}

impl Lines {
    fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    fn blank(&mut self) {
        self.lines.push(Vec::new());
    }

    fn title(&mut self, answer: &Answer, indent: &str) {
        let name = format!("{} on {}", answer.aggregate, answer.cluster);
        let moment = format!("{} {}", clock_text(answer.at), answer.record);
        self.line(vec![plain(indent), (name, BOLD), plain("  "), (moment, DIM)]);
    }

    fn told(&mut self, indent: &str, title: &str, told: Line) {
        let title = vec![plain(format!("{indent}  ")), (format!("{title:12}"), DIM), plain("  ")];
        self.line(title.into_iter().chain(told).collect());
    }

    /// Where it stands, and what has to do with that.
    fn stand(&mut self, answer: &Answer, indent: &str) {
        let Some(standing) = &answer.standing else {
            return self.line(vec![plain(format!("{indent}  it has not begun anything yet"))]);
        };
        self.place(answer, standing, indent);
        if let Some(wait) = &standing.waits_for {
            let on = standing.on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
            self.told(indent, "waits for", vec![(format!("{wait}{on}"), WAITING)]);
            let waits = span_text(answer.at.ms_since(standing.waits_since));
            self.told(indent, "since", vec![plain(format!("{} ({waits})", clock_text(standing.waits_since)))]);
        }
        if let Some(remedy) = &standing.remedy {
            self.told(indent, "if it lasts", vec![plain(remedy)]);
        }
        for not in &answer.not {
            self.told(indent, "why not", vec![(not.clone(), BOLD)]);
        }
        for failing in &answer.failing {
            self.told(indent, "failed", vec![(failing.clone(), BAD)]);
        }
        if let Some(went_on) = &answer.went_on {
            let to = &went_on.to;
            let when = format!("{} later, at {} ", span_text(went_on.after_ms), clock_text(to.time));
            let says = fitted(&to.says, indent.len() + 54, self.width);
            self.told(indent, "went on", vec![plain(when), (to.record.clone(), NAME), plain(format!("  {says}"))]);
            if let Some(because) = &went_on.because {
                let says = fitted(&because.says, indent.len() + 26, self.width);
                self.told(indent, "  because", vec![(because.record.clone(), NAME), plain(format!("  {says}"))]);
            }
        }
        for (index, seen) in answer.observed.iter().enumerate() {
            let title = if index == 0 { "last seen" } else { "" };
            let told = &seen.told;
            let says = fitted(&told.says, indent.len() + 44, self.width);
            let time = (clock_text(told.time), DIM);
            self.told(indent, title, vec![time, plain(" "), (told.record.clone(), NAME), plain(format!("  {says}"))]);
        }
    }

    fn place(&mut self, answer: &Answer, standing: &Standing, indent: &str) {
        let Standing { runbook, action, step, .. } = standing;
        let since = clock_text(standing.since);
        let action = format!("{indent}  {runbook} ({action}) is ");
        self.line(if step.is_empty() {
            vec![plain(action), ("complete".to_owned(), GOOD), plain(format!(" since {since}: nothing is waited for"))]
        } else {
            let lasts = span_text(answer.at.ms_since(standing.since));
            vec![plain(action + "at step "), (step.clone(), BOLD), plain(format!(" since {since}, for {lasts}"))]
        });
    }
}

fn plain(text: impl Into<String>) -> Cell {
    (text.into(), Style::new())
}

/// What a line holds beside `used` columns.
fn fitted(text: &str, used: usize, width: Option<usize>) -> String {
    cut(text, width.map_or(UNLIMITED, |width| width.saturating_sub(used).max(LEAST)))
}
