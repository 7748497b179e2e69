//! What a journal asks of a disk. [`FileSystem`] is the operating system's; a simulator has one of its
//! own, with crashes and damage. Dispatch is by file operation, never by byte.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::Timestamp;

use crate::disk::FileSystem;
use crate::error::{Context, Result};

/// Files by path. Names are durable after [`Storage::sync_dir`] of their directory, contents after a
/// sync of their file.
pub trait Storage: Debug + Send + Sync {
    /// Creates a directory and those above it, unless they are there.
    ///
    /// # Errors
    /// What the disk answers; this holds for all operations.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes created, renamed and removed names of a directory durable.
    ///
    /// # Errors
    /// What the disk answers.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    /// `NotFound` if it does not exist.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound` if it does not exist, unless it is to be created.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>>;

    /// Creates an empty file that is locked as long as it is open, also against other threads.
    ///
    /// # Errors
    /// When another holds the lock.
    fn create_locked(&self, path: &Path) -> io::Result<Box<dyn StoredFile>>;

    /// Removes a file unless somebody holds the lock of [`Storage::create_locked`] on it. Tells whether
    /// it did.
    ///
    /// # Errors
    /// What the disk answers.
    fn remove_unlocked(&self, path: &Path) -> io::Result<bool>;

    /// Gives a file another name in the same directory, replacing what had it.
    ///
    /// # Errors
    /// What the disk answers.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the disk answers.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// When a file was last written.
    ///
    /// # Errors
    /// What the disk answers.
    fn modified(&self, path: &Path) -> io::Result<Timestamp>;

    /// Whether all work on it is to be done by the calling thread, one operation after the other, so
    /// that a simulation can be repeated.
    fn is_single_threaded(&self) -> bool {
        false
    }
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
    /// Reading and writing, empty, whether it was there or not.
    Create,
}

/// An open file.
#[expect(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait StoredFile: Debug + Send + Sync {
    /// Reads at `offset`; fewer bytes than asked at the end of the file, none behind it.
    ///
    /// # Errors
    /// What the disk answers.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// What the disk answers; then any part may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the content durable, with the length.
    ///
    /// # Errors
    /// What the disk answers; then any part may be durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes the content and all that is known of the file durable, except its name.
    ///
    /// # Errors
    /// As of [`StoredFile::sync_data`].
    fn sync_all(&self) -> io::Result<()>;

    /// Bytes in the file.
    ///
    /// # Errors
    /// What the disk answers.
    fn len(&self) -> io::Result<u64>;
}

/// A directory of a storage. A path alone is one of the operating system's.
#[derive(Clone, Debug)]
pub struct Dir {
    storage: Arc<dyn Storage>,
    path: PathBuf,
}

impl Dir {
    /// The directory at `path` of `storage`; it need not exist.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, path: impl Into<PathBuf>) -> Self {
        Self { storage, path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is on.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Creates it, and its name and the names in it last: a loss of power must not take away a log that
    /// was synced. An earlier life may have created or renamed and ended before that was durable, so it
    /// is done each time. What is above its parent is the caller's care.
    pub(crate) fn create(&self) -> Result<()> {
        self.storage.create_dir(&self.path).context("create directory", &self.path)?;
        self.sync()?;
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => {
                self.storage.sync_dir(parent).context("sync directory", parent)
            }
            _ => self.storage.sync_dir(Path::new(".")).context("sync directory", &self.path),
        }
    }

    pub(crate) fn exists(&self) -> Result<bool> {
        match self.storage.list(&self.path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).context("list", &self.path),
        }
    }

    pub(crate) fn sync(&self) -> Result<()> {
        self.storage.sync_dir(&self.path).context("sync directory", &self.path)
    }

    pub(crate) fn names(&self) -> Result<Vec<String>> {
        self.storage.list(&self.path).context("list", &self.path)
    }

    pub(crate) fn open_read(&self, path: &Path) -> Result<Box<dyn StoredFile>> {
        self.storage.open(path, Access::Read).context("open", path)
    }

    pub(crate) fn open_write(&self, path: &Path) -> Result<Box<dyn StoredFile>> {
        self.storage.open(path, Access::Write).context("open for writing", path)
    }

    pub(crate) fn create_file(&self, path: &Path) -> Result<Box<dyn StoredFile>> {
        self.storage.open(path, Access::Create).context("create", path)
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.storage.rename(from, to).context("rename", from)
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<()> {
        self.storage.remove(path).context("remove", path)
    }
}

impl From<PathBuf> for Dir {
    fn from(path: PathBuf) -> Self {
        Self::new(Arc::new(FileSystem), path)
    }
}

impl From<&PathBuf> for Dir {
    fn from(path: &PathBuf) -> Self {
        path.clone().into()
    }
}

impl From<&Path> for Dir {
    fn from(path: &Path) -> Self {
        path.to_path_buf().into()
    }
}

impl From<&Self> for Dir {
    fn from(dir: &Self) -> Self {
        dir.clone()
    }
}

/// Reads `buffer` full.
///
/// # Errors
/// `UnexpectedEof` when the file ends before; what the disk answers.
pub fn read_exact_at(file: &dyn StoredFile, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes the first `len` bytes again and syncs. A process that could read them does not know that they
/// are durable: after a failed sync, file systems show what they will never write.
pub(crate) fn make_durable(file: &dyn StoredFile, path: &Path, len: u64) -> Result<()> {
    const CHUNK: u64 = 1 << 20;
    let mut bytes = vec![0; CHUNK.min(len) as usize];
    let mut at = 0;
    while at < len {
        let chunk = &mut bytes[..CHUNK.min(len - at) as usize];
        read_exact_at(file, chunk, at).context("read", path)?;
        file.write_all_at(chunk, at).context("write", path)?;
        at += chunk.len() as u64;
    }
    file.sync_all().context("sync", path)
}

/// Writes zeros from `from` to `to`, so that later writes change no metadata of the file system.
pub(crate) fn write_zeros(file: &dyn StoredFile, path: &Path, from: u64, to: u64) -> Result<()> {
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

pub(crate) fn file_len(file: &dyn StoredFile, path: &Path) -> Result<u64> {
    file.len().context("read the length of", path)
}
