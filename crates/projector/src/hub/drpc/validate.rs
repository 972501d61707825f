//! What has to be right before anything is done (spec drpc 2). Each row names field, value and remedy.

use ramen_api::ramen::wire::{PLACEMENT_RULE_SCHEDULER, annotation, condition, label, reason};
use ramen_events::{
    Condition, ConditionStatus,
    hub::{PlacementKind, PolicyFact},
};

use crate::ONE_RULE;

use super::{Drpc, action::Action};

/// The first version of the deciders that fails over under a policy that still asks a lost cluster.
const WITHOUT_PEER_SINCE: u32 = 3;

/// The first version of the deciders that goes on under a policy that is being deleted.
const GOES_ON_SINCE: u32 = 4;

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Reason of the wire for `Available`.
    pub reason: &'static str,
    /// Field, value and remedy.
    pub message: String,
}

fn error(message: impl Into<String>) -> Problem {
    Problem { reason: reason::ERROR, message: message.into() }
}

/// Something that this version does not do yet. It is never done silently in another way.
fn unsupported(field: &str, value: &str, remedy: &str) -> Problem {
    let message = format!("{field}: {value} is not supported yet by this version; {remedy}");
    Problem { reason: reason::VALIDATION_FAILED, message }
}

/// The first row that fires.
pub fn check(drpc: &Drpc) -> Result<(), Problem> {
    if !drpc.config_fault.is_empty() {
        return Err(error(&drpc.config_fault));
    }
    placement(drpc)?;
    namesake(drpc)?;
    supported(drpc)?;
    policy(drpc)?;
    clusters(drpc)
}

fn placement(drpc: &Drpc) -> Result<(), Problem> {
    let spec = &drpc.fact.spec;
    let own = &drpc.key.namespace;
    if !spec.placement_namespace.is_empty() && spec.placement_namespace != *own {
        return Err(error(format!(
            "spec.placementRef.namespace: {} must be empty or {own}, the namespace of the DRPlacementControl",
            spec.placement_namespace
        )));
    }
    let Some(placement) = &drpc.placement else {
        return Err(error(format!(
            "spec.placementRef.name: there is neither a Placement nor a PlacementRule {own}/{}; create it",
            spec.placement
        )));
    };
    if drpc.two_placements {
        return Err(error(format!(
            "spec.placementRef.name: there are a Placement and a PlacementRule {own}/{}; delete the one that is not \
             meant",
            spec.placement
        )));
    }
    match placement.kind {
        PlacementKind::Placement => {
            let disabled = placement.meta.annotations.get(annotation::SCHEDULING_DISABLED);
            if disabled.is_none_or(|value| value == "false") {
                return Err(error(format!(
                    "Placement {own}/{}: annotation {} is missing or false; set it to true, or OCM and the DR \
                     controller will both decide",
                    spec.placement,
                    annotation::SCHEDULING_DISABLED
                )));
            }
        }
        PlacementKind::Rule if placement.scheduler != PLACEMENT_RULE_SCHEDULER => {
            return Err(error(format!(
                "PlacementRule {own}/{}: spec.schedulerName: \"{}\" must be {PLACEMENT_RULE_SCHEDULER}",
                spec.placement, placement.scheduler
            )));
        }
        PlacementKind::Rule => {}
    }
    owner(drpc, placement)
}

/// One placement has one DRPlacementControl.
fn owner(drpc: &Drpc, placement: &ramen_events::hub::PlacementFact) -> Result<(), Problem> {
    let name = placement.meta.annotation(annotation::DRPC_NAME);
    let namespace = placement.meta.annotation(annotation::DRPC_NAMESPACE);
    if name.is_empty() || (name == drpc.key.name && (namespace.is_empty() || namespace == drpc.key.namespace)) {
        return Ok(());
    }
    Err(error(format!(
        "spec.placementRef.name: {} belongs to DRPlacementControl {namespace}/{name}, as its annotation {} says; use \
         another placement, or remove the annotations when that one is gone",
        placement.meta.name,
        annotation::DRPC_NAME
    )))
}

/// Two DRPCs that mean the same objects on clusters: the one that wrote them first goes on.
fn namesake(drpc: &Drpc) -> Result<(), Problem> {
    let Some(other) = &drpc.namesake else { return Ok(()) };
    Err(error(format!(
        "metadata.name: {} is also the name of DRPlacementControl {other}, which protects the same namespace {} and was \
         first: delete this one and make it again under another name",
        drpc.key.name, drpc.vrg_namespace
    )))
}

fn supported(drpc: &Drpc) -> Result<(), Problem> {
    let spec = &drpc.fact.spec;
    if !spec.protected_namespaces.is_empty() || (drpc.key.namespace == drpc.ops_namespace) {
        let value = format!("[{}]", spec.protected_namespaces.join(" "));
        let remedy = "protect applications that a Placement deploys, one DRPlacementControl each, outside the ops \
                      namespace";
        return Err(unsupported("spec.protectedNamespaces", &value, remedy));
    }
    if !spec.kube_object_protection.value().is_null() {
        let remedy = "remove it and let GitOps deploy the application's objects";
        return Err(unsupported("spec.kubeObjectProtection", "capture of API objects", remedy));
    }
    if spec.dry_run {
        return Err(unsupported("spec.dryRun", "true", "remove it: the failover would be a real one"));
    }
    let annotations = [
        (annotation::USE_VOLSYNC, "remove it; volumes are replicated by their storage"),
        (annotation::IS_CG_ENABLED, "remove it; volumes are replicated one by one"),
    ];
    for (key, remedy) in annotations {
        if drpc.fact.meta.annotation(key) == annotation::TRUE {
            return Err(unsupported(&format!("annotation {key}"), annotation::TRUE, remedy));
        }
    }
    let global = drpc.fact.meta.label(label::GLOBAL_VGR);
    if !global.is_empty() {
        return Err(unsupported(&format!("label {}", label::GLOBAL_VGR), global, "use storage classes of their own"));
    }
    Ok(())
}

/// The first version of the deciders that tells people not to delete a DRPC before its policy is there again.
const WARNS_SINCE: u32 = 4;

fn policy(drpc: &Drpc) -> Result<(), Problem> {
    let name = &drpc.fact.spec.policy;
    let Some(policy) = &drpc.policy else {
        let warning = if drpc.decider >= WARNS_SINCE {
            "; if the application was protected before, do that also before you delete this DRPlacementControl: without a \
             policy nobody knows where to look for what clusters and stores hold of it"
        } else {
            ""
        };
        return Err(error(format!("spec.drPolicyRef.name: there is no DRPolicy {name}; create it{warning}")));
    };
    let deleting = policy.meta.deleting.is_some();
    if deleting && !goes_on(drpc) {
        let remedy = if drpc.decider >= GOES_ON_SINCE {
            "delete this DRPlacementControl and make it again under another one"
        } else {
            "use another one"
        };
        return Err(error(format!("spec.drPolicyRef.name: DRPolicy {name} is being deleted; {remedy}")));
    }
    let status = policy.status.clone().unwrap_or_default();
    let validated = validated(policy);
    let unavailable = deleting || validated.is_some_and(|told| told.reason == reason::DR_CLUSTERS_UNAVAILABLE);
    if validated.is_none_or(|c| c.status != ConditionStatus::True)
        && !may_fail_over(drpc, validated)
        && !(unavailable && goes_on(drpc))
    {
        let said = validated.map(|c| format!(" ({}: {})", c.reason, c.message)).unwrap_or_default();
        return Err(error(format!(
            "spec.drPolicyRef.name: DRPolicy {name} is not valid{said}; correct it, or wait if it is new"
        )));
    }
    if !status.synchronous.is_empty() || policy.spec.interval.is_empty() {
        let remedy = "use a policy whose clusters have storage of their own, with a schedulingInterval";
        return Err(unsupported("spec.drPolicyRef.name", &format!("{name}, a policy for shared storage,"), remedy));
    }
    if drpc.decider >= CLASSES_SINCE
        && status.asynchronous.is_empty()
        && drpc.fact.spec.action.is_empty()
        && drpc.sites.iter().all(|site| site.wished().is_none())
    {
        let set = format!("set label {} of the application's storage class on each of them", label::STORAGE_ID);
        let why = left_out(drpc, validated).unwrap_or(set);
        return Err(error(format!(
            "spec.drPolicyRef.name: DRPolicy {name} publishes no storage class that its clusters have in common any more; {why}"
        )));
    }
    Ok(())
}

/// What a valid policy says of storage classes that it leaves out; `None` when it says nothing.
fn left_out(drpc: &Drpc, validated: Option<&Condition>) -> Option<String> {
    let told = validated.filter(|_| drpc.decider >= ONE_RULE)?;
    let words: Vec<&str> = told.message.split("; ").filter(|part| part.contains(" is left out: ")).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// The first version of the deciders that begins no protection under a policy whose classes were all withdrawn: a cluster that
/// is not told which of its classes belongs to the other's would guess (H21). What was protected before knows it.
const CLASSES_SINCE: u32 = 7;

/// What was protected under a policy goes on when the policy is deleted, or none of its clusters is valid any more: the
/// policy stays for it until it is unprotected, and an application in the middle of a move, or one that has just lost its
/// cluster, must not wait for somebody to tidy up. Each step finds out for itself whether what it needs is there.
fn goes_on(drpc: &Drpc) -> bool {
    drpc.decider >= GOES_ON_SINCE && drpc.sites.iter().any(|site| site.wished().is_some())
}

/// What a policy says of whether it can be used.
fn validated(policy: &PolicyFact) -> Option<&Condition> {
    policy.status.as_ref()?.conditions.iter().find(|c| c.kind == condition::VALIDATED)
}

/// The policy is there, and nobody knows yet whether it can be used.
pub fn policy_is_looked_at(drpc: &Drpc) -> bool {
    let policy = drpc.policy.as_ref().filter(|policy| policy.meta.deleting.is_none());
    policy.is_some_and(|policy| validated(policy).is_none_or(|told| told.status == ConditionStatus::Unknown))
}

/// A failover goes on without an answer from the cluster that was lost. A policy that is new on this hub, since the hub was
/// rebuilt meanwhile, has none yet and learns from both of its clusters what they share; but the replica that takes over
/// was given that long ago.
fn may_fail_over(drpc: &Drpc, validated: Option<&Condition>) -> bool {
    let asking = validated.is_some_and(|c| c.status == ConditionStatus::Unknown && c.reason == reason::INITIALIZING);
    drpc.decider >= WITHOUT_PEER_SINCE
        && asking
        && drpc.action() == Action::Failover
        && drpc.listed_sites().iter().any(|site| site.lost)
}

fn clusters(drpc: &Drpc) -> Result<(), Problem> {
    if let Some(site) = drpc.listed_sites().iter().find(|site| !site.has_cluster) {
        return Err(error(format!(
            "DRPolicy {}: spec.drClusters: failed to get drclusters: DRCluster {} is not there; create it",
            drpc.fact.spec.policy, site.name
        )));
    }
    let spec = &drpc.fact.spec;
    let fields: &[(&str, &String)] = match drpc.action() {
        Action::Failover => &[("spec.failoverCluster", &spec.failover)],
        Action::Relocate => &[("spec.preferredCluster", &spec.preferred)],
        Action::Deploy => &[("spec.preferredCluster", &spec.preferred)],
    };
    let names: Vec<&str> = drpc.listed_sites().iter().map(|site| site.name.as_str()).collect();
    for (field, value) in fields {
        if !names.contains(&value.as_str()) {
            return Err(error(format!(
                "{field}: \"{value}\" is not a cluster of DRPolicy {}; name one of {}",
                spec.policy,
                names.join(", ")
            )));
        }
    }
    Ok(())
}
