//! The fence in a store: a small object beside the copies of a VRG that says which primary may write them.
//!
//! The rule is here, once for all that carry operations out; what they read and write is JSON, encoded like the copies.
//! A higher epoch takes the fence, a lower one is refused. Epoch 0 is that of a primary that was given none, by Ramen or
//! an earlier version: it takes no fence, and is refused only where another cluster has taken one.

use std::cmp::Ordering;

use ramen_events::{
    Outcome,
    spoke::{Fence, fence::OVERTAKEN},
};
use serde_json::{Value, json};

/// Whether `writer` may write, `held` being what lies under `key` (`None` when nothing does). `Some`: once this lies there.
///
/// # Errors
/// The outcome of the operation: somebody else writes there now, or nobody can tell.
pub fn enter(key: &str, writer: &Fence, held: Option<&Value>) -> Result<Option<Value>, Outcome> {
    let Some(held) = held else { return Ok((writer.epoch > 0).then(|| value(writer))) };
    let holder = holder(key, held)?;
    let is_home = holder.cluster == writer.cluster && !holder.cluster.is_empty();
    let may_be_home = is_home || holder.cluster.is_empty() || writer.cluster.is_empty();
    match writer.epoch.cmp(&holder.epoch) {
        Ordering::Greater => Ok(Some(value(writer))),
        Ordering::Equal if may_be_home => Ok(None),
        // The hub gives epochs no more: who holds the fence goes on as before.
        Ordering::Less if writer.epoch == 0 && is_home => Ok(None),
        _ => Err(overtaken(key, writer, &holder, "nothing was written or deleted there")),
    }
}

/// Whether `writer` could write to the end, `held` being what lies under `key` afterwards.
///
/// # Errors
/// The outcome of the operation: somebody took over while it ran. What it did there may have come after what they did;
/// they store everything once more for that reason.
pub fn leave(key: &str, writer: &Fence, held: Option<&Value>) -> Result<(), Outcome> {
    match enter(key, writer, held) {
        Err(Outcome::Refused { reason, .. }) if reason == OVERTAKEN => {
            let holder = held.map(|held| holder(key, held)).transpose()?.unwrap_or_default();
            Err(overtaken(key, writer, &holder, "that happened during a write, so the last copies may be of either"))
        }
        Err(outcome) => Err(outcome),
        Ok(_) => Ok(()),
    }
}

/// What a fence holds; `None` for an object that is none.
pub fn read(held: &Value) -> Option<Fence> {
    let text = |name: &str| held.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Fence { epoch: held.get("epoch")?.as_u64()?, cluster: text("cluster"), drpc_uid: text("drpcUID") })
}

fn value(fence: &Fence) -> Value {
    json!({ "kind": "StoreFence", "epoch": fence.epoch, "cluster": fence.cluster, "drpcUID": fence.drpc_uid })
}

fn holder(key: &str, held: &Value) -> Result<Fence, Outcome> {
    read(held).ok_or_else(|| unreadable(key, "it holds no epoch"))
}

/// The outcome where the fence can't be read: who may write is not known then.
pub fn unreadable(key: &str, why: &str) -> Outcome {
    let message =
        format!("object {key} tells who may write, and can't be read: {why}; delete it if no other cluster is primary");
    Outcome::Refused { code: 0, reason: "BadFence".to_owned(), message }
}

fn overtaken(key: &str, writer: &Fence, holder: &Fence, effect: &str) -> Outcome {
    let Fence { epoch, cluster, drpc_uid } = holder;
    let message = format!(
        "cluster {cluster} took over with epoch {epoch} (DRPlacementControl {drpc_uid}), this VolumeReplicationGroup has \
         epoch {}: {effect}; let the hub make it secondary, or, if {cluster} is gone for good, delete object {key} from \
         the bucket",
        writer.epoch
    );
    Outcome::Refused { code: 412, reason: OVERTAKEN.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(epoch: u64, cluster: &str) -> Fence {
        Fence { epoch, cluster: cluster.into(), drpc_uid: "uid".into() }
    }

    fn enters(writer: &Fence, holder: Option<&Fence>) -> Result<bool, String> {
        let held = holder.map(value);
        match enter("k", writer, held.as_ref()) {
            Ok(take) => {
                assert!(take.as_ref().is_none_or(|taken| read(taken).as_ref() == Some(writer)));
                Ok(take.is_some())
            }
            Err(Outcome::Refused { reason, .. }) => Err(reason),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_higher_epoch_takes_and_the_lower_one_is_refused() {
        let refused = || Err(OVERTAKEN.to_owned());
        assert_eq!(enters(&fence(1, "c1"), None), Ok(true));
        assert_eq!(enters(&fence(1, "c1"), Some(&fence(1, "c1"))), Ok(false));
        assert_eq!(enters(&fence(2, "c2"), Some(&fence(1, "c1"))), Ok(true));
        assert_eq!(enters(&fence(1, "c1"), Some(&fence(2, "c2"))), refused());
        assert_eq!(enters(&fence(2, "c1"), Some(&fence(2, "c2"))), refused(), "the first one keeps it");
    }

    #[test]
    fn without_an_epoch_nothing_is_taken_and_only_a_later_home_is_in_the_way() {
        assert_eq!(enters(&fence(0, ""), None), Ok(false));
        assert_eq!(enters(&fence(0, ""), Some(&fence(1, "c2"))), Err(OVERTAKEN.to_owned()));
        assert_eq!(enters(&fence(0, "c1"), Some(&fence(1, "c2"))), Err(OVERTAKEN.to_owned()));
        assert_eq!(enters(&fence(0, "c2"), Some(&fence(1, "c2"))), Ok(false), "a hub that gives none any more");
    }

    #[test]
    fn a_new_identity_of_the_drpc_changes_nothing() {
        let writer = Fence { drpc_uid: "of a recovered hub".into(), ..fence(2, "c2") };
        assert_eq!(enters(&writer, Some(&fence(2, "c2"))), Ok(false));
    }

    #[test]
    fn what_is_no_fence_lets_nobody_write_and_says_what_to_do() {
        let refused = enter("ns/vrg/fence", &fence(1, "c1"), Some(&json!({ "hello": 1 }))).unwrap_err();
        assert!(format!("{refused:?}").contains("delete it if"), "{refused:?}");
    }

    #[test]
    fn somebody_who_came_between_is_told() {
        let held = value(&fence(2, "c2"));
        assert_eq!(leave("k", &fence(2, "c2"), Some(&held)), Ok(()));
        let told = format!("{:?}", leave("k", &fence(1, "c1"), Some(&held)));
        assert!(told.contains("cluster c2") && told.contains("during a write"), "{told}");
    }
}
