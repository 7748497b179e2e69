//! One partition's part of the fan-out: its channels, and what they are told.
//!
//! The partition's thread applies a batch to the views and notes what changed, under one lock; who
//! subscribes takes a snapshot of the views and a position in the channel under the same lock. So a
//! snapshot and the messages after it meet exactly: no gap and no repeat.
//!
//! Messages are encoded once and kept once, in the channel; see [`super::channel`].

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use types::{AccountId, EventBatch, MarketId, PartitionId, Seq, Timestamp};
use views::{Changes, MarketInfo, ViewError, Views};
use websocket::Text;

use super::account_channels::AccountChannels;
use super::channel::Channel;
use super::channel_name::{PrivateKind, PublicKind};
use super::events::by_account;
use super::market_channels::MarketChannels;
use super::ring::{RingBounds, Slot};
use crate::binance::Streams;

/// The channels of a partition.
pub struct Hub {
    /// Which one.
    pub partition: PartitionId,
    views: Arc<Views>,
    bounds: RingBounds,
    state: Mutex<State>,
}

struct State {
    now: Now,
    markets: HashMap<MarketId, MarketChannels>,
    accounts: HashMap<AccountId, AccountChannels>,
    streams: Streams,
    news: News,
}

/// How far the channels have been told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The partition.
    pub(crate) partition: PartitionId,
    /// The last entry.
    pub(crate) seq: Seq,
    /// When that was stamped.
    pub(crate) time: Timestamp,
}

/// What the streams of the Binance dialect are told from and with.
pub(crate) struct Scene<'a> {
    /// How far they have been told.
    pub(crate) now: Now,
    /// Stands there too.
    pub(crate) views: &'a Views,
    /// Of new channels.
    pub(crate) bounds: RingBounds,
    /// Takes messages.
    pub(crate) news: &'a mut News,
}

/// Channels that have something new.
#[derive(Default)]
pub(crate) struct News(Vec<Arc<Channel>>);

impl News {
    /// Adds a message to a channel, whose subscribers are to be woken at the next flush.
    pub(crate) fn push(&mut self, channel: &Arc<Channel>, slot: Slot) {
        if channel.push(slot) {
            self.0.push(Arc::clone(channel));
        }
    }

    /// A channel of conflated data begins anew with a market's other units: its subscribers are to be woken,
    /// and find that they need a snapshot.
    pub(crate) fn restart(&mut self, channel: &Arc<Channel>, market: &Arc<MarketInfo>, seq: Seq) {
        if channel.restart(market, seq) {
            self.0.push(Arc::clone(channel));
        }
    }
}

/// What to subscribe to in a hub.
#[derive(Clone, Debug)]
pub enum Topic {
    /// Something of a market.
    Public(PublicKind, Arc<MarketInfo>),
    /// Something of an account.
    Private(PrivateKind, AccountId),
}

impl Topic {
    /// Whether what was missed can be read from the event log.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        match self {
            Self::Public(PublicKind::Trades | PublicKind::Market, _) | Self::Private(..) => true,
            Self::Public(PublicKind::Depth | PublicKind::Ticker | PublicKind::Candles(_), _) => {
                false
            }
        }
    }
}

/// A place in a channel from which nothing is missed.
pub struct Place {
    /// The channel.
    pub channel: Arc<Channel>,
    /// The position of the next message.
    pub cursor: u64,
    /// The entry up to which all is told before the message at `cursor`.
    pub seq: Seq,
    /// How it begins.
    pub beginning: Beginning,
}

/// How a subscription begins.
pub enum Beginning {
    /// With all there is.
    Snapshot(Text),
    /// Where the client left off.
    Resumed,
    /// Where the client left off, with entries after this one and up to `seq` still to be read from
    /// the event log.
    Replay(Seq),
}

impl Hub {
    /// A hub that goes on where the views stand.
    #[must_use]
    pub fn new(partition: PartitionId, views: Arc<Views>, bounds: RingBounds) -> Self {
        let now = Now { partition, seq: views.applied(partition), time: views.log_time() };
        let (markets, accounts) = (HashMap::new(), HashMap::new());
        let (streams, news) = (Streams::default(), News::default());
        let state = State { now, markets, accounts, streams, news };
        Self { partition, views, bounds, state: Mutex::new(state) }
    }

    /// The views that this hub feeds.
    #[must_use]
    pub fn views(&self) -> &Arc<Views> {
        &self.views
    }

    /// The last entry that the channels have been told of.
    #[must_use]
    pub fn applied(&self) -> Seq {
        self.state.lock().now.seq
    }

    /// Applies a batch to the views and notes what changed. Nobody is woken before [`Self::flush`].
    ///
    /// # Errors
    /// When the batch does not follow what was applied; then nothing happened.
    pub fn apply(&self, batch: &EventBatch) -> Result<Changes, ViewError> {
        let mut state = self.state.lock();
        let State { now, markets, accounts, streams, news } = &mut *state;
        let changes = self.views.on_batch_for(batch, &|account| streams.follow(account))?;
        now.seq = changes.through;
        now.time = changes.time;
        for change in &changes.markets {
            if let Some(market) = markets.get_mut(&change.market) {
                market.note(change, *now, &self.views, news);
            }
        }
        let (now, bounds) = (*now, self.bounds);
        streams.note(batch, &changes, &mut Scene { now, views: &self.views, bounds, news });
        if !accounts.is_empty() {
            for entry in batch.iter_after(changes.after) {
                for (account, events) in
                    by_account(&entry, |account| accounts.contains_key(&account))
                {
                    accounts[&account].note(&entry, &events, &self.views, news);
                }
            }
        }
        Ok(changes)
    }

    /// Encodes what is conflated and wakes the subscribers of all that is new.
    pub fn flush(&self) {
        let mut state = self.state.lock();
        let State { now, markets, streams, news, .. } = &mut *state;
        for market in markets.values_mut() {
            market.publish(news);
        }
        let (now, bounds) = (*now, self.bounds);
        streams.publish(&mut Scene { now, views: &self.views, bounds, news });
        wake(state);
    }

    /// Does something with the streams of the Binance dialect, and wakes the subscribers of all that is new.
    pub(crate) fn with_streams<T>(&self, act: impl FnOnce(&mut Streams, &mut Scene<'_>) -> T) -> T {
        let mut state = self.state.lock();
        let State { now, streams, news, .. } = &mut *state;
        let (now, bounds) = (*now, self.bounds);
        let done = act(streams, &mut Scene { now, views: &self.views, bounds, news });
        wake(state);
        done
    }

    /// Forgets channels that have been without a subscriber since the last time.
    pub fn sweep(&self) {
        let mut state = self.state.lock();
        state.markets.retain(|_, market| market.sweep());
        state.accounts.retain(|_, account| account.sweep());
        state.streams.sweep();
    }

    /// A place in a channel, whose bell rings from now on for `subscription`. `resume_from` is the
    /// entry up to which the client has everything; where that cannot be gone on from, the place
    /// begins with a snapshot.
    pub fn subscribe(
        &self,
        topic: &Topic,
        resume_from: Option<Seq>,
        subscription: u64,
        bell: Arc<Notify>,
    ) -> Place {
        let mut state = self.state.lock();
        let place = match resume_from.and_then(|seq| self.resume(&mut state, topic, seq)) {
            Some(place) => place,
            None => self.begin(&mut state, topic),
        };
        place.channel.join(subscription, bell);
        place
    }

    /// A place with a snapshot, for a subscriber that cannot go on where it is.
    pub fn begin_again(&self, topic: &Topic) -> Place {
        self.begin(&mut self.state.lock(), topic)
    }

    fn begin(&self, state: &mut State, topic: &Topic) -> Place {
        let State { now, markets, accounts, news, .. } = state;
        match topic {
            Topic::Public(kind, market) => markets
                .entry(market.def.id)
                .or_insert_with(|| MarketChannels::new(Arc::clone(market)))
                .topic(kind, *now, &self.views, self.bounds)
                .begin(*now, &self.views, news),
            Topic::Private(kind, account) => accounts
                .entry(*account)
                .or_insert_with(|| AccountChannels::new(*account))
                .begin(*kind, *now, &self.views, self.bounds),
        }
    }

    /// None if the channel cannot be gone on with from there.
    fn resume(&self, state: &mut State, topic: &Topic, from: Seq) -> Option<Place> {
        // A seq from the future is of another exchange's log.
        if from > state.now.seq {
            return None;
        }
        let now = state.now;
        let channel = match topic {
            Topic::Public(kind, market) => state
                .markets
                .entry(market.def.id)
                .or_insert_with(|| MarketChannels::new(Arc::clone(market)))
                .topic(kind, now, &self.views, self.bounds)
                .channel(),
            Topic::Private(kind, account) => state
                .accounts
                .entry(*account)
                .or_insert_with(|| AccountChannels::new(*account))
                .channel(*kind, now, self.bounds),
        };
        let channel = Arc::clone(channel);
        if let Some(cursor) = channel.position_after(from) {
            return Some(Place { channel, cursor, seq: from, beginning: Beginning::Resumed });
        }
        topic.is_replayable().then(|| Place {
            cursor: channel.end(),
            channel,
            seq: now.seq,
            beginning: Beginning::Replay(from),
        })
    }
}

/// Wakes the subscribers of all that is new, without the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let fresh = std::mem::take(&mut state.news.0);
    drop(state);
    for channel in fresh {
        channel.wake();
    }
}
