//! `ramen-spoke`: the operator of a managed cluster.

use std::process::ExitCode;

fn main() -> ExitCode {
    ramen_spoke::run()
}
