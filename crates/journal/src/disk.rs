//! The few file operations that a log needs, each with its path in the error.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Context, Result};

/// Asked before each write and sync of a log; an error stands for the disk's own. For tests and
/// simulations, also to observe the order of writes, syncs and answers.
pub trait DiskHook: Send + Sync {
    /// `bytes` are about to be written at `offset` of `path`.
    ///
    /// # Errors
    /// What the disk is to answer.
    fn before_write(&self, path: &Path, offset: u64, bytes: usize) -> std::io::Result<()>;

    /// `path` is about to be synced.
    ///
    /// # Errors
    /// What the disk is to answer.
    fn before_sync(&self, path: &Path) -> std::io::Result<()>;
}

pub(crate) type Hook = Option<Arc<dyn DiskHook>>;

/// Orders and balances are nobody else's business: what is created is its owner's alone.
const OWNER_ONLY: u32 = 0o600;

pub(crate) fn create_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).context("create directory", path)
}

/// Makes created, renamed and removed names of a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).context("sync directory", path)
}

pub(crate) fn open_read(path: &Path) -> Result<File> {
    File::open(path).context("open", path)
}

pub(crate) fn open_write(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).open(path).context("open for writing", path)
}

pub(crate) fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(OWNER_ONLY)
        .open(path)
        .context("create", path)
}

/// Creates an empty file that is locked as long as it is open, also against other threads.
pub(crate) fn create_locked(path: &Path) -> Result<File> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(OWNER_ONLY)
            .open(path)
            .context("create", path)?;
        file.try_lock().map_err(io::Error::from).context("lock", path)?;
        // Between opening and locking, another may have given it its final name, or removed it.
        if is_at(&file, path)? {
            file.set_len(0).context("truncate", path)?;
            return Ok(file);
        }
    }
}

/// Removes a file unless somebody holds the lock of [`create_locked`] on it. Tells whether it did.
pub(crate) fn remove_unlocked(path: &Path) -> Result<bool> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).context("open", path),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error).context("lock", path),
    }
    let is_there = is_at(&file, path)?;
    if is_there {
        fs::remove_file(path).context("remove", path)?;
    }
    Ok(is_there)
}

/// Whether `path` names this very file.
fn is_at(file: &File, path: &Path) -> Result<bool> {
    let opened = file.metadata().context("examine", path)?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("examine", path),
    }
}

/// Writes zeros from `from` to `to`, so that later writes change no metadata of the file system.
pub(crate) fn write_zeros(file: &File, path: &Path, from: u64, to: u64) -> Result<()> {
    const CHUNK: usize = 1 << 20;
    let zeros = vec![0; CHUNK.min(to.saturating_sub(from) as usize)];
    let mut at = from;
    while at < to {
        let len = (to - at).min(CHUNK as u64);
        file.write_all_at(&zeros[..len as usize], at).context("write", path)?;
        at += len;
    }
    Ok(())
}

pub(crate) fn file_len(file: &File, path: &Path) -> Result<u64> {
    Ok(file.metadata().context("read the length of", path)?.len())
}
