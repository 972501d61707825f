//! What a VolumeReplication says about its volume (spec vrg 3.4.2), for its present spec and state only.

use ramen_api::ramen::wire::{condition, reason, state};
use ramen_events::{
    ConditionStatus,
    spoke::{Role, VolumeReplication},
};

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing yet about what was asked: what is missing, in words.
    Waiting(String),
    /// It could not be done, and why.
    Failed(String),
    /// As secondary, on the way: the volume takes over the other side's data.
    Resyncing,
    /// As asked.
    Settled,
}

/// As primary.
pub fn primary(vr: &VolumeReplication) -> Check {
    if vr.observed_generation != vr.generation {
        return Check::Waiting("VolumeReplication to be looked at by the storage".to_owned());
    }
    match vr.current(condition::COMPLETED) {
        // Before `Validated`, which csi-addons does not set again once the volume was promoted after all (V13).
        Some(c) if c.status == ConditionStatus::True => {
            if vr.state == state::State::Primary.as_str() {
                Check::Settled
            } else {
                Check::Waiting("volume to become primary".to_owned())
            }
        }
        completed => {
            let validated = vr.current(condition::VALIDATED).filter(|c| c.status == ConditionStatus::False);
            match validated.or(completed.filter(|c| c.status == ConditionStatus::False)) {
                Some(c) => Check::Failed(words(&c.message, &vr.message, "volume could not be promoted")),
                None => Check::Waiting("volume to become primary".to_owned()),
            }
        }
    }
}

/// Whether the storage says that it can't replicate the volume at all.
pub fn is_invalid(vr: &VolumeReplication) -> bool {
    vr.current(condition::VALIDATED).is_some_and(|c| c.status == ConditionStatus::False)
}

/// How drivers say that they do not mirror a volume: all words of a line. The first two are ceph-csi's, older and newer; an
/// image that is just being taken out of the mirroring (`0 Mode`, `disabling Mode`) was mirrored and is not meant. The last
/// is the simulated storage's.
const NOT_MIRRORED: &[&[&str]] = &[
    &["mirroring is not enabled on", "image is in 2 Mode"],
    &["mirroring is not enabled on", "image is in disabled Mode"],
    &["volume is not mirrored"],
];

/// How drivers say that the other side was promoted by force, so that the data here went their own way.
const WENT_DIFFERENT_WAYS: &[&[&str]] = &[&["split-brain"], &["the copies went different ways"]];

/// Whether the storage answered to a demotion that the volume is not mirrored at all: it was never replicated, so there is
/// nothing to hand over. Other failures, silence and unknown words prove nothing.
pub fn is_not_mirrored(vr: &VolumeReplication) -> bool {
    refused(vr, reason::FAILED_TO_DEMOTE, NOT_MIRRORED)
}

/// Whether the storage can't follow the other side, because that one was promoted by force meanwhile.
pub fn went_different_ways(vr: &VolumeReplication) -> bool {
    refused(vr, reason::FAILED_TO_RESYNC, WENT_DIFFERENT_WAYS)
}

/// Whether the present wish to be secondary was refused for this reason, in one of these ways.
fn refused(vr: &VolumeReplication, reason: &str, ways: &[&[&str]]) -> bool {
    let completed = vr.current(condition::COMPLETED);
    vr.role == Some(Role::Secondary)
        && vr.observed_generation == vr.generation
        && completed.is_some_and(|c| c.status == ConditionStatus::False && c.reason == reason)
        && ways.iter().any(|words| words.iter().all(|word| vr.message.contains(word)))
}

/// As secondary.
pub fn secondary(vr: &VolumeReplication) -> Check {
    if vr.observed_generation != vr.generation {
        return Check::Waiting("VolumeReplication to be looked at by the storage".to_owned());
    }
    let is = |kind: &str| vr.current(kind).map(|c| c.status);
    match is(condition::COMPLETED) {
        Some(ConditionStatus::True) => {}
        Some(ConditionStatus::False) => {
            let text = vr.current(condition::COMPLETED).map(|c| c.message.as_str()).unwrap_or_default();
            return Check::Failed(words(text, &vr.message, "volume could not be demoted"));
        }
        _ => return Check::Waiting("volume to become secondary".to_owned()),
    }
    match (is(condition::RESYNCING), is(condition::DEGRADED)) {
        (Some(ConditionStatus::True), Some(ConditionStatus::True)) => Check::Resyncing,
        (Some(ConditionStatus::True), _) => {
            Check::Failed(words(&vr.message, "", "volume resyncs without being degraded"))
        }
        (Some(ConditionStatus::False), Some(ConditionStatus::False))
            if vr.state == state::State::Secondary.as_str() =>
        {
            Check::Settled
        }
        // The normal first answer after a demotion is "degraded": the last data is still on its way (V34).
        (Some(ConditionStatus::False), Some(ConditionStatus::True)) => {
            Check::Waiting("last data to reach the other cluster".to_owned())
        }
        _ => Check::Waiting("volume to become secondary".to_owned()),
    }
}

/// Whether a replication proves that the other cluster has all that was written here.
pub fn is_handed_over(vr: &VolumeReplication) -> bool {
    vr.role == Some(Role::Secondary)
        && (matches!(secondary(vr), Check::Settled | Check::Resyncing) || is_not_mirrored(vr))
}

/// Whether the storage, asked last, had the volume as primary; one that it does not have any more is nobody's.
pub fn is_primary_here(vr: &VolumeReplication) -> bool {
    vr.state == state::State::Primary.as_str() && !says_not_found(&vr.message)
}

/// The storage does not find something. What an API server does not find it names in quotes: that is another matter.
pub fn says_not_found(told: &str) -> bool {
    let told = told.to_lowercase();
    told.match_indices("not found")
        .any(|(at, _)| !told.get(..at).is_some_and(|before| before.trim_end().ends_with('"')))
}

/// The condition's words, and the driver's where they say more.
fn words(condition: &str, driver: &str, default: &str) -> String {
    match (condition, driver) {
        ("", "") => default.to_owned(),
        ("", text) | (text, "") => text.to_owned(),
        (condition, driver) if condition.contains(driver) => condition.to_owned(),
        (condition, driver) => format!("{condition}: {driver}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    #[rstest]
    #[case::storage("failed to promote volume: rpc error: code = NotFound desc = image not found", true)]
    #[case::class("volumereplicationclasses.replication.storage.openshift.io \"vrc\" not found", false)]
    #[case::busy("failed to promote volume: volume is busy", false)]
    fn only_what_the_storage_does_not_find_may_be_lost(#[case] told: &str, #[case] lost: bool) {
        assert_eq!(super::says_not_found(told), lost);
    }
}
