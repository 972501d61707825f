//! The VRG's conditions over its claims (spec vrg 7.3): the worst decides, and is named.

use ramen_api::ramen::wire::{annotation, reason};
use ramen_events::{
    ConditionStatus::{False, True},
    spoke::{Command, Fact, Pvc, Role},
};
use rstest::rstest;

use super::lab::{Lab, key, pvc, said};
use crate::spoke::vrg::{
    conditions,
    runbooks::{
        restore::{Outlook, Restore},
        upload::VrgArchive,
    },
    scene::{Judged, Scene, Stage},
    verdict::Verdict,
};

fn ready(name: &str) -> Judged {
    let mut volume = Judged::new(&key(name), Stage::Settled);
    volume.data_ready = Some(Verdict::yes(reason::READY, "primary"));
    volume.data_protected = Some(Verdict::no(reason::REPLICATING, "replicates"));
    volume.archive.verdict = Some(Verdict::yes(reason::UPLOADED, "stored"));
    volume
}

fn waiting(name: &str) -> Judged {
    Judged::new(&key(name), Stage::Protected).waiting("something")
}

fn wrong(name: &str) -> Judged {
    Judged::new(&key(name), Stage::Unprotected).wrong("something is wrong")
}

fn ignored(name: &str) -> Judged {
    Judged::new(&key(name), Stage::Ignored)
}

fn scene(volumes: Vec<Judged>) -> Scene {
    let restore = Restore::Done { volumes: 0, note: String::new() };
    Scene {
        restore: Some(Outlook { restore, wants: Vec::new(), again: None }),
        volumes,
        copy: Some(VrgArchive::stored()),
        ..Scene::default()
    }
}

fn word(verdict: &Verdict) -> String {
    format!("{}/{}", verdict.status.as_str(), verdict.reason)
}

#[rstest]
#[case::none(vec![], "True/Unused", "")]
#[case::none_that_counts(vec![ignored("a")], "True/Unused", "")]
#[case::all_ready(vec![ready("a"), ready("b")], "True/Ready", "")]
#[case::v7_one_waits(vec![ready("a"), waiting("b")], "False/Progressing", "claim b")]
#[case::error_beats_waiting(vec![waiting("a"), wrong("b"), waiting("c")], "False/Error", "claim b")]
#[case::several(vec![wrong("a"), wrong("b"), ready("c")], "False/Error", "(and 1 more)")]
fn data_ready(#[case] volumes: Vec<Judged>, #[case] wanted: &str, #[case] words: &str) {
    let verdict = conditions::data_ready_primary(&scene(volumes));
    assert_eq!(word(&verdict), wanted);
    assert!(verdict.message.contains(words), "{}", verdict.message);
}

#[rstest]
#[case::none(vec![], "True/Unused")]
#[case::replicating(vec![ready("a"), ready("b")], "False/Replicating")]
#[case::one_not_started(vec![ready("a"), waiting("b")], "False/Progressing")]
#[case::complete(vec![complete("a"), complete("b")], "True/DataProtected")]
#[case::complete_but_one(vec![complete("a"), ready("b")], "False/Replicating")]
fn data_protected(#[case] volumes: Vec<Judged>, #[case] wanted: &str) {
    assert_eq!(word(&conditions::data_protected(&scene(volumes))), wanted);
}

fn complete(name: &str) -> Judged {
    Judged { data_protected: Some(Verdict::yes(reason::DATA_PROTECTED, "all data")), ..ready(name) }
}

fn unstored(name: &str, verdict: Option<Verdict>) -> Judged {
    let mut volume = ready(name);
    volume.archive.verdict = verdict;
    volume
}

#[rstest]
#[case::all_stored(vec![ready("a")], true, "True/Uploaded")]
#[case::no_claim(vec![], true, "True/Uploaded")]
#[case::on_its_way(vec![ready("a"), unstored("b", None)], true, "False/Uploading")]
#[case::refused(vec![unstored("a", None), unstored("b", Some(Verdict::no(reason::UPLOAD_ERROR, "s3-1")))], true, "False/UploadError")]
#[case::not_noted(vec![unstored("b", Some(Verdict::no(reason::ANNOTATION_FAILED, "x")))], true, "False/AnnotationFailed")]
#[case::v15_vrg_not_stored(vec![ready("a")], false, "False/Uploading")]
fn cluster_data_protected(#[case] volumes: Vec<Judged>, #[case] copied: bool, #[case] wanted: &str) {
    let mut scene = scene(volumes);
    scene.copy = scene.copy.filter(|_| copied);
    assert_eq!(word(&conditions::cluster_data_protected(&scene, &[])), wanted);
}

#[test]
fn nothing_is_ready_while_the_restore_is_not_done() {
    let mut scene = scene(vec![]);
    scene.restore.as_mut().unwrap().restore = Restore::Blocked("volume x is in the way".into());
    assert_eq!(word(&conditions::data_ready_primary(&scene)), "False/Progressing");
    assert_eq!(word(&conditions::cluster_data_ready(&scene)), "False/Error");
}

#[test]
fn copies_of_api_objects_are_refused_in_words() {
    let asked = [("spec.kubeObjectProtection".to_owned(), "{}".to_owned())];
    let verdict = conditions::cluster_data_protected(&scene(vec![ready("a")]), &asked);
    assert!(!verdict.holds() && verdict.message.contains("spec.kubeObjectProtection"), "{}", verdict.message);
}

/// What `NoClusterDataConflict` says of a secondary that settled, with claim `data`, changed by `change`.
fn no_conflict(change: impl FnOnce(&mut Lab)) -> String {
    let mut lab = Lab::new(Role::Secondary, "");
    lab.change_vrg(|vrg| {
        let status = vrg.status.as_mut().unwrap();
        status.state = "Secondary".into();
        status.conditions.push(said("NoClusterDataConflict", True, "NoConflictDetected", 3));
    });
    lab.change_pvc(|pvc| {
        (pvc.labels, pvc.annotations, pvc.finalizers) = <(_, _, Vec<String>)>::default();
    });
    lab.lose(ramen_events::Kind::VolumeReplication, "data");
    change(&mut lab);
    let told = lab.commands().into_iter().find_map(|command| match command {
        Command::WriteVrgStatus { status, .. } => status.condition("NoClusterDataConflict").cloned(),
        _ => None,
    });
    told.map(|told| format!("{}/{} {}", told.status.as_str(), told.reason, told.message)).unwrap_or_default()
}

#[rstest]
#[case::v25_stays(|_: &mut Lab| {}, "False/ClusterDataConflictSecondary claim app/data is selected here, on the secondary: ")]
#[case::several(|lab: &mut Lab| lab.learn(Fact::Pvc(Box::new(Pvc { labels: Default::default(), ..pvc("other") }))), "(and 1 more)")]
#[case::on_its_way_out(|lab: &mut Lab| lab.change_pvc(|pvc| pvc.deleted_at = Some(1)), "True/NoConflictDetected")]
#[case::restored(restored, "True/NoConflictDetected")]
#[case::not_settled(|lab: &mut Lab| lab.change_vrg(|vrg| vrg.status.as_mut().unwrap().state = "Unknown".into()), "True/NoConflictDetected")]
#[case::new_request(|lab: &mut Lab| lab.change_vrg(|vrg| vrg.generation = 4), "True/NoConflictDetected")]
#[case::new_request_while_it_is_so(|lab: &mut Lab| lab.change_vrg(|vrg| {
    vrg.generation = 4;
    vrg.status.as_mut().unwrap().conditions.last_mut().unwrap().status = False;
}), "False/ClusterDataConflictSecondary claim app/data")]
fn no_cluster_data_conflict(#[case] change: fn(&mut Lab), #[case] wanted: &str) {
    let said = no_conflict(change);
    assert!(said.contains(wanted), "{said}");
}

fn restored(lab: &mut Lab) {
    lab.change_pvc(|pvc| {
        pvc.annotations.insert(annotation::RESTORED.into(), annotation::RESTORED_TRUE.into());
    });
}
