//! The timeline as one HTML page: no network, no other files; what it needs is in it.
//!
//! ```text
//!   Story ──> tables.rs   static tables: read without scripts, by screen readers, on paper
//!   Merged ─> data.rs     all records and walks as JSON, for the scripts
//!             style.css, script/*.js, page.html ──> one page
//! ```

mod data;
mod tables;

use anyhow::Result;

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

/// The page.
///
/// # Errors
/// None that is known.
pub fn html(merged: &Merged, story: &Story) -> Result<String> {
    let data = serde_json::to_string(&data::of(merged, story))?;
    let title = match story.applications.as_slice() {
        [one] => one.aggregate.to_string(),
        many => format!("{} applications", many.len()),
    };
    let logs: Vec<&str> = merged.logs.iter().map(Log::name).collect();
    let about = format!(
        "{} to {} UTC · {} · {} records of {}",
        format_args!("{} {}", day_text(story.start), clock_text(story.start)),
        clock_text(story.end),
        span_text(story.end.ms_since(story.start)),
        merged.entries.len(),
        logs.join(", "),
    );
    let parts = [
        ("{{title}}", escape(&title)),
        ("{{about}}", escape(&about)),
        ("{{warnings}}", tables::warnings(merged)),
        ("{{actions}}", tables::actions(story)),
        ("{{steps}}", tables::steps(merged, story)),
        ("{{origin}}", tables::origin(merged)),
        ("{{style}}", STYLE.to_owned()),
        ("{{script}}", SCRIPTS.concat()),
        // The one sequence that could end the element early. Last, so that nothing in it is taken for a part.
        ("{{data}}", data.replace('<', "\\u003c")),
    ];
    Ok(parts.iter().fold(PAGE.to_owned(), |page, (name, part)| page.replace(name, part)))
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
