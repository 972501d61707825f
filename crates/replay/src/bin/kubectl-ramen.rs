//! `kubectl ramen`: takes captures of operators in clusters.

use std::process::ExitCode;

use ramen_replay::{plugin, program};

fn main() -> ExitCode {
    program::main::<plugin::Plugin>("kubectl ramen", plugin::run)
}
