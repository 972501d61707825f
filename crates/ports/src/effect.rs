//! What a command comes down to: calls to an API server or to an S3 store.

use std::sync::Arc;

use ramen_api::Resource;
use ramen_events::{Outcome, spoke::Fence};
use serde_json::{Value, json};

use crate::{Requirement, Unused};

/// An object of this cluster's API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub resource: &'static Resource,
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Target {
    /// A body with what says which object it is.
    #[must_use]
    pub fn complete(&self, body: &Value) -> Value {
        let mut body = body.clone();
        body["apiVersion"] = json!(self.resource.api_version());
        body["kind"] = json!(self.resource.kind);
        body["metadata"]["name"] = json!(self.name);
        if !self.namespace.is_empty() {
            body["metadata"]["namespace"] = json!(self.namespace);
        }
        body
    }
}

/// What a refusal of an API server, by its HTTP status code, means for the command whose call it was.
#[must_use]
pub fn refusal(code: u16, reason: &str, message: &str) -> Outcome {
    match code {
        409 => Outcome::Conflict { message: message.to_owned() },
        // The server may have given up on something that still happens.
        500.. => Outcome::Unknown { message: format!("{code} {reason}: {message}") },
        code => Outcome::Refused { code, reason: reason.to_owned(), message: message.to_owned() },
    }
}

/// One call. The effects of a command are carried out in order and stop at the first that fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Lets what follows happen only if an object stands as it has to, asked of the API server itself: what watches tell can
    /// be minutes old, above all for an operator that lost its lead and does not know. It adds nothing to the answers.
    Require(Requirement),
    /// Lets a demotion happen only if nobody uses the claim, asked in the same way (spec vrg VS2).
    RequireUnused(Unused),
    /// Server-side apply with our field manager, taking over fields from others (`force`).
    Apply {
        /// What.
        target: Target,
        /// The fields that we own; `apiVersion`, `kind` and `metadata.name` are filled in.
        body: Value,
    },
    /// Creates an object. "Already exists" is a conflict.
    Create {
        /// What.
        target: Target,
        /// The whole object.
        body: Value,
    },
    /// JSON merge patch. With `metadata.resourceVersion` in the body it fails with a conflict if the object moved on.
    Merge {
        /// What.
        target: Target,
        /// The patch.
        body: Value,
    },
    /// JSON merge patch of the status subresource.
    MergeStatus {
        /// What.
        target: Target,
        /// `{"status": ...}`, with `metadata.resourceVersion` when a lost update would matter.
        body: Value,
    },
    /// Deletes an object. "Not found" is success.
    Delete {
        /// What.
        target: Target,
        /// Only if it is still this object.
        uid: Option<String>,
    },
    /// Reports a Kubernetes Event; failing to do so never fails the command.
    Event {
        /// About which object.
        regarding: Target,
        /// Its uid, when known.
        uid: String,
        /// `Warning`, else `Normal`.
        warning: bool,
        /// One word.
        reason: String,
        /// For people.
        message: String,
    },
    /// A call to an S3 store.
    Store {
        /// Which store.
        profile: StoreProfile,
        /// What to do there.
        operation: StoreOperation,
    },
}

/// How to reach an S3 store. The credentials are not in it: the executor takes them from the watched Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreProfile {
    /// Name of the profile.
    pub name: String,
    /// Endpoint URL.
    pub endpoint: String,
    /// Bucket.
    pub bucket: String,
    /// Region.
    pub region: String,
    /// Namespace of the Secret with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    pub secret_namespace: String,
    /// Name of that Secret.
    pub secret_name: String,
    /// PEM certificates of the store's authority; empty for the system's.
    pub ca_certificates: Vec<u8>,
}

/// One call to a store. Bodies are JSON; compression is done here (spec spoke-config 4.4: gzip of JSON).
#[derive(Clone, Debug, PartialEq)]
pub enum StoreOperation {
    /// Checks that the bucket exists and can be listed.
    Probe {
        /// Prefix to list.
        prefix: String,
    },
    /// Stores objects, in this order; stops at the first failure.
    Put(Vec<(String, Value)>),
    /// Reads one object.
    Get(String),
    /// Reads all objects whose keys have this prefix.
    GetAll(String),
    /// Lists keys.
    List(String),
    /// Deletes keys; absent ones are fine.
    Delete(Vec<String>),
    /// Deletes all keys with this prefix.
    DeleteAll(String),
    /// Writes or deletes as long as nobody with a higher epoch has taken the store over (decision 6):
    ///
    /// 1. [`fence::enter`](crate::fence::enter) with what lies under `key`. It refuses, or says what has to lie there first:
    ///    that is put on condition that nobody else put something meanwhile, else this begins anew.
    /// 2. The operation. Where it takes long, 1 again before more is written.
    /// 3. [`fence::leave`](crate::fence::leave) with what lies under `key` now: it tells of somebody who came between.
    ///
    /// [`StoreOperation::DeleteAll`] deletes `key` too, last of all. Which requests that are [`Requests`] says; a store that
    /// does one thing after the other needs no more than step 1 and the operation.
    ///
    /// [`Requests`]: crate::requests::Requests
    Fenced {
        /// Key of the fence.
        key: String,
        /// Who writes.
        writer: Fence,
        /// What.
        operation: Box<StoreOperation>,
    },
}

/// What came back for one effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The object as the API server now has it.
    Object(Arc<Value>),
    /// Done; there is nothing to show.
    Nothing,
    /// What a store said.
    Store(StoreAnswer),
}

/// A store's answer. Failures are outcomes, not answers; absence is an explicit negative of a bucket that answered.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreAnswer {
    /// Done.
    Done,
    /// The object is not there.
    Absent,
    /// The object.
    Object(Value),
    /// Keys and their objects; an object that cannot be decoded comes as the error text.
    Objects(Vec<(String, Result<Value, String>)>),
    /// Keys.
    Keys(Vec<String>),
}
