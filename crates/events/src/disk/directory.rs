//! The log's directory: paths, lock, and syncs of directories.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use crate::log::Error;

/// Names a file operation that failed.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |err| Error::File { doing, path, err }
}

/// Where sled keeps its files.
pub(super) fn store(dir: &Path) -> PathBuf {
    dir.join("store")
}

/// The file that sled appends to.
pub(super) fn store_file(dir: &Path) -> PathBuf {
    store(dir).join("db")
}

/// The file with the last acknowledged record.
pub(super) fn head(dir: &Path) -> PathBuf {
    dir.join("head")
}

/// Makes the directory if need be, durably.
pub(super) fn create(dir: &Path) -> Result<(), Error> {
    let store = store(dir);
    if store.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(&store).map_err(failed("create", &store))?;
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync(parent)?;
    }
    sync(dir)
}

/// Makes the names in a directory durable.
pub(super) fn sync(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", dir))
}

/// The right to use the log, held until dropped or until the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the log in `dir`.
    pub fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("lock");
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = file.read_to_string(&mut holder).is_ok();
                let holder = known.then(|| holder.trim().parse().ok()).flatten();
                return Err(Error::Locked { dir: dir.to_owned(), holder });
            }
            Err(TryLockError::Error(err)) => return Err(failed("lock", &path)(err)),
        }
        // Who holds it is only for the message above, so this need not be durable.
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed("write", &path))?;
        Ok(Self { _file: file })
    }
}
