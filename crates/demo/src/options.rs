//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Plays the disaster-recovery story with the real operators.
///
/// Starts a hub and two managed clusters (API servers, OCM agents, storage, S3: all simulated in this process, nothing
/// else is needed), runs ramen-hub and ramen-spoke against them as separate processes, and plays: deploy and protect;
/// cluster c1 lost without warning; failover to c2; c1 back and healed; relocate to c1; unprotect. The data is checked
/// at each stage.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 the story ended as it should; 1 it did not (see the message and DIR/*.log); 64 wrong usage.\n\
                  Output in DIR: kubeconfigs, operator logs, event logs, captures (*.ramenlog), objects at each\n\
                  milestone, summary.json. Check the captures with: ramen-replay verify DIR/*.ramenlog"
)]
pub struct Options {
    /// How many applications
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=500))]
    pub apps: u16,

    /// How many claims each application has
    #[arg(long, default_value_t = 2, value_name = "M", value_parser = clap::value_parser!(u16).range(1..=20))]
    pub pvcs: u16,

    /// Rest this many seconds once the applications are protected; with 60, the story is the very one in which Ramen was
    /// measured
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub idle: u16,

    /// Folder for what the run leaves behind; emptied first if a run of the demo made it
    #[arg(long, default_value = "demo-out", value_name = "DIR")]
    pub out: PathBuf,

    /// Stop after protecting the applications and leave everything running for kubectl, until Ctrl-C
    #[arg(long)]
    pub keep: bool,

    /// Kill and restart operators at random moments, placed by this seed; the story must end the same
    #[arg(long, value_name = "SEED", conflicts_with = "keep")]
    pub chaos: Option<u64>,

    /// Which API servers to run on
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub api_servers: ApiServers,

    /// Folder with ramen-hub and ramen-spoke; without it they are built with cargo, in this program's profile
    #[arg(long, value_name = "DIR", env = "RAMEN_BIN_DIR")]
    pub bin_dir: Option<PathBuf>,
}

/// Which API servers to run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ApiServers {
    /// In this process
    #[default]
    Embedded,
    /// Real etcd, kube-apiserver and kube-controller-manager, found by KUBEBUILDER_ASSETS
    Real,
}
