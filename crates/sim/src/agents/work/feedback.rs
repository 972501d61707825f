//! Feedback: values of a live object that travel to the hub in its ManifestWork's status.

use serde_json::{Value, json};

use super::json_path::JsonPath;
use super::resource_meta::ResourceMeta;
use crate::agents::conditions::Condition;
use crate::agents::object;

/// Condition that tells whether the values could be read.
pub(super) const SYNCED: &str = "StatusFeedbackSynced";

/// What a work asks about one of its manifests.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted<'w> {
    rules: &'w [Value],
    /// Whether changes are to be told at once.
    pub watch: bool,
}

/// Finds what `spec.manifestConfigs` asks about a manifest: the first rules that match, the last scrape type.
pub(super) fn wanted<'w>(work: &'w Value, meta: &ResourceMeta) -> Wanted<'w> {
    let mut wanted = Wanted::default();
    for config in object::list(work, "/spec/manifestConfigs") {
        if !meta.matches(&config["resourceIdentifier"]) {
            continue;
        }
        if wanted.rules.is_empty() {
            wanted.rules = object::list(config, "/feedbackRules");
        }
        wanted.watch = config["feedbackScrapeType"] == "Watch";
    }
    wanted.watch &= !wanted.rules.is_empty();
    wanted
}

/// The values, and why some could not be read.
pub(super) fn read(wanted: &Wanted<'_>, live: &Value) -> (Vec<Value>, Vec<String>) {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for rule in wanted.rules {
        if rule["type"] != "JSONPaths" {
            errors.push(format!("feedback rule {} is not supported here", rule["type"]));
            continue;
        }
        for path in object::list(rule, "/jsonPaths") {
            match value(path, live) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => {}
                Err(why) => errors.push(why),
            }
        }
    }
    (values, errors)
}

fn value(path: &Value, live: &Value) -> Result<Option<Value>, String> {
    let name = object::text(path, "/name");
    let version = object::text(path, "/version");
    if !version.is_empty() && !object::text(live, "/apiVersion").ends_with(version) {
        return Err(format!("{name}: the object is not of version {version}"));
    }
    let parsed = JsonPath::parse(object::text(path, "/path")).map_err(|why| format!("{name}: {why}"))?;
    let field = match parsed.first(live) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => json!({"type": "String", "string": text}),
        Some(Value::Bool(yes)) => json!({"type": "Boolean", "boolean": yes}),
        Some(Value::Number(number)) if number.is_i64() => json!({"type": "Integer", "integer": number}),
        Some(_) => return Err(format!("{name}: not a text, an integer or a boolean")),
    };
    let fields = [("name".to_owned(), Value::from(name)), ("fieldValue".to_owned(), field)];
    Ok(Some(Value::Object(fields.into_iter().collect())))
}

/// Reason and message of the condition, for rules and the errors that they met.
pub(super) fn condition<'m>(wanted: &Wanted<'_>, errors: &[String], message: &'m mut String) -> Condition<'m> {
    let (status, reason) = match (wanted.rules.is_empty(), errors.is_empty()) {
        (true, _) => ("True", "NoStatusFeedbackSynced"),
        (false, true) => ("True", "StatusFeedbackSynced"),
        (false, false) => ("False", "StatusFeedbackSyncFailed"),
    };
    *message = errors.join("; ");
    Condition { kind: SYNCED, status, reason, message, observed_generation: None }
}
