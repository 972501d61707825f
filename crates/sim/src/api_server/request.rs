//! Requests as the core sees them, and what their paths mean.

use bytes::Bytes;

use super::kinds::{Registry, TypeRef};
use super::refusal::Refusal;

/// HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read, list or watch.
    Get,
    /// Create.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Delete one or many.
    Delete,
}

/// One HTTP request, read whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path without the query, decoded.
    pub path: String,
    /// Query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// `Accept` header; empty when absent.
    pub accept: String,
    /// `Content-Type` header; empty when absent.
    pub content_type: String,
    /// `User-Agent` header; empty when absent.
    pub agent: String,
    /// Body.
    pub body: Bytes,
}

impl Request {
    /// First value of a query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a boolean query parameter is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), Some("true" | "1" | "True"))
    }

    /// Name under which the request's writes own fields: the parameter, else the user agent up to its first slash.
    #[must_use]
    pub fn manager(&self) -> &str {
        let named = self.param("fieldManager").filter(|name| !name.is_empty());
        let agent = self.agent.split('/').next().filter(|name| !name.is_empty());
        named.or(agent).unwrap_or("unknown")
    }
}

/// An object or a collection that a path names.
#[derive(Debug, Clone)]
pub struct Target {
    /// The resource.
    pub kind: TypeRef,
    /// Namespace in the path.
    pub namespace: Option<String>,
    /// Name in the path; `None` for collections.
    pub name: Option<String>,
    /// Subresource in the path.
    pub subresource: Option<String>,
}

/// What a path means.
#[derive(Debug, Clone)]
pub enum Route {
    /// Objects.
    Resource(Target),
    /// Everything else, as its segments: discovery, version, health, schemas.
    Other(Vec<String>),
}

/// Finds out what a path means.
///
/// # Errors
/// When it lies below a group and version but names no resource that is served.
pub fn route(registry: &Registry, path: &str) -> Result<Route, Refusal> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Ok(Route::Other(parts.into_iter().map(str::to_owned).collect())),
    };
    let (namespace, rest) = match rest {
        // The object of kind Namespace itself, and its subresources.
        ["namespaces"] | ["namespaces", _] => (None, rest),
        ["namespaces", _, "status" | "finalize"] if group.is_empty() => (None, rest),
        ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
        _ => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, subresource] => (*plural, Some(*name), Some(*subresource)),
        _ => return Err(Refusal::no_such_path()),
    };
    let kind = registry.find(group, version, plural).ok_or_else(Refusal::no_such_path)?;
    let misplaced = namespace.is_some() != kind.kind.namespaced && (namespace.is_some() || name.is_some());
    let known = match subresource {
        None => true,
        Some("status") => kind.has_status(),
        Some("finalize") => plural == "namespaces" && group.is_empty(),
        Some("token") => plural == "serviceaccounts" && group.is_empty(),
        Some(_) => false,
    };
    if misplaced || !known {
        return Err(Refusal::no_such_path());
    }
    Ok(Route::Resource(Target {
        kind,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    }))
}
