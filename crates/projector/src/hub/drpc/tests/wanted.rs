//! The VRG that is asked for (spec drpc 3.1), and what the tables show.

use ramen_events::{
    Aggregate, Command, Controller,
    hub::{self, PeerClass, PlacementKind, VrgWork, WorkContent},
};

use crate::{
    Domain as _, Ground,
    hub::{
        drpc::runbooks::{deletion::DELETION, deploy::DEPLOY, failover::FAILOVER, relocate::RELOCATE},
        story::{self, Story},
    },
};

fn manifest(story: &Story, cluster: &str) -> ramen_events::hub::VrgManifest {
    match &story.world.domain.work(&cluster.into(), "app-apps-vrg-mw").unwrap().fact.content {
        WorkContent::Vrg { manifest, .. } => (**manifest).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_vrg_has_what_an_existing_installation_writes() {
    let story = Story::deployed();
    let manifest = manifest(&story, "c1");
    assert_eq!(manifest.labels["ramendr.openshift.io/created-by-ramen"], "true");
    let keys: Vec<&str> = manifest.annotations.keys().map(|key| key.rsplit('/').next().unwrap()).collect();
    let expected = [
        "destination-cluster",
        "drpc-uid",
        "enable-diff",
        "is-cg-enabled",
        "is-submariner-enabled",
        "use-volsync-for-pvc-protection",
    ];
    assert_eq!(keys, expected, "the copied ones are there even when empty");
    assert_eq!(manifest.spec.s3_profiles, ["s3-c1", "s3-c2"]);
    assert_eq!(manifest.spec.rest.value(), serde_json::json!({"volSync": {"disabled": true}}));
    let spec = manifest.spec.asynchronous.unwrap();
    assert_eq!(spec.interval, "1m");
    assert_eq!(spec.replication_class_selector.value(), serde_json::json!({}));
    assert_eq!(spec.peer_classes.len(), 1);
}

#[test]
fn what_a_cluster_is_asked_for_stands_on_the_drpc_and_on_what_all_clusters_were_asked_for_last() {
    let story = Story::deployed();
    let (cluster, name, drpc) = ("c1".into(), "app-apps-vrg-mw".to_owned(), story::app());
    let work = VrgWork { cluster, name, drpc: drpc.clone(), manifest: manifest(&story, "c1"), watched: true };
    let asks = Command::Hub(hub::Command::ApplyVrgWork(Box::new(work)));
    let looks = Command::Hub(hub::Command::DeleteView { cluster: "c1".into(), name: "app-apps-vrg-mcv".into() });
    let of = |command: &Command| {
        let grounds = story.world.domain.grounds(&Aggregate::new(Controller::Drpc, "apps", "app"), command);
        let told = |ground: &Ground| match ground {
            Ground::Spec(id) => id.to_string(),
            Ground::Whole(id) => format!("all of {id}"),
        };
        grounds.iter().map(told).collect::<Vec<_>>()
    };
    let asked = ["Drpc apps/app", "ManifestWork c1/app-apps-vrg-mw", "ManifestWork c2/app-apps-vrg-mw"];
    assert_eq!(of(&asks), asked);
    for (kind, decided) in [
        (PlacementKind::Placement, "all of PlacementDecision apps/app-decision-1"),
        (PlacementKind::Rule, "all of PlacementRule apps/app"),
    ] {
        let places = Command::Hub(hub::Command::WriteDecision {
            placement: story::app(),
            kind,
            uid: String::new(),
            decision: "app-decision-1".to_owned(),
            create: false,
            label: false,
            entries: None,
        });
        assert_eq!(of(&places), asked.into_iter().chain([decided]).collect::<Vec<_>>(), "{kind:?}");
    }
    assert_eq!(of(&looks), Vec::<String>::new());
}

#[test]
fn an_application_stays_with_its_way_of_replication() {
    let mut story = Story::deployed();
    let before = manifest(&story, "c1").spec.asynchronous.unwrap().peer_classes;
    let mut policy = (*story.world.domain.policies["policy"]).clone();
    let status = policy.status.as_mut().unwrap();
    status.asynchronous[0].grouping = true;
    story.see(ramen_events::hub::Fact::Policy(Box::new(policy.clone())));
    story.run();
    assert_eq!(manifest(&story, "c1").spec.asynchronous.unwrap().peer_classes, before, "S8: another way is not taken");
}

#[test]
fn a_store_that_holds_copies_stays_while_its_cluster_is_being_deleted() {
    let mut story = Story::deployed();
    let mut cluster = story.world.domain.clusters["c2"].clone();
    cluster.meta.deleting = Some(story.now);
    story.see(ramen_events::hub::Fact::DrCluster(Box::new(cluster)));
    story.run();
    assert_eq!(manifest(&story, "c1").spec.s3_profiles, ["s3-c1", "s3-c2"], "nobody else would delete the copies");
}

#[test]
fn a_vrg_that_is_made_meanwhile_has_that_store_too() {
    let mut story = Story::deployed();
    let mut cluster = story.world.domain.clusters["c2"].clone();
    cluster.meta.deleting = Some(story.now);
    story.see(ramen_events::hub::Fact::DrCluster(Box::new(cluster)));
    story.gone(ramen_events::Kind::ManifestWork, "c2", "app-apps-vrg-mw");
    story.run();
    assert_eq!(
        manifest(&story, "c2").spec.s3_profiles,
        ["s3-c1", "s3-c2"],
        "after a failover it deletes the copies that the first home left there"
    );
}

#[test]
fn the_replica_has_the_primarys_peer_classes() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    let of = |cluster: &str| manifest(&story, cluster).spec.asynchronous.unwrap().peer_classes;
    assert_eq!(of("c1"), of("c2"));
    assert_ne!(of("c1"), Vec::<PeerClass>::new());
}

#[test]
fn progressions_are_words_of_the_wire() {
    use ramen_api::ramen::wire::state::Progression;
    for step in [DEPLOY, FAILOVER, RELOCATE, DELETION].into_iter().flatten() {
        assert!(Progression::WORDS.contains(&step.name), "{}", step.name);
    }
}
