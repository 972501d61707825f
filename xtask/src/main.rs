//! Generators of files that are committed. Each has a test that its output is current.

mod crds;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  crds    write deploy/crds from the types in crates/api
";

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    let done = match task.as_deref() {
        Some("crds") => crds::run(),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}
