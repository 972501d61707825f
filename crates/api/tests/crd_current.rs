//! The manifests in `deploy/crds` are those of the types.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ramen_api::manifests::own_crds;

#[test]
fn committed_crds_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    let mut stale = Vec::new();
    for own in own_crds() {
        let path = folder.join(own.path());
        if std::fs::read_to_string(&path).unwrap_or_default() != own.to_yaml().unwrap() {
            stale.push(own.path());
        }
    }
    assert!(stale.is_empty(), "out of date: {stale:?}; run `cargo xtask crds` and commit the result");
}

#[test]
fn no_crd_is_left_behind() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    let wanted: BTreeSet<PathBuf> = own_crds().iter().map(|own| own.path()).collect();
    for side in ["hub", "spoke"] {
        for entry in std::fs::read_dir(folder.join(side)).expect("run `cargo xtask crds`") {
            let path = Path::new(side).join(entry.unwrap().file_name());
            let is_crd = path.extension().is_some_and(|ext| ext == "yaml") && !path.ends_with("kustomization.yaml");
            assert!(!is_crd || wanted.contains(&path), "{path:?} belongs to no type; delete it");
        }
    }
}
