//! Answers that are the same for everybody, kept for a moment.
//!
//! An answer is given again unless it is older than its [`Life`], or a definition has changed since it was
//! begun, or somebody at its reader's address was told something since: the answer to a command, or a stream.
//! So who wrote something reads it, and a book that is read after its changes were subscribed to lacks none of
//! them. Whoever's address is not known is given nothing older than the question.
//! One answer is made at a time for each question; those who ask meanwhile wait for it.
//!
//! *Invariants:* only successes are kept, and only where a table of routes names a life: never what a key is
//! asked for. What is kept is bounded, in answers and in bytes. A question with `min_seq` goes by.
//!
//! Whether an answer still counts depends on who asks, which caches of the shelf do not know; without that,
//! this is a map.

mod serve;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::HeaderValue;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use views::Views;

use crate::limits::Source;

pub(crate) use serve::{dress, keep};

/// Most answers that are kept.
const MOST_ANSWERS: usize = 4_096;
/// Most bytes that all of them have.
const MOST_BYTES: usize = 64 << 20;
/// Among so many slots addresses are spread. Two in the same one make each other's reads fresh, no more.
const ADDRESSES: usize = 4_096;

/// For how long an answer is given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// A second.
    Ticker,
    /// A tenth of a second.
    Depth,
    /// Half a second.
    Trades,
    /// A minute: what it tells changes with definitions, and these end it at once.
    Definitions,
}

impl Life {
    fn length(self) -> Duration {
        Duration::from_millis(match self {
            Self::Ticker => 1_000,
            Self::Depth => 100,
            Self::Trades => 500,
            Self::Definitions => 60_000,
        })
    }

    /// Whole seconds for which others may keep it too; HTTP knows nothing less.
    fn max_age(self) -> Option<u64> {
        Some(self.length().as_secs()).filter(|&seconds| seconds > 0)
    }
}

/// An answer of a success, in JSON.
pub(crate) struct Made {
    /// As it is sent.
    pub(crate) body: Bytes,
    /// Where it tells the time: what is there is not kept.
    pub(crate) clock: Option<Range<usize>>,
}

/// An answer that is kept.
pub(crate) struct Kept {
    pub(crate) made: Made,
    /// Names the answer, its clock aside.
    tag: HeaderValue,
    /// Nanoseconds since [`Answers::epoch`].
    begun: u64,
    ends: u64,
    /// Of the definitions then.
    version: u64,
}

/// All that is kept.
pub(crate) struct Answers {
    views: Arc<Views>,
    epoch: Instant,
    entries: RwLock<Entries>,
    /// By address: when somebody there was told something last.
    told: Box<[AtomicU64]>,
    hasher: RandomState,
}

#[derive(Default)]
struct Entries {
    by_question: HashMap<Box<str>, Entry>,
    bytes: usize,
}

#[derive(Default)]
struct Entry {
    kept: Option<Arc<Kept>>,
    /// Held by who makes the next one.
    turn: Turn,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Answers {
    /// Of definitions that these views have.
    pub(crate) fn new(views: Arc<Views>) -> Self {
        Self {
            views,
            epoch: Instant::now(),
            entries: RwLock::default(),
            told: (0..ADDRESSES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Somebody at this address is about to be told something that it may hold an answer against.
    pub(crate) fn note(&self, source: Source) {
        if let Some(address) = source {
            self.last_told(address).fetch_max(self.now(), Ordering::SeqCst);
        }
    }

    /// The answer to a question: what is kept, or else what `make` makes, which then is.
    ///
    /// # Errors
    /// Those of `make`; they are not kept.
    pub(crate) async fn get<E>(
        &self,
        question: &str,
        life: Life,
        source: Source,
        make: impl Future<Output = Result<Made, E>>,
    ) -> Result<Arc<Kept>, E> {
        let now = self.now();
        let youth = now.saturating_sub(life.length().as_nanos() as u64);
        let told = |address| self.last_told(address).load(Ordering::SeqCst) + 1;
        let since = youth.max(source.map_or(now, told));
        let turn = match self.look(question, since) {
            Ok(kept) => return Ok(kept),
            Err(turn) => turn,
        };
        let _turn = turn.lock().await;
        if let Ok(kept) = self.look(question, since) {
            return Ok(kept);
        }
        let (begun, version) = (self.now(), self.views.definitions_version());
        let made = match make.await {
            Ok(made) => made,
            Err(error) => {
                self.entries.write().release(question);
                return Err(error);
            }
        };
        let ends = begun + life.length().as_nanos() as u64;
        let kept = Arc::new(Kept { tag: tag(&made), made, begun, ends, version });
        self.entries.write().keep(question, &kept, self.now());
        Ok(kept)
    }

    /// What is kept and was begun at `since` or later, or else whose turn it is to make it.
    fn look(&self, question: &str, since: u64) -> Result<Arc<Kept>, Turn> {
        let version = self.views.definitions_version();
        if let Some(entry) = self.entries.read().by_question.get(question) {
            return match &entry.kept {
                Some(kept) if kept.begun >= since && kept.version == version => {
                    Ok(Arc::clone(kept))
                }
                _ => Err(Arc::clone(&entry.turn)),
            };
        }
        Err(Arc::clone(&self.entries.write().entry(question, self.now()).turn))
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    fn last_told(&self, address: IpAddr) -> &AtomicU64 {
        &self.told[self.hasher.hash_one(address) as usize % ADDRESSES]
    }
}

#[cfg(test)]
impl Answers {
    /// How many are kept.
    fn count(&self) -> usize {
        let entries = self.entries.read();
        entries.by_question.values().filter(|entry| entry.kept.is_some()).count()
    }

    /// How many questions have a place, with an answer or without.
    fn questions(&self) -> usize {
        self.entries.read().by_question.len()
    }

    fn forget_all(&self) {
        *self.entries.write() = Entries::default();
    }
}

impl Entries {
    /// The place of a question.
    fn entry(&mut self, question: &str, now: u64) -> &mut Entry {
        if self.by_question.len() >= MOST_ANSWERS && !self.by_question.contains_key(question) {
            self.make_room(now);
        }
        self.by_question.entry(question.into()).or_default()
    }

    /// Gives up the place of a question that has no answer, unless others wait for one.
    fn release(&mut self, question: &str) {
        // One is the place's own, one is that of who asks here.
        let is_idle = |entry: &Entry| entry.kept.is_none() && Arc::strong_count(&entry.turn) <= 2;
        if self.by_question.get(question).is_some_and(is_idle) {
            self.by_question.remove(question);
        }
    }

    fn keep(&mut self, question: &str, kept: &Arc<Kept>, now: u64) {
        let size = kept.made.body.len();
        if self.bytes + size > MOST_BYTES {
            self.make_room(now);
        }
        if self.bytes + size <= MOST_BYTES {
            let before = self.entry(question, now).kept.replace(Arc::clone(kept));
            self.bytes += size;
            self.bytes -= before.map_or(0, |before| before.made.body.len());
        }
    }

    /// Forgets what has ended, and questions that nobody asks now. If that is not half of it, everything: it
    /// can be made again, and whoever fills this up with odd questions shuts nobody out.
    fn make_room(&mut self, now: u64) {
        self.bytes = 0;
        self.by_question.retain(|_, entry| {
            entry.kept.take_if(|kept| kept.ends <= now);
            self.bytes += entry.kept.as_ref().map_or(0, |kept| kept.made.body.len());
            entry.kept.is_some() || Arc::strong_count(&entry.turn) > 1
        });
        if self.by_question.len() > MOST_ANSWERS / 2 || self.bytes > MOST_BYTES / 2 {
            *self = Self::default();
        }
    }
}

/// A weak tag: two answers of the same tag say the same, at whatever time.
fn tag(made: &Made) -> HeaderValue {
    let clock = made.clock.clone().unwrap_or_default();
    let (before, after) = (&made.body[..clock.start], &made.body[clock.end..]);
    let hash = Sha256::new().chain_update(before).chain_update(after).finalize();
    let text = format!("W/\"{}\"", hex::encode(&hash[..12]));
    HeaderValue::from_str(&text).expect("hexadecimal")
}
