//! What must hold when a cluster lets an application go, and for the volumes that claims are on.

use std::collections::{BTreeMap, BTreeSet};

use ramen_sim::{api_server::kinds::TypeName, kinds, storage::Role};

use super::{all, handle_of, text, type_name, violated};
use crate::{run::Violation, universe::Universe};

/// What VRGs said last.
#[derive(Default)]
pub(super) struct Handover {
    /// The state of each VRG, by cluster and namespace.
    states: BTreeMap<(String, String), String>,
}

impl Handover {
    /// Looks at what changed on a managed cluster.
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
    ) -> Result<(), Violation> {
        if touched.contains(&type_name(&kinds::PVC)) || touched.contains(&type_name(&kinds::PV)) {
            own_volumes(universe, cluster)?;
        }
        if touched.contains(&type_name(&kinds::VRG)) {
            self.stepped_down(universe, cluster)?;
        }
        Ok(())
    }

    /// The source of a relocation is `Secondary` once the other side has all that was written here (VS4).
    fn stepped_down(&mut self, universe: &Universe, cluster: &str) -> Result<(), Violation> {
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let vrg = vrg.value();
            let namespace = text(vrg, "/metadata/namespace");
            let current = vrg["status"]["observedGeneration"] == vrg["metadata"]["generation"];
            let state = if current { text(vrg, "/status/state") } else { "" };
            let before = self.states.insert((cluster.to_owned(), namespace.to_owned()), state.to_owned());
            let relocates = text(vrg, "/spec/action") == "Relocate";
            if state != "Secondary" || !relocates || before.as_deref() == Some(state) {
                continue;
            }
            if let Some((claim, missing)) = not_handed_over(universe, cluster, namespace) {
                return violated(
                    "VS4 a relocation takes all along",
                    format!(
                        "VRG {namespace} on {cluster} says Secondary, and {missing} writes to {claim} are only here"
                    ),
                );
            }
        }
        Ok(())
    }
}

/// A claim of the application whose volume here holds writes that no other copy has, and how many.
fn not_handed_over(universe: &Universe, cluster: &str, namespace: &str) -> Option<(String, u64)> {
    let storage = universe.storage();
    let applications = universe.applications();
    let wanted = |claim: &str| {
        applications.iter().any(|app| app.namespace() == namespace && app.claims.iter().any(|name| name == claim))
    };
    storage.volumes_of(namespace).filter(|(handle, claim)| wanted(claim) && !storage.diverged(handle)).find_map(
        |(handle, claim)| {
            let (role, here) = storage.peek(cluster, handle)?;
            let others = universe.managed().filter(|other| *other != cluster);
            let others = others.filter_map(|other| storage.peek(other, handle));
            let missing = others.map(|(_, there)| here.missing_in(there)).min().unwrap_or_else(|| here.len());
            (role == Role::Secondary && missing > 0).then(|| (claim.to_owned(), missing))
        },
    )
}

/// A claim is on a volume that was made for it, never on that of another (VS11).
fn own_volumes(universe: &Universe, cluster: &str) -> Result<(), Violation> {
    let storage = universe.storage();
    for claim in all(universe, cluster, &kinds::PVC, None) {
        let claim = claim.value();
        let Some(handle) = handle_of(universe, cluster, claim) else { continue };
        let name = format!("{}/{}", text(claim, "/metadata/namespace"), text(claim, "/metadata/name"));
        let made_for = storage.claim(&handle);
        if !made_for.is_empty() && made_for != name {
            return violated(
                "VS11 a claim is on its own volume",
                format!("claim {name} on {cluster} is on volume {handle}, which is that of {made_for}"),
            );
        }
    }
    Ok(())
}
