//! What an agent reaches of another cluster: everything, or nothing.

use std::sync::Arc;

use ramen_sim::{
    api::{Api, ApiError, Object, Resource},
    cluster::Cluster,
};
use serde_json::Value;

/// A cluster at the other end of a link.
pub(super) struct Far<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) cut: bool,
}

impl Far<'_> {
    fn reach(&self) -> Result<&Cluster, ApiError> {
        if self.cut { Err(ApiError::Unreachable("the link is cut".to_owned())) } else { Ok(self.cluster) }
    }
}

impl Api for Far<'_> {
    fn get(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Value, ApiError> {
        self.reach()?.get(kind, namespace, name)
    }

    fn list(&self, kind: &Resource, namespace: Option<&str>, labels: Option<&str>) -> Result<Vec<Value>, ApiError> {
        self.reach()?.list(kind, namespace, labels)
    }

    fn see(&self, kind: &Resource, namespace: Option<&str>, name: &str) -> Result<Arc<Object>, ApiError> {
        self.reach()?.see(kind, namespace, name)
    }

    fn see_all(&self, kind: &Resource, namespace: Option<&str>) -> Result<Vec<Arc<Object>>, ApiError> {
        self.reach()?.see_all(kind, namespace)
    }

    fn create(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        self.reach()?.create(kind, object)
    }

    fn update(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        self.reach()?.update(kind, object)
    }

    fn update_status(&self, kind: &Resource, object: &Value) -> Result<Arc<Object>, ApiError> {
        self.reach()?.update_status(kind, object)
    }

    fn merge_patch(
        &self,
        kind: &Resource,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
        subresource: Option<&str>,
    ) -> Result<Arc<Object>, ApiError> {
        self.reach()?.merge_patch(kind, namespace, name, patch, subresource)
    }

    fn apply(&self, kind: &Resource, object: &Value, manager: &str, force: bool) -> Result<Arc<Object>, ApiError> {
        self.reach()?.apply(kind, object, manager, force)
    }

    fn delete(&self, kind: &Resource, namespace: Option<&str>, name: &str, uid: Option<&str>) -> Result<(), ApiError> {
        self.reach()?.delete(kind, namespace, name, uid)
    }
}
