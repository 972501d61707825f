//! Tables for people: columns as wide as their contents, the last one as wide as the terminal leaves it.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::changes::cut;

/// Titles, and what is said beside the matter.
pub const DIM: Style = Style::new().dimmed();
/// What the eye should find first.
pub const BOLD: Style = Style::new().bold();
/// What is fine.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What waits.
pub const WAITING: Style = AnsiColor::Yellow.on_default();
/// What failed.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Names of records, to be used in other commands.
pub const NAME: Style = AnsiColor::Cyan.on_default();

/// Text in a style. Where colours are of no use, `anstream` takes them off again.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Columns of the terminal that stdout is; `COLUMNS` says otherwise. `None` when it is none, so that nothing is cut off.
pub fn terminal_width() -> Option<usize> {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    asked.or_else(|| {
        let size = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
        size.map(|(width, _)| usize::from(width.0))
    })
}

/// How narrow a column may get.
const LEAST: usize = 20;
/// How wide the last column should be at least, if it has that much to say.
const READABLE: usize = 60;

/// A cell: text, and how it looks.
pub type Cell = (String, Style);

/// A line of text in several styles.
pub type Line = Vec<Cell>;

/// Prints lines as they are.
///
/// # Errors
/// When `out` can't be written.
pub fn print_lines(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    for line in lines {
        for (text, style) in line {
            write!(out, "{style}{text}{style:#}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Rows under titles.
pub struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(titles: &[&'static str]) -> Self {
        Self { titles: titles.to_vec(), rows: Vec::new() }
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Prints it.
    ///
    /// # Errors
    /// When `out` can't be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        self.print_under(true, out)
    }

    /// Prints it, its titles only if they are wanted: what goes on under a table that was printed has them.
    ///
    /// # Errors
    /// When `out` can't be written.
    pub fn print_under(&self, titled: bool, out: &mut dyn Write) -> io::Result<()> {
        let titles: Vec<Cell> = self.titles.iter().map(|title| ((*title).to_owned(), DIM)).collect();
        let rows = || [&titles].into_iter().chain(&self.rows);
        let mut widths: Vec<usize> = (0..titles.len())
            .map(|column| {
                let cells = rows().filter_map(|row| row.get(column));
                cells.map(|(text, _)| text.chars().count()).max().unwrap_or_default()
            })
            .collect();
        if let Some(limit) = terminal_width() {
            fit(&mut widths, limit);
        }
        for row in rows().skip(usize::from(!titled)) {
            let last = row.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or_default();
            for (column, ((text, style), width)) in row.iter().zip(&widths).enumerate().take(last + 1) {
                let text = cut(text, *width);
                let gap = if column == last { 0 } else { width.saturating_sub(text.chars().count()) + 2 };
                write!(out, "{style}{text}{style:#}{}", " ".repeat(gap))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// Narrows columns to a terminal: the last one first; when that gets too narrow to be read, the widest of the others.
fn fit(widths: &mut [usize], limit: usize) {
    let Some((last, others)) = widths.split_last_mut() else { return };
    let wanted = (*last).min(READABLE);
    let used = |others: &[usize]| others.iter().map(|width| width + 2).sum::<usize>();
    while used(others) + wanted > limit
        && let Some(widest) = others.iter_mut().max().filter(|width| **width > LEAST)
    {
        *widest -= 1;
    }
    *last = (*last).min(limit.saturating_sub(used(others)).max(LEAST));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_gives_way_until_it_could_not_be_read() {
        let fitted = |limit| {
            let mut widths = [12, 40, 100];
            fit(&mut widths, limit);
            widths
        };
        assert_eq!(fitted(300), [12, 40, 100]);
        assert_eq!(fitted(130), [12, 40, 74]);
        assert_eq!(fitted(100), [12, 24, 60]);
        assert_eq!(fitted(40), [12, 20, 20]);
    }
}
