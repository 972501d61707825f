//! Spec drpc 4.8, row by row.

use ramen_events::{
    Condition,
    ConditionStatus::{self, False, True, Unknown},
    Time,
};
use rstest::rstest;

use crate::{
    DECIDER_VERSION,
    hub::{
        drpc::{
            protected::{Fault, fault},
            vrg::{Presence, Vrg},
        },
        story::condition,
    },
};

fn vrg(role: &str) -> Vrg {
    let primary = role == "primary";
    let reasons: [(&str, ConditionStatus, &str); 5] = if primary {
        [
            ("DataReady", True, "Ready"),
            ("DataProtected", False, "Replicating"),
            ("ClusterDataReady", True, "Restored"),
            ("ClusterDataProtected", True, "Uploaded"),
            ("NoClusterDataConflict", True, "NoConflictDetected"),
        ]
    } else {
        [
            ("DataReady", True, "Unused"),
            ("DataProtected", True, "Unused"),
            ("ClusterDataReady", True, "Unused"),
            ("ClusterDataProtected", True, "Unused"),
            ("NoClusterDataConflict", True, "NoConflictDetected"),
        ]
    };
    Vrg {
        presence: Presence::Present,
        generation: 1,
        observed_generation: 1,
        replication_state: role.into(),
        state: if primary { "Primary" } else { "Secondary" }.into(),
        conditions: reasons.map(|(kind, status, reason)| condition(kind, status, reason)).into(),
        last_group_sync: (Some(Time(1)), None, None),
        ..Vrg::default()
    }
}

fn change(vrg: &mut Vrg, kind: &str, change: impl FnOnce(&mut Condition)) {
    change(vrg.conditions.iter_mut().find(|condition| condition.kind == kind).unwrap());
}

#[rstest]
#[case::all_good("primary", "", |_: &mut Vrg| {}, None)]
#[case::all_good_secondary("secondary", "", |_: &mut Vrg| {}, None)]
#[case::row1_hook("primary", "", |v: &mut Vrg| v.conditions.push(condition("HooksReady", False, "HookFailed")), Some((False, "Error")))]
#[case::row1_hook_not_run("primary", "", |v: &mut Vrg| v.conditions.push(condition("HooksReady", Unknown, "Initializing")), None)]
#[case::row2_restore("primary", "", |v: &mut Vrg| change(v, "ClusterDataReady", |c| (c.status, c.reason) = (False, "Progressing".into())), Some((False, "Progressing")))]
#[case::row2_restore_error("primary", "", |v: &mut Vrg| change(v, "ClusterDataReady", |c| (c.status, c.reason) = (False, "Error".into())), Some((False, "Error")))]
#[case::row2_not_for_secondary("secondary", "", |v: &mut Vrg| change(v, "ClusterDataReady", |c| c.status = False), None)]
#[case::row3p_ready("primary", "", |v: &mut Vrg| change(v, "DataReady", |c| c.status = Unknown), Some((Unknown, "Unknown")))]
#[case::row3p_stale("primary", "", |v: &mut Vrg| change(v, "DataReady", |c| c.generation = 0), Some((Unknown, "Unknown")))]
#[case::row3p_absent("primary", "", |v: &mut Vrg| v.conditions.retain(|c| c.kind != "DataReady"), Some((Unknown, "Unknown")))]
#[case::row3p_unprotected("primary", "", |v: &mut Vrg| change(v, "DataProtected", |c| c.reason = "Error".into()), Some((False, "Error")))]
#[case::row3s_absent("secondary", "", |v: &mut Vrg| v.conditions.retain(|c| !c.kind.starts_with("Data")), None)]
#[case::row3s_not_ready("secondary", "", |v: &mut Vrg| change(v, "DataReady", |c| (c.status, c.reason) = (False, "Progressing".into())), Some((False, "Progressing")))]
#[case::row3s_resync("secondary", "Failover", |v: &mut Vrg| change(v, "DataReady", |c| (c.status, c.reason) = (False, "Replicating".into())), None)]
#[case::row4_destination("primary", "", |v: &mut Vrg| v.conditions.push(condition("DestinationInfoAvailable", False, "Progressing")), Some((False, "Progressing")))]
#[case::row5_conflict("primary", "", |v: &mut Vrg| change(v, "NoClusterDataConflict", |c| (c.status, c.reason) = (False, "ClusterDataConflictPrimary".into())), Some((False, "Error")))]
#[case::row5_absent("primary", "", |v: &mut Vrg| v.conditions.retain(|c| c.kind != "NoClusterDataConflict"), Some((Unknown, "Unknown")))]
#[case::row6_state("primary", "", |v: &mut Vrg| v.state = "Unknown".into(), Some((False, "Progressing")))]
#[case::row6_no_sync("primary", "", |v: &mut Vrg| v.last_group_sync.0 = None, Some((False, "Progressing")))]
#[case::row7_upload("primary", "", |v: &mut Vrg| change(v, "ClusterDataProtected", |c| (c.status, c.reason) = (False, "UploadError".into())), Some((False, "Error")))]
#[case::row7_uploading("primary", "", |v: &mut Vrg| change(v, "ClusterDataProtected", |c| (c.status, c.reason) = (False, "Uploading".into())), Some((False, "Progressing")))]
#[case::row7_not_for_secondary("secondary", "", |v: &mut Vrg| change(v, "ClusterDataProtected", |c| c.status = False), None)]
fn protected_follows_the_table(
    #[case] role: &str,
    #[case] action: &str,
    #[case] spoil: fn(&mut Vrg),
    #[case] expected: Option<(ConditionStatus, &str)>,
) {
    let mut vrg = vrg(role);
    spoil(&mut vrg);
    let found = fault(&vrg, action, None, DECIDER_VERSION);
    assert_eq!(found.as_ref().map(|Fault { status, reason, .. }| (*status, *reason)), expected, "{found:?}");
    assert!(found.is_none_or(|fault| !fault.what.is_empty()), "a fault always has words");
}

#[test]
fn a_generation_that_was_not_looked_at_is_no_protection() {
    let mut vrg = vrg("secondary");
    vrg.conditions.retain(|condition| condition.kind == "NoClusterDataConflict");
    vrg.observed_generation = 0;
    let found = fault(&vrg, "", None, DECIDER_VERSION).unwrap();
    assert_eq!((found.status, found.reason, found.settling), (False, "Unknown", true), "row 6");
}

#[rstest]
#[case::row5_whoever_says_so(|_: &mut Vrg| {}, "c2")]
#[case::row5_goes_before_its_own(|v: &mut Vrg| v.conditions.retain(|c| c.kind != "NoClusterDataConflict"), "c2")]
#[case::rows_before_it(|v: &mut Vrg| change(v, "DataReady", |c| (c.status, c.reason) = (False, "Error".into())), "DataReady")]
#[case::rows_after_it(|v: &mut Vrg| v.last_group_sync.0 = None, "c2")]
fn a_conflict_elsewhere_stands_in_its_row(#[case] spoil: fn(&mut Vrg), #[case] words: &str) {
    let mut vrg = vrg("primary");
    spoil(&mut vrg);
    let elsewhere = Fault { status: False, reason: "Error", what: "c2 says so".into(), remedy: "", settling: false };
    let found = fault(&vrg, "", Some(elsewhere), DECIDER_VERSION).unwrap();
    assert!(found.what.contains(words), "{found:?}");
}

#[rstest]
#[case::now(|_: &mut Vrg| {}, true)]
#[case::there_is_none(|v: &mut Vrg| change(v, "NoClusterDataConflict", |c| c.status = True), false)]
#[case::nobody_knows(|v: &mut Vrg| change(v, "NoClusterDataConflict", |c| c.status = Unknown), false)]
#[case::of_an_earlier_role(|v: &mut Vrg| v.generation = 2, false)]
#[case::of_an_earlier_look(|v: &mut Vrg| (v.generation, v.observed_generation) = (2, 2), false)]
#[case::gone(|v: &mut Vrg| v.presence = Presence::Absent, false)]
fn a_conflict_counts_as_long_as_it_is_so(#[case] spoil: fn(&mut Vrg), #[case] counts: bool) {
    let mut vrg = vrg("secondary");
    change(&mut vrg, "NoClusterDataConflict", |c| {
        (c.status, c.reason) = (False, "ClusterDataConflictSecondary".into())
    });
    spoil(&mut vrg);
    assert_eq!(vrg.conflict().is_some(), counts);
}
