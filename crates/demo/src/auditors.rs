//! Who may have captures of the operators' logs while the demo waits for people: the service account `auditor` in
//! `ramen-system` of each cluster.

use ramen_sim::{
    api::{Api, ApiError},
    kinds,
    world::{OPERATOR_NAMESPACE, ensure},
};
use serde_json::json;

/// The service account.
pub const AUDITOR: &str = "auditor";
/// The role of `deploy/`.
const ROLE: &str = "ramen-capture-reader";

/// Lets the auditor of a cluster have captures. May be done again.
///
/// # Errors
/// Those of the API server.
pub fn admit(api: &dyn Api) -> Result<(), ApiError> {
    let rbac = "rbac.authorization.k8s.io";
    ensure(
        api,
        &kinds::SERVICE_ACCOUNT,
        &json!({ "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "namespace": OPERATOR_NAMESPACE, "name": AUDITOR } }),
    )?;
    ensure(
        api,
        &kinds::CLUSTER_ROLE,
        &json!({ "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": { "name": ROLE },
            "rules": [{ "nonResourceURLs": ["/capture"], "verbs": ["get"] }] }),
    )?;
    ensure(
        api,
        &kinds::CLUSTER_ROLE_BINDING,
        &json!({ "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": { "name": ROLE },
            "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": ROLE },
            "subjects": [{ "kind": "ServiceAccount", "namespace": OPERATOR_NAMESPACE, "name": AUDITOR }] }),
    )
}
