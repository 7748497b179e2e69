//! The layout of a data directory: `LOCK`, `cluster`, and for each partition `p<id>/commands`,
//! `p<id>/events` and `p<id>/snapshots`, and `p<id>/failures` if a component has failed.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::{Access, Dir, FileSystem, Identity, SnapshotStore, Storage, read_exact_at};
use rustix::fs::{FlockOperation, flock};
use types::PartitionId;

use crate::error::{Context, NodeError};
use crate::replay::Threads;

/// A data directory. Knowing it opens nothing.
#[derive(Clone, Debug)]
pub struct DataDir {
    storage: Arc<dyn Storage>,
    path: PathBuf,
}

/// What is known of an exchange besides its logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Founding {
    /// Drawn when the exchange was founded; stands in every file.
    pub cluster: u64,
    /// Rises with every start.
    pub term: u64,
    /// How many partitions there are; none as long as not each has its first entries on disk. From
    /// then on one without a log has lost it.
    pub partitions: Option<u16>,
}

impl DataDir {
    /// The directory at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self::on(Arc::new(FileSystem), path)
    }

    /// The directory at `path` of a storage.
    #[must_use]
    pub fn on(storage: Arc<dyn Storage>, path: &Path) -> Self {
        Self { storage, path: path.to_path_buf() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// One of its directories, on its storage.
    pub(crate) fn dir(&self, path: PathBuf) -> Dir {
        Dir::new(Arc::clone(&self.storage), path)
    }

    /// The command log of a partition.
    #[must_use]
    pub fn commands(&self, partition: PartitionId) -> PathBuf {
        self.partition(partition).join("commands")
    }

    /// The event log of a partition.
    #[must_use]
    pub fn events(&self, partition: PartitionId) -> PathBuf {
        self.partition(partition).join("events")
    }

    /// The snapshots of a partition.
    #[must_use]
    pub fn snapshots(&self, partition: PartitionId) -> PathBuf {
        self.partition(partition).join("snapshots")
    }

    /// What components of a partition said when they failed, a file each.
    #[must_use]
    pub fn failures(&self, partition: PartitionId) -> PathBuf {
        self.partition(partition).join("failures")
    }

    fn partition(&self, partition: PartitionId) -> PathBuf {
        self.path.join(format!("p{partition}"))
    }

    /// Creates the directory of a partition, and its name lasts.
    pub(crate) fn create_partition(&self, partition: PartitionId) -> Result<(), NodeError> {
        let path = self.partition(partition);
        self.storage.create_dir(&path).context("create directory", &path)?;
        self.storage.sync_dir(&self.path).context("sync", &self.path)
    }

    pub(crate) fn snapshot_store(&self, identity: Identity) -> SnapshotStore {
        SnapshotStore::new(self.dir(self.snapshots(identity.partition)), identity)
    }

    /// How to replay what is here.
    pub(crate) fn threads(&self) -> Threads {
        if self.storage.is_single_threaded() { Threads::One } else { Threads::Three }
    }

    /// Whether a partition has a command log, be it damaged.
    pub(crate) fn has_log(&self, partition: PartitionId) -> Result<bool, NodeError> {
        let names = self.names(&self.commands(partition))?;
        Ok(names.iter().flatten().any(|name| name.ends_with(".log")))
    }

    /// Whether there is something at its path.
    pub(crate) fn exists(&self) -> Result<bool, NodeError> {
        Ok(self.names(&self.path)?.is_some())
    }

    /// The names in a directory; none if it does not exist.
    fn names(&self, path: &Path) -> Result<Option<Vec<String>>, NodeError> {
        match self.storage.list(path) {
            Ok(names) => Ok(Some(names)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("list", path),
        }
    }

    /// The partitions that have a directory, rising.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn partitions(&self) -> Result<Vec<PartitionId>, NodeError> {
        let mut found = Vec::new();
        for name in self.storage.list(&self.path).context("list", &self.path)? {
            let id = name.strip_prefix('p').and_then(|id| id.parse().ok());
            found.extend(id.map(PartitionId));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// How the files of a partition name it.
    ///
    /// # Errors
    /// When there is no exchange here.
    pub fn identity(&self, partition: PartitionId) -> Result<Identity, NodeError> {
        let founding = self.founding()?.ok_or_else(|| NodeError::Invalid {
            file: self.cluster_file(),
            what: "there is no exchange here",
        })?;
        Ok(Identity { cluster: founding.cluster, partition })
    }

    /// Cluster and term, if an exchange was founded here.
    ///
    /// # Errors
    /// When the file is not what a node wrote.
    pub fn founding(&self) -> Result<Option<Founding>, NodeError> {
        let file = self.cluster_file();
        match read_text(&*self.storage, &file) {
            Ok(text) => parse(&text)
                .map(Some)
                .ok_or(NodeError::Invalid { file, what: "it does not state cluster and term" }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("read", &file),
        }
    }

    /// Takes the directory for this process until the result is dropped.
    pub(crate) fn lock(&self) -> Result<File, NodeError> {
        fs::create_dir_all(&self.path).context("create directory", &self.path)?;
        sync_parent(&self.path)?;
        let path = self.path.join("LOCK");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .context("open", &path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let pid = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
            return Err(NodeError::InUse {
                data: self.path.clone(),
                pid: if pid.is_empty() { "?".to_owned() } else { pid },
            });
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .context("write", &path)?;
        Ok(file)
    }

    /// Makes the names of the directories of `partitions` durable, so that a record may rely on them.
    pub(crate) fn sync_partitions(&self, partitions: u16) -> Result<(), NodeError> {
        for partition in (0..partitions).map(PartitionId) {
            let path = self.partition(partition);
            self.storage.sync_dir(&path).context("sync", &path)?;
        }
        Ok(())
    }

    /// Writes down how a component failed. For people only: nothing here reads it.
    pub(crate) fn note_failure(
        &self,
        partition: PartitionId,
        name: &str,
        text: &str,
    ) -> Result<PathBuf, NodeError> {
        let dir = self.failures(partition);
        self.storage.create_dir(&dir).context("create directory", &dir)?;
        let path = dir.join(name);
        let file = self.storage.open(&path, Access::Create).context("create", &path)?;
        file.write_all_at(text.as_bytes(), 0)
            .and_then(|()| file.sync_all())
            .context("write", &path)?;
        self.storage.sync_dir(&dir).context("sync", &dir)?;
        Ok(path)
    }

    /// Writes the term that begins, and with it the founding at the first start.
    pub(crate) fn begin_term(&self, founding: Founding) -> Result<(), NodeError> {
        let (path, temporary) = (self.cluster_file(), self.path.join("cluster.tmp"));
        let Founding { cluster, term, partitions } = founding;
        let partitions = partitions.map_or(String::new(), |count| format!("partitions {count}\n"));
        let text = format!("cluster {cluster:016x}\nterm {term}\n{partitions}");
        let file = self.storage.open(&temporary, Access::Create).context("create", &temporary)?;
        file.write_all_at(text.as_bytes(), 0)
            .and_then(|()| file.sync_all())
            .context("write", &temporary)?;
        self.storage.rename(&temporary, &path).context("rename", &temporary)?;
        self.storage.sync_dir(&self.path).context("sync", &self.path)
    }

    pub(crate) fn cluster_file(&self) -> PathBuf {
        self.path.join("cluster")
    }
}

impl Founding {
    /// A new exchange that has not started yet.
    pub(crate) fn draw(random: u64) -> Self {
        Self { cluster: random.max(1), term: 0, partitions: None }
    }
}

/// The randomness with which the standard library seeds its hash tables.
pub(crate) fn random_word() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Makes the name of the data directory itself durable. Above it, an operator may have directories that
/// we cannot read; then it was made by somebody else, some time ago.
fn sync_parent(path: &Path) -> Result<(), NodeError> {
    let absolute = path.canonicalize().context("find", path)?;
    let Some(parent) = absolute.parent() else {
        return Ok(());
    };
    match File::open(parent).and_then(|parent| parent.sync_all()) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other.context("sync", parent),
    }
}

fn read_text(storage: &dyn Storage, path: &Path) -> io::Result<String> {
    let file = storage.open(path, Access::Read)?;
    let mut bytes = vec![0; file.len()? as usize];
    read_exact_at(&*file, &mut bytes, 0)?;
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn parse(text: &str) -> Option<Founding> {
    let mut lines = text.lines();
    let cluster = u64::from_str_radix(lines.next()?.strip_prefix("cluster ")?, 16).ok()?;
    let term = lines.next()?.strip_prefix("term ")?.parse().ok()?;
    let partitions = match lines.next() {
        Some(line) => Some(line.strip_prefix("partitions ")?.parse().ok()?),
        None => None,
    };
    lines.next().is_none().then_some(Founding { cluster, term, partitions })
}
