//! The least of OpenAPI that `kubectl` needs: which resources validate fields on the server, and the schemas of custom
//! resources as their definitions have them (for `kubectl explain`).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::kinds::{Registry, ResourceType};
use super::refusal::Refusal;

/// `/openapi/v2`: no definitions; clients ask version 3 first.
#[must_use]
pub fn v2() -> Value {
    json!({ "swagger": "2.0", "info": { "title": "Kubernetes", "version": "v1.34.0" }, "paths": {}, "definitions": {} })
}

/// `/openapi/v3`: where the documents are.
#[must_use]
pub fn index(registry: &Registry) -> Value {
    let mut places = BTreeSet::new();
    for kind in registry.all() {
        for version in kind.versions.iter().filter(|version| version.served) {
            places.insert(if kind.group.is_empty() {
                format!("api/{}", version.name)
            } else {
                format!("apis/{}/{}", kind.group, version.name)
            });
        }
    }
    let paths: Map<String, Value> = places
        .into_iter()
        .map(|place| {
            let url = json!({ "serverRelativeURL": format!("/openapi/v3/{place}") });
            (place, url)
        })
        .collect();
    json!({ "paths": paths })
}

/// `/openapi/v3/..`: the document of one group and version.
///
/// # Errors
/// When nothing is served there.
pub fn document(registry: &Registry, group: &str, version: &str) -> Result<Value, Refusal> {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for kind in registry.all().filter(|kind| kind.group == group) {
        let Some(found) = kind.versions.iter().find(|known| known.served && known.name == version) else { continue };
        paths.insert(path(kind, version), operations(kind, version));
        let content = found.document.clone();
        let mut schema = content.unwrap_or_else(|| json!({ "type": "object" }));
        schema["x-kubernetes-group-version-kind"] =
            json!([{ "group": kind.group, "version": version, "kind": kind.kind }]);
        let name = if group.is_empty() { "core" } else { group };
        schemas.insert(format!("{name}.{version}.{}", kind.kind), schema);
    }
    if paths.is_empty() {
        return Err(Refusal::no_such_path());
    }
    Ok(json!({
        "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "v1.34.0" },
        "paths": paths, "components": { "schemas": schemas },
    }))
}

fn path(kind: &ResourceType, version: &str) -> String {
    let root =
        if kind.group.is_empty() { format!("/api/{version}") } else { format!("/apis/{}/{version}", kind.group) };
    let scope = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
    format!("{root}{scope}/{}/{{name}}", kind.plural)
}

fn operations(kind: &ResourceType, version: &str) -> Value {
    let gvk = json!({ "group": kind.group, "version": version, "kind": kind.kind });
    let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string" } });
    let parameters = json!([parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")]);
    let operation = |action: &str| json!({ "parameters": parameters, "x-kubernetes-action": action, "x-kubernetes-group-version-kind": gvk, "responses": {} });
    json!({ "get": operation("get"), "put": operation("put"), "patch": operation("patch"), "delete": operation("delete") })
}
