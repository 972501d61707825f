//! Bodies in Kubernetes' protobuf envelope, for the few kinds that `kubectl create` sends so and no other way.
//!
//! Answers are never protobuf: clients that ask for it name JSON as their second choice.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// Media type of the envelope.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What precedes the envelope.
const MAGIC: &[u8] = b"k8s\0";

#[derive(Clone, Copy)]
enum Form {
    Text,
    Bytes,
    Integer,
    Flag,
    Message(&'static [Field]),
    TextMap,
    BytesMap,
}

#[derive(Clone, Copy)]
struct Field {
    number: u64,
    name: &'static str,
    form: Form,
    repeated: bool,
}

const fn one(number: u64, name: &'static str, form: Form) -> Field {
    Field { number, name, form, repeated: false }
}

const fn many(number: u64, name: &'static str, form: Form) -> Field {
    Field { number, name, form, repeated: true }
}

const OWNER: &[Field] = &[
    one(1, "kind", Form::Text),
    one(3, "name", Form::Text),
    one(4, "uid", Form::Text),
    one(5, "apiVersion", Form::Text),
    one(6, "controller", Form::Flag),
    one(7, "blockOwnerDeletion", Form::Flag),
];
const META: &[Field] = &[
    one(1, "name", Form::Text),
    one(2, "generateName", Form::Text),
    one(3, "namespace", Form::Text),
    one(5, "uid", Form::Text),
    one(6, "resourceVersion", Form::Text),
    one(11, "labels", Form::TextMap),
    one(12, "annotations", Form::TextMap),
    many(13, "ownerReferences", Form::Message(OWNER)),
    many(14, "finalizers", Form::Text),
];
const METADATA: Field = one(1, "metadata", Form::Message(META));
const NAMESPACE: &[Field] = &[METADATA, one(2, "spec", Form::Message(&[many(1, "finalizers", Form::Text)]))];
const CONFIG_MAP: &[Field] =
    &[METADATA, one(2, "data", Form::TextMap), one(3, "binaryData", Form::BytesMap), one(4, "immutable", Form::Flag)];
const SECRET: &[Field] = &[
    METADATA,
    one(2, "data", Form::BytesMap),
    one(3, "type", Form::Text),
    one(4, "stringData", Form::TextMap),
    one(5, "immutable", Form::Flag),
];
const SERVICE_ACCOUNT: &[Field] = &[METADATA];
const DELETE_OPTIONS: &[Field] = &[
    one(1, "gracePeriodSeconds", Form::Integer),
    one(2, "preconditions", Form::Message(&[one(1, "uid", Form::Text), one(2, "resourceVersion", Form::Text)])),
    one(3, "orphanDependents", Form::Flag),
    one(4, "propagationPolicy", Form::Text),
    many(5, "dryRun", Form::Text),
];
const ACCESS_REVIEW: &[Field] = &[
    METADATA,
    one(
        2,
        "spec",
        Form::Message(&[
            one(
                1,
                "resourceAttributes",
                Form::Message(&[
                    one(1, "namespace", Form::Text),
                    one(2, "verb", Form::Text),
                    one(3, "group", Form::Text),
                    one(4, "version", Form::Text),
                    one(5, "resource", Form::Text),
                    one(6, "subresource", Form::Text),
                    one(7, "name", Form::Text),
                ]),
            ),
            one(2, "nonResourceAttributes", Form::Message(&[one(1, "path", Form::Text), one(2, "verb", Form::Text)])),
        ]),
    ),
];
const TOKEN_REQUEST: &[Field] = &[
    METADATA,
    one(2, "spec", Form::Message(&[many(1, "audiences", Form::Text), one(4, "expirationSeconds", Form::Integer)])),
];
const ENVELOPE: &[Field] = &[
    one(1, "type", Form::Message(&[one(1, "apiVersion", Form::Text), one(2, "kind", Form::Text)])),
    one(2, "raw", Form::Bytes),
];

/// Reads an envelope and the object in it.
///
/// # Errors
/// When it is none, or of a kind that is not read in this form.
pub fn decode(body: &[u8]) -> Result<Value, Refusal> {
    let broken = || Refusal::bad_request("the protobuf body cannot be read");
    let envelope = body.strip_prefix(MAGIC).and_then(|rest| message(rest, ENVELOPE)).ok_or_else(broken)?;
    let text = |pointer: &str| envelope.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("/type/apiVersion"), text("/type/kind"));
    let fields = match (api_version, kind) {
        ("v1", "Namespace") => NAMESPACE,
        ("v1", "ConfigMap") => CONFIG_MAP,
        ("v1", "Secret") => SECRET,
        ("v1", "ServiceAccount") => SERVICE_ACCOUNT,
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview") => ACCESS_REVIEW,
        ("authentication.k8s.io/v1", "TokenRequest") => TOKEN_REQUEST,
        (_, "DeleteOptions") => DELETE_OPTIONS,
        _ => return Err(Refusal::unsupported_media_type("application/json, application/yaml")),
    };
    let raw = base64::engine::general_purpose::STANDARD.decode(text("/raw")).map_err(|_| broken())?;
    let mut object = message(&raw, fields).ok_or_else(broken)?;
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    Ok(object)
}

/// One field on the wire.
enum Raw<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

fn message(mut bytes: &[u8], fields: &[Field]) -> Option<Value> {
    let mut map = Map::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let raw = match tag & 7 {
            0 => Raw::Number(varint(&mut bytes)?),
            1 => Raw::Bytes(take(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Raw::Bytes(take(&mut bytes, length)?)
            }
            5 => Raw::Bytes(take(&mut bytes, 4)?),
            _ => return None,
        };
        let Some(field) = fields.iter().find(|field| field.number == tag >> 3) else { continue };
        let value = value(field.form, raw)?;
        match (&value, map.get_mut(field.name)) {
            // Absent and empty are the same on the wire.
            (Value::String(text), _) if text.is_empty() && !field.repeated => {}
            (Value::Object(entry), Some(Value::Object(known))) => known.extend(entry.clone()),
            (_, Some(Value::Array(list))) if field.repeated => list.push(value),
            _ if field.repeated => {
                map.insert(field.name.to_owned(), json!([value]));
            }
            _ => {
                map.insert(field.name.to_owned(), value);
            }
        }
    }
    Some(Value::Object(map))
}

fn value(form: Form, raw: Raw<'_>) -> Option<Value> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(Value::from);
    let encoded = |bytes: &[u8]| Value::from(base64::engine::general_purpose::STANDARD.encode(bytes));
    match (form, raw) {
        (Form::Text, Raw::Bytes(bytes)) => text(bytes),
        (Form::Bytes, Raw::Bytes(bytes)) => Some(encoded(bytes)),
        (Form::Integer, Raw::Number(number)) => Some(json!(number)),
        (Form::Flag, Raw::Number(number)) => Some(json!(number != 0)),
        (Form::Message(fields), Raw::Bytes(bytes)) => message(bytes, fields),
        (Form::TextMap, Raw::Bytes(bytes)) => entry(bytes, Form::Text),
        (Form::BytesMap, Raw::Bytes(bytes)) => entry(bytes, Form::Bytes),
        _ => None,
    }
}

/// An entry of a map, as a map of one.
fn entry(bytes: &[u8], form: Form) -> Option<Value> {
    let read = message(bytes, &[one(1, "key", Form::Text), one(2, "value", form)])?;
    let key = read.get("key").and_then(Value::as_str).unwrap_or_default();
    let content = read.get("value").cloned().unwrap_or_else(|| json!(""));
    Some(Value::Object(Map::from_iter([(key.to_owned(), content)])))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a field of bytes: tag, length, content (all shorter than 128 here).
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_config_map_is_read() {
        let entry = [field(1, b"k"), field(2, b"v")].concat();
        let meta = [field(1, b"name"), field(2, b""), field(14, b"x"), field(14, b"y")].concat();
        let object = [field(1, &meta), field(2, &entry)].concat();
        let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
        let body = [MAGIC, &field(1, &kind), &field(2, &object), &field(3, b"")].concat();
        assert_eq!(
            decode(&body).unwrap(),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "name", "finalizers": ["x", "y"]}, "data": {"k": "v"}})
        );
        assert_eq!(decode(&body[..20]).unwrap_err().code, 400);
    }
}
