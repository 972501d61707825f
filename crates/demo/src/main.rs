//! `ramen-demo`: plays the disaster-recovery story.

use std::process::ExitCode;

use clap::Parser;
use ramen_demo::{Options, run};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(err) => {
            let wrong = err.use_stderr();
            return if err.print().is_err() || wrong { ExitCode::from(64) } else { ExitCode::SUCCESS };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("ramen-demo: could not start: {err}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(options)) {
        Ok(table) => {
            println!("\n{table}");
            ExitCode::SUCCESS
        }
        Err(err) => {
            eprintln!("ramen-demo: {err:#}");
            ExitCode::FAILURE
        }
    }
}
