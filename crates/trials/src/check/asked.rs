//! What must hold when the hub asks a cluster for something new: judged by what is there, not by what the hub believes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ramen_api::path::At as _;
use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
    time::Time,
};
use serde_json::Value;

use super::{
    all, holds, one,
    placed::{decided, vrg_of},
    text, type_name, violated, vrg,
};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What was seen of the VRGs, and asked for, so far.
#[derive(Default)]
pub(super) struct Asked {
    /// Primaries that said, since they are, that their data are ready and protected: by application and cluster.
    complete: BTreeSet<Place>,
    /// What each cluster is asked for.
    works: BTreeMap<Place, Wish>,
    /// How the last primary of an application was asked to replicate.
    schemes: BTreeMap<String, BTreeSet<String>>,
    /// Where a DRPC asked to fail over to: while it does not any more, since when.
    failovers: BTreeMap<Place, Option<Time>>,
}

/// An application and a cluster.
type Place = (String, String);

/// How long after it was called off a failover may still be asked for: the operator has to hear of that, and what it asked
/// for before has to arrive.
const ON_ITS_WAY: Duration = Duration::from_secs(15);

/// What a VRG is asked to be.
#[derive(Clone, Default, PartialEq, Eq)]
struct Wish {
    role: String,
    /// For a failover.
    fails_over: bool,
    /// A final synchronization is to be prepared, or to be run.
    syncs: bool,
    scheme: BTreeSet<String>,
}

impl Wish {
    fn of(vrg: &Value) -> Self {
        let spec = &vrg["spec"];
        let classes = vrg.at("/spec/async/peerClasses").and_then(Value::as_array);
        let scheme = |class: &Value| format!("{} {}", text(class, "/storageClassName"), text(class, "/replicationID"));
        Self {
            role: text(vrg, "/spec/replicationState").to_owned(),
            fails_over: text(vrg, "/spec/action") == "Failover",
            syncs: spec["prepareForFinalSync"] == true || spec["runFinalSync"] == true,
            scheme: classes.into_iter().flatten().map(scheme).collect(),
        }
    }

    fn is_primary(&self) -> bool {
        self.role == "primary"
    }
}

impl Asked {
    /// Looks at what changed on a cluster, or on the hub.
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
    ) -> Result<(), Violation> {
        if cluster != HUB && touched.contains(&type_name(&kinds::VRG)) {
            self.note_complete(universe, cluster);
        }
        if cluster == HUB && touched.contains(&type_name(&kinds::MANIFEST_WORK)) {
            self.hub_asks(universe)?;
        }
        if cluster == HUB && touched.contains(&type_name(&kinds::DRPC)) {
            self.note_failovers(universe);
        }
        Ok(())
    }

    fn note_failovers(&mut self, universe: &Universe) {
        for drpc in all(universe, HUB, &kinds::DRPC, None) {
            let name = text(drpc.value(), "/metadata/name");
            let asks = text(drpc.value(), "/spec/action") == "Failover";
            let to = if asks { text(drpc.value(), "/spec/failoverCluster") } else { "" };
            let ended =
                self.failovers.iter_mut().filter(|((app, on), until)| app == name && on != to && until.is_none());
            ended.for_each(|(_, until)| *until = Some(universe.now()));
            if asks {
                self.failovers.insert((name.to_owned(), to.to_owned()), None);
            }
        }
    }

    /// Whether a failover to this cluster is asked for, or what was asked for it may still arrive.
    fn fails_over(&self, place: &Place, now: Time) -> bool {
        self.failovers.get(place).is_some_and(|until| until.is_none_or(|until| now.since(until) < ON_ITS_WAY))
    }

    fn note_complete(&mut self, universe: &Universe, cluster: &str) {
        self.complete
            .retain(|(app, on)| on != cluster || vrg(universe, app, on).is_some_and(|vrg| is_primary(vrg.value())));
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let vrg = vrg.value();
            let says = text(vrg, "/status/state") == "Primary" && holds(vrg, "DataReady");
            if says && holds(vrg, "ClusterDataProtected") {
                self.complete.insert((text(vrg, "/metadata/name").to_owned(), cluster.to_owned()));
            }
        }
    }

    fn hub_asks(&mut self, universe: &Universe) -> Result<(), Violation> {
        let mut now = BTreeMap::new();
        for work in all(universe, HUB, &kinds::MANIFEST_WORK, None) {
            let Some(vrg) = vrg_of(work.value()) else { continue };
            let (app, cluster) = (text(vrg, "/metadata/name"), text(work.value(), "/metadata/namespace"));
            final_sync_flags(universe, app, cluster, vrg)?;
            now.insert((app.to_owned(), cluster.to_owned()), Wish::of(vrg));
        }
        let before = std::mem::replace(&mut self.works, now);
        for (place, wish) in &self.works {
            let before = before.get(place);
            if before != Some(wish) {
                self.newly(universe, place, wish, before)?;
            }
        }
        let primaries = self.works.iter().filter(|(_, wish)| wish.is_primary());
        self.schemes.extend(primaries.map(|((app, _), wish)| (app.clone(), wish.scheme.clone())));
        Ok(())
    }

    /// A cluster is asked for something that it was not asked for before.
    fn newly(&self, universe: &Universe, place: &Place, wish: &Wish, before: Option<&Wish>) -> Result<(), Violation> {
        let (app, cluster) = place;
        let Some(drpc) = one(universe, HUB, &kinds::DRPC, "apps", app) else { return Ok(()) };
        let there = vrg(universe, app, cluster);
        let there = there.as_ref().map(|there| there.value());
        let action = text(drpc.value(), "/spec/action");
        // What a hub that was rebuilt takes in is what somebody asked for before.
        let taken_in = before.is_none() && there.is_some_and(|there| Wish::of(there) == *wish);
        if before.is_none() && action.is_empty() && !object::is_deleting(drpc.value()) {
            as_it_is(app, cluster, wish, there)?;
        }
        let began = wish.syncs && !before.is_some_and(|before| before.syncs) && !taken_in;
        if began && action == "Relocate" && !self.complete.contains(place) {
            return violated(
                "S3 a relocation begins at a whole source",
                format!("{app} is to synchronize {cluster} for the last time, which never said that all is protected"),
            );
        }
        let promoted = wish.is_primary() && !before.is_some_and(Wish::is_primary);
        let is_primary = there.is_some_and(is_primary);
        // What a hub takes in that did not know it was somebody else's to ask for.
        if promoted && !(is_primary && before.is_none()) {
            self.promotion(universe, place, action)?;
            self.same_scheme(app, cluster, wish)?;
            if !is_primary {
                self.takes_over(universe, place, wish, action)?;
            }
        }
        Ok(())
    }

    /// What others than this cluster are asked to be.
    fn others(&self, (app, cluster): &Place) -> impl Iterator<Item = (&Place, &Wish)> {
        self.works.iter().filter(move |((of, on), _)| of == app && on != cluster)
    }

    /// A second primary is asked for by a failover only, and on its target (S1).
    fn promotion(&self, universe: &Universe, place: &Place, action: &str) -> Result<(), Violation> {
        let (app, cluster) = place;
        if self.fails_over(place, universe.now()) {
            return Ok(());
        }
        if let Some(((_, on), _)) = self.others(place).find(|(_, wish)| wish.is_primary()) {
            return violated(
                "S1 one primary",
                format!("{app} is to be primary on {cluster} while it is on {on}, for action {action:?}"),
            );
        }
        nobody_else(universe, app, cluster, action)
    }

    /// A relocation asks for a primary when the other has stepped down (S2).
    fn takes_over(&self, universe: &Universe, place: &Place, wish: &Wish, action: &str) -> Result<(), Violation> {
        let (app, cluster) = place;
        // What the failover of a moment ago asked for may arrive when a relocation was asked for instead.
        if action != "Relocate" || (wish.fails_over && self.fails_over(place, universe.now())) {
            return Ok(());
        }
        // The first primary takes over from nobody, also when an action came before its cluster was asked.
        if !self.schemes.contains_key(app) {
            return Ok(());
        }
        for ((_, on), _) in self.others(place) {
            let Some(there) = vrg(universe, app, on) else { continue };
            let state = text(there.value(), "/status/state");
            // Somebody wrote into it: it says that, and nothing of its volumes, which the hub heard of before.
            let is_spoilt = !there.value()["spec"]["protectedNamespaces"].is_null();
            if state != "Secondary" && !is_spoilt {
                return violated(
                    "S2 relocate after the other has stepped down",
                    format!("{app} is to be primary on {cluster} while the VRG on {on} is {state:?}"),
                );
            }
        }
        Ok(())
    }

    /// Who takes over replicates as the one before did: storage of another kind does not know its copies (S8).
    fn same_scheme(&self, app: &str, cluster: &str, wish: &Wish) -> Result<(), Violation> {
        let Some(before) = self.schemes.get(app).filter(|before| **before != wish.scheme) else { return Ok(()) };
        let words = |scheme: &BTreeSet<String>| scheme.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        violated(
            "S8 one scheme of replication",
            format!(
                "{app} is to be primary on {cluster} with classes {}, and was replicated with {}",
                words(&wish.scheme),
                words(before)
            ),
        )
    }
}

/// `prepareForFinalSync` and `runFinalSync` exclude each other, belong to a primary, and the latter comes after the
/// placement was cleared.
fn final_sync_flags(universe: &Universe, app: &str, cluster: &str, vrg: &Value) -> Result<(), Violation> {
    const RULE: &str = "S4 final synchronization in order";
    let set = |field: &str| vrg["spec"][field] == true;
    let (prepare, run) = (set("prepareForFinalSync"), set("runFinalSync"));
    if prepare && run {
        return violated(RULE, format!("{app} on {cluster} is to prepare and to run a final synchronization"));
    }
    if (prepare || run) && text(vrg, "/spec/replicationState") != "primary" {
        return violated(RULE, format!("{app} on {cluster} is secondary and to run a final synchronization"));
    }
    if run && decided(universe, app).iter().any(|decided| decided == cluster) {
        return violated(
            RULE,
            format!("{app} is to run its final synchronization on {cluster}, where it is still placed"),
        );
    }
    Ok(())
}

/// A hub that finds a VRG of which it knows nothing leaves that as it is until somebody asks for an action (S14).
fn as_it_is(app: &str, cluster: &str, wish: &Wish, there: Option<&Value>) -> Result<(), Violation> {
    let Some(there) = there.filter(|there| !object::is_deleting(there)) else { return Ok(()) };
    let role = text(there, "/spec/replicationState");
    if role == wish.role {
        return Ok(());
    }
    violated(
        "S14 what is found stays as it is",
        format!("the VRG of {app} on {cluster} is {role}, and a hub that did not know it asks it to be {}", wish.role),
    )
}

/// That nobody tells of a primary does not mean that there is none (S11).
fn nobody_else(universe: &Universe, app: &str, cluster: &str, action: &str) -> Result<(), Violation> {
    let primary = |on: &&str| {
        let there = (*on != cluster).then(|| vrg(universe, app, on)).flatten();
        there.is_some_and(|there| is_primary(there.value()) && !object::is_deleting(there.value()))
    };
    match universe.managed().find(primary) {
        None => Ok(()),
        Some(on) => violated(
            "S11 silence is no absence",
            format!("{app} is to be primary on {cluster} for action {action:?}, and its VRG on {on} is primary"),
        ),
    }
}

fn is_primary(vrg: &Value) -> bool {
    text(vrg, "/spec/replicationState") == "primary"
}
