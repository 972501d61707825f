//! Patches: what their media types mean, and the two that know nothing of types (JSON patch and JSON merge patch).

use serde_json::{Map, Value};

use super::kinds::TypeRef;
use super::protobuf;
use super::refusal::Refusal;
use super::shape::Shape;
use super::strategic;

/// A patch as its media type says to read it.
#[derive(Debug)]
pub enum Patch {
    /// RFC 6902.
    Json(json_patch::Patch),
    /// RFC 7386.
    Merge(Value),
    /// Merge patch that knows the keys of lists.
    Strategic(Value),
    /// Server-side apply.
    Apply(Value),
}

const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";
const ACCEPTED_CUSTOM: &str = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

/// A body that holds one object, as JSON or YAML.
///
/// # Errors
/// When it is of another media type or cannot be read.
pub fn read_object(body: &[u8], content_type: &str) -> Result<Value, Refusal> {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let value = match media {
        "" | "application/json" => read_json(body)?,
        "application/yaml" => read_yaml(body)?,
        protobuf::MEDIA_TYPE => protobuf::decode(body)?,
        _ => return Err(Refusal::unsupported_media_type("application/json, application/yaml")),
    };
    if value.is_object() { Ok(value) } else { Err(Refusal::bad_request("the body of the request is no object")) }
}

fn read_json(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(format!("the body cannot be read: {error}")))
}

fn read_yaml(body: &[u8]) -> Result<Value, Refusal> {
    serde_norway::from_slice(body).map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))
}

/// Reads a patch.
///
/// # Errors
/// When the media type is not one for this resource, or the body cannot be read.
pub fn read(body: &[u8], content_type: &str, kind: &TypeRef) -> Result<Patch, Refusal> {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    match media {
        "application/json-patch+json" => serde_json::from_slice(body)
            .map(Patch::Json)
            .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}"))),
        "application/merge-patch+json" => read_json(body).map(Patch::Merge),
        "application/strategic-merge-patch+json" if !kind.kind.custom => read_json(body).map(Patch::Strategic),
        "application/apply-patch+yaml" => serde_json::from_slice(body).or_else(|_| read_yaml(body)).map(Patch::Apply),
        _ => Err(Refusal::unsupported_media_type(if kind.kind.custom { ACCEPTED_CUSTOM } else { ACCEPTED })),
    }
}

impl Patch {
    /// The object with the patch in it; an apply is more than that and not done here.
    ///
    /// # Errors
    /// When the patch does not fit the object.
    pub fn onto(&self, mut object: Value) -> Result<Value, Refusal> {
        match self {
            Self::Json(patch) => json_patch::patch(&mut object, patch).map_err(|error| {
                Refusal::unprocessable(format!(
                    "the server rejected our request due to an error in our request: {error}"
                ))
            })?,
            Self::Merge(patch) | Self::Apply(patch) => merge(&mut object, patch),
            Self::Strategic(patch) => strategic::merge(&mut object, patch, &Shape::Core { parent: "", field: "" })?,
        }
        if object.is_object() { Ok(object) } else { Err(Refusal::bad_request("the patch leaves no object")) }
    }
}

/// RFC 7386.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    // The examples of RFC 7386, appendix A.
    #[rstest]
    #[case(json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"}))]
    #[case(json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"}))]
    #[case(json!({"a":"b"}), json!({"a":null}), json!({}))]
    #[case(json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"}))]
    #[case(json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}}))]
    #[case(json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1}))]
    #[case(json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}}))]
    fn merge_patch_follows_the_rfc(#[case] mut target: Value, #[case] patch: Value, #[case] expected: Value) {
        merge(&mut target, &patch);
        assert_eq!(target, expected);
    }
}
