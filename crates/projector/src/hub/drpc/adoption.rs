//! VRGs that are there without a work of ours: a hub that was restored, or an installation that was taken over, takes
//! them in as they are before it does anything else (spec drpc 3.6; S14). Only the owner's UID changes.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::annotation;
use ramen_events::{
    Command,
    hub::{self, VrgManifest, VrgWork},
};

use crate::domain::Decision;

use super::{Drpc, site::Site, wanted};

/// The first version of the deciders that takes no namespaces from a VRG that its DRPC does not name. Somebody may have
/// changed the VRG by hand, and until the hub was lost its agent would have put that right.
const CORRECTS_SINCE: u32 = 4;

/// Wants works for VRGs that have none. `true` while one is missing.
pub fn adopt(drpc: &Drpc, decision: &mut Decision) -> bool {
    let mut pending = false;
    for site in &drpc.sites {
        let Some(manifest) = to_adopt(drpc, site) else { continue };
        pending = true;
        wanted::namespace_work(drpc, site, decision);
        let work = VrgWork {
            cluster: site.name.clone(),
            name: wanted::work_name(drpc),
            drpc: drpc.key.clone(),
            manifest,
            watched: drpc.can_watch,
        };
        decision.want(wanted::slot(site), Command::Hub(hub::Command::ApplyVrgWork(Box::new(work))));
    }
    pending
}

/// What a site's work should hold, when it holds nothing or names another owner.
fn to_adopt(drpc: &Drpc, site: &Site) -> Option<VrgManifest> {
    let mut manifest = match site.wished() {
        Some(wished) if wished.annotations.get(annotation::DRPC_UID) != Some(&drpc.fact.meta.uid) => wished.clone(),
        Some(_) => return None,
        None if site.work.is_some() => return None, // being withdrawn
        None => {
            let seen = site.vrg.seen().filter(|seen| site.vrg.is_present() && !seen.deleting)?;
            let mut manifest = seen.manifest.clone();
            let kept =
                [annotation::DESTINATION_CLUSTER, annotation::STORE_EPOCH].into_iter().chain(annotation::COPIED_TO_VRG);
            let value = |key: &str| seen.manifest.annotations.get(key).cloned();
            let kept = kept.filter_map(|key| Some((key.to_owned(), value(key)?)));
            manifest.annotations = kept.collect::<BTreeMap<_, _>>();
            if drpc.decider >= CORRECTS_SINCE {
                manifest.spec.protected_namespaces.clone_from(&drpc.fact.spec.protected_namespaces);
            }
            manifest
        }
    };
    manifest.annotations.insert(annotation::DRPC_UID.to_owned(), drpc.fact.meta.uid.clone());
    Some(manifest)
}
