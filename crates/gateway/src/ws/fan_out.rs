//! The consumers of the event log that feed the views and the sockets: one thread per partition.
//!
//! A thread reads its partition's feed by cursor, applies each batch to the views at once, and tells
//! the sockets at once when the last time was long enough ago, else at most every
//! [`PUBLISH_INTERVAL`]: a lone event is not delayed, and a flood does not wake ten thousand
//! connections for every trade.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use node::{EventFeed, Exchange, FeedError};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use types::PartitionId;
use views::{ViewError, Views};

use super::channel_name::PrivateKind;
use super::hub::{Hub, Topic};
use super::replay::ReplayBounds;
use super::ring::RingBounds;
use crate::binance::Limiter;
use crate::config::Limits;
use crate::http::pair_metrics::{Pair, PairMetrics};

/// Subscribers are woken at most this often.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(5);
/// How long a thread sleeps at most, so that it notices the end.
const IDLE: Duration = Duration::from_millis(200);
/// Channels without a subscriber for one to two of these are forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The fan-out of all partitions.
pub struct FanOut {
    exchange: Arc<dyn Exchange>,
    hubs: Vec<Arc<Hub>>,
    pairs: Arc<PairMetrics>,
    limiter: Arc<Limiter>,
    next_subscription: AtomicU64,
    /// Bounds replays.
    pub(super) replays: Arc<Semaphore>,
    /// Bounds each of them.
    pub(super) replay_bounds: ReplayBounds,
    stopping: AtomicBool,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Why a consumer ended before its feed did.
#[derive(Debug, thiserror::Error)]
enum FanOutError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    View(#[from] ViewError),
}

impl FanOut {
    /// A fan-out that goes on where the views stand. What a channel keeps is how far a reader may lie
    /// behind.
    #[must_use]
    pub(crate) fn new(
        exchange: Arc<dyn Exchange>,
        views: &Arc<Views>,
        pairs: &Arc<PairMetrics>,
        limiter: Arc<Limiter>,
        limits: &Limits,
    ) -> Arc<Self> {
        let bounds =
            RingBounds { messages: limits.socket_backlog, bytes: limits.socket_backlog_bytes };
        let partitions = exchange.topology().partitions;
        let hub = |partition| Arc::new(Hub::new(PartitionId(partition), Arc::clone(views), bounds));
        Arc::new(Self {
            hubs: (0..partitions).map(hub).collect(),
            exchange,
            pairs: Arc::clone(pairs),
            limiter,
            next_subscription: AtomicU64::new(0),
            replays: Arc::new(Semaphore::new(limits.replays)),
            replay_bounds: ReplayBounds {
                entries: limits.replay_entries,
                bytes: limits.replay_bytes,
            },
            stopping: AtomicBool::new(false),
            threads: Mutex::default(),
        })
    }

    /// The figures of the pair that a topic is about.
    pub(super) fn pair_of(&self, topic: &Topic) -> Option<Arc<Pair>> {
        match topic {
            Topic::Public(_, market) => Some(self.pairs.of(market)),
            Topic::Private(..) => None,
        }
    }

    /// Starts the threads.
    ///
    /// # Panics
    /// If the system refuses a thread.
    pub fn start(self: &Arc<Self>) {
        let mut threads = self.threads.lock();
        for hub in &self.hubs {
            let (fan_out, hub) = (Arc::clone(self), Arc::clone(hub));
            let thread = std::thread::Builder::new()
                .name(format!("market-data-{}", hub.partition))
                .spawn(move || fan_out.consume(&hub))
                .expect("the system gives a thread at start");
            threads.push(thread);
        }
    }

    /// Ends the threads and waits for them.
    pub async fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        let threads = std::mem::take(&mut *self.threads.lock());
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A panic was reported by the thread itself.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }

    /// The hubs that tell of a topic.
    pub(super) fn hubs_of(&self, topic: &Topic) -> &[Arc<Hub>] {
        let only = |partition: PartitionId| {
            let position = usize::from(partition.0);
            self.hubs.get(position..=position).unwrap_or_default()
        };
        match topic {
            Topic::Public(_, market) => only(market.def.home),
            Topic::Private(PrivateKind::Balances, account) => {
                only(self.exchange.topology().home_of_slot(account.slot()))
            }
            Topic::Private(PrivateKind::Orders | PrivateKind::Fills, _) => &self.hubs,
        }
    }

    /// The hub of a partition.
    pub(crate) fn hub(&self, partition: PartitionId) -> Option<&Arc<Hub>> {
        self.hubs.get(usize::from(partition.0))
    }

    /// All hubs.
    pub(crate) fn hubs(&self) -> &[Arc<Hub>] {
        &self.hubs
    }

    /// The event log of a partition.
    pub(super) fn feed(&self, partition: PartitionId) -> Arc<dyn EventFeed> {
        self.exchange.feed(partition)
    }

    /// A name for a subscription, never used before.
    pub(crate) fn next_subscription(&self) -> u64 {
        self.next_subscription.fetch_add(1, Ordering::Relaxed)
    }

    fn consume(&self, hub: &Hub) {
        let feed = self.exchange.feed(hub.partition);
        if let Err(error) = self.follow(hub, &*feed) {
            let partition = hub.partition.0;
            tracing::error!(partition, %error, "market data stops: the views cannot follow the events");
        }
        hub.flush();
    }

    fn follow(&self, hub: &Hub, feed: &dyn EventFeed) -> Result<(), FanOutError> {
        let mut cursor = hub.applied();
        let mut pace = Pace::new(Instant::now());
        while !self.stopping.load(Ordering::Acquire) {
            if let Some(batch) = feed.read(cursor)? {
                let changes = hub.apply(&batch)?;
                self.limiter.note_fills(&changes);
                cursor = changes.through;
                pace.has_news = true;
                for contradiction in &changes.contradictions {
                    tracing::error!(%contradiction, "an event contradicts the views");
                }
            } else if !feed.wait(cursor, pace.sleep(Instant::now())) && feed.is_closed() {
                return Ok(());
            }
            if pace.is_due(Instant::now()) {
                hub.flush();
            }
            if pace.is_sweep_due(Instant::now()) {
                hub.sweep();
            }
        }
        Ok(())
    }
}

/// When to publish and when to tidy up.
struct Pace {
    has_news: bool,
    published: Option<Instant>,
    swept: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { has_news: false, published: None, swept: now }
    }

    /// Until when there is nothing to do but to wait for events.
    fn sleep(&self, now: Instant) -> Duration {
        if !self.has_news {
            return IDLE;
        }
        let since = self.published.map_or(PUBLISH_INTERVAL, |at| now.saturating_duration_since(at));
        PUBLISH_INTERVAL.saturating_sub(since)
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.has_news && self.sleep(now).is_zero();
        if due {
            self.has_news = false;
            self.published = Some(now);
        }
        due
    }

    fn is_sweep_due(&mut self, now: Instant) -> bool {
        let due = now.saturating_duration_since(self.swept) >= SWEEP_INTERVAL;
        if due {
            self.swept = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_event_is_told_at_once_and_a_flood_at_intervals() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(!pace.is_due(start));
        pace.has_news = true;
        assert!(pace.is_due(start));
        pace.has_news = true;
        assert!(!pace.is_due(start + PUBLISH_INTERVAL / 2));
        assert_eq!(pace.sleep(start + PUBLISH_INTERVAL / 2), PUBLISH_INTERVAL / 2);
        assert!(pace.is_due(start + PUBLISH_INTERVAL));
        assert_eq!(pace.sleep(start + PUBLISH_INTERVAL), IDLE);
    }
}
