//! The objects at a moment of the story, kept as a file: what a reader, or a test, compares with other runs.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use ramen_sim::{
    api::{Api, Resource},
    kinds,
};
use serde_json::{Map, Value};

/// Kinds on the hub that tell the story.
const HUB: [&Resource; 7] = [
    &kinds::DR_POLICY,
    &kinds::DR_CLUSTER,
    &kinds::DRPC,
    &kinds::PLACEMENT,
    &kinds::PLACEMENT_DECISION,
    &kinds::MANIFEST_WORK,
    &kinds::VIEW,
];

/// Kinds on managed clusters that tell the story.
const SPOKE: [&Resource; 6] =
    [&kinds::DR_CLUSTER_CONFIG, &kinds::NAMESPACE, &kinds::VRG, &kinds::VOLUME_REPLICATION, &kinds::PVC, &kinds::PV];

/// Writes all objects of all clusters, and the decoded objects of all stores, into `file`:
/// `{cluster: {plural: {namespace/name: object}}, "s3": {store: {key: object}}}`.
///
/// # Errors
/// When a cluster that is there does not answer, or the file can't be written.
pub fn save(
    file: &Path,
    clusters: &BTreeMap<String, &dyn Api>,
    stores: &BTreeMap<String, BTreeMap<String, Value>>,
) -> Result<()> {
    let mut all = Map::new();
    for (name, api) in clusters {
        let wanted: &[&Resource] = if name == "hub" { &HUB } else { &SPOKE };
        let mut of_cluster = Map::new();
        for kind in wanted {
            let objects =
                api.list(kind, None, None).with_context(|| format!("could not list {} of {name}", kind.plural))?;
            let named = objects.into_iter().map(|mut object| {
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("managedFields");
                }
                (key(&object), object)
            });
            of_cluster.insert(kind.plural.to_owned(), named.collect::<Map<_, _>>().into());
        }
        all.insert(name.clone(), of_cluster.into());
    }
    let stores = stores.iter().filter(|(_, objects)| !objects.is_empty());
    let stores: Map<_, _> =
        stores.map(|(name, objects)| (name.clone(), objects.clone().into_iter().collect())).collect();
    if !stores.is_empty() {
        all.insert("s3".to_owned(), stores.into());
    }
    fs::write(file, serde_json::to_string_pretty(&all)?).with_context(|| format!("could not write {}", file.display()))
}

fn key(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}
