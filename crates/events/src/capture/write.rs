//! From a log to a capture.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::{
    BlobId, ChainHash, Payload, Record, Seq,
    capture::{
        Error, Fold, Header, MAGIC, PLAIN, Trailer, VERSION, frame,
        frame::Framed,
        milestone::{self, Pace},
    },
    disk::packed,
    log::{self, Head, History, Owner, SnapshotName},
    stored,
};

/// Writes records `from` to `to` of a log, the blobs that they may name, and the newest snapshot from which they go on
/// (or which is between them). The same part of the same log gives the same bytes. Tells what was written.
///
/// # Errors
/// [`Error::Log`] when the log does not hold these records or is damaged, [`Error::Write`].
pub fn write(log: &dyn History, from: Seq, to: Seq, out: &mut dyn Write) -> Result<Header, Error> {
    let before = before(log, from, to).map_err(Error::Log)?;
    let snapshot = snapshot(log, before.seq, to).map_err(Error::Log)?;
    let provenance = provenance(log, from, to, None).map_err(Error::Log)?;
    write_with(log, before, to, snapshot, provenance, Seq(0), None, out).map(|(header, _)| header)
}

/// As [`fn@write`], with only those blobs that came with these records: one of the pieces that a log is cut into. Tells the
/// hash of the last record, too.
pub(super) fn write_stretch(
    log: &dyn History,
    from: Seq,
    to: Seq,
    at_work: Option<u32>,
    out: &mut dyn Write,
) -> Result<(Header, ChainHash), Error> {
    let before = before(log, from, to).map_err(Error::Log)?;
    let snapshot = snapshot(log, before.seq, to).map_err(Error::Log)?;
    let provenance = provenance(log, from, to, at_work).map_err(Error::Log)?;
    write_with(log, before, to, snapshot, provenance, from, None, out)
}

/// As [`fn@write`], for a slice: with the state after the record before the first, so that the slice can be folded and
/// decided again by itself. `state` is that state in the projector's form, and the version of the deciders it is of.
///
/// # Errors
/// As [`fn@write`].
pub fn write_slice(
    log: &dyn History,
    from: Seq,
    to: Seq,
    (decider, state): (u32, Vec<u8>),
    out: &mut dyn Write,
) -> Result<Header, Error> {
    let before = before(log, from, to).map_err(Error::Log)?;
    let snapshot = log::Snapshot { seq: before.seq, hash: before.hash, decider, bytes: state };
    let provenance = provenance(log, from, to, None).map_err(Error::Log)?;
    write_with(log, before, to, Some(snapshot), provenance, Seq(0), None, out).map(|(header, _)| header)
}

/// As [`fn@write`], with the state before the first record, unless a log begins there, and with milestones among the
/// records. `fold` has to be at the record before the first; it is at the last afterwards.
///
/// # Errors
/// As [`fn@write`].
pub fn write_along(
    log: &dyn History,
    from: Seq,
    to: Seq,
    fold: &mut dyn Fold,
    out: &mut dyn Write,
) -> Result<Header, Error> {
    let before = before(log, from, to).map_err(Error::Log)?;
    let state = || log::Snapshot { seq: before.seq, hash: before.hash, decider: fold.decider(), bytes: fold.state() };
    let snapshot = (before.seq > Seq(0)).then(state);
    let provenance = provenance(log, from, to, None).map_err(Error::Log)?;
    write_with(log, before, to, snapshot, provenance, Seq(0), Some(fold), out).map(|(header, _)| header)
}

/// `blobs_from`: the first record whose blobs are wanted. With `fold`, milestones are written.
#[expect(clippy::too_many_arguments, reason = "its callers are the ones to read: each gives what it is about")]
fn write_with(
    log: &dyn History,
    before: Head,
    to: Seq,
    snapshot: Option<log::Snapshot>,
    (owner, deciders): Provenance,
    blobs_from: Seq,
    mut fold: Option<&mut dyn Fold>,
    out: &mut dyn Write,
) -> Result<(Header, ChainHash), Error> {
    let from = before.seq.next();
    let wanted = |(_, came_with): &(BlobId, Seq)| (blobs_from..=to).contains(came_with);
    let blobs: Vec<_> = log.blobs().map_err(Error::Log)?.into_iter().filter(wanted).collect();
    let header = Header {
        owner,
        first: from,
        last: to,
        before: before.hash,
        before_stamp: before.stamp,
        deciders,
        snapshot: snapshot.as_ref().map(|snapshot| SnapshotName { seq: snapshot.seq, decider: snapshot.decider }),
        blobs: blobs.len() as u64,
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
    };

    let version = if fold.is_some() { VERSION } else { PLAIN };
    let mut out = Framed::new(out, &[&MAGIC[..], &version.to_le_bytes()].concat()).map_err(Error::Write)?;
    out.frame(frame::HEADER, &encoded(&header)).map_err(Error::Write)?;
    if let Some(snapshot) = snapshot {
        let mut contents = snapshot.hash.0.to_vec();
        contents.extend(packed::pack(&snapshot.bytes).map_err(Error::Write)?);
        out.frame(frame::SNAPSHOT, &contents).map_err(Error::Write)?;
    }
    for (id, came_with) in &blobs {
        let gone = Error::Log(log::Error::DamagedBlob { id: *id });
        let blob = log.blob(*id).map_err(Error::Log)?.ok_or(gone)?;
        let mut contents = id.0.to_vec();
        contents.extend_from_slice(&came_with.0.to_le_bytes());
        contents.extend(packed::pack(&blob).map_err(Error::Write)?);
        out.frame(frame::BLOB, &contents).map_err(Error::Write)?;
    }
    let mut trailer = Trailer { records: 0, blobs: blobs.len() as u64, head: before.hash };
    let count = usize::try_from(header.records()).unwrap_or(usize::MAX);
    let mut pace = Pace::default();
    for stored in log.stored(from).take(count) {
        let stored = stored.map_err(Error::Log)?;
        if let Some(fold) = fold.as_deref_mut() {
            if pace.is_due() {
                let contents = milestone::contents(fold.decider(), trailer.head, &fold.state());
                let contents = contents.map_err(Error::Write)?;
                out.frame(frame::MILESTONE, &contents).map_err(Error::Write)?;
                pace.milestone(contents.len());
            }
            fold.apply(&stored.record().map_err(Error::Log)?);
            pace.record(stored.bytes.len());
        }
        trailer.records += 1;
        trailer.head = stored.hash;
        out.frame(frame::RECORD, &stored.bytes).map_err(Error::Write)?;
    }
    out.frame(frame::TRAILER, &encoded(&trailer)).map_err(Error::Write)?;
    out.finish().map_err(Error::Write)?;
    Ok((header, trailer.head))
}

/// As [`fn@write`], to a file that appears under its name only when it is whole and durable.
///
/// # Errors
/// As [`fn@write`], and [`Error::File`].
pub fn write_file(log: &dyn History, from: Seq, to: Seq, path: &Path) -> Result<Header, Error> {
    to_file(path, |out| write(log, from, to, out))
}

/// As [`write_along`], to a file that appears under its name only when it is whole and durable.
///
/// # Errors
/// As [`fn@write`], and [`Error::File`].
pub fn write_along_file(
    log: &dyn History,
    from: Seq,
    to: Seq,
    fold: &mut dyn Fold,
    path: &Path,
) -> Result<Header, Error> {
    to_file(path, |out| write_along(log, from, to, fold, out))
}

fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<Header, Error>) -> Result<Header, Error> {
    let failed = |doing| move |err: io::Error| Error::File { doing, path: path.to_owned(), err };
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let file = File::create(&partial).map_err(failed("create"))?;
    let written = write(&mut BufWriter::new(&file)).and_then(|header| {
        file.sync_all().and_then(|()| fs::rename(&partial, path)).map_err(failed("write"))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed("write"))?;
        Ok(header)
    });
    if written.is_err() {
        // The first error is the one to tell; a partial file that stays is harmless.
        drop(fs::remove_file(&partial));
    }
    written
}

/// What stands before the first record to write.
fn before(log: &dyn History, from: Seq, to: Seq) -> Result<Head, log::Error> {
    let (base, head) = (log.base(), log.head());
    if from <= base.seq || from > to.next() {
        return Err(log::Error::NoSuchRecord { seq: from });
    }
    if to > head.seq {
        return Err(log::Error::NoSuchRecord { seq: to });
    }
    let seq = Seq(from.0 - 1);
    if seq == base.seq {
        return Ok(base);
    }
    let stored = log.stored(seq).next().ok_or(log::Error::NoSuchRecord { seq })??;
    Ok(Head { seq, hash: stored.hash, stamp: stored.record()?.stamp })
}

/// Whose records, and the versions of the deciders that wrote them.
type Provenance = (Option<Owner>, Vec<u32>);

/// Who wrote these records, and by which versions of the deciders: the one that was at work when they begin (`at_work`, if
/// that is known already), and those that took over since.
fn provenance(log: &dyn History, from: Seq, to: Seq, at_work: Option<u32>) -> Result<Provenance, log::Error> {
    let mut owner = None;
    let mut deciders: Vec<u32> = at_work.into_iter().collect();
    let start = if at_work.is_some() { from } else { log.base().seq.next() };
    for entry in log.scan(start) {
        let (record, _) = entry?;
        if record.seq > to {
            break;
        }
        if let Payload::Started { decider, .. } = record.payload {
            if record.seq <= from {
                deciders.clear();
            }
            if !deciders.contains(&decider) {
                deciders.push(decider);
            }
        }
        owner.get_or_insert_with(|| owner_of(&record));
    }
    Ok((owner, deciders))
}

fn owner_of(record: &Record) -> Owner {
    Owner { operator: record.origin.operator, cluster: record.origin.cluster.clone() }
}

fn snapshot(log: &dyn History, from: Seq, to: Seq) -> Result<Option<log::Snapshot>, log::Error> {
    let names = log.snapshots()?;
    for name in names.into_iter().rev().filter(|name| name.seq >= from && name.seq <= to) {
        if let Some(snapshot) = log.snapshot(name)? {
            return Ok(Some(snapshot));
        }
    }
    Ok(None)
}

fn encoded(contents: &impl bincode::Encode) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "encoding derived types into memory has no failing case")]
    bincode::encode_to_vec(contents, bincode::config::standard()).expect("a capture's header encodes")
}

const _: () = assert!(stored::MAX_RECORD < u32::MAX as usize, "a record fits into a frame");
