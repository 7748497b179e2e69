//! The few file operations that a log needs, each with its path in the error.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
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

pub(crate) fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).context("create directory", path)
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
        .open(path)
        .context("create", path)
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
