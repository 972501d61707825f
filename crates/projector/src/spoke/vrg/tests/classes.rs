//! Which class a claim is replicated with (spec vrg 2.4, 2.5).

use ramen_api::ramen::wire::label;
use ramen_events::spoke::{Fact, ReplicationClass, Role, StorageClass, Vrg};
use rstest::rstest;

use super::lab::{Lab, key, pvc, replication_class, storage_class};
use crate::{DECIDER_VERSION, spoke::vrg::class_choice::choose};

/// A world to choose in: the VRG, its StorageClass, the replication classes.
struct Offer {
    vrg: Vrg,
    storage: StorageClass,
    classes: Vec<ReplicationClass>,
}

fn choice(change: impl FnOnce(&mut Offer)) -> Result<String, (String, String)> {
    choice_by(DECIDER_VERSION, change)
}

fn choice_by(decider: u32, change: impl FnOnce(&mut Offer)) -> Result<String, (String, String)> {
    let mut lab = Lab::new(Role::Primary, "");
    let vrg = lab.spoke.vrgs[&key("app")].clone();
    let mut offer = Offer { vrg, storage: storage_class(), classes: vec![replication_class("vrc")] };
    change(&mut offer);
    lab.spoke.replication_classes.clear();
    for class in offer.classes {
        lab.learn(Fact::ReplicationClass(class));
    }
    lab.learn(Fact::StorageClass(offer.storage));
    choose(&lab.spoke, &offer.vrg, &pvc("data"), decider)
        .map(|choice| choice.replication.name.clone())
        .map_err(|unfit| (unfit.reason.to_owned(), unfit.message))
}

#[rstest]
#[case::labels_and_interval_fit(|_: &mut Offer| {})]
#[case::without_peer_classes_labels_do_not_count(|o: &mut Offer| {
    o.vrg.spec.peer_classes.clear();
    o.classes[0].labels.clear();
})]
#[case::the_default_of_several(|o: &mut Offer| {
    o.classes[0].is_default = true;
    o.classes.push(replication_class("second"));
})]
#[case::others_do_not_fit(|o: &mut Offer| {
    o.classes.push(ReplicationClass { interval: "5m".into(), ..replication_class("slow") });
    o.classes.push(ReplicationClass { provisioner: "other".into(), ..replication_class("foreign") });
})]
#[case::selected_by_label(|o: &mut Offer| {
    o.vrg.spec.class_labels = [("tier".to_owned(), "gold".to_owned())].into();
    o.classes[0].labels.insert("tier".into(), "gold".into());
    o.classes.push(replication_class("second"));
})]
#[case::a_storage_class_that_names_no_relation_admits_all(|o: &mut Offer| {
    o.storage.labels.remove(label::REPLICATION_ID);
})]
fn a_class_is_found(#[case] change: fn(&mut Offer)) {
    assert_eq!(choice(change), Ok("vrc".to_owned()));
}

#[rstest]
#[case::interval_differs(|o: &mut Offer| o.classes[0].interval = "60s".into(), "Error", "\"1m\"")]
#[case::no_interval(|o: &mut Offer| o.classes[0].interval.clear(), "Error", "\"1m\"")]
#[case::provisioner_differs(|o: &mut Offer| o.classes[0].provisioner = "x".into(), "Error", "provisioner driver")]
#[case::two_and_no_default(|o: &mut Offer| o.classes.push(replication_class("second")), "Error", "\"second\"")]
#[case::two_defaults(|o: &mut Offer| {
    o.classes.push(replication_class("second"));
    o.classes.iter_mut().for_each(|class| class.is_default = true);
}, "Error", "exactly one")]
#[case::class_without_replication_id(|o: &mut Offer| {
    o.classes[0].labels.remove(label::REPLICATION_ID);
}, "Error", label::REPLICATION_ID)]
#[case::c9_storage_class_names_another_relation(|o: &mut Offer| {
    o.storage.labels.insert(label::REPLICATION_ID.into(), "odd".into());
}, "Error", "label ramendr.openshift.io/replicationid=odd of StorageClass \"sc\"")]
#[case::h22_selector_in_the_way(|o: &mut Offer| {
    o.vrg.spec.class_labels = [("tier".to_owned(), "gold".to_owned())].into();
}, "Error", "\"vrc\" would fit StorageClass \"sc\", but replicationClassSelector of the policy asks for labels tier=gold")]
#[case::selector_in_the_way_without_peer_classes(|o: &mut Offer| {
    o.vrg.spec.peer_classes.clear();
    o.vrg.spec.class_labels = [("tier".to_owned(), "gold".to_owned())].into();
}, "Error", "tier=gold")]
#[case::other_peer_replication_id(|o: &mut Offer| {
    o.vrg.spec.peer_classes[0].replication_id = "other".into();
}, "Error", "other")]
#[case::storage_class_without_storage_id(|o: &mut Offer| {
    o.storage.labels.remove(label::STORAGE_ID);
}, "Error", label::STORAGE_ID)]
#[case::foreign_storage_id(|o: &mut Offer| {
    o.storage.labels.insert(label::STORAGE_ID.into(), "sid-9".into());
}, "Error", "sid-9")]
#[case::not_in_a_peer_class(|o: &mut Offer| {
    o.vrg.spec.peer_classes[0].storage_class = "another".into();
}, "PeerClassNotFound", "\"sc\"")]
#[case::groups_are_not_supported(|o: &mut Offer| o.vrg.spec.peer_classes[0].grouping = true, "Error", "groups")]
#[case::offloaded_is_not_supported(|o: &mut Offer| o.vrg.spec.peer_classes[0].offloaded = true, "Error", "offloaded")]
#[case::volsync_is_not_supported(|o: &mut Offer| {
    o.vrg.spec.peer_classes[0].replication_id.clear();
}, "Error", "VolSync")]
#[case::volsync_by_force(|o: &mut Offer| o.vrg.force_volsync = true, "Error", "VolSync")]
fn a_claim_that_fits_no_class_is_told_why(#[case] change: fn(&mut Offer), #[case] reason: &str, #[case] word: &str) {
    let (said, message) = choice(change).expect_err("no class fits");
    assert_eq!(said, reason);
    assert!(message.contains(word), "{message}");
}

#[test]
fn older_deciders_took_only_a_relation_that_the_storage_class_names() {
    let unlabelled = |o: &mut Offer| {
        o.storage.labels.remove(label::REPLICATION_ID);
    };
    assert!(choice_by(8, unlabelled).is_err());
}

#[test]
fn a_missing_storage_class_is_named() {
    let lab = Lab::new(Role::Primary, "");
    let mut claim = pvc("data");
    claim.storage_class = "absent".into();
    let unfit = choose(&lab.spoke, &lab.spoke.vrgs[&key("app")], &claim, DECIDER_VERSION).unwrap_err();
    assert!(unfit.message.contains("\"absent\"") && unfit.message.contains("create it"), "{}", unfit.message);
}
