//! The event log against the events that the command log gives.

use std::fs;
use std::path::{Path, PathBuf};

use journal::{EventLog, EventReader, Identity, Options, TornTail};
use types::{EventBatch, Seq};

use crate::record::{Source, Visit};

/// Compares record by record while the command log is replayed.
pub struct EventLogCheck {
    reader: EventReader,
    identity: Identity,
    dir: PathBuf,
    /// The first entry that was compared, or is to be.
    from: Seq,
    /// The last entry that was compared.
    compared: Seq,
    /// The record on disk that is being compared, and what the replay gave for it so far.
    record: Option<(EventBatch, EventBatch)>,
    end: End,
}

enum End {
    /// There may be more.
    NotYet,
    /// There is no event log.
    Absent,
    /// Nothing that can be read follows.
    Reached,
    /// It is damaged or differs.
    Failed(String),
}

impl EventLogCheck {
    /// The event log of `source`, from the entry after `start` on, if it is kept from there.
    pub fn new(source: &Source, start: Seq) -> Self {
        let (dir, identity) = (source.events(), source.identity());
        let reader = EventReader::open(&dir, identity);
        let (oldest, end) = match reader.oldest() {
            _ if !dir.is_dir() => (Seq(0), End::Absent),
            Ok(Seq(0)) => (Seq(0), End::Absent),
            Ok(oldest) => (oldest, End::NotYet),
            Err(error) => (Seq(0), End::Failed(error.to_string())),
        };
        let from = oldest.max(start.next());
        Self { reader, identity, dir, from, compared: Seq(from.0 - 1), record: None, end }
    }

    /// Takes what the replay of the next entry gave.
    pub fn take(&mut self, visit: &Visit<'_>) {
        let (seq, time) = (visit.entry.seq, visit.entry.time);
        if seq < self.from || !matches!(self.end, End::NotYet) {
            return;
        }
        if self.record.is_none() {
            match self.reader.read(self.compared) {
                Ok(Some(found)) => {
                    self.record = Some((found, EventBatch::new(visit.state.id())));
                }
                Ok(None) => self.end = End::Reached,
                Err(error) => self.end = End::Failed(error.to_string()),
            }
        }
        let Some((found, derived)) = &mut self.record else {
            return;
        };
        derived.push(seq, time, &mut visit.events.to_vec());
        if found.last_seq() <= Some(seq) {
            match first_difference(found, derived) {
                Some(differs) => {
                    let dir = self.dir.display();
                    let text = format!("entry {differs} gives other events than {dir} holds");
                    self.end = End::Failed(text);
                }
                None => self.compared = seq,
            }
            self.record = None;
        }
    }

    /// The verdict, when the command log has ended with `last`. `sealed`: it ended in order.
    pub fn finish(mut self, last: Seq, sealed: bool) -> Result<String, String> {
        match std::mem::replace(&mut self.end, End::NotYet) {
            End::Absent => return Ok("none is kept".to_owned()),
            End::Failed(text) => return Err(text),
            End::NotYet | End::Reached => {}
        }
        let is_ahead = self.record.is_some()
            || self.compared >= last && matches!(self.reader.read(last), Ok(Some(_)));
        if is_ahead {
            let dir = self.dir.display();
            return Err(format!("{dir} goes on after entry {last}, where the command log ends"));
        }
        let (from, to) = (self.from, self.compared);
        let equal = format!("entries {from} to {to} are what the command log gives");
        if to >= last {
            return Ok(equal);
        }
        // After a crash the end may be torn and is derived anew. Before another segment, or after an
        // orderly end, nothing may.
        let (file, is_last) = self.segment_of(to.next());
        let cut = unreadable_end(&file, self.identity)?;
        match cut {
            Some(cut) if sealed || !is_last => Err(format!(
                "{} is damaged at byte {}, entry {}: {} bytes from there on cannot be read",
                file.display(),
                cut.offset,
                cut.seq,
                cut.bytes
            )),
            None if !is_last => {
                let (file, missing) = (file.display(), to.next());
                Err(format!(
                    "{file}: entry {missing} and what follows up to the next segment is missing"
                ))
            }
            _ => Ok(format!("{equal}; the rest up to {last} is derived anew when it is needed")),
        }
    }

    /// The segment in which `seq` should stand, and whether it is the last.
    fn segment_of(&self, seq: Seq) -> (PathBuf, bool) {
        let items = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let paths = items.map(|item| item.path());
        let mut segments: Vec<(u64, PathBuf)> = paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .filter_map(|path| Some((path.file_stem()?.to_str()?.parse().ok()?, path)))
            .collect();
        segments.sort();
        let after = segments.partition_point(|&(first, _)| first <= seq.0);
        let is_last = after == segments.len();
        let file = after.checked_sub(1).map_or(self.dir.clone(), |at| segments[at].1.clone());
        (file, is_last)
    }
}

/// What the journal would cut from the end of a segment, found on a copy of it.
fn unreadable_end(file: &Path, identity: Identity) -> Result<Option<TornTail>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let name = format!("outcry-verify-{}-{}", std::process::id(), identity.partition);
    let dir = std::env::temp_dir().join(name);
    let judge = || {
        fs::create_dir_all(&dir).map_err(|error| failed(&error))?;
        let copy = dir.join(file.file_name().unwrap_or_default());
        let size = fs::copy(file, copy).map_err(|error| failed(&error))?;
        let options = Options { segment_size: size, ..Options::default() };
        let opened = EventLog::open(&dir, identity, options, 0);
        opened.map(|(_, found)| found.cut).map_err(|error| failed(&error))
    };
    let found = judge();
    // What cannot be removed lies in the system's folder for such things.
    let _ = fs::remove_dir_all(&dir);
    found
}

/// The first entry whose time or events are not the same.
fn first_difference(found: &EventBatch, derived: &EventBatch) -> Option<Seq> {
    let mut pairs = found.iter().zip(derived.iter());
    pairs.find(|(found, derived)| found != derived).map(|(found, _)| found.seq)
}
