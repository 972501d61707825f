//! The operators' configuration: defaults, spellings and errors (spec hub 7).

use ramen_api::ramen::config::{ConfigError, CopyMethod, RamenConfig, Role, for_cluster};
use rstest::rstest;

#[test]
fn an_empty_document_is_all_defaults() {
    let config = RamenConfig::parse(Role::Hub, "").unwrap();
    assert_eq!(config.leader_election.resource_name, "hub.ramendr.openshift.io");
    assert_eq!(config.max_concurrent_reconciles, 50);
    assert_eq!(config.vol_sync.destination_copy_method, CopyMethod::Direct);
    assert!(config.dr_cluster_operator.deployment_automation_enabled);
    assert!(config.volume_unprotection_enabled);
    assert_eq!(config.ramen_ops_namespace, "ramen-ops");
}

#[rstest]
#[case::explicit_false_stays("drClusterOperator: {deploymentAutomationEnabled: false}")]
#[case::case_of_keys_does_not_matter("DRCLUSTEROPERATOR: {DeploymentautomationEnabled: false}")]
#[case::unknown_keys_are_ignored("drClusterOperator: {deploymentAutomationEnabled: false, x: 1}\nfuture: [1]")]
fn a_switch_that_is_off_is_off(#[case] yaml: &str) {
    let config = RamenConfig::parse(Role::Cluster, yaml).unwrap();
    assert!(!config.dr_cluster_operator.deployment_automation_enabled);
    assert!(config.dr_cluster_operator.s3_secret_distribution_enabled, "its neighbour keeps its default");
}

#[rstest]
#[case::nested("volSync: {disabled: 'yes'}", "volSync.disabled", "true or false", "\"yes\"")]
#[case::number("maxConcurrentReconciles: many", "maxConcurrentReconciles", "whole number", "\"many\"")]
#[case::negative("maxConcurrentReconciles: -1", "maxConcurrentReconciles", "not negative", "-1")]
#[case::section("metrics: 9289", "metrics", "a mapping", "9289")]
#[case::in_list("s3StoreProfiles: [{s3Bucket: a}, {s3Bucket: 1}]", "s3StoreProfiles[1].s3Bucket", "a text", "1")]
fn a_wrong_type_is_told_with_key_and_value(
    #[case] yaml: &str,
    #[case] key: &str,
    #[case] wanted: &str,
    #[case] value: &str,
) {
    let text = RamenConfig::parse(Role::Hub, yaml).unwrap_err().to_string();
    for part in [key, wanted, value] {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

#[test]
fn a_credential_in_the_wrong_place_is_not_repeated() {
    let yaml = "s3StoreProfiles: [{s3SecretRef: AKIAVERYSECRET}]";
    let text = RamenConfig::parse(Role::Hub, yaml).unwrap_err().to_string();
    assert!(text.contains("s3StoreProfiles[0].s3SecretRef"), "{text}");
    assert!(!text.contains("AKIA"), "{text}");
}

const STORES: &str = "
s3StoreProfiles:
- s3ProfileName: s3-c1
  s3Bucket: bucket
  s3CompatibleEndpoint: http://minio:9000
  s3Region: us-east-1
  s3SecretRef: {name: s3-secret}
- s3ProfileName: s3-c2
  s3SecretRef: {name: other, namespace: ns}
  veleroNamespaceSecretKeyRef: {name: cloud, key: cfg}
";

#[test]
fn stores_are_found_by_name_and_know_veleros_credential() {
    let config = RamenConfig::parse(Role::Cluster, STORES).unwrap();
    let first = config.s3_profile("s3-c1").unwrap();
    assert_eq!(first.s3_compatible_endpoint, "http://minio:9000");
    assert_eq!(first.velero_credential(), ("vs3-secret".to_owned(), "ramengenerated".to_owned()));
    assert_eq!(config.s3_profile("s3-c2").unwrap().velero_credential(), ("cloud".to_owned(), "cfg".to_owned()));
    assert!(matches!(config.s3_profile("s3-c3"), Err(ConfigError::NoProfile { .. })));
}

#[test]
fn what_is_written_reads_back_the_same() {
    let yaml = format!("{STORES}\nvolSync: {{disabled: true, destinationCopyMethod: Snapshot}}\n");
    let config = RamenConfig::parse(Role::Cluster, &yaml).unwrap();
    assert_eq!(RamenConfig::parse(Role::Cluster, &config.to_yaml().unwrap()).unwrap(), config);
}

#[rstest]
#[case::no_election("future: 1")]
#[case::other_case("future: 1\nleaderelection: {ResourceName: hub.ramendr.openshift.io, leaderElect: false}")]
fn a_cluster_gets_the_hubs_document_under_its_own_election_name(#[case] hub: &str) {
    let sent = for_cluster(hub).unwrap();
    let config = RamenConfig::parse(Role::Hub, &sent).unwrap();
    assert_eq!(config.leader_election.resource_name, "dr-cluster.ramendr.openshift.io");
    assert_eq!(config.leader_election.leader_elect, !hub.contains("leaderElect: false"));
    assert!(sent.contains("future: 1"), "{sent}");
}
