//! What nobody will finish: claims that nobody deletes, replications that never begin, volumes that were never synchronized,
//! stores that lost what they had.

use ramen_api::ramen::wire::{annotation, finalizer};
use ramen_events::{
    ConditionStatus, Kind, Time,
    spoke::{Command, Fact, Key, Pod, Role, StoredSet, VolumeReplication},
};
use rstest::rstest;

use super::lab::{Lab, NOW, key, pv, pvc, replication, stored, stored_volume};
use crate::spoke::state::Holding;

fn restored(lab: &mut Lab) {
    lab.change_pvc(|pvc| {
        pvc.annotations.insert(annotation::RESTORED.into(), annotation::RESTORED_TRUE.into());
    });
}

fn names_later(lab: &Lab) -> Vec<&'static str> {
    let commands = lab.decide_later().commands.into_iter();
    commands.map(|wanted| wanted.command.name()).filter(|name| *name != "WriteVrgStatus").collect()
}

#[test]
fn a_restored_claim_that_nobody_uses_and_nobody_deletes_is_demoted_as_it_is() {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    restored(&mut lab);
    assert_eq!(lab.names(), Vec::<&str>::new(), "its application may be on its way out");
    assert_eq!(names_later(&lab), ["ApplyReplication"]);
    lab.learn(Fact::Pod(Pod { key: key("pod"), claims: vec!["data".into()], finished: false }));
    assert_eq!(names_later(&lab), Vec::<&str>::new());
}

#[test]
fn a_claim_of_its_own_that_nobody_deletes_is_told_of() {
    let lab = Lab::new(Role::Secondary, "Relocate");
    let decision = lab.decide_later();
    let wait = decision.position.and_then(|position| position.wait).map(|wait| wait.what).unwrap_or_default();
    assert!(wait.contains("claim data: the claim to be deleted: nothing uses it any more"), "{wait}");
    assert!(!decision.commands.iter().any(|wanted| wanted.command.name() == "ApplyReplication"));
}

fn unbegun(lab: &mut Lab, role: Role) {
    lab.learn(Fact::VolumeReplication(Box::new(VolumeReplication {
        generation: 1,
        observed_generation: 0,
        state: String::new(),
        conditions: Vec::new(),
        last_sync_time: None,
        ..replication("data", role)
    })));
}

#[rstest]
#[case::own(false, &["DeleteReplication"])]
#[case::restored_may_be_secondary(true, &[])]
fn a_replication_that_never_began_goes_with_its_claim(#[case] comes_from_a_copy: bool, #[case] wanted: &[&str]) {
    let mut lab = Lab::new(Role::Primary, "");
    lab.change_vrg(|vrg| vrg.deleting = true);
    unbegun(&mut lab, Role::Primary);
    if comes_from_a_copy {
        restored(&mut lab);
    }
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - 60));
    assert_eq!(lab.names(), wanted);
    lab.change_pvc(|pvc| pvc.deleted_at = None);
    assert_eq!(lab.names(), Vec::<&str>::new(), "it will begin");
}

#[test]
fn a_restored_volume_of_which_nothing_will_be_told_any_more_is_let_go_and_kept() {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    restored(&mut lab);
    // Made anew by an operator that lost the answer of the one before; csi-addons looks at none of a claim that is going.
    unbegun(&mut lab, Role::Secondary);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000));
    assert_eq!(lab.names(), Vec::<&str>::new(), "other storage may look at it yet");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - 60));
    assert_eq!(lab.names(), ["DeleteReplication"]);
    lab.lose(Kind::VolumeReplication, "data");
    let commands = lab.commands();
    let kept = |command: &Command| matches!(command, Command::ReleaseVolume { restore_policy: false, .. });
    assert!(commands.iter().any(kept), "{commands:?}");
}

#[test]
fn a_restored_claim_that_was_deleted_before_anybody_looked_is_let_go_to_be_restored_again() {
    let mut lab = Lab::new(Role::Primary, "Failover");
    lab.change_vrg(|vrg| vrg.status = None);
    restored(&mut lab);
    unbegun(&mut lab, Role::Primary);
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000));
    assert!(!lab.names().contains(&"DeleteReplication"), "other storage may look at it yet");
    lab.change_pvc(|pvc| pvc.deleted_at = Some(NOW.0 / 1000 - 60));
    assert!(lab.names().contains(&"DeleteReplication"), "{:?}", lab.names());
    lab.lose(Kind::VolumeReplication, "data");
    let kept = |command: &Command| matches!(command, Command::ReleaseVolume { restore_policy: false, .. });
    assert!(lab.commands().iter().any(kept), "{:?}", lab.commands());
}

#[rstest]
#[case::other_storage_may_look_yet(10, false, false)]
#[case::nobody_ever_will(60, false, true)]
#[case::csi_addons_may_look_yet(60, true, false)]
fn a_claim_that_lost_its_mark_on_its_way_out_is_told_of(
    #[case] seconds: u64,
    #[case] marked: bool,
    #[case] told: bool,
) {
    let mut lab = Lab::new(Role::Secondary, "Relocate");
    let unseen = VolumeReplication { generation: 2, observed_generation: 1, ..replication("data", Role::Secondary) };
    lab.learn(Fact::VolumeReplication(Box::new(unseen)));
    lab.change_pvc(|pvc| {
        pvc.deleted_at = Some(NOW.0 / 1000 - seconds);
        if marked {
            pvc.finalizers.push(finalizer::PVC_REPLICATED.into());
        }
    });
    assert_eq!(lab.wait().contains("take finalizer"), told, "{}", lab.wait());
    assert_eq!(lab.names(), Vec::<&str>::new());
}

#[rstest]
#[case::relocation("Relocate", Role::Primary, false)]
#[case::failover("Failover", Role::Primary, false)]
#[case::handed_over("Relocate", Role::Secondary, true)]
fn a_claim_that_was_torn_out_before_its_volume_stepped_down_stops_a_relocation(
    #[case] action: &str,
    #[case] role: Role,
    #[case] goes: bool,
) {
    let mut lab = Lab::new(Role::Secondary, action);
    lab.learn(Fact::VolumeReplication(Box::new(replication("data", role))));
    lab.lose(Kind::PersistentVolumeClaim, "data");
    assert_eq!(lab.names().contains(&"DeleteReplication"), goes, "{:?}", lab.names());
    assert_eq!(lab.wait().contains("fail over to this cluster"), !goes, "{}", lab.wait());
}

#[rstest]
#[case::it_goes("Failover", true, 60, true)]
#[case::it_may_find_the_new_primary_yet("Failover", true, 59, false)]
#[case::replication_goes_on("Failover", false, 600, false)]
#[case::a_relocation_hands_over("Relocate", true, 600, false)]
fn the_loser_of_a_failover_that_finds_nobody_to_follow_goes_with_its_vrg(
    #[case] action: &str,
    #[case] deleting: bool,
    #[case] after: u64,
    #[case] goes: bool,
) {
    let mut lab = Lab::new(Role::Secondary, action);
    lab.change_vrg(|vrg| vrg.deleting = deleting);
    let mut alone = VolumeReplication { auto_resync: action == "Failover", ..replication("data", Role::Secondary) };
    alone.conditions.iter_mut().for_each(|told| told.since = NOW);
    alone.conditions[1].status = ConditionStatus::True;
    lab.learn(Fact::VolumeReplication(Box::new(alone)));
    let position = lab.decide().position.unwrap();
    let decision = lab.decide_after(after, &position);
    let deletes = decision.commands.iter().any(|wanted| wanted.command.name() == "DeleteReplication");
    assert_eq!(deletes, goes, "{decision:?}");
}

fn uploads(lab: &Lab) -> Vec<Key> {
    let upload = |command: Command| match command {
        Command::Fenced { command, .. } => match *command {
            Command::Upload { pvc, .. } => Some(pvc),
            _ => None,
        },
        Command::Upload { pvc, .. } => Some(pvc),
        _ => None,
    };
    lab.commands().into_iter().filter_map(upload).collect()
}

#[rstest]
#[case::synchronized(Some(NOW), true, false, true)]
#[case::not_yet(None, true, false, false)]
#[case::the_driver_never_tells(None, false, false, true)]
#[case::it_came_from_there(None, true, true, true)]
fn copies_are_stored_of_what_the_other_cluster_has(
    #[case] synchronized: Option<Time>,
    #[case] driver_tells: bool,
    #[case] comes_from_a_copy: bool,
    #[case] stored: bool,
) {
    let mut lab = Lab::new(Role::Primary, "");
    let other = VolumeReplication {
        last_sync_time: driver_tells.then_some(NOW),
        key: Key::new("elsewhere", "x"),
        owner: None,
        ..replication("x", Role::Primary)
    };
    lab.learn(Fact::VolumeReplication(Box::new(other)));
    let own = VolumeReplication { last_sync_time: synchronized, ..replication("data", Role::Primary) };
    lab.learn(Fact::VolumeReplication(Box::new(own)));
    if comes_from_a_copy {
        restored(&mut lab);
    }
    assert_eq!(!uploads(&lab).is_empty(), stored, "{}", lab.wait());
}

#[rstest]
#[case::right_after_a_failover(None, 0, false)]
#[case::the_driver_never_tells(None, 600, true)]
#[case::the_driver_tells(Some(NOW), 600, false)]
fn a_claim_that_is_added_after_a_failover_is_stored_once_the_other_cluster_has_it(
    #[case] synchronized: Option<Time>,
    #[case] after: u64,
    #[case] stored: bool,
) {
    let mut lab = Lab::new(Role::Primary, "Failover");
    restored(&mut lab);
    let since = |mut vr: VolumeReplication, synchronized| {
        vr.last_sync_time = synchronized;
        vr.conditions.iter_mut().for_each(|told| told.since = NOW);
        Fact::VolumeReplication(Box::new(vr))
    };
    lab.learn(since(replication("data", Role::Primary), synchronized));
    lab.learn(Fact::Pv(Box::new(pv("new"))));
    lab.learn(Fact::Pvc(Box::new(pvc("new"))));
    lab.learn(since(replication("new", Role::Primary), None));
    let position = lab.decide().position.unwrap();
    let decision = lab.decide_after(after, &position);
    let names = decision.commands.iter().map(|wanted| wanted.slot.clone()).filter(|slot| slot.contains("new"));
    assert_eq!(names.filter(|slot| slot.starts_with("store/")).count() > 0, stored, "{:?}", decision.commands);
}

#[test]
fn what_a_store_lost_is_stored_again() {
    let mut lab = Lab::new(Role::Primary, "");
    let work = lab.spoke.work.get_mut(&key("app")).unwrap();
    let digest = ramen_events::BlobId::of(b"x");
    for profile in ["s3-1", "s3-2"] {
        work.copies.insert((profile.into(), key("data")), Holding::Has(digest));
        work.vrg_copies.insert(profile.into(), digest);
    }
    let look = |profile: &str, claims: &[&str]| StoredSet { asked_for: 0, ..stored(profile, claims) };
    lab.learn(Fact::Stored(Box::new(look("s3-1", &["data"]))));
    let empty = StoredSet { copy: None, ..look("s3-2", &[]) };
    lab.learn(Fact::Stored(Box::new(empty)));
    let work = &lab.spoke.work[&key("app")];
    let left: Vec<&str> = work.copies.keys().map(|(profile, _)| profile.as_str()).collect();
    assert_eq!((left, work.vrg_copies.keys().map(String::as_str).collect::<Vec<_>>()), (vec!["s3-1"], vec!["s3-1"]));
    assert!(work.answers.is_empty(), "it is no answer for a restore");
}

#[test]
fn half_a_copy_that_nobody_completes_is_deleted() {
    let mut lab = settled();
    let deletes = |lab: &Lab| -> Vec<String> {
        let deleted = |command: Command| match command {
            Command::DeleteStored { store, volume, .. } => Some(format!("{}/{volume}", store.name)),
            Command::Fenced { command, .. } => match *command {
                Command::DeleteStored { store, volume, .. } => Some(format!("{}/{volume}", store.name)),
                _ => None,
            },
            _ => None,
        };
        lab.commands().into_iter().filter_map(deleted).collect()
    };
    let half = StoredSet { asked_for: 0, volumes: vec![stored_volume("lost")], ..stored("s3-2", &[]) };
    let fact = Fact::Stored(Box::new(half));
    assert!(lab.spoke.is_news(&fact));
    lab.learn(fact.clone());
    assert!(!lab.spoke.is_news(&fact), "it is known");
    let name = stored_volume("lost").name;
    assert_eq!(deletes(&lab), [format!("s3-2/{name}")]);
    lab.learn(Fact::Pvc(Box::new(pvc("lost"))));
    assert_eq!(deletes(&lab), Vec::<String>::new(), "its claim is on its way to the store");
    lab.lose(Kind::PersistentVolumeClaim, "lost");
    let commands = lab.commands();
    commands.iter().for_each(|command| lab.done(command));
    assert_eq!(deletes(&lab), Vec::<String>::new());
    assert!(lab.spoke.work[&key("app")].halves.values().all(Vec::is_empty));
}

#[test]
fn a_primary_at_rest_looks_at_its_stores_now_and_then() {
    let mut lab = settled();
    lab.became_primary(NOW);
    let decision = lab.decide();
    let position = decision.position.clone().expect("it stands somewhere");
    assert_eq!(position.step, "", "{position:?}");
    let looks = |decision: &crate::domain::Decision| {
        decision.commands.iter().filter(|wanted| wanted.slot.starts_with("look/")).count()
    };
    assert_eq!(looks(&decision), 0);
    assert_eq!(looks(&lab.decide_after(901, &position)), 2);
}

#[test]
fn a_store_is_looked_at_after_the_copies_of_a_claim_were_deleted_there() {
    let mut lab = settled();
    let deletes = crate::Wanted {
        slot: "store/s3-1/app/data".into(),
        command: ramen_events::Command::Spoke(Command::DeleteStored {
            vrg: key("app"),
            store: Box::new(super::lab::config(&["s3-1"]).profiles[0].store.clone()),
            pvc: key("data"),
            volume: "pv-data".into(),
        }),
    };
    lab.fly(&deletes, NOW, &ramen_events::Outcome::Done);
    lab.became_primary(NOW.plus_seconds(10_000));
    let position = lab.decide().position.expect("it stands somewhere");
    let looks = |seconds| {
        let commands = lab.decide_after(seconds, &position).commands.into_iter().map(|wanted| wanted.slot);
        commands.filter(|slot| slot.starts_with("look/")).collect::<Vec<_>>()
    };
    assert_eq!(looks(59), Vec::<String>::new());
    assert_eq!(looks(60), ["look/s3-1"], "a copy of an earlier volume for a claim of that name may be left");
}

/// A VRG without claims that is stored everywhere.
pub fn settled() -> Lab {
    let mut lab = Lab::new(Role::Primary, "");
    lab.lose(ramen_events::Kind::VolumeReplication, "data");
    lab.lose(ramen_events::Kind::PersistentVolumeClaim, "data");
    for command in lab.decide_later().commands {
        if let ramen_events::Command::Spoke(command) = &command.command {
            lab.done(command);
        }
    }
    lab
}
