//! `step`: through a log, record by record.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use crate::{
    Exit,
    filter::Filter,
    input::Input,
    open::Usage,
    step::{self, Model},
};

/// Steps through logs in the terminal: forward and back, with state and gates beside the records, and breakpoints
#[derive(Clone, Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    /// Where to begin: a record (hub#120), a time (2026-01-31T12:00:05.250Z), or a time of day (12:00:05)
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,

    /// Whose state and gates are shown: a DRPC or VRG, or part of its name
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,

    /// The field whose changes the key f goes to: status.phase, /status/phase, or drpc/app.status.phase
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,

    /// A breakpoint, as after the key b: "kind KIND", "step STEP", "about TEXT", or a condition (see `bisect --help`)
    #[arg(long = "break", value_name = "BREAKPOINT")]
    breaks: Vec<String>,

    #[command(flatten)]
    filter: Filter,
}

fn after_help() -> String {
    format!(
        "{}\nA condition stops where it begins to hold, in each log by itself.\n\n\
         Examples:\n  ramen-replay step *.ramenlog\n  \
         ramen-replay step *.ramenlog --at 12:00:05 --object drpc/apps/app-1\n  \
         ramen-replay step hub.ramenlog --break 'step Cleaning Up' --break 'drpc/app-1.status.phase == FailedOver'\n\n\
         Exit codes: 0 left; 2 a file is damaged, cut off, or not a log; 64 wrong usage, or stdout is no terminal (then \
         `show` prints the same as text).",
        step::help()
    )
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, _: &mut dyn Write) -> Result<Exit> {
    step::check()?;
    let merged = arguments.input.read()?;
    let filter = arguments.filter.check(&merged)?;
    let passed: Vec<usize> = (0..merged.entries.len()).filter(|index| filter.passes(*index)).collect();
    if passed.is_empty() {
        return Err(Usage("no record passes these filters".to_owned()).into());
    }
    let mut model = Model::new(&merged, passed)?;
    let wrong = |what: &str, wrong: String| Usage(format!("--{what}: {wrong}"));
    if let Some(object) = &arguments.object {
        model.select_named(object).map_err(|text| wrong("object", text))?;
    }
    if let Some(field) = &arguments.field {
        model.watch(field).map_err(|text| wrong("field", text))?;
    }
    for text in &arguments.breaks {
        model.add_break(text).map_err(|text| wrong("break", text))?;
    }
    if let Some(at) = &arguments.at {
        model.go_to(at).map_err(|text| wrong("at", text))?;
    }
    step::run(&mut model)?;
    Ok(Exit::Good)
}
