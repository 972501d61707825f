//! `capture`: a log, or part of one, becomes one file.

use std::{io::Write, path::PathBuf};

use anyhow::Result;
use clap::Args;
use ramen_events::{Seq, hub::ObjectRef};

use crate::{
    Exit,
    moment::Moment,
    open::{Log, Usage},
    remote::{self, Token},
    slice::{self, Wanted},
};

/// Exports an operator's log as a capture file: all of it, or a slice
#[derive(Clone, Debug, Args)]
#[command(after_help = "A running operator is left alone: a copy of its directory is read.\n\n\
                  A slice is one window of the log without gaps, so that its hash chain can be checked; it carries the hash \
                  before its first record, and the state there, so that `verify` can decide it again. With --drpc it reaches \
                  from the first to the last record that concerns the DRPlacementControl, and what lies between stays in \
                  it: it is smaller than the log, but not free of other applications.\n\n\
                  An operator that was started with --captures=127.0.0.1:8082 gives its log to whoever may `get` the \
                  non-resource URL /capture. Reach it through kubectl port-forward: a token is sent to this machine only.\n\n\
                  Examples:\n  ramen-replay capture /var/lib/ramen hub.ramenlog\n  \
                  ramen-replay capture hub.ramenlog slice.ramenlog --drpc apps/app-1 --since 12:00\n  \
                  kubectl -n ramen-system port-forward deploy/ramen-hub-operator 8082 &\n  \
                  kubectl -n ramen-system create token auditor | \\\n    \
                  ramen-replay capture http://127.0.0.1:8082 hub.ramenlog --token-file -\n  \
                  aws s3 sync s3://BUCKET/PREFIX/hub/hub/b4a1dac7588b9793 hub-log\n  \
                  ramen-replay capture hub-log hub.ramenlog\n\n\
                  Exit codes: 0 written; 2 the log can't be read, or the file not be written; 64 wrong usage.")]
pub(super) struct Arguments {
    /// The operator's --data-dir, a folder with segments of an archive, a capture file to take a slice of, or the address of
    /// an operator that gives captures: http://127.0.0.1:8082
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// File with the token to ask an operator with; `-` is stdin
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The capture file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only the window that holds what concerns this DRPlacementControl; in a managed cluster's log, the VRG of that name
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = slice::drpc)]
    drpc: Option<ObjectRef>,

    /// From this moment on: a record (120), a time (2026-01-31T12:00:05Z), or a time of day (12:00:05)
    #[arg(long, value_name = "MOMENT")]
    since: Option<Moment>,

    /// From this record on; if it is a decision, from the record that it follows from
    #[arg(long, value_name = "SEQ", conflicts_with = "since")]
    from: Option<u64>,

    /// Up to this record
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,

    /// Of a damaged capture, keep what is provably intact
    #[arg(long)]
    salvage: bool,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    if let Some(place) = arguments.log.to_str().and_then(|text| text.strip_prefix("s3://")) {
        let (place, file) = (place.trim_end_matches('/'), arguments.file.display());
        return Err(Usage(format!(
            "an archive is read from a folder; copy it first, one log's folder of it:\n  aws s3 sync s3://{place} FOLDER\n  \
             ramen-replay capture FOLDER {file}\nEach log has a folder PREFIX/hub/NAME/LOG or PREFIX/spoke/CLUSTER/LOG there"
        ))
        .into());
    }
    let fetched = match arguments.log.to_str().filter(|text| text.contains("://")) {
        Some(address) => {
            remote::local(address)?;
            Some(remote::fetch(address, &Token::read(arguments.token_file.as_deref())?)?)
        }
        None => None,
    };
    let log = Log::open(fetched.as_ref().map_or(&*arguments.log, |file| file.path()), arguments.salvage)?;
    log.warn();
    let history = log.history.as_ref();
    let wanted = Wanted {
        drpc: arguments.drpc.clone(),
        since: arguments.since.clone(),
        from: arguments.from.map(Seq),
        to: arguments.to.map(Seq),
    };
    let (base, head) = (history.base(), history.head());
    let header = wanted.write(&log, &arguments.file)?.ok_or_else(|| {
        let (from, to, end) = (base.seq.next(), head.seq, head.stamp);
        Usage(format!("nothing is left of what was asked for: the log has records {from} to {to}, until {end}"))
    })?;
    let (first, last) = (header.first, header.last);
    let (name, records, blobs) = (arguments.file.display(), header.records(), header.blobs);
    if header.records() == head.seq.0 - base.seq.0 {
        writeln!(out, "{name}: {records} records, {blobs} blobs")?;
    } else {
        let (from, to) = (base.seq.next(), head.seq);
        writeln!(out, "{name}: {records} records, {first} to {last} of {from} to {to}, {blobs} blobs")?;
    }
    Ok(Exit::Good)
}
