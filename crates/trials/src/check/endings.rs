//! What must hold of the works of VRGs when an action ends, and when a protection does.

use std::collections::BTreeSet;

use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
};
use serde_json::Value;

use super::{Lasting, all, one, placed::vrg_of, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// How long a work may still ask for a final synchronization when its action has ended, in milliseconds: who leads now has to
/// hear of what another wrote.
const NEWS_MS: u64 = 30_000;

/// What was seen of works last.
#[derive(Default)]
pub(super) struct Endings {
    /// Primaries that are being deleted: application and cluster.
    going: BTreeSet<(String, String)>,
}

impl Endings {
    /// Looks at what changed on the hub.
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        touched: &BTreeSet<TypeName>,
        lasting: &mut Lasting,
    ) -> Result<(), Violation> {
        let works = touched.contains(&type_name(&kinds::MANIFEST_WORK));
        if works || touched.contains(&type_name(&kinds::DRPC)) {
            flags(universe, lasting);
        }
        if works { self.order(universe) } else { Ok(()) }
    }

    /// Replicas go before the primary, so that replication ends under a live application (S12).
    fn order(&mut self, universe: &Universe) -> Result<(), Violation> {
        let works = all(universe, HUB, &kinds::MANIFEST_WORK, None);
        let vrgs: Vec<(&Value, &Value)> =
            works.iter().filter_map(|work| Some((work.value(), vrg_of(work.value())?))).collect();
        let role = |vrg: &Value, role: &str| text(vrg, "/spec/replicationState") == role;
        let mut going = BTreeSet::new();
        for (work, vrg) in vrgs.iter().filter(|(work, vrg)| object::is_deleting(work) && role(vrg, "primary")) {
            let (app, on) = (text(vrg, "/metadata/name"), text(work, "/metadata/namespace"));
            let place = (app.to_owned(), on.to_owned());
            // A work that goes while its DRPC stays is another matter (S13).
            if one(universe, HUB, &kinds::DRPC, "apps", app).is_some_and(|drpc| !object::is_deleting(drpc.value())) {
                continue;
            }
            let replica =
                vrgs.iter().find(|(_, other)| text(other, "/metadata/name") == app && role(other, "secondary"));
            if let Some((replica, _)) = replica.filter(|_| !self.going.contains(&place)) {
                let there = text(replica, "/metadata/namespace");
                return violated(
                    "S12 replicas go before the primary",
                    format!(
                        "the VRG of {app} on {on}, which is primary, is to go while the replica on {there} is there"
                    ),
                );
            }
            going.insert(place);
        }
        self.going = going;
        Ok(())
    }
}

/// An action that has ended asks nobody for a final synchronization (S4).
fn flags(universe: &Universe, lasting: &mut Lasting) {
    let works = all(universe, HUB, &kinds::MANIFEST_WORK, None);
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let drpc = drpc.value();
        let app = text(drpc, "/metadata/name");
        let ended = text(drpc, "/status/progression") == "Completed"
            && drpc["status"]["observedGeneration"] == drpc["metadata"]["generation"]
            && !object::is_deleting(drpc);
        let syncs = |work: &&Value| {
            vrg_of(work).is_some_and(|vrg| {
                let is_set = |field: &str| vrg["spec"][field] == true;
                text(vrg, "/metadata/name") == app && (is_set("prepareForFinalSync") || is_set("runFinalSync"))
            })
        };
        let asked = works.iter().map(|work| work.value()).find(syncs).filter(|_| ended);
        let bad = asked.map(|work| {
            let on = text(work, "/metadata/namespace");
            format!("its action has ended, and its VRG on {on} is still to synchronize for the last time")
        });
        lasting.note("S4 final synchronization in order", (HUB, format!("DRPC {app}")), bad, universe.now(), NEWS_MS);
    }
}
