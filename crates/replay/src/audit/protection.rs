//! What was not protected when it mattered.

use std::collections::BTreeMap;

use ramen_events::{Command, ConditionStatus, Fact, Kind, Payload, hub, spoke};

use crate::audit::{
    actions::Subject,
    report::{NOT_KNOWN, Unprotected},
};

/// What the logs of the old cluster and of the hub say of it at the loss, or else at the request.
pub fn missing(subject: &Subject<'_>, loss: Option<usize>) -> Vec<Unprotected> {
    let mut missing = Vec::new();
    if !matches!(subject.kind, "failover" | "relocate") {
        return missing;
    }
    let moment = loss.unwrap_or(subject.asked);
    missing.extend(reported(subject, moment));
    match subject.source.as_ref().map(|source| (source, subject.log_of(source))) {
        Some((_, Some(log))) => missing.extend(on_cluster(subject, log, moment)),
        Some((source, None)) => missing.push(Unprotected {
            what: "claims without protection".to_owned(),
            why: format!("{NOT_KNOWN}: the log of cluster {source} is not here"),
            record: NOT_KNOWN.to_owned(),
        }),
        None => missing.push(Unprotected {
            what: "claims without protection".to_owned(),
            why: format!("{NOT_KNOWN}: no record tells where the application ran before"),
            record: NOT_KNOWN.to_owned(),
        }),
    }
    missing
}

/// What the DRPC itself had reported last.
fn reported(subject: &Subject<'_>, moment: usize) -> Option<Unprotected> {
    let (index, status) = subject.own(0, moment).rev().find_map(|(index, entry)| match &entry.record.payload {
        Payload::Commanded { command: Command::Hub(hub::Command::WriteDrpcStatus { status, .. }), .. }
            if entry.record.aggregate.as_ref() == Some(subject.drpc) =>
        {
            Some((index, status))
        }
        _ => None,
    })?;
    let protected = status.condition("Protected")?;
    (protected.status != ConditionStatus::True).then(|| Unprotected {
        what: subject.drpc.to_string(),
        why: format!("its condition Protected was {}: {}", protected.status.as_str(), protected.message),
        record: subject.merged.name(index),
    })
}

/// Claims of the VRGs' namespaces that no VRG lists, or whose data were not protected; and what was asked for in vain.
fn on_cluster(subject: &Subject<'_>, log: usize, moment: usize) -> Vec<Unprotected> {
    let mut claims: BTreeMap<spoke::Key, usize> = BTreeMap::new();
    let mut vrgs: BTreeMap<spoke::Key, (usize, &spoke::VrgStatus)> = BTreeMap::new();
    let mut specs: BTreeMap<spoke::Key, (usize, &spoke::VrgSpec)> = BTreeMap::new();
    for (index, entry) in subject.own(0, moment) {
        if entry.log != log {
            continue;
        }
        match &entry.record.payload {
            Payload::Observed(Fact::Spoke(spoke::Fact::Pvc(pvc)))
                if subject.vrgs.iter().any(|vrg| vrg.0 == pvc.key.namespace) =>
            {
                if pvc.is_deleting() {
                    claims.remove(&pvc.key);
                } else {
                    claims.insert(pvc.key.clone(), index);
                }
            }
            Payload::Gone(object) if object.kind == Kind::PersistentVolumeClaim => {
                claims.remove(&spoke::Key::new(&object.namespace, &object.name));
            }
            Payload::Gone(object) if object.kind == Kind::Vrg => {
                let key = spoke::Key::new(&object.namespace, &object.name);
                vrgs.remove(&key);
                specs.remove(&key);
            }
            Payload::Observed(Fact::Spoke(spoke::Fact::Vrg(vrg) | spoke::Fact::FencedVrg { vrg, .. }))
                if subject.has_vrg(&vrg.key.namespace, &vrg.key.name) =>
            {
                specs.insert(vrg.key.clone(), (index, &vrg.spec));
            }
            Payload::Commanded {
                command: Command::Spoke(spoke::Command::WriteVrgStatus { vrg, status, .. }), ..
            } if subject.has_vrg(&vrg.namespace, &vrg.name) => {
                vrgs.insert(vrg.clone(), (index, status));
            }
            _ => {}
        }
    }
    let record = |index: usize| subject.merged.name(index);
    let mut missing = Vec::new();
    for (index, status) in vrgs.values() {
        for pvc in &status.pvcs {
            let missed = |why: String| Unprotected { what: format!("claim {}", pvc.key), why, record: record(*index) };
            missing.extend(data(pvc).map(missed));
            missing.extend(objects(pvc).map(missed));
        }
    }
    let listed = |claim: &spoke::Key| vrgs.values().any(|(_, status)| status.pvcs.iter().any(|pvc| pvc.key == *claim));
    for (claim, index) in claims.iter().filter(|(claim, _)| !listed(claim)) {
        missing.push(Unprotected {
            what: format!("claim {claim}"),
            why: "it is in the application's namespace, but no VRG listed it as protected".to_owned(),
            record: record(*index),
        });
    }
    for (key, (index, spec)) in &specs {
        for (field, value) in &spec.unsupported {
            missing.push(Unprotected {
                what: format!("{field} of vrg {key}"),
                why: format!("it asks for what is not supported: {value}"),
                record: record(*index),
            });
        }
    }
    missing
}

/// Why a volume's data were not protected. While it replicates, `DataProtected` is false by design; what counts then is
/// that a synchronization was complete.
fn data(pvc: &spoke::ProtectedPvc) -> Option<String> {
    let Some(condition) = pvc.conditions.iter().find(|condition| condition.kind == "DataProtected") else {
        return Some("its VRG had not reported DataProtected".to_owned());
    };
    match (condition.status, condition.reason.as_str(), pvc.last_sync_time) {
        (ConditionStatus::True, ..) | (_, "Replicating", Some(_)) => None,
        (_, "Replicating", None) => Some("it replicated, but no synchronization had been complete".to_owned()),
        (status, ..) => Some(format!("DataProtected was {}: {}", status.as_str(), condition.message)),
    }
}

/// Why claim and volume could not have been restored elsewhere.
fn objects(pvc: &spoke::ProtectedPvc) -> Option<String> {
    let condition = pvc.conditions.iter().find(|condition| condition.kind == "ClusterDataProtected")?;
    (condition.status != ConditionStatus::True)
        .then(|| format!("ClusterDataProtected was {}: {}", condition.status.as_str(), condition.message))
}
