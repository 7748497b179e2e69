//! A disk in memory that forgets what was not synced.
//!
//! A file has content as a process sees it, and content that would survive a loss of power. What was
//! written and not synced survives by sectors of 512 bytes, each or not. Names survive as far as their
//! directory was synced; of later changes in a directory, the first few survive (file systems keep
//! their order within a directory). What is lost is decided by a seeded generator.
//!
//! It can be told to crash after so many operations, to fail a write or a sync, to be slow, or to be
//! full. A failed sync is as bad as with real file systems: what it did not write is not tried again,
//! though a process goes on seeing it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chance::Random;
use journal::{Access, Storage, StoredFile};
use parking_lot::Mutex;
use types::Timestamp;

use crate::clock::SimClock;
use crate::faults::{Counts, Fault};

const SECTOR: usize = 512;

/// A disk; clones are the same one.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Clone, Debug)]
struct State {
    random: Random,
    clock: SimClock,
    files: BTreeMap<u64, Content>,
    names: Names,
    durable_names: Names,
    pending: Vec<NameChange>,
    next_file: u64,
    plan: Plan,
    is_dead: bool,
    counts: Counts,
}

/// What is to go wrong next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// Crash at this operation from now.
    pub crash_in: Option<u64>,
    /// Fail this write from now.
    pub fail_write_in: Option<u64>,
    /// Fail this sync from now.
    pub fail_sync_in: Option<u64>,
    /// One sync in so many takes seconds.
    pub slow_sync_one_in: Option<u64>,
    /// No file can grow, and none be created.
    pub is_full: bool,
}

/// What there is by path. Compared as bytes: to compare paths by their components took a twentieth of a run.
type Names = BTreeMap<OsString, Node>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Directory,
    File(u64),
}

#[derive(Clone, Debug)]
struct NameChange {
    directory: PathBuf,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Add(OsString, Node),
    Rename(OsString, OsString),
    Remove(OsString),
}

#[derive(Clone, Debug, Default)]
struct Content {
    seen: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    unsynced: BTreeSet<usize>,
    modified: u64,
}

impl SimDisk {
    /// An empty disk with the directory `root` on it.
    #[must_use]
    pub fn new(random: Random, clock: SimClock, root: &Path) -> Self {
        let names: Names = root.ancestors().map(|path| (path.into(), Node::Directory)).collect();
        Self(Arc::new(Mutex::new(State {
            random,
            clock,
            files: BTreeMap::new(),
            durable_names: names.clone(),
            names,
            pending: Vec::new(),
            next_file: 1,
            plan: Plan::default(),
            is_dead: false,
            counts: Counts::default(),
        })))
    }

    /// A copy of all that a process would see, for experiments: nothing goes wrong there.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut state = self.0.lock().clone();
        state.plan = Plan::default();
        state.is_dead = false;
        state.counts = Counts::default();
        Self(Arc::new(Mutex::new(state)))
    }

    /// Changes what is to go wrong.
    pub fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.0.lock().plan);
    }

    /// Whether it has crashed: every operation fails until [`SimDisk::power_loss`] or
    /// [`SimDisk::revive`].
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.0.lock().is_dead
    }

    /// Whether a planned failure is still to come.
    #[must_use]
    pub fn has_plan(&self) -> bool {
        let plan = self.0.lock().plan;
        plan.crash_in.is_some()
            || plan.fail_write_in.is_some()
            || plan.fail_sync_in.is_some()
            || plan.is_full
    }

    /// What went wrong so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.lock().counts.clone()
    }

    /// Power is lost and comes back: what was not durable is lost in part.
    pub fn power_loss(&self) {
        let mut state = self.0.lock();
        state.lose_names();
        state.lose_sectors();
        state.revive();
    }

    /// The process ended, the machine did not: nothing is lost.
    pub fn revive(&self) {
        self.0.lock().revive();
    }

    /// Bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.lock();
        state.file(path).ok().map(|file| state.files[&file].seen.to_vec())
    }

    /// Replaces the content of a file, durably, behind everybody's back.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock();
        let Ok(file) = state.file(path) else { return };
        let content = state.files.get_mut(&file).expect("named");
        change(Arc::make_mut(&mut content.seen));
        content.durable = Arc::clone(&content.seen);
        content.unsynced.clear();
    }
}

impl State {
    fn revive(&mut self) {
        self.is_dead = false;
        self.plan = Plan { slow_sync_one_in: self.plan.slow_sync_one_in, ..Plan::default() };
    }

    /// Asked before each operation that changes something. An error is what the disk answers.
    fn begin(&mut self) -> io::Result<()> {
        if self.is_dead {
            return Err(crashed());
        }
        if is_due(&mut self.plan.crash_in) {
            self.is_dead = true;
        }
        Ok(())
    }

    fn file(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path.as_os_str()) {
            Some(Node::File(file)) => Ok(*file),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        apply(&mut self.names, &change);
        let directory = path.parent().expect("not the root").to_path_buf();
        self.pending.push(NameChange { directory, change });
    }

    /// The first few changes of each directory survive.
    fn lose_names(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let directories: BTreeSet<_> = pending.iter().map(|it| it.directory.clone()).collect();
        for directory in directories {
            let changes: Vec<_> = pending.iter().filter(|it| it.directory == directory).collect();
            let kept = self.random.below(changes.len() as u64 + 1) as usize;
            for it in &changes[..kept] {
                apply(&mut self.durable_names, &it.change);
            }
            if kept < changes.len() {
                self.counts.add(Fault::NamesLost);
            }
        }
        // What a directory held is lost with it.
        let names = self.durable_names.clone();
        self.durable_names.retain(|path, _| {
            let parent = Path::new(path).parent();
            parent.is_none_or(|parent| parent.ancestors().all(|it| is_directory(&names, it)))
        });
        self.names = self.durable_names.clone();
    }

    fn lose_sectors(&mut self) {
        // All, nothing, or any mixture.
        let mode = self.random.below(4);
        let random = &mut self.random;
        let mut is_torn = false;
        for content in self.files.values_mut() {
            if content.seen == content.durable {
                content.unsynced.clear();
                continue;
            }
            let mut survives = || match mode {
                0 => false,
                1 => true,
                _ => random.one_in(2),
            };
            let length = if survives() { content.seen.len() } else { content.durable.len() };
            let durable = Arc::make_mut(&mut content.durable);
            durable.resize(length, 0);
            for sector in std::mem::take(&mut content.unsynced) {
                if survives() {
                    copy_sector(&content.seen, durable, sector);
                }
            }
            is_torn |= *durable != *content.seen;
            content.seen = Arc::clone(&content.durable);
        }
        if is_torn {
            self.counts.add(Fault::TornWrite);
        }
    }

    fn sync(&mut self, file: u64) -> io::Result<()> {
        let was_dead = self.is_dead;
        self.begin()?;
        let fails = is_due(&mut self.plan.fail_sync_in);
        if self.plan.slow_sync_one_in.is_some_and(|n| self.random.one_in(n)) {
            let nanos = self.random.between(10_000_000, 3_000_000_000);
            self.clock.advance(nanos);
            self.counts.add(Fault::SlowSync);
        }
        let stops = self.is_dead && !was_dead;
        let random = &mut self.random;
        let content = self.files.get_mut(&file).expect("open");
        let durable = Arc::make_mut(&mut content.durable);
        if !stops && !fails || random.one_in(2) {
            durable.resize(content.seen.len(), 0);
        }
        for sector in std::mem::take(&mut content.unsynced) {
            if !stops && !fails || random.one_in(2) {
                copy_sector(&content.seen, durable, sector);
            } else if stops {
                content.unsynced.insert(sector);
            }
        }
        if stops {
            self.counts.add(Fault::CrashInSync);
            return Err(crashed());
        }
        if fails {
            self.counts.add(Fault::FailedSync);
            return Err(io::Error::other("simulated: the sync failed"));
        }
        Ok(())
    }

    fn write(&mut self, file: u64, bytes: &[u8], offset: usize) -> io::Result<()> {
        let was_dead = self.is_dead;
        self.begin()?;
        let grows = offset + bytes.len() > self.files[&file].seen.len();
        if self.plan.is_full && grows {
            self.counts.add(Fault::DiskFull);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let stops = self.is_dead && !was_dead;
        let fails = is_due(&mut self.plan.fail_write_in);
        let mut written = bytes;
        if stops || fails {
            // Up to the end of some sector: no sector is written in part.
            let end = offset as u64 + self.random.between(0, bytes.len() as u64);
            let end = end as usize / SECTOR * SECTOR;
            written = &bytes[..end.saturating_sub(offset)];
            self.counts.add(if stops { Fault::CrashInWrite } else { Fault::FailedWrite });
        }
        self.put(file, written, offset);
        match (stops, fails) {
            (true, _) => Err(crashed()),
            (_, true) => Err(io::Error::other("simulated: the write failed")),
            _ => Ok(()),
        }
    }

    fn put(&mut self, file: u64, bytes: &[u8], offset: usize) {
        let now = self.clock.now().0;
        let content = self.files.get_mut(&file).expect("open");
        content.modified = now;
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        let seen = Arc::make_mut(&mut content.seen);
        if seen.len() < end {
            seen.resize(end, 0);
        }
        seen[offset..end].copy_from_slice(bytes);
        content.unsynced.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn create(&mut self, path: &Path) -> io::Result<u64> {
        self.begin()?;
        if let Ok(file) = self.file(path) {
            let content = self.files.get_mut(&file).expect("named");
            content.seen = Arc::default();
            content.unsynced.clear();
            return Ok(file);
        }
        if self.plan.is_full {
            self.counts.add(Fault::DiskFull);
            return Err(io::ErrorKind::StorageFull.into());
        }
        if !is_directory(&self.names, path.parent().expect("a file")) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = self.next_file;
        self.next_file += 1;
        self.files.insert(file, Content::default());
        self.change(path, Change::Add(path.into(), Node::File(file)));
        Ok(file)
    }
}

fn is_directory(names: &Names, path: &Path) -> bool {
    names.get(path.as_os_str()) == Some(&Node::Directory)
}

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Add(path, node) => {
            names.insert(path.clone(), *node);
        }
        Change::Rename(from, to) => {
            if let Some(node) = names.remove(from) {
                names.insert(to.clone(), node);
            }
        }
        Change::Remove(path) => {
            names.remove(path);
        }
    }
}

fn copy_sector(from: &[u8], to: &mut [u8], sector: usize) {
    let start = sector * SECTOR;
    let end = (start + SECTOR).min(from.len()).min(to.len());
    if start < end {
        to[start..end].copy_from_slice(&from[start..end]);
    }
}

/// Counts down and tells when zero is reached.
fn is_due(countdown: &mut Option<u64>) -> bool {
    match countdown {
        Some(0) => {
            *countdown = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

fn crashed() -> io::Error {
    io::Error::other("simulated: the machine has stopped")
}

impl Storage for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let mut missing: Vec<_> =
            path.ancestors().filter(|above| !state.names.contains_key(above.as_os_str())).collect();
        missing.reverse();
        for path in missing {
            state.begin()?;
            state.change(path, Change::Add(path.into(), Node::Directory));
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.begin()?;
        if state.is_dead {
            return Err(crashed());
        }
        if !is_directory(&state.names, path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (synced, pending): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.pending).into_iter().partition(|it| it.directory == path);
        state.pending = pending;
        for it in synced {
            apply(&mut state.durable_names, &it.change);
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.0.lock();
        if !is_directory(&state.names, path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let directory = path.as_os_str().as_encoded_bytes();
        let inside = |name: &OsString| {
            let name = name.as_encoded_bytes();
            let rest = name.strip_prefix(directory)?.strip_prefix(b"/")?;
            let rest = str::from_utf8(rest).ok()?;
            (!rest.contains('/')).then(|| rest.to_owned())
        };
        Ok(state.names.keys().filter_map(inside).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn StoredFile>> {
        let mut state = self.0.lock();
        if state.is_dead {
            return Err(crashed());
        }
        let file = match access {
            Access::Read | Access::Write => state.file(path)?,
            Access::Create => state.create(path)?,
        };
        Ok(Box::new(SimFile { disk: self.clone(), file }))
    }

    fn create_locked(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.open(path, Access::Create)
    }

    fn remove_unlocked(&self, path: &Path) -> io::Result<bool> {
        let is_there = self.0.lock().file(path).is_ok();
        if is_there {
            self.remove(path)?;
        }
        Ok(is_there)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.begin()?;
        state.file(from)?;
        state.change(to, Change::Rename(from.into(), to.into()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.begin()?;
        state.file(path)?;
        state.change(path, Change::Remove(path.into()));
        Ok(())
    }

    fn modified(&self, path: &Path) -> io::Result<Timestamp> {
        let state = self.0.lock();
        Ok(Timestamp(state.files[&state.file(path)?].modified))
    }

    fn is_single_threaded(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: u64,
}

impl StoredFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.0.lock();
        if state.is_dead {
            return Err(crashed());
        }
        let seen = &state.files[&self.file].seen;
        let start = (offset as usize).min(seen.len());
        let count = buffer.len().min(seen.len() - start);
        buffer[..count].copy_from_slice(&seen[start..start + count]);
        Ok(count)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.0.lock().write(self.file, bytes, offset as usize)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.0.lock().sync(self.file)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().files[&self.file].seen.len() as u64)
    }
}
