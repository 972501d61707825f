//! What both operators' command lines share, and how their processes end.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{ArgAction, Args, ValueEnum};
use ramen_events::ClusterName;
use ramen_ports::{Operator, StoreProfile};
use tokio_util::sync::CancellationToken;

use crate::{Archive, Connect, Error, Lease, Limits, Lock, Settings, kube_api::failure::chain, telemetry};

/// A clean stop.
pub const EXIT_STOPPED: u8 = 0;
/// A failure.
pub const EXIT_FAILED: u8 = 1;
/// The log is damaged.
pub const EXIT_DAMAGED: u8 = 3;
/// Leadership was lost.
pub const EXIT_NOT_LEADER: u8 = 4;
/// Wrong usage.
pub const EXIT_USAGE: u8 = 64;

/// The exit codes, for `after_help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0   stopped cleanly (SIGTERM, SIGINT)
  1   failure; the last lines say what failed and what to do
  3   the event log is damaged; the last lines say where and what to do
  4   lost leadership
  64  wrong usage";

/// Flags of both operators.
#[derive(Args, Clone, Debug)]
pub struct Flags {
    /// Kubeconfig file [default: KUBECONFIG, ~/.kube/config, then the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Directory of the event log; one process at a time
    #[arg(long, value_name = "DIR", env = "RAMEN_DATA_DIR", default_value = "/var/lib/ramen")]
    pub data_dir: PathBuf,

    /// End with code 3 if the log lost records that it had acknowledged, instead of recording the loss and going on
    #[arg(long)]
    pub refuse_damaged_log: bool,

    /// Namespace of the operator
    #[arg(long, value_name = "NAME", env = "POD_NAMESPACE", default_value = "ramen-system")]
    pub namespace: String,

    /// Name of the cluster that the operator runs on, as the hub knows it
    #[arg(long, value_name = "NAME", env = "RAMEN_CLUSTER_NAME")]
    pub cluster_name: Option<String>,

    /// Address of /metrics, /healthz and /readyz; `none` serves nothing
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8081", value_parser = parse_listen)]
    pub listen: Listen,

    /// Address of /capture, which gives the event log to whoever may `get` that non-resource URL; plain HTTP, so keep it
    /// on 127.0.0.1 and reach it through `kubectl port-forward`
    #[arg(long, value_name = "ADDR", default_value = "none", value_parser = parse_listen)]
    pub captures: Listen,

    /// Whether to act only while holding the Lease
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, num_args = 0..=1,
          default_missing_value = "true", require_equals = true)]
    pub leader_elect: bool,

    /// Name of the Lease [default: the one that Ramen's operator uses]
    #[arg(long, value_name = "NAME")]
    pub lease_name: Option<String>,

    /// Name of this process among those that want to lead
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    pub identity: Option<String>,

    /// How long one call to the API server or to a store may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub call_timeout: u64,

    /// How lines on stderr look
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: telemetry::Format,

    /// Which lines are written, as `info` or `info,ramen_runtime=debug`
    #[arg(long, value_name = "FILTER", env = "RAMEN_LOG", default_value = "info,kube_client=off")]
    pub log: String,

    /// Where the log is archived, if anywhere
    #[command(flatten)]
    pub archive: ArchiveFlags,
}

/// Where to serve metrics and health, if anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

fn parse_listen(text: &str) -> Result<Listen, std::net::AddrParseError> {
    if text == "none" { Ok(Listen(None)) } else { text.parse().map(|addr| Listen(Some(addr))) }
}

/// Flags that say where the log is archived.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Archive of the event log")]
pub struct ArchiveFlags {
    /// Bucket of an S3 store to which the event log is exported, with anchors of its end, and what keys begin with; without
    /// it nothing is exported
    #[arg(long = "archive", value_name = "s3://BUCKET/PREFIX", env = "RAMEN_ARCHIVE", value_parser = parse_place)]
    pub place: Option<Place>,

    /// Address of that store [default: Amazon's, of the region]
    #[arg(long = "archive-endpoint", value_name = "URL", env = "RAMEN_ARCHIVE_ENDPOINT", requires = "place")]
    pub endpoint: Option<String>,

    /// Its region
    #[arg(long = "archive-region", value_name = "NAME", env = "RAMEN_ARCHIVE_REGION", default_value = "us-east-1")]
    pub region: String,

    /// Secret in the operator's namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    #[arg(long = "archive-secret", value_name = "NAME", env = "RAMEN_ARCHIVE_SECRET", default_value = "ramen-archive")]
    pub secret: String,

    /// PEM file with certificates of the store's authority [default: the system's]
    #[arg(long = "archive-ca", value_name = "FILE", env = "RAMEN_ARCHIVE_CA", value_parser = read_file)]
    pub ca: Option<Pem>,

    /// How often what is new is exported and the log's end is anchored, in seconds
    #[arg(long = "archive-every", value_name = "SECONDS", env = "RAMEN_ARCHIVE_EVERY", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: u64,

    /// For how many days the store is to keep each object from being deleted or changed (S3 object lock, for which the
    /// bucket has to be made)
    #[arg(long = "archive-lock-days", value_name = "DAYS", env = "RAMEN_ARCHIVE_LOCK_DAYS",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub lock_days: Option<u32>,

    /// Who may lift the lock earlier: in mode `governance` whoever has that right, in mode `compliance` nobody
    #[arg(long = "archive-lock-mode", value_name = "MODE", env = "RAMEN_ARCHIVE_LOCK_MODE", value_enum,
          default_value_t = LockMode::Governance)]
    pub lock_mode: LockMode,
}

/// Who may lift an object lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LockMode {
    /// Whoever has that right.
    Governance,
    /// Nobody.
    Compliance,
}

/// A bucket, and what keys in it begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    bucket: String,
    prefix: String,
}

/// Contents of a PEM file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem(Vec<u8>);

fn parse_place(text: &str) -> Result<Place, String> {
    let rest = text.strip_prefix("s3://").ok_or("it is written s3://BUCKET/PREFIX, or s3://BUCKET")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err("the bucket is missing: s3://BUCKET/PREFIX".to_owned());
    }
    let prefix = prefix.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok(Place { bucket: bucket.to_owned(), prefix })
}

fn read_file(path: &str) -> std::io::Result<Pem> {
    std::fs::read(path).map(Pem)
}

impl ArchiveFlags {
    fn settings(&self, namespace: &str) -> Option<Archive> {
        let Place { bucket, prefix } = self.place.clone()?;
        let amazon = || format!("https://s3.{}.amazonaws.com", self.region);
        let endpoint = self.endpoint.clone().filter(|endpoint| !endpoint.is_empty()).unwrap_or_else(amazon);
        Some(Archive {
            profile: StoreProfile {
                name: "archive".to_owned(),
                endpoint,
                bucket,
                region: self.region.clone(),
                secret_namespace: namespace.to_owned(),
                secret_name: self.secret.clone(),
                ca_certificates: self.ca.clone().map(|Pem(bytes)| bytes).unwrap_or_default(),
            },
            prefix,
            every: Duration::from_secs(self.every),
            lock: self.lock_days.map(|days| Lock { days, compliance: self.lock_mode == LockMode::Compliance }),
        })
    }
}

impl Flags {
    /// The settings that the flags ask for. `cluster` is where the operator runs, `lease_name` the Lease unless a flag
    /// names another.
    pub fn settings(&self, cluster: ClusterName, lease_name: &str) -> Settings {
        let call = Duration::from_secs(self.call_timeout);
        let lease_name = self.lease_name.as_deref().unwrap_or(lease_name);
        // Two processes without a name of their own must not take each other for the same.
        let unnamed = || format!("{cluster}-{}", std::process::id());
        Settings {
            connect: Connect::Kubeconfig { path: self.kubeconfig.clone(), context: self.context.clone() },
            data_dir: self.data_dir.clone(),
            refuse_damaged_log: self.refuse_damaged_log,
            namespace: self.namespace.clone(),
            identity: self.identity.clone().filter(|name| !name.is_empty()).unwrap_or_else(unnamed),
            lease: self.leader_elect.then(|| Lease::named(lease_name)),
            listen: self.listen.0,
            captures: self.captures.0,
            archive: self.archive.settings(&self.namespace),
            limits: Limits { call, store_call: call, ..Limits::default() },
            cluster,
        }
    }

    /// Sets up tracing as the flags ask for.
    ///
    /// # Errors
    /// When the filter cannot be read.
    pub fn start_telemetry(&self) -> Result<(), telemetry::BadFilter> {
        telemetry::start(self.log_format, &self.log)
    }
}

/// Runs an operator as a process: SIGTERM and SIGINT stop it, its end becomes an exit code, and a failure is printed
/// with what to do about it.
pub fn serve<O: Operator>(operator: O, settings: Settings) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(err) => {
            tracing::error!(error = %err, "could not start the async runtime");
            return ExitCode::from(EXIT_FAILED);
        }
    };
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        let signals = stop_on_signal(stop.clone());
        let run = crate::run(operator, settings, stop);
        tokio::pin!(signals, run);
        tokio::select! {
            ended = &mut run => ended,
            () = &mut signals => run.await,
        }
    });
    // What a panicked or hung blocking call still does must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::from(EXIT_STOPPED),
        Err(err) => {
            report(&err);
            ExitCode::from(err.exit_code())
        }
    }
}

fn report(err: &Error) {
    tracing::error!(error = chain(err), remedy = err.remedy(), "stopped by a failure");
}

#[cfg(unix)]
async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::warn!("signals cannot be caught: the process will end without stopping in order");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    stop.cancel();
}

#[cfg(not(unix))]
async fn stop_on_signal(stop: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    } else {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        flags: Flags,
    }

    #[rstest]
    #[case::default(&[], true)]
    #[case::bare(&["--leader-elect"], true)]
    #[case::off(&["--leader-elect=false"], false)]
    fn leader_election_is_on_unless_turned_off(#[case] args: &[&str], #[case] on: bool) {
        let cli = Cli::try_parse_from(std::iter::once(&"x").chain(args)).unwrap();
        let settings = cli.flags.settings(ClusterName::from("c1"), "lease");
        assert_eq!(settings.lease.is_some(), on);
        assert_ne!(settings.identity, "");
    }

    #[test]
    fn the_log_is_archived_where_the_flags_say_and_nowhere_by_default() {
        let settings = |args: &[&str]| {
            let cli = Cli::try_parse_from(std::iter::once(&"x").chain(args)).map_err(|err| err.to_string())?;
            Ok::<_, String>(cli.flags.settings(ClusterName::from("c1"), "lease").archive)
        };
        assert_eq!(settings(&[]), Ok(None));
        let archive =
            settings(&["--archive=s3://logs/dr/prod/", "--archive-region=eu-west-1", "--archive-lock-days=30"]);
        let archive = archive.unwrap().unwrap();
        assert_eq!((archive.profile.bucket.as_str(), archive.prefix.as_str()), ("logs", "dr/prod/"));
        assert_eq!(archive.profile.endpoint, "https://s3.eu-west-1.amazonaws.com");
        assert_eq!(
            (archive.profile.secret_namespace.as_str(), archive.every),
            ("ramen-system", Duration::from_secs(300))
        );
        assert_eq!(archive.lock, Some(Lock { days: 30, compliance: false }));
        assert_eq!(settings(&["--archive=s3://logs"]).unwrap().unwrap().prefix, "");
        for bad in ["--archive=logs/dr", "--archive=s3:///dr"] {
            assert!(settings(&[bad]).unwrap_err().contains("s3://BUCKET/PREFIX"), "{bad}");
        }
    }

    #[test]
    fn listening_can_be_turned_off() {
        let cli = Cli::try_parse_from(["x", "--listen", "none", "--call-timeout", "3"]).unwrap();
        let settings = cli.flags.settings(ClusterName::from("c1"), "lease");
        assert_eq!((settings.listen, settings.limits.call), (None, Duration::from_secs(3)));
    }
}
