//! What may differ from the recording, and why.

use super::flatten::Different;

/// A known difference.
#[derive(Debug)]
pub struct Known {
    /// The milestone, or `*`.
    milestone: &'static str,
    /// The object, with `*` for any text.
    object: &'static str,
    /// The path, with `*` for any text.
    path: &'static str,
    /// Whether it is there in some runs only, depending on the moment of the snapshot.
    pub in_some_runs: bool,
    /// Why it is right that it differs.
    #[expect(dead_code, reason = "shown by Debug when the entry is no longer used")]
    reason: &'static str,
}

const fn always(milestone: &'static str, object: &'static str, path: &'static str, reason: &'static str) -> Known {
    Known { milestone, object, path, in_some_runs: false, reason }
}

const fn sometimes(milestone: &'static str, object: &'static str, path: &'static str, reason: &'static str) -> Known {
    Known { milestone, object, path, in_some_runs: true, reason }
}

const FEEDBACK: &str = "feedback tells the hub of a change at once; Ramen polls views";
const COMMAND: &str = "an answer counts only if it carries the command that asked (decision 4)";
const EPOCH: &str = "stores are fenced by an epoch from the first move on (decision 6)";
const FRESHNESS: &str = "a view is touched when feedback tells of something that only the view can show";
const OWN_FIELDS: &str =
    "Ramen writes the whole object back, defaults of its client included; only our fields are patched";
const HOOKS: &str =
    "how old the generation is that hooks were looked at depends on how often the spec was written: less often here";
const EARLY: &str = "Ramen deploys before the policy knows its peer classes, and stores the VRG as it was then";
const NO_PEER: &str =
    "nothing can be synced while the peer is lost; the recording's storage reported syncs all the same";
const COPY_TIMES: &str = "the copy in the store is not written again for each sync: its times are those of the upload";
const MOMENT: &str = "the volume was uploaded a moment before its phase became Bound; a restore does not look at it";

/// All of them.
pub const DIFFERENCES: &[Known] = &[
    always("*", "hub manifestworks c*/app-000-app-000-vrg-mw", "spec.manifestConfigs*", FEEDBACK),
    always("*", "hub manifestworks c*/app-000-app-000-vrg-mw", "*.annotations.*/hub-command", COMMAND),
    always("*", "c* volumereplicationgroups app-000/app-000", "metadata.annotations.*/hub-command", COMMAND),
    always("*", "s3 s3-c* app-000/app-000/v1alpha1.VolumeReplicationGroup/a", "*/hub-command", COMMAND),
    always("*", "hub manifestworks c*/app-000-app-000-vrg-mw", "*.annotations.*/store-epoch", EPOCH),
    always("*", "c* volumereplicationgroups app-000/app-000", "metadata.annotations.*/store-epoch", EPOCH),
    always("*", "s3 s3-c* app-000/app-000/v1alpha1.VolumeReplicationGroup/a", "*/store-epoch", EPOCH),
    always("*", "s3 s3-c* app-000/app-000/v1alpha1.StoreFence/a", "*", EPOCH),
    sometimes(
        "*",
        "hub managedclusterviews c*/app-000-app-000-vrg-mcv",
        "metadata.annotations.*/wanted-freshness",
        FRESHNESS,
    ),
    sometimes("*", "hub managedclusterviews c*/app-000-app-000-vrg-mcv", "spec.scope.updateIntervalSeconds", FRESHNESS),
    always("*", "hub drpolicies policy", "spec.volumeGroupSnapshotClassSelector", OWN_FIELDS),
    always("*", "hub placements apps/app-000", "spec.prioritizerPolicy.mode", OWN_FIELDS),
    always("*", "*", "*conditions[HooksReady].observedGeneration", HOOKS),
    always("protected", "s3 s3-c* app-000/app-000/v1alpha1.VolumeReplicationGroup/a", "spec.async.peerClasses*", EARLY),
    always("failed-over", "c2 volumereplications app-000/data-*", "status.lastSyncTime", NO_PEER),
    always("failed-over", "c2 volumereplicationgroups app-000/app-000", "status.*SyncTime", NO_PEER),
    always("failed-over", "hub drplacementcontrols apps/app-000", "status.lastGroupSyncTime", NO_PEER),
    always("failed-over", "hub drplacementcontrols apps/app-000", "status.conditions[Protected].*", NO_PEER),
    sometimes("*", "s3 s3-c* app-000/app-000/v1alpha1.VolumeReplicationGroup/a", "status.*SyncTime", COPY_TIMES),
    sometimes("*", "s3 s3-c* app-000/app-000/v1.PersistentVolume/*", "status.phase", MOMENT),
];

impl Known {
    /// Whether it explains this difference.
    pub fn covers(&self, milestone: &str, different: &Different) -> bool {
        matches(self.milestone, milestone)
            && matches(self.object, &different.line.object)
            && matches(self.path, &different.line.path)
    }
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).filter(|&i| tail.is_char_boundary(i)).any(|i| matches(rest, &tail[i..]))
        }),
    }
}
