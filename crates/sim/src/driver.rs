//! Runs the world in real time: each agent in a task of its own, woken by what it watches and by its own moments.
//!
//! A lost cluster's agents stop where they are, its storage does not answer, and neither does its API server if the
//! world has a hand on that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::select_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::agents::registration::LeaseWatch;
use crate::agents::{Agent, AgentWorld, Side};
use crate::api::{Api, Resource};
use crate::apps::Application;
use crate::apps::deploy::Applications;
use crate::cluster::Cluster;
use crate::inhabitants::{Habits, agents_of};
use crate::storage::{Forced, Storage};
use crate::time::Time;

/// An API server that tells of its changes.
pub trait Site: Api {
    /// A number that rises with each change of an object of this kind.
    fn news(&self, kind: &Resource) -> watch::Receiver<u64>;

    /// Makes the server unreachable for everybody, or reachable again, where the world can do that.
    fn set_reachable(&self, reachable: bool);
}

impl Site for Cluster {
    fn news(&self, kind: &Resource) -> watch::Receiver<u64> {
        self.changed_kind(kind)
    }

    fn set_reachable(&self, reachable: bool) {
        Self::set_reachable(self, reachable);
    }
}

/// What happened to the data of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeReport {
    /// Its handle.
    pub handle: String,
    /// Its claim.
    pub claim: String,
    /// Writes that the application was told are safe.
    pub acknowledged: u64,
    /// Of those, how many the serving copy does not hold.
    pub lost: u64,
    /// Promotions by force.
    pub forced: Vec<Forced>,
    /// Sites where it can be written.
    pub writable_on: Vec<String>,
}

/// The running world.
pub struct WorldRunner {
    storage: Arc<Mutex<Storage>>,
    applications: Applications,
    more_applications: watch::Sender<u64>,
    hub_up: watch::Sender<bool>,
    clusters: BTreeMap<String, (Arc<dyn Site>, watch::Sender<bool>)>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl WorldRunner {
    /// Starts all agents. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(habits: &Habits, hub: &Arc<dyn Site>, clusters: &[(String, Arc<dyn Site>)]) -> Self {
        let names: Vec<&str> = clusters.iter().map(|(name, _)| name.as_str()).collect();
        let (one, other) = (names.first().copied().unwrap_or_default(), names.get(1).copied().unwrap_or_default());
        let mut runner = Self {
            storage: Arc::new(Mutex::new(Storage::pair(one, other, habits.speed))),
            applications: Applications::default(),
            more_applications: watch::Sender::new(0),
            hub_up: watch::Sender::new(true),
            clusters: BTreeMap::new(),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        runner.spawn(Box::new(LeaseWatch::new(habits.registration)), hub, hub, runner.hub_up.subscribe());
        for (name, own) in clusters {
            let up = watch::Sender::new(true);
            for agent in agents_of(name, habits, &runner.applications) {
                runner.spawn(agent, hub, own, up.subscribe());
            }
            runner.clusters.insert(name.clone(), (own.clone(), up));
        }
        runner
    }

    fn spawn(&mut self, agent: Box<dyn Agent>, hub: &Arc<dyn Site>, own: &Arc<dyn Site>, up: watch::Receiver<bool>) {
        let life = Life {
            agent,
            hub: hub.clone(),
            own: own.clone(),
            storage: self.storage.clone(),
            up,
            applications: self.more_applications.subscribe(),
        };
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(life.live()).await;
        });
    }

    /// Loses a cluster without warning: its agents, its storage, and its API server where the world can.
    pub fn lose_cluster(&self, name: &str) {
        self.storage().set_up(name, false);
        if let Some((site, up)) = self.clusters.get(name) {
            up.send_replace(false);
            site.set_reachable(false);
        }
    }

    /// Brings a lost cluster back as it was.
    pub fn bring_back(&self, name: &str) {
        self.storage().set_up(name, true);
        if let Some((site, up)) = self.clusters.get(name) {
            site.set_reachable(true);
            up.send_replace(true);
        }
    }

    /// Makes an application known to the deployers; the hub's decision says where it runs.
    pub fn add_application(&self, application: Application) {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner).push(application);
        self.more_applications.send_modify(|count| *count += 1);
    }

    /// The storage, for a short time.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happened to the data of an application, by volume.
    #[must_use]
    pub fn data_of(&self, application: &Application) -> Vec<VolumeReport> {
        let storage = self.storage();
        let volumes = storage.volumes_of(application.namespace());
        volumes
            .map(|(handle, claim)| VolumeReport {
                handle: handle.to_owned(),
                claim: claim.to_owned(),
                acknowledged: storage.acknowledged(handle),
                lost: storage.lost(handle),
                forced: storage.forced(handle).to_vec(),
                writable_on: storage.writable_on(handle).into_iter().map(ToOwned::to_owned).collect(),
            })
            .collect()
    }

    /// Stops all agents and waits until they did.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// One agent, and what it needs to live.
struct Life {
    agent: Box<dyn Agent>,
    hub: Arc<dyn Site>,
    own: Arc<dyn Site>,
    storage: Arc<Mutex<Storage>>,
    up: watch::Receiver<bool>,
    applications: watch::Receiver<u64>,
}

impl Life {
    async fn live(mut self) {
        let mut news: BTreeMap<(Side, Resource), watch::Receiver<u64>> = BTreeMap::new();
        loop {
            if self.up.wait_for(|up| *up).await.is_err() {
                return;
            }
            self.subscribe(&mut news);
            for receiver in news.values_mut() {
                receiver.borrow_and_update();
            }
            // Agents call API servers that may block: not on the runtime's own threads.
            let (life, next) = match tokio::task::spawn_blocking(move || self.run()).await {
                Ok(ran) => ran,
                Err(_panicked_or_stopping) => return,
            };
            self = life;
            let watched = self.agent.watches();
            if watched.iter().all(|watch| news.contains_key(watch)) {
                self.wait(&mut news, next).await;
            }
        }
    }

    fn run(mut self) -> (Self, Option<Time>) {
        let world = AgentWorld { hub: &*self.hub, own: &*self.own, storage: &self.storage };
        let next = self.agent.run(Time::wall(), &world);
        (self, next)
    }

    fn subscribe(&self, news: &mut BTreeMap<(Side, Resource), watch::Receiver<u64>>) {
        let watched = self.agent.watches();
        news.retain(|watch, _| watched.contains(watch));
        for (side, kind) in watched {
            let site = if side == Side::Hub { &self.hub } else { &self.own };
            news.entry((side, kind)).or_insert_with(|| site.news(&kind));
        }
    }

    /// Until something watched changes, the agent's moment comes, or the cluster's fate turns.
    async fn wait(&mut self, news: &mut BTreeMap<(Side, Resource), watch::Receiver<u64>>, next: Option<Time>) {
        let moment = async {
            match next {
                Some(at) => tokio::time::sleep(at.since(Time::wall())).await,
                None => std::future::pending().await,
            }
        };
        let changed = async {
            if news.is_empty() {
                std::future::pending::<()>().await;
            }
            let (told, ..) = select_all(news.values_mut().map(|receiver| Box::pin(receiver.changed()))).await;
            if told.is_err() {
                // Nobody tells of this kind any more: look now and then.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = moment => {}
            () = changed => {}
            _ = self.up.changed() => {}
            _ = self.applications.changed() => {}
        }
    }
}
