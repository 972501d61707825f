//! Real control planes for the same stories: etcd, kube-apiserver and kube-controller-manager as child processes.
//!
//! One cluster is one folder. Nothing outlives its [`RealCluster`], nor this process if it dies without cleaning up:
//! each child sits in a process group that ends when the pipe from here closes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// How long a control plane may take to come up.
const LIMIT: Duration = Duration::from_secs(90);
/// Another program may take a port between our choice and its use.
const ATTEMPTS: u32 = 3;

/// Why a control plane did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder could not be prepared.
    #[error("could not prepare {path}")]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error("could not make certificates")]
    Certificates(#[from] rcgen::Error),
    /// A program could not be started.
    #[error("could not start {program}")]
    Spawn {
        /// Which.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program ended or was not ready in time.
    #[error("{program} did not get ready; its log ends with:\n{log}")]
    NotReady {
        /// Which.
        program: &'static str,
        /// End of its log.
        log: String,
    },
    /// The client could not be built.
    #[error("could not build a client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A running control plane; it is stopped when this is dropped.
#[derive(Debug)]
pub struct RealCluster {
    url: String,
    kubeconfig: PathBuf,
    controllers: bool,
    // In the order in which they stop.
    processes: Vec<Process>,
}

/// The folder that `KUBEBUILDER_ASSETS` names, if etcd and kube-apiserver are in it.
#[must_use]
pub fn assets() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("KUBEBUILDER_ASSETS")?);
    ["etcd", "kube-apiserver"].iter().all(|program| folder.join(program).is_file()).then_some(folder)
}

impl RealCluster {
    /// Starts a control plane with the programs in `assets`, keeps everything it needs in `folder`, and waits until it
    /// answers.
    ///
    /// # Errors
    /// When a program is missing, ends early or is not ready within a minute and a half.
    pub async fn start(name: &str, folder: &Path, assets: &Path) -> Result<Self, Error> {
        let mut attempt = 1;
        loop {
            match Self::try_start(name, folder, assets).await {
                Err(Error::NotReady { log, .. }) if attempt < ATTEMPTS && log.contains("address already in use") => {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn try_start(name: &str, folder: &Path, assets: &Path) -> Result<Self, Error> {
        prepare(&folder.join("etcd"))?;
        let [client_port, peer_port, port] =
            free_ports().map_err(|source| Error::Folder { path: folder.into(), source })?;
        let url = format!("https://127.0.0.1:{port}");
        let token = uuid::Uuid::new_v4().simple().to_string();
        write_private(&folder.join("tokens.csv"), &format!("{token},admin,admin,system:masters\n"))?;
        let authority = write_certificates(folder)?;
        let kubeconfig = folder.join("kubeconfig.yaml");
        write_private(&kubeconfig, &kubeconfig_text(name, &url, &authority, &token))?;

        let in_folder = |file: &str| folder.join(file).display().to_string();
        let (etcd, peers) = (format!("http://127.0.0.1:{client_port}"), format!("http://127.0.0.1:{peer_port}"));
        let etcd_process = Process::spawn(
            "etcd",
            assets,
            folder,
            &[
                format!("--data-dir={}", in_folder("etcd")),
                format!("--listen-client-urls={etcd}"),
                format!("--advertise-client-urls={etcd}"),
                format!("--listen-peer-urls={peers}"),
                format!("--initial-advertise-peer-urls={peers}"),
                format!("--initial-cluster=default={peers}"),
                // A control plane that is thrown away needs no durable disk.
                "--unsafe-no-fsync".to_owned(),
                "--log-level=warn".to_owned(),
            ],
        )?;
        let server_process = Process::spawn(
            "kube-apiserver",
            assets,
            folder,
            &[
                format!("--etcd-servers={etcd}"),
                "--bind-address=127.0.0.1".to_owned(),
                "--advertise-address=127.0.0.1".to_owned(),
                format!("--secure-port={port}"),
                format!("--tls-cert-file={}", in_folder("server.crt")),
                format!("--tls-private-key-file={}", in_folder("server.key")),
                format!("--token-auth-file={}", in_folder("tokens.csv")),
                "--authorization-mode=AlwaysAllow".to_owned(),
                "--anonymous-auth=false".to_owned(),
                format!("--service-account-key-file={}", in_folder("server.crt")),
                format!("--service-account-signing-key-file={}", in_folder("server.key")),
                format!("--service-account-issuer={url}"),
                "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
                // No controllers make service accounts, no node runs pods: neither may be waited for.
                "--disable-admission-plugins=ServiceAccount".to_owned(),
                "--endpoint-reconciler-type=none".to_owned(),
                "--enable-priority-and-fairness=false".to_owned(),
            ],
        )?;
        let mut cluster = Self { url, kubeconfig, controllers: false, processes: vec![server_process, etcd_process] };
        cluster.wait_ready().await?;
        if assets.join("kube-controller-manager").is_file() {
            let controllers = "namespace-controller,garbage-collector-controller,persistentvolume-binder-controller,\
                               persistentvolumeclaim-protection-controller,persistentvolume-protection-controller";
            let process = Process::spawn(
                "kube-controller-manager",
                assets,
                folder,
                &[
                    format!("--kubeconfig={}", cluster.kubeconfig.display()),
                    format!("--controllers={controllers}"),
                    "--leader-elect=false".to_owned(),
                    "--use-service-account-credentials=false".to_owned(),
                    "--secure-port=0".to_owned(),
                    "--kube-api-qps=200".to_owned(),
                    "--kube-api-burst=400".to_owned(),
                ],
            )?;
            cluster.processes.insert(0, process);
            cluster.controllers = true;
        }
        Ok(cluster)
    }

    async fn wait_ready(&self) -> Result<(), Error> {
        let client = self.client().await?;
        let end = tokio::time::Instant::now() + LIMIT;
        loop {
            for process in &self.processes {
                if process.ended() {
                    return Err(Error::NotReady { program: process.program, log: process.log_end() });
                }
            }
            let ready = http::Request::get("/readyz").body(Vec::new()).ok();
            let spaces = http::Request::get("/api/v1/namespaces/default").body(Vec::new()).ok();
            if let (Some(ready), Some(spaces)) = (ready, spaces)
                && client.request_text(ready).await.is_ok()
                && client.request_text(spaces).await.is_ok()
            {
                return Ok(());
            }
            if tokio::time::Instant::now() > end {
                let log = self.processes.first().map(Process::log_end).unwrap_or_default();
                return Err(Error::NotReady { program: "kube-apiserver", log });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// URL of the API server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig with all rights.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Whether Kubernetes' own controllers run: binding and protection of volumes, garbage collection, emptying of
    /// namespaces. Without them (the assets hold no kube-controller-manager) nobody does these.
    #[must_use]
    pub fn has_controllers(&self) -> bool {
        self.controllers
    }

    /// A client with all rights.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub async fn client(&self) -> Result<Client, Error> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| Error::Client(error);
        let file = Kubeconfig::read_from(&self.kubeconfig).map_err(|error| failed(error.into()))?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(file, &options).await.map_err(|error| failed(error.into()))?;
        Client::try_from(config).map_err(|error| failed(error.into()))
    }
}

fn prepare(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: folder.to_owned(), source };
    // What an earlier attempt left.
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, content: &str) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(content.as_bytes()).map_err(failed)
}

/// Three ports that are free now; held together, so that they differ.
fn free_ports() -> io::Result<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held = [bind()?, bind()?, bind()?];
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    Ok([port(&held[0])?, port(&held[1])?, port(&held[2])?])
}

/// Writes the server's certificate and key; gives the authority's certificate.
fn write_certificates(folder: &Path) -> Result<String, Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "throwaway control plane");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    let certificate = server.signed_by(&key, &authority)?;
    write_private(&folder.join("server.crt"), &certificate.pem())?;
    write_private(&folder.join("server.key"), &key.serialize_pem())?;
    Ok(authority.pem())
}

fn kubeconfig_text(name: &str, url: &str, authority: &str, token: &str) -> String {
    use base64::Engine as _;
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters:\n- name: {name}\n  cluster:\n    server: {url}\n    certificate-authority-data: {authority}\n\
         contexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\n\
         users:\n- name: {name}\n  user:\n    token: {token}\n"
    )
}

/// A program in a process group of its own, which ends with the pipe to it.
#[derive(Debug)]
struct Process {
    program: &'static str,
    child: Child,
    log: PathBuf,
    exit: PathBuf,
}

/// Runs the program, notes how it ended, and kills the group once the pipe is closed: by us, or by our death.
const KEEPER: &str = r#"exit_file=$1; shift; { "$@" </dev/null; echo "$?" >"$exit_file"; } & read -r _; kill -KILL 0"#;

impl Process {
    fn spawn(program: &'static str, assets: &Path, folder: &Path, arguments: &[String]) -> Result<Self, Error> {
        let (log, exit) = (folder.join(format!("{program}.log")), folder.join(format!("{program}.exit")));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Folder { path, source }
        };
        if exit.exists() {
            fs::remove_file(&exit).map_err(failed(&exit))?;
        }
        let output = File::create(&log).map_err(failed(&log))?;
        let errors = output.try_clone().map_err(failed(&log))?;
        let child = Command::new("/bin/sh")
            .args(["-c", KEEPER, program])
            .arg(&exit)
            .arg(assets.join(program))
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|source| Error::Spawn { program, source })?;
        Ok(Self { program, child, log, exit })
    }

    fn ended(&self) -> bool {
        self.exit.exists()
    }

    fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // The keeper kills itself too; there is nothing to do about one that cannot be waited for.
        let _ = self.child.wait();
    }
}
