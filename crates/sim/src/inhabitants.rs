//! Who lives on a managed cluster beside the operator, and how they behave.

use std::time::Duration;

use crate::agents::Agent;
use crate::agents::registration::{self, Registration};
use crate::agents::view::{self, ViewAgent};
use crate::agents::work::{self, WorkAgent};
use crate::apps::deploy::{Applications, Deployer};
use crate::apps::workload::{self, Workload};
use crate::storage::Speed;
use crate::storage::binder::{Binder, Duties};
use crate::storage::maintenance::Preparation;
use crate::storage::provisioner::Provisioner;
use crate::storage::replication::{self, ReplicationController};
use crate::storage::resizer::Resizer;

/// How the inhabitants behave.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Decides all random numbers.
    pub seed: u64,
    /// The hub's URL, as the agents know it.
    pub hub_url: String,
    /// The work agents.
    pub work: work::Timing,
    /// Period of views that name none.
    pub view_period: Duration,
    /// Leases of the clusters.
    pub registration: registration::Timing,
    /// The VolumeReplication controllers.
    pub replication: replication::Settings,
    /// The storage.
    pub speed: Speed,
    /// Nodes and processes.
    pub workload: workload::Timing,
    /// What of kube-controller-manager's work the world does.
    pub duties: Duties,
    /// Whether the storage vendor's controller that prepares for failovers is there.
    pub preparation: bool,
}

impl Habits {
    /// Beside embedded API servers, at the pace of the recording.
    #[must_use]
    pub fn embedded(seed: u64) -> Self {
        Self {
            seed,
            hub_url: crate::world::HUB_URL.into(),
            work: work::Timing::default(),
            view_period: view::DEFAULT_PERIOD,
            registration: registration::Timing::default(),
            replication: replication::Settings::recorded(),
            speed: Speed::default(),
            workload: workload::Timing::default(),
            duties: Duties { bind: true, protect: true },
            preparation: false,
        }
    }

    /// Beside real API servers, whose controller manager binds, protects and deletes.
    #[must_use]
    pub fn real(seed: u64) -> Self {
        Self { duties: Duties { bind: false, protect: false }, ..Self::embedded(seed) }
    }
}

/// The agents of one cluster.
#[must_use]
pub fn agents_of(cluster: &str, habits: &Habits, applications: &Applications) -> Vec<Box<dyn Agent>> {
    let mut agents: Vec<Box<dyn Agent>> = vec![
        Box::new(Registration::new(cluster, habits.registration)),
        Box::new(WorkAgent::new(cluster, &habits.hub_url, habits.seed, habits.work)),
        Box::new(ViewAgent::new(cluster, habits.view_period)),
        Box::new(Provisioner::new(cluster)),
        Box::new(Resizer::new(cluster)),
        Box::new(Binder::new(cluster, habits.duties)),
        Box::new(ReplicationController::new(cluster, habits.replication)),
        Box::new(Deployer::new(cluster, applications.clone())),
        Box::new(Workload::new(cluster, habits.workload)),
    ];
    if habits.preparation {
        agents.push(Box::new(Preparation::new(cluster)));
    }
    agents
}
