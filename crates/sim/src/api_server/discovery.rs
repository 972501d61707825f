//! What the server serves: groups, versions, resources; version and health.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::kinds::{Registry, ResourceType};
use super::openapi;
use super::refusal::Refusal;
use super::request::Request;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Answers a GET of anything that is not an object.
///
/// # Errors
/// When there is nothing at the path.
pub fn answer(registry: &Registry, parts: &[String], request: &Request) -> Result<Answer, Refusal> {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let aggregated = request.accept.split(',').any(|clause| {
        clause.contains("as=APIGroupDiscoveryList") && clause.split(';').any(|part| part.trim() == "v=v2")
    });
    let document = match parts.as_slice() {
        [] => {
            json!({ "paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"] })
        }
        ["healthz" | "livez" | "readyz", ..] => return Ok(Answer::plain("ok")),
        ["version"] => version(),
        ["api"] if aggregated => return Ok(Answer::typed(groups_whole(registry, true), AGGREGATED)),
        ["apis"] if aggregated => return Ok(Answer::typed(groups_whole(registry, false), AGGREGATED)),
        ["api"] => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1" }],
        }),
        ["apis"] => group_list(registry),
        ["api", version] => resource_list(registry, "", version)?,
        ["apis", name] => {
            let versions = groups(registry).remove(*name).ok_or_else(Refusal::no_such_path)?;
            let mut group = group(name, &versions);
            group["kind"] = json!("APIGroup");
            group["apiVersion"] = json!("v1");
            group
        }
        ["apis", group, version] => resource_list(registry, group, version)?,
        ["openapi", "v2"] => openapi::v2(),
        ["openapi", "v3"] => openapi::index(registry),
        ["openapi", "v3", "api", version] => openapi::document(registry, "", version)?,
        ["openapi", "v3", "apis", group, version] => openapi::document(registry, group, version)?,
        _ => return Err(Refusal::no_such_path()),
    };
    Ok(Answer::document(200, document))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.0+simulated", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2025-08-27T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
    })
}

/// Groups and their versions, without the core group.
fn groups(registry: &Registry) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in registry.all().filter(|kind| !kind.group.is_empty()) {
        let versions = groups.entry(kind.group.clone()).or_default();
        for version in kind.versions.iter().filter(|version| version.served) {
            if !versions.contains(&version.name) {
                versions.push(version.name.clone());
            }
        }
    }
    for versions in groups.values_mut() {
        versions.sort_by_key(|name| std::cmp::Reverse(priority(name)));
    }
    groups
}

/// Stable versions before betas before alphas, newer ones first.
fn priority(version: &str) -> (u8, u64, u64) {
    let rest = version.strip_prefix('v').unwrap_or(version);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let major = rest[..digits].parse().unwrap_or(0);
    let minor = |name: &str| rest[digits..].strip_prefix(name).and_then(|text| text.parse().ok());
    match (rest.len() == digits, minor("beta"), minor("alpha")) {
        (true, _, _) => (3, major, 0),
        (_, Some(minor), _) => (2, major, minor),
        (_, _, Some(minor)) => (1, major, minor),
        _ => (0, major, 0),
    }
}

fn group(name: &str, versions: &[String]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version }))
        .collect();
    json!({ "name": name, "preferredVersion": versions.first(), "versions": versions })
}

fn group_list(registry: &Registry) -> Value {
    let list: Vec<Value> = groups(registry).iter().map(|(name, versions)| group(name, versions)).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": list })
}

fn verbs(kind: &ResourceType) -> Value {
    if kind.create_only {
        json!(["create"])
    } else {
        json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"])
    }
}

/// Kinds that a group serves in a version, with the index of the version.
fn served<'r>(registry: &'r Registry, group: &str, version: &str) -> Vec<(&'r Arc<ResourceType>, usize)> {
    let of_group = registry.all().filter(|kind| kind.group == group);
    of_group
        .filter_map(|kind| {
            let at = kind.versions.iter().position(|known| known.served && known.name == version)?;
            Some((kind, at))
        })
        .collect()
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Result<Value, Refusal> {
    let mut resources = Vec::new();
    for (kind, at) in served(registry, group, version) {
        let mut entry = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": verbs(kind),
        });
        if !kind.short_names.is_empty() {
            entry["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            entry["categories"] = json!(kind.categories);
        }
        resources.push(entry);
        if kind.versions[at].status {
            resources.push(json!({
                "name": format!("{}/status", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "kind": kind.kind, "verbs": ["get", "patch", "update"],
            }));
        }
    }
    if resources.is_empty() {
        return Err(Refusal::no_such_path());
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources }))
}

/// Aggregated discovery: everything in one document.
fn groups_whole(registry: &Registry, core: bool) -> Value {
    let mut list = groups(registry);
    if core {
        list = BTreeMap::from([(String::new(), vec!["v1".to_owned()])]);
    }
    let items = list.iter().map(|(group, versions)| {
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| {
                let resources: Vec<Value> =
                    served(registry, group, version).into_iter().map(|(kind, at)| resource_whole(kind, at)).collect();
                json!({ "version": version, "resources": resources, "freshness": "Current" })
            })
            .collect();
        let metadata = if core {
            json!({ "creationTimestamp": null })
        } else {
            json!({ "name": group, "creationTimestamp": null })
        };
        json!({ "metadata": metadata, "versions": versions })
    });
    let items: Vec<Value> = items.collect();
    json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items })
}

fn resource_whole(kind: &ResourceType, at: usize) -> Value {
    let response = json!({ "group": kind.group, "version": kind.versions[at].name, "kind": kind.kind });
    let mut entry = json!({
        "resource": kind.plural, "responseKind": response,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": verbs(kind),
    });
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    if kind.versions[at].status {
        entry["subresources"] = json!([{
            "subresource": "status", "responseKind": response, "verbs": ["get", "patch", "update"],
        }]);
    }
    entry
}
