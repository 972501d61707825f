//! The timeline as one HTML page: no network, no other files; what it needs is in it.
//!
//! ```text
//!   Story ──> tables.rs   static tables: read without scripts, by screen readers, on paper
//!   Merged ─> data.rs     all records and walks as JSON, for the scripts
//!             style.css, script/*.js, page.html ──> one page
//! ```

mod data;
mod tables;

use std::io::{self, Write};

use anyhow::Result;
use ramen_events::Time;

use crate::{
    merge::Merged,
    moment::{clock_text, day_text, span_text},
    open::Log,
    story::Story,
};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// In this order: each uses what those before it define.
const SCRIPTS: [&str; 6] = [
    include_str!("script/data.js"),
    include_str!("script/view.js"),
    include_str!("script/chart.js"),
    include_str!("script/inspector.js"),
    include_str!("script/events.js"),
    include_str!("script/main.js"),
];

/// The most records of which a page holds all. Of longer logs it holds the steps, and what concerns the applications that were
/// asked for; so it can be opened, and is made in bounded memory.
pub const MOST: u64 = 100_000;

/// Actions up to which each has a table of its steps; the chart has them always.
const TABLES: usize = 1_000;

/// What a page says at its top, where whoever draws it knows more than the logs do.
#[derive(Clone, Debug)]
pub struct Headline {
    /// What it is about, in one line.
    pub title: String,
    /// What a reader has to know first.
    pub warnings: Vec<String>,
    /// What people did and what befell the world, in the order of time.
    pub marks: Vec<Mark>,
}

/// Something that stands in no log: what a person did, or what befell the world.
#[derive(Clone, Debug)]
pub struct Mark {
    /// When.
    pub from: Time,
    /// Until when, if it lasted and ended.
    pub until: Option<Time>,
    /// What.
    pub words: String,
    /// Whether it befell the world.
    pub is_fault: bool,
}

impl Headline {
    /// What the logs say of themselves.
    fn of(story: &Story) -> Self {
        let title = match story.applications.as_slice() {
            [one] => one.aggregate.to_string(),
            many => format!("{} applications", many.len()),
        };
        Self { title, warnings: Vec::new(), marks: Vec::new() }
    }
}

/// Writes the page.
///
/// # Errors
/// When it can't be written.
pub fn html(merged: &Merged, story: &Story, headline: Option<Headline>, out: &mut dyn Write) -> Result<()> {
    let Headline { title, warnings, marks } = headline.unwrap_or_else(|| Headline::of(story));
    let logs: Vec<&str> = merged.logs.iter().map(Log::name).collect();
    let about = format!(
        "{} to {} UTC · {} · {} records of {}",
        format_args!("{} {}", day_text(story.start), clock_text(story.start)),
        clock_text(story.end),
        span_text(story.end.ms_since(story.start)),
        merged.total(),
        logs.join(", "),
    );
    for part in PAGE.split("{{") {
        // The first part has no name.
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        match name {
            "title" => out.write_all(escape(&title).as_bytes())?,
            "about" => out.write_all(escape(&about).as_bytes())?,
            "warnings" => {
                let known = warnings.iter().cloned().chain(tables::warnings(merged)).chain(left_out(merged, story));
                known
                    .into_iter()
                    .try_for_each(|text| write!(out, "<p class=\"warning\" role=\"note\">{}</p>", escape(&text)))?;
            }
            "actions" => tables::actions(story, out)?,
            "marks" => tables::marks(story, &marks, out)?,
            "steps" if has_tables(story) => tables::steps(merged, story, out)?,
            "steps" => out.write_all(b"<p class=\"help\">The chart has them.</p>")?,
            "origin" => out.write_all(tables::origin(merged).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "script" => SCRIPTS.iter().try_for_each(|script| out.write_all(script.as_bytes()))?,
            "data" => serde_json::to_writer(Embedded(out), &data::of(merged, story, &marks))?,
            _ => {}
        }
        out.write_all(rest.as_bytes())?;
    }
    Ok(())
}

fn has_tables(story: &Story) -> bool {
    story.blocks().len() <= TABLES
}

/// What the page does not hold, and where it is; `None` when it holds all.
pub fn left_out(merged: &Merged, story: &Story) -> Option<String> {
    if !merged.is_partial() {
        return None;
    }
    let what =
        if story.partial { "what concerns these applications" } else { "how applications went through their steps" };
    Some(format!(
        "Of {} records this page holds {}: {what}, and what they waited for. The others: `ramen-replay show` with --about, \
         --since and --until; a page with everything about one application: `ramen-replay timeline --html --about`; of a \
         shorter time: of slices that `ramen-replay capture --since` makes.",
        merged.total(),
        merged.entries.len()
    ))
}

/// JSON inside of HTML: without the one character that could begin what ends the element early.
struct Embedded<'a>(&'a mut dyn Write);

impl Write for Embedded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut parts = bytes.split(|byte| *byte == b'<');
        self.0.write_all(parts.next().unwrap_or_default())?;
        for part in parts {
            self.0.write_all(b"\\u003c")?;
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Text that stands for itself in HTML, in attributes too.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What could be taken for a part of the page that is still to be filled in.
            '{' => escaped.push_str("&#123;"),
            other => escaped.push(other),
        }
    }
    escaped
}
