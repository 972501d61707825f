//! Maintenance modes: what the hub asked the storage of a cluster to prepare for, and what that answered (spec hub 5).
//!
//! A request is a work with one MaintenanceMode. It is about a pair, a driver and a relation: two drivers may use one id
//! (spec hub 13, H9). What counts as its answer carries its command, so that what storage said of a request that was
//! withdrawn says nothing about the next one of that name (HS9).

use ramen_api::{
    kinds,
    ramen::wire::{annotation, condition, name},
};
use ramen_events::{
    Aggregate, BlobId, ClusterName, Command, ConditionStatus, Json, Outcome,
    hub::{self, ModeSeen, ProtectedPvc, ViewAnswer, ViewedObject, WorkContent, WorkFact},
};
use serde_json::Value;

use crate::flights::Flights;

use super::state::{Hub, KnownWork};

/// The first version of the deciders that asks.
pub const SINCE: u32 = 4;

/// Longest name of an object, less what the names of works and views add.
const LONGEST: usize = 253 - "-mmode-mcv".len();
/// Hexadecimal digits that tell pairs apart whose ids make no name, or the same one.
const DIGITS: usize = 12;

/// What a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The driver.
    pub provisioner: String,
    /// The replication relation.
    pub id: String,
}

impl Pair {
    /// The driver and the relation of a claim.
    pub fn of(pvc: &ProtectedPvc) -> Self {
        Self { provisioner: pvc.provisioner.clone(), id: pvc.replication_id.clone() }
    }

    /// Storage can be asked about it.
    pub fn is_told(&self) -> bool {
        !self.provisioner.is_empty() && !self.id.is_empty()
    }

    /// Names that its mode may have, the usual one first: the id, which is the value of a label and need not be the name
    /// of an object, nor that of one relation only.
    pub fn names(&self) -> impl Iterator<Item = String> + use<> {
        let usual = Some(self.id.clone()).filter(|id| is_name(id));
        usual.into_iter().chain([self.own_name()])
    }

    fn own_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let readable: String = self.id.chars().map(plain).take(LONGEST - DIGITS - 1).collect();
        let digest = BlobId::of(format!("{}\n{}", self.provisioner, self.id).as_bytes()).to_string();
        let digits: String = digest.chars().take(DIGITS).collect();
        format!("{readable}-{digits}").trim_start_matches('-').to_owned()
    }
}

/// Whether the API server takes this for a name.
fn is_name(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part =
        |part: &str| part.starts_with(outer) && part.ends_with(outer) && part.chars().all(|c| outer(c) || c == '-');
    text.len() <= LONGEST && text.split('.').all(part)
}

/// A request that is there.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The work.
    pub work: &'a WorkFact,
    /// Name of the MaintenanceMode.
    pub mode: String,
    /// What it is about.
    pub pair: Pair,
    /// The command that asked; empty when another program did.
    pub command: String,
}

/// Requests to the storage of a cluster, withdrawn ones too while they are there.
pub fn requests<'a>(hub: &'a Hub, cluster: &ClusterName) -> impl Iterator<Item = Request<'a>> + use<'a> {
    let works = hub.works.get(cluster).into_iter().flat_map(|works| works.values());
    works.filter(|known| is_work(&known.fact.name)).filter_map(request_in)
}

/// The request about a pair; one that is being withdrawn only if there is no other.
pub fn request<'a>(hub: &'a Hub, cluster: &ClusterName, pair: &Pair) -> Option<Request<'a>> {
    let names = pair.names().map(|mode| name::maintenance_mode_manifest_work(&mode));
    let mut found: Vec<_> = names
        .filter_map(|work| request_in(hub.work(cluster, &work)?))
        .filter(|request| request.pair == *pair)
        .collect();
    found.sort_by_key(|request| request.work.deleting);
    found.into_iter().next()
}

/// Whether a work is one with a MaintenanceMode, by its name.
pub fn is_work(work: &str) -> bool {
    work.ends_with(&name::maintenance_mode_manifest_work(""))
}

/// Whether a view shows a MaintenanceMode, by its name.
pub fn is_view(view: &str) -> bool {
    name::maintenance_mode_of_view(view).is_some()
}

fn request_in(known: &KnownWork) -> Option<Request<'_>> {
    let WorkContent::Manifests(manifests) = &known.fact.content else { return None };
    let manifests = manifests.value();
    let mode = manifests.get(0).filter(|manifest| manifest["kind"] == kinds::MAINTENANCE_MODE.kind)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (meta, spec) = (&mode["metadata"], &mode["spec"]);
    Some(Request {
        work: &known.fact,
        mode: text(&meta["name"]),
        pair: Pair { provisioner: text(&spec["storageProvisioner"]), id: text(&spec["targetID"]) },
        command: text(&meta["annotations"][annotation::HUB_COMMAND]),
    })
}

/// The agent has put the request on its cluster as it is written now.
pub fn is_applied(work: &WorkFact) -> bool {
    let applied = work.applied.as_ref();
    applied.is_some_and(|c| c.status == ConditionStatus::True && c.generation == work.generation) && !work.deleting
}

/// What storage answered to this request, as its view shows it.
pub fn answer<'a>(hub: &'a Hub, cluster: &ClusterName, request: &Request<'_>) -> Option<&'a ModeSeen> {
    let view = hub.view(cluster, &name::maintenance_mode_view(&request.mode))?;
    let ViewAnswer::Found(ViewedObject::MaintenanceMode(seen)) = &view.fact.answer else { return None };
    let same = seen.command == request.command
        && seen.provisioner == request.pair.provisioner
        && seen.target == request.pair.id
        && !seen.deleting;
    same.then_some(seen)
}

/// Storage is prepared for a failover. Storage need not say which generation it looked at; if it does, it must be this.
pub fn is_activated(seen: &ModeSeen) -> bool {
    let now = |generation: i64| generation == 0 || generation == seen.generation;
    activation(&seen.conditions).is_some_and(|condition| {
        condition["status"] == ConditionStatus::True.as_str()
            && now(condition["observedGeneration"].as_i64().unwrap_or_default())
    }) && now(seen.observed_generation)
}

fn activation(conditions: &Json) -> Option<Value> {
    let conditions = conditions.value();
    conditions.as_array()?.iter().find(|condition| condition["type"] == condition::FAILOVER_ACTIVATED).cloned()
}

/// How far the preparation for a failover is, for one pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The pair.
    pub pair: Pair,
    /// Name of the MaintenanceMode; empty while there is none.
    pub mode: String,
    /// Storage is prepared.
    pub activated: bool,
    /// What is known beside that, for people; empty when nothing is.
    pub words: String,
}

/// How far the storage of `cluster` is with a pair. A request that is being withdrawn, or may be, counts for nothing.
pub fn standing(hub: &Hub, flights: &Flights, cluster: &ClusterName, pair: &Pair) -> Standing {
    let none = Standing { pair: pair.clone(), ..Standing::default() };
    if !pair.is_told() {
        return Standing { words: "its VolumeReplicationGroup does not tell which".into(), ..none };
    }
    let Some(request) = request(hub, cluster, pair) else { return none };
    if request.work.deleting || is_withdrawn(flights, cluster, request.work) {
        return Standing { words: "an earlier request is being withdrawn".into(), ..none };
    }
    let known = Standing { mode: request.mode.clone(), ..none };
    match answer(hub, cluster, &request) {
        Some(seen) if is_activated(seen) => Standing { activated: true, ..known },
        Some(seen) => Standing { words: said(seen), ..known },
        None => Standing { words: refused(request.work), ..known },
    }
}

/// What storage says that is not prepared.
fn said(seen: &ModeSeen) -> String {
    let condition = activation(&seen.conditions).unwrap_or_default();
    let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    let message = if text("message").is_empty() { text("reason") } else { text("message") };
    match (seen.state.as_str(), message.as_str()) {
        ("", "") => String::new(),
        ("", message) => format!("it says: {message}"),
        (state, "") => format!("its state is {state}"),
        (state, message) => format!("its state is {state}: {message}"),
    }
}

/// What the cluster's agent says of a request that it does not put there.
fn refused(work: &WorkFact) -> String {
    let failed = work.applied.as_ref().filter(|condition| condition.status == ConditionStatus::False);
    failed.map(|condition| format!("the cluster's agent says: {}", condition.message)).unwrap_or_default()
}

/// Slot in which a DRCluster withdraws a request.
pub fn withdrawal(mode: &str) -> String {
    format!("mode-withdrawal/{mode}")
}

/// The command that withdraws a request.
pub fn withdraw(work: &WorkFact) -> Command {
    let (cluster, name, uid) = (work.cluster.clone(), work.name.clone(), work.uid.clone());
    Command::Hub(hub::Command::DeleteWork { cluster, name, uid })
}

/// The withdrawal of this very request was decided, and did not fail for certain: news of it may be on its way.
fn is_withdrawn(flights: &Flights, cluster: &ClusterName, work: &WorkFact) -> bool {
    let aggregate: Aggregate = super::cluster(&cluster.0);
    let Some(mode) = work.name.strip_suffix(&name::maintenance_mode_manifest_work("")) else { return false };
    let Some(attempt) = flights.last(&aggregate, &withdrawal(mode)) else { return false };
    attempt.digest == BlobId::of(&withdraw(work).bytes())
        && matches!(attempt.outcome, None | Some(Outcome::Done | Outcome::Unknown { .. }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("rid-1", "rid-1")]
    #[case::dotted("rid.1", "rid.1")]
    #[case::upper_case("RID", "rid-")]
    #[case::underscore("rid_1", "rid-1-")]
    #[case::empty_part("rid..1", "rid--1-")]
    #[case::ends_in_a_dot("rid.", "rid--")]
    fn a_mode_is_named_by_its_relation_where_that_is_a_name(#[case] id: &str, #[case] begin: &str) {
        let pair = Pair { provisioner: "csi".into(), id: id.into() };
        let names: Vec<String> = pair.names().collect();
        assert!(names[0].starts_with(begin), "{names:?}");
        assert_eq!(names.len(), if is_name(id) { 2 } else { 1 });
        assert!(names.iter().all(|name| is_name(name)), "{names:?}");
        let other = Pair { provisioner: "other".into(), ..pair };
        assert_ne!(names.last(), other.names().last().as_ref(), "H9: two drivers may use one id");
    }
}
