//! What must hold after every event, whatever goes wrong, and what must hold once everything is mended.
//!
//! Rules bear the numbers of the behaviour that they guard: `D` is data, `S` the hub's DRPC controller, `HS` its
//! controllers of policies and clusters, `VS` the managed clusters' VRG controller, `CS` stores, `L` and `VL` that things
//! end, `N` the operators as programs.

mod apart;
mod asked;
mod attendant;
mod copies;
mod data;
mod deleted;
mod endings;
mod handover;
mod health;
mod hub;
mod leftovers;
mod modes;
mod moves;
mod offers;
mod overtaken;
mod placed;
mod policies;
mod replay;
mod rest;
mod restored;
mod spoke;
mod stored;
mod storms;
mod told;
mod uses;
mod waits;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    calls,
    run::{Violation, Watcher},
    universe::{Turn, Universe},
};
use ramen_api::{path::At as _, ramen::wire::NO_S3};
use ramen_sim::{
    api::Resource,
    api_server::{kinds::TypeName, object::Object},
    kinds,
    time::Time,
};

pub use self::rest::at_rest;

/// All rules that are checked after every event.
#[derive(Default)]
pub struct Checks {
    data: data::Data,
    apart: apart::Apart,
    asked: asked::Asked,
    endings: endings::Endings,
    handover: handover::Handover,
    hub: hub::Hub,
    modes: modes::Modes,
    moves: moves::Moves,
    offers: offers::Offers,
    overtaken: overtaken::Overtaken,
    restored: restored::Restored,
    spoke: spoke::Spoke,
    stored: stored::Stored,
    storms: storms::Storms,
    told: told::Told,
    uses: uses::Uses,
    policies: policies::Policies,
    waits: waits::Waits,
    lasting: Lasting,
}

impl Watcher for Checks {
    fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        if let Some(home) = &turn.panicked {
            let what =
                format!("an observation, a decision or the reading of an answer of the operator on {home} panicked");
            return violated("N1 nothing panics", what);
        }
        self.apart.look_first(universe);
        self.data.look(universe, turn)?;
        self.moves.look(universe, turn)?;
        uses::Uses::promoted(universe, turn)?;
        deleted::look(universe, turn)?;
        self.overtaken.look(universe)?;
        self.stored.look(universe, turn)?;
        self.storms.look(universe, turn)?;
        for (cluster, kinds) in &turn.touched {
            self.told.look(universe, cluster, kinds)?;
            self.asked.look(universe, cluster, kinds)?;
            if cluster == crate::universe::HUB {
                self.hub.look(universe, kinds)?;
                self.endings.look(universe, kinds, &mut self.lasting)?;
                self.policies.look(universe, kinds, &mut self.lasting)?;
                self.modes.look(universe, kinds, &mut self.lasting)?;
            } else {
                self.uses.demoted(universe, cluster, kinds)?;
                self.handover.look(universe, cluster, kinds)?;
                self.spoke.look(universe, cluster, kinds, &mut self.lasting)?;
                self.restored.look(universe, cluster, kinds, &self.stored)?;
            }
            self.apart.look(universe, cluster, kinds)?;
            self.offers.look(universe, cluster, kinds)?;
        }
        self.waits.look(universe)?;
        self.lasting.forget_the_dark(universe);
        self.lasting.overdue(universe.now())
    }
}

impl Checks {
    /// All but N2.
    pub fn but_for_storms() -> Self {
        Self { storms: storms::Storms::allowed(), ..Self::default() }
    }

    /// What must hold besides once everything is mended and has come to rest.
    ///
    /// # Errors
    /// What must not be.
    pub fn at_rest(&self, universe: &Universe) -> Result<(), Violation> {
        self.data.at_rest(universe)?;
        self.told.at_rest(universe)?;
        health::look(universe)?;
        copies::look(universe)?;
        offers::at_rest(universe)?;
        replay::look(universe)
    }
}

/// States that may be seen for a moment, since news takes its time, but must not last.
#[derive(Default)]
struct Lasting(BTreeMap<(&'static str, String, String), (Time, u64, String)>);

impl Lasting {
    /// Notes whether something that must not last is there, of an object on a cluster. `limit` is in milliseconds.
    fn note(
        &mut self,
        rule: &'static str,
        (cluster, about): (&str, String),
        bad: Option<String>,
        now: Time,
        limit: u64,
    ) {
        let key = (rule, cluster.to_owned(), about);
        match bad {
            Some(what) => {
                self.0.entry(key).or_insert((now, limit, what));
            }
            None => {
                self.0.remove(&key);
            }
        }
    }

    /// A cluster without power can mend nothing; what is there when it is back is looked at then.
    fn forget_the_dark(&mut self, universe: &Universe) {
        self.0.retain(|(_, cluster, _), _| universe.is_up(cluster));
    }

    fn overdue(&self, now: Time) -> Result<(), Violation> {
        for ((rule, cluster, about), (since, limit, what)) in &self.0 {
            if now.since(*since).as_millis() > u128::from(*limit) {
                return Err(Violation { rule, what: format!("{about} on {cluster}: {what}, since {since}") });
            }
        }
        Ok(())
    }
}

/// All objects of a kind on a cluster, without copying them.
fn all(universe: &Universe, cluster: &str, kind: &Resource, namespace: Option<&str>) -> Vec<Arc<Object>> {
    calls::all(universe.cluster(cluster), kind, namespace)
}

/// One object of a cluster, without copying it.
fn one(universe: &Universe, cluster: &str, kind: &Resource, namespace: &str, name: &str) -> Option<Arc<Object>> {
    let key = ramen_sim::api_server::store::Key {
        kind: type_name(kind),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    universe.cluster(cluster).with(|server, _| server.store().get(&key).cloned())
}

/// The VRG of an application on a managed cluster.
fn vrg(universe: &Universe, app: &str, cluster: &str) -> Option<Arc<Object>> {
    universe.managed().any(|name| name == cluster).then(|| one(universe, cluster, &kinds::VRG, app, app)).flatten()
}

/// The handle of the volume that a claim is bound to, if that exists.
pub(crate) fn handle_of(universe: &Universe, cluster: &str, claim: &serde_json::Value) -> Option<String> {
    let volume = one(universe, cluster, &kinds::PV, "", text(claim, "/spec/volumeName"))?;
    Some(text(volume.value(), "/spec/csi/volumeHandle").to_owned())
}

fn type_name(kind: &Resource) -> TypeName {
    TypeName::new(kind.group, kind.plural)
}

/// Text at a JSON pointer; empty when there is none.
fn text<'a>(object: &'a serde_json::Value, pointer: &str) -> &'a str {
    object.at(pointer).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// The texts of a list at a JSON pointer.
fn texts<'a>(object: &'a serde_json::Value, pointer: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let list = object.at(pointer).and_then(serde_json::Value::as_array);
    list.into_iter().flatten().filter_map(serde_json::Value::as_str)
}

/// The profiles of the stores that a VRG uses.
fn profiles(vrg: &serde_json::Value) -> impl Iterator<Item = &str> {
    texts(vrg, "/spec/s3Profiles").filter(|profile| *profile != NO_S3)
}

/// What an object says of itself.
fn conditions(object: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    object.at("/status/conditions").and_then(serde_json::Value::as_array).into_iter().flatten()
}

/// Whether a condition of an object is true for what is asked of it now.
fn holds(object: &serde_json::Value, kind: &str) -> bool {
    conditions(object).any(|condition| {
        condition["type"] == kind
            && condition["status"] == "True"
            && condition["observedGeneration"] == object["metadata"]["generation"]
    })
}

fn violated(rule: &'static str, what: impl Into<String>) -> Result<(), Violation> {
    Err(Violation { rule, what: what.into() })
}
