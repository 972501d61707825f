//! Collects what a decision about a DRPC reads.

use std::collections::BTreeSet;

use ramen_api::ramen::{
    s3_keys::VrgKeys,
    wire::{annotation, name, state::Action},
};
use ramen_events::{
    BlobId, ClusterName, ConditionStatus, Json, Outcome, Time,
    hub::{DrpcFact, ObjectRef, PlacementKind},
};

use crate::{
    domain::Ask,
    flights::Attempt,
    hub::{
        index::placement_of,
        modes::{self, Pair},
        state::{Hub, KnownWork},
    },
};

use super::{
    Drpc, contact,
    site::{Decided, ON_ITS_WAY, Site},
    storage,
    vrg::Vrg,
};

/// How many works an agent may watch before those at rest give way. It watches 50 at most; the others are for those that
/// act.
const WATCHED_AT_REST: usize = 45;

/// What a decision about `ask.aggregate` reads; `None` when there is no such DRPC.
pub fn gather(hub: &Hub, ask: Ask<'_>) -> Option<Drpc> {
    let key = crate::hub::key(ask.aggregate);
    let fact = hub.drpcs.get(&key)?.clone();
    let placed = placement_of(&fact);
    let (user, rule) = (hub.placements.get(&placed), hub.rules.get(&placed));
    let placement = user.or(rule).cloned();
    let policy = hub.policies.get(&fact.spec.policy).cloned();
    let (vrg_namespace, found) = vrg_namespace(hub, &fact, placement.as_ref().map(|placement| placement.kind));
    let listed: Vec<ClusterName> = policy.as_ref().map(|policy| policy.spec.clusters.clone()).unwrap_or_default();
    let on_clusters = OnClusters::new(&key.name, &vrg_namespace);
    let mut sites: Vec<Site> = names(hub, &key, &listed).map(|cluster| site(hub, &on_clusters, cluster)).collect();
    let namesake = sites.iter_mut().filter(|_| ask.decider >= OWNED_SINCE).fold(None, |found, site| {
        let owner = leave_to_owner(hub, &key, site);
        found.or(owner)
    });
    for site in &mut sites {
        site.in_doubt = in_doubt(site, ask);
    }
    prepare(hub, ask, &fact, listed.len(), &mut sites);
    let config = hub.config();
    let decided = placement.as_ref().map(|placement| decided(hub, &placed, placement)).unwrap_or_default();
    let slot_time = |slot: &str| ask.flights.last(ask.aggregate, slot).map(|attempt| attempt.decided);
    let touched = listed.iter().filter_map(|c| Some((c.clone(), slot_time(&super::views::touch_slot(c))?))).collect();
    // Conflicts are solved by looking again.
    let words = |failure: &Outcome| match failure {
        Outcome::Conflict { .. } => None,
        failure => failure.message().map(str::to_owned),
    };
    let mut failing: Vec<(String, String)> = ask
        .flights
        .failing(ask.aggregate)
        .filter_map(|(slot, attempt)| Some((slot.to_owned(), words(attempt.failure.as_ref()?)?)))
        .collect();
    failing.sort();
    let mut drpc = Drpc {
        now: ask.now,
        asked: hub.actions.get(&key).cloned().unwrap_or_default(),
        position: ask.position.cloned(),
        two_placements: user.is_some() && rule.is_some(),
        namesake,
        listed: listed.len(),
        sites,
        decided,
        config_fault: config.err().unwrap_or_default(),
        vol_sync_disabled: hub.config().is_ok_and(|config| config.vol_sync_disabled),
        ops_namespace: hub.config().map(|config| config.ops_namespace.clone()).unwrap_or_default(),
        can_watch: !hub.cannot_watch,
        decider: ask.decider,
        copies: Vec::new(),
        status_written: slot_time("status"),
        touched,
        failing,
        policy,
        placement,
        vrg_namespace,
        guesses_namespace: !found,
        fact,
        key,
        clearing: Clearing::No,
        placing: None,
    };
    drpc.clearing = clearing(&drpc, ask);
    drpc.placing = placing(&drpc, ask);
    if contact::is_needed(&drpc) {
        drpc.copies = copies(hub, &listed, &drpc.vrg_namespace, &drpc.key.name);
    }
    Some(drpc)
}

/// The first version of the deciders that looks whose works are that bear the names of its own.
const OWNED_SINCE: u32 = 7;

/// What is written for a cluster is called after the DRPC and the application's namespace, so a DRPC in another namespace of
/// the hub may mean the same objects. They belong to the one that they name (10, P21). Whose they are, if that is another
/// one that is there; then they are not this one's to look at, to change, or to delete.
fn leave_to_owner(hub: &Hub, key: &ObjectRef, site: &mut Site) -> Option<ObjectRef> {
    let other =
        |owner: Option<&ObjectRef>| owner.filter(|owner| *owner != key && hub.drpcs.contains_key(*owner)).cloned();
    let of_work = |work: &Option<KnownWork>| other(work.as_ref()?.fact.drpc.as_ref());
    let owner = of_work(&site.work).or_else(|| of_work(&site.namespace_work));
    let of_view = other(site.view.as_ref().and_then(|view| view.fact.drpc.as_ref()));
    let owner = owner.or(of_view)?;
    (site.work, site.namespace_work, site.view, site.vrg) = (None, None, None, Vrg::default());
    Some(owner)
}

/// Whether the placement was asked to be cleared last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clearing {
    /// It was not, or that failed.
    #[default]
    No,
    /// It was, and nobody knows yet whether it was done.
    Begun,
    /// It was, and that was done; the hub may not have seen it yet.
    Done,
}

/// The first version of the deciders that does not take an attempt that was not made for proof that none before it was.
const NO_PROOF_SINCE: u32 = 8;

/// The news of a write may come later than its outcome. Until then only the command that was given tells what the
/// placement says.
fn clearing(drpc: &Drpc, ask: Ask<'_>) -> Clearing {
    let Some(attempt) = ask.flights.last(ask.aggregate, super::placement::SLOT) else { return Clearing::No };
    let digest = super::placement::clearing(drpc).map(|command| BlobId::of(&command.bytes()));
    if digest != Some(attempt.digest) {
        return Clearing::No;
    }
    match attempt.outcome {
        Some(Outcome::Done) => Clearing::Done,
        None | Some(Outcome::Unknown { .. }) => Clearing::Begun,
        // That nothing was done this time says nothing of the time before.
        Some(Outcome::Conflict { .. } | Outcome::Unreachable { .. }) if ask.decider >= NO_PROOF_SINCE => {
            Clearing::Begun
        }
        Some(_) => Clearing::No,
    }
}

/// The first version of the deciders that knows which placement is on its way.
const PLACING_SINCE: u32 = 10;

/// Until when the placement may still turn out to name another home than it was seen to, because it was asked to before the
/// present action was asked for ([`ON_ITS_WAY`] while nobody knows). What has taken effect was seen with the answer.
fn placing(drpc: &Drpc, ask: Ask<'_>) -> Option<Time> {
    let earlier = |attempt: &&Attempt| drpc.is_being_deleted() || attempt.decided <= drpc.asked.since;
    let last = |slot| ask.flights.last(ask.aggregate, slot).filter(earlier);
    if ask.decider < PLACING_SINCE {
        return None;
    }
    // Where no placement names a home, the note on the DRPC does.
    let noting = last(super::placement::NOTES).filter(|_| drpc.decided.is_nowhere());
    let notes = |attempt: &Attempt| attempt.command.as_ref().is_some_and(super::placement::notes_home);
    if noting.is_some_and(notes) {
        return Some(ON_ITS_WAY);
    }
    let attempt = last(super::placement::SLOT)?;
    let may_be_done = match &attempt.outcome {
        None => return super::placement::names_other_home(drpc, attempt.command.as_ref()?).then_some(ON_ITS_WAY),
        Some(Outcome::Unknown { .. }) => true,
        // That nothing was done this time says nothing of the times before.
        Some(Outcome::Conflict { .. } | Outcome::Unreachable { .. }) => attempt.failures > 1,
        Some(Outcome::Done | Outcome::Refused { .. }) => false,
    };
    let until = attempt.decided.plus_seconds(NEWS);
    let names = || super::placement::placing(drpc).any(|command| BlobId::of(&command.bytes()) == attempt.digest);
    (may_be_done && ask.now < until && names()).then_some(until)
}

/// The first version of the deciders that knows what it has asked for and not seen yet.
const DOUBTS_SINCE: u32 = 4;
/// How long the news of a write that was made, or may have been made, is waited for, in seconds.
const NEWS: u64 = 30;

/// Until when a request may still turn up in the work of a cluster. A user who turns a move round right after the hub asked
/// the other cluster to be primary must not get two.
fn in_doubt(site: &Site, ask: Ask<'_>) -> Option<Time> {
    let attempt = ask.flights.last(ask.aggregate, &super::wanted::slot(site))?;
    let until = match &attempt.outcome {
        None => ON_ITS_WAY,
        Some(Outcome::Done | Outcome::Unknown { .. }) => attempt.decided.plus_seconds(NEWS),
        Some(Outcome::Conflict { .. } | Outcome::Refused { .. } | Outcome::Unreachable { .. }) => return None,
    };
    let seen = site.asked_by().is_some_and(|command| command == attempt.id.to_string());
    (ask.decider >= DOUBTS_SINCE && !seen && ask.now < until).then_some(until)
}

/// Clusters of the policy, then clusters that hold works or views of this DRPC.
fn names<'a>(hub: &Hub, key: &ObjectRef, listed: &'a [ClusterName]) -> impl Iterator<Item = ClusterName> + use<'a> {
    let works = hub.index.works_by_drpc.get(key).into_iter().flatten();
    let views = hub.index.views_by_drpc.get(key).into_iter().flatten();
    let others: BTreeSet<ClusterName> = works.chain(views).map(|(cluster, _)| cluster.clone()).collect();
    let others: Vec<ClusterName> = others.into_iter().filter(|cluster| !listed.contains(cluster)).collect();
    listed.iter().cloned().chain(others)
}

/// The clusters of a DRPC, without what only its own decisions need.
pub fn sites(hub: &Hub, fact: &DrpcFact) -> Vec<Site> {
    let key = ObjectRef::new(&fact.meta.namespace, &fact.meta.name);
    let placed = placement_of(fact);
    let placement = hub.placements.get(&placed).or(hub.rules.get(&placed));
    let (vrg_namespace, _) = vrg_namespace(hub, fact, placement.map(|placement| placement.kind));
    let listed = hub.policies.get(&fact.spec.policy).map(|policy| policy.spec.clusters.as_slice()).unwrap_or_default();
    let on_clusters = OnClusters::new(&key.name, &vrg_namespace);
    names(hub, &key, listed).map(|cluster| site(hub, &on_clusters, cluster)).collect()
}

/// Notes how far the storage of the target of a failover is.
fn prepare(hub: &Hub, ask: Ask<'_>, fact: &DrpcFact, listed: usize, sites: &mut [Site]) {
    if ask.decider < modes::SINCE || fact.spec.action != Action::Failover.as_str() {
        return;
    }
    let target = fact.spec.failover.as_str();
    let wanted = storage::claims(sites.get(..listed).unwrap_or(sites), target).map(Pair::of);
    let wanted: BTreeSet<Pair> = wanted.collect();
    if let Some(site) = sites.iter_mut().find(|site| site.name.0 == target) {
        let standing = |pair: &Pair| modes::standing(hub, ask.flights, &site.name, pair);
        site.preparations = wanted.iter().map(standing).collect();
    }
}

/// Names of what a DRPC has on the hub for each of its clusters.
struct OnClusters {
    work: String,
    namespace_work: String,
    view: String,
}

impl OnClusters {
    fn new(drpc: &str, vrg_namespace: &str) -> Self {
        Self {
            work: name::vrg_manifest_work(drpc, vrg_namespace),
            namespace_work: name::namespace_manifest_work(drpc, vrg_namespace),
            view: name::vrg_view(drpc, vrg_namespace),
        }
    }
}

fn site(hub: &Hub, named: &OnClusters, cluster: ClusterName) -> Site {
    let work = hub.work(&cluster, &named.work).cloned();
    let view = hub.view(&cluster, &named.view).cloned();
    let fact = hub.clusters.get(&cluster.0);
    let modes = fact.and_then(|fact| fact.status.as_ref()).map(|status| &status.maintenance_modes);
    Site {
        lost: hub.is_lost(&cluster),
        is_managed: hub.managed.contains_key(&cluster.0),
        has_cluster: fact.is_some(),
        stays: fact.is_some_and(|fact| fact.meta.deleting.is_none()),
        profile: fact.map(|fact| fact.profile.clone()).unwrap_or_default(),
        vrg: Vrg::known(view.as_ref(), work.as_ref()),
        namespace_work: hub.work(&cluster, &named.namespace_work).cloned(),
        in_doubt: None,
        crowded: hub.index.is_one_too_many(&cluster, &named.work, WATCHED_AT_REST),
        activated: modes.map(activated).unwrap_or_default(),
        preparations: Vec::new(),
        work,
        view,
        name: cluster,
    }
}

/// Maintenance modes that a DRCluster reports as active for a failover.
fn activated(modes: &Json) -> Vec<(String, String)> {
    let value = modes.value();
    let active = |mode: &&serde_json::Value| {
        let conditions = mode["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        conditions.iter().any(|c| c["type"] == "FailoverActivated" && c["status"] == ConditionStatus::True.as_str())
    };
    let text = |mode: &serde_json::Value, key: &str| mode[key].as_str().unwrap_or_default().to_owned();
    let modes = value.as_array().map(Vec::as_slice).unwrap_or_default();
    modes.iter().filter(active).map(|mode| (text(mode, "storageProvisioner"), text(mode, "targetID"))).collect()
}

/// The namespace of the VRG: pinned on the DRPC, else where an ApplicationSet that follows the placement deploys to,
/// else the placement's own (spec drpc 2.5). An ApplicationSet names its Placement without a namespace, so one in the
/// Placement's namespace goes before others (10, P21).
/// Tells whether something said so, rather than nothing.
fn vrg_namespace(hub: &Hub, fact: &DrpcFact, kind: Option<PlacementKind>) -> (String, bool) {
    let pinned = fact.meta.annotation(annotation::APP_NAMESPACE);
    if !pinned.is_empty() {
        return (pinned.to_owned(), true);
    }
    let own = &fact.meta.namespace;
    if kind == Some(PlacementKind::Rule) {
        return (own.clone(), true);
    }
    let follows = |set: &&ramen_events::hub::ApplicationSetFact| {
        set.placement == fact.spec.placement && !set.destination_namespace.is_empty()
    };
    let sets = || hub.application_sets.values().filter(follows);
    let set = sets().find(|set| set.namespace == *own).or_else(|| sets().next());
    set.map_or_else(|| (own.clone(), false), |set| (set.destination_namespace.clone(), true))
}

fn decided(hub: &Hub, placed: &ObjectRef, placement: &ramen_events::hub::PlacementFact) -> Decided {
    if placement.kind == PlacementKind::Rule {
        return Decided {
            kind: PlacementKind::Rule,
            object: Some(placed.name.clone()),
            labelled: true,
            entries: placement.decisions.iter().map(super::placement::naming).collect(),
            ..Decided::default()
        };
    }
    let objects: Vec<_> = hub.index.decisions_by_placement.get(placed).into_iter().flatten().collect();
    let mut decided = Decided::default();
    match objects.as_slice() {
        [] => decided.free_name = free_name(hub, placed),
        [one] => {
            if let Some(fact) = hub.decisions.get(one) {
                decided.object = Some(fact.name.clone());
                decided.labelled = fact.excluded_from_backup;
                decided.entries.clone_from(&fact.entries);
                let chosen = fact.entries.iter().filter(|entry| !super::site::is_retained(entry)).count();
                if chosen > 1 {
                    decided.ambiguity = format!("PlacementDecision {one} names {chosen} clusters; leave one of them");
                }
            }
        }
        many => {
            let names: Vec<&str> = many.iter().map(|object| object.name.as_str()).collect();
            decided.ambiguity =
                format!("Placement {placed} has several PlacementDecisions ({}); leave one of them", names.join(", "));
        }
    }
    decided
}

/// A name for a new PlacementDecision: an object of that name may belong to another Placement.
fn free_name(hub: &Hub, placed: &ObjectRef) -> String {
    let taken = |n: u32| {
        let key = ObjectRef::new(&placed.namespace, name::placement_decision(&placed.name, n));
        hub.decisions.contains_key(&key)
    };
    let n = (1..=5).find(|n| !taken(*n)).unwrap_or(1);
    name::placement_decision(&placed.name, n)
}

fn copies(
    hub: &Hub,
    listed: &[ClusterName],
    vrg_namespace: &str,
    drpc: &str,
) -> Vec<(ramen_events::hub::Profile, Option<crate::hub::state::KnownCopy>)> {
    let Ok(config) = hub.config() else { return Vec::new() };
    let key = copy_key(vrg_namespace, drpc);
    let stays = |cluster: &&ClusterName| hub.clusters.get(&cluster.0).is_some_and(|c| c.meta.deleting.is_none());
    let names: BTreeSet<&str> =
        listed.iter().filter(stays).filter_map(|c| Some(hub.clusters.get(&c.0)?.profile.as_str())).collect();
    let profiles = names.into_iter().filter_map(|name| config.profile(name));
    profiles
        .map(|profile| (profile.clone(), hub.stored.get(&profile.name).and_then(|keys| keys.get(&key)).cloned()))
        .collect()
}

/// Where the copy of a VRG lies in a store.
pub fn copy_key(vrg_namespace: &str, vrg: &str) -> String {
    VrgKeys::new(vrg_namespace, vrg).vrg()
}
