//! What the inhabitants of the simulated world may ask of one cluster's API server.
//!
//! The embedded server implements [`Api`] directly ([`crate::cluster::Cluster`]); a client implements it for real API
//! servers, so the same agents live on both.

use std::sync::Arc;

pub use ramen_api::kinds::Resource;
use serde_json::Value;

pub use crate::api_server::Object;

/// Why an API server did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No such object, or no such kind.
    #[error("not found")]
    NotFound,
    /// The object changed since it was read, or another field manager owns a field.
    #[error("conflict")]
    Conflict,
    /// The object breaks a rule of its schema; the server's words.
    #[error("{0}")]
    Invalid(String),
    /// An object of that name exists.
    #[error("already exists")]
    AlreadyExists,
    /// No answer; the request may have taken effect.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// Any other refusal.
    #[error("{message} ({code})")]
    Other {
        /// HTTP status code.
        code: u16,
        /// The server's words.
        message: String,
    },
}

/// What an agent of the simulated world may ask of one cluster's API server; the embedded server implements it
/// directly, a client implements it for real API servers. Writes answer with the object as it is then.
pub trait Api: Send + Sync {
    /// Reads one object.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when there is none.
    fn get(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Value, ApiError>;

    /// Reads all objects of a kind, in one namespace or in all, that match a label selector.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when the kind is not served.
    fn list(&self, kind: &Resource, namespace: Option<&str>, labels: Option<&str>) -> Result<Vec<Value>, ApiError>;

    /// Looks at one object. Unlike [`Api::get`] this copies nothing where the server is at hand, and does not tell who
    /// owns which field.
    ///
    /// # Errors
    /// As [`Api::get`].
    fn see(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Arc<Object>, ApiError> {
        self.get(kind, namespace, name).map(|told| Arc::new(Object::told(told)))
    }

    /// Looks at all objects of a kind, in one namespace or in all; see [`Api::see`].
    ///
    /// # Errors
    /// As [`Api::list`].
    fn see_all(&self, kind: &Resource, namespace: Option<&str>) -> Result<Vec<Arc<Object>>, ApiError> {
        Ok(self.list(kind, namespace, None)?.into_iter().map(|told| Arc::new(Object::told(told))).collect())
    }

    /// Creates an object.
    ///
    /// # Errors
    /// [`ApiError::AlreadyExists`]; [`ApiError::NotFound`] when its namespace is missing.
    fn create(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError>;

    /// Replaces an object, but not its status where that is a subresource; only if unchanged when
    /// `metadata.resourceVersion` is set.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when it changed since.
    fn update(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError>;

    /// Replaces an object's status and nothing else.
    ///
    /// # Errors
    /// As [`Api::update`].
    fn update_status(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError>;

    /// Merges `patch` (RFC 7386) into an object or its subresource.
    ///
    /// # Errors
    /// [`ApiError::NotFound`]; [`ApiError::Conflict`] when the patch names a stale resource version.
    fn merge_patch(
        &self,
        kind: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        subresource: Option<&str>,
    ) -> Result<Arc<Object>, ApiError>;

    /// Server-side apply: `object` holds the fields that `manager` wants and nothing else.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when another manager owns one of them and `force` is not set.
    fn apply(&self, kind: &Resource, object: &Value, manager: &str, force: bool) -> Result<Arc<Object>, ApiError>;

    /// Deletes an object, if it has that uid when one is given.
    ///
    /// # Errors
    /// [`ApiError::NotFound`]; [`ApiError::Conflict`] when the uid is another.
    fn delete(&self, kind: &Resource, namespace: Option<&str>, name: &str, uid: Option<&str>) -> Result<(), ApiError>;
}
