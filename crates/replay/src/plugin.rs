//! `kubectl ramen`: captures of the hub and of all clusters of a policy, in one go.
//!
//! ```text
//!   DRPolicy (kubectl) ──> plan: who, and by which way ──> forward, token (kubectl) ──> capture ──> DIR/CLUSTER.ramenlog
//! ```
//!
//! `plan` is pure; `crate::kubectl` starts processes, and ends them.

mod collect;
mod plan;

use std::{io::Write, path::PathBuf};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use ramen_events::hub::ObjectRef;

use crate::{Exit, moment::Moment, slice};

/// Works with the operators' event logs in clusters.
#[derive(Clone, Debug, Parser)]
#[command(name = "kubectl-ramen", bin_name = "kubectl ramen", version, after_help = EXITS)]
pub struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Capture(Capture),
}

const EXITS: &str = "Exit codes: 0 all captures were taken; 1 some were, and the table says what is missing and why; 2 none \
                     was; 64 wrong usage.";

/// Takes captures of the operators of the hub and of all clusters of a DRPolicy: one file a cluster
#[derive(Clone, Debug, Args)]
#[command(after_help = format!(
    "Operators give captures when they run with --captures=127.0.0.1:8082; see docs/captures.md for the rights that take it. \
     Each is reached through kubectl port-forward to its Deployment, which ends with this command.\n\n\
     Examples:\n  kubectl ramen capture -o incident\n  \
     kubectl ramen capture -o incident --drpolicy gold --hub-context hub --context c1=prod-east --context c2=prod-west\n  \
     kubectl ramen capture -o incident --drpc apps/app-1 --since 12:00\n  \
     kubectl ramen capture -o incident --endpoint hub=http://127.0.0.1:4711 --token-file hub=hub.token\n\n{EXITS}"
))]
struct Capture {
    /// The folder to write into: hub.ramenlog and CLUSTER.ramenlog. Captures that are there are replaced by whole ones only
    #[arg(short, long = "out", value_name = "DIR")]
    out: PathBuf,

    /// Whose clusters; may be left out if there is only one, or with --drpc
    #[arg(long, value_name = "NAME")]
    drpolicy: Option<String>,

    /// Only the window of each log that holds what concerns this DRPlacementControl
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = slice::drpc)]
    drpc: Option<ObjectRef>,

    /// Only what is from this time on: 2026-01-31T12:00:05Z, or a time of day (UTC) such as 12:00:05
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Moment>,

    /// The context of the hub; the current one if it is left out
    #[arg(long, value_name = "CONTEXT")]
    hub_context: Option<String>,

    /// The context of a cluster; one of the cluster's name if it is left out
    #[arg(long = "context", value_name = "CLUSTER=CONTEXT", value_parser = pair)]
    contexts: Vec<(String, String)>,

    /// A kubeconfig; may be given several times. KUBECONFIG, as for kubectl, if it is left out
    #[arg(long = "kubeconfig", value_name = "FILE")]
    kubeconfigs: Vec<PathBuf>,

    /// Where a cluster's operator gives captures, if that is no pod: http://127.0.0.1:PORT; `hub` is the hub
    #[arg(long = "endpoint", value_name = "CLUSTER=URL", value_parser = pair)]
    endpoints: Vec<(String, String)>,

    /// Whose token is shown to the operators: a service account of their namespace, for which `kubectl create token` is run
    #[arg(long, value_name = "NAME", default_value = "auditor")]
    service_account: String,

    /// Instead of that: a file with a token, for all clusters or for one
    #[arg(long = "token-file", value_name = "[CLUSTER=]FILE")]
    token_files: Vec<String>,

    /// The namespace of the operators
    #[arg(short, long, value_name = "NAME", default_value = "ramen-system")]
    namespace: String,

    /// The Deployment of the hub's operator
    #[arg(long, value_name = "NAME", default_value = "ramen-hub-operator")]
    hub_deployment: String,

    /// The Deployment of the operator on managed clusters
    #[arg(long, value_name = "NAME", default_value = "ramen-dr-cluster-operator")]
    cluster_deployment: String,

    /// The port at which operators give captures
    #[arg(long, value_name = "PORT", default_value_t = 8082)]
    port: u16,

    /// How long kubectl may take for an answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,

    /// Prints one JSON value a cluster instead of a table
    #[arg(long)]
    json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((cluster, value)) if !cluster.is_empty() && !value.is_empty() => {
            Ok((cluster.to_owned(), value.to_owned()))
        }
        _ => Err("it is written CLUSTER=VALUE".to_owned()),
    }
}

fn time(text: &str) -> Result<Moment, String> {
    match text.parse()? {
        Moment::Record(..) => Err("records have other numbers in each log: give a time".to_owned()),
        time => Ok(time),
    }
}

/// Runs the plugin; what it took, and what not, goes to `out`.
///
/// # Errors
/// [`crate::Usage`] when it is called wrongly; when nobody could be asked at all.
pub fn run(plugin: &Plugin, out: &mut dyn Write) -> Result<Exit> {
    match &plugin.command {
        Command::Capture(capture) => collect::run(capture, out),
    }
}
