//! `ramen-hub`: the hub operator.

use std::process::ExitCode;

fn main() -> ExitCode {
    ramen_hub::run()
}
