//! The command line, and the process.

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use ramen_api::ramen::config::Role;
use ramen_events::ClusterName;
use ramen_runtime::cli::{self, Flags};

use crate::SpokeOperator;

/// Protects the volumes of applications on one managed cluster: replicates, demotes and restores them as
/// VolumeReplicationGroups ask for, and publishes the classes that the cluster offers for disaster recovery.
#[derive(Debug, Parser)]
#[command(name = "ramen-spoke", version, after_help = cli::EXIT_CODES)]
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
        eprintln!("ramen-spoke: {err}");
        return ExitCode::from(cli::EXIT_USAGE);
    }
    let Some(cluster) = flags.cluster_name.as_deref().filter(|name| !name.is_empty()) else {
        eprintln!("ramen-spoke: --cluster-name is missing: give the name under which the hub knows this cluster");
        return ExitCode::from(cli::EXIT_USAGE);
    };
    let settings = flags.settings(ClusterName::from(cluster), Role::Cluster.election_name());
    cli::serve(SpokeOperator::new(&flags.namespace), settings)
}
