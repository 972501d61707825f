//! What a process has to know before it starts.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ramen_events::ClusterName;
use ramen_ports::StoreProfile;

/// Everything that [`crate::run`] needs besides the operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster that the operator runs on, `hub` for the hub: it stands in each record.
    pub cluster: ClusterName,
    /// How to reach the API server.
    pub connect: Connect,
    /// Directory of the event log. One process at a time.
    pub data_dir: PathBuf,
    /// Whether to end instead of going on with a log that lost acknowledged records.
    pub refuse_damaged_log: bool,
    /// Namespace of the Lease, and of whatever else the process owns for itself.
    pub namespace: String,
    /// Who this process is, among those that want to lead: the pod's name.
    pub identity: String,
    /// Leader election; `None`: this process acts without asking.
    pub lease: Option<Lease>,
    /// Where metrics and health are served; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where captures of the log are given to those who may have them; `None`: nowhere.
    pub captures: Option<SocketAddr>,
    /// Where the log is archived; `None`: nowhere.
    pub archive: Option<Archive>,
    /// Bounds on time and concurrency.
    pub limits: Limits,
}

/// How to reach the API server.
#[derive(Clone, Debug)]
pub enum Connect {
    /// A kubeconfig file, or the default places: `KUBECONFIG`, `~/.kube/config`, the pod's service account.
    Kubeconfig {
        /// The file.
        path: Option<PathBuf>,
        /// A context in it; the current one if `None`.
        context: Option<String>,
    },
    /// A client configuration made by the caller.
    Config(Box<kube::Config>),
}

/// An archive of the event log in an S3 store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The store, and the Secret with its credentials: one that the operator watches.
    pub profile: StoreProfile,
    /// What keys begin with: empty, or ending with a slash.
    pub prefix: String,
    /// How often what is new is exported.
    pub every: Duration,
    /// Whether the store is asked to keep the objects from being deleted or changed.
    pub lock: Option<Lock>,
}

/// An S3 object lock. The bucket has to be made for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// For how many days.
    pub days: u32,
    /// So that nobody at all can lift it; else those with a special right can.
    pub compliance: bool,
}

/// Leader election by a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Name of the Lease. Upstream's names keep two implementations from acting at the same time (spec hub-policy 7.1).
    pub name: String,
    /// How long after its last renewal a leader is taken for dead.
    pub duration: Duration,
    /// How often it renews. Each renewal is one API request.
    pub renew: Duration,
}

impl Lease {
    /// A Lease of that name with the usual times: 30 s, renewed every 10 s.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), duration: Duration::from_secs(30), renew: Duration::from_secs(10) }
    }
}

/// Bounds on time and concurrency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one call to an API server may take.
    pub call: Duration,
    /// How long one call to a store may take, retries included.
    pub store_call: Duration,
    /// How long a store that could not be reached is left alone.
    pub store_rest: Duration,
    /// How many commands talk to the API server at the same time.
    pub calls: usize,
    /// How many commands talk to one store at the same time.
    pub store_calls: usize,
    /// How many inputs are made durable together at most.
    pub batch: usize,
    /// How many inputs may wait.
    pub queue: usize,
    /// After how many records the state is saved, so that a restart folds no more than these.
    pub snapshot_every: u64,
    /// How long commands may take to end when the process is asked to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(10),
            store_call: Duration::from_secs(10),
            store_rest: Duration::from_secs(5),
            calls: 32,
            store_calls: 8,
            batch: 256,
            queue: 1024,
            snapshot_every: 10_000,
            stop: Duration::from_secs(5),
        }
    }
}
