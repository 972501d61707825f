//! What belongs to no other aggregate: the operator's ConfigMap, and the namespace for discovered applications.

use ramen_events::{Command, hub};

use crate::domain::Decision;

use super::state::Hub;

/// Slot of the namespace for discovered applications.
pub const OPS_NAMESPACE: &str = "ops-namespace";

/// Creates what is absent. What exists is never rewritten: a user's configuration stays as it is written (spec hub
/// 13, H1 and H2).
pub fn decide(hub: &Hub) -> Decision {
    let mut decision = Decision::default();
    match &hub.config {
        None => decision.want("config", Command::Hub(hub::Command::CreateConfig)),
        Some(hub::ConfigFact { config: Ok(config), .. }) => {
            let name = &config.ops_namespace;
            if !name.is_empty() && hub.ops_namespace != *name {
                let create = hub::Command::CreateOpsNamespace { name: name.clone() };
                decision.want(OPS_NAMESPACE, Command::Hub(create));
            }
        }
        Some(_) => {}
    }
    decision
}
