//! CRDs of foreign kinds: one each, under the names that their projects use.

#![allow(clippy::unwrap_used, reason = "a test's own functions")]

use std::collections::BTreeSet;

use ramen_api::foreign_crds::{WorkCrd, foreign_crds, manifest_work_crd};
use ramen_api::kinds;
use ramen_api::manifests::own_crds;
use serde_json::Value;

fn manifest_config_fields(form: WorkCrd) -> BTreeSet<String> {
    let crd = serde_json::to_value(manifest_work_crd(form)).unwrap();
    let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let items: &Value = &root["spec"]["properties"]["manifestConfigs"]["items"];
    assert!(items.get("x-kubernetes-preserve-unknown-fields").is_none(), "an unknown field must be dropped");
    items["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn only_the_newer_manifest_work_keeps_the_scrape_type() {
    let (newer, older) =
        (manifest_config_fields(WorkCrd::WithScrapeType), manifest_config_fields(WorkCrd::WithoutScrapeType));
    assert!(newer.contains("feedbackScrapeType"));
    assert!(!older.contains("feedbackScrapeType"));
    assert!(older.is_subset(&newer));
}

#[test]
fn every_custom_kind_has_exactly_one_crd() {
    let mut named: Vec<String> =
        own_crds().into_iter().map(|own| own.crd).chain(foreign_crds()).map(|crd| crd.metadata.name.unwrap()).collect();
    named.sort();
    let all = named.clone();
    named.dedup();
    assert_eq!(named, all, "a kind is defined twice");
    let built_in = |group: &str| {
        !group.contains('.')
            || (group.ends_with(".k8s.io")
                && !group.contains("snapshot")
                && !group.contains("cncf")
                && !group.contains("x-k8s"))
    };
    let wanted: BTreeSet<String> =
        kinds::ALL.iter().filter(|row| !built_in(row.group)).map(|row| row.crd_name()).collect();
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), wanted);
}
