//! Segments: a log in pieces, each a capture of one stretch, compressed, under a name that says which.
//!
//! ```text
//!   <operator>/<cluster>/<log>/segments/000000000001-000000000350-b4a1dac7588b9793.ramenlog.zst
//!                              │        first        last         hash of the last record, its start
//!                              └─ anchors/000000000350-b4a1dac7588b9793.json
//! ```
//!
//! A segment holds the blobs that came with its records, and a snapshot if the log had one there; the hash before its first
//! record ties it to the one before it. Two writers never write different things under one name.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    BlobId, ChainHash, Seq,
    anchor::{self, LogId},
    capture::{Error, Header, Reader},
    log::{self, Head, History, Owner, Snapshot, SnapshotName, StoredIter},
};

/// How names of segments end.
pub const ENDING: &str = ".ramenlog.zst";
/// The compression; records are small and alike.
const LEVEL: i32 = 6;
/// The largest capture that a segment is unpacked to: what is larger was not written by an operator.
const MAX_UNPACKED: u64 = 4 << 30;

/// The folder of a log below an archive's prefix.
pub fn folder(owner: &Owner, log: &LogId) -> String {
    format!("{}/{}/{}", anchor::word(owner.operator), owner.cluster, log.short())
}

/// What a segment's name says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// Its first record.
    pub first: Seq,
    /// Its last record.
    pub last: Seq,
    /// The first digits of that record's hash.
    pub mark: String,
}

impl SegmentName {
    /// Of the records from one number to another; `hash` is that of the last.
    pub fn new(first: Seq, last: Seq, hash: ChainHash) -> Self {
        Self { first, last, mark: mark(hash) }
    }

    /// Reads a name, with or without folders before it.
    pub fn parse(key: &str) -> Option<Self> {
        let name = key.rsplit('/').next()?.strip_suffix(ENDING)?;
        let mut parts = name.split('-');
        let (first, last, mark) = (parts.next()?, parts.next()?, parts.next()?);
        let seq = |text: &str| text.parse().ok().map(Seq);
        let parsed = Self { first: seq(first)?, last: seq(last)?, mark: mark.to_owned() };
        (parts.next().is_none() && parsed.first <= parsed.last).then_some(parsed)
    }

    /// Whether this can be the hash of its last record.
    pub fn ends_with(&self, hash: ChainHash) -> bool {
        self.mark == mark(hash)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}-{:012}-{}{ENDING}", self.first.0, self.last.0, self.mark)
    }
}

/// The name of an anchor's object.
pub fn anchor_name(anchor: &anchor::Anchor) -> String {
    format!("{:012}-{}.json", anchor.seq.0, mark(anchor.hash))
}

fn mark(hash: ChainHash) -> String {
    LogId(hash).short()
}

/// Writes records `from` to `to` as a segment. `at_work` is the version of the deciders that was at work before `from`, if
/// that is known; else all earlier records are read to find out. Tells what was written, and the last record's hash.
///
/// # Errors
/// As [`fn@super::write`].
pub fn write_segment(
    log: &dyn History,
    from: Seq,
    to: Seq,
    at_work: Option<u32>,
    out: &mut dyn Write,
) -> Result<(Header, ChainHash), Error> {
    let mut packed = zstd::stream::write::Encoder::new(out, LEVEL).map_err(Error::Write)?;
    let written = super::write::write_stretch(log, from, to, at_work, &mut packed)?;
    packed.finish().map_err(Error::Write)?;
    Ok(written)
}

/// Unpacks a segment to a capture file.
///
/// # Errors
/// [`Error::NotASegment`] when it is cut off, damaged or something else; [`Error::File`].
pub fn unpack(segment: &Path, capture: &Path) -> Result<(), Error> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |err| Error::File { doing, path, err }
    };
    let bad = |err: io::Error| Error::NotASegment { path: segment.to_owned(), err };
    let packed = File::open(segment).map_err(failed("read", segment))?;
    let mut bytes = zstd::stream::read::Decoder::new(packed).map_err(bad)?.take(MAX_UNPACKED + 1);
    let mut out = File::create(capture).map_err(failed("create", capture))?;
    let mut part = vec![0; 1 << 18];
    loop {
        let read = bytes.read(&mut part).map_err(bad)?;
        if read == 0 {
            break;
        }
        out.write_all(part.get(..read).unwrap_or_default()).map_err(failed("write", capture))?;
    }
    if bytes.limit() == 0 {
        return Err(bad(io::Error::other("it holds more than a segment may")));
    }
    Ok(())
}

/// The segments of one log, read as one.
pub struct Segments {
    readers: Vec<Reader>,
}

/// Segments that do not belong to the log that was put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Their files.
    pub files: Vec<PathBuf>,
    /// The records that they hold, from the first to the last.
    pub records: (Seq, Seq),
}

impl Segments {
    /// Puts segments together: the ones that lead to the newest record. Where a log lost its end and went on, the store
    /// holds another end, too; that is left out, and told.
    ///
    /// # Errors
    /// [`Error::Gap`] when one is missing in between; [`Error::NoSegments`].
    pub fn join(readers: Vec<Reader>) -> Result<(Self, Option<LeftOut>), Error> {
        let mut left = readers;
        left.retain(|reader| reader.header().records() > 0);
        let newest =
            (0..left.len()).max_by_key(|at| left.get(*at).map(|reader| (reader.head().stamp, reader.head().seq)));
        let mut chain = vec![left.swap_remove(newest.ok_or(Error::NoSegments)?)];
        while let Some(base) = chain.last().map(History::base) {
            let before =
                left.iter().position(|reader| reader.head().seq == base.seq && reader.head().hash == base.hash);
            match before {
                Some(before) => chain.push(left.swap_remove(before)),
                None => break,
            }
        }
        chain.reverse();
        let joined = Self { readers: chain };
        let base = joined.base();
        // What lies before, and does not lead here, is cut off from it by what is missing.
        if let Some(last) = left.iter().map(|reader| reader.head().seq).filter(|last| *last <= base.seq).max() {
            return Err(Error::Gap { after: last, before: base.seq.next() });
        }
        left.retain(|reader| !joined.holds(reader.head()));
        let first = left.iter().map(|reader| reader.header().first).min();
        let last = left.iter().map(|reader| reader.head().seq).max();
        let files = left.iter().map(|reader| reader.path().to_owned()).collect();
        let left_out = first.zip(last).map(|records| LeftOut { files, records });
        Ok((joined, left_out))
    }

    /// Puts together what follows from the first segment on, up to the first that is missing.
    ///
    /// # Errors
    /// [`Error::NoSegments`].
    pub fn from_start(readers: Vec<Reader>) -> Result<Self, Error> {
        let mut left = readers;
        left.retain(|reader| reader.header().records() > 0);
        let first = (0..left.len()).min_by_key(|at| left.get(*at).map(|reader| reader.header().first));
        let mut chain = vec![left.swap_remove(first.ok_or(Error::NoSegments)?)];
        while let Some(head) = chain.last().map(History::head) {
            let follows = |reader: &&Reader| reader.base().seq == head.seq && reader.base().hash == head.hash;
            let Some(next) = left.iter().filter(follows).map(|reader| reader.head().seq).max() else { break };
            let at = left.iter().position(|reader| follows(&reader) && reader.head().seq == next);
            let Some(at) = at else { break };
            chain.push(left.swap_remove(at));
        }
        Ok(Self { readers: chain })
    }

    /// Whose log it is.
    pub fn owner(&self) -> Option<&Owner> {
        self.readers.first().and_then(|reader| reader.header().owner.as_ref())
    }

    /// Whether this record is one of the log's.
    fn holds(&self, head: Head) -> bool {
        let found = self.stored(head.seq).next().and_then(Result::ok);
        found.is_some_and(|found| found.seq == head.seq && found.hash == head.hash)
    }

    fn ends(&self) -> Option<(&Reader, &Reader)> {
        Some((self.readers.first()?, self.readers.last()?))
    }
}

impl History for Segments {
    fn base(&self) -> Head {
        self.ends().map(|(first, _)| first.base()).unwrap_or_default()
    }

    fn head(&self) -> Head {
        self.ends().map(|(_, last)| last.head()).unwrap_or_default()
    }

    fn stored(&self, from: Seq) -> StoredIter<'_> {
        let after = self.readers.iter().filter(move |reader| reader.head().seq >= from);
        let mut failed = false;
        Box::new(after.flat_map(move |reader| reader.stored(from)).map_while(move |stored| {
            if failed {
                return None;
            }
            failed = stored.is_err();
            Some(stored)
        }))
    }

    fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, log::Error> {
        for reader in self.readers.iter().rev() {
            if let Some(blob) = reader.blob(id)? {
                return Ok(Some(blob));
            }
        }
        Ok(None)
    }

    fn blobs(&self) -> Result<Vec<(BlobId, Seq)>, log::Error> {
        let mut all = BTreeMap::new();
        for reader in &self.readers {
            for (id, came_with) in reader.blobs()? {
                all.entry(id).or_insert(came_with);
            }
        }
        Ok(all.into_iter().collect())
    }

    fn snapshots(&self) -> Result<Vec<SnapshotName>, log::Error> {
        let mut all = Vec::new();
        for reader in &self.readers {
            all.extend(reader.snapshots()?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn snapshot(&self, name: SnapshotName) -> Result<Option<Snapshot>, log::Error> {
        for reader in &self.readers {
            if let Some(snapshot) = reader.snapshot(name)? {
                return Ok(Some(snapshot));
            }
        }
        Ok(None)
    }
}
