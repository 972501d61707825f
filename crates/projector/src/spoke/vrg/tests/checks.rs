//! What a VolumeReplication says (spec vrg 3.4.2).

use ramen_api::ramen::wire::condition::{COMPLETED, DEGRADED, RESYNCING, VALIDATED};
use ramen_events::{
    ConditionStatus::{False, True},
    spoke::{Role, VolumeReplication},
};
use rstest::rstest;

use super::lab::{replication, said};
use crate::spoke::vrg::replication_check::{Check, is_not_mirrored, primary, secondary};

fn set(vr: &mut VolumeReplication, kind: &str, status: ramen_events::ConditionStatus) {
    vr.conditions.retain(|condition| condition.kind != kind);
    vr.conditions.push(said(kind, status, "Reason", vr.generation));
}

fn waiting() -> Check {
    Check::Waiting(String::new())
}

fn failed() -> Check {
    Check::Failed(String::new())
}

/// Compares kinds of answers; words are for people.
fn is(found: &Check, wanted: &Check) -> bool {
    std::mem::discriminant(found) == std::mem::discriminant(wanted)
}

#[rstest]
#[case::promoted(|_: &mut VolumeReplication| {}, Check::Settled)]
#[case::status_is_of_an_older_spec(|vr: &mut VolumeReplication| vr.observed_generation = 1, waiting())]
#[case::verdict_is_of_an_older_spec(|vr: &mut VolumeReplication| vr.conditions[0].generation = 1, waiting())]
#[case::state_lags_behind(|vr: &mut VolumeReplication| vr.state = "Secondary".into(), waiting())]
#[case::not_promoted(|vr: &mut VolumeReplication| set(vr, COMPLETED, False), failed())]
#[case::nothing_said(|vr: &mut VolumeReplication| vr.conditions.clear(), waiting())]
#[case::not_valid(|vr: &mut VolumeReplication| { set(vr, COMPLETED, False); set(vr, VALIDATED, False); }, failed())]
#[case::v13_promoted_after_a_failed_validation(|vr: &mut VolumeReplication| set(vr, VALIDATED, False), Check::Settled)]
fn as_primary(#[case] change: fn(&mut VolumeReplication), #[case] wanted: Check) {
    let mut vr = replication("data", Role::Primary);
    change(&mut vr);
    let found = primary(&vr);
    assert!(is(&found, &wanted), "{found:?}");
}

#[rstest]
#[case::s_ok(|_: &mut VolumeReplication| {}, Check::Settled)]
#[case::resync_runs(|vr: &mut VolumeReplication| { set(vr, RESYNCING, True); set(vr, DEGRADED, True); }, Check::Resyncing)]
#[case::resync_of_a_healthy_volume(|vr: &mut VolumeReplication| set(vr, RESYNCING, True), failed())]
#[case::v34_just_demoted(|vr: &mut VolumeReplication| set(vr, DEGRADED, True), waiting())]
#[case::not_demoted(|vr: &mut VolumeReplication| set(vr, COMPLETED, False), failed())]
#[case::state_lags_behind(|vr: &mut VolumeReplication| vr.state = "Primary".into(), waiting())]
#[case::conditions_missing(|vr: &mut VolumeReplication| vr.conditions.truncate(1), waiting())]
#[case::status_is_of_an_older_spec(|vr: &mut VolumeReplication| vr.observed_generation = 1, waiting())]
#[case::degraded_is_of_an_older_spec(|vr: &mut VolumeReplication| vr.conditions[1].generation = 1, waiting())]
fn as_secondary(#[case] change: fn(&mut VolumeReplication), #[case] wanted: Check) {
    let mut vr = replication("data", Role::Secondary);
    change(&mut vr);
    let found = secondary(&vr);
    assert!(is(&found, &wanted), "{found:?}");
}

#[test]
fn a_failure_is_told_in_the_storages_words() {
    let mut vr = replication("data", Role::Primary);
    set(&mut vr, COMPLETED, False);
    set(&mut vr, VALIDATED, False);
    assert_eq!(primary(&vr), Check::Failed("Validated False".into()), "the cause, not its effect");
}

#[rstest]
#[case::simulated("volume is not mirrored", true)]
#[case::ceph_csi("mirroring is not enabled on 0001-0024-rook, image is in 2 Mode", true)]
#[case::ceph_csi_in_words("mirroring is not enabled on 0001-0024-rook, image is in disabled Mode", true)]
#[case::mirroring_is_being_ended("mirroring is not enabled on 0001-0024-rook, image is in 0 Mode", false)]
#[case::in_use("volume cannot be demoted: it is still in use", false)]
#[case::no_answer("storage of site c1 does not answer", false)]
#[case::no_words("", false)]
fn only_an_explicit_answer_says_that_a_volume_is_not_mirrored(#[case] message: &str, #[case] wanted: bool) {
    let mut vr = replication("data", Role::Secondary);
    set(&mut vr, COMPLETED, False);
    vr.conditions.iter_mut().for_each(|condition| condition.reason = "FailedToDemote".into());
    vr.message = message.into();
    assert_eq!(is_not_mirrored(&vr), wanted);
    vr.generation += 1;
    assert!(!is_not_mirrored(&vr), "an answer to an older question");
}
