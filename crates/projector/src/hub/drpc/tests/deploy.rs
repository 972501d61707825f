use ramen_events::{
    ConditionStatus::{True, Unknown},
    Kind,
    hub::{ApplicationSetFact, Fact, PlacementKind, WorkFact},
};
use rstest::rstest;

use crate::hub::story::{Story, app};

#[test]
fn a_new_drpc_is_protected_from_its_first_contact_on() {
    let mut story = Story::ready();
    story.sent.clear();
    story.protect();
    story.run();
    story.pass(3);
    assert_eq!((story.wished("c1"), story.wished("c2")), ("primary".into(), "secondary".into()));
    assert_eq!(story.decision(), "c1");
    let status = story.status();
    assert_eq!((status.phase.as_str(), status.progression.as_str()), ("Deployed", "Completed"));
    assert_eq!(story.told("Available"), (True, "Deployed"));
    assert_eq!(story.told("PeerReady"), (True, "Success"));
    assert_eq!(story.told("Protected"), (True, "Protected"));
    let kinds: Vec<&str> = status.conditions.iter().map(|condition| condition.kind.as_str()).collect();
    assert_eq!(kinds, ["Available", "PeerReady", "Protected"], "the order is wire contract (spec drpc 0)");
    assert_eq!(status.resource.as_ref().unwrap().protected_pvcs, ["data"]);
    assert_eq!(story.events, ["DRPCDeploySuccess"]);
}

#[test]
fn protecting_costs_the_hub_few_writes() {
    let mut story = Story::ready();
    story.sent.clear();
    story.protect();
    story.run();
    story.pass(5);
    assert!(story.sent.len() <= 15, "{:#?}", story.sent);
    story.sent.clear();
    story.pass(300);
    assert_eq!(story.sent, Vec::<String>::new(), "at rest nothing is written");
}

#[test]
fn marks_come_before_anything_that_would_have_to_be_cleaned_up() {
    let mut story = Story::ready();
    story.sent.clear();
    story.protect();
    story.run();
    assert_eq!(story.sent[..2], ["mark Placement", "mark Drpc"]);
    let meta = &story.drpc().meta;
    assert_eq!(meta.finalizers, ["drpc.ramendr.openshift.io/finalizer"]);
    assert_eq!(meta.owners[0].value()["kind"], "Placement");
    assert_eq!(meta.annotation("drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster"), "c1");
    let counted = meta.annotation("drplacementcontrol.ramendr.openshift.io/dr-action-count");
    assert_eq!(counted, r#"{"failover":0,"relocate":0,"lastPhase":"Deploying"}"#);
}

#[test]
fn it_is_deployed_without_waiting_for_volumes_but_protected_only_with_them() {
    let mut story = Story::ready();
    story.site("c1").idle = true;
    story.protect();
    story.run();
    story.pass(5);
    assert_eq!(story.told("Available"), (True, "Deployed"), "claims come with the application (4.2 D3)");
    assert_eq!(story.told("Protected"), (Unknown, "Unknown"));
}

#[test]
fn the_peer_is_not_ready_before_it_said_so() {
    let mut story = Story::ready();
    story.site("c2").idle = true;
    story.protect();
    story.run();
    story.pass(5);
    assert_eq!(story.told("PeerReady"), (Unknown, "Progressing"));
    assert!(story.words("PeerReady").contains("cluster c2"), "{}", story.words("PeerReady"));
    assert_eq!(story.status().progression, "SettingUpVolSyncDest");
    story.site("c2").idle = false;
    story.catch_up("c2");
    story.run();
    assert_eq!(story.told("PeerReady"), (True, "Success"));
}

#[test]
fn a_decision_for_another_cluster_follows_the_preferred_one_only_at_first() {
    let mut story = Story::deployed();
    story.edit(|spec| spec.preferred = "c2".into());
    story.run();
    story.pass(5);
    assert_eq!((story.decision(), story.wished("c2")), ("c1".into(), "secondary".into()));
    assert!(story.words("Available").contains("Relocate"), "{}", story.words("Available"));
}

#[test]
fn works_follow_the_policy_while_at_rest() {
    let mut story = Story::deployed();
    let mut fact = story.world.domain.clusters["c2"].clone();
    fact.profile = "s3-other".into();
    story.see(ramen_events::hub::Fact::DrCluster(Box::new(fact)));
    story.run();
    assert_eq!(story.sent.iter().filter(|sent| sent.starts_with("vrg")).count(), 2, "{:?}", story.sent);
    assert_eq!(story.status().progression, "Completed");
    assert_eq!(story.told("PeerReady"), (True, "Success"));
}

#[rstest]
#[case::first_in_order("a", Some(true))]
#[case::last_in_order("z", Some(false))]
fn of_too_many_watched_works_no_more_give_way_than_have_to(#[case] others: &str, #[case] watched: Option<bool>) {
    let mut story = Story::deployed();
    for n in 0..46 {
        let name = format!("{others}{n}");
        let work = WorkFact { cluster: "c2".into(), name, watched: Some(true), ..WorkFact::default() };
        story.see(Fact::Work(Box::new(work)));
    }
    story.edit(|spec| spec.vol_sync = ramen_events::Json::default());
    story.run();
    story.pass(2);
    assert_eq!(story.world.domain.work(&"c2".into(), "app-apps-vrg-mw").unwrap().fact.watched, watched);
    assert_eq!(story.world.domain.work(&"c1".into(), "app-apps-vrg-mw").unwrap().fact.watched, Some(true));
    assert_eq!(story.told("PeerReady"), (True, "Success"));
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    let work = story.world.domain.work(&"c2".into(), "app-apps-vrg-mw").unwrap();
    assert_eq!(work.fact.watched, Some(true), "who acts is watched");
}

#[test]
fn without_the_scrape_type_works_are_written_without_it() {
    let mut story = Story::ready();
    let refused = ramen_events::Outcome::Refused {
        code: 400,
        reason: "BadRequest".into(),
        message: ".spec.manifestConfigs[0].feedbackScrapeType: field not declared in schema".into(),
    };
    story.outcomes.insert("vrg".into(), refused);
    story.protect();
    story.run();
    story.outcomes.clear();
    story.pass(5);
    let work = story.world.domain.work(&"c1".into(), "app-apps-vrg-mw").unwrap();
    assert_eq!(work.fact.watched, Some(false));
    assert_eq!(story.told("Available"), (True, "Deployed"));
}

#[test]
fn without_any_feedback_views_are_enough() {
    let mut story = Story::ready();
    story.feedback = false;
    story.protect();
    story.run();
    story.pass(40);
    assert_eq!(story.told("Protected"), (True, "Protected"));
    assert_eq!(story.status().progression, "Completed");
    let views = story.world.domain.views.values().flat_map(|views| views.values());
    assert!(views.clone().all(|view| view.fact.interval == 0), "views rest again");
    story.ask("Failover", "c2");
    story.run();
    story.pass(10);
    assert_eq!(story.told("Available"), (True, "FailedOver"));
    assert_eq!(story.told("PeerReady").0, True);
}

#[test]
fn a_placement_rule_is_decided_through_its_status() {
    let mut story = Story::ready();
    let mut rule = (*story.world.domain.placements[&app()]).clone();
    story.gone(Kind::PlacementDecision, "apps", "app-decision-1");
    story.gone(Kind::Placement, "apps", "app");
    (rule.kind, rule.scheduler) = (PlacementKind::Rule, "default".into());
    story.see(Fact::Placement(Box::new(rule.clone())));
    story.protect();
    story.run();
    assert!(story.words("Available").contains("spec.schedulerName: \"default\" must be ramen"));
    rule.scheduler = "ramen".into();
    story.see(Fact::Placement(Box::new(rule)));
    story.run();
    story.pass(3);
    let decided = |story: &Story| story.world.domain.rules[&app()].decisions.clone();
    assert_eq!((decided(&story), story.told("Available")), (vec!["c1".into()], (True, "Deployed")));
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(decided(&story), ["c2".into()], "nothing is retained in a rule (spec drpc 3.5)");
    story.ask("Relocate", "c1");
    story.run();
    assert_eq!((decided(&story), story.status().phase.as_str()), (vec!["c1".into()], "Relocated"));
}

#[test]
fn the_vrgs_namespace_is_where_argo_deploys_to() {
    let mut story = Story::ready();
    for (namespace, destination) in [("argocd", "elsewhere"), ("apps", "shop")] {
        story.see(Fact::ApplicationSet(ApplicationSetFact {
            namespace: namespace.into(),
            name: "set".into(),
            placement: "app".into(),
            destination_namespace: destination.into(),
        }));
    }
    story.protect();
    story.run();
    let pinned = story.drpc().meta.annotation("drplacementcontrol.ramendr.openshift.io/app-namespace").to_owned();
    assert_eq!(pinned, "shop", "P21: a set beside the Placement goes before others");
    assert!(story.world.domain.work(&"c1".into(), "app-shop-vrg-mw").is_some());
}
