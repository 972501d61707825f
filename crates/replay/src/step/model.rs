//! Where somebody stands in the logs, and what keys make of that. Nothing here reads or draws.

use anyhow::Result;
use ramen_events::{Aggregate, Controller, Payload};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::{
    filter,
    merge::Merged,
    moment::Moment,
    step::{
        course::Course,
        stops::{BREAKS, Stops},
    },
};

/// Where it is looked for changes first: of a DRPC, of a VRG.
const FIELDS: [&str; 2] = ["status.progression", "status.state"];

/// A DRPC or VRG of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Which log.
    pub log: usize,
    /// Who.
    pub aggregate: Aggregate,
}

/// What is asked for at the bottom of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A moment to go to.
    Moment,
    /// A breakpoint.
    Break,
    /// The field whose changes are looked for.
    Field,
    /// The name of a DRPC or VRG.
    Subject,
}

impl Ask {
    /// What to type.
    pub fn words(self) -> &'static str {
        match self {
            Self::Moment => "go to",
            Self::Break => "break at",
            Self::Field => "field",
            Self::Subject => "select",
        }
    }
}

/// What lies over the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The keys.
    Help,
    /// The breakpoints.
    Breaks,
}

/// Which parts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// All.
    All,
    /// The list of records.
    Records,
    /// The state, or the record.
    State,
    /// The gates.
    Gates,
}

/// Where somebody stands.
pub struct Model<'a> {
    /// The logs.
    pub merged: &'a Merged,
    /// Their states.
    pub course: Course<'a>,
    /// The entry under the cursor.
    pub cursor: usize,
    /// Entries that are listed, in order.
    pub rows: Vec<usize>,
    /// All DRPCs and VRGs.
    pub subjects: Vec<Subject>,
    /// The one that is looked at.
    pub subject: usize,
    /// Only what concerns it is listed.
    pub narrow: bool,
    /// Breakpoints.
    pub breaks: Vec<Stops>,
    /// Changes of a field.
    pub field: Option<Stops>,
    /// The record itself instead of the state.
    pub record: bool,
    /// Which parts are shown.
    pub parts: Parts,
    /// Lines of the state that are scrolled off; `None` follows what changes.
    pub state_at: Option<u16>,
    /// Lines of the gates that are scrolled off.
    pub gates_at: u16,
    /// Lines of the state that were scrolled off when it was drawn last.
    pub state_was: u16,
    /// What is being typed.
    pub typed: Option<(Ask, String)>,
    /// What lies over all.
    pub over: Option<Over>,
    /// What is said about the last key.
    pub said: String,
    /// How many records were drawn last.
    pub page: usize,
    /// Somebody wants to leave.
    pub done: bool,
    /// Entries that pass the filter of the command line.
    passed: Vec<usize>,
    /// An entry that is listed only because the cursor is on it.
    guest: Option<usize>,
    /// What was typed for the field, of which kind of subject, if it was not chosen by somebody.
    by_default: bool,
}

impl<'a> Model<'a> {
    /// At the first of the records that pass.
    ///
    /// # Errors
    /// When a log starts in the middle without a snapshot.
    pub fn new(merged: &'a Merged, passed: Vec<usize>) -> Result<Self> {
        let course = Course::new(merged)?;
        let of = |log| course.moving(log).map(move |aggregate| Subject { log, aggregate: aggregate.clone() });
        let mut subjects: Vec<Subject> = (0..merged.logs.len()).flat_map(of).collect();
        subjects.retain(|subject| matches!(subject.aggregate.controller, Controller::Drpc | Controller::Vrg));
        Ok(Self {
            merged,
            course,
            cursor: passed.first().copied().unwrap_or_default(),
            rows: passed.clone(),
            subjects,
            subject: 0,
            narrow: false,
            breaks: Vec::new(),
            field: None,
            record: false,
            parts: Parts::All,
            state_at: None,
            gates_at: 0,
            state_was: 0,
            typed: None,
            over: None,
            said: String::new(),
            page: 10,
            done: false,
            passed,
            guest: None,
            by_default: true,
        })
    }

    /// The DRPC or VRG that is looked at.
    pub fn selected(&self) -> Option<&Subject> {
        self.subjects.get(self.subject)
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) {
        self.said.clear();
        if key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'd')) {
            self.done = true;
        } else if self.typed.is_some() {
            self.type_in(key);
        } else if let Some(over) = self.over.take() {
            self.press_over(over, key.code);
        } else {
            self.command(key.code);
        }
    }

    fn command(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char('q') => self.done = true,
            KeyCode::Char('?') | KeyCode::F(1) => self.over = Some(Over::Help),
            KeyCode::Down | KeyCode::Right | KeyCode::Char('j') => self.by_rows(1),
            KeyCode::Up | KeyCode::Left | KeyCode::Char('k') => self.by_rows(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.by_rows(self.pace()),
            KeyCode::PageUp => self.by_rows(-self.pace()),
            KeyCode::Home => self.go(self.rows.first().copied()),
            KeyCode::End => self.go(self.rows.last().copied()),
            KeyCode::Char('n') => self.seek_command(true),
            KeyCode::Char('N') => self.seek_command(false),
            KeyCode::Char('s') => self.seek_step(true),
            KeyCode::Char('S') => self.seek_step(false),
            KeyCode::Char('f') => self.seek_change(true),
            KeyCode::Char('F') => self.seek_change(false),
            KeyCode::Char('c') => self.seek_break(true),
            KeyCode::Char('C') => self.seek_break(false),
            KeyCode::Char('=') => self.ask(Ask::Field),
            KeyCode::Char('b') => self.ask(Ask::Break),
            KeyCode::Char('B') => self.over = Some(Over::Breaks),
            KeyCode::Char('g') => self.ask(Ask::Moment),
            KeyCode::Char('o') => self.ask(Ask::Subject),
            KeyCode::Tab => self.select((self.subject + 1) % self.subjects.len().max(1)),
            KeyCode::BackTab => self.select(self.subject.checked_sub(1).unwrap_or(self.subjects.len().max(1) - 1)),
            KeyCode::Char('a') => self.narrow(!self.narrow),
            KeyCode::Enter => (self.record, self.state_at) = (!self.record, None),
            KeyCode::Char('[') => self.state_at = Some(self.state_was.saturating_sub(1)),
            KeyCode::Char(']') => self.state_at = Some(self.state_was.saturating_add(1)),
            KeyCode::Char('{') => self.gates_at = self.gates_at.saturating_sub(1),
            KeyCode::Char('}') => self.gates_at = self.gates_at.saturating_add(1),
            KeyCode::Char('z') => self.parts = self.parts.next(),
            KeyCode::Char(other) => self.said = format!("{other} does nothing; ? tells what keys do"),
            _ => {}
        }
    }

    fn press_over(&mut self, over: Over, code: KeyCode) {
        match code {
            KeyCode::Char(digit @ '1'..='9') if over == Over::Breaks => {
                let index = digit.to_digit(10).map_or(0, |digit| digit as usize) - 1;
                if index < self.breaks.len() {
                    let gone = self.breaks.remove(index);
                    self.said = format!("no more break at {}", gone.text);
                }
                self.over = Some(over).filter(|_| !self.breaks.is_empty());
            }
            KeyCode::Char('b') if over == Over::Breaks => self.ask(Ask::Break),
            _ => {}
        }
    }

    fn ask(&mut self, ask: Ask) {
        let text = match (ask, &self.field) {
            (Ask::Field, Some(field)) => field.text.clone(),
            _ => String::new(),
        };
        self.typed = Some((ask, text));
    }

    fn type_in(&mut self, key: KeyEvent) {
        let Some((ask, mut text)) = self.typed.take() else { return };
        match key.code {
            KeyCode::Esc => return,
            KeyCode::Enter => {
                if let Err(wrong) = self.answer(ask, text.trim()) {
                    self.said = wrong;
                    self.typed = Some((ask, text));
                }
                return;
            }
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => text.clear(),
            KeyCode::Char(letter) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                text.push(letter);
            }
            _ => {}
        }
        self.typed = Some((ask, text));
    }

    fn answer(&mut self, ask: Ask, text: &str) -> Result<(), String> {
        match ask {
            _ if text.is_empty() => Ok(()),
            Ask::Moment => self.go_to(text),
            Ask::Break => self.add_break(text),
            Ask::Field => self.watch(text),
            Ask::Subject => self.select_named(text),
        }
    }

    /// Goes to a record or a time.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn go_to(&mut self, text: &str) -> Result<(), String> {
        let moment: Moment = text.parse()?;
        if let Some(entry) = filter::find(self.merged, &moment).map_err(|err| format!("{err:#}"))? {
            self.go(Some(entry));
            return Ok(());
        }
        let end = self.merged.entries.iter().map(|entry| entry.time).max().unwrap_or_default();
        let time = moment.time(end).unwrap_or(end);
        let found = self.merged.entries.iter().rposition(|entry| entry.time <= time);
        self.go(Some(found.ok_or_else(|| format!("{moment} is before the logs begin"))?));
        Ok(())
    }

    /// Adds a breakpoint.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn add_break(&mut self, text: &str) -> Result<(), String> {
        let stops = Stops::of_break(self.merged, text)?;
        self.said = match stops.at.len() {
            0 => format!("breakpoint {}: {} is never the case", self.breaks.len() + 1, stops.text),
            count => format!("breakpoint {}: {count} places; c goes to the next", self.breaks.len() + 1),
        };
        self.breaks.push(stops);
        Ok(())
    }

    /// Chooses the field whose changes are looked for.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn watch(&mut self, text: &str) -> Result<(), String> {
        let stops = Stops::of_field(self.merged, self.selected(), text)?;
        self.said = format!("{} changes {} times; f goes to the next change", stops.text, stops.at.len());
        (self.field, self.by_default) = (Some(stops), false);
        Ok(())
    }

    /// Selects the DRPC or VRG of this name, or part of a name: the next one that has it.
    ///
    /// # Errors
    /// What there is.
    pub fn select_named(&mut self, text: &str) -> Result<(), String> {
        let name = |subject: &Subject| format!("{} on {}", subject.aggregate, self.log_name(subject.log));
        let is_it = |subject: &Subject| subject.aggregate.to_string() == text || subject.aggregate.name == text;
        let has_it = |subject: &Subject| name(subject).contains(text);
        let exact = self.subjects.iter().position(is_it);
        let around = (1..=self.subjects.len()).map(|more| (self.subject + more) % self.subjects.len());
        let part = around.into_iter().find(|index| self.subjects.get(*index).is_some_and(has_it));
        match exact.or(part) {
            Some(index) => {
                self.select(index);
                Ok(())
            }
            None => {
                let names: Vec<String> = self.subjects.iter().map(name).collect();
                Err(format!("nothing is called {text}; there is {}", names.join(", ")))
            }
        }
    }

    fn select(&mut self, index: usize) {
        if index == self.subject || index >= self.subjects.len() {
            return;
        }
        self.subject = index;
        (self.state_at, self.gates_at) = (None, 0);
        let text = self.field.take().filter(|_| !self.by_default).map(|field| field.text);
        if let Some(text) = text
            && let Ok(field) = Stops::of_field(self.merged, self.selected(), &text)
        {
            self.field = Some(field);
        }
        self.by_default |= self.field.is_none();
        if self.narrow {
            self.narrow(true);
        }
    }

    /// Lists only what concerns the selected one, or all.
    fn narrow(&mut self, narrow: bool) {
        self.narrow = narrow;
        self.rows = if narrow { self.concerned() } else { self.passed.clone() };
        self.guest = None;
        self.show_cursor();
    }

    /// Entries that concern the selected one; of a DRPC, also those of its VRGs.
    fn concerned(&self) -> Vec<usize> {
        let Some(subject) = self.selected() else { return self.passed.clone() };
        let trail = |log: usize, aggregate: &Aggregate| self.course.trail(log, aggregate).map_or(&[][..], |t| t.all());
        let mut all = trail(subject.log, &subject.aggregate).to_vec();
        for ((namespace, name), _) in self.merged.owners().iter().filter(|(_, of)| **of == subject.aggregate) {
            let vrg = Aggregate::new(Controller::Vrg, namespace, name);
            (0..self.merged.logs.len()).for_each(|log| all.extend(trail(log, &vrg)));
        }
        all.sort_unstable();
        all.dedup();
        all.retain(|entry| self.passed.binary_search(entry).is_ok());
        all
    }

    /// How the name of a log is written.
    pub fn log_name(&self, log: usize) -> &str {
        self.merged.logs.get(log).map_or("?", crate::open::Log::name)
    }

    /// Where the cursor is in the list.
    pub fn row(&self) -> usize {
        self.rows.partition_point(|entry| *entry < self.cursor)
    }

    fn pace(&self) -> isize {
        isize::try_from(self.page.saturating_sub(1).max(1)).unwrap_or(1)
    }

    fn by_rows(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        let row = self.row().saturating_add_signed(by).min(last);
        self.go(self.rows.get(row).copied());
    }

    /// Goes to an entry. One that is not listed is listed while the cursor is on it.
    fn go(&mut self, entry: Option<usize>) {
        let Some(entry) = entry else { return };
        self.cursor = entry;
        self.show_cursor();
    }

    fn show_cursor(&mut self) {
        if let Some(Ok(row)) = self.guest.take().map(|guest| self.rows.binary_search(&guest)) {
            self.rows.remove(row);
        }
        if let Err(row) = self.rows.binary_search(&self.cursor) {
            self.rows.insert(row, self.cursor);
            self.guest = Some(self.cursor);
        }
    }

    fn seek_command(&mut self, forward: bool) {
        let is_command = |entry: &&usize| {
            let entry = self.merged.entries.get(**entry);
            entry.is_some_and(|entry| matches!(entry.record.payload, Payload::Commanded { .. }))
        };
        let row = self.row();
        let found = if forward {
            self.rows.iter().skip(row + 1).find(is_command)
        } else {
            self.rows.iter().take(row).rev().find(is_command)
        };
        self.jump(found.copied(), "command", forward);
    }

    fn seek_step(&mut self, forward: bool) {
        let Some(subject) = self.selected() else { return };
        let entered = self.course.trail(subject.log, &subject.aggregate).map_or(&[][..], |trail| trail.entered());
        let stops = Stops { text: String::new(), at: entered.to_vec() };
        let found = if forward { stops.after(self.cursor) } else { stops.before(self.cursor) };
        let what = format!("step of {}", subject.aggregate);
        self.jump(found, &what, forward);
    }

    fn seek_change(&mut self, forward: bool) {
        if self.field.is_none() {
            let is_drpc = self.selected().is_some_and(|subject| subject.aggregate.controller == Controller::Drpc);
            match Stops::of_field(self.merged, self.selected(), FIELDS[usize::from(!is_drpc)]) {
                Ok(stops) => (self.field, self.by_default) = (Some(stops), true),
                Err(wrong) => return self.said = wrong,
            }
        }
        let Some(field) = &self.field else { return };
        let found = if forward { field.after(self.cursor) } else { field.before(self.cursor) };
        let what = format!("change of {}", field.text);
        self.jump(found, &what, forward);
    }

    fn seek_break(&mut self, forward: bool) {
        if self.breaks.is_empty() {
            return self.said = format!("there is no breakpoint; b adds one: {BREAKS}");
        }
        let found = self.breaks.iter().enumerate().filter_map(|(index, stops)| {
            let at = if forward { stops.after(self.cursor) } else { stops.before(self.cursor) };
            Some((at?, index))
        });
        let found = if forward { found.min() } else { found.max() };
        if let Some((_, index)) = found
            && let Some(stops) = self.breaks.get(index)
        {
            self.said = format!("breakpoint {}: {}", index + 1, stops.text);
        }
        self.jump(found.map(|(at, _)| at), "breakpoint", forward);
    }

    fn jump(&mut self, to: Option<usize>, what: &str, forward: bool) {
        match to {
            Some(_) => self.go(to),
            None => self.said = format!("there is no {what} {}", if forward { "after this" } else { "before this" }),
        }
    }
}

impl Parts {
    fn next(self) -> Self {
        match self {
            Self::All => Self::State,
            Self::State => Self::Gates,
            Self::Gates => Self::Records,
            Self::Records => Self::All,
        }
    }
}
