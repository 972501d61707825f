//! From a capture file to a history.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    BlobId, ChainHash, Record, Seq,
    capture::{
        Error, Header, MAGIC, Place, Trailer, VERSION,
        at::At,
        frame::{self, Bad, CHECK, Checked, LEAD},
        milestone::{self, MAX_SNAPSHOT, kinds},
    },
    disk::packed,
    log::{self, Damage, Head, History, MAX_BLOB, Snapshot, SnapshotName, Stored, StoredIter},
    stored,
};

/// Every so many records the reader remembers where it was.
const STRIDE: u64 = 1024;

/// Where a frame's contents are.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u64,
    length: usize,
}

/// A place from which records can be read: the next one, where it is, and the hash before it.
#[derive(Clone, Copy, Debug)]
struct Entrance {
    seq: Seq,
    start: u64,
    before: ChainHash,
}

/// What is done with the records when a capture is opened.
enum Pass {
    /// Each is decoded, and the chain followed.
    Check,
    /// They are passed over.
    Over,
}

/// An open capture, wholly checked. Of its contents only an index is in memory.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Arc<File>,
    header: Header,
    snapshot: Option<Span>,
    blobs: BTreeMap<BlobId, (Seq, Span)>,
    milestones: BTreeMap<SnapshotName, Span>,
    entrances: Vec<Entrance>,
    head: Head,
}

impl Reader {
    /// Opens a capture and checks every bit of it.
    ///
    /// # Errors
    /// [`Error::NotACapture`], [`Error::TooNew`], [`Error::Truncated`], [`Error::Damaged`], [`Error::Record`], or when
    /// the file cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match Self::salvage(path)? {
            (reader, None) => Ok(reader),
            (_, Some(err)) => Err(err),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a capture for whoever needs only its end, or what comes after a snapshot or milestone: many times faster than
    /// [`Reader::open`]. The digest that ends the file tells that every bit is what was written; records are decoded, and
    /// their chain is followed, only where they are read.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_quickly(path: &Path) -> Result<Self, Error> {
        match Self::read(path, Pass::Over)? {
            (reader, None) => Ok(reader),
            (_, Some(err)) => Err(err),
        }
    }

    /// Opens what is provable of a capture that is damaged or cut off: all records before the first that is not whole.
    /// Their chain is intact; that nothing was taken off their end is not proven.
    ///
    /// Returns what is wrong with the rest; `None` when all of it is whole.
    ///
    /// # Errors
    /// As [`Reader::open`], when not even what comes before the records is whole.
    pub fn salvage(path: &Path) -> Result<(Self, Option<Error>), Error> {
        Self::read(path, Pass::Check)
    }

    fn read(path: &Path, pass: Pass) -> Result<(Self, Option<Error>), Error> {
        let failed = |err| Error::File { doing: "read", path: path.to_owned(), err };
        let file = Arc::new(File::open(path).map_err(failed)?);
        let from_start = || At { file: Arc::clone(&file), position: 0 };
        let length = file.metadata().map_err(failed)?.len();
        let known = frame::is_whole(from_start(), length).map_err(failed)?;
        let mut input = Checked::new(BufReader::with_capacity(1 << 16, from_start()), known);
        let at = |place| move |bad: Bad| bad.at(place, failed);

        let start = input.start::<12>();
        let [magic @ .., a, b, c, d] = start.map_err(|bad| match bad {
            Bad::End => starts_too_short(path),
            bad => bad.at(Place::Header, failed),
        })?;
        if magic != MAGIC {
            return Err(Error::NotACapture);
        }
        let version = u32::from_le_bytes([a, b, c, d]);
        if version == 0 {
            return Err(Error::Damaged { place: Place::Header });
        }
        if version > VERSION {
            return Err(Error::TooNew { found: version, known: VERSION });
        }
        let header = input.frame(frame::HEADER, 1 << 20).map_err(at(Place::Header))?;
        let header: Header = decoded(&header, Place::Header)?;
        if header.first == Seq(0) || header.first > header.last.next() {
            return Err(Error::Damaged { place: Place::Header });
        }

        let before = Head { seq: Seq(header.first.0 - 1), hash: header.before, stamp: header.before_stamp };
        let mut reader = Self {
            path: path.to_owned(),
            file,
            header,
            snapshot: None,
            blobs: BTreeMap::new(),
            milestones: BTreeMap::new(),
            entrances: Vec::new(),
            head: before,
        };
        if let Some(name) = reader.header.snapshot {
            let start = input.position() + LEAD as u64;
            let contents = input.frame(frame::SNAPSHOT, MAX_SNAPSHOT).map_err(at(Place::Snapshot))?;
            let span = Span { start, length: contents.len() };
            reader.snapshot = Some(span);
            snapshot_of(name, &contents).ok_or(Error::Damaged { place: Place::Snapshot })?;
        }
        for number in 1..=reader.header.blobs {
            let place = Place::Blob(number);
            let start = input.position() + LEAD as u64;
            let contents = input.frame(frame::BLOB, 2 * MAX_BLOB).map_err(at(place))?;
            let span = Span { start, length: contents.len() };
            let (id, came_with, _) = blob_of(&contents).ok_or(Error::Damaged { place })?;
            reader.blobs.insert(id, (came_with, span));
        }
        let wrong = match pass {
            Pass::Over if known => reader.pass_over(version, input.position()).err(),
            // What is damaged is looked at closely.
            Pass::Over | Pass::Check => reader.index_records(version, input).err(),
        };
        if wrong.is_some() {
            reader.header.last = reader.head.seq;
        }
        Ok((reader, wrong))
    }

    /// Follows the records to the end of the file, and remembers where they are.
    fn index_records(&mut self, version: u32, mut input: Checked<BufReader<At>>) -> Result<(), Error> {
        let kinds = kinds(version);
        let path = self.path.clone();
        let failed = |err| Error::File { doing: "read", path: path.clone(), err };
        let at = |place| move |bad: Bad| bad.at(place, failed);
        let mut bytes = Vec::new();
        while self.head.seq < self.header.last {
            let seq = self.head.seq.next();
            let place = Place::Record(seq);
            if self.head.seq.0.is_multiple_of(STRIDE) || self.entrances.is_empty() {
                self.enter(Entrance { seq, start: input.position(), before: self.head.hash });
            }
            let start = input.position() + LEAD as u64;
            let kind = input.one_of(kinds, &mut bytes).map_err(at(place))?;
            if kind == frame::MILESTONE {
                self.milestone(&bytes, start)?;
                continue;
            }
            let record = record_of(seq, &bytes)?;
            self.head = Head { seq, hash: self.head.hash.then(&bytes), stamp: record.stamp };
        }
        let trailer = input.frame(frame::TRAILER, 1 << 10).map_err(at(Place::Trailer))?;
        let trailer: Trailer = decoded(&trailer, Place::Trailer)?;
        let (records, blobs) = (self.header.records(), self.blobs.len() as u64);
        if trailer != (Trailer { records, blobs, head: self.head.hash }) {
            return Err(Error::Damaged { place: Place::Trailer });
        }
        input.finish().map_err(at(Place::Trailer))
    }

    /// Notes the milestone with these contents, which stands where the reader is.
    fn milestone(&mut self, contents: &[u8], start: u64) -> Result<(), Error> {
        let seq = self.head.seq;
        let damaged = || Error::Damaged { place: Place::Milestone(seq) };
        let (name, hash) = milestone::named(seq, contents).ok_or_else(damaged)?;
        if hash != self.head.hash || !self.is_next(seq) {
            return Err(damaged());
        }
        self.milestones.insert(name, Span { start, length: contents.len() });
        Ok(())
    }

    /// Whether a milestone may come after record `seq`: there is one after a record, and before the first stands the snapshot.
    fn is_next(&self, seq: Seq) -> bool {
        seq >= self.header.first && self.milestones.last_key_value().is_none_or(|(last, _)| last.seq < seq)
    }

    /// Notes a place; of several before the same record, the last.
    fn enter(&mut self, entrance: Entrance) {
        self.entrances.pop_if(|last| last.seq == entrance.seq);
        self.entrances.push(entrance);
    }

    /// Finds the end of the records in a file whose digest is right. They can be entered at the first, and after the
    /// snapshot and each milestone, which know the hash there.
    fn pass_over(&mut self, version: u32, position: u64) -> Result<(), Error> {
        let path = self.path.clone();
        let failed = |err| Error::File { doing: "read", path: path.clone(), err };
        let snapshot = match (self.snapshot, self.header.snapshot) {
            (Some(span), Some(name)) => {
                let mut hash = [0; 32];
                self.file.read_exact_at(&mut hash, span.start).map_err(failed)?;
                Some((name.seq.next(), ChainHash(hash)))
            }
            _ => None,
        };
        let mut input = BufReader::with_capacity(1 << 18, At { file: Arc::clone(&self.file), position });
        let mut start = position;
        let mut last = None;
        while self.head.seq < self.header.last {
            let seq = self.head.seq.next();
            let damaged = Error::Damaged { place: Place::Record(seq) };
            if self.entrances.is_empty() {
                self.enter(Entrance { seq, start, before: self.head.hash });
            } else if let Some((after, before)) = snapshot.filter(|(after, _)| *after == seq) {
                self.enter(Entrance { seq: after, start, before });
            }
            let mut lead = [0; LEAD];
            input.read_exact(&mut lead).map_err(failed)?;
            let [kind, a, b, c, d, ..] = lead;
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            if !kinds(version).iter().any(|(known, limit)| *known == kind && length <= *limit) {
                return Err(damaged);
            }
            let (span, rest) = (Span { start: start + LEAD as u64, length }, length + CHECK);
            if kind == frame::MILESTONE {
                let mut contents = [0; milestone::LEAD];
                self.file.read_exact_at(&mut contents, span.start).map_err(failed)?;
                let (name, before) = milestone::named(self.head.seq, &contents)
                    .filter(|_| length >= contents.len() && self.is_next(self.head.seq))
                    .ok_or(Error::Damaged { place: Place::Milestone(self.head.seq) })?;
                self.milestones.insert(name, span);
                input.seek_relative(rest as i64).map_err(failed)?;
                start += (LEAD + rest) as u64;
                // The hash is proven by what follows, as far as that is read.
                self.enter(Entrance { seq, start, before });
                continue;
            }
            last = Some(span);
            input.seek_relative(rest as i64).map_err(failed)?;
            start += (LEAD + rest) as u64;
            self.head.seq = seq;
        }
        if let Some(span) = last {
            let seq = self.head.seq;
            let mut bytes = vec![0; span.length];
            self.file.read_exact_at(&mut bytes, span.start).map_err(failed)?;
            self.head.stamp = record_of(seq, &bytes)?.stamp;
        }
        let mut rest = Checked::new(input, true);
        let at = |bad: Bad| bad.at(Place::Trailer, failed);
        let trailer: Trailer = decoded(&rest.frame(frame::TRAILER, 1 << 10).map_err(at)?, Place::Trailer)?;
        let (records, blobs) = (self.header.records(), self.blobs.len() as u64);
        if (trailer.records, trailer.blobs) != (records, blobs) {
            return Err(Error::Damaged { place: Place::Trailer });
        }
        self.head.hash = trailer.head;
        rest.finish().map_err(at)
    }

    /// What the capture holds.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn contents(&self, span: Span) -> Result<Vec<u8>, log::Error> {
        let mut contents = vec![0; span.length];
        self.file.read_exact_at(&mut contents, span.start).map_err(|err| self.failed(err))?;
        Ok(contents)
    }

    fn failed(&self, err: io::Error) -> log::Error {
        log::Error::File { doing: "read", path: self.path.clone(), err }
    }
}

/// A file too short to tell its version.
fn starts_too_short(path: &Path) -> Error {
    match std::fs::read(path) {
        Ok(start) if start.starts_with(&MAGIC) => Error::Truncated { place: Place::Header },
        _ => Error::NotACapture,
    }
}

fn decoded<T: bincode::Decode<()>>(contents: &[u8], place: Place) -> Result<T, Error> {
    match bincode::decode_from_slice(contents, bincode::config::standard().with_limit::<{ 1 << 20 }>()) {
        Ok((value, used)) if used == contents.len() => Ok(value),
        _ => Err(Error::Damaged { place }),
    }
}

fn record_of(seq: Seq, bytes: &[u8]) -> Result<Record, Error> {
    match stored::decode(bytes) {
        Ok(record) if record.seq == seq => Ok(record),
        Ok(_) => Err(Error::Damaged { place: Place::Record(seq) }),
        Err(err) => Err(Error::Record { seq, err }),
    }
}

fn snapshot_of(name: SnapshotName, contents: &[u8]) -> Option<Snapshot> {
    let (hash, packed) = contents.split_first_chunk::<32>()?;
    let bytes = packed::unpack(packed, MAX_SNAPSHOT)?;
    Some(Snapshot { seq: name.seq, hash: ChainHash(*hash), decider: name.decider, bytes })
}

fn blob_of(contents: &[u8]) -> Option<(BlobId, Seq, Vec<u8>)> {
    let (id, rest) = contents.split_first_chunk::<32>()?;
    let (came_with, packed) = rest.split_first_chunk::<8>()?;
    let blob = packed::unpack(packed, MAX_BLOB)?;
    let id = BlobId(*id);
    (BlobId::of(&blob) == id).then_some((id, Seq(u64::from_le_bytes(*came_with)), blob))
}

impl History for Reader {
    fn base(&self) -> Head {
        Head { seq: Seq(self.header.first.0 - 1), hash: self.header.before, stamp: self.header.before_stamp }
    }

    fn head(&self) -> Head {
        self.head
    }

    fn stored(&self, from: Seq) -> StoredIter<'_> {
        let from = from.max(self.header.first);
        let Some(entrance) = self.entrances.iter().rev().find(|entrance| entrance.seq <= from) else {
            return Box::new(std::iter::empty());
        };
        let input = At { file: Arc::clone(&self.file), position: entrance.start };
        let records = Records {
            reader: self,
            input: BufReader::with_capacity(1 << 16, input),
            next: entrance.seq,
            before: entrance.before,
            ended: false,
        };
        Box::new(records.filter(move |stored| stored.as_ref().map_or(true, |stored| stored.seq >= from)))
    }

    fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, log::Error> {
        let Some((_, span)) = self.blobs.get(&id) else { return Ok(None) };
        let contents = self.contents(*span)?;
        let blob = blob_of(&contents).filter(|(found, ..)| *found == id).map(|(.., blob)| blob);
        blob.map(Some).ok_or(log::Error::DamagedBlob { id })
    }

    fn blobs(&self) -> Result<Vec<(BlobId, Seq)>, log::Error> {
        Ok(self.blobs.iter().map(|(id, (came_with, _))| (*id, *came_with)).collect())
    }

    fn snapshots(&self) -> Result<Vec<SnapshotName>, log::Error> {
        let mut all: Vec<_> = self.milestones.keys().copied().chain(self.header.snapshot).collect();
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn snapshot(&self, name: SnapshotName) -> Result<Option<Snapshot>, log::Error> {
        match self.snapshot {
            Some(span) if self.header.snapshot == Some(name) => Ok(snapshot_of(name, &self.contents(span)?)),
            _ => match self.milestones.get(&name) {
                Some(span) => Ok(milestone::unpacked(name.seq, &self.contents(*span)?, MAX_SNAPSHOT)),
                None => Ok(None),
            },
        }
    }
}

/// Records of a capture that was checked when it was opened; the chain is followed all the same, in case the file
/// changed since.
struct Records<'a> {
    reader: &'a Reader,
    input: BufReader<At>,
    next: Seq,
    before: ChainHash,
    ended: bool,
}

impl Records<'_> {
    fn read(&mut self) -> Result<Stored, log::Error> {
        let seq = self.next;
        let failed = |err| self.reader.failed(err);
        let length = loop {
            let mut lead = [0; LEAD];
            self.input.read_exact(&mut lead).map_err(failed)?;
            let [kind, a, b, c, d, ..] = lead;
            let length = u32::from_le_bytes([a, b, c, d]);
            if kind != frame::MILESTONE {
                break length;
            }
            self.input.seek_relative(i64::from(length) + CHECK as i64).map_err(failed)?;
        };
        let mut bytes = Vec::with_capacity((length as usize).min(1 << 16));
        (&mut self.input).take(u64::from(length)).read_to_end(&mut bytes).map_err(failed)?;
        self.input.read_exact(&mut [0; CHECK]).map_err(failed)?;
        let hash = self.before.then(&bytes);
        let expected = self.expected_after(seq);
        if expected.is_some_and(|expected| expected != hash) {
            return Err(log::Error::Damaged { seq, damage: Damage::Hash });
        }
        self.before = hash;
        self.next = seq.next();
        Ok(Stored { seq, bytes, hash })
    }

    /// The hash of a record, where it is known from when the file was opened.
    fn expected_after(&self, seq: Seq) -> Option<ChainHash> {
        if seq == self.reader.head.seq {
            return Some(self.reader.head.hash);
        }
        let entrances = &self.reader.entrances;
        let index = entrances.binary_search_by_key(&seq.next(), |entrance| entrance.seq).ok()?;
        entrances.get(index).map(|entrance| entrance.before)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Stored, log::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.next > self.reader.head.seq {
            return None;
        }
        let stored = self.read();
        self.ended = stored.is_err();
        Some(stored)
    }
}
