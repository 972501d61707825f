//! A folder into which segments of an archive were copied, as a log.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use ramen_events::{
    capture::{
        self, Reader,
        segment::{self, Segments},
    },
    log::{History, Owner},
};
use tempfile::TempDir;

use crate::open::Usage;

/// How deep segments may lie below the folder that is given: `<prefix>/<operator>/<cluster>/<log>/segments/`.
const DEEP: usize = 8;

/// A log that was put together.
pub struct Archived {
    /// Its segments.
    pub segments: Segments,
    /// Whose it is.
    pub owner: Owner,
    /// What is wrong with the part that can't be shown.
    pub wrong: Option<String>,
    /// The unpacked segments; removed with it.
    pub unpacked: TempDir,
}

/// Puts a folder's segments together; `None` when it holds none. With `salvage`, those before the first that is missing or
/// damaged.
///
/// # Errors
/// [`Usage`] when it holds more than one log. When a segment is damaged or missing, with what a person can do.
pub fn open(folder: &Path, salvage: bool) -> Result<Option<Archived>> {
    let mut logs: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    find(folder, DEEP, &mut logs).with_context(|| format!("could not read {}", folder.display()))?;
    let Some((_, files)) = logs.first_key_value() else { return Ok(None) };
    if logs.len() > 1 {
        let names: Vec<String> = logs.keys().map(|folder| folder.display().to_string()).collect();
        let message = format!(
            "{} holds segments of {} logs; give the folder of one:\n  {}",
            folder.display(),
            logs.len(),
            names.join("\n  ")
        );
        return Err(Usage(message).into());
    }
    let unpacked = tempfile::tempdir().context("could not make a folder for the unpacked segments")?;
    let (mut readers, mut wrong) = (Vec::new(), None);
    for (number, file) in files.iter().enumerate() {
        match read(file, &unpacked.path().join(format!("{number}.ramenlog"))) {
            Ok(reader) => readers.push(reader),
            Err(err) if salvage => wrong = wrong.or_else(|| Some(format!("{err:#}"))),
            Err(err) => return Err(err.context("--salvage shows what comes before it")),
        }
    }
    let told = |err: capture::Error| anyhow!("{}: {err}; {}", folder.display(), err.remedy());
    let (segments, left_out) = match Segments::join(readers) {
        Ok(joined) if wrong.is_none() => joined,
        Ok((joined, left_out)) if joined.base().seq.0 == 0 => (joined, left_out),
        Err(err) if !salvage => return Err(told(err)),
        joined => {
            wrong = wrong.or_else(|| joined.err().map(|err| err.to_string()));
            // The readers are spent: they are cheap to make again.
            let again = files.iter().enumerate();
            let again =
                again.filter_map(|(number, _)| Reader::open(&unpacked.path().join(format!("{number}.ramenlog"))).ok());
            (Segments::from_start(again.collect()).map_err(told)?, None)
        }
    };
    if let Some(left_out) = left_out {
        let (first, last) = left_out.records;
        eprintln!(
            "ramen-replay: {}: the log lost its end once and went on; {} segments with records {first} to {last} of the lost \
             end are left out. To read them, copy them and all before them to a folder of their own",
            folder.display(),
            left_out.files.len()
        );
    }
    let Some(owner) = segments.owner().cloned() else { bail!("{}: its segments name no owner", folder.display()) };
    Ok(Some(Archived { segments, owner, wrong, unpacked }))
}

fn read(file: &Path, unpacked: &Path) -> Result<Reader> {
    let told = |err: capture::Error| {
        let remedy = err.remedy();
        anyhow!("{}: {:#}; {remedy}", file.display(), anyhow::Error::new(err))
    };
    segment::unpack(file, unpacked).map_err(told)?;
    Reader::open(unpacked).map_err(told)
}

/// Segments below a folder, by the folder that they are in.
fn find(folder: &Path, deep: usize, found: &mut BTreeMap<PathBuf, Vec<PathBuf>>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(segment::ENDING) && path.is_file() {
            found.entry(folder.to_owned()).or_default().push(path);
        } else if deep > 0 && path.is_dir() {
            find(&path, deep - 1, found)?;
        }
    }
    Ok(())
}
