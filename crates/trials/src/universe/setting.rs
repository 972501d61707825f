//! What a universe is made of, and how it is made: from copies of installed API servers, since installing takes longer
//! than many a story.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use ramen_hub::HubOperator;
use ramen_ports::Operator;
use ramen_sim::{
    agents::{Agent, registration::LeaseWatch},
    api::Resource,
    api_server::ApiServer,
    apps::{Application, deploy::Applications},
    cluster::{Clock, Cluster},
    inhabitants::{Habits, agents_of},
    rng::Rng,
    s3::Bucket,
    storage::{Relation, Storage, replication},
    time::Time,
    world::{self, OPERATOR_NAMESPACE, Setting, Store},
};
use ramen_spoke::SpokeOperator;
use serde::{Deserialize, Serialize};

use super::{Due, HUB, Inhabitant, Operated, Place, Turn, Universe, subscribers::Subscriber, subscribers::Subscribers};
use crate::{
    hazards::{Hazards, Rule},
    process::{Process, Running},
    span,
    stores::Stores,
    tamper::{Tamper, Tampered},
};

/// When every universe begins: 2026-01-01T00:00:00Z.
const BEGIN: Time = Time(1_767_225_600_000);

/// What each store takes at first.
const ACCESS_KEY: &str = "simulated-access-key";
const SECRET_KEY: &str = "simulated-secret-key";

/// What a universe is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Outline {
    /// Pairs of clusters, each with a policy of its own: `c1` and `c2` under `policy`, `c3` and `c4` under `policy-2`.
    pub pairs: u8,
    /// Whether all pairs have their first cluster in common: `c1` and `c2` under `policy`, `c1` and `c3` under `policy-2`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Other names for the clusters, two a pair; with `shared` the common one, then one a pair.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Between two syncs of a volume, as a class says it.
    pub interval: String,
    /// Whether the VolumeReplication controllers behave and take their time as csi-addons' do, instead of as in the
    /// recording of a laboratory.
    pub csi_addons: bool,
    /// Milliseconds between two writes of an application to each of its volumes.
    #[serde(deserialize_with = "span::millis")]
    pub write_every: u64,
    /// Whether the hub's ManifestWork CRD lacks the way in which feedback is gathered, as older ones do.
    pub old_work_crd: bool,
    /// Whether the storage wants to be told of failovers before they promote its volumes.
    pub maintenance_modes: bool,
    /// What the storage classes do with a volume whose claim is deleted.
    #[serde(skip_serializing_if = "ReclaimPolicy::is_default")]
    pub reclaim_policy: ReclaimPolicy,
    /// How classes call the relation between two clusters: this and the number of their policy.
    #[serde(skip_serializing_if = "is_usual_relation")]
    pub relation: String,
}

/// How classes call the relation between two clusters, unless an outline says otherwise.
const RELATION: &str = "rid-";

fn is_usual_relation(relation: &str) -> bool {
    relation == RELATION
}

/// What becomes of a volume whose claim is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReclaimPolicy {
    /// It is deleted, too.
    #[default]
    Delete,
    /// It stays.
    Retain,
}

impl ReclaimPolicy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
        }
    }
}

impl Default for Outline {
    fn default() -> Self {
        Self {
            pairs: 1,
            shared: false,
            names: Vec::new(),
            interval: "1m".to_owned(),
            csi_addons: false,
            write_every: 1000,
            old_work_crd: false,
            maintenance_modes: false,
            reclaim_policy: ReclaimPolicy::default(),
            relation: RELATION.to_owned(),
        }
    }
}

impl Outline {
    /// The names of the managed clusters.
    pub fn clusters(&self) -> Vec<String> {
        let numbered = (1..=self.size()).map(|number| format!("c{number}"));
        if self.names.is_empty() { numbered.collect() } else { self.names.clone() }
    }

    /// How many managed clusters there are.
    pub fn size(&self) -> usize {
        if self.shared { usize::from(self.pairs) + 1 } else { usize::from(self.pairs) * 2 }
    }

    /// The policies and their clusters.
    pub fn policies(&self) -> Vec<(String, Vec<String>)> {
        let clusters = self.clusters();
        let pairs: Vec<Vec<String>> = match clusters.split_first() {
            Some((common, others)) if self.shared => {
                others.iter().map(|other| vec![common.clone(), other.clone()]).collect()
            }
            _ => clusters.chunks(2).map(<[String]>::to_vec).collect(),
        };
        let name = |number: usize| match number {
            0 => world::POLICY.to_owned(),
            _ => format!("{}-{}", world::POLICY, number + 1),
        };
        pairs.into_iter().enumerate().map(|(number, pair)| (name(number), pair)).collect()
    }

    fn setting(&self) -> Setting {
        let store = |cluster: &String| Store {
            profile: format!("s3-{cluster}"),
            bucket: format!("bucket-{cluster}"),
            endpoint: format!("http://s3.{cluster}.example.com"),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
        };
        let clusters = self.clusters();
        let mut setting = Setting::golden(clusters.iter().map(store).collect());
        setting.clusters = clusters;
        setting.policies = self.policies();
        setting.interval.clone_from(&self.interval);
        setting.maintenance_modes = self.maintenance_modes;
        setting.reclaim_policy = self.reclaim_policy.word();
        setting.relation.clone_from(&self.relation);
        if self.old_work_crd {
            setting.work_crd = ramen_api::foreign_crds::WorkCrd::WithoutScrapeType;
        }
        setting
    }

    /// The storage class for applications under a policy.
    pub fn storage_class_of(&self, policy: &str) -> String {
        self.setting().storage_class_of(policy)
    }

    /// The first policy whose clusters include this one.
    pub fn policy_of(&self, cluster: &str) -> Option<String> {
        let of = self.policies().into_iter().find(|(_, clusters)| clusters.iter().any(|name| name == cluster));
        of.map(|(policy, _)| policy)
    }

    /// The other cluster of a policy.
    pub fn peer_of(&self, cluster: &str, policy: &str) -> Option<String> {
        let (_, pair) = self.policies().into_iter().find(|(name, _)| name == policy)?;
        pair.into_iter().find(|name| name != cluster)
    }
}

/// Installed API servers to make copies of.
pub(super) struct Template {
    pub(super) hub: ApiServer,
    clusters: BTreeMap<String, ApiServer>,
}

/// The template of an outline, made once per process for all outlines that differ only in how the world behaves.
pub(super) fn template(outline: &Outline) -> Arc<Template> {
    type Installed = (Vec<(String, Vec<String>)>, String, bool, bool, ReclaimPolicy, String);
    type Made = BTreeMap<Installed, Arc<Template>>;
    static MADE: OnceLock<Mutex<Made>> = OnceLock::new();
    let Outline {
        pairs: _,
        shared: _,
        names: _,
        interval,
        csi_addons: _,
        write_every: _,
        old_work_crd,
        maintenance_modes,
        reclaim_policy,
        relation,
    } = outline;
    let installed =
        (outline.policies(), interval.clone(), *old_work_crd, *maintenance_modes, *reclaim_policy, relation.clone());
    let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(made.entry(installed).or_insert_with(|| Arc::new(install(outline))))
}

/// Whether the API server of the hub, or of a cluster of the outline, serves a kind.
pub(crate) fn serves(outline: &Outline, on: &str, kind: &Resource) -> bool {
    let template = template(outline);
    let server = if on == HUB { Some(&template.hub) } else { template.clusters.get(on) };
    server.is_some_and(|server| server.registry().find(kind.group, kind.version, kind.plural).is_some())
}

fn install(outline: &Outline) -> Template {
    #![expect(clippy::expect_used, reason = "a fresh embedded server refuses none of these; a test makes them all")]
    let setting = outline.setting();
    let clock: Clock = Arc::new(|| BEGIN);
    let content = |cluster: &Cluster| cluster.with(|server, _| server.clone());
    let hub = Cluster::driven(HUB, ApiServer::new(0, BEGIN), clock.clone());
    world::install_hub(&hub, &setting, BEGIN).expect("a hub");
    let clusters = setting.clusters.iter().map(|name| {
        let own = Cluster::driven(name, ApiServer::new(1, BEGIN), clock.clone());
        world::install_cluster(&own, name, &setting).expect("a cluster");
        (name.clone(), content(&own))
    });
    let clusters = clusters.collect();
    Template { hub: content(&hub), clusters }
}

impl Operated {
    pub(super) fn new(home: &str, process: Box<dyn Process>) -> Self {
        Self {
            home: home.to_owned(),
            process,
            life: 0,
            watches: Vec::new(),
            telling: BTreeSet::new(),
            stepping: None,
            flights: BTreeMap::new(),
            next_flight: 0,
            rival: false,
        }
    }
}

impl Universe {
    /// A universe in which the operators start, and nothing is protected yet. The seed decides all that is random.
    pub fn new(outline: &Outline, seed: u64, rules: &[Rule]) -> Self {
        Self::new_with(outline, seed, rules, None)
    }

    /// The same, with operators that are tampered with.
    pub fn new_with(outline: &Outline, seed: u64, rules: &[Rule], tamper: Option<&Arc<dyn Tamper>>) -> Self {
        let template = template(outline);
        let now = Arc::new(AtomicU64::new(BEGIN.millis()));
        let mut universe = Self {
            now: now.clone(),
            begin: BEGIN,
            queue: BTreeMap::new(),
            tick: 0,
            rng: Rng::for_entity(seed, "universe"),
            places: BTreeMap::new(),
            stores: Stores::default(),
            storage: Mutex::default(),
            inhabitants: Vec::new(),
            subscribers: Subscribers::default(),
            operators: Vec::new(),
            applications: Applications::default(),
            hazards: Hazards::new(seed, rules, BEGIN),
            turn: Turn::default(),
            events: 0,
            reported: BTreeSet::new(),
            left_behind: BTreeSet::new(),
            dropped: BTreeMap::new(),
            strict: false,
            refused: None,
            by_hand: BTreeSet::new(),
            backup: None,
            hub_forgot: 0,
            paused: BTreeSet::new(),
            outline: outline.clone(),
        };
        universe.add_place(HUB, &template.hub, &now);
        for (name, content) in &template.clusters {
            universe.add_place(name, content, &now);
            let profile = format!("s3-{name}");
            universe.stores.add(&profile, Bucket::shared(&format!("bucket-{name}")));
            universe.stores.set_keys(&profile, ACCESS_KEY, SECRET_KEY);
        }
        let habits = habits(outline, seed);
        let setting = outline.setting();
        let pairs = outline.policies().into_iter().map(|(_, pair)| pair).enumerate();
        let relation = |(number, pair): (usize, Vec<String>)| {
            let [one, other] = pair.try_into().ok()?;
            Some(Relation { id: setting.replication_id(number), one, other })
        };
        universe.storage = Mutex::new(Storage::related(pairs.filter_map(relation).collect(), habits.speed));
        universe.settle_in(HUB, Box::new(LeaseWatch::new(habits.registration)));
        for name in outline.clusters() {
            for agent in agents_of(&name, &habits, &universe.applications) {
                universe.settle_in(&name, agent);
            }
        }
        universe.employ(HUB, process(HubOperator::new(OPERATOR_NAMESPACE), HUB, tamper));
        for name in outline.clusters() {
            universe.employ(&name, process(SpokeOperator::new(OPERATOR_NAMESPACE), &name, tamper));
        }
        universe.restore_policies();
        universe.spread();
        universe
    }

    /// Makes the policies and DRClusters that are missing on the hub.
    pub fn restore_policies(&mut self) {
        // What is refused is what is there already, or is not gone yet.
        let _ = world::install_policies(self.cluster(HUB), &self.outline.setting());
    }

    fn add_place(&mut self, name: &str, content: &ApiServer, now: &Arc<AtomicU64>) {
        let mut content = content.clone();
        content.reseed(Rng::for_entity(self.rng.next_u64(), name).next_u64());
        let skew = Arc::new(AtomicI64::new(0));
        let (now, ahead) = (now.clone(), skew.clone());
        let clock: Clock =
            Arc::new(move || Time(now.load(Ordering::Relaxed).saturating_add_signed(ahead.load(Ordering::Relaxed))));
        let place = Place {
            cluster: Cluster::driven(name, content, clock),
            skew,
            up: true,
            lost: None,
            hub_link: true,
            cut_off_stores: BTreeSet::new(),
        };
        self.places.insert(name.to_owned(), place);
    }

    fn settle_in(&mut self, home: &str, agent: Box<dyn Agent>) {
        let index = self.inhabitants.len();
        let watched = agent.watches();
        self.subscribers.agent(index, home, &[], &watched);
        self.inhabitants.push(Inhabitant { home: home.to_owned(), agent, watched, due: None });
        let at = self.now() + self.lag(0, 20);
        self.plan_agent(index, at);
    }

    fn employ(&mut self, home: &str, process: Box<dyn Process>) {
        let index = self.operators.len();
        for (watch, kind) in process.watches().iter().enumerate() {
            self.subscribers.add(home, kind.resource, Subscriber::Watch { process: index, watch });
        }
        self.operators.push(Operated::new(home, process));
        let after = self.lag(0, 20);
        self.enqueue(after, Due::Start { process: index });
    }

    /// Makes an application known to the deployers.
    pub fn add_application(&mut self, application: Application) {
        self.applications.lock().unwrap_or_else(PoisonError::into_inner).push(application);
        for index in 0..self.inhabitants.len() {
            if self.inhabitants.get(index).is_some_and(|inhabitant| inhabitant.agent.name().ends_with("/deployer")) {
                let at = self.now() + self.lag(1, 3);
                self.plan_agent(index, at);
            }
        }
    }

    /// Changes an application that the deployers know.
    pub fn change_application(&mut self, name: &str, change: impl FnOnce(&mut Application)) {
        let mut applications = self.applications.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(application) = applications.iter_mut().find(|application| application.name == name) {
            change(application);
        }
    }
}

/// A process of an operator, as it is or tampered with.
fn process<O: Operator>(operator: O, home: &str, tamper: Option<&Arc<dyn Tamper>>) -> Box<dyn Process> {
    match tamper {
        None => Box::new(Running::new(operator, home)),
        Some(by) => Box::new(Running::new(Tampered::new(operator, home, Arc::clone(by)), home)),
    }
}

fn habits(outline: &Outline, seed: u64) -> Habits {
    let mut habits = Habits::embedded(seed);
    habits.workload.write = Duration::from_millis(outline.write_every);
    habits.preparation = outline.maintenance_modes;
    if outline.csi_addons {
        habits.replication = replication::Settings::csi_addons();
    }
    habits
}
