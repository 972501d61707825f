//! The operators as processes: built, started, killed, restarted, and never left behind.

use std::{
    fs::{File, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::metrics::{self, Figures};

/// How long an operator may take to stop by itself.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// Finds the operators' binaries, building them in this program's own profile unless a folder is given.
///
/// # Errors
/// When the build fails, or a binary is not there.
pub async fn binaries(given: Option<&Path>) -> Result<PathBuf> {
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None => {
            let me = std::env::current_exe().context("could not find this program's own folder")?;
            let mut folder = me.parent().map(Path::to_owned).unwrap_or_default();
            if folder.ends_with("deps") {
                folder.pop();
            }
            build(folder.ends_with("release")).await?;
            folder
        }
    };
    for name in ["ramen-hub", "ramen-spoke"] {
        if !folder.join(name).is_file() {
            bail!(
                "{} is not there: build it with `cargo build -p {name}`, or give --bin-dir",
                folder.join(name).display()
            );
        }
    }
    Ok(folder)
}

async fn build(release: bool) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The whole workspace decides on features, as for the program itself: else shared dependencies are built twice.
    // Not quiet: where nothing is built yet this takes minutes, and cargo tells how far it is.
    command.args(["build", "--workspace", "--bin", "ramen-hub", "--bin", "ramen-spoke"]);
    command.args(release.then_some("--release"));
    // What `cargo run` tells this program of its own package would make build scripts of others run again.
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|name| of_package.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR")).kill_on_drop(true);
    let status = command.status().await.context("could not run cargo to build the operators; or give --bin-dir")?;
    if !status.success() {
        bail!("building ramen-hub and ramen-spoke failed");
    }
    Ok(())
}

/// One operator: what it is started with, and the process while it runs.
#[derive(Debug)]
pub struct Operator {
    /// `hub`, `c1`, `c2`.
    pub cluster: String,
    binary: PathBuf,
    kubeconfig: PathBuf,
    data: PathBuf,
    log: PathBuf,
    listen: SocketAddr,
    /// Where it gives captures.
    pub captures: SocketAddr,
    child: Option<Child>,
    /// Figures of earlier processes of this operator.
    before: Figures,
    /// How often it was started.
    pub starts: u32,
}

impl Operator {
    /// An operator of `cluster`, not started yet. Logs and data go under `out`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn new(cluster: &str, binaries: &Path, kubeconfig: PathBuf, out: &Path) -> Result<Self> {
        let name = if cluster == "hub" { "ramen-hub" } else { "ramen-spoke" };
        // Both are held until both are known: else the second may be the first.
        let free = || TcpListener::bind("127.0.0.1:0").context("no free port");
        let (first, second) = (free()?, free()?);
        let (listen, captures) = (first.local_addr()?, second.local_addr()?);
        Ok(Self {
            cluster: cluster.to_owned(),
            binary: binaries.join(name),
            kubeconfig,
            data: out.join("data").join(cluster),
            log: out.join(format!("{name}-{cluster}.log")),
            listen,
            captures,
            child: None,
            before: Figures::default(),
            starts: 0,
        })
    }

    /// The folder of its event log.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Starts the process.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&mut self) -> Result<()> {
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.binary);
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command.arg("--data-dir").arg(&self.data);
        command.args(["--namespace", "ramen-system", "--identity"]).arg(format!("{}-0", self.cluster));
        command.arg("--listen").arg(self.listen.to_string());
        command.arg("--captures").arg(self.captures.to_string());
        if self.cluster != "hub" {
            command.args(["--cluster-name", &self.cluster]);
        }
        // A group of its own, so that a Ctrl-C at the terminal reaches only the demo, which stops them in order.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("could not start {}", self.binary.display()))?;
        self.child = Some(child);
        self.starts += 1;
        Ok(())
    }

    /// Kills the process without warning.
    ///
    /// # Errors
    /// When it can't be killed.
    pub async fn kill(&mut self) -> Result<()> {
        self.before = self.figures().await;
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("could not kill an operator")?;
        }
        Ok(())
    }

    /// Asks the process to stop and waits for it.
    ///
    /// # Errors
    /// When it does not stop in time (it is killed then), or ends with an error.
    pub async fn stop(&mut self) -> Result<()> {
        self.before = self.figures().await;
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            // A process that is already gone is what we want.
            let _ = kill_process(pid, Signal::TERM);
        }
        match timeout(STOP_LIMIT, child.wait()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    bail!("the operator of {} ended with {status}; its log is {}", self.cluster, self.log.display());
                }
                Ok(())
            }
            Err(_) => {
                child.kill().await?;
                bail!("the operator of {} did not stop within {} s", self.cluster, STOP_LIMIT.as_secs())
            }
        }
    }

    /// Whether it runs; tells how it ended if it ended by itself.
    ///
    /// # Errors
    /// When it ended although nobody asked for it.
    pub fn check(&mut self) -> Result<()> {
        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait()?
        {
            bail!("the operator of {} ended by itself ({status}); its log is {}", self.cluster, self.log.display());
        }
        Ok(())
    }

    /// Figures of all its processes so far.
    pub async fn figures(&self) -> Figures {
        let Some(child) = &self.child else { return self.before.clone() };
        let now = metrics::scrape(self.listen).await.unwrap_or_default();
        let peak = child.id().map(metrics::peak_memory_kib).unwrap_or_default();
        self.before.plus(&now, peak)
    }
}
