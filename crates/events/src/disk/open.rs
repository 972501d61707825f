//! Opening: lock, format, owner, what a crash left, epoch.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sled::Db;

use crate::{
    Epoch,
    disk::{
        SledLog,
        directory::{self, Lock, failed},
        group::panic_text,
        keys,
        marker::{self, Mark, Marker},
        parts,
        reader::{self, Raws},
        recover::{self, Survey},
        snapshots,
        writer::{self, Target, Writer},
    },
    log::{Damage, Error, Head, Owner},
};

/// The format of the store's keys and values; the form of records has a number of its own.
const FORMAT: u32 = 1;

/// How much of the tree sled may keep in memory.
const CACHE: u64 = 64 << 20;

/// How long sled's file may stay locked after the log was closed.
const LINGER: Duration = Duration::from_secs(5);

/// How much is checked when a log is opened. What is not checked then is when it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Every record: a second or two for a million.
    #[default]
    Whole,
    /// What comes after the newest snapshot.
    SinceSnapshot,
}

/// How to open a log.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose log it is to be. A log remembers its owner and is opened by nobody else.
    pub owner: Owner,
    /// What to check.
    pub check: Check,
    /// Whether a log that lacks records which it had acknowledged is not opened.
    pub refuse_lost: bool,
}

impl Options {
    /// For this owner, checking the whole log.
    pub fn new(owner: Owner) -> Self {
        Self { owner, check: Check::default(), refuse_lost: false }
    }
}

/// What was found when a log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The last record.
    pub head: Head,
    /// The epoch of this opening; 0 when it is for reading.
    pub epoch: Epoch,
    /// How many records were checked.
    pub checked: u64,
    /// How many records of a torn tail were cut off (when open for reading: are passed over).
    pub cut: u64,
    /// How many records are gone, cut ones included, although they had been acknowledged as durable: the volume lost
    /// what it had promised to keep, or was put back to an earlier state.
    pub lost: u64,
}

impl SledLog {
    /// Opens the log in `dir` for writing, and makes it if there is none. A torn tail is cut off; see
    /// [`SledLog::recovered`]. The epoch gained is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Damaged`], [`Error::TooNew`], [`Error::OtherOwner`], [`Error::Lost`] if that is wanted,
    /// or when files fail.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        directory::create(dir)?;
        let lock = Lock::take(dir)?;
        let db = open_store(dir)?;
        if !check_format(&db)? {
            db.insert(keys::FORMAT, &FORMAT.to_le_bytes()).map_err(store_failed)?;
        }
        check_owner(&db, dir, &options.owner)?;
        let marker = Marker::open(dir)?;
        let mark = marker::read(dir);
        let survey = survey(&db, options.check)?;
        check_mark(&db, mark, survey.head)?;
        let lost = lost(&survey, mark);
        if options.refuse_lost && lost > 0 {
            // Nothing was written yet: the next attempt finds the same.
            return Err(Error::Lost { records: lost, after: survey.head.seq });
        }
        let epoch = gain_epoch(&db, mark)?;
        for seq in &survey.torn {
            let mut batch = sled::Batch::default();
            parts::remove(&db, &mut batch, &keys::record(*seq)).map_err(store_failed)?;
            db.apply_batch(batch).map_err(store_failed)?;
        }
        let path = directory::store_file(dir);
        let file = File::options().read(true).write(true).open(&path).map_err(failed("open", &path))?;
        let sync = writer::sync_of(file);
        db.flush().map_err(store_failed)?;
        sync().map_err(failed("sync", &path))?;
        let head = survey.head;
        marker.write(Mark { seq: head.seq, hash: head.hash, epoch }).map_err(failed("write", &directory::head(dir)))?;
        if mark.is_none_or(|mark| mark.seq > head.seq) {
            // An old mark that outlives the records it knows would take those that replace them for forgeries.
            marker.sync().map_err(failed("sync", &directory::head(dir)))?;
            directory::sync(dir)?;
        }
        directory::sync(&directory::store(dir))?;
        let recovered = report(&survey, mark, epoch);
        let shared_head = Arc::new(Mutex::new(head));
        let target = Target { db: db.clone(), sync, marker, epoch, head: Arc::clone(&shared_head) };
        let writer = Writer::start(target).map_err(failed("start the writer of", dir))?;
        Ok(Self { writer: Some(writer), tree: db, head: shared_head, recovered, dir: dir.to_owned(), _lock: lock })
    }

    /// Opens the log in `dir` for reading: nothing is cut off, no epoch is gained, nothing can be appended. The log
    /// must not be open elsewhere.
    ///
    /// # Errors
    /// [`Error::NoLog`], else as [`SledLog::open`].
    pub fn open_for_reading(dir: &Path) -> Result<Self, Error> {
        if !directory::store_file(dir).is_file() {
            return Err(Error::NoLog { dir: dir.to_owned() });
        }
        let lock = Lock::take(dir)?;
        let db = open_store(dir)?;
        check_format(&db)?;
        let mark = marker::read(dir);
        let survey = survey(&db, Check::Whole)?;
        check_mark(&db, mark, survey.head)?;
        let recovered = report(&survey, mark, Epoch(0));
        let head = Arc::new(Mutex::new(survey.head));
        Ok(Self { writer: None, tree: db, head, recovered, dir: dir.to_owned(), _lock: lock })
    }
}

fn store_failed(err: sled::Error) -> Error {
    Error::Store { doing: "open the log", err }
}

/// Opens sled. Its threads may hold its file a moment longer than the log that it belonged to was open; since the log's
/// own lock is ours by now, that moment is waited for.
fn open_store(dir: &Path) -> Result<Db, Error> {
    let config = sled::Config::new().path(directory::store(dir)).cache_capacity(CACHE);
    let unreadable = |reason| Error::Unreadable { dir: dir.to_owned(), reason };
    let start = Instant::now();
    loop {
        // sled panics on some damaged files.
        return match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => Ok(db),
            Ok(Err(sled::Error::Io(err))) if err.to_string().contains("could not acquire lock") => {
                if start.elapsed() < LINGER {
                    std::thread::sleep(LINGER / 1000);
                    continue;
                }
                Err(Error::Locked { dir: dir.to_owned(), holder: None })
            }
            Ok(Err(err @ (sled::Error::Corruption { .. } | sled::Error::Unsupported(_)))) => {
                Err(unreadable(err.to_string()))
            }
            Ok(Err(err)) => Err(store_failed(err)),
            Err(panic) => Err(unreadable(panic_text(panic.as_ref()))),
        };
    }
}

/// Whether the store has a format that is known here; `false` when it has none yet.
fn check_format(db: &Db) -> Result<bool, Error> {
    match db.get(keys::FORMAT).map_err(store_failed)? {
        None => Ok(false),
        Some(value) => match value.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)) {
            FORMAT => Ok(true),
            found => Err(Error::TooNew { found, known: FORMAT }),
        },
    }
}

fn check_owner(db: &Db, dir: &Path, wanted: &Owner) -> Result<(), Error> {
    let config = bincode::config::standard().with_limit::<4096>();
    match db.get(keys::OWNER).map_err(store_failed)? {
        None => {
            #[expect(clippy::expect_used, reason = "encoding derived types into memory has no failing case")]
            let bytes = bincode::encode_to_vec(wanted, config).expect("an owner encodes");
            db.insert(keys::OWNER, bytes).map(drop).map_err(store_failed)
        }
        Some(value) => match bincode::decode_from_slice::<Owner, _>(&value, config) {
            Ok((found, _)) if found == *wanted => Ok(()),
            Ok((found, _)) => {
                Err(Error::OtherOwner { dir: dir.to_owned(), found: found.to_string(), wanted: wanted.to_string() })
            }
            Err(err) => {
                Err(Error::Unreadable { dir: dir.to_owned(), reason: format!("its owner does not decode: {err}") })
            }
        },
    }
}

fn survey(db: &Db, check: Check) -> Result<Survey, Error> {
    let start = match check {
        Check::Whole => Head::default(),
        Check::SinceSnapshot => newest_snapshot(db)?.unwrap_or_default(),
    };
    recover::survey(start, Raws::new(db, start.seq.next()))
}

/// The record that the newest snapshot ends with, if both are whole.
fn newest_snapshot(db: &Db) -> Result<Option<Head>, Error> {
    for name in snapshots::list(db)?.into_iter().rev() {
        let Some(snapshot) = snapshots::get(db, name)? else { continue };
        let Some(raw) = reader::raw(db, name.seq)? else { continue };
        if let Some(stored) = raw.stored().filter(|stored| stored.hash == snapshot.hash)
            && let Ok(record) = stored.record()
        {
            return Ok(Some(Head { seq: name.seq, hash: stored.hash, stamp: record.stamp }));
        }
    }
    Ok(None)
}

/// The record that was acknowledged last is still the same, if it is there.
fn check_mark(db: &Db, mark: Option<Mark>, head: Head) -> Result<(), Error> {
    match mark {
        Some(mark) if mark.seq <= head.seq && reader::hash_of(db, mark.seq)? != Some(mark.hash) => {
            Err(Error::Damaged { seq: mark.seq, damage: Damage::Replaced })
        }
        _ => Ok(()),
    }
}

fn gain_epoch(db: &Db, mark: Option<Mark>) -> Result<Epoch, Error> {
    let stored = db.get(keys::EPOCH).map_err(store_failed)?;
    let stored = stored.and_then(|value| value.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))).unwrap_or(0);
    let epoch = stored.max(mark.map_or(0, |mark| mark.epoch.0)) + 1;
    db.insert(keys::EPOCH, &epoch.to_le_bytes()).map_err(store_failed)?;
    Ok(Epoch(epoch))
}

fn report(survey: &Survey, mark: Option<Mark>, epoch: Epoch) -> Recovered {
    Recovered {
        head: survey.head,
        epoch,
        checked: survey.checked,
        cut: survey.torn.len() as u64,
        lost: lost(survey, mark),
    }
}

/// How many acknowledged records are gone.
fn lost(survey: &Survey, mark: Option<Mark>) -> u64 {
    mark.map_or(0, |mark| mark.seq.0.saturating_sub(survey.head.seq.0))
}
