//! The operating system's files, and a hook on the writes and syncs of a log.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use types::Timestamp;

use crate::storage::{Access, Storage, StoredFile};

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

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

impl Storage for FileSystem {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let name = |item: io::Result<fs::DirEntry>| {
            item.map(|item| item.file_name().to_string_lossy().into_owned())
        };
        fs::read_dir(path)?.map(name).collect()
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(access != Access::Read);
        if access == Access::Create {
            options.create(true).truncate(true).mode(OWNER_ONLY);
        }
        Ok(Box::new(options.open(path)?))
    }

    fn create_locked(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(OWNER_ONLY)
                .open(path)?;
            file.try_lock().map_err(io::Error::from)?;
            // Between opening and locking, another may have given it its final name, or removed it.
            if is_at(&file, path)? {
                file.set_len(0)?;
                return Ok(Box::new(file));
            }
        }
    }

    fn remove_unlocked(&self, path: &Path) -> io::Result<bool> {
        let file = match OpenOptions::new().write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let is_there = is_at(&file, path)?;
        if is_there {
            fs::remove_file(path)?;
        }
        Ok(is_there)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn modified(&self, path: &Path) -> io::Result<Timestamp> {
        let modified = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH);
        Ok(Timestamp(modified.map_or(0, |since| since.as_nanos() as u64)))
    }
}

impl StoredFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// Whether `path` names this very file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
