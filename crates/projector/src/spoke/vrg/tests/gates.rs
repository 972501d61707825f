//! When a volume is demoted, let go, promoted (spec vrg 3.2, 5.2, 6).

use ramen_api::ramen::wire::{
    annotation::RESTORED,
    condition::{COMPLETED, DEGRADED, RESYNCING},
};
use ramen_events::{
    ConditionStatus::{False, True},
    Kind,
    spoke::{Attachment, Command, Fact, Pod, Role, VolumeReplication},
};
use rstest::rstest;

use super::lab::{Lab, NOW, config, key, pv, replication, said};

fn pod(finished: bool) -> Fact {
    Fact::Pod(Pod { key: key("pod"), claims: vec!["data".into()], finished })
}

fn attachment() -> Fact {
    Fact::Attachment(Attachment { name: "a".into(), volume: "pv-data".into(), node: "node-1".into() })
}

#[rstest]
#[case::relocate_claim_stays("Relocate", false, None, "the claim to be deleted")]
#[case::no_action_claim_stays("", false, None, "the claim to be deleted")]
#[case::relocate_pod_runs("Relocate", true, Some(pod(false)), "pod pod to stop using it")]
#[case::failover_pod_runs("Failover", false, Some(pod(false)), "pod pod to stop using it")]
#[case::failover_attached("Failover", false, Some(attachment()), "detached from node node-1")]
#[case::relocate_attached("Relocate", true, Some(attachment()), "detached from node node-1")]
fn a_volume_in_use_is_not_demoted(
    #[case] action: &str,
    #[case] deleted: bool,
    #[case] user: Option<Fact>,
    #[case] words: &str,
) {
    let mut lab = Lab::new(Role::Secondary, action);
    lab.change_pvc(|pvc| pvc.deleted_at = deleted.then_some(1));
    user.into_iter().for_each(|fact| lab.learn(fact));
    assert_eq!(lab.wanted_role(), None);
    assert!(lab.wait().contains(words), "{}", lab.wait());
}

#[rstest]
#[case::relocate("Relocate", true, None, false)]
#[case::failover_claim_stays("Failover", false, None, true)]
#[case::pod_has_ended("Failover", false, Some(pod(true)), true)]
fn a_free_volume_is_demoted(
    #[case] action: &str,
    #[case] deleted: bool,
    #[case] user: Option<Fact>,
    #[case] auto_resync: bool,
) {
    let mut lab = Lab::new(Role::Secondary, action);
    lab.change_pvc(|pvc| pvc.deleted_at = deleted.then_some(1));
    user.into_iter().for_each(|fact| lab.learn(fact));
    assert_eq!(lab.wanted_role(), Some((Role::Secondary, auto_resync)));
    assert!(!lab.names().contains(&"ReleaseVolume"));
}

fn secondary(auto_resync: bool, change: impl FnOnce(&mut VolumeReplication)) -> Fact {
    let mut vr = VolumeReplication { auto_resync, ..replication("data", Role::Secondary) };
    change(&mut vr);
    Fact::VolumeReplication(Box::new(vr))
}

fn resyncing(vr: &mut VolumeReplication) {
    vr.conditions.truncate(1);
    vr.conditions.push(said(DEGRADED, True, "VolumeDegraded", 2));
    vr.conditions.push(said(RESYNCING, True, "ResyncTriggered", 2));
}

#[rstest]
#[case::relocate_handed_over("Relocate", false, |_: &mut VolumeReplication| {}, true)]
#[case::v11_relocate_resyncs("Relocate", false, resyncing, false)]
#[case::failover_resyncs("Failover", true, resyncing, true)]
#[case::failover_failed("Failover", true, |vr: &mut VolumeReplication| {
    vr.conditions = vec![said(COMPLETED, False, "FailedToDemote", 2)];
}, false)]
fn a_replication_ends_only_with_proof(
    #[case] action: &str,
    #[case] auto_resync: bool,
    #[case] change: fn(&mut VolumeReplication),
    #[case] ends: bool,
) {
    let mut lab = Lab::new(Role::Secondary, action);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(secondary(auto_resync, change));
    assert_eq!(lab.names(), if ends { vec!["DeleteReplication"] } else { vec![] });
}

#[rstest]
#[case::of_a_failover("Failover", true, true)]
#[case::its_claim_stays("Failover", false, false)]
#[case::its_data_count("Relocate", true, false)]
fn a_volume_that_storage_may_have_lost_can_be_let_go_by_hand(
    #[case] action: &str,
    #[case] deleting: bool,
    #[case] advised: bool,
) {
    let mut lab = Lab::new(Role::Secondary, action);
    lab.change_pvc(|pvc| pvc.deleted_at = deleting.then_some(1));
    lab.learn(secondary(action == "Failover", demotion_failed));
    assert_eq!(lab.wait().contains("take finalizer"), advised, "{}", lab.wait());
}

#[test]
fn a_relocation_that_becomes_a_failover_lets_the_storage_resync() {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(secondary(false, |vr| vr.conditions = vec![said(COMPLETED, False, "FailedToResync", 2)]));
    assert_eq!(lab.wanted_role(), None);
    lab.change_vrg(|vrg| vrg.spec.action = "Failover".into());
    assert_eq!(lab.wanted_role(), Some((Role::Secondary, true)));
}

#[rstest]
#[case::handed_over(|_: &mut VolumeReplication| {}, &["ReleaseVolume"])]
#[case::v3_no_proof(|vr: &mut VolumeReplication| vr.role = Some(Role::Primary), &["ApplyReplication"])]
#[case::v3_demoted_but_not_handed_over(|vr: &mut VolumeReplication| {
    vr.conditions[1] = said(DEGRADED, True, "VolumeDegraded", 2);
}, &["ApplyReplication"])]
fn a_claim_without_replication_is_let_go_only_with_proof(
    #[case] change: fn(&mut VolumeReplication),
    #[case] wanted: &[&str],
) {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(secondary(false, change));
    // Its deletion is a change of its spec: what it says afterwards proves nothing.
    lab.learn(secondary(false, |vr| {
        change(vr);
        vr.deleting = true;
        vr.generation += 1;
    }));
    lab.lose(Kind::VolumeReplication, "data");
    assert_eq!(lab.names(), wanted);
}

#[test]
fn the_loser_of_a_failover_asks_for_no_replication_of_a_claim_that_is_going() {
    let mut lab = Lab::new(Role::Secondary, "Failover");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(secondary(true, |vr| vr.conditions = vec![said(COMPLETED, False, "FailedToResync", 2)]));
    lab.lose(Kind::VolumeReplication, "data");
    assert_eq!(lab.names(), ["ReleaseVolume"], "csi-addons would not look at it (spec vrg 10.2)");
    assert_eq!(policy_is_restored(&lab), Some(false), "nothing proves that the other side has its data: it is kept");
}

#[rstest]
#[case::failover("Failover", &["ReleaseVolume"])]
#[case::v3_its_data_count("Relocate", &["ApplyReplication"])]
fn a_claim_that_was_deleted_on_the_primary_is_let_go_by_a_failover(#[case] action: &str, #[case] wanted: &[&str]) {
    let mut lab = Lab::new(Role::Primary, "");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    let going = VolumeReplication { deleting: true, generation: 3, ..replication("data", Role::Primary) };
    lab.learn(Fact::VolumeReplication(Box::new(going)));
    lab.change_vrg(|vrg| {
        vrg.spec.role = Some(Role::Secondary);
        vrg.spec.action = action.into();
    });
    lab.lose(Kind::VolumeReplication, "data");
    assert_eq!(lab.names(), wanted);
}

#[test]
fn a_replica_that_follows_a_primary_of_which_it_was_not_told_goes_with_its_group() {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(secondary(false, resyncing));
    assert_eq!(lab.names(), Vec::<&str>::new(), "V11");
    lab.change_vrg(|vrg| vrg.deleting = true);
    assert_eq!(lab.names(), ["DeleteReplication"]);
}

#[test]
fn a_replication_that_does_not_go_is_told_of_with_what_a_person_can_do() {
    let mut lab = Lab::new(Role::Secondary, "Failover");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000));
    lab.learn(secondary(true, |vr| {
        resyncing(vr);
        vr.deleting = true;
    }));
    assert_eq!(lab.wait(), "claim data: its VolumeReplication to be gone");
    let later = lab.decide_after(300, &lab.decide().position.unwrap()).position.unwrap().wait.unwrap();
    let remedy = "or could not be reached meanwhile, the storage here never lets go of it: take the finalizers off the \
                  VolumeReplication, then finalizer replication.storage.openshift.io/pvc-protection off the claim";
    assert!(later.what.ends_with(remedy), "{}", later.what);
}

#[rstest]
#[case::a_replication_that_does_not_go(true, resyncing as Change)]
#[case::one_that_cannot_be_demoted(false, demotion_failed as Change)]
fn a_replication_without_its_class_is_not_called_lost(#[case] going: bool, #[case] change: Change) {
    let mut lab = Lab::new(Role::Secondary, "Failover");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000));
    lab.learn(secondary(true, |vr| {
        change(vr);
        vr.deleting = going;
    }));
    lab.spoke.replication_classes.clear();
    let later = lab.decide_after(300, &lab.decide().position.unwrap()).position.unwrap().wait.unwrap();
    assert!(later.what.ends_with("; create VolumeReplicationClass vrc again on this cluster"), "{}", later.what);
    assert!(!later.what.contains("finalizer"), "{}", later.what);
}

type Change = fn(&mut VolumeReplication);

fn as_it_is(_: &mut VolumeReplication) {}

fn demotion_failed(vr: &mut VolumeReplication) {
    vr.conditions = vec![said(COMPLETED, False, "FailedToDemote", 2)];
}

fn is_lost(vr: &mut VolumeReplication) {
    vr.conditions = vec![said(COMPLETED, False, "FailedToDemote", 2)];
    vr.message = "volume not found".into();
}

fn not_mirrored(vr: &mut VolumeReplication) {
    vr.conditions = vec![said(COMPLETED, False, "FailedToDemote", 2)];
    vr.message = "volume is not mirrored".into();
}

fn went_different_ways(vr: &mut VolumeReplication) {
    vr.conditions = vec![said(COMPLETED, False, "FailedToResync", 2)];
    vr.message = "no local sync information: the copies went different ways".into();
}

/// Whether the volume gets back the policy that it had, with the command that lets its claim go.
fn policy_is_restored(lab: &Lab) -> Option<bool> {
    lab.commands().into_iter().find_map(|command| match command {
        Command::ReleaseVolume { restore_policy, .. } => Some(restore_policy),
        _ => None,
    })
}

#[test]
fn a_volume_that_was_never_mirrored_is_kept_and_told_of() {
    let mut lab = Lab::new(Role::Secondary, "Failover");
    lab.learn(secondary(true, not_mirrored));
    assert_eq!(lab.names(), ["DeleteReplication"]);
    let told = lab.commands().into_iter().find_map(|command| match command {
        Command::WriteVrgStatus { notices, .. } => notices.first().map(|notice| notice.message.clone()),
        _ => None,
    });
    assert!(told.as_deref().is_some_and(|told| told.contains("volume pv-data was never replicated")), "{told:?}");
    lab.learn(secondary(true, |vr| {
        not_mirrored(vr);
        vr.deleting = true;
        vr.generation += 1;
    }));
    lab.lose(Kind::VolumeReplication, "data");
    assert_eq!(policy_is_restored(&lab), Some(false));
}

#[rstest]
#[case::handed_over(Some(as_it_is as Change), true)]
#[case::never_mirrored(Some(not_mirrored as Change), false)]
#[case::demotion_failed(Some(demotion_failed as Change), false)]
#[case::nothing_is_known(None, false)]
fn a_secondary_that_is_deleted_keeps_volumes_without_proof(#[case] last: Option<Change>, #[case] restored: bool) {
    let mut lab = Lab::new(Role::Primary, "");
    if last.is_none() {
        lab.lose(Kind::VolumeReplication, "data"); // as primary, where no proof is kept
    }
    lab.change_vrg(|vrg| {
        vrg.spec.role = Some(Role::Secondary);
        vrg.deleting = true;
    });
    if let Some(change) = last {
        lab.learn(secondary(false, change));
        lab.lose(Kind::VolumeReplication, "data");
    }
    assert_eq!(policy_is_restored(&lab), Some(restored));
}

#[test]
fn a_failover_back_does_not_wait_for_a_cluster_that_is_lost() {
    let mut lab = Lab::new(Role::Primary, "Failover");
    lab.change_vrg(|vrg| vrg.status = None);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    let demoted = |vr: &mut VolumeReplication| vr.conditions[1] = said(DEGRADED, True, "VolumeDegraded", 2);
    lab.learn(secondary(false, demoted));
    assert_eq!(lab.wanted_role(), Some((Role::Primary, false)), "the data here goes on");
    lab.learn(Fact::VolumeReplication(Box::new(replication("data", Role::Primary))));
    assert!(lab.names().contains(&"DeleteReplication"), "{:?}", lab.names());
    lab.lose(Kind::VolumeReplication, "data");
    assert_eq!(policy_is_restored(&lab), Some(false));
}

#[test]
fn a_claim_that_we_do_not_hold_holds_nothing_up() {
    let mut lab = Lab::new(Role::Secondary, "Failover");
    lab.lose(Kind::VolumeReplication, "data");
    lab.change_pvc(|pvc| {
        pvc.finalizers.clear();
        pvc.annotations.clear();
    });
    assert_eq!((lab.names(), lab.wait()), (vec![], String::new()));
}

#[rstest]
#[case::not_restored(|lab: &mut Lab| lab.change_vrg(|vrg| vrg.status = None), false)]
#[case::claim_not_bound(|lab: &mut Lab| lab.change_pvc(|pvc| pvc.bound = false), false)]
#[case::volume_is_bound_to_another(|lab: &mut Lab| {
    let mut volume = pv("data");
    volume.claim = volume.claim.map(|claim| ramen_events::spoke::ClaimRef { uid: "former".into(), ..claim });
    lab.learn(Fact::Pv(Box::new(volume)));
}, false)]
#[case::volume_would_not_outlive_its_claim(|lab: &mut Lab| {
    let mut volume = pv("data");
    volume.reclaim_policy = "Delete".into();
    lab.learn(Fact::Pv(Box::new(volume)));
}, false)]
#[case::v4_finalizer_is_missing(|lab: &mut Lab| lab.change_pvc(|pvc| pvc.finalizers.clear()), false)]
#[case::all_in_place(|_: &mut Lab| {}, true)]
fn no_volume_is_promoted_before_everything_is_in_place(#[case] change: fn(&mut Lab), #[case] promoted: bool) {
    let mut lab = Lab::new(Role::Primary, "Failover");
    lab.lose(Kind::VolumeReplication, "data");
    change(&mut lab);
    assert_eq!(lab.wanted_role(), promoted.then_some((Role::Primary, false)));
}

#[test]
fn a_claim_of_another_vrg_is_left_alone() {
    let mut lab = Lab::new(Role::Primary, "");
    let owner = ramen_api::ramen::wire::label::OWNER_NAME;
    lab.change_pvc(|pvc| {
        pvc.labels.insert(owner.into(), "other".into());
        pvc.finalizers.clear();
    });
    lab.lose(Kind::VolumeReplication, "data");
    assert!(!lab.names().iter().any(|name| ["ProtectVolume", "ApplyReplication", "Upload"].contains(name)));
    assert!(lab.wait().contains("VRG app/other"), "{}", lab.wait());
}

#[rstest]
#[case::primary_settled(Role::Primary, |_: &mut VolumeReplication| {}, &["DeleteReplication"])]
#[case::primary_not_promoted(Role::Primary, |vr: &mut VolumeReplication| {
    vr.conditions = vec![said(COMPLETED, False, "FailedToPromote", 2)];
}, &[])]
#[case::primary_not_valid(Role::Primary, |vr: &mut VolumeReplication| {
    vr.conditions = vec![said(COMPLETED, False, "FailedToPromote", 2), said("Validated", False, "PrerequisiteNotMet", 2)];
}, &["DeleteReplication"])]
#[case::primary_that_was_secondary(Role::Primary, |vr: &mut VolumeReplication| {
    *vr = replication("data", Role::Secondary);
}, &["ApplyReplication"])]
#[case::secondary_never_mirrored(Role::Secondary, not_mirrored, &["DeleteReplication"])]
#[case::secondary_lost_a_failover(Role::Secondary, went_different_ways, &["ApplyReplication"])]
#[case::secondary_settled(Role::Secondary, |_: &mut VolumeReplication| {}, &["DeleteReplication"])]
#[case::v6_secondary_not_ready(Role::Secondary, |vr: &mut VolumeReplication| {
    vr.conditions = vec![said(COMPLETED, False, "FailedToDemote", 2)];
}, &[])]
#[case::secondary_that_its_storage_lost(Role::Secondary, is_lost, &["DeleteReplication"])]
#[case::primary_that_its_storage_lost(Role::Primary, is_lost, &["DeleteReplication"])]
fn deletion_lets_a_volume_go_when_the_storage_is_ready(
    #[case] role: Role,
    #[case] change: fn(&mut VolumeReplication),
    #[case] wanted: &[&str],
) {
    let mut lab = Lab::new(role, "");
    let mut vr = replication("data", role);
    change(&mut vr);
    lab.learn(Fact::VolumeReplication(Box::new(vr)));
    lab.change_vrg(|vrg| vrg.deleting = true);
    assert_eq!(lab.names(), wanted);
}

#[rstest]
#[case::claim_stays(Role::Primary, None, true)]
#[case::claim_goes_too(Role::Primary, Some(1), false)]
#[case::nobody_proved_that_its_data_are_elsewhere(Role::Secondary, Some(1), false)]
fn a_claim_that_goes_with_its_primary_leaves_the_volume(
    #[case] role: Role,
    #[case] deleted: Option<u64>,
    #[case] restored: bool,
) {
    let mut lab = Lab::new(role, "Relocate");
    lab.lose(Kind::VolumeReplication, "data");
    lab.change_pvc(|pvc| pvc.deleted_at = deleted);
    lab.change_vrg(|vrg| vrg.deleting = true);
    let policy = lab.commands().into_iter().find_map(|command| match command {
        ramen_events::spoke::Command::ReleaseVolume { restore_policy, .. } => Some(restore_policy),
        _ => None,
    });
    assert_eq!(policy, Some(restored));
}

#[rstest]
#[case::handed_over(secondary(false, |_| {}), &["DeleteReplication"])]
#[case::never_demoted(Fact::VolumeReplication(Box::new(replication("data", Role::Primary))), &["ApplyReplication"])]
fn a_claim_of_before_gives_way_to_the_restore_with_proof(#[case] replication: Fact, #[case] wanted: &[&str]) {
    let mut lab = Lab::new(Role::Primary, "Relocate");
    lab.change_vrg(|vrg| vrg.status = None);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(replication);
    let names: Vec<&str> = lab.names().into_iter().filter(|name| *name != "FetchStored").collect();
    assert_eq!(names, wanted);
    assert!(matches!(lab.wanted_role(), None | Some((Role::Secondary, _))), "never primary while it goes");
}

/// A primary that was secondary until now, and has a claim of then that is on its way out.
fn with_claim_of_before(action: &str, deleted: u64, replication: Fact) -> Lab {
    let mut lab = Lab::new(Role::Primary, action);
    lab.change_vrg(|vrg| vrg.status = None);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(deleted));
    lab.learn(replication);
    lab
}

#[rstest]
#[case::the_other_side_has_its_data("Failover", |_: &mut VolumeReplication| {}, None)]
#[case::it_follows_nobody("Failover", resyncing, Some((Role::Primary, false)))]
#[case::a_relocation_waits_for_the_other_side("Relocate", resyncing, None)]
fn a_claim_of_before_that_synchronizes_is_promoted_where_a_failover_leaves_nobody_to_follow(
    #[case] action: &str,
    #[case] change: fn(&mut VolumeReplication),
    #[case] role: Option<(Role, bool)>,
) {
    let lab = with_claim_of_before(action, 1, secondary(false, change));
    assert_eq!(lab.wanted_role(), role);
}

#[rstest]
#[case::its_new_role_may_be_on_its_way(9, &[])]
#[case::nobody_asked_it_to_step_down(11, &["DeleteReplication"])]
fn a_claim_that_a_primary_loses_while_it_restores_is_let_go_after_a_moment(
    #[case] seconds: u64,
    #[case] wanted: &[&str],
) {
    let primary = Fact::VolumeReplication(Box::new(replication("data", Role::Primary)));
    let lab = with_claim_of_before("Failover", NOW.0 / 1000 - seconds, primary);
    let names: Vec<&str> = lab.names().into_iter().filter(|name| *name != "FetchStored").collect();
    assert_eq!(names, wanted);
}

const LETS_GO: &str = "delete its VolumeReplication, and take the finalizers off it";

#[rstest]
#[case::it_may_be_copied_still(60, false)]
#[case::it_is_never_copied(301, true)]
fn what_to_do_about_a_claim_whose_volume_is_gone_on_the_other_side_is_said_after_a_while(
    #[case] seconds: u64,
    #[case] said_by_now: bool,
) {
    let mut vr = replication("data", Role::Primary);
    vr.conditions = vec![said(COMPLETED, False, "FailedToPromote", 2)];
    "volume is being copied".clone_into(&mut vr.message);
    let mut lab = Lab::new(Role::Primary, "Failover");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - seconds));
    lab.learn(Fact::VolumeReplication(Box::new(vr)));
    for command in lab.commands().iter().filter(|command| matches!(command, Command::DeleteStored { .. })) {
        lab.done(command);
    }
    assert_eq!(lab.wait().contains(LETS_GO), said_by_now, "{}", lab.wait());

    let mut lab = Lab::new(Role::Secondary, "Failover");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - seconds));
    lab.learn(secondary(true, |vr| vr.conditions[1] = said(DEGRADED, True, "VolumeDegraded", 2)));
    assert_eq!(lab.wait().contains(LETS_GO), said_by_now, "{}", lab.wait());
}

#[rstest]
#[case::deselected(|lab: &mut Lab| lab.change_vrg(deselect), true)]
#[case::deselected_in_a_final_sync(|lab: &mut Lab| lab.change_vrg(|vrg| { deselect(vrg); vrg.spec.run_final_sync = true; }), false)]
#[case::v31_just_deleted(|lab: &mut Lab| lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - 1)), false)]
#[case::deleted_a_while_ago(|lab: &mut Lab| lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - 60)), true)]
#[case::deleted_but_in_use(|lab: &mut Lab| {
    lab.change_pvc(|pvc| pvc.deleted_at = Some(1));
    lab.learn(pod(false));
}, false)]
#[case::turned_off(|lab: &mut Lab| {
    lab.change_vrg(deselect);
    let mut config = config(&["s3-1", "s3-2"]);
    config.unprotect_volumes = false;
    lab.learn(Fact::Config(config));
}, false)]
fn copies_are_deleted_only_when_a_user_meant_it(#[case] change: fn(&mut Lab), #[case] deleted: bool) {
    let mut lab = Lab::new(Role::Primary, "");
    change(&mut lab);
    assert_eq!(lab.names().iter().filter(|name| **name == "DeleteStored").count(), if deleted { 2 } else { 0 });
}

fn deselect(vrg: &mut ramen_events::spoke::Vrg) {
    vrg.spec.selector.labels.insert("app".into(), "another".into());
}

#[rstest]
#[case::restored_volume_is_bound(|_: &mut Lab| {}, true)]
#[case::not_restored(|lab: &mut Lab| lab.change_pvc(|pvc| pvc.annotations.clear()), false)]
#[case::volume_is_not_bound_either(|lab: &mut Lab| {
    lab.learn(Fact::Pv(Box::new(ramen_events::spoke::Pv { phase: ramen_events::spoke::PvPhase::Available, ..pv("data") })));
}, false)]
fn a_binding_that_got_stuck_half_way_is_helped_on_after_a_while(#[case] change: fn(&mut Lab), #[case] helped: bool) {
    let mut lab = Lab::new(Role::Primary, "Failover");
    lab.lose(Kind::VolumeReplication, "data");
    lab.change_pvc(|pvc| {
        pvc.bound = false;
        pvc.annotations.insert(ramen_api::ramen::wire::annotation::RESTORED.into(), "True".into());
    });
    change(&mut lab);
    let helps = |decision: &crate::domain::Decision| {
        decision.commands.iter().filter(|wanted| wanted.command.name() == "CompleteBinding").count()
    };
    assert_eq!(helps(&lab.decide()), 0, "the volume controller is given a moment");
    assert_eq!(helps(&lab.decide_later()), usize::from(helped));
}

#[test]
fn a_claim_that_is_being_restored_is_left_alone_by_a_secondary_for_a_while() {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    lab.lose(Kind::VolumeReplication, "data");
    lab.change_pvc(|pvc| {
        pvc.bound = false;
        pvc.annotations.insert(RESTORED.into(), "True".into());
    });
    assert_eq!(lab.names(), Vec::<&str>::new(), "whoever restored it knows of a promotion, which is news here");
    let position = lab.decide().position.expect("it stands at a step");
    let names = |decision: crate::domain::Decision| {
        decision.commands.iter().map(|wanted| wanted.command.name()).collect::<Vec<_>>()
    };
    assert!(!names(lab.decide_after(9, &position)).contains(&"ReleaseVolume"));
    assert!(names(lab.decide_after(11, &position)).contains(&"ReleaseVolume"));
}
