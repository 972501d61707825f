//! How a verdict on a volume shows in its VolumeReplication's status: spec vrg 10.2, table of sets.

use serde_json::{Map, Value, json};

use super::Flavour;
use crate::agents::conditions::{self, Condition};
use crate::time::Time;

/// What became of one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The volume is primary; when it was last synced, and whether the link works, if known.
    Primary {
        synced: Option<Time>,
        replicating: Option<bool>,
    },
    PromotionFailed(String),
    PrerequisiteMissing(String),
    /// Demoted just now, or demoted and neither settled nor receiving.
    Demoted,
    DemotionFailed(String),
    Resyncing,
    ResyncFailed(String),
    /// Secondary, nothing to do.
    Settled,
}

/// Status, reason and message of one condition.
type Says = (&'static str, &'static str, String);

fn says(status: &'static str, reason: &'static str, message: &str) -> Says {
    (status, reason, message.to_owned())
}

impl Verdict {
    pub(super) fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::PromotionFailed(_) | Self::PrerequisiteMissing(_) | Self::DemotionFailed(_) | Self::ResyncFailed(_)
        )
    }

    /// Completed, Degraded, Resyncing, and Validated if it is touched.
    fn conditions(&self, flavour: Flavour) -> ([Says; 3], Option<Says>) {
        let not_resyncing = says("False", "NotResyncing", "volume is not resyncing");
        let healthy = says("False", "Healthy", "volume is healthy");
        let degraded = says("True", "VolumeDegraded", "volume is degraded");
        let demoted = says("True", "Demoted", "volume is demoted to secondary");
        let met = says("True", "PrerequisiteMet", "volume is validated and met all prerequisites");
        let recorded = (flavour == Flavour::Recorded).then(|| met.clone());
        match self {
            Self::Primary { .. } => {
                let promoted = says("True", "Promoted", "volume is promoted to primary and replicating to secondary");
                ([promoted, healthy, not_resyncing], recorded)
            }
            Self::PromotionFailed(why) => {
                let failed = says("False", "FailedToPromote", "failed to promote volume");
                let error = says("True", "Error", &format!("volume failed to promote: {why}"));
                ([failed, error, not_resyncing], Some(met))
            }
            Self::PrerequisiteMissing(why) => {
                let failed = says("False", "FailedToPromote", "volume failed to promote");
                let error = says("True", "Error", "failed to enable volume replication");
                let unmet = says("False", "PrerequisiteNotMet", &format!("failed to meet prerequisite: {why}"));
                ([failed, error, not_resyncing], Some(unmet))
            }
            Self::Demoted => ([demoted, degraded, not_resyncing], recorded),
            Self::DemotionFailed(why) => {
                let failed = says("False", "FailedToDemote", "failed to demote volume");
                let error = says("True", "Error", &format!("volume failed to demote: {why}"));
                ([failed, error, not_resyncing], None)
            }
            Self::Resyncing => {
                let resyncing =
                    says("True", "ResyncTriggered", "volume is resyncing changes from primary to secondary");
                ([demoted, degraded, resyncing], None)
            }
            Self::ResyncFailed(why) => {
                let failed = says("False", "FailedToResync", "failed to resync volume");
                let error = says("True", "Error", &format!("volume failed to resync: {why}"));
                ([failed, error, says("False", "FailedToResync", "failed to resync volume")], None)
            }
            Self::Settled => ([demoted, healthy, not_resyncing], recorded),
        }
    }

    fn message(&self, flavour: Flavour) -> String {
        match self {
            Self::Primary { .. } => "volume is marked primary".into(),
            Self::Demoted if flavour == Flavour::CsiAddons => "volume is marked secondary and is degraded".into(),
            Self::Demoted | Self::Settled => "volume is marked secondary".into(),
            Self::Resyncing => "volume is degraded".into(),
            Self::PromotionFailed(why)
            | Self::PrerequisiteMissing(why)
            | Self::DemotionFailed(why)
            | Self::ResyncFailed(why) => why.clone(),
        }
    }

    /// Writes the verdict into a status.
    pub(super) fn write(&self, status: &mut Map<String, Value>, generation: i64, flavour: Flavour, now: Time) {
        let mut held = match status.remove("conditions") {
            Some(Value::Array(held)) => held,
            _ => Vec::new(),
        };
        let (three, validated) = self.conditions(flavour);
        let [completed, degraded, resyncing] = three;
        let mut set = |kind: &str, (state, reason, message): Says| {
            let condition =
                Condition { kind, status: state, reason, message: &message, observed_generation: Some(generation) };
            conditions::set(&mut held, &condition, now);
        };
        set("Completed", completed);
        set("Degraded", degraded);
        set("Resyncing", resyncing);
        if let Some(validated) = validated {
            set("Validated", validated);
        }
        if let (Self::Primary { replicating, .. }, Flavour::CsiAddons) = (self, flavour) {
            set("Replicating", replicating_says(*replicating));
        }
        if !matches!(self, Self::Primary { .. }) {
            conditions::remove(&mut held, "Replicating");
        }
        status.insert("conditions".into(), Value::Array(held));
        status.insert("observedGeneration".into(), json!(generation));
        status.insert("message".into(), json!(self.message(flavour)));
        self.write_state(status, flavour, now);
    }

    fn write_state(&self, status: &mut Map<String, Value>, flavour: Flavour, now: Time) {
        match self {
            Self::Primary { synced, .. } => {
                status.insert("state".into(), json!("Primary"));
                if let Some(synced) = synced {
                    status.insert("lastSyncTime".into(), json!(synced.rfc3339()));
                }
            }
            Self::Demoted | Self::Resyncing | Self::Settled => {
                status.insert("state".into(), json!("Secondary"));
            }
            _ => {
                status.entry("state").or_insert_with(|| json!("Unknown"));
            }
        }
        if *self == Self::Settled && flavour == Flavour::CsiAddons {
            status.remove("lastSyncTime");
        }
        if !self.is_failure() {
            status.insert("lastCompletionTime".into(), json!(now.rfc3339()));
        }
    }
}

fn replicating_says(replicating: Option<bool>) -> Says {
    match replicating {
        Some(true) => says("True", "Replicating", "volume is replicating"),
        Some(false) => says("False", "NotReplicating", "volume is not replicating"),
        None => says("Unknown", "Replicating", "replication state is not known"),
    }
}
