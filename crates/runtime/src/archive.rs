//! The archive: the event log in an S3 store, piece by piece, and anchors of its end.
//!
//! ```text
//!   log ──> segments that are not there yet ──> <prefix>/<operator>/<cluster>/<log>/segments/…
//!   its end ──────────────────────────────────> <prefix>/<operator>/<cluster>/<log>/anchors/…
//! ```
//!
//! Runs beside the pipeline of whoever leads, reads only what is durable, and nobody waits for it. Where it stands is
//! what the store holds: after a start it lists the segments and goes on after the last one that is of this log.
//! Names tell what objects hold (see [`segment`]), so a process that was overtaken does no harm.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client, config,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::{ByteStream, DateTime},
    types::{ChecksumAlgorithm, ObjectLockMode},
};
use ramen_events::{
    BlobId, Seq, Time,
    capture::segment::{self, SegmentName},
    log::{self, History},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::machine_time,
    head::LogHead,
    kube_api::failure::chain,
    metrics::Metrics,
    s3::{client, failure::Failure},
    settings,
    vault::Vault,
};

/// A segment is cut when its records have so many bytes, before compression,
const CUT_BYTES: usize = 8 << 20;
/// or are so many.
const CUT_RECORDS: u64 = 50_000;
/// The pause after a first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long one object may take to be written.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// How long the operator's Secrets may take to be listed after a start before one that is missing is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}")]
    Store(String),
    #[error("could not read the log")]
    Log(#[source] log::Error),
    #[error("could not make a segment of the log")]
    Segment(#[source] ramen_events::capture::Error),
    #[error("the maker of segments panicked: a defect, please report it")]
    Panicked,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.outcome.message().unwrap_or(&failure.reason).to_owned())
    }
}

/// Exports one log.
pub(crate) struct Exporter {
    log: Arc<dyn History>,
    head: Arc<LogHead>,
    settings: settings::Archive,
    vault: Arc<Vault>,
    metrics: Metrics,
    /// How long the last round may take when the process stops.
    stop_limit: Duration,
    client: Option<(Option<BlobId>, Client)>,
    /// The last record in the store; `None` before the store was asked.
    archived: Option<Seq>,
    /// Version of the deciders that was at work there.
    at_work: Option<u32>,
    /// The last record that was anchored.
    anchored: Seq,
}

/// A segment, ready to be stored.
struct Cut {
    name: SegmentName,
    bytes: Vec<u8>,
    at_work: Option<u32>,
}

impl Exporter {
    /// Of this log, to where the settings say.
    pub(crate) fn new(
        log: Arc<dyn History>,
        head: Arc<LogHead>,
        settings: settings::Archive,
        vault: Arc<Vault>,
        metrics: Metrics,
        stop_limit: Duration,
    ) -> Self {
        Self {
            log,
            head,
            settings,
            vault,
            metrics,
            stop_limit,
            client: None,
            archived: None,
            at_work: None,
            anchored: Seq(0),
        }
    }

    /// Exports until `end`, and then what is left; until `abandon` at the latest, when another process may lead.
    pub(crate) async fn run(mut self, end: CancellationToken, abandon: CancellationToken) {
        self.wait_for_secret(&end).await;
        let mut pause = Duration::ZERO;
        let mut failures: u32 = 0;
        while end.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            match end.run_until_cancelled(self.round()).await {
                None => break,
                Some(Ok(())) => {
                    if failures > 0 {
                        tracing::info!(failures, "the log is archived again");
                    }
                    failures = 0;
                    pause = self.settings.every;
                }
                Some(Err(err)) => {
                    self.failed(&err, failures == 0);
                    let longest = LONGEST_PAUSE.min(self.settings.every.max(FIRST_PAUSE));
                    pause = (FIRST_PAUSE * 2_u32.saturating_pow(failures.min(10))).min(longest);
                    failures = failures.saturating_add(1);
                }
            }
        }
        // A round that was broken off may have stored more than it could note; names make that harmless.
        let rest = tokio::time::timeout(self.stop_limit, self.round());
        match abandon.run_until_cancelled(rest).await {
            Some(Ok(Err(err))) => {
                self.metrics.archive_failed();
                tracing::warn!(
                    error = chain(&err),
                    "the end of the log is not archived; who leads next on this volume does that"
                );
            }
            Some(Err(_)) => {
                tracing::warn!(
                    "there was no time to archive the end of the log; who leads next on this volume does that"
                );
            }
            Some(Ok(Ok(()))) | None => {}
        }
    }

    fn failed(&self, err: &Error, is_first: bool) {
        self.metrics.archive_failed();
        let error = chain(err);
        if is_first {
            tracing::warn!(error, "could not archive the event log; trying again, nothing else waits for it");
        } else {
            tracing::debug!(error, "could not archive the event log");
        }
    }

    /// After a start, Secrets are not known yet.
    async fn wait_for_secret(&self, end: &CancellationToken) {
        let profile = &self.settings.profile;
        let known = async {
            while self.vault.digest(&profile.secret_namespace, &profile.secret_name).is_none() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        // Whoever has to know that it is missing is told by the first round.
        let _ = end.run_until_cancelled(tokio::time::timeout(PATIENCE, known)).await;
    }

    /// Stores all that is durable and not there yet, then an anchor.
    async fn round(&mut self) -> Result<(), Error> {
        let Some(id) = self.head.id().map_err(Error::Log)? else { return Ok(()) };
        let folder = format!("{}{}", self.settings.prefix, segment::folder(self.head.owner(), &id));
        let client = self.client()?;
        let mut archived = match self.archived {
            Some(archived) => archived,
            None => self.resume(&client, &folder).await?,
        };
        self.note(archived);
        while archived < self.log.head().seq {
            let Cut { name, bytes, at_work } = self.cut(archived.next()).await?;
            let key = format!("{folder}/segments/{name}");
            self.put(&client, &key, bytes, "archive_segment").await?;
            tracing::debug!(key, "archived");
            archived = name.last;
            self.at_work = at_work;
            self.note(archived);
        }
        self.anchor(&client, &folder).await
    }

    fn note(&mut self, archived: Seq) {
        self.archived = Some(archived);
        self.metrics.archived.set(i64::try_from(archived.0).unwrap_or(i64::MAX));
    }

    /// The last record of this very log that the store holds.
    async fn resume(&self, client: &Client, folder: &str) -> Result<Seq, Error> {
        let mut names = Vec::new();
        let mut next = None;
        loop {
            let request = client.list_objects_v2().bucket(&self.settings.profile.bucket);
            let request = request.prefix(format!("{folder}/segments/")).set_continuation_token(next);
            let page = self.counted(request.send(), "archive_list").await?;
            let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            names.extend(keys.filter_map(|key| SegmentName::parse(&key)));
            next = page.next_continuation_token.filter(|_| page.is_truncated == Some(true));
            if next.is_none() {
                break;
            }
        }
        let log = Arc::clone(&self.log);
        let found = tokio::task::spawn_blocking(move || last_of(&*log, names)).await;
        let (last, strangers) = found.map_err(|_| Error::Panicked)?.map_err(Error::Log)?;
        if strangers > 0 {
            tracing::warn!(
                strangers,
                seq = last.0,
                folder,
                "the archive holds segments that this log does not: it lost records that were archived; both are kept"
            );
        }
        tracing::info!(seq = last.0, folder, "archiving the event log");
        Ok(last)
    }

    /// Makes the next segment.
    async fn cut(&self, from: Seq) -> Result<Cut, Error> {
        let (log, at_work) = (Arc::clone(&self.log), self.at_work);
        tokio::task::spawn_blocking(move || cut(&*log, from, at_work)).await.map_err(|_| Error::Panicked)?
    }

    /// Notes the end of the log, if it moved.
    async fn anchor(&mut self, client: &Client, folder: &str) -> Result<(), Error> {
        let Some(anchor) = self.head.anchor(machine_time()).filter(|anchor| anchor.seq > self.anchored) else {
            return Ok(());
        };
        let body = serde_json::to_vec(&anchor).map_err(|err| Error::Store(err.to_string()))?;
        let key = format!("{folder}/anchors/{}", segment::anchor_name(&anchor));
        self.put(client, &key, body, "archive_anchor").await?;
        self.anchored = anchor.seq;
        Ok(())
    }

    async fn put(&self, client: &Client, key: &str, body: Vec<u8>, what: &'static str) -> Result<(), Error> {
        let request = client.put_object().bucket(&self.settings.profile.bucket).key(key).body(ByteStream::from(body));
        let request = match self.settings.lock {
            None => request.customize(),
            Some(lock) => {
                let until = machine_time().plus_seconds(u64::from(lock.days) * 86_400);
                let mode = if lock.compliance { ObjectLockMode::Compliance } else { ObjectLockMode::Governance };
                request
                    .object_lock_mode(mode)
                    .object_lock_retain_until_date(date(until))
                    .checksum_algorithm(ChecksumAlgorithm::Crc32)
                    .customize()
                    // S3 takes no locked object without a checksum, which the client does not send otherwise.
                    .config_override(
                        config::Builder::new()
                            .request_checksum_calculation(config::RequestChecksumCalculation::WhenSupported),
                    )
            }
        };
        self.counted(request.send(), what).await.map(drop)
    }

    async fn counted<T, E>(
        &self,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        what: &'static str,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let profile = &self.settings.profile;
        let ended = request.await.map_err(|err| Failure::of(profile, &err));
        let result = ended.as_ref().map_or_else(|failure| failure.reason.as_str(), |_| "done");
        self.metrics.store_request(&profile.name, what, result);
        Ok(ended?)
    }

    /// The client, made anew when the credentials changed.
    fn client(&mut self) -> Result<Client, Error> {
        let profile = &self.settings.profile;
        let secret = self.vault.digest(&profile.secret_namespace, &profile.secret_name);
        if let Some((_, client)) = self.client.as_ref().filter(|(of, _)| *of == secret) {
            return Ok(client.clone());
        }
        let client = client::make(profile, &self.vault, CALL_LIMIT)?;
        self.client = Some((secret, client.clone()));
        Ok(client)
    }
}

fn date(time: Time) -> DateTime {
    DateTime::from_millis(i64::try_from(time.0).unwrap_or(i64::MAX))
}

/// The last record that segments with these names hold of this log, and how many names are of another end of it.
fn last_of(log: &dyn History, mut names: Vec<SegmentName>) -> Result<(Seq, usize), log::Error> {
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.last));
    let head = log.head().seq;
    for (strangers, name) in names.iter().enumerate() {
        if name.last > head {
            continue;
        }
        let stored = log.stored(name.last).next().transpose()?;
        if stored.is_some_and(|stored| name.ends_with(stored.hash)) {
            return Ok((name.last, strangers));
        }
    }
    Ok((Seq(0), names.len()))
}

/// The segment that begins with a record: up to the log's end, or as far as a segment reaches.
fn cut(log: &dyn History, from: Seq, at_work: Option<u32>) -> Result<Cut, Error> {
    let (mut last, mut bytes) = (from, 0);
    for stored in log.stored(from) {
        let stored = stored.map_err(Error::Log)?;
        bytes += stored.bytes.len();
        last = stored.seq;
        if bytes >= CUT_BYTES || stored.seq.0 - from.0 + 1 >= CUT_RECORDS {
            break;
        }
    }
    let mut packed = Vec::new();
    let (header, hash) = segment::write_segment(log, from, last, at_work, &mut packed).map_err(Error::Segment)?;
    let name = SegmentName::new(from, last, hash);
    Ok(Cut { name, bytes: packed, at_work: header.deciders.last().copied().or(at_work) })
}

#[cfg(test)]
mod tests {
    use ramen_events::{
        ClusterName, Epoch, Operator, Origin, Payload, Record, Stamp,
        log::{Batch, EventLog, MemoryLog},
    };

    use super::*;

    fn log(count: u64, extra: u64) -> MemoryLog {
        let log = MemoryLog::default();
        let origin = Origin { operator: Operator::Hub, cluster: ClusterName::from("hub"), epoch: Epoch(1) };
        let record = |seq: u64| Record {
            seq: Seq(seq),
            stamp: Stamp { time: Time(if seq > 3 { seq + extra } else { seq }), count: 0 },
            origin: origin.clone(),
            aggregate: None,
            cause: ramen_events::Cause::Outside,
            payload: Payload::Started { operator: Operator::Hub, epoch: Epoch(1), decider: 3 },
        };
        log.append(Batch::of_records((1..=count).map(record).collect(), Vec::new())).unwrap();
        log
    }

    #[test]
    fn an_export_goes_on_after_what_the_store_holds_of_this_log() {
        let whole = log(5, 0);
        let name = |log: &MemoryLog, from, to: u64| {
            let hash = log.stored(Seq(to)).next().unwrap().unwrap().hash;
            SegmentName::new(Seq(from), Seq(to), hash)
        };
        let names = vec![name(&whole, 1, 2), name(&whole, 3, 5)];
        assert_eq!(last_of(&whole, names.clone()).unwrap(), (Seq(5), 0));
        assert_eq!(last_of(&whole, Vec::new()).unwrap(), (Seq(0), 0));
        // The volume lost what came after record 3, and the log went on otherwise.
        let other = log(6, 100);
        assert_eq!(last_of(&other, names.clone()).unwrap(), (Seq(2), 1), "what it does not share is left alone");
        assert_eq!(last_of(&log(1, 0), names).unwrap(), (Seq(0), 2));
    }

    #[test]
    fn a_segment_is_what_its_name_says() {
        let Cut { name, bytes, at_work } = cut(&log(5, 0), Seq(3), None).unwrap();
        assert_eq!((name.first, name.last, at_work), (Seq(3), Seq(5), Some(3)));
        let folder = tempfile::tempdir().unwrap();
        let (packed, capture) = (folder.path().join(name.to_string()), folder.path().join("x.ramenlog"));
        std::fs::write(&packed, bytes).unwrap();
        segment::unpack(&packed, &capture).unwrap();
        let reader = ramen_events::capture::Reader::open(&capture).unwrap();
        assert_eq!((reader.base().seq, reader.head().seq), (Seq(2), Seq(5)));
        assert!(name.ends_with(reader.head().hash));
        assert_eq!(SegmentName::parse(&format!("a/b/{name}")), Some(name));
    }
}
