//! A model as it looks: records on the left, state and gates of the selected DRPC or VRG on the right.

use std::{collections::BTreeMap, rc::Rc};

use anstyle::{AnsiColor, Effects};
use anyhow::Result;
use ramen_events::{Payload, Time};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};

use crate::{
    changes::cut,
    moment::{clock_text, day_text},
    object,
    state::State,
    step::{
        Model, Subject,
        keys::KEYS,
        model::{Over, Parts},
    },
    table::{self, BAD, BOLD, DIM, NAME, WAITING},
    why::{self, At},
    why_lines, words,
};

/// From how many columns on state and gates stand beside the records rather than below.
const WIDE: u16 = 110;

impl Model<'_> {
    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let rows = [Constraint::Length(1), Constraint::Min(3), Constraint::Length(1)];
        let [head, body, foot] = Layout::vertical(rows).areas(frame.area());
        frame.render_widget(self.head(), head);
        match self.parts {
            Parts::All => {
                let halves = [Constraint::Percentage(50), Constraint::Percentage(50)];
                let [records, beside] = if body.width >= WIDE {
                    Layout::horizontal(halves).areas(body)
                } else {
                    Layout::vertical([Constraint::Percentage(40), Constraint::Percentage(60)]).areas(body)
                };
                let [state, gates] = Layout::vertical(halves).areas(beside);
                self.draw_records(frame, records);
                self.draw_state(frame, state);
                self.draw_gates(frame, gates);
            }
            Parts::Records => self.draw_records(frame, body),
            Parts::State => self.draw_state(frame, body),
            Parts::Gates => self.draw_gates(frame, body),
        }
        self.draw_foot(frame, foot);
        match self.over {
            Some(Over::Help) => over(frame, "keys", KEYS.iter().map(|(key, what)| help_line(key, what)).collect()),
            Some(Over::Breaks) => over(frame, "breakpoints", self.breaks_lines()),
            None => {}
        }
    }

    fn now(&self) -> Time {
        self.merged.entries.get(self.cursor).map_or(Time(0), |entry| entry.time)
    }

    fn head(&self) -> Line<'static> {
        let now = self.now();
        let mut spans = vec![
            span(self.merged.name(self.cursor), BOLD),
            Span::raw(format!("  {} {}", day_text(now), clock_text(now))),
            span(format!("  {} of {}", self.row() + 1, self.rows.len()), DIM),
        ];
        if let Some(field) = &self.field {
            spans.push(span(format!("  field {}", field.text), DIM));
        }
        if !self.breaks.is_empty() {
            spans.push(span(format!("  breakpoints {}", self.breaks.len()), DIM));
        }
        Line::from(spans)
    }

    fn draw_foot(&self, frame: &mut Frame<'_>, area: Rect) {
        if let Some((ask, text)) = &self.typed {
            let title = format!("{}: ", ask.words());
            let mut line = vec![span(title, BOLD), Span::raw(text.clone())];
            let width = line.iter().map(Span::width).sum::<usize>().min(usize::from(area.width.saturating_sub(1)));
            if !self.said.is_empty() {
                line.push(span(format!("   {}", one_line(&self.said)), BAD));
            }
            frame.render_widget(Line::from(line), area);
            let column = area.x + u16::try_from(width).unwrap_or(0);
            return frame.set_cursor_position((column, area.y));
        }
        let line = if self.said.is_empty() {
            span("? help  q quit  ↓↑ records  n command  s step  f field  b break  c on to it  Tab select".into(), DIM)
        } else {
            span(one_line(&self.said), WAITING)
        };
        frame.render_widget(Line::from(line), area);
    }

    fn draw_records(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let concerning = match self.selected() {
            Some(subject) if self.narrow => format!(" about {}", subject.aggregate),
            _ => String::new(),
        };
        let block = Block::bordered().title(format!(" records{concerning} "));
        let inner = block.inner(area);
        frame.render_widget(block, area);
        self.page = usize::from(inner.height);
        let row = self.row();
        let first = row.saturating_sub(self.page / 2).min(self.rows.len().saturating_sub(self.page));
        let shown = self.rows.iter().skip(first).take(self.page);
        let lines: Vec<Line<'_>> = shown.map(|entry| self.record_line(*entry, usize::from(inner.width))).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    fn record_line(&self, index: usize, width: usize) -> Line<'static> {
        let Some(entry) = self.merged.entries.get(index) else { return Line::default() };
        let style = match &entry.record.payload {
            Payload::Finished { outcome, .. } if !outcome.is_done() => BAD,
            Payload::Finished { .. } | Payload::TimerFired { .. } => DIM,
            Payload::Moved(position) if position.wait.is_some() => WAITING,
            Payload::Moved(_) | Payload::Commanded { .. } => BOLD,
            _ => anstyle::Style::new(),
        };
        let about = words::about(&entry.record);
        let says = words::says(self.merged, index);
        let text = if about.is_empty() { says } else { format!("{about}: {says}") };
        let mark = match (index == self.cursor, self.breaks.iter().any(|stops| stops.is_at(index))) {
            (true, _) => "▶",
            (false, true) => "●",
            (false, false) => " ",
        };
        let name = format!("{:<9}", self.merged.name(index));
        let kind = format!("{:<10}", words::kind(entry));
        let room = width.saturating_sub(1 + 13 + name.chars().count() + 1 + kind.chars().count() + 1);
        let line = Line::from(vec![
            span(mark.to_owned(), BAD),
            span(format!("{} ", clock_text(entry.time)), DIM),
            span(format!("{name} "), NAME),
            span(format!("{kind} "), style),
            span(cut(&text, room), style),
        ]);
        if index == self.cursor { line.style(Style::new().add_modifier(Modifier::REVERSED)) } else { line }
    }

    fn draw_state(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let (title, lines) = if self.record {
            (self.merged.name(self.cursor), self.record_lines())
        } else {
            let title = self.selected().map(|subject| self.title(subject)).unwrap_or_default();
            (title, self.state_lines(area.width.saturating_sub(2)).unwrap_or_else(wrong))
        };
        let room = usize::from(area.height.saturating_sub(2));
        let most = lines.len().saturating_sub(room);
        let first = match self.state_at {
            Some(at) => usize::from(at).min(most),
            None => first_line(&lines, room).min(most),
        };
        self.state_was = u16::try_from(first).unwrap_or(u16::MAX);
        self.state_at = self.state_at.map(|_| self.state_was);
        let more = match (first > 0, first < most) {
            (_, true) => " ] more ",
            (true, false) => " [ more ",
            (false, false) => "",
        };
        let block = Block::bordered().title(format!(" {title} ")).title_bottom(more);
        frame.render_widget(Paragraph::new(lines).scroll((self.state_was, 0)).block(block), area);
    }

    fn title(&self, subject: &Subject) -> String {
        format!("{} on {}", subject.aggregate, self.log_name(subject.log))
    }

    /// What `state` prints of the selected one; what the record under the cursor changed is marked.
    fn state_lines(&mut self, width: u16) -> Result<Vec<Line<'static>>> {
        let Some(subject) = self.selected().cloned() else {
            return Ok(vec![Line::from("there is no DRPC or VRG in these logs")]);
        };
        let Some(now) = self.yaml(&subject, self.cursor)? else {
            return Ok(vec![Line::from("it is not there at this moment")]);
        };
        let is_its = self.merged.entries.get(self.cursor).is_some_and(|entry| entry.log == subject.log);
        let before = match self.cursor.checked_sub(1).filter(|_| is_its) {
            Some(before) => self.yaml(&subject, before)?.unwrap_or_default(),
            None => now.clone(),
        };
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        before.lines().for_each(|line| *known.entry(line).or_default() += 1);
        let lines = now.lines().flat_map(|line| {
            let (mark, look) = match known.get_mut(line).filter(|left| **left > 0) {
                Some(left) => {
                    *left -= 1;
                    (" ", anstyle::Style::new())
                }
                None => (CHANGED, WAITING),
            };
            let indent = line.len() - line.trim_start().len();
            wrapped(vec![(format!("{mark} {line}"), look)], usize::from(width), indent + 4)
        });
        Ok(lines.collect())
    }

    fn yaml(&mut self, subject: &Subject, entry: usize) -> Result<Option<String>> {
        let Some(state) = self.course.state(subject.log, entry) else { return Ok(None) };
        yaml(&state, subject)
    }

    /// The record under the cursor, as it was stored.
    fn record_lines(&self) -> Vec<Line<'static>> {
        let entry = self.merged.entries.get(self.cursor);
        let text = entry.and_then(|entry| serde_norway::to_string(&entry.record).ok()).unwrap_or_default();
        text.lines().map(|line| Line::from(line.to_owned())).collect()
    }

    fn draw_gates(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let lines = self.gate_lines(area.width.saturating_sub(2)).unwrap_or_else(wrong);
        let room = area.height.saturating_sub(2);
        let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(room);
        self.gates_at = self.gates_at.min(most);
        let more = if most > self.gates_at { " } more " } else { "" };
        let block = Block::bordered().title(" why ").title_bottom(more);
        frame.render_widget(Paragraph::new(lines).scroll((self.gates_at, 0)).block(block), area);
    }

    /// What `why` prints of the selected one.
    fn gate_lines(&mut self, width: u16) -> Result<Vec<Line<'static>>> {
        let Some(subject) = self.selected().cloned() else { return Ok(Vec::new()) };
        let at = At { not: None, entry: self.cursor, time: self.now() };
        let answer = why::answer(self.merged, &mut self.course, subject.log, &subject.aggregate, at)?;
        let Some(answer) = answer else { return Ok(vec![Line::from("it is not there at this moment")]) };
        let width = usize::from(width);
        Ok(why_lines::answer(&answer, Some(width)).into_iter().flat_map(|line| wrapped(line, width, HANGING)).collect())
    }

    fn breaks_lines(&self) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'_>> = Vec::new();
        for (index, stops) in self.breaks.iter().enumerate() {
            let places = match stops.at.len() {
                0 => "never".to_owned(),
                1 => "one place".to_owned(),
                count => format!("{count} places"),
            };
            let number = span(format!("{:>3}  ", index + 1), NAME);
            lines.push(Line::from(vec![number, Span::raw(stops.text.clone()), span(format!("  {places}"), DIM)]));
        }
        if lines.is_empty() {
            lines.push(Line::from("none"));
        }
        lines.push(Line::default());
        lines.push(Line::from(span("a number removes one, b adds one, any other key closes this".into(), DIM)));
        lines
    }
}

/// What `state` prints of an object; `None` while it is not there.
fn yaml(state: &Rc<State>, subject: &Subject) -> Result<Option<String>> {
    if !state.aggregates().contains(&subject.aggregate) {
        return Ok(None);
    }
    Ok(Some(serde_norway::to_string(&object::of(state, &subject.aggregate)?)?))
}

fn help_line(key: &str, what: &str) -> Line<'static> {
    Line::from(vec![span(format!("{key:<16}"), BOLD), Span::raw(what.to_owned())])
}

/// Draws a window over the rest.
fn over(frame: &mut Frame<'_>, title: &str, lines: Vec<Line<'_>>) {
    let all = frame.area();
    let wide = lines.iter().map(Line::width).max().unwrap_or_default().max(20);
    let size = |length: usize, most: u16| u16::try_from(length + 4).unwrap_or(most).min(most);
    let (width, height) = (size(wide, all.width), size(lines.len() - 2, all.height));
    let area = Rect { x: (all.width - width) / 2, y: (all.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(format!(" {title} "))), area);
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is turned into")]
fn wrong(err: anyhow::Error) -> Vec<Line<'static>> {
    vec![Line::from(span(format!("{err:#}"), BAD))]
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What marks a line that was not there before the record.
const CHANGED: &str = "▸";

/// From which line on the state is shown: the status says most, unless something else changed.
fn first_line(lines: &[Line<'_>], room: usize) -> usize {
    let starts = |line: &Line<'_>, with: &str| line.spans.first().is_some_and(|span| span.content.starts_with(with));
    let status =
        lines.iter().position(|line| starts(line, "  status:") || starts(line, "▸ status:")).unwrap_or_default();
    match lines.iter().position(|line| starts(line, CHANGED)) {
        Some(changed) if changed < status || changed >= status + room => changed.saturating_sub(1),
        _ => status,
    }
}

/// Where the rest of a line of the gates that was too long goes on.
const HANGING: usize = 6;

/// A line in as many lines as it takes, broken between words; those after the first begin at `hanging`.
fn wrapped(line: table::Line, width: usize, hanging: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (text, look) in line {
        let mut piece = String::new();
        for word in text.split_inclusive(' ') {
            let length = word.chars().count();
            if used + word.trim_end().chars().count() > width && used > hanging {
                spans.push(span(std::mem::take(&mut piece), look));
                lines.push(Line::from(std::mem::take(&mut spans)));
                spans.push(Span::raw(" ".repeat(hanging)));
                used = hanging;
            }
            piece.push_str(word);
            used += length;
        }
        spans.push(span(piece, look));
    }
    lines.push(Line::from(spans));
    lines
}

/// Text in a style of the tables.
fn span(text: String, look: anstyle::Style) -> Span<'static> {
    let mut style = Style::new();
    if let Some(anstyle::Color::Ansi(color)) = look.get_fg_color() {
        style = style.fg(match color {
            AnsiColor::Green => Color::Green,
            AnsiColor::Yellow => Color::Yellow,
            AnsiColor::Red => Color::Red,
            AnsiColor::Cyan => Color::Cyan,
            _ => Color::Reset,
        });
    }
    let effects = look.get_effects();
    if effects.contains(Effects::BOLD) {
        style = style.add_modifier(Modifier::BOLD);
    }
    if effects.contains(Effects::DIMMED) {
        style = style.add_modifier(Modifier::DIM);
    }
    Span::styled(text, style)
}
