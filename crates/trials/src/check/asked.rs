//! What must hold when the hub asks a cluster for something new: judged by what is there, not by what the hub believes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ramen_api::path::At as _;
use ramen_sim::{
    api_server::{
        kinds::TypeName,
        object::{self, Object},
    },
    kinds,
};
use serde_json::Value;

use super::{all, holds, hub::vrg_of, one, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What was seen of the VRGs, and asked for, so far.
#[derive(Default)]
pub(super) struct Asked {
    /// Primaries that said, since they are, that their data are ready and protected: by application and cluster.
    complete: BTreeSet<(String, String)>,
    /// What each cluster is asked for, by application and cluster.
    works: BTreeMap<(String, String), Wish>,
    /// How the last primary of an application was asked to replicate.
    schemes: BTreeMap<String, BTreeSet<String>>,
}

/// What a VRG is asked to be.
#[derive(Clone, Default, PartialEq, Eq)]
struct Wish {
    role: String,
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
            syncs: spec["prepareForFinalSync"] == true || spec["runFinalSync"] == true,
            scheme: classes.into_iter().flatten().map(scheme).collect(),
        }
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
            return self.hub_asks(universe);
        }
        Ok(())
    }

    fn note_complete(&mut self, universe: &Universe, cluster: &str) {
        self.complete.retain(|(app, on)| on != cluster || vrg(universe, app, on).is_some_and(is_primary));
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let vrg = vrg.value();
            let says = text(vrg, "/status/state") == "Primary" && holds(vrg, "DataReady");
            if says && holds(vrg, "ClusterDataProtected") {
                self.complete.insert((text(vrg, "/metadata/name").to_owned(), cluster.to_owned()));
            }
        }
    }

    fn hub_asks(&mut self, universe: &Universe) -> Result<(), Violation> {
        let before = std::mem::take(&mut self.works);
        for work in all(universe, HUB, &kinds::MANIFEST_WORK, None) {
            let Some(vrg) = vrg_of(work.value()) else { continue };
            let (app, cluster) = (text(vrg, "/metadata/name"), text(work.value(), "/metadata/namespace"));
            let key = (app.to_owned(), cluster.to_owned());
            let wish = Wish::of(vrg);
            if before.get(&key) != Some(&wish) {
                self.newly(universe, &key, &wish, before.get(&key))?;
            }
            if wish.role == "primary" {
                self.schemes.insert(app.to_owned(), wish.scheme.clone());
            }
            self.works.insert(key, wish);
        }
        Ok(())
    }

    /// A cluster is asked for something that it was not asked for before.
    fn newly(
        &self,
        universe: &Universe,
        key: &(String, String),
        wish: &Wish,
        before: Option<&Wish>,
    ) -> Result<(), Violation> {
        let (app, cluster) = key;
        let Some(drpc) = one(universe, HUB, &kinds::DRPC, "apps", app) else { return Ok(()) };
        let there = vrg(universe, app, cluster);
        let action = text(drpc.value(), "/spec/action");
        // What a hub that was rebuilt takes in is what somebody asked for before.
        let taken_in = before.is_none() && there.as_ref().is_some_and(|there| Wish::of(there.value()) == *wish);
        if before.is_none() && action.is_empty() && !object::is_deleting(drpc.value()) {
            as_it_is(app, cluster, wish, there.as_deref())?;
        }
        let began = wish.syncs && !before.is_some_and(|before| before.syncs) && !taken_in;
        if began && action == "Relocate" && !self.complete.contains(key) {
            return violated(
                "S3 a relocation begins at a whole source",
                format!("{app} is to synchronize {cluster} for the last time, which never said that all is protected"),
            );
        }
        let promoted = wish.role == "primary" && before.is_none_or(|before| before.role != "primary") && !taken_in;
        if promoted && !there.is_some_and(is_primary) {
            self.same_scheme(app, cluster, wish)?;
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

/// A hub that finds a VRG of which it knows nothing leaves that as it is until somebody asks for an action (S14).
fn as_it_is(app: &str, cluster: &str, wish: &Wish, there: Option<&Object>) -> Result<(), Violation> {
    let Some(there) = there.map(Object::value).filter(|there| !object::is_deleting(there)) else { return Ok(()) };
    let role = text(there, "/spec/replicationState");
    if role == wish.role {
        return Ok(());
    }
    violated(
        "S14 what is found stays as it is",
        format!("the VRG of {app} on {cluster} is {role}, and a hub that did not know it asks it to be {}", wish.role),
    )
}

fn is_primary(vrg: Arc<Object>) -> bool {
    text(vrg.value(), "/spec/replicationState") == "primary"
}

/// The VRG of an application on a cluster.
fn vrg(universe: &Universe, app: &str, cluster: &str) -> Option<Arc<Object>> {
    universe.managed().any(|name| name == cluster).then(|| one(universe, cluster, &kinds::VRG, app, app)).flatten()
}
