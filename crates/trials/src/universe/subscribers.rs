//! Who is to be woken by changes of which kind on which cluster.

use std::collections::{BTreeMap, BTreeSet};

use ramen_sim::{agents::Side, api::Resource, api_server::kinds::TypeName};

use super::HUB;

/// Somebody who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subscriber {
    /// An agent, by its number.
    Agent(usize),
    /// A watch of an operator, by their numbers.
    Watch { process: usize, watch: usize },
}

/// Everybody who watches.
#[derive(Default)]
pub(super) struct Subscribers(BTreeMap<String, BTreeMap<TypeName, BTreeSet<Subscriber>>>);

/// The kind as its changes are told of.
pub(super) fn type_name(kind: &Resource) -> TypeName {
    let group = if kind.group == "events.k8s.io" { "" } else { kind.group };
    TypeName::new(group, kind.plural)
}

impl Subscribers {
    /// Takes over what an agent watches from now on.
    pub(super) fn agent(&mut self, index: usize, home: &str, before: &[(Side, Resource)], now: &[(Side, Resource)]) {
        let (before, now): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), now.iter().collect());
        let place = |side: &Side| if *side == Side::Hub { HUB } else { home };
        for (side, kind) in before.difference(&now) {
            if let Some(of_kind) = self.0.get_mut(place(side)).and_then(|place| place.get_mut(&type_name(kind))) {
                of_kind.remove(&Subscriber::Agent(index));
            }
        }
        for (side, kind) in now.difference(&before) {
            self.add(place(side), kind, Subscriber::Agent(index));
        }
    }

    /// Adds one.
    pub(super) fn add(&mut self, place: &str, kind: &Resource, subscriber: Subscriber) {
        let place = self.0.entry(place.to_owned()).or_default();
        place.entry(type_name(kind)).or_default().insert(subscriber);
    }

    /// Collects those who are concerned.
    pub(super) fn of(&self, place: &str, touched: &BTreeSet<TypeName>, woken: &mut BTreeSet<Subscriber>) {
        let Some(place) = self.0.get(place) else { return };
        for kind in touched {
            woken.extend(place.get(kind).into_iter().flatten());
        }
    }
}
