//! Commands that wait for their answer: a bounded table of one-shot channels, addressed by token.
//!
//! Invariants: a slot's generation rises each time it is taken, so that an answer that comes after its
//! request gave up finds nothing; a slot is free again when its answer came or its request gave up.
//! A token is generation (32 bits), position (24) and shard (8): no hashing. This does not know what
//! is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use node::{Reply, ReplySink};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::outcome::Outcome;

/// Few enough to be small, many enough that threads seldom meet.
const SHARDS: usize = 16;

/// The table.
pub(crate) struct Pending {
    shards: [Mutex<Shard>; SHARDS],
    next: AtomicUsize,
    /// Slots of each shard that anything may take.
    capacity: usize,
    /// Slots of each shard besides, for cancels.
    reserve: usize,
}

#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    waiter: Option<oneshot::Sender<Outcome>>,
}

/// A place in the table, given back when dropped.
pub(crate) struct Waiting {
    pending: Arc<Pending>,
    token: u64,
    answer: oneshot::Receiver<Outcome>,
}

impl Pending {
    /// A table for `capacity` commands, and an eighth as many cancels besides.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.div_ceil(SHARDS).max(1);
        Self {
            shards: Default::default(),
            next: AtomicUsize::new(0),
            capacity,
            reserve: capacity.div_ceil(8),
        }
    }

    /// Takes a place, or nothing if the table is full.
    pub(crate) fn wait(self: &Arc<Self>, is_cancel: bool) -> Option<Waiting> {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let bound = self.capacity + if is_cancel { self.reserve } else { 0 };
        let (sender, answer) = oneshot::channel();
        let (position, generation) = self.shards[shard].lock().take_slot(sender, bound)?;
        Some(Waiting {
            pending: Arc::clone(self),
            token: u64::from(generation) << 32 | u64::from(position) << 8 | shard as u64,
            answer,
        })
    }

    /// How many commands wait.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().used()).sum()
    }

    /// Frees the slot of `token` and gives its waiter, if it still waits.
    fn remove(&self, token: u64) -> Option<oneshot::Sender<Outcome>> {
        let shard = self.shards.get(token as usize & 0xff)?;
        shard.lock().give_back((token >> 8) as u32 & 0x00ff_ffff, (token >> 32) as u32)
    }
}

impl Shard {
    fn used(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn take_slot(&mut self, waiter: oneshot::Sender<Outcome>, bound: usize) -> Option<(u32, u32)> {
        if self.used() >= bound {
            return None;
        }
        let position = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[position as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.waiter = Some(waiter);
        Some((position, slot.generation))
    }

    fn give_back(&mut self, position: u32, generation: u32) -> Option<oneshot::Sender<Outcome>> {
        let slot = self.slots.get_mut(position as usize)?;
        if slot.generation != generation {
            return None;
        }
        let waiter = slot.waiter.take()?;
        self.free.push(position);
        Some(waiter)
    }
}

impl ReplySink for Pending {
    fn deliver(&self, reply: Reply<'_>) {
        let Some(waiter) = self.remove(reply.to.token) else {
            return;
        };
        if let Some(outcome) = Outcome::of(&reply) {
            // The request may give up at this very moment; then nobody cares.
            let _ = waiter.send(outcome);
        }
    }
}

impl Waiting {
    /// The token that the answer must carry.
    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// The answer, or nothing if the session ended without one.
    pub(crate) async fn answer(&mut self) -> Option<Outcome> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.pending.remove(self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{Event, MarketId, MarketState, PartitionId, ReplyTo, Seq, Timestamp};

    fn deliver(pending: &Pending, token: u64, seq: u64) {
        let to = ReplyTo::new(1, token);
        pending.deliver(Reply {
            to,
            partition: PartitionId(0),
            seq: Seq(seq),
            time: Timestamp(0),
            batch: node::BatchTimes::now(),
            before: &[],
            events: &[Event::MarketStateChanged {
                reply: to,
                market: MarketId(1),
                state: MarketState::Halted,
            }],
        });
    }

    #[tokio::test]
    async fn an_answer_reaches_the_request_that_holds_its_token() {
        let pending = Arc::new(Pending::new(64));
        let mut first = pending.wait(false).unwrap();
        let mut second = pending.wait(false).unwrap();
        deliver(&pending, second.token(), 2);
        deliver(&pending, first.token(), 1);
        assert_eq!(first.answer().await.unwrap().seq, Seq(1));
        assert_eq!(second.answer().await.unwrap().seq, Seq(2));
        assert_eq!(pending.len(), 0);
    }

    #[tokio::test]
    async fn an_answer_for_a_request_that_gave_up_never_reaches_another() {
        let pending = Arc::new(Pending::new(1));
        let late: Vec<u64> = (0..SHARDS).map(|_| pending.wait(false).unwrap().token()).collect();
        let mut others: Vec<Waiting> = (0..SHARDS).map(|_| pending.wait(false).unwrap()).collect();
        for token in late {
            deliver(&pending, token, 1);
        }
        for other in &mut others {
            deliver(&pending, other.token(), 2);
            assert_eq!(other.answer().await.unwrap().seq, Seq(2));
        }
    }

    #[test]
    fn a_full_table_refuses_all_but_cancels() {
        let pending = Arc::new(Pending::new(SHARDS));
        let held: Vec<_> = (0..SHARDS).map(|_| pending.wait(false).unwrap()).collect();
        assert!(pending.wait(false).is_none());
        let cancel = pending.wait(true);
        assert!(cancel.is_some());
        drop((held, cancel));
        assert_eq!(pending.len(), 0);
        assert!(pending.wait(false).is_some());
    }

    #[test]
    fn tokens_that_were_never_given_are_ignored() {
        let pending = Arc::new(Pending::new(1));
        for token in [0, u64::MAX, 0xff, 1 << 32] {
            deliver(&pending, token, 1);
        }
        assert_eq!(pending.len(), 0);
    }
}
