//! `kubectl` as a child process: answers, tokens, and forwards that end when they are dropped.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use ramen_events::{Aggregate, Controller};
use serde_json::Value;

use crate::remote::Token;

/// DRPlacementControls, as kubectl knows them.
pub const DRPCS: &str = "drplacementcontrols.ramendr.openshift.io";
/// VolumeReplicationGroups.
const VRGS: &str = "volumereplicationgroups.ramendr.openshift.io";

/// How `kubectl` is called.
#[derive(Clone, Debug)]
pub struct Kubectl {
    kubeconfigs: Vec<PathBuf>,
    timeout: Duration,
}

/// How long a token is good for: no longer than the API server lets it be.
const TOKEN_LIFE: &str = "10m";

/// Runs a command until stdin is closed, so until whoever started it has ended, in whatever way. The command sees no stdin,
/// and is the only one that has stdout open.
const WHILE_WANTED: &str = "trap : HUP INT TERM; \"$@\" </dev/null & child=$!; exec >&-; read -r end; \
                            kill \"$child\" 2>/dev/null; wait \"$child\"";

impl Kubectl {
    /// With these kubeconfigs, or those that kubectl takes itself; each answer may take so long.
    pub fn new(kubeconfigs: &[PathBuf], timeout: Duration) -> Self {
        Self { kubeconfigs: kubeconfigs.to_vec(), timeout }
    }

    fn set_up(&self, command: &mut Command) -> Result<()> {
        if !self.kubeconfigs.is_empty() {
            let joined = env::join_paths(&self.kubeconfigs).context("--kubeconfig: such a path can't be given on")?;
            command.env("KUBECONFIG", joined);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(())
    }

    /// What kubectl prints.
    fn ask(&self, context: Option<&str>, words: &[&str]) -> Result<Vec<u8>> {
        let mut command = Command::new("kubectl");
        self.set_up(&mut command)?;
        command.args(of_context(context)).arg(format!("--request-timeout={}s", self.timeout.as_secs())).args(words);
        let output = command.output().map_err(not_started)?;
        if !output.status.success() {
            bail!("{}", last_line(&output.stderr).unwrap_or_else(|| format!("kubectl: {}", output.status)));
        }
        Ok(output.stdout)
    }

    /// An object, or a list of some.
    ///
    /// # Errors
    /// What kubectl complains about.
    pub fn get(&self, context: Option<&str>, words: &[&str]) -> Result<Value> {
        let words: Vec<&str> = ["get"].iter().chain(words).chain(&["-o", "json"]).copied().collect();
        serde_json::from_slice(&self.ask(context, &words)?).context("kubectl prints no JSON")
    }

    /// The object that an aggregate is; `None` when the cluster has none of that name.
    ///
    /// # Errors
    /// What kubectl complains about.
    pub fn find(&self, context: Option<&str>, aggregate: &Aggregate) -> Result<Option<Value>> {
        let kind = if aggregate.controller == Controller::Drpc { DRPCS } else { VRGS };
        let mut words = vec!["get", kind, &aggregate.name, "-n", &aggregate.namespace];
        words.extend(["-o", "json", "--ignore-not-found", "--show-managed-fields"]);
        let text = self.ask(context, &words).with_context(|| format!("the cluster can't be asked for {aggregate}"))?;
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&text).map(Some).context("kubectl prints no JSON")
    }

    /// Names of all contexts.
    ///
    /// # Errors
    /// What kubectl complains about.
    pub fn contexts(&self) -> Result<Vec<String>> {
        let text = self.ask(None, &["config", "get-contexts", "-o", "name"])?;
        Ok(String::from_utf8_lossy(&text).lines().map(|line| line.trim().to_owned()).collect())
    }

    /// A token of a service account.
    ///
    /// # Errors
    /// What kubectl complains about.
    pub fn token(&self, context: Option<&str>, namespace: &str, account: &str) -> Result<Token> {
        let duration = format!("--duration={TOKEN_LIFE}");
        let text = self
            .ask(context, &["create", "token", account, "-n", namespace, &duration])
            .with_context(|| format!("could not get a token of service account {namespace}/{account}"))?;
        Token::new(&String::from_utf8_lossy(&text)).ok_or_else(|| anyhow!("kubectl create token printed no token"))
    }

    /// Forwards a free port of this machine to a Deployment's.
    ///
    /// # Errors
    /// What kubectl complains about.
    pub fn forward(&self, context: Option<&str>, namespace: &str, deployment: &str, port: u16) -> Result<Forward> {
        let told = || format!("could not forward a port to deploy/{deployment} in {namespace}");
        let mut command = Command::new("sh");
        self.set_up(&mut command)?;
        command.arg("-c").arg(WHILE_WANTED).arg("sh").arg("kubectl").args(of_context(context));
        command.args(["port-forward", "--address", "127.0.0.1", "-n", namespace]);
        command.arg(format!("--pod-running-timeout={}s", self.timeout.as_secs()));
        command.arg(format!("deploy/{deployment}")).arg(format!(":{port}"));
        command.stdin(Stdio::piped());
        let mut child = command.spawn().map_err(not_started)?;
        let out = child.stdout.take().context("stdout is a pipe")?;
        let mut err = child.stderr.take().context("stderr is a pipe")?;
        let complaints = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = err.read_to_end(&mut text);
            text
        });
        let (sender, told_port) = mpsc::channel();
        // It goes on to read, so that kubectl can go on to tell of connections.
        let words = thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            lines.filter_map(|line| forwarded(&line)).for_each(|port| {
                let _ = sender.send(port);
            });
        });
        let mut forward = Forward { child, port: 0, threads: vec![words], complaints: Some(complaints) };
        // A moment more than kubectl itself gives it.
        match told_port.recv_timeout(self.timeout + Duration::from_secs(5)) {
            Ok(port) => forward.port = port,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(anyhow!("kubectl did not say that it does").context(told()));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let complaint = forward.end();
                let complaint = last_line(&complaint).unwrap_or_else(|| "kubectl ended without a word".to_owned());
                return Err(anyhow!(complaint).context(told()));
            }
        }
        Ok(forward)
    }
}

/// A forwarded port; the forward ends with it.
pub struct Forward {
    child: Child,
    port: u16,
    threads: Vec<JoinHandle<()>>,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl Forward {
    /// Where it leads from.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it; tells what was complained about.
    fn end(&mut self) -> Vec<u8> {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
        self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.end();
    }
}

fn of_context(context: Option<&str>) -> Vec<OsString> {
    context.map_or_else(Vec::new, |context| vec!["--context".into(), OsStr::new(context).to_owned()])
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is turned into")]
fn not_started(err: std::io::Error) -> anyhow::Error {
    anyhow!("kubectl could not be started: {err}; install it, or put it into the PATH")
}

/// "Forwarding from 127.0.0.1:40001 -> 8082".
fn forwarded(line: &str) -> Option<u16> {
    let from = line.strip_prefix("Forwarding from 127.0.0.1:")?;
    from.split_once(" -> ").and_then(|(port, _)| port.parse().ok())
}

/// What kubectl says last is why it gave up.
fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_the_one_that_kubectl_says() {
        assert_eq!(forwarded("Forwarding from 127.0.0.1:40001 -> 8082"), Some(40_001));
        assert_eq!(forwarded("Forwarding from [::1]:40001 -> 8082"), None);
        assert_eq!(forwarded("Handling connection for 40001"), None);
    }
}
