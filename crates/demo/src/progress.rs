//! What the run shows while it goes on: one line per step, with what it waits for.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Shows steps on standard error: a live line on a terminal, one line per finished step elsewhere.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    colours: bool,
    started: Instant,
    step: Option<(String, Instant)>,
    shown: String,
}

impl Progress {
    /// Colours only on a terminal, and not if `NO_COLOR` is set.
    pub fn new() -> Self {
        let terminal = stderr().is_terminal();
        let colours = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { terminal, colours, started: Instant::now(), step: None, shown: String::new() }
    }

    /// A step begins.
    pub fn begin(&mut self, name: &str) {
        self.step = Some((name.to_owned(), Instant::now()));
        self.waiting("");
    }

    /// What the step waits for now.
    pub fn waiting(&mut self, what: &str) {
        if !self.terminal {
            return;
        }
        if let Some((name, since)) = &self.step {
            let line = format!("  … {name:<12} {:5.1} s  {what}", since.elapsed().as_secs_f64());
            let line: String = line.chars().take(118).collect();
            if line != self.shown {
                eprint!("\r\x1b[2K{line}");
                let _ = stderr().flush();
                self.shown = line;
            }
        }
    }

    /// The name of the step in progress.
    pub fn step(&self) -> &str {
        self.step.as_ref().map_or("", |(name, _)| name)
    }

    /// The step is done.
    pub fn done(&mut self, what: &str) -> Duration {
        let Some((name, since)) = self.step.take() else { return Duration::ZERO };
        let took = since.elapsed();
        self.line("✓", "32", &format!("{name:<12} {:5.1} s  {what}", took.as_secs_f64()));
        took
    }

    /// The step failed.
    pub fn failed(&mut self) {
        if let Some((name, since)) = self.step.take() {
            self.line("✗", "31", &format!("{name:<12} {:5.1} s", since.elapsed().as_secs_f64()));
        }
    }

    /// Something worth telling in between.
    pub fn note(&mut self, text: &str) {
        self.line("·", "90", text);
    }

    fn line(&mut self, sign: &str, colour: &str, text: &str) {
        if self.terminal {
            eprint!("\r\x1b[2K");
        }
        self.shown.clear();
        let at = self.started.elapsed().as_secs_f64();
        if self.colours {
            eprintln!("{at:6.1} \x1b[{colour}m{sign}\x1b[0m {text}");
        } else {
            eprintln!("{at:6.1} {sign} {text}");
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
