//! The command line, and the process.

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use ramen_api::ramen::config::Role;
use ramen_events::ClusterName;
use ramen_runtime::cli::{self, Flags};

use crate::HubOperator;

/// Recovers applications from the loss of a cluster: pairs clusters by DRPolicy, and deploys, fails over and relocates
/// applications as DRPlacementControls ask for, through Open Cluster Management.
#[derive(Debug, Parser)]
#[command(name = "ramen-hub", version, after_help = cli::EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the operator until it is told to stop. Arguments are the process's.
pub fn run() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => start(&cli.flags),
        Err(err) => {
            // Nothing can be done if even this can't be printed.
            let _ = err.print();
            let asked = matches!(err.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            ExitCode::from(if asked { cli::EXIT_STOPPED } else { cli::EXIT_USAGE })
        }
    }
}

fn start(flags: &Flags) -> ExitCode {
    if let Err(err) = flags.start_telemetry() {
        eprintln!("ramen-hub: {err}");
        return ExitCode::from(cli::EXIT_USAGE);
    }
    let cluster = flags.cluster_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("hub");
    let settings = flags.settings(ClusterName::from(cluster), Role::Hub.election_name());
    cli::serve(HubOperator::new(&flags.namespace), settings)
}
