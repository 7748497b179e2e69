//! The layout of a data directory: `LOCK`, `cluster`, and for each partition `p<id>/commands`,
//! `p<id>/events` and `p<id>/snapshots`.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};

use journal::Identity;
use rustix::fs::{FlockOperation, flock};
use types::PartitionId;

use crate::error::{Context, NodeError};

/// A data directory. Knowing it opens nothing.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

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
        Self(path.to_path_buf())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
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

    fn partition(&self, partition: PartitionId) -> PathBuf {
        self.0.join(format!("p{partition}"))
    }

    /// Whether a partition has a command log, be it damaged.
    pub(crate) fn has_log(&self, partition: PartitionId) -> Result<bool, NodeError> {
        let commands = self.commands(partition);
        let items = match fs::read_dir(&commands) {
            Ok(items) => items,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).context("list", &commands),
        };
        for item in items {
            let name = item.context("list", &commands)?.file_name();
            if Path::new(&name).extension().is_some_and(|end| end == "log") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The partitions that have a directory, rising.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn partitions(&self) -> Result<Vec<PartitionId>, NodeError> {
        let mut found = Vec::new();
        for item in fs::read_dir(&self.0).context("list", &self.0)? {
            let name = item.context("list", &self.0)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix('p'));
            found.extend(id.and_then(|id| id.parse().ok()).map(PartitionId));
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
        match fs::read_to_string(&file) {
            Ok(text) => parse(&text)
                .map(Some)
                .ok_or(NodeError::Invalid { file, what: "it does not state cluster and term" }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("read", &file),
        }
    }

    /// Takes the directory for this process until the result is dropped.
    pub(crate) fn lock(&self) -> Result<File, NodeError> {
        fs::create_dir_all(&self.0).context("create directory", &self.0)?;
        let path = self.0.join("LOCK");
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
                data: self.0.clone(),
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
            File::open(&path).and_then(|dir| dir.sync_all()).context("sync", &path)?;
        }
        Ok(())
    }

    /// Writes the term that begins, and with it the founding at the first start.
    pub(crate) fn begin_term(&self, founding: Founding) -> Result<(), NodeError> {
        let (path, temporary) = (self.cluster_file(), self.0.join("cluster.tmp"));
        let Founding { cluster, term, partitions } = founding;
        let partitions = partitions.map_or(String::new(), |count| format!("partitions {count}\n"));
        let mut file = File::create(&temporary).context("create", &temporary)?;
        write!(file, "cluster {cluster:016x}\nterm {term}\n{partitions}")
            .and_then(|()| file.sync_all())
            .context("write", &temporary)?;
        fs::rename(&temporary, &path).context("rename", &temporary)?;
        File::open(&self.0).and_then(|dir| dir.sync_all()).context("sync", &self.0)
    }

    pub(crate) fn cluster_file(&self) -> PathBuf {
        self.0.join("cluster")
    }
}

impl Founding {
    /// A new exchange that has not started yet.
    pub(crate) fn draw() -> Self {
        Self { cluster: random_word().max(1), term: 0, partitions: None }
    }
}

/// The randomness with which the standard library seeds its hash tables.
pub(crate) fn random_word() -> u64 {
    RandomState::new().build_hasher().finish()
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
