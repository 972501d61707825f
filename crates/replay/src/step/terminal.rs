//! The terminal: keys in, pictures out.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::{open::Usage, step::Model};

/// Shows a model until somebody quits. The terminal is as before afterwards, also after an error or a panic.
///
/// # Errors
/// [`Usage`] when stdout is no terminal; when the terminal can't be read or written.
pub fn run(model: &mut Model<'_>) -> Result<()> {
    // On a panic it restores the terminal before the panic's own words are printed.
    let mut terminal = ratatui::try_init().context("the terminal can't be used; `show` prints the same as text")?;
    let result = (|| -> io::Result<()> {
        while !model.done {
            terminal.draw(|frame| model.draw(frame))?;
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                model.press(key);
            }
        }
        Ok(())
    })();
    let restored = ratatui::try_restore();
    result.and(restored).context("the terminal went away")
}

/// Whether there is somebody to step for.
///
/// # Errors
/// [`Usage`] when stdout is no terminal.
pub fn check() -> Result<(), Usage> {
    if io::stdout().is_terminal() {
        return Ok(());
    }
    let words = "stdout is no terminal: step is for people in front of one; `ramen-replay show` prints records, `state` and \
                 `why` what was known after one of them";
    Err(Usage(words.to_owned()))
}
