//! The story on real API servers: etcd, kube-apiserver and kube-controller-manager for each cluster.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

use std::process::Command;

#[test]
fn the_story_ends_the_same_on_real_api_servers() {
    if ramen_sim::real::assets().is_none() {
        eprintln!(
            "SKIPPED: the story on real API servers, since KUBEBUILDER_ASSETS names none; \
             hack/build-control-plane.sh builds them"
        );
        return;
    }
    let out = tempfile::tempdir().expect("a folder for the demo's output");
    let demo = Command::new(env!("CARGO_BIN_EXE_ramen-demo"))
        .args(["--api-servers", "real", "--out"])
        .arg(out.path())
        .output()
        .expect("ramen-demo starts");
    assert!(demo.status.success(), "the demo failed:\n{}", String::from_utf8_lossy(&demo.stderr));
}
