//! An S3 bucket in memory, with switches for its faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::time::Time;

/// A store that tests, the front and the world share.
pub type SharedBucket = Arc<Mutex<Bucket>>;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Connections break.
    Down,
    /// Every answer takes this long.
    Slow(Duration),
    /// Every answer is an internal error.
    Erroring,
    /// Reads work, writes and deletions are refused.
    ReadOnly,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// When it was put.
    pub put: Time,
    /// Changes with the bytes.
    pub etag: String,
    /// The lock that it was put under.
    pub retention: Option<Retention>,
}

/// An object lock, as it was asked for. A bucket keeps no versions, so nothing here depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Until when.
    pub until: Time,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Keys and what is there.
    pub objects: Vec<(String, Object)>,
    /// Prefixes up to the delimiter, each for all keys that begin so.
    pub prefixes: Vec<String>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listing<'a> {
    /// Keys that begin so.
    pub prefix: &'a str,
    /// Keys are folded at the first occurrence of this after the prefix.
    pub delimiter: Option<&'a str>,
    /// Keys (and prefixes) after this one.
    pub after: &'a str,
    /// At most so many keys and prefixes.
    pub limit: usize,
}

/// Why a conditional put was refused: the object is not as the condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the condition does not hold")]
pub struct ConditionFailed;

/// What must hold for a put.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// No such object yet.
    Absent,
    /// The object has this tag.
    Tag(String),
}

/// A bucket.
#[derive(Debug, Default)]
pub struct Bucket {
    name: String,
    objects: BTreeMap<String, Object>,
    fault: Fault,
    locks: bool,
}

impl Bucket {
    /// An empty bucket.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// An empty bucket to share.
    #[must_use]
    pub fn shared(name: &str) -> SharedBucket {
        Arc::new(Mutex::new(Self::new(name)))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Breaks or mends it.
    pub fn set_fault(&mut self, fault: Fault) {
        self.fault = fault;
    }

    /// Makes it a bucket whose objects can be locked, as S3 has it only from the start.
    pub fn allow_locks(&mut self) {
        self.locks = true;
    }

    /// Whether its objects can be locked.
    #[must_use]
    pub fn allows_locks(&self) -> bool {
        self.locks
    }

    /// Locks an object, if it is there.
    pub fn retain(&mut self, key: &str, retention: Retention) {
        if let Some(object) = self.objects.get_mut(key) {
            object.retention = Some(retention);
        }
    }

    /// All objects by key.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &Object)> {
        self.objects.iter().map(|(key, object)| (key.as_str(), object))
    }

    /// One object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    /// Puts an object; its tag.
    ///
    /// # Errors
    /// [`ConditionFailed`].
    pub fn put(
        &mut self,
        key: &str,
        bytes: &[u8],
        condition: &Condition,
        now: Time,
    ) -> Result<String, ConditionFailed> {
        let held = self.objects.get(key).map(|object| object.etag.as_str());
        let holds = match condition {
            Condition::None => true,
            Condition::Absent => held.is_none(),
            Condition::Tag(tag) => held == Some(tag.as_str()),
        };
        if !holds {
            return Err(ConditionFailed);
        }
        let etag: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.objects
            .insert(key.to_owned(), Object { bytes: bytes.into(), put: now, etag: etag.clone(), retention: None });
        Ok(etag)
    }

    /// Removes an object, if it is there.
    pub fn delete(&mut self, key: &str) {
        self.objects.remove(key);
    }

    /// Empties the bucket, as if its store had lost everything.
    pub fn clear(&mut self) {
        self.objects.clear();
    }

    /// Lists keys in order.
    #[must_use]
    pub fn list(&self, listing: Listing<'_>) -> Page {
        let mut page = Page::default();
        let mut last = String::new();
        for (key, object) in self.objects.range(listing.prefix.to_owned()..) {
            let Some(rest) = key.strip_prefix(listing.prefix) else { break };
            let folded = listing
                .delimiter
                .filter(|delimiter| !delimiter.is_empty())
                .and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len()))
                .and_then(|end| rest.get(..end))
                .map(|head| format!("{}{head}", listing.prefix));
            let entry = folded.as_deref().unwrap_or(key);
            if entry <= listing.after || page.prefixes.last().is_some_and(|known| known == entry) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() >= listing.limit {
                page.next = Some(last);
                break;
            }
            entry.clone_into(&mut last);
            match folded {
                Some(prefix) => page.prefixes.push(prefix),
                None => page.objects.push((key.clone(), object.clone())),
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(keys: &[&str]) -> Bucket {
        let mut bucket = Bucket::new("b");
        for key in keys {
            bucket.put(key, key.as_bytes(), &Condition::None, Time(1)).unwrap();
        }
        bucket
    }

    #[test]
    fn a_listing_folds_at_the_delimiter_and_goes_on_where_it_stopped() {
        let bucket = bucket(&["a/1", "a/2", "b/1", "c", "d/1/x"]);
        let listing = Listing { delimiter: Some("/"), limit: 2, ..Listing::default() };
        let first = bucket.list(listing);
        assert_eq!((first.prefixes, first.next.as_deref()), (vec!["a/".to_owned(), "b/".to_owned()], Some("b/")));
        let rest = bucket.list(Listing { after: "b/", limit: 10, ..listing });
        assert_eq!((rest.objects.len(), rest.prefixes, rest.next), (1, vec!["d/".to_owned()], None));
    }

    #[test]
    fn a_put_can_insist_on_what_is_there() {
        let mut bucket = bucket(&[]);
        let tag = bucket.put("k", b"1", &Condition::Absent, Time(1)).unwrap();
        assert_eq!(bucket.put("k", b"2", &Condition::Absent, Time(2)), Err(ConditionFailed));
        assert!(bucket.put("k", b"2", &Condition::Tag(tag.clone()), Time(3)).is_ok());
        assert_eq!(bucket.put("k", b"3", &Condition::Tag(tag), Time(4)), Err(ConditionFailed));
    }
}
