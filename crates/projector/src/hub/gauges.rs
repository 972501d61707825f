//! What Prometheus is told of policies and DRPCs: Ramen's gauges, names and labels as its dashboards and alerts know
//! them (spec drpc 9, hub 10). They show what is written in the objects, so they survive a restart and a takeover.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{annotation, condition, finalizer, label, state::Progression};
use ramen_events::hub::{DrpcFact, ObjectRef, PolicyFact};

use crate::{domain::Gauge, go_duration};

use super::{drpc::Counted, state::Hub};

/// All gauges.
pub fn of(hub: &Hub) -> Vec<Gauge> {
    let mut gauges = Vec::new();
    for policy in hub.policies.values() {
        gauges.extend(interval(policy));
    }
    for (key, fact) in &hub.drpcs {
        if is_shown(hub, key, fact) {
            drpc(hub, key, fact, &mut gauges);
        }
    }
    totals(hub, &mut gauges);
    gauges
}

fn gauge(name: &'static str, help: &'static str, labels: Vec<(&'static str, String)>, value: i64) -> Gauge {
    Gauge { name, help, labels, thousandths: value.saturating_mul(1000) }
}

/// Neither the DRPC nor its placement is on its way out, and the DRPC is ours.
fn is_shown(hub: &Hub, key: &ObjectRef, fact: &DrpcFact) -> bool {
    let placement = ObjectRef::new(&key.namespace, &fact.spec.placement);
    let placement = hub.placements.get(&placement).or_else(|| hub.rules.get(&placement));
    fact.meta.deleting.is_none()
        && placement.is_none_or(|placement| placement.meta.deleting.is_none())
        && fact.meta.has_finalizer(finalizer::DRPC)
}

fn drpc(hub: &Hub, key: &ObjectRef, fact: &DrpcFact, gauges: &mut Vec<Gauge>) {
    let status = &fact.status;
    let labels = |more: &[(&'static str, &str)]| {
        let mut labels = vec![
            ("obj_type", "DRPlacementControl".to_owned()),
            ("obj_name", key.name.clone()),
            ("obj_namespace", key.namespace.clone()),
        ];
        labels.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        labels
    };
    let is_true =
        |kind: &str| i64::from(status.condition(kind).is_some_and(|c| c.status == ramen_events::ConditionStatus::True));
    if let Some(policy) = hub.policies.get(&fact.spec.policy)
        && is_regional(policy)
        && policy.spec.interval != "0m"
    {
        let (name, interval) = (policy.meta.name.as_str(), policy.spec.interval.as_str());
        // The progression that a person has to end.
        let clean_up = Progression::WaitOnUserToCleanUp.as_str();
        let seconds = status.last_group_sync.map_or(0, |time| i64::try_from(time.0 / 1000).unwrap_or(i64::MAX));
        gauges.push(gauge(
            "last_sync_timestamp_seconds",
            "Timestamp of the last successful synchronization of all PVCs; 0 if there was none",
            labels(&[("policyname", name), ("scheduling_interval", interval)]),
            seconds,
        ));
        gauges.push(Gauge {
            name: "last_sync_duration_seconds",
            help: "Longest time taken by the last synchronization of a PVC",
            labels: labels(&[("scheduling_interval", interval)]),
            thousandths: status.last_group_sync_duration.as_deref().and_then(milliseconds).unwrap_or(0),
        });
        gauges.push(gauge(
            "last_sync_data_bytes",
            "Bytes transferred by the last synchronization of all PVCs",
            labels(&[("scheduling_interval", interval)]),
            status.last_group_sync_bytes.unwrap_or(0),
        ));
        gauges.push(gauge(
            "progression_state",
            "Whether the progression is this one",
            labels(&[("state", clean_up)]),
            i64::from(status.progression == clean_up),
        ));
    }
    gauges.push(gauge(
        "workload_protection_status",
        "Whether the workload is protected: 1 if it is, else 0",
        labels(&[]),
        is_true(condition::PROTECTED),
    ));
    gauges.push(gauge(
        "unsupported_consistency_grouping_enabled",
        "Whether consistency groups are asked for by annotation, which is not supported: 1 if so, else 0",
        labels(&[]),
        i64::from(fact.meta.annotation(annotation::IS_CG_ENABLED) == annotation::TRUE),
    ));
    if !fact.meta.label(label::GLOBAL_VGR).is_empty() && status.condition(condition::GLOBAL_ACTION).is_some() {
        gauges.push(gauge(
            "global_action_consensus_status",
            "Whether all DRPCs of the global group ask for the same action: 1 if so, else 0",
            labels(&[]),
            is_true(condition::GLOBAL_ACTION),
        ));
    }
}

/// How often a policy's volumes are to be synchronized.
fn interval(policy: &PolicyFact) -> Option<Gauge> {
    if policy.meta.deleting.is_some() || !is_regional(policy) {
        return None;
    }
    Some(gauge(
        "policy_schedule_interval_seconds",
        "Scheduling interval of the policy",
        vec![("policyname", policy.meta.name.clone())],
        seconds(&policy.spec.interval)?,
    ))
}

/// Counts over all objects; what there is none of is shown as 0.
fn totals(hub: &Hub, gauges: &mut Vec<Gauge>) {
    let mut types = BTreeMap::from([("metro", 0), ("regional", 0), ("unknown", 0)]);
    for policy in hub.policies.values() {
        *types.entry(kind(policy)).or_default() += 1;
    }
    let mut apps = BTreeMap::from([("discovered", 0), ("managed", 0)]);
    let mut actions = BTreeMap::from([("failover", 0), ("relocate", 0)]);
    for fact in hub.drpcs.values() {
        let method = if fact.spec.protected_namespaces.is_empty() { "managed" } else { "discovered" };
        *apps.entry(method).or_default() += 1;
        let counted = Counted::of(&fact.meta);
        for (action, count) in [("failover", counted.failover), ("relocate", counted.relocate)] {
            *actions.entry(action).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
        }
    }
    let mut show = |name, help, label, counts: BTreeMap<&'static str, i64>| {
        gauges.extend(counts.into_iter().map(|(of, count)| gauge(name, help, vec![(label, of.to_owned())], count)));
    };
    show("dr_policy_type", "Number of DRPolicies by type", "dr_type", types);
    show("dr_protected_apps", "Number of protected applications by management", "management_method", apps);
    show("dr_actions", "Number of DR actions that were carried out, as far as their DRPCs exist", "action", actions);
}

fn is_regional(policy: &PolicyFact) -> bool {
    kind(policy) == "regional"
}

/// Both clusters of a policy share their storage.
pub fn is_metro(policy: &PolicyFact) -> bool {
    kind(policy) == "metro"
}

/// What peer classes tell; without any, the interval (spec hub 1.4).
fn kind(policy: &PolicyFact) -> &'static str {
    let Some(seconds) = seconds(&policy.spec.interval) else { return "unknown" };
    let status = policy.status.as_ref();
    match status {
        Some(status) if !status.synchronous.is_empty() => "metro",
        Some(status) if !status.asynchronous.is_empty() => "regional",
        _ if seconds == 0 => "metro",
        _ => "regional",
    }
}

/// A scheduling interval such as `5m`, in seconds; none is 0.
fn seconds(interval: &str) -> Option<i64> {
    if interval.is_empty() {
        return Some(0);
    }
    let (number, unit) = interval.split_at_checked(interval.len() - 1)?;
    let unit = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok().filter(|number| *number >= 0)?.checked_mul(unit)
}

/// A duration as Go writes it, in milliseconds.
fn milliseconds(duration: &str) -> Option<i64> {
    i64::try_from(go_duration::nanoseconds(duration)? / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use ramen_events::{
        Condition, ConditionStatus, Time,
        hub::{Meta, PeerClass, PolicySpec, PolicyStatus},
    };
    use rstest::rstest;

    use super::*;

    fn policy(interval: &str) -> PolicyFact {
        PolicyFact {
            meta: Meta { name: "p".to_owned(), ..Meta::default() },
            spec: PolicySpec { interval: interval.to_owned(), ..PolicySpec::default() },
            status: None,
        }
    }

    fn protected() -> DrpcFact {
        let mut fact = DrpcFact::default();
        fact.meta.finalizers = vec![finalizer::DRPC.to_owned()];
        fact.meta.annotations =
            BTreeMap::from([(annotation::DR_ACTION_COUNT.to_owned(), r#"{"failover":2,"relocate":1}"#.to_owned())]);
        fact.spec.policy = "p".to_owned();
        fact.status.conditions = vec![Condition {
            kind: condition::PROTECTED.to_owned(),
            status: ConditionStatus::True,
            reason: String::new(),
            message: String::new(),
            generation: 1,
            since: Time(0),
        }];
        fact.status.last_group_sync = Some(Time(1_700_000_000_000));
        fact.status.last_group_sync_duration = Some("1m2.25s".to_owned());
        fact.status.last_group_sync_bytes = Some(4096);
        fact
    }

    fn hub(policy: PolicyFact, drpc: DrpcFact) -> Hub {
        let mut hub = Hub::default();
        hub.policies.insert("p".to_owned(), policy.into());
        hub.drpcs.insert(ObjectRef::new("apps", "a"), drpc.into());
        hub
    }

    fn shown(hub: &Hub) -> Vec<String> {
        of(hub)
            .iter()
            .map(|gauge| {
                let labels: Vec<_> = gauge.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {} {}", gauge.name, labels.join(","), gauge.thousandths)
            })
            .collect()
    }

    #[test]
    fn names_labels_and_values_are_those_that_alerts_know() {
        let of_drpc = "obj_type=DRPlacementControl,obj_name=a,obj_namespace=apps";
        assert_eq!(
            shown(&hub(policy("5m"), protected())),
            [
                "policy_schedule_interval_seconds policyname=p 300000".to_owned(),
                format!(
                    "last_sync_timestamp_seconds {of_drpc},policyname=p,scheduling_interval=5m {}",
                    1_700_000_000_000_i64
                ),
                format!("last_sync_duration_seconds {of_drpc},scheduling_interval=5m 62250"),
                format!("last_sync_data_bytes {of_drpc},scheduling_interval=5m 4096000"),
                format!("progression_state {of_drpc},state=WaitOnUserToCleanUp 0"),
                format!("workload_protection_status {of_drpc} 1000"),
                format!("unsupported_consistency_grouping_enabled {of_drpc} 0"),
                "dr_policy_type dr_type=metro 0".to_owned(),
                "dr_policy_type dr_type=regional 1000".to_owned(),
                "dr_policy_type dr_type=unknown 0".to_owned(),
                "dr_protected_apps management_method=discovered 0".to_owned(),
                "dr_protected_apps management_method=managed 1000".to_owned(),
                "dr_actions action=failover 2000".to_owned(),
                "dr_actions action=relocate 1000".to_owned(),
            ]
        );
    }

    #[test]
    fn what_is_on_its_way_out_is_only_counted() {
        let mut fact = protected();
        fact.meta.deleting = Some(Time(1));
        assert!(!shown(&hub(policy("5m"), fact)).iter().any(|line| line.contains("obj_name")));
    }

    #[test]
    fn metro_and_no_interval_have_no_times_of_synchronization() {
        let mut metro = policy("5m");
        let classes = vec![PeerClass::default()];
        metro.status = Some(PolicyStatus { synchronous: classes.clone(), ..PolicyStatus::default() });
        let mut zero = policy("0m");
        zero.status = Some(PolicyStatus { asynchronous: classes, ..PolicyStatus::default() });
        for policy in [metro, zero] {
            let lines = shown(&hub(policy, protected()));
            assert!(!lines.iter().any(|line| line.starts_with("last_sync") || line.starts_with("progression")));
            assert!(lines.iter().any(|line| line.starts_with("workload_protection_status")));
        }
        assert_eq!(kind(&policy("5 minutes")), "unknown");
    }

    #[rstest]
    #[case::seconds("2.345s", Some(2345))]
    #[case::mixed("1h2m3s", Some(3_723_000))]
    #[case::small("1.5ms", Some(1))]
    #[case::none("0s", Some(0))]
    #[case::no_unit("5", None)]
    #[case::words("soon", None)]
    fn durations_are_read_as_go_writes_them(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(milliseconds(text), expected);
    }
}
