//! How API servers behave, as the operators and the simulated world rely on it: one body, two servers. Each check runs on
//! an embedded server of its own; all of them run on one real kube-apiserver when `KUBEBUILDER_ASSETS` names a folder
//! with one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail like tests")]

mod apply;
mod ask;
mod body;
mod deletion;
mod patches;
mod schemas;
mod selection;
mod watches;

use std::io::Write as _;
use std::panic::AssertUnwindSafe;

use ask::Server;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

/// A check by its name.
type Check = (&'static str, fn(Server) -> LocalBoxFuture<'static, ()>);

macro_rules! checks {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// All checks.
        const ALL: &[Check] = &[$((stringify!($name), |server| $module::$name(server).boxed_local())),*];

        mod embedded {
            $(
                #[tokio::test]
                async fn $name() {
                    crate::$module::$name(crate::ask::Server::embedded().await).await;
                }
            )*
        }
    };
}

checks! {
    body::a_new_object_gets_an_identity,
    body::names_are_generated_and_checked,
    body::an_object_exists_once,
    body::a_namespace_must_exist,
    body::a_stale_update_conflicts,
    body::custom_resources_need_a_version_to_be_updated,
    body::an_update_that_changes_nothing_is_none,
    body::spec_and_status_have_separate_writers,
    body::the_generation_counts_changes_of_the_spec,
    body::server_owned_metadata_is_kept,
    body::a_dry_run_leaves_nothing,
    body::claims_and_volumes_are_protected,
    body::a_claim_is_fixed,
    body::events_have_two_faces,
    body::custom_kinds_are_discovered,
    patches::merge_patches_merge,
    patches::json_patches_test_and_change,
    patches::strategic_patches_know_list_keys,
    patches::custom_kinds_have_no_strategic_patch,
    patches::a_patch_can_name_the_version_it_expects,
    patches::a_status_patch_changes_status_only,
    apply::applying_creates_and_owns,
    apply::what_the_schema_lacks_cannot_be_applied,
    apply::appliers_conflict_over_values,
    apply::force_takes_ownership,
    apply::what_is_not_applied_any_more_goes,
    apply::shared_fields_stay_until_the_last_owner_lets_go,
    apply::an_update_takes_ownership,
    apply::keyed_lists_are_owned_by_item,
    apply::status_is_applied_on_its_own,
    apply::applying_the_same_again_changes_nothing,
    deletion::finalizers_hold_an_object,
    deletion::a_deleted_object_takes_no_new_finalizers,
    deletion::deletion_can_name_the_object_it_means,
    deletion::dependents_follow_their_owner,
    deletion::a_dependent_with_another_owner_stays,
    deletion::orphans_stay,
    deletion::a_foreground_owner_waits,
    deletion::a_namespace_takes_its_content_along,
    deletion::many_are_deleted_by_label,
    deletion::a_definition_takes_its_objects_along,
    schemas::objects_that_break_the_schema_are_refused,
    schemas::defaults_are_filled_in,
    schemas::unknown_fields_are_dropped_or_refused,
    schemas::rules_about_changes_hold,
    schemas::a_broken_definition_is_refused,
    selection::lists_select_by_label,
    selection::lists_select_by_field,
    selection::tables_have_the_columns_of_the_definition,
    watches::a_watch_resumes_where_it_stood,
    watches::a_watch_begins_with_what_exists,
    watches::a_watch_from_too_long_ago_is_refused,
    watches::a_selecting_watch_sees_objects_come_and_go,
    watches::a_streaming_list_ends_with_a_bookmark,
    watches::a_deletion_is_seen_with_its_version,
}

/// Says something that the harness does not swallow.
#[expect(clippy::explicit_write, reason = "eprintln is what the harness swallows")]
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_does_the_same() {
    let Some(assets) = ramen_sim::real::assets() else {
        say("SKIPPED: KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let cluster = ramen_sim::real::RealCluster::start("conformance", folder.path(), &assets).await.unwrap();
    let mut failed = Vec::new();
    for (at, (name, check)) in ALL.iter().enumerate() {
        if !cluster.has_controllers() && NEED_CONTROLLERS.contains(name) {
            say(&format!("SKIPPED: {name}: the assets hold no kube-controller-manager"));
            continue;
        }
        let server = Server::new(cluster.client().await.unwrap(), at).await;
        let running = AssertUnwindSafe(check(server)).catch_unwind();
        if running.await.is_err() {
            eprintln!("FAILED on the real server: {name}");
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "a real server does otherwise in: {failed:?}");
}

/// Checks of what controllers do on real clusters.
const NEED_CONTROLLERS: &[&str] = &[
    "dependents_follow_their_owner",
    "a_dependent_with_another_owner_stays",
    "orphans_stay",
    "a_foreground_owner_waits",
    "a_namespace_takes_its_content_along",
];
