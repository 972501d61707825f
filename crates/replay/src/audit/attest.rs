//! The report as an in-toto Statement, signed in a DSSE envelope, and the check of one.
//!
//! ```text
//!   envelope  { payloadType, payload: base64(statement), signatures: [{ keyid, sig: base64 }] }
//!   signed    "DSSEv1 " length(type) " " type " " length(statement) " " statement     (Ed25519)
//!   statement { _type, subject: [logs with their digests], predicateType, predicate: the report }
//! ```

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    digest,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject};
use serde_json::{Value, json};

use crate::{
    audit::{integrity::hex, report::Report},
    open::Usage,
};

/// What in-toto calls the payload of an envelope.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The statement's own type.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of what is stated.
pub const PREDICATE: &str = "urn:ramen-replay:audit:v1";

/// What stands before the 32 bytes of an Ed25519 public key in DER (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that signs.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// Reads a private key: PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`Usage`] when it is none; the key itself is never part of the text.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |why: &str| {
            let path = path.display();
            Usage(format!("--sign {path}: {why}; make a key with: openssl genpkey -algorithm ed25519 -out {path}"))
        };
        let der = PrivatePkcs8KeyDer::from_pem_file(path).map_err(|err| wrong(&pem_words(&err)))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|err| wrong(&format!("it is no Ed25519 key in PKCS#8 form ({err})")))?;
        Ok(Self(pair))
    }
}

fn pem_words(err: &rustls_pki_types::pem::Error) -> String {
    match err {
        rustls_pki_types::pem::Error::NoItemsFound => "it holds no such key in PEM form".to_owned(),
        err => format!("it could not be read ({err})"),
    }
}

/// A key that checks: 32 bytes.
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a public key: PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// [`Usage`] when it is none.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |why: &str| {
            let path = path.display();
            Usage(format!(
                "--key {path}: {why}; take it from the key with: openssl pkey -in KEY.pem -pubout -out {path}"
            ))
        };
        let der = SubjectPublicKeyInfoDer::from_pem_file(path).map_err(|err| wrong(&pem_words(&err)))?;
        let key = der.as_ref().strip_prefix(&SPKI).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| wrong("it is no Ed25519 key").into())
    }

    fn id(&self) -> String {
        key_id(&self.0)
    }
}

/// The name of a key: SHA-256 of its public half in DER.
fn key_id(public: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, &[&SPKI[..], public].concat()).as_ref())
}

/// What is signed of a payload (DSSE, "pre-authentication encoding").
fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), payload].concat()
}

/// The statement about a report.
fn statement(report: &Report) -> Result<Value> {
    let subject = report.logs.iter().map(|log| {
        let mut digest = json!({"ramenlogChain": log.hash});
        if let (Some(sha256), Some(digests)) = (&log.sha256, digest.as_object_mut()) {
            digests.insert("sha256".to_owned(), json!(sha256));
        }
        json!({"name": log.file, "digest": digest})
    });
    Ok(json!({
        "_type": STATEMENT,
        "subject": subject.collect::<Vec<_>>(),
        "predicateType": PREDICATE,
        "predicate": serde_json::to_value(report)?,
    }))
}

/// The signed envelope of a report, as JSON.
///
/// # Errors
/// None that is known.
pub fn signed(report: &Report, signer: &Signer) -> Result<String> {
    let payload = serde_json::to_vec(&statement(report)?)?;
    let signature = signer.0.sign(&encoded(PAYLOAD_TYPE, &payload));
    let envelope = json!({
        "payloadType": PAYLOAD_TYPE,
        "payload": BASE64_STANDARD.encode(&payload),
        "signatures": [{
            "keyid": key_id(signer.0.public_key().as_ref()),
            "sig": BASE64_STANDARD.encode(signature.as_ref()),
        }],
    });
    Ok(serde_json::to_string_pretty(&envelope)?)
}

/// The statement in an envelope, if the key signed it.
///
/// # Errors
/// When it is no envelope, or the key did not sign what is in it.
pub fn checked(text: &str, key: &PublicKey) -> Result<Value> {
    let envelope: Value = serde_json::from_str(text).context("it is not JSON")?;
    let field = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let missing = |name: &str| anyhow!("it is no signed report: it has no {name}");
    let kind = field(&envelope, "payloadType").ok_or_else(|| missing("payloadType"))?;
    let payload = field(&envelope, "payload").ok_or_else(|| missing("payload"))?;
    let payload = BASE64_STANDARD.decode(payload).context("its payload is not base64")?;
    let signatures = envelope.get("signatures").and_then(Value::as_array).ok_or_else(|| missing("signatures"))?;
    let signed = encoded(&kind, &payload);
    let public = UnparsedPublicKey::new(&ED25519, key.0);
    let good = signatures.iter().filter_map(|signature| BASE64_STANDARD.decode(field(signature, "sig")?).ok());
    if !good.into_iter().any(|signature| public.verify(&signed, &signature).is_ok()) {
        let by: Vec<String> = signatures.iter().filter_map(|signature| field(signature, "keyid")).collect();
        let (id, by) = (key.id(), by.join(", "));
        return Err(anyhow!(
            "it was not signed by this key (key {id}, signed by {by}), or it was changed since: it is no evidence"
        ));
    }
    if kind != PAYLOAD_TYPE {
        return Err(anyhow!("it holds {kind}, not {PAYLOAD_TYPE}"));
    }
    let statement: Value = serde_json::from_slice(&payload).context("its payload is not JSON")?;
    match (field(&statement, "_type").as_deref(), field(&statement, "predicateType").as_deref()) {
        (Some(STATEMENT), Some(PREDICATE)) => Ok(statement),
        (_, found) => Err(anyhow!("it states {}, not {PREDICATE}", found.unwrap_or("nothing that has a type"))),
    }
}
