//! `spec.clusterFence`: what we can answer for without fencing anything ourselves (spec hub 3.5).

use ramen_api::ramen::wire::{condition, reason};

use crate::hub::conditions::Conditions;

/// Sets `Fenced` and `Clean`, and gives the phase.
pub fn report(fence: &str, conditions: &mut Conditions<'_>) -> &'static str {
    match fence {
        "" => {
            clean(conditions, "Cluster Clean");
            "Available"
        }
        "ManuallyFenced" => {
            conditions.yes(condition::FENCED, reason::FENCED, "a person fenced the cluster");
            conditions.no(condition::CLEAN, reason::FENCED, "a person fenced the cluster");
            "Fenced"
        }
        "ManuallyUnfenced" => {
            clean(conditions, "a person unfenced the cluster");
            "Unfenced"
        }
        // We never fenced it, so there is nothing to undo (spec hub 13, H12).
        "Unfenced" => {
            clean(conditions, "nothing is fenced");
            "Unfenced"
        }
        other => {
            let text = format!(
                "spec.clusterFence: {other} is not supported yet by this version; fence the cluster by hand and \
                 write ManuallyFenced"
            );
            conditions.no(condition::FENCED, reason::FENCE_ERROR, text.clone());
            conditions.yes(condition::CLEAN, reason::FENCE_ERROR, text);
            "Fencing"
        }
    }
}

fn clean(conditions: &mut Conditions<'_>, text: &str) {
    conditions.no(condition::FENCED, reason::CLEAN, text);
    conditions.yes(condition::CLEAN, reason::CLEAN, text);
}
