//! What the story stands on: API servers, the world around the operators, stores, kubeconfigs.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ramen_api::foreign_crds::WorkCrd;
use ramen_sim::{
    api::{Api, ApiError},
    apps::Application,
    client_api::ClientApi,
    cluster::Cluster,
    driver::{Site, WorldRunner},
    front::{
        http::{Front, kubeconfig},
        s3::{Credentials, S3Endpoint},
    },
    inhabitants::Habits,
    kinds, real,
    s3::{Bucket, SharedBucket},
    storage::Storage,
    time::Time,
    world::{self, Setting, Store},
};
use serde_json::Value;

/// How long API servers may take to serve freshly defined kinds.
const INSTALL_LIMIT: Duration = Duration::from_secs(60);
/// The policy's scheduling interval.
const INTERVAL: Duration = Duration::from_secs(60);
/// The clusters, hub first.
const CLUSTERS: [&str; 3] = ["hub", "c1", "c2"];

/// The stage. Everything ends when it is dropped.
pub struct Stage {
    sites: BTreeMap<String, Arc<dyn Site>>,
    kubeconfigs: BTreeMap<String, PathBuf>,
    buckets: Vec<(String, SharedBucket)>,
    runner: WorldRunner,
    secrets: Vec<String>,
    _fronts: Vec<Front>,
    _endpoints: Vec<S3Endpoint>,
    /// Control planes that run as processes.
    _real: Vec<real::RealCluster>,
}

impl Stage {
    /// API servers in this process.
    ///
    /// # Errors
    /// When a port or a file can't be had.
    pub async fn embedded(out: &Path) -> Result<Self> {
        let (mut sites, mut kubeconfigs, mut fronts) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (seed, name) in CLUSTERS.into_iter().enumerate() {
            let cluster = Cluster::in_real_time(name, seed as u64);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let front = Front::serve(cluster.clone(), address).await.context("no port for an API server")?;
            let file = out.join(format!("{name}.kubeconfig"));
            std::fs::write(&file, kubeconfig(name, &front.url()))?;
            kubeconfigs.insert(name.to_owned(), file);
            sites.insert(name.to_owned(), Arc::new(cluster) as Arc<dyn Site>);
            fronts.push(front);
        }
        Self::furnish(sites, kubeconfigs, fronts, Vec::new(), &Habits::embedded(1), WorkCrd::WithScrapeType).await
    }

    /// Real API servers, found by `KUBEBUILDER_ASSETS`.
    ///
    /// # Errors
    /// When they are not there or don't start.
    pub async fn real(out: &Path) -> Result<Self> {
        let assets = real::assets().context(
            "KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver; hack/build-control-plane.sh builds them",
        )?;
        let (mut sites, mut kubeconfigs, mut servers) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for name in CLUSTERS {
            let server = real::RealCluster::start(name, &out.join("control-planes").join(name), &assets).await?;
            let client = ClientApi::new(server.client().await?, tokio::runtime::Handle::current());
            let file = out.join(format!("{name}.kubeconfig"));
            std::fs::copy(server.kubeconfig(), &file)?;
            kubeconfigs.insert(name.to_owned(), file);
            sites.insert(name.to_owned(), Arc::new(client) as Arc<dyn Site>);
            servers.push(server);
        }
        let habits = match servers.iter().all(real::RealCluster::has_controllers) {
            true => Habits::real(1),
            false => Habits::embedded(1),
        };
        Self::furnish(sites, kubeconfigs, Vec::new(), servers, &habits, WorkCrd::WithScrapeType).await
    }

    async fn furnish(
        sites: BTreeMap<String, Arc<dyn Site>>,
        kubeconfigs: BTreeMap<String, PathBuf>,
        fronts: Vec<Front>,
        servers: Vec<real::RealCluster>,
        habits: &Habits,
        work_crd: WorkCrd,
    ) -> Result<Self> {
        let (mut buckets, mut endpoints, mut stores) = (Vec::new(), Vec::new(), Vec::new());
        for name in &CLUSTERS[1..] {
            let bucket = Bucket::shared(&format!("bucket-{name}"));
            let credentials =
                Credentials { access_key: format!("demo-key-{name}"), secret_key: format!("demo-secret-{name}") };
            let endpoint = S3Endpoint::start(bucket.clone(), &credentials).await.context("no port for a store")?;
            stores.push(Store {
                profile: format!("s3-{name}"),
                bucket: format!("bucket-{name}"),
                endpoint: endpoint.url(),
                access_key: credentials.access_key,
                secret_key: credentials.secret_key,
            });
            buckets.push((format!("s3-{name}"), bucket));
            endpoints.push(endpoint);
        }
        let secrets = stores.iter().map(|store: &Store| store.secret_key.clone()).collect();
        let setting = Setting { work_crd, ..Setting::golden(stores) };
        install(&sites, &setting).await?;
        let managed: Vec<_> = CLUSTERS[1..].iter().map(|name| ((*name).to_owned(), sites[*name].clone())).collect();
        let runner = WorldRunner::start(habits, &sites["hub"], &managed);
        Ok(Self {
            sites,
            kubeconfigs,
            buckets,
            runner,
            secrets,
            _fronts: fronts,
            _endpoints: endpoints,
            _real: servers,
        })
    }

    /// The API server of a cluster.
    pub fn api(&self, cluster: &str) -> &dyn Api {
        self.sites[cluster].as_ref()
    }

    /// The kubeconfig of a cluster.
    pub fn kubeconfig(&self, cluster: &str) -> &Path {
        &self.kubeconfigs[cluster]
    }

    /// The policy's scheduling interval: what a failover may lose.
    pub fn scheduling_interval(&self) -> Duration {
        INTERVAL
    }

    /// Deploys an application on a cluster, unprotected.
    ///
    /// # Errors
    /// Those of the hub.
    pub fn deploy(&self, application: &Application, cluster: &str) -> Result<()> {
        world::place(self.api("hub"), application, cluster)?;
        self.runner.add_application(application.clone());
        Ok(())
    }

    /// Asks for an application, running on c1, to be protected.
    ///
    /// # Errors
    /// Those of the hub.
    pub fn protect(&self, application: &Application) -> Result<()> {
        Ok(world::protect(self.api("hub"), application, "c1")?)
    }

    /// Asks for an application not to be protected any more.
    ///
    /// # Errors
    /// Those of the hub.
    pub fn unprotect(&self, application: &Application) -> Result<()> {
        let namespace = Some(application.hub_namespace.as_str());
        Ok(self.api("hub").delete(&kinds::DRPC, namespace, &application.name, None)?)
    }

    /// Loses a cluster: its API server, agents, nodes and storage.
    pub fn lose(&self, cluster: &str) {
        self.runner.lose_cluster(cluster);
    }

    /// Brings a lost cluster back as it was.
    pub fn bring_back(&self, cluster: &str) {
        self.runner.bring_back(cluster);
    }

    /// What must not be found in logs: the secret parts of the stores' keys.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// The storage systems, for a short time.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.runner.storage()
    }

    /// The decoded objects of all stores; what cannot be decoded shows as its length.
    pub fn stores(&self) -> BTreeMap<String, BTreeMap<String, Value>> {
        let decoded = |bucket: &SharedBucket| {
            let bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.objects().map(|(key, object)| (key.to_owned(), decode(&object.bytes))).collect()
        };
        self.buckets.iter().map(|(name, bucket)| (name.clone(), decoded(bucket))).collect()
    }
}

fn decode(body: &[u8]) -> Value {
    let mut text = String::new();
    let read = std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(body), &mut text);
    let decoded = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    decoded.unwrap_or_else(|| Value::String(format!("{} bytes that are not gzip of JSON", body.len())))
}

/// Installs definitions and objects everywhere; real servers need a moment to serve what was just defined.
async fn install(sites: &BTreeMap<String, Arc<dyn Site>>, setting: &Setting) -> Result<()> {
    for (name, site) in sites {
        let limit = Instant::now() + INSTALL_LIMIT;
        loop {
            let (site, setting, cluster) = (site.clone(), setting.clone(), name.clone());
            let done = tokio::task::spawn_blocking(move || match cluster.as_str() {
                "hub" => {
                    world::install_hub(site.as_ref(), &setting, Time::wall())?;
                    world::install_policies(site.as_ref(), &setting)
                }
                _ => world::install_cluster(site.as_ref(), &cluster, &setting),
            })
            .await?;
            match done {
                Ok(()) => break,
                Err(ApiError::NotFound) if Instant::now() < limit => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(err) => return Err(err).with_context(|| format!("could not furnish {name}")),
            }
        }
    }
    Ok(())
}
