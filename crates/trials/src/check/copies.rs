//! What the stores must hold at rest: of each application a copy of what is there, and of nothing else.

use std::collections::BTreeMap;

use ramen_api::{path::At as _, ramen::s3_keys::VrgKeys};
use ramen_sim::{api_server::object, kinds, time::Time};
use serde_json::Value;

use super::{all, one, placed::decided, profiles, text, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// Fields of a claim and of a volume in which a copy has to be like what it is a copy of.
const OF_CLAIM: [&str; 4] =
    ["/spec/volumeName", "/spec/storageClassName", "/spec/resources/requests/storage", "/spec/accessModes"];
const OF_VOLUME: [&str; 4] =
    ["/spec/csi/volumeHandle", "/spec/storageClassName", "/spec/capacity/storage", "/spec/claimRef/name"];

/// Looks into the stores of each application at its home.
pub(super) fn look(universe: &Universe) -> Result<(), Violation> {
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let app = text(drpc.value(), "/metadata/name");
        let Some(home) = decided(universe, app).into_iter().next() else { continue };
        let Some(vrg) = one(universe, &home, &kinds::VRG, app, app) else { continue };
        for profile in profiles(vrg.value()) {
            let prefix = format!("{app}/{app}/");
            let mut objects = universe.stores.objects(profile);
            objects.retain(|key, _| key.starts_with(&prefix));
            of_vrg(vrg.value(), &home, profile, &objects)?;
            of_claims(universe, vrg.value(), &home, profile, &objects)?;
            nothing_lacks(universe, app, &home, profile, &objects)?;
        }
    }
    Ok(())
}

/// The copy of the VRG is that of the home (VS12), and of what it is asked for now (VS9).
fn of_vrg(vrg: &Value, home: &str, profile: &str, objects: &BTreeMap<String, Value>) -> Result<(), Violation> {
    let name = text(vrg, "/metadata/name");
    let Some((_, copy)) = objects.iter().find(|(key, _)| key.contains("VolumeReplicationGroup")) else {
        return violated("VS9 protected means stored", format!("store {profile} has no copy of the VRG of {name}"));
    };
    if copy.at("/metadata/uid") != vrg.at("/metadata/uid") {
        return violated(
            "VS12 the stores hold the successor's copies",
            format!("the copy of the VRG of {name} in store {profile} is not that of {home}"),
        );
    }
    if copy["spec"] == vrg["spec"] { Ok(()) } else { differs("VRG", name, home, profile, "/spec") }
}

fn of_claims(
    universe: &Universe,
    vrg: &Value,
    home: &str,
    profile: &str,
    objects: &BTreeMap<String, Value>,
) -> Result<(), Violation> {
    let app = text(vrg, "/metadata/name");
    for (key, copy) in objects {
        let name = key.rsplit('/').next().unwrap_or_default();
        let is_claim = key.contains(".PersistentVolumeClaim/");
        let (kind, live, fields) = if is_claim {
            ("claim", one(universe, home, &kinds::PVC, app, name), OF_CLAIM)
        } else if key.contains(".PersistentVolume/") {
            ("volume", one(universe, home, &kinds::PV, "", name), OF_VOLUME)
        } else {
            continue;
        };
        let Some(live) = live else {
            // What was dropped while a store failed stays there when the application moves before that is over: the next home
            // can't tell it from what only that store knows of, and stores it everywhere. Half a copy is of no use to anybody,
            // but for one beside the copy of a later claim of that name, which nobody looks at.
            let beside = !is_claim && objects.contains_key(&claim_key(key, copy));
            let dropped = universe.dropped.get(&(app.to_owned(), name.to_owned())).copied().unwrap_or_default();
            let failed = |profile| {
                universe.stores.was_in_trouble_after(profile, dropped) || did_not_answer(universe, profile, dropped)
            };
            let stays = is_claim && profiles(vrg).any(failed);
            // What somebody else put there is theirs to take away.
            if beside || stays || universe.stores.is_foreign(profile, key) {
                continue;
            }
            return violated(
                "VL8 what is dropped leaves the stores",
                format!("store {profile} has {key}, and there is no {kind} {name} on {home}"),
            );
        };
        if let Some(field) = fields.into_iter().find(|field| live.value().at(field) != copy.at(field)) {
            return differs(kind, name, home, profile, field);
        }
    }
    Ok(())
}

/// Whether an operator got no answer from a store since a moment, for whatever it asked: to it the store failed.
fn did_not_answer(universe: &Universe, profile: &str, since: Time) -> bool {
    let of_store = format!(" in {profile}");
    universe.mishaps().iter().any(|(at, what)| *at >= since && what.ends_with(&of_store))
}

/// Each claim of the application, and its volume, has its copy.
fn nothing_lacks(
    universe: &Universe,
    app: &str,
    home: &str,
    profile: &str,
    objects: &BTreeMap<String, Value>,
) -> Result<(), Violation> {
    let keys = VrgKeys::new(app, app);
    for claim in all(universe, home, &kinds::PVC, Some(app)) {
        let claim = claim.value();
        let name = text(claim, "/metadata/name");
        if text(claim, "/status/phase") != "Bound" || object::is_deleting(claim) {
            continue;
        }
        let of_claim = [keys.pvc(app, name), keys.pv(text(claim, "/spec/volumeName"))];
        if let Some(key) = of_claim.iter().find(|key| !objects.contains_key(*key)) {
            return violated(
                "VS9 protected means stored",
                format!("store {profile} lacks {key}, of claim {name} on {home}"),
            );
        }
    }
    Ok(())
}

/// Where the copy of a volume's claim lies.
fn claim_key(key: &str, volume: &Value) -> String {
    let claim = text(volume, "/spec/claimRef/name");
    let folder =
        key.rsplit_once('/').map_or("", |(folder, _)| folder).replace(".PersistentVolume", ".PersistentVolumeClaim");
    format!("{folder}/{}/{claim}", text(volume, "/spec/claimRef/namespace"))
}

fn differs(kind: &str, name: &str, home: &str, profile: &str, field: &str) -> Result<(), Violation> {
    violated(
        "VS9 protected means stored",
        format!("the copy of {kind} {name} on {home} in {profile} differs in {field}"),
    )
}
