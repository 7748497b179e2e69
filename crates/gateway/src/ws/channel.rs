//! A channel: its recent messages, and who is to be woken when there are more.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use types::Seq;
use views::MarketInfo;
use websocket::Text;

use super::depth::DepthUpdate;
use super::message::Head;
use super::ring::{Conflation, Ring, RingBounds, Slot};

/// Lists of subscribers: a connection that comes or goes meets only the one it is in.
const SHARDS: usize = 16;

/// Most messages taken at once of a channel where each one counts, so that a busy channel does not
/// starve the others of its connection.
const TAKE: usize = 256;

/// A channel.
pub struct Channel {
    /// What its messages begin with.
    pub head: Head,
    /// The market that its depth messages are of; none for other channels.
    depth_of: Option<Mutex<Arc<MarketInfo>>>,
    ring: Mutex<Ring>,
    /// The ring's end, to see without a lock that there is nothing new.
    end: AtomicU64,
    subscribers: [Mutex<HashMap<u64, Arc<Notify>>>; SHARDS],
    count: AtomicUsize,
    /// Whether something was added since it was last woken.
    fresh: AtomicBool,
    merged: Mutex<Option<Merged>>,
}

/// The last merged depth message: connections that lie behind alike share it.
struct Merged {
    from: u64,
    to: u64,
    text: Text,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing is new.
    Nothing,
    /// These messages; they reach entry `seq`.
    Messages {
        /// In order.
        texts: Vec<Text>,
        /// The last entry that they tell of.
        seq: Seq,
    },
    /// The reader lies behind what is kept.
    Lost,
}

impl Channel {
    /// A channel that is complete after entry `since`.
    #[must_use]
    pub fn new(
        head: Head,
        since: Seq,
        bounds: RingBounds,
        depth_of: Option<Arc<MarketInfo>>,
    ) -> Self {
        Self {
            head,
            depth_of: depth_of.map(Mutex::new),
            ring: Mutex::new(Ring::new(since, bounds)),
            end: AtomicU64::new(0),
            subscribers: Default::default(),
            count: AtomicUsize::new(0),
            fresh: AtomicBool::new(false),
            merged: Mutex::new(None),
        }
    }

    /// Adds a message; wakes nobody. Tells whether it is the first since the last [`Self::wake`].
    pub fn push(&self, slot: Slot) -> bool {
        let mut ring = self.ring.lock();
        ring.push(slot);
        self.end.store(ring.end(), Ordering::Release);
        !self.fresh.swap(true, Ordering::AcqRel)
    }

    /// Begins anew after entry `seq`: every reader has lost something and needs a snapshot. Wakes nobody; tells
    /// whether that is the first news since the last [`Self::wake`].
    pub fn restart(&self, market: &Arc<MarketInfo>, seq: Seq) -> bool {
        let mut ring = self.ring.lock();
        if let Some(depth_of) = &self.depth_of {
            *depth_of.lock() = Arc::clone(market);
        }
        ring.restart(seq);
        self.end.store(ring.end(), Ordering::Release);
        !self.fresh.swap(true, Ordering::AcqRel)
    }

    /// Wakes every subscriber that is not awake already.
    pub fn wake(&self) {
        self.fresh.store(false, Ordering::Release);
        for shard in &self.subscribers {
            for notify in shard.lock().values() {
                notify.notify_one();
            }
        }
    }

    /// Adds a subscriber: from now on it is woken.
    pub fn join(&self, subscription: u64, notify: Arc<Notify>) {
        if self.shard(subscription).lock().insert(subscription, notify).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Removes a subscriber.
    pub fn leave(&self, subscription: u64) {
        if self.shard(subscription).lock().remove(&subscription).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Where a reader begins that has everything up to entry `seq`; none if something after it is
    /// lost.
    #[must_use]
    pub fn position_after(&self, seq: Seq) -> Option<u64> {
        self.ring.lock().position_after(seq)
    }

    /// Whether everything from `cursor` on is still here.
    #[must_use]
    pub fn has(&self, cursor: u64) -> bool {
        self.ring.lock().read(cursor, 0).is_some()
    }

    /// The position of the next message.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// What a reader at `cursor` gets now, conflated as the channel allows and, if it wants that and the
    /// channel has it, with the stream's name around each message; moves the cursor on.
    pub fn take(&self, cursor: &mut u64, named: bool) -> Taken {
        if self.end() <= *cursor {
            return Taken::Nothing;
        }
        let limit = if self.depth_of.is_some() { usize::MAX } else { TAKE };
        let slots: Vec<Slot> = match self.ring.lock().read(*cursor, limit) {
            Some(slots) => slots.cloned().collect(),
            None => return Taken::Lost,
        };
        let Some(last) = slots.last() else {
            return Taken::Nothing;
        };
        let seq = last.seq;
        let from = *cursor;
        *cursor += slots.len() as u64;
        let texts = match &self.depth_of {
            Some(market) if slots.len() > 1 => {
                let market = Arc::clone(&market.lock());
                vec![self.merge(&market, from, *cursor, &slots)]
            }
            _ => drop_replaced(&slots, named),
        };
        Taken::Messages { texts, seq }
    }

    fn merge(&self, market: &MarketInfo, from: u64, to: u64, slots: &[Slot]) -> Text {
        let mut merged = self.merged.lock();
        if let Some(known) = &*merged
            && (known.from, known.to) == (from, to)
        {
            return known.text.clone();
        }
        let updates = slots.iter().filter_map(|slot| match &slot.conflation {
            Conflation::Merged(update) => Some(update),
            Conflation::Never | Conflation::Replaced(_) => None,
        });
        let text = merge_updates(updates).encode(&self.head, market);
        *merged = Some(Merged { from, to, text: text.clone() });
        text
    }

    fn shard(&self, subscription: u64) -> &Mutex<HashMap<u64, Arc<Notify>>> {
        &self.subscribers[subscription as usize % SHARDS]
    }
}

fn merge_updates<'a>(mut updates: impl Iterator<Item = &'a Arc<DepthUpdate>>) -> DepthUpdate {
    let first = updates.next().expect("a depth channel has depth messages only");
    let mut sum = DepthUpdate::clone(first);
    for update in updates {
        sum.merge(update);
    }
    sum
}

/// The texts without those that a later one makes void.
fn drop_replaced(slots: &[Slot], named: bool) -> Vec<Text> {
    let mut seen = Vec::new();
    let mut texts = Vec::with_capacity(slots.len());
    for slot in slots.iter().rev() {
        if let Conflation::Replaced(key) = slot.conflation {
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
        }
        texts.push(slot.form(named).clone());
    }
    texts.reverse();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::PartitionId;

    fn channel() -> Channel {
        let head = Head { channel: "c".into(), market: None, partition: PartitionId(0) };
        let bounds = RingBounds { messages: 4, bytes: 1 << 20 };
        Channel::new(head, Seq(0), bounds, None)
    }

    fn push(channel: &Channel, seq: u64, conflation: Conflation) -> bool {
        channel.push(Slot::new(Seq(seq), seq.to_string().into(), conflation))
    }

    fn taken(channel: &Channel, cursor: &mut u64) -> Vec<String> {
        match channel.take(cursor, false) {
            Taken::Nothing => Vec::new(),
            Taken::Messages { texts, seq } => {
                let texts: Vec<String> = texts.iter().map(|t| t.to_string()).collect();
                assert_eq!(texts.last(), Some(&seq.to_string()));
                texts
            }
            Taken::Lost => vec!["lost".into()],
        }
    }

    #[test]
    fn a_reader_gets_each_message_once_and_is_told_when_it_lost_some() {
        let channel = channel();
        let (mut quick, mut slow) = (0, 0);
        for seq in 1..=4 {
            push(&channel, seq, Conflation::Never);
            assert_eq!(taken(&channel, &mut quick), [seq.to_string()]);
        }
        assert!(taken(&channel, &mut quick).is_empty());
        push(&channel, 5, Conflation::Never);
        assert_eq!(taken(&channel, &mut quick), ["5"]);
        assert_eq!(taken(&channel, &mut slow), ["lost"]);
    }

    #[test]
    fn of_messages_that_replace_each_other_a_late_reader_gets_the_last() {
        let channel = channel();
        for (seq, key) in [(1, 10), (2, 10), (3, 20), (4, 20)] {
            push(&channel, seq, Conflation::Replaced(key));
        }
        assert_eq!(taken(&channel, &mut 0), ["2", "4"]);
        assert_eq!(taken(&channel, &mut 3), ["4"]);
    }

    #[test]
    fn subscribers_are_woken_until_they_leave_and_news_is_told_once() {
        let channel = channel();
        let bells = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        for (subscription, bell) in (0..).zip(&bells) {
            channel.join(subscription, Arc::clone(bell));
        }
        assert!(push(&channel, 1, Conflation::Never));
        assert!(!push(&channel, 2, Conflation::Never));
        channel.leave(0);
        channel.leave(0);
        assert_eq!(channel.subscribers(), 1);
        channel.wake();
        assert!(push(&channel, 3, Conflation::Never));
        let rung = |bell: &Notify| {
            let waker = std::task::Waker::noop();
            let notified = std::pin::pin!(bell.notified());
            notified.poll(&mut std::task::Context::from_waker(waker)).is_ready()
        };
        assert_eq!([rung(&bells[0]), rung(&bells[1])], [false, true]);
    }
}
