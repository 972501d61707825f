//! Writing to a store while nobody with a higher epoch has taken it over (decision 6).
//!
//! S3 can make one write depend on what lies under its own key, not under another one. So the fence itself is taken with a
//! conditional write, and the copies are written right after a look at it: no write begins later than [`TRUSTED`] after such
//! a look, and a last look tells whether somebody came between.

use std::time::Duration;

use ramen_events::{Outcome, spoke::Fence};
use ramen_ports::{StoreAnswer, StoreOperation, fence};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    failure::Failure,
    stores::{Call, decode},
};

/// How long a look at the fence is trusted.
const TRUSTED: Duration = Duration::from_secs(2);
/// How often the fence is tried for while others change it.
const ATTEMPTS: usize = 8;
/// How many keys are deleted between two looks.
const BATCH: usize = 64;

/// An operation behind a fence.
pub(super) struct Fenced<'a> {
    call: &'a Call<'a>,
    key: &'a str,
    writer: &'a Fence,
    looked: Option<Instant>,
}

impl<'a> Fenced<'a> {
    pub(super) fn new(call: &'a Call<'a>, key: &'a str, writer: &'a Fence) -> Self {
        Self { call, key, writer, looked: None }
    }

    pub(super) async fn run(mut self, operation: &StoreOperation) -> Result<StoreAnswer, Failure> {
        match operation {
            StoreOperation::Put(objects) => {
                for (key, object) in objects {
                    self.look().await?;
                    self.call.put(key, object).await?;
                }
                self.leave().await?;
            }
            StoreOperation::Delete(keys) => self.delete(keys).await?,
            StoreOperation::DeleteAll(prefix) => {
                self.look().await?;
                let mut keys = self.call.list(prefix).await?;
                keys.retain(|key| key != self.key);
                self.delete(&keys).await?;
                // Last of all: until then it keeps others from taking what is half deleted for a beginning.
                self.call.delete(vec![self.key.to_owned()]).await?;
            }
            other => {
                let message = format!("{other:?} is nothing that a fence is for: a defect, please report it");
                return Err(Failure::unsent("BadRequest", message));
            }
        }
        Ok(StoreAnswer::Done)
    }

    async fn delete(&mut self, keys: &[String]) -> Result<(), Failure> {
        for batch in keys.chunks(BATCH) {
            self.look().await?;
            self.call.delete(batch.to_vec()).await?;
        }
        self.leave().await
    }

    /// Sees to it that the fence is ours, or that nobody's is in the way.
    async fn look(&mut self) -> Result<(), Failure> {
        if self.looked.is_some_and(|looked| looked.elapsed() < TRUSTED) {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            // The moment before the answer: what is in it was so then at the earliest.
            let asked = Instant::now();
            let held = self.held().await?;
            let tag = held.as_ref().and_then(|(_, tag)| tag.as_deref());
            let taken = fence::enter(self.key, self.writer, held.as_ref().map(|(value, _)| value)).map_err(refused)?;
            let Some(taken) = taken else {
                self.looked = Some(asked);
                return Ok(());
            };
            let is_new = held.is_none();
            self.take(&taken, tag, is_new).await?;
            // Some stores take no notice of a condition: what lies there now tells who has it.
        }
        let message = format!("object {} in this store does not stay as it is written", self.key);
        Err(Failure::unsent("FenceContested", message))
    }

    /// Puts the fence, on condition that it is as it was. One that changed meanwhile is no failure: it is looked at again.
    async fn take(&self, taken: &Value, tag: Option<&str>, is_new: bool) -> Result<(), Failure> {
        let put = match tag {
            None if !is_new => self.call.put(self.key, taken).await, // a store without tags
            tag => self.call.put_if(self.key, taken, tag).await,
        };
        match put {
            Err(failure) if is_changed(&failure) => Ok(()),
            Err(failure) if knows_no_conditions(&failure) => self.call.put(self.key, taken).await,
            put => put,
        }
    }

    /// Tells whether somebody came between.
    async fn leave(&self) -> Result<(), Failure> {
        let held = self.held().await?;
        fence::leave(self.key, self.writer, held.as_ref().map(|(value, _)| value)).map_err(refused)
    }

    async fn held(&self) -> Result<Option<(Value, Option<String>)>, Failure> {
        match self.call.get_tagged(self.key).await? {
            None => Ok(None),
            Some((body, tag)) => match decode(&body) {
                Ok(value) => Ok(Some((value, tag))),
                Err(why) => Err(refused(fence::unreadable(self.key, &why))),
            },
        }
    }
}

fn refused(outcome: Outcome) -> Failure {
    Failure { outcome, reason: "Refused".to_owned(), silent: false }
}

fn is_changed(failure: &Failure) -> bool {
    // The second is told when two conditional writes meet, the third when the object went meanwhile.
    ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"].contains(&failure.reason.as_str())
}

fn knows_no_conditions(failure: &Failure) -> bool {
    failure.reason == "NotImplemented"
}
