//! The views on disk: `views.snapshot` in the data directory, so that a start reads only the events
//! after it.
//!
//! The file is written whole or not at all, from time to time and at the end; feeding the views waits
//! while their bytes are collected, not while these are written. It is derived: one that is missing,
//! damaged or does not fit is left alone, and the views are built from the first event on. What is
//! durable never shrinks, so that a snapshot of this exchange is never ahead of its events; one that
//! is, belongs to other logs and is not used.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use types::{PartitionId, Seq};
use views::{RestoreError, Views};

const MAGIC: [u8; 8] = *b"OUTCRYVW";
/// Of the header; the views have a version of their own.
const VERSION: u32 = 1;

/// Byte offsets in the header. The views' bytes follow it.
mod at {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 8;
    pub const SPARE: usize = 12;
    pub const CLUSTER: usize = 16;
    pub const LEN: usize = 24;
    /// BLAKE3 of the header before it and the views' bytes.
    pub const HASH: usize = 32;
    pub const END: usize = 64;
    const _: () = assert!(VERSION - MAGIC == 8 && SPARE - VERSION == 4 && CLUSTER - SPARE == 4);
    const _: () = assert!(LEN - CLUSTER == 8 && HASH - LEN == 8 && END - HASH == 32);
}

/// How often to look whether a new snapshot is worth its while.
const INTERVAL: Duration = Duration::from_secs(300);
/// It is when this many entries were applied since the last one,
const ENOUGH: u64 = 100_000;
/// or any at all since this long: with a trimmed log, a start must find the events after it.
const AT_LATEST: Duration = Duration::from_secs(3_600);

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is no snapshot of views")]
    Magic,
    #[error("its format is {0}, this binary reads {VERSION}")]
    Version(u32),
    #[error("it is damaged")]
    Damaged,
    #[error("it belongs to another exchange")]
    Cluster,
    #[error("partition {0} is at entry {1} in it, but has events up to {2} only")]
    Ahead(PartitionId, Seq, Seq),
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

/// The file of one exchange.
#[derive(Clone, Debug)]
pub struct ViewsFile {
    path: PathBuf,
    cluster: u64,
}

impl ViewsFile {
    /// The file in the data directory of the exchange that was founded with this number.
    pub fn new(data: &Path, cluster: u64) -> Self {
        Self { path: data.join("views.snapshot"), cluster }
    }

    /// The views as they were saved, or empty ones. `heads` are the last entries that each partition
    /// has events of.
    pub fn load(&self, heads: &[Seq]) -> Views {
        let path = self.path.display();
        match self.read(heads) {
            Ok(views) => {
                let cursors = cursors(&views);
                tracing::info!("views restored from {path}, each partition after {cursors:?}");
                views
            }
            Err(Unusable::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                tracing::info!("no {path}: the views are built from the first event on");
                Views::new(heads.len() as u16)
            }
            Err(reason) => {
                tracing::warn!(
                    "{path} is not used, the views are built from the first event on: {reason}"
                );
                Views::new(heads.len() as u16)
            }
        }
    }

    fn read(&self, heads: &[Seq]) -> Result<Views, Unusable> {
        let bytes = fs::read(&self.path)?;
        let views = Views::restore(self.check(&bytes)?, heads.len() as u16)?;
        for (partition, (&seq, &head)) in (0..).zip(cursors(&views).iter().zip(heads)) {
            if seq > head {
                return Err(Unusable::Ahead(PartitionId(partition), seq, head));
            }
        }
        Ok(views)
    }

    /// The views' bytes in a whole file of this exchange.
    fn check<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Unusable> {
        if !bytes.starts_with(&MAGIC) {
            return Err(Unusable::Magic);
        }
        let (head, payload) = bytes.split_at_checked(at::END).ok_or(Unusable::Damaged)?;
        let version = head[at::VERSION..at::SPARE].try_into().expect("four bytes");
        match u32::from_le_bytes(version) {
            VERSION => {}
            other => return Err(Unusable::Version(other)),
        }
        let cluster = head[at::CLUSTER..at::LEN].try_into().expect("eight bytes");
        let expected = header(u64::from_le_bytes(cluster), payload);
        if head != expected {
            return Err(Unusable::Damaged);
        }
        if u64::from_le_bytes(cluster) != self.cluster {
            return Err(Unusable::Cluster);
        }
        Ok(payload)
    }

    /// Writes the views so that the file is the old or the new one, whatever happens.
    pub fn save(&self, views: &Views) -> io::Result<()> {
        let payload = views.snapshot();
        let temporary = self.path.with_extension("snapshot.tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(&header(self.cluster, &payload))?;
        file.write_all(&payload)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        let dir = self.path.parent().expect("the data directory");
        File::open(dir)?.sync_all()
    }
}

fn header(cluster: u64, payload: &[u8]) -> [u8; at::END] {
    let mut bytes = [0; at::END];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(at::MAGIC, &MAGIC);
    put(at::VERSION, &VERSION.to_le_bytes());
    put(at::CLUSTER, &cluster.to_le_bytes());
    put(at::LEN, &(payload.len() as u64).to_le_bytes());
    let hash = blake3::Hasher::new().update(&bytes[..at::HASH]).update(payload).finalize();
    bytes[at::HASH..].copy_from_slice(hash.as_bytes());
    bytes
}

fn cursors(views: &Views) -> Vec<Seq> {
    let partitions = views.watermarks().partitions();
    (0..partitions).map(|partition| views.applied(PartitionId(partition))).collect()
}

/// Told the cursors of a file that is durable, one for each partition.
pub type OnSaved = Box<dyn Fn(&[Seq]) + Send>;

/// Saves the views from time to time, on a thread of its own.
pub struct Keeper {
    running: Sender<()>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Begins. `on_saved` is told up to where the views are on disk.
    pub fn start(file: ViewsFile, views: Arc<Views>, on_saved: OnSaved) -> Self {
        let (running, ended) = mpsc::channel();
        let thread = super::consumers::spawn("views-snapshot".to_owned(), move || {
            let mut last = Saved { at: Instant::now(), entries: entries(&views) };
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if last.is_old(Instant::now(), entries(&views)) {
                    last = Saved { at: Instant::now(), entries: entries(&views) };
                    save(&file, &views, &on_saved);
                }
            }
            save(&file, &views, &on_saved);
        });
        Self { running, thread }
    }

    /// Saves the views as they are now and ends. Nobody should feed them any more.
    pub fn finish(self) {
        drop(self.running);
        // A panic has stopped the process.
        let _ = self.thread.join();
    }
}

/// When the views were saved last, and how many entries were applied then.
struct Saved {
    at: Instant,
    entries: u64,
}

impl Saved {
    fn is_old(&self, now: Instant, entries: u64) -> bool {
        let new = entries - self.entries;
        new >= ENOUGH || (new > 0 && now.saturating_duration_since(self.at) >= AT_LATEST)
    }
}

fn entries(views: &Views) -> u64 {
    cursors(views).iter().map(|seq| seq.0).sum()
}

/// The exchange goes on without a snapshot: the next start takes longer.
fn save(file: &ViewsFile, views: &Views, on_saved: &OnSaved) {
    let started = Instant::now();
    // The views may go on before they are saved: what is saved reaches at least as far.
    let reached = cursors(views);
    match file.save(views) {
        Ok(()) => {
            on_saved(&reached);
            tracing::info!("views saved in {:?}", started.elapsed());
        }
        Err(error) => tracing::warn!("cannot write {}: {error}", file.path.display()),
    }
}

#[cfg(test)]
mod tests {
    use types::{AssetDef, AssetId, Event, EventBatch, ReplyTo, Timestamp};

    use super::*;

    const CLUSTER: u64 = 7;
    const HEADS: [Seq; 1] = [Seq(1)];

    /// Views with one entry, and a folder for their file.
    fn example() -> (Views, tempfile::TempDir) {
        let views = Views::new(1);
        let mut batch = EventBatch::new(PartitionId(0));
        let asset = AssetDef { id: AssetId(1), symbol: "BTC".into(), scale: 8 };
        let mut events = vec![Event::AssetDefined { reply: ReplyTo::NOBODY, asset }];
        batch.push(Seq(1), Timestamp(1), &mut events);
        views.on_batch(&batch).expect("it is the first entry");
        (views, tempfile::tempdir().expect("a temporary folder"))
    }

    #[test]
    fn saved_views_come_back_as_they_were() {
        let (views, folder) = example();
        let file = ViewsFile::new(folder.path(), CLUSTER);
        assert_eq!(cursors(&file.load(&HEADS)), [Seq(0)], "there is no file yet");
        file.save(&views).unwrap();
        let restored = file.load(&HEADS);
        assert_eq!(cursors(&restored), [Seq(1)]);
        assert_eq!(restored.snapshot(), views.snapshot());
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names, ["views.snapshot"], "nothing else is left");
    }

    #[test]
    fn a_file_with_any_byte_changed_or_cut_off_is_not_used() {
        let (views, folder) = example();
        let file = ViewsFile::new(folder.path(), CLUSTER);
        file.save(&views).unwrap();
        let whole = fs::read(&file.path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&file.path, &damaged).unwrap();
            assert_eq!(cursors(&file.load(&HEADS)), [Seq(0)], "byte {at} is changed");
            fs::write(&file.path, &whole[..at]).unwrap();
            assert_eq!(cursors(&file.load(&HEADS)), [Seq(0)], "it ends at byte {at}");
        }
    }

    #[test]
    fn views_that_do_not_fit_the_exchange_are_not_used() {
        let (views, folder) = example();
        let file = ViewsFile::new(folder.path(), CLUSTER);
        file.save(&views).unwrap();
        assert!(matches!(file.read(&[Seq(0)]), Err(Unusable::Ahead(_, Seq(1), Seq(0)))));
        assert!(matches!(file.read(&[Seq(9); 2]), Err(Unusable::Restore(_))), "two partitions");
        let other = ViewsFile::new(folder.path(), CLUSTER + 1);
        assert!(matches!(other.read(&HEADS), Err(Unusable::Cluster)));
    }

    #[test]
    fn a_snapshot_is_made_when_there_is_much_new_or_something_for_long() {
        let start = Instant::now();
        let last = Saved { at: start, entries: 10 };
        assert!(!last.is_old(start + AT_LATEST, 10));
        assert!(!last.is_old(start + INTERVAL, 11));
        assert!(last.is_old(start + AT_LATEST, 11));
        assert!(last.is_old(start + INTERVAL, 10 + ENOUGH));
    }
}
