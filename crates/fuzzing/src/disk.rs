//! A disk in memory with a few files, on which nothing goes wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chance::Random;
use journal::{Access, Dir, Storage};
use sim::clock::SimClock;
use sim::disk::SimDisk;
use types::Timestamp;

const ROOT: &str = "/log";

/// A directory of a disk of its own.
pub struct Disk(SimDisk);

impl Disk {
    pub fn new() -> Self {
        let clock = SimClock::new(Timestamp(0));
        Self(SimDisk::new(Random::new(0), clock, Path::new(ROOT)))
    }

    pub fn dir(&self) -> Dir {
        Dir::new(Arc::new(self.0.clone()), ROOT)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = Path::new(ROOT).join(name);
        let file = self.0.open(&path, Access::Create).expect("nothing goes wrong here");
        file.write_all_at(bytes, 0).expect("nothing goes wrong here");
    }

    /// All files with their content.
    pub fn content(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut names = self.0.list(Path::new(ROOT)).expect("it is there");
        names.sort_unstable();
        let bytes = |name: &String| self.0.bytes(&PathBuf::from(ROOT).join(name));
        names.iter().map(|name| (name.clone(), bytes(name))).collect()
    }
}
