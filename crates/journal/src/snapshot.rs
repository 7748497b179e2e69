//! Snapshots: the state of a partition after an entry, in one file that is either whole or not there.

use std::io;
use std::path::{Path, PathBuf};

use types::{Seq, Timestamp};

use crate::error::{Context, JournalError, Result};
use crate::format::{FORMAT_VERSION, Hash, Identity};
use crate::segment::parse_name;
use crate::storage::{Access, Dir, StoredFile, file_len, read_exact_at};

const SUFFIX: &str = ".snapshot";
/// A snapshot that is being written, or whose writing was interrupted.
const UNFINISHED: &str = ".tmp";
const MAGIC: [u8; 8] = *b"OUTCRYSN";

/// Byte offsets in a snapshot file. The payload follows the header, a BLAKE3 of both ends the file.
mod at {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 8;
    pub const PARTITION: usize = 10;
    pub const SPARE: usize = 12;
    pub const CLUSTER: usize = 16;
    pub const SEQ: usize = 24;
    pub const TIME: usize = 32;
    pub const TERM: usize = 40;
    pub const EVENT_DIGEST: usize = 48;
    pub const PAYLOAD_LEN: usize = 56;
    pub const RECORD_HASH: usize = 64;
    pub const STATE_HASH: usize = 96;
    pub const END: usize = 128;
    const _: () = assert!(VERSION - MAGIC == 8 && PARTITION - VERSION == 2);
    const _: () = assert!(SPARE - PARTITION == 2 && CLUSTER - SPARE == 4 && SEQ - CLUSTER == 8);
    const _: () = assert!(TIME - SEQ == 8 && TERM - TIME == 8 && EVENT_DIGEST - TERM == 8);
    const _: () = assert!(PAYLOAD_LEN - EVENT_DIGEST == 8 && RECORD_HASH - PAYLOAD_LEN == 8);
    const _: () = assert!(STATE_HASH - RECORD_HASH == 32 && END - STATE_HASH == 32);
}

/// What a snapshot says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The last entry that is in it.
    pub seq: Seq,
    /// When that entry was stamped.
    pub time: Timestamp,
    /// The highest term up to there.
    pub term: u64,
    /// Rolling digest of all events up to there.
    pub event_digest: u64,
    /// Hash of the log's record that holds the entry: never that of a seal behind it.
    pub record_hash: [u8; 32],
    /// Hash of the state.
    pub state_hash: [u8; 32],
}

/// A whole snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is of.
    pub header: SnapshotHeader,
    /// The state, in the engine's encoding.
    pub payload: Vec<u8>,
}

/// The snapshots of one partition.
#[derive(Clone, Debug)]
pub struct SnapshotStore {
    dir: Dir,
    identity: Identity,
}

impl SnapshotStore {
    /// The snapshots in `dir`, which is created when the first is written.
    #[must_use]
    pub fn new(dir: impl Into<Dir>, identity: Identity) -> Self {
        Self { dir: dir.into(), identity }
    }

    /// Writes a snapshot so that it is there whole or not at all, whatever happens.
    ///
    /// # Errors
    /// What the operating system refuses; when another is writing one of the same entry.
    pub fn write(&self, header: &SnapshotHeader, payload: &[u8]) -> Result<PathBuf> {
        self.dir.create()?;
        let path = self.path_of(header.seq);
        let temporary = path.with_extension("tmp");
        let head = self.encode(header, payload.len() as u64);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head).update(payload);
        let file = self.dir.storage().create_locked(&temporary).context("create", &temporary)?;
        write_parts(&*file, &[&head, payload, hasher.finalize().as_bytes()])
            .context("write", &temporary)?;
        file.sync_all().context("sync", &temporary)?;
        self.dir.rename(&temporary, &path)?;
        self.dir.sync()?;
        Ok(path)
    }

    /// Their entries, rising. Whether they are whole shows when they are loaded.
    ///
    /// # Errors
    /// When the directory cannot be read. One that does not exist has no snapshots.
    pub fn list(&self) -> Result<Vec<Seq>> {
        let mut found: Vec<Seq> =
            self.names()?.iter().filter_map(|name| parse_name(name, SUFFIX)).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The files of the directory; none if there is no directory.
    fn names(&self) -> Result<Vec<String>> {
        match self.dir.storage().list(self.dir.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other.context("list", self.dir.path()),
        }
    }

    /// Loads the snapshot after entry `seq`.
    ///
    /// # Errors
    /// When it is damaged, of another partition or version, or cannot be read.
    pub fn load(&self, seq: Seq) -> Result<Snapshot> {
        let path = self.path_of(seq);
        let mut bytes = self.read(&path)?;
        let header = self.check(&bytes, &path, seq)?;
        bytes.truncate(bytes.len() - size_of::<Hash>());
        bytes.drain(..at::END);
        Ok(Snapshot { header, payload: bytes })
    }

    /// The newest whole snapshot of an entry up to `limit`, and why newer ones were skipped.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn load_newest(&self, limit: Seq) -> Result<(Option<Snapshot>, Vec<String>)> {
        let mut skipped = Vec::new();
        for seq in self.list()?.into_iter().rev() {
            if seq > limit {
                let path = self.path_of(seq);
                skipped.push(format!("{} is beyond entry {limit}", path.display()));
                continue;
            }
            match self.load(seq) {
                Ok(snapshot) => return Ok((Some(snapshot), skipped)),
                Err(error) => skipped.push(error.to_string()),
            }
        }
        Ok((None, skipped))
    }

    /// Renames a snapshot that is not to be used, but kept for examination. Returns its new name.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&self, seq: Seq) -> Result<PathBuf> {
        let path = self.path_of(seq);
        let aside = path.with_extension("refused");
        self.dir.rename(&path, &aside)?;
        self.dir.sync()?;
        Ok(aside)
    }

    /// Removes what interrupted writes left, and nothing that is being written. Returns how many.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_unfinished(&self) -> Result<usize> {
        let mut removed = 0;
        for name in self.names()? {
            if parse_name(&name, UNFINISHED).is_some() {
                let path = self.dir.join(name);
                let is_gone = self.dir.storage().remove_unlocked(&path).context("remove", &path)?;
                removed += usize::from(is_gone);
            }
        }
        Ok(removed)
    }

    /// Deletes all but the newest `keep` and the one from which entries after `needed` are reached: the
    /// newest one up to there. Of those between, a few stay, so that the log can be trimmed as
    /// `needed` moves on. Deletes also what interrupted writes left. Returns the entry of the oldest
    /// one that is left.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn prune(&self, keep: usize, needed: Seq) -> Result<Option<Seq>> {
        const BETWEEN: u64 = 8;
        self.remove_unfinished()?;
        let all = self.list()?;
        let newest_from = all.len().saturating_sub(keep);
        let reaching = all.partition_point(|&seq| seq <= needed).saturating_sub(1);
        let span = |from: Seq, to: Seq| to.0.saturating_sub(from.0);
        let whole = all.last().map_or(0, |&last| span(all[reaching], last));
        let (mut oldest, mut before) = (None, Seq(0));
        for (index, &seq) in all.iter().enumerate() {
            let is_apart = index > reaching && span(before, seq) > whole / BETWEEN;
            if index >= newest_from || index == reaching || is_apart {
                oldest = oldest.or(Some(seq));
                before = seq;
                continue;
            }
            self.dir.remove(&self.path_of(seq))?;
        }
        Ok(oldest)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let file = self.dir.storage().open(path, Access::Read).context("read", path)?;
        let mut bytes = vec![0; file_len(&*file, path)? as usize];
        read_exact_at(&*file, &mut bytes, 0).context("read", path)?;
        Ok(bytes)
    }

    fn path_of(&self, seq: Seq) -> PathBuf {
        self.dir.join(format!("{:020}{SUFFIX}", seq.0))
    }

    fn encode(&self, header: &SnapshotHeader, payload_len: u64) -> [u8; at::END] {
        let mut bytes = [0; at::END];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(at::MAGIC, &MAGIC);
        put(at::VERSION, &FORMAT_VERSION.to_le_bytes());
        put(at::PARTITION, &self.identity.partition.0.to_le_bytes());
        put(at::CLUSTER, &self.identity.cluster.to_le_bytes());
        put(at::SEQ, &header.seq.0.to_le_bytes());
        put(at::TIME, &header.time.0.to_le_bytes());
        put(at::TERM, &header.term.to_le_bytes());
        put(at::EVENT_DIGEST, &header.event_digest.to_le_bytes());
        put(at::PAYLOAD_LEN, &payload_len.to_le_bytes());
        put(at::RECORD_HASH, &header.record_hash);
        put(at::STATE_HASH, &header.state_hash);
        bytes
    }

    fn check(&self, bytes: &[u8], path: &Path, seq: Seq) -> Result<SnapshotHeader> {
        let damaged =
            |what| JournalError::Damaged { file: path.to_path_buf(), offset: 0, seq, what };
        let wrong = |what| JournalError::WrongLog { file: path.to_path_buf(), what };
        let Some((covered, hash)) = bytes.split_last_chunk::<32>() else {
            return Err(damaged("the snapshot is cut off"));
        };
        if blake3::hash(covered).as_bytes() != hash || covered.len() < at::END {
            return Err(damaged("the snapshot does not match its hash"));
        }
        let word = |at: usize| u64::from_le_bytes(*covered[at..].first_chunk().expect("in header"));
        let short =
            |at: usize| u16::from_le_bytes(*covered[at..].first_chunk().expect("in header"));
        if covered[at::MAGIC..at::VERSION] != MAGIC {
            return Err(wrong("it is no snapshot"));
        }
        if short(at::VERSION) != FORMAT_VERSION {
            return Err(JournalError::UnknownVersion {
                file: path.to_path_buf(),
                version: short(at::VERSION),
            });
        }
        if word(at::CLUSTER) != self.identity.cluster {
            return Err(wrong("it is of another cluster"));
        }
        if short(at::PARTITION) != self.identity.partition.0 {
            return Err(wrong("it is of another partition"));
        }
        if word(at::SEQ) != seq.0 {
            return Err(wrong("its name is not that of its entry"));
        }
        if word(at::PAYLOAD_LEN) != (covered.len() - at::END) as u64
            || covered[at::SPARE..at::CLUSTER] != [0; 4]
        {
            return Err(damaged("the snapshot has another length or spare bytes than it says"));
        }
        let hash = |at: usize| *covered[at..].first_chunk::<32>().expect("in header");
        Ok(SnapshotHeader {
            seq,
            time: Timestamp(word(at::TIME)),
            term: word(at::TERM),
            event_digest: word(at::EVENT_DIGEST),
            record_hash: hash(at::RECORD_HASH),
            state_hash: hash(at::STATE_HASH),
        })
    }
}

/// One after the other.
fn write_parts(file: &dyn StoredFile, parts: &[&[u8]]) -> io::Result<()> {
    let mut offset = 0;
    for part in parts {
        file.write_all_at(part, offset)?;
        offset += part.len() as u64;
    }
    Ok(())
}
