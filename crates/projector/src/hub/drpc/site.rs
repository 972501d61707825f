//! One cluster of a DRPC: what the hub asked of it, and what it knows of it.

use ramen_events::{
    ClusterName, Time,
    hub::{PlacementKind, VrgManifest, WorkContent},
};

use crate::hub::{
    modes::Standing,
    state::{KnownView, KnownWork},
};

use super::vrg::{Presence, Vrg};

/// Later than any moment: a request is on its way still.
pub const ON_ITS_WAY: Time = Time(u64::MAX);

/// One cluster of a DRPC.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The cluster.
    pub name: ClusterName,
    /// OCM lost it: what is known may be out of date.
    pub lost: bool,
    /// There is a ManagedCluster.
    pub is_managed: bool,
    /// There is a DRCluster.
    pub has_cluster: bool,
    /// The DRCluster stays.
    pub stays: bool,
    /// Its store.
    pub profile: String,
    /// The work with the VRG: M(c) of the spec.
    pub work: Option<KnownWork>,
    /// A request to change that work is on its way, or was made and is not seen yet: until when it may still turn up
    /// ([`ON_ITS_WAY`] while nobody knows).
    pub in_doubt: Option<Time>,
    /// The work with the namespace.
    pub namespace_work: Option<KnownWork>,
    /// The view of the VRG.
    pub view: Option<KnownView>,
    /// What is known of the VRG: V(c) of the spec.
    pub vrg: Vrg,
    /// The agent of this cluster watches too many works, and the one with the VRG should give way.
    pub crowded: bool,
    /// Pairs of driver and relation that the DRCluster's status reports as prepared for a failover to this cluster.
    pub activated: Vec<(String, String)>,
    /// How far the storage of this cluster is with what the failover to it needs.
    pub preparations: Vec<Standing>,
}

impl Site {
    /// The VRG that was asked for; `None` while none was, or while it is being withdrawn.
    pub fn wished(&self) -> Option<&VrgManifest> {
        self.content().map(|(manifest, _)| manifest)
    }

    /// The command that asked for it.
    pub fn asked_by(&self) -> Option<&str> {
        self.content().map(|(_, command)| command)
    }

    fn content(&self) -> Option<(&VrgManifest, &str)> {
        let work = self.work.as_ref().filter(|work| !work.fact.deleting)?;
        match &work.fact.content {
            WorkContent::Vrg { manifest, command } => Some((manifest, command)),
            _ => None,
        }
    }

    /// Primary was asked for.
    pub fn is_wished_primary(&self) -> bool {
        self.wished().is_some_and(|manifest| manifest.spec.state == "primary")
    }

    /// Primary was asked for by a failover: its volumes may have gone their own way.
    pub fn is_wished_by_failover(&self) -> bool {
        self.is_wished_primary() && self.wished().is_some_and(|manifest| manifest.spec.action == "Failover")
    }

    /// Secondary was asked for.
    pub fn is_wished_secondary(&self) -> bool {
        self.wished().is_some_and(|manifest| manifest.spec.state == "secondary")
    }

    /// What the VRG says belongs to what was last asked: it carries that command, and was looked at since.
    pub fn answers(&self) -> bool {
        let Some((manifest, command)) = self.content() else { return false };
        self.vrg.is_looked_at() && self.vrg.command == command && self.vrg.replication_state == manifest.spec.state
    }

    /// Secondary, in answer to our last wish.
    pub fn is_settled_secondary(&self) -> bool {
        self.is_wished_secondary() && self.answers() && self.vrg.is_settled_secondary()
    }

    /// Ready, in answer to our last wish.
    pub fn is_ready(&self) -> bool {
        self.is_wished_primary() && self.answers() && self.vrg.is_ready()
    }

    /// The cluster said that there is no VRG, and OCM has not lost it since.
    pub fn is_empty(&self) -> bool {
        self.vrg.presence == Presence::Absent && !self.lost
    }

    /// The cluster answered, one way or the other.
    pub fn has_answered(&self) -> bool {
        self.vrg.is_told_of() && !self.lost
    }
}

/// Where the placement says that the application runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Which kind of placement.
    pub kind: PlacementKind,
    /// Name of the PlacementDecision; `None` when there is none yet.
    pub object: Option<String>,
    /// Name for a new one.
    pub free_name: String,
    /// It carries the label that keeps it out of backups.
    pub labelled: bool,
    /// Clusters, retained ones too.
    pub entries: Vec<ramen_events::hub::DecisionEntry>,
    /// Why it can't be read as one decision; empty when it can.
    pub ambiguity: String,
}

impl Decided {
    /// The cluster that is decided, not counting a retained old home.
    pub fn current(&self) -> Option<&ClusterName> {
        home(&self.entries)
    }

    /// It can be read, and names no cluster, not even a retained one.
    pub fn is_nowhere(&self) -> bool {
        self.entries.is_empty() && self.ambiguity.is_empty()
    }

    /// Old homes that keep the workload for now.
    pub fn retained(&self) -> impl Iterator<Item = &ramen_events::hub::DecisionEntry> {
        self.entries.iter().filter(|entry| is_retained(entry))
    }
}

/// The cluster that entries name, not counting a retained old home.
pub fn home(entries: &[ramen_events::hub::DecisionEntry]) -> Option<&ClusterName> {
    entries.iter().find(|entry| !is_retained(entry)).map(|entry| &entry.cluster)
}

/// Whether an entry only keeps the workload on an old home.
pub fn is_retained(entry: &ramen_events::hub::DecisionEntry) -> bool {
    entry.reason == ramen_api::ramen::wire::RETAINED_FOR_FAILOVER
}
