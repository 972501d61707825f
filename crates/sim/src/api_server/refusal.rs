//! Refusals: the `Status` objects that clients know, with the reasons and wording of real API servers.

use serde_json::{Value, json};

use super::kinds::ResourceType;

/// Why a request was refused; becomes a `v1.Status` of status `Failure`.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status code.
    pub code: u16,
    /// `reason` of the Status, e.g. `NotFound`.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// `details` of the Status; null when there are none.
    pub details: Value,
}

/// One broken rule of a schema: which field, which rule, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Machine-readable class, e.g. `FieldValueRequired`.
    pub reason: &'static str,
    /// Path of the field, e.g. `spec.drClusters`.
    pub field: String,
    /// The rest of the sentence, e.g. `Required value`.
    pub message: String,
}

impl Cause {
    /// A field that must be there and is not.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired", field: field.into(), message }
    }

    /// A value that a rule does not admit.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let shown = shown(value);
        Self { reason: "FieldValueInvalid", field: field.into(), message: format!("Invalid value: {shown}: {detail}") }
    }

    /// A change that is not allowed.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { reason: "FieldValueForbidden", field: field.into(), message: format!("Forbidden: {detail}") }
    }
}

/// How a value appears in a message: scalars as they are, others by their type.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "\"object\"".to_owned(),
        Value::Array(_) => "\"array\"".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// How strict refusals begin.
const STRICT: &str = "strict decoding error: ";

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    fn about(mut self, kind: &ResourceType, name: &str) -> Self {
        self.details = json!({ "kind": kind.plural });
        if !name.is_empty() {
            self.details["name"] = json!(name);
        }
        if !kind.group.is_empty() {
            self.details["group"] = json!(kind.group);
        }
        self
    }

    /// The object does not exist.
    #[must_use]
    pub fn not_found(kind: &ResourceType, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.qualified())).about(kind, name)
    }

    /// The path names no resource.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// An object of that name exists.
    #[must_use]
    pub fn already_exists(kind: &ResourceType, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", kind.qualified())).about(kind, name)
    }

    /// Optimistic concurrency, or a precondition, failed.
    #[must_use]
    pub fn conflict(kind: &ResourceType, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// A deletion that means another object, or another version of it.
    #[must_use]
    pub fn other_object(kind: &ResourceType, name: &str, what: &str, [given, actual]: [&str; 2], fate: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the {what} in the precondition ({given}) does not match the {what} in record ({actual}). The object might have been {fate}",
            kind.qualified_kind()
        );
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// The object changed since the writer read it.
    #[must_use]
    pub fn stale(kind: &ResourceType, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    /// The object breaks rules of its schema.
    #[must_use]
    pub fn invalid(kind: &ResourceType, name: &str, causes: &[Cause]) -> Self {
        let texts: Vec<String> = causes
            .iter()
            .map(|cause| {
                if cause.field.is_empty() {
                    cause.message.clone()
                } else {
                    format!("{}: {}", cause.field, cause.message)
                }
            })
            .collect();
        let list = if let [only] = texts.as_slice() { only.clone() } else { format!("[{}]", texts.join(", ")) };
        let mut refusal = Self::new(422, "Invalid", format!("{} \"{name}\" is invalid: {list}", kind.qualified_kind()));
        refusal.details = json!({
            "name": name,
            "kind": kind.kind,
            "causes": causes.iter().map(|cause| json!({
                "reason": cause.reason, "message": cause.message, "field": cause.field,
            })).collect::<Vec<_>>(),
        });
        if !kind.group.is_empty() {
            refusal.details["group"] = json!(kind.group);
        }
        refusal
    }

    /// Another field manager owns fields that an apply wants to change.
    #[must_use]
    pub fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let count = conflicts.len();
        let noun = if count == 1 { "conflict" } else { "conflicts" };
        let mut managers: Vec<&str> = Vec::new();
        for (manager, _) in conflicts {
            if !managers.contains(&manager.as_str()) {
                managers.push(manager);
            }
        }
        let message = match (conflicts, managers.as_slice()) {
            ([(manager, path)], _) => format!("Apply failed with 1 conflict: conflict with {manager}: {path}"),
            (_, [manager]) => {
                let paths: Vec<String> = conflicts.iter().map(|(_, path)| format!("- {path}")).collect();
                format!("Apply failed with {count} {noun}: conflicts with {manager}:\n{}", paths.join("\n"))
            }
            _ => {
                let mut text = format!("Apply failed with {count} {noun}: ");
                for manager in &managers {
                    text.push_str(&format!("conflicts with {manager}:\n"));
                    for (_, path) in conflicts.iter().filter(|(other, _)| other == manager) {
                        text.push_str(&format!("- {path}\n"));
                    }
                }
                text
            }
        };
        let mut refusal = Self::new(409, "Conflict", message);
        refusal.details = json!({ "causes": conflicts.iter().map(|(manager, path)| json!({
            "reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path,
        })).collect::<Vec<_>>() });
        refusal
    }

    /// The request itself is malformed.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// New content for a namespace that is being deleted.
    #[must_use]
    pub fn namespace_terminating(kind: &ResourceType, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.qualified());
        let mut refusal = Self::new(403, "Forbidden", message).about(kind, name);
        refusal.details["causes"] = json!([{
            "reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": format!("namespace {namespace} is being terminated"),
        }]);
        refusal
    }

    /// An action that policy forbids.
    #[must_use]
    pub fn forbidden(kind: &ResourceType, name: &str, why: &str) -> Self {
        Self::new(403, "Forbidden", format!("{} \"{name}\" is forbidden: {why}", kind.qualified())).about(kind, name)
    }

    /// History that the watcher asks for is no longer kept.
    #[must_use]
    pub fn expired(wanted: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {wanted} ({oldest})"))
    }

    /// A version that this server has not reached.
    #[must_use]
    pub fn too_large_version(wanted: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {wanted}, current: {current}");
        let mut refusal = Self::new(504, "Timeout", message);
        refusal.details = json!({
            "retryAfterSeconds": 1,
            "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
        });
        refusal
    }

    /// The path is known but not with that method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// The client accepts none of our media types.
    #[must_use]
    pub fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json, application/yaml";
        Self::new(406, "NotAcceptable", message)
    }

    /// The body has a media type that we cannot read.
    #[must_use]
    pub fn unsupported_media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// The patch could not be applied to the object.
    #[must_use]
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message)
    }

    /// An error that the server has no word for.
    #[must_use]
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// A strict refusal of a body, as it is told of a patch.
    #[must_use]
    pub fn of_patch(self, patched: &str) -> Self {
        if !self.message.starts_with(STRICT) {
            return self;
        }
        Self::new(422, "Invalid", format!(" \"\" is invalid: patch: Invalid value: {patched:?}: {}", self.message))
    }

    /// A body has fields that the schema does not know, although the writer wanted none.
    #[must_use]
    pub fn strict(unknown: &[String]) -> Self {
        Self::bad_request(format!("{STRICT}{}", unknown.join(", ")))
    }

    /// The `v1.Status` object.
    #[must_use]
    pub fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

/// The `v1.Status` that answers a finished deletion.
#[must_use]
pub fn success(kind: &ResourceType, name: &str, uid: &str) -> Value {
    let mut details = json!({ "name": name, "kind": kind.plural, "uid": uid });
    if !kind.group.is_empty() {
        details["group"] = json!(kind.group);
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
