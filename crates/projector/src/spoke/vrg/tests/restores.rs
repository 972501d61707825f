//! What is restored, from which store, and what may be in the way (spec vrg 4).

use ramen_api::ramen::wire::annotation::{RESTORED, RESTORED_TRUE};
use ramen_events::{
    Command as AnyCommand, Kind, Outcome, Time,
    spoke::{ClaimRef, Command, Fact, Pv, PvPhase, Role, StoredSet},
};
use rstest::rstest;

use super::lab::{Lab, NOW, key, pv, pvc, stored, stored_volume};
use crate::spoke::vrg::runbooks::{
    placing::{Acceptance, accept},
    restore::pairs,
};

/// A VRG that just became primary on a cluster where nothing of it is.
fn fresh(action: &str) -> Lab {
    let mut lab = Lab::new(Role::Primary, action);
    lab.change_vrg(|vrg| vrg.status = None);
    lab.lose(Kind::VolumeReplication, "data");
    lab.lose(Kind::PersistentVolumeClaim, "data");
    lab.spoke.pvs.clear();
    lab
}

impl Lab {
    fn answer(&mut self, set: StoredSet) {
        self.learn(Fact::Stored(Box::new(set)));
    }

    fn unreachable(&mut self, profile: &str) {
        let slot = format!("fetch/{profile}");
        let wanted = self.decide().commands.into_iter().find(|wanted| wanted.slot == slot).expect("it is asked");
        let outcome = Outcome::Unreachable { message: "connection refused".into() };
        self.fly(&wanted, NOW, &outcome);
    }

    /// Names of the volumes that are to be created.
    fn restored(&self) -> Vec<String> {
        self.commands()
            .into_iter()
            .map(|command| match command {
                Command::RestoreArchived { restore } => *restore,
                command => command,
            })
            .filter_map(|command| match command {
                Command::RestorePv { name, .. } => Some(name),
                _ => None,
            })
            .collect()
    }

    fn says(&self) -> String {
        let status = self.decide_later().commands.into_iter().find_map(|wanted| match wanted.command {
            AnyCommand::Spoke(Command::WriteVrgStatus { status, .. }) => Some(status),
            _ => None,
        });
        let condition = status.and_then(|status| status.condition("ClusterDataReady").cloned());
        condition.map(|c| format!("{}/{} {}", c.status.as_str(), c.reason, c.message)).unwrap_or_default()
    }
}

#[test]
fn all_stores_are_asked_at_once() {
    assert_eq!(fresh("Failover").names(), ["FetchStored", "FetchStored"]);
}

#[test]
fn the_set_with_the_youngest_claims_is_taken() {
    let mut lab = fresh("Failover");
    let mut newer = stored("s3-2", &["data", "more"]);
    newer.claims[0].created = Some(Time(2));
    lab.answer(stored("s3-1", &["data"]));
    lab.answer(newer);
    assert_eq!(lab.restored(), ["pv-data", "pv-more"]);
}

#[test]
fn among_sets_of_one_home_the_vrgs_copy_tells_which_is_newer() {
    let mut lab = fresh("Failover");
    let mut newer = stored("s3-2", &["data", "more"]);
    newer.copy.as_mut().unwrap().updated = Some(Time(9));
    lab.answer(stored("s3-1", &["data"]));
    lab.answer(newer);
    assert_eq!(lab.restored(), ["pv-data", "pv-more"]);
}

#[rstest]
#[case::no_copy_yet(None, None, &["pv-data", "pv-more"])]
#[case::copies_of_one_moment(Some(5), Some(5), &["pv-data", "pv-more"])]
#[case::dropped_while_that_store_was_out(Some(9), Some(5), &["pv-data"])]
fn what_only_one_store_holds_is_restored_too(
    #[case] first: Option<u64>,
    #[case] second: Option<u64>,
    #[case] expected: &[&str],
) {
    let mut lab = fresh("Failover");
    let mut sets = [stored("s3-1", &["data"]), stored("s3-2", &["data", "more"])];
    for (set, updated) in sets.iter_mut().zip([first, second]) {
        set.copy.as_mut().unwrap().updated = updated.map(Time);
    }
    for set in sets {
        lab.answer(set);
    }
    assert_eq!(lab.restored(), expected);
}

#[test]
fn an_incomplete_set_does_not_hide_a_complete_one() {
    let mut lab = fresh("Failover");
    let mut broken = stored("s3-1", &["data", "more"]);
    broken.claims[0].created = Some(Time(9));
    broken.volumes.pop();
    lab.answer(broken);
    lab.answer(stored("s3-2", &["data"]));
    assert_eq!(lab.restored(), ["pv-data"]);
}

#[test]
fn one_store_with_a_set_is_enough_once_the_other_failed_or_was_waited_for() {
    let mut lab = fresh("Failover");
    lab.answer(stored("s3-1", &["data"]));
    assert_eq!(lab.restored(), [] as [&str; 0], "the other store may hold a newer set");
    assert_eq!(lab.decide().again.map(|again| again.at.ms_since(NOW)), Some(3_000), "patience with it ends");
    lab.unreachable("s3-2");
    assert_eq!(lab.restored(), ["pv-data"]);
}

#[rstest]
#[case::in_both(&["s3-1", "s3-2"], true)]
#[case::in_one(&["s3-1"], false)]
fn what_all_stores_hold_is_noted_as_archived_from_the_start(#[case] stores: &[&str], #[case] noted: bool) {
    let mut lab = fresh("Failover");
    for profile in ["s3-1", "s3-2"] {
        lab.answer(stored(profile, if stores.contains(&profile) { &["data"] } else { &[] }));
    }
    let is_noted = |command: &Command| matches!(command, Command::RestoreArchived { .. });
    assert_eq!(lab.commands().iter().any(is_noted), noted);
    assert_eq!(lab.restored(), ["pv-data"]);
}

#[rstest]
#[case::all_empty_and_no_copy("Failover", Some(0), Some(0), "False/Error")]
#[case::all_empty_but_a_copy("Failover", Some(1), Some(1), "True/Restored")]
#[case::v2_empty_and_unreachable("Failover", Some(0), None, "False/Error")]
#[case::v2_copy_without_volumes_and_unreachable("Relocate", Some(1), None, "False/Error")]
#[case::none_reachable("Failover", None, None, "False/Error")]
#[case::first_deployment_empty("", Some(0), Some(0), "True/Restored")]
#[case::first_deployment_one_reachable("", Some(0), None, "True/Restored")]
#[case::first_deployment_none_reachable("", None, None, "False/Error")]
fn nothing_found(#[case] action: &str, #[case] one: Option<u8>, #[case] two: Option<u8>, #[case] wanted: &str) {
    let mut lab = fresh(action);
    for (profile, holds) in [("s3-1", one), ("s3-2", two)] {
        match holds {
            None => lab.unreachable(profile),
            Some(copies) => {
                let mut set = stored(profile, &[]);
                set.copy = set.copy.filter(|_| copies > 0);
                lab.answer(set);
            }
        }
    }
    assert!(lab.says().starts_with(wanted), "{}", lab.says());
    if two.is_none() {
        assert!(lab.says().contains("s3-2"), "{}", lab.says());
    }
}

#[test]
fn v10_a_first_deployment_leaves_the_copies_of_another_drpc_alone() {
    for (action, restored) in [("", 0), ("Failover", 1)] {
        let mut lab = fresh(action);
        for profile in ["s3-1", "s3-2"] {
            let mut set = stored(profile, &["data"]);
            set.copy.as_mut().unwrap().drpc_uid = "another".into();
            lab.answer(set);
        }
        assert_eq!(lab.restored().len(), restored, "{action}");
    }
}

#[test]
fn an_answer_to_an_older_question_is_none() {
    let mut lab = fresh("Failover");
    for profile in ["s3-1", "s3-2"] {
        lab.answer(StoredSet { asked_for: 2, ..stored(profile, &["data"]) });
    }
    assert_eq!(lab.names(), ["FetchStored", "FetchStored"]);
}

#[rstest]
#[case::complete(|_: &mut StoredSet| {}, None)]
#[case::volume_missing(|set: &mut StoredSet| { set.volumes.clear(); }, Some("pv-data"))]
#[case::claim_missing(|set: &mut StoredSet| { set.claims.clear(); }, Some("app/data"))]
#[case::volume_of_a_former_claim_is_left_over(|set: &mut StoredSet| {
    set.volumes.push(ramen_events::spoke::StoredVolume { name: "old".into(), ..stored_volume("data") });
}, None)]
#[case::v36_volume_without_claim(|set: &mut StoredSet| { set.volumes[0].claim = None; }, Some("pv-data"))]
#[case::volume_names_another_claim(|set: &mut StoredSet| { set.volumes[0].claim = Some(key("x")); }, Some("app/x"))]
#[case::cs9_unreadable(|set: &mut StoredSet| set.unreadable.push(("k".into(), "not gzip".into())), Some("not gzip"))]
fn a_set_is_complete_when_each_claim_has_its_volume(#[case] change: fn(&mut StoredSet), #[case] why: Option<&str>) {
    let mut set = stored("s3-1", &["data"]);
    change(&mut set);
    match (pairs(&set), why) {
        (Ok(found), None) => assert_eq!(found.len(), 1),
        (Err(found), Some(why)) => assert!(found.contains(why), "{found}"),
        (found, _) => panic!("{found:?}"),
    }
}

fn waits() -> Acceptance {
    Acceptance::Wait(String::new())
}

fn no() -> Acceptance {
    Acceptance::No(String::new())
}

#[rstest]
#[case::bound_to_the_claim(|_: &mut Pv| {}, true, Acceptance::Yes)]
#[case::bound_claim_missing(|_: &mut Pv| {}, false, waits())]
#[case::bound_to_a_former_claim(|pv: &mut Pv| pv.claim.as_mut().unwrap().uid = "former".into(), true, waits())]
#[case::vs11_other_handle(|pv: &mut Pv| pv.handle = "x".into(), true, no())]
#[case::other_driver(|pv: &mut Pv| pv.driver = "x".into(), true, no())]
#[case::other_mode(|pv: &mut Pv| pv.volume_mode = "Block".into(), true, no())]
#[case::other_claim(|pv: &mut Pv| pv.claim.as_mut().unwrap().key = key("x"), true, no())]
#[case::no_claim(|pv: &mut Pv| pv.claim = None, true, no())]
#[case::v8_terminating(|pv: &mut Pv| { pv.deleting = true; restored(pv, PvPhase::Available); }, false, waits())]
#[case::restored_but_not_known_to_the_binder(|pv: &mut Pv| { restored(pv, PvPhase::Pending); any_claim(pv); }, false, waits())]
#[case::restored_and_free(|pv: &mut Pv| { restored(pv, PvPhase::Available); any_claim(pv); }, false, Acceptance::Yes)]
#[case::being_bound_to_a_claim_not_seen_yet(|pv: &mut Pv| restored(pv, PvPhase::Available), false, waits())]
#[case::being_bound_to_its_claim(|pv: &mut Pv| restored(pv, PvPhase::Available), true, Acceptance::Yes)]
#[case::v8_released(|pv: &mut Pv| restored(pv, PvPhase::Released), false, Acceptance::Freed)]
#[case::released_and_to_be_deleted(|pv: &mut Pv| {
    restored(pv, PvPhase::Released);
    pv.reclaim_policy = "Delete".into();
}, false, waits())]
#[case::v33_released_original_that_was_always_retained(|pv: &mut Pv| pv.phase = PvPhase::Released, false, Acceptance::Freed)]
fn a_volume_that_is_there_already(#[case] change: fn(&mut Pv), #[case] claim: bool, #[case] wanted: Acceptance) {
    let mut here = pv("data");
    change(&mut here);
    let claim = claim.then(|| pvc("data"));
    let found = accept(&here, &stored_volume("data"), claim.as_ref());
    assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&wanted), "{found:?}");
}

fn restored(pv: &mut Pv, phase: PvPhase) {
    pv.phase = phase;
    pv.annotations.insert(RESTORED.into(), RESTORED_TRUE.into());
}

fn any_claim(pv: &mut Pv) {
    pv.claim = pv.claim.take().map(|claim| ClaimRef { uid: String::new(), ..claim });
}

#[rstest]
#[case::none(None, &["RestorePvc"])]
#[case::bound_to_the_volume(Some("pv-data"), &[])]
#[case::waits_for_a_volume(Some(""), &[])]
fn a_claim_that_is_there_already(#[case] volume: Option<&str>, #[case] wanted: &[&str]) {
    let mut lab = fresh("Failover");
    for profile in ["s3-1", "s3-2"] {
        lab.answer(stored(profile, &["data"]));
    }
    let mut here = pv("data");
    restored(&mut here, PvPhase::Available);
    any_claim(&mut here);
    lab.learn(Fact::Pv(Box::new(here)));
    if let Some(volume) = volume {
        let mut claim = pvc("data");
        claim.volume = volume.into();
        claim.bound = false;
        lab.learn(Fact::Pvc(Box::new(claim)));
    }
    assert_eq!(lab.names(), wanted);
}

#[test]
fn a_claim_on_another_volume_is_a_conflict() {
    let mut lab = fresh("Failover");
    for profile in ["s3-1", "s3-2"] {
        lab.answer(stored(profile, &["data"]));
    }
    let mut here = pv("data");
    restored(&mut here, PvPhase::Available);
    any_claim(&mut here);
    lab.learn(Fact::Pv(Box::new(here)));
    let mut claim = pvc("data");
    claim.volume = "pv-other".into();
    lab.learn(Fact::Pvc(Box::new(claim)));
    assert!(lab.says().starts_with("False/Error claim app/data is bound to volume pv-other"), "{}", lab.says());
}
