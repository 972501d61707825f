//! `cargo xtask crds`: writes the CRD manifests from the types.

use std::path::Path;

use anyhow::Context as _;
use ramen_api::manifests::own_crds;

/// Writes each CRD below `deploy/crds` of the workspace.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/crds");
    for own in own_crds() {
        let path = folder.join(own.path());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        }
        std::fs::write(&path, own.to_yaml()?).with_context(|| format!("write {}", path.display()))?;
        println!("deploy/crds/{}", own.path().display());
    }
    Ok(())
}
