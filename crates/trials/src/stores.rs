//! S3 stores without sockets: what the runtime's client does, done directly on a bucket.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ramen_api::ramen::wire::annotation;
use ramen_events::Outcome;
use ramen_ports::{StoreAnswer, StoreOperation, StoreProfile, fence};
use ramen_sim::{
    api::Api,
    kinds,
    s3::{Bucket, Condition, Fault, Listing, SharedBucket},
    time::Time,
    world,
};
use serde_json::Value;

/// Keys of a Secret with a store's credentials.
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// How long a call to a store may take before it is given up.
const LIMIT: Duration = Duration::from_secs(10);
/// What a call to a healthy store takes.
const USUAL: Duration = Duration::from_millis(8);

/// Credentials of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    access: String,
    secret: String,
}

impl Keys {
    /// What a cluster's Secret gives for a profile; `Err` as the runtime's client has it, which sends nothing then.
    pub(crate) fn of(own: &dyn Api, profile: &StoreProfile) -> Result<Self, Outcome> {
        let StoreProfile { name, secret_namespace, secret_name, .. } = profile;
        let found = own.see(&kinds::SECRET, Some(secret_namespace), secret_name).ok();
        let value = |key: &str| {
            let value = found.as_ref().and_then(|secret| world::secret_value(secret, key));
            value.filter(|value| !value.is_empty()).ok_or_else(|| {
                let text = format!("store profile {name} needs key {key} of secret {secret_namespace}/{secret_name}");
                refused(0, "MissingSecret", &text)
            })
        };
        Ok(Self { access: value(ACCESS_KEY)?, secret: value(SECRET_KEY)? })
    }
}

/// All stores of a world, by the name of their profile.
#[derive(Default)]
pub struct Stores {
    buckets: BTreeMap<String, SharedBucket>,
    keys: BTreeMap<String, Keys>,
    lossy: BTreeSet<String>,
    foreign: BTreeSet<(String, String)>,
    rekeyed: BTreeSet<String>,
    /// Stores that ever failed, or were cut off from somebody; until when, if that is over.
    troubled: BTreeMap<String, Option<Time>>,
    overwritten: Mutex<Option<String>>,
}

impl Stores {
    /// Adds a store.
    pub fn add(&mut self, profile: &str, bucket: SharedBucket) {
        self.buckets.insert(profile.to_owned(), bucket);
    }

    /// A store takes these credentials only, from now on.
    pub fn set_keys(&mut self, profile: &str, access: &str, secret: &str) {
        let keys = Keys { access: access.to_owned(), secret: secret.to_owned() };
        if self.keys.insert(profile.to_owned(), keys).is_some() {
            self.rekeyed.insert(profile.to_owned());
        }
    }

    /// Somebody else than an operator puts bytes into a store.
    pub fn put(&mut self, profile: &str, key: &str, text: &str, now: Time) {
        self.foreign.insert((profile.to_owned(), key.to_owned()));
        // Without a condition there is nothing to fail.
        self.with(profile, |bucket| drop(bucket.put(key, text.as_bytes(), &Condition::None, now)));
    }

    /// Whether somebody else than an operator ever put something under a key.
    pub fn is_foreign(&self, profile: &str, key: &str) -> bool {
        !self.foreign.is_empty() && self.foreign.contains(&(profile.to_owned(), key.to_owned()))
    }

    /// Whether a store ever changed the credentials that it takes.
    pub fn has_other_keys(&self, profile: &str) -> bool {
        self.rekeyed.contains(profile)
    }

    /// Works on one store, if it exists.
    pub fn with<R>(&self, profile: &str, work: impl FnOnce(&mut Bucket) -> R) -> Option<R> {
        let bucket = self.buckets.get(profile)?;
        Some(work(&mut bucket.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// A store loses everything.
    pub fn empty(&mut self, profile: &str) {
        self.with(profile, Bucket::clear);
        self.lossy.insert(profile.to_owned());
    }

    /// A store fails, or is cut off from somebody.
    pub(crate) fn note_trouble(&mut self, profile: &str) {
        self.troubled.insert(profile.to_owned(), None);
    }

    /// A store works again, or is reached again.
    pub(crate) fn note_recovery(&mut self, profile: &str, now: Time) {
        if let Some(until) = self.troubled.get_mut(profile) {
            until.get_or_insert(now);
        }
    }

    /// Whether a store failed, or was cut off from somebody, at any time after a moment.
    pub fn was_in_trouble_after(&self, profile: &str, then: Time) -> bool {
        self.troubled.get(profile).is_some_and(|until| until.is_none_or(|until| until > then))
    }

    /// Whether any store ever lost what was stored there.
    pub fn lost_anything(&self) -> bool {
        !self.lossy.is_empty()
    }

    /// Whether a store ever lost what was stored there.
    pub fn lost_something(&self, profile: &str) -> bool {
        self.lossy.contains(profile)
    }

    /// A copy of a VRG that was replaced by one of an earlier primary, if that ever happened.
    pub fn overwritten(&self) -> Option<String> {
        self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The names of the profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.buckets.keys().map(String::as_str)
    }

    /// All objects of a store, decoded, by key.
    pub fn objects(&self, profile: &str) -> BTreeMap<String, Value> {
        let objects = self.with(profile, |bucket| {
            let decoded =
                bucket.objects().filter_map(|(key, object)| Some((key.to_owned(), decode(&object.bytes).ok()?)));
            decoded.collect()
        });
        objects.unwrap_or_default()
    }

    /// How long a call takes at the moment. What takes longer than [`LIMIT`] is given up then.
    pub(crate) fn latency(&self, profile: &str) -> Duration {
        match self.with(profile, |bucket| bucket.fault()) {
            Some(Fault::Slow(span)) => span.min(LIMIT),
            _ => USUAL,
        }
    }

    /// Which objects an operation is to delete, if it gets through.
    pub(crate) fn doomed(&self, profile: &str, operation: &StoreOperation) -> Vec<String> {
        match operation {
            StoreOperation::Delete(keys) => keys.iter().filter(|key| self.has(profile, key)).cloned().collect(),
            StoreOperation::DeleteAll(prefix) => {
                self.with(profile, |bucket| keys_under(bucket, prefix)).unwrap_or_default()
            }
            StoreOperation::Fenced { operation, .. } => self.doomed(profile, operation),
            _ => Vec::new(),
        }
    }

    /// Whether a store has an object.
    pub(crate) fn has(&self, profile: &str, key: &str) -> bool {
        self.with(profile, |bucket| bucket.get(key).is_some()).unwrap_or(false)
    }

    /// Carries out one operation, at once.
    pub(crate) fn call(
        &self,
        profile: &StoreProfile,
        keys: &Keys,
        operation: &StoreOperation,
        now: Time,
    ) -> Result<StoreAnswer, Outcome> {
        let unreachable = || Outcome::Unreachable { message: format!("no answer from {}", profile.endpoint) };
        self.with(&profile.name, |bucket| {
            if bucket.fault() != Fault::Down {
                self.check_keys(&profile.name, keys)?;
            }
            if bucket.name() != profile.bucket {
                return Err(refused(404, "NoSuchBucket", &profile.bucket));
            }
            match bucket.fault() {
                Fault::None => {}
                Fault::Down => return Err(unreachable()),
                Fault::Slow(span) if span < LIMIT => {}
                Fault::Slow(_) => {
                    // The store may do it, only too late to say so.
                    let _unheard = carried_out(bucket, operation, now);
                    return Err(Outcome::Unknown { message: format!("no answer within {} s", LIMIT.as_secs()) });
                }
                Fault::Erroring => {
                    return Err(Outcome::Unknown { message: "500 InternalError".to_owned() });
                }
                Fault::ReadOnly if writes(operation) => {
                    return Err(refused(403, "AccessDenied", "the store is read-only"));
                }
                Fault::ReadOnly => {}
            }
            let before = copies_replaced_by(bucket, operation);
            let answer = carried_out(bucket, operation, now);
            if answer.is_ok()
                && let Some((key, old, new)) = before.into_iter().find(|(_, old, new)| old > new)
            {
                let what =
                    format!("{key} in store {}, of epoch {old}, was replaced by one of epoch {new}", profile.name);
                self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
            }
            answer
        })
        .unwrap_or_else(|| Err(unreachable()))
    }
}

impl Stores {
    /// Refuses other credentials than its own, as S3 does.
    fn check_keys(&self, profile: &str, keys: &Keys) -> Result<(), Outcome> {
        match self.keys.get(profile) {
            Some(taken) if taken.access != keys.access => {
                Err(refused(403, "InvalidAccessKeyId", "the access key id does not exist"))
            }
            Some(taken) if taken.secret != keys.secret => {
                Err(refused(403, "SignatureDoesNotMatch", "the signature does not match the secret key"))
            }
            _ => Ok(()),
        }
    }
}

/// Copies of VRGs that an operation replaces, with the epochs of the old one and the new one.
fn copies_replaced_by(bucket: &Bucket, operation: &StoreOperation) -> Vec<(String, u64, u64)> {
    let objects = match operation {
        StoreOperation::Put(objects) => objects,
        // A copy that was on its way when its cluster became the home is that of the home: the next one follows.
        StoreOperation::Fenced { key, writer, .. } if is_held_by(bucket, key, &writer.cluster) => return Vec::new(),
        StoreOperation::Fenced { operation, .. } => return copies_replaced_by(bucket, operation),
        _ => return Vec::new(),
    };
    let epoch = |copy: &Value| copy["metadata"]["annotations"][annotation::STORE_EPOCH].as_str()?.parse::<u64>().ok();
    let copies = objects.iter().filter(|(key, _)| key.contains("VolumeReplicationGroup"));
    let replaced = copies.filter_map(|(key, new)| {
        let old = decode(&bucket.get(key)?.bytes).ok()?;
        Some((key.clone(), epoch(&old).unwrap_or_default(), epoch(new).unwrap_or_default()))
    });
    replaced.collect()
}

fn is_held_by(bucket: &Bucket, key: &str, cluster: &str) -> bool {
    let held = bucket.get(key).and_then(|object| fence::read(&decode(&object.bytes).ok()?));
    held.is_some_and(|fence| fence.cluster == cluster)
}

fn keys_under(bucket: &Bucket, prefix: &str) -> Vec<String> {
    let all = bucket.list(Listing { prefix, limit: usize::MAX, ..Listing::default() });
    all.objects.into_iter().map(|(key, _)| key).collect()
}

fn carried_out(bucket: &mut Bucket, operation: &StoreOperation, now: Time) -> Result<StoreAnswer, Outcome> {
    Ok(match operation {
        StoreOperation::Probe { .. } => StoreAnswer::Done,
        StoreOperation::Put(objects) => {
            for (key, object) in objects {
                // Without a condition there is nothing to fail.
                let _ = bucket.put(key, object.to_string().as_bytes(), &Condition::None, now);
            }
            StoreAnswer::Done
        }
        StoreOperation::Get(key) => match bucket.get(key) {
            None => StoreAnswer::Absent,
            Some(object) => StoreAnswer::Object(
                decode(&object.bytes).map_err(|text| refused(0, "BadObject", &format!("{key}: {text}")))?,
            ),
        },
        StoreOperation::GetAll(prefix) => {
            let all = bucket.list(Listing { prefix, limit: usize::MAX, ..Listing::default() });
            StoreAnswer::Objects(all.objects.into_iter().map(|(key, object)| (key, decode(&object.bytes))).collect())
        }
        StoreOperation::List(prefix) => StoreAnswer::Keys(keys_under(bucket, prefix)),
        StoreOperation::Delete(keys) => {
            keys.iter().for_each(|key| bucket.delete(key));
            StoreAnswer::Done
        }
        StoreOperation::DeleteAll(prefix) => {
            keys_under(bucket, prefix).iter().for_each(|key| bucket.delete(key));
            StoreAnswer::Done
        }
        // A bucket does one thing after the other: nobody comes between the look at the fence and the operation.
        StoreOperation::Fenced { key, writer, operation } => {
            let judge = |held: Option<&[u8]>| {
                let held = held.map(decode).transpose().map_err(|why| fence::unreadable(key, &why))?;
                fence::enter(key, writer, held.as_ref()).map(|put| put.map(|put| put.to_string().into_bytes()))
            };
            bucket.exchange(key, judge, now)?;
            let answer = carried_out(bucket, operation, now)?;
            if matches!(**operation, StoreOperation::DeleteAll(_)) {
                bucket.delete(key);
            }
            answer
        }
    })
}

fn writes(operation: &StoreOperation) -> bool {
    !matches!(
        operation,
        StoreOperation::Probe { .. } | StoreOperation::Get(_) | StoreOperation::GetAll(_) | StoreOperation::List(_)
    )
}

fn decode(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|err| err.to_string())
}

fn refused(code: u16, reason: &str, message: &str) -> Outcome {
    Outcome::Refused { code, reason: reason.to_owned(), message: message.to_owned() }
}
