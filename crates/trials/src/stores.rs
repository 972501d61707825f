//! S3 stores without sockets: what comes of the requests that the runtime's client sends, done directly on a bucket.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ramen_api::ramen::{
    s3_keys::{VrgKeys, owner_of},
    wire::annotation,
};
use ramen_events::{Outcome, spoke::Fence};
use ramen_ports::{
    StoreProfile, fence,
    requests::{self, Found, Reply, Request},
};
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

/// How long a request to a store may take before it is given up.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// How old a look at a fence may be when a write begins that stands on it: as old as the answer to a request may be, since the
/// first write after it is made whatever time that took.
const LOOKED: Duration = LIMIT;

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

/// Who asks a store for something, and how.
#[derive(Debug)]
pub(crate) struct Access {
    /// Whose operator.
    pub(crate) home: String,
    /// Which store.
    pub(crate) profile: StoreProfile,
    /// With which credentials.
    pub(crate) keys: Keys,
    /// As whom it writes, where a fence tells who may.
    pub(crate) writer: Option<Fence>,
}

/// A copy of a VRG that was replaced by one of an earlier primary, whose put was on its way when its successor took over.
/// Decision 6 has the successor store it once more.
#[derive(Clone, Debug)]
pub(crate) struct Overtaken {
    /// Whose copy it was.
    pub(crate) home: String,
    /// Its epoch.
    epoch: u64,
    /// What happened, in words.
    pub(crate) what: String,
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
    overtaken: Mutex<BTreeMap<(String, String), Overtaken>>,
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
        self.overtaken_now().retain(|(in_store, _), _| in_store != profile);
        self.lossy.insert(profile.to_owned());
    }

    /// A store fails, or is cut off from somebody.
    pub(crate) fn note_trouble(&mut self, profile: &str) {
        self.troubled.insert(profile.to_owned(), None);
    }

    /// A store works again, or is reached again.
    pub(crate) fn note_recovery(&mut self, profile: &str, now: Time) {
        if let Some(until) = self.troubled.get_mut(profile) {
            *until = Some(now);
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

    /// A copy of a VRG that an earlier primary replaced although it could know of its successor, if that ever happened.
    pub fn overwritten(&self) -> Option<String> {
        self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Copies of VRGs, by store and key, that are at present those of an earlier primary, since a put of it came late.
    pub(crate) fn overtaken(&self) -> BTreeMap<(String, String), Overtaken> {
        self.overtaken_now().clone()
    }

    fn overtaken_now(&self) -> MutexGuard<'_, BTreeMap<(String, String), Overtaken>> {
        self.overtaken.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// How long a request takes at the moment, if that is longer than usual.
    pub(crate) fn slowness(&self, profile: &str) -> Option<Duration> {
        match self.with(profile, |bucket| bucket.fault()) {
            Some(Fault::Slow(span)) => Some(span),
            _ => None,
        }
    }

    /// Whether a store has an object.
    pub(crate) fn has(&self, profile: &str, key: &str) -> bool {
        self.with(profile, |bucket| bucket.get(key).is_some()).unwrap_or(false)
    }

    /// A request that was sent at some moment arrives.
    pub(crate) fn receive(&self, access: &Access, request: &Request, sent: Time, now: Time) -> Result<Reply, Outcome> {
        let profile = &access.profile;
        let unreachable = || Outcome::Unreachable { message: format!("no answer from {}", profile.endpoint) };
        self.with(&profile.name, |bucket| {
            match bucket.fault() {
                Fault::Down if sent < now => {
                    return Err(Outcome::Unknown { message: format!("the connection to {} broke", profile.endpoint) });
                }
                Fault::Down => return Err(unreachable()),
                _ => self.check_keys(&profile.name, &access.keys)?,
            }
            if bucket.name() != profile.bucket {
                return Err(refused(404, "NoSuchBucket", &profile.bucket));
            }
            match bucket.fault() {
                Fault::Erroring => return Err(Outcome::Unknown { message: "500 InternalError".to_owned() }),
                Fault::ReadOnly if request.writes() => {
                    return Err(refused(403, "AccessDenied", "the store is read-only"));
                }
                _ => {}
            }
            if let Request::Put { key, object, .. } = request
                && key.contains("VolumeReplicationGroup")
            {
                self.compare(bucket, access, (key, object), sent);
            }
            if let Request::Delete(key) = request {
                self.overtaken_now().remove(&(profile.name.clone(), key.clone()));
            }
            Ok(carried_out(bucket, request, now))
        })
        .unwrap_or_else(|| Err(unreachable()))
    }

    /// Notes whose copy of a VRG a put replaces: that of a successor must not be replaced, but by a put that was on its way.
    fn compare(&self, bucket: &Bucket, access: &Access, (key, new): (&str, &Value), sent: Time) {
        let store = &access.profile.name;
        let about = (store.clone(), key.to_owned());
        let new = epoch(new);
        let Some(old) = bucket.get(key).and_then(|old| decode(&old.bytes).ok()).as_ref().map(epoch) else { return };
        if old <= new {
            let mut overtaken = self.overtaken_now();
            if overtaken.get(&about).is_some_and(|overtaken| overtaken.epoch <= new) {
                overtaken.remove(&about);
            }
            return;
        }
        let what = format!("{key} in store {store}, of epoch {old}, was replaced by one of epoch {new}");
        match holder(bucket, key) {
            // A copy that was on its way when its cluster became the home is that of the home: the next one follows.
            Some((held, _)) if access.writer.as_ref().is_some_and(|writer| writer.cluster == held.cluster) => {}
            Some((held, taken)) if access.writer.is_some() && sent < taken + LOOKED => {
                let home = held.cluster;
                self.overtaken_now().entry(about).or_insert(Overtaken { home, epoch: old, what });
            }
            _ => {
                self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
            }
        }
    }

    /// Whether a deletion was on its way when another cluster took the store over.
    pub(crate) fn is_overtaken(&self, access: &Access, key: &str, sent: Time) -> bool {
        let Some(writer) = &access.writer else { return false };
        let held = self.with(&access.profile.name, |bucket| holder(bucket, key)).flatten();
        held.is_some_and(|(held, taken)| held.cluster != writer.cluster && sent < taken + LOOKED)
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

fn epoch(copy: &Value) -> u64 {
    let epoch = copy["metadata"]["annotations"][annotation::STORE_EPOCH].as_str();
    epoch.and_then(|epoch| epoch.parse().ok()).unwrap_or_default()
}

/// Who has the fence of the application that an object is of, and since when.
fn holder(bucket: &Bucket, key: &str) -> Option<(Fence, Time)> {
    let (namespace, name) = owner_of(key)?;
    let object = bucket.get(&VrgKeys::new(namespace, name).fence())?;
    Some((fence::read(&decode(&object.bytes).ok()?)?, object.put))
}

fn keys_under(bucket: &Bucket, prefix: &str) -> Vec<String> {
    let all = bucket.list(Listing { prefix, limit: usize::MAX, ..Listing::default() });
    all.objects.into_iter().map(|(key, _)| key).collect()
}

fn carried_out(bucket: &mut Bucket, request: &Request, now: Time) -> Reply {
    match request {
        Request::Probe(_) => Reply::Done,
        Request::List(prefix) => Reply::Keys(keys_under(bucket, prefix)),
        Request::Get(key) => Reply::Object(
            bucket.get(key).map(|object| Found { object: decode(&object.bytes), tag: Some(object.etag.clone()) }),
        ),
        Request::Put { key, object, condition } => {
            let condition = match condition {
                requests::Condition::Any => Condition::None,
                requests::Condition::Absent => Condition::Absent,
                requests::Condition::Tag(tag) => Condition::Tag(tag.clone()),
            };
            let put = bucket.put(key, object.to_string().as_bytes(), &condition, now);
            if put.is_ok() { Reply::Done } else { Reply::Changed }
        }
        Request::Delete(key) => {
            bucket.delete(key);
            Reply::Done
        }
    }
}

fn decode(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|err| err.to_string())
}

fn refused(code: u16, reason: &str, message: &str) -> Outcome {
    Outcome::Refused { code, reason: reason.to_owned(), message: message.to_owned() }
}
