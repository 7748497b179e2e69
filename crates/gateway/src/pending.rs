//! Commands that wait for their answers: a bounded table of one-shot channels, addressed by token. Commands of one
//! message share a place and wake who asked once, when the last of them is answered.
//!
//! Invariants: a slot's generation rises each time it is taken, so that an answer that comes after its
//! request gave up finds nothing; a slot is free again when its answers came or its request gave up.
//! A token is generation (32 bits), number within the slot (8), position (20) and shard (4): no hashing.
//! This does not know what is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use node::{Reply, ReplySink};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::outcome::Outcome;

/// Few enough to be small, many enough that threads seldom meet.
const SHARDS: usize = 16;
const SHARD_BITS: u32 = 4;
const POSITION_BITS: u32 = 20;
const NUMBER_BITS: u32 = 8;
const _: () = assert!(SHARDS == 1 << SHARD_BITS);

/// Commands that may share a place.
pub(crate) const MOST_TOGETHER: usize = 1 << NUMBER_BITS;

/// In the order of the commands; none for those that were not answered.
pub(crate) type Answers = Vec<Option<Outcome>>;

/// The table.
pub(crate) struct Pending {
    shards: [Mutex<Shard>; SHARDS],
    next: AtomicUsize,
    /// Commands of each shard at which nothing more is taken.
    capacity: usize,
    /// Those that cancels may have besides.
    reserve: usize,
}

#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Commands that wait.
    waiting: usize,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    gathering: Option<Gathering>,
}

/// The answers of a slot so far.
struct Gathering {
    answers: Answers,
    missing: usize,
    asker: oneshot::Sender<Answers>,
}

/// A place in the table, given back when dropped.
pub(crate) struct Waiting {
    pending: Arc<Pending>,
    token: Token,
    answers: oneshot::Receiver<Answers>,
}

#[derive(Clone, Copy)]
struct Token {
    generation: u32,
    number: u32,
    position: u32,
    shard: u32,
}

impl Token {
    fn to_bits(self) -> u64 {
        let low = (self.number << POSITION_BITS | self.position) << SHARD_BITS | self.shard;
        u64::from(self.generation) << 32 | u64::from(low)
    }

    fn of_bits(bits: u64) -> Self {
        let low = bits as u32;
        Self {
            generation: (bits >> 32) as u32,
            number: low >> (POSITION_BITS + SHARD_BITS),
            position: low >> SHARD_BITS & ((1 << POSITION_BITS) - 1),
            shard: low & ((1 << SHARD_BITS) - 1),
        }
    }
}

impl Pending {
    /// A table for about `capacity` commands, and an eighth as many cancels besides.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.div_ceil(SHARDS).clamp(1, 1 << (POSITION_BITS - 1));
        Self {
            shards: Default::default(),
            next: AtomicUsize::new(0),
            capacity,
            reserve: capacity.div_ceil(8),
        }
    }

    /// Takes a place for `count` commands, or nothing if the table is full. They go in as a whole: the table may
    /// have as many too many.
    ///
    /// # Panics
    /// If `count` is zero or above [`MOST_TOGETHER`]: a mistake of this crate.
    pub(crate) fn wait(self: &Arc<Self>, count: usize, are_cancels: bool) -> Option<Waiting> {
        assert!((1..=MOST_TOGETHER).contains(&count), "{count} commands in a place");
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let bound = self.capacity + if are_cancels { self.reserve } else { 0 };
        let (asker, answers) = oneshot::channel();
        let (position, generation) = self.shards[shard].lock().take_slot(count, asker, bound)?;
        let token = Token { generation, number: 0, position, shard: shard as u32 };
        Some(Waiting { pending: Arc::clone(self), token, answers })
    }

    /// How many commands wait.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().waiting).sum()
    }

    /// Takes an answer, or that none will come, and wakes who asked if it was the last.
    fn settle(&self, token: Token, outcome: Option<Outcome>) {
        let settled = self.shards[token.shard as usize].lock().settle(token, outcome);
        if let Some(Gathering { answers, asker, .. }) = settled {
            // The request may give up at this very moment; then nobody cares.
            let _ = asker.send(answers);
        }
    }

    /// Frees the slot of `token` and gives what it has, if it is still waited for.
    fn remove(&self, token: Token) -> Option<Gathering> {
        self.shards[token.shard as usize].lock().give_back(token)
    }
}

impl Shard {
    fn take_slot(
        &mut self,
        count: usize,
        asker: oneshot::Sender<Answers>,
        bound: usize,
    ) -> Option<(u32, u32)> {
        if self.waiting >= bound {
            return None;
        }
        self.waiting += count;
        let position = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[position as usize];
        slot.generation = slot.generation.wrapping_add(1);
        let answers = std::iter::repeat_with(|| None).take(count).collect();
        slot.gathering = Some(Gathering { answers, missing: count, asker });
        Some((position, slot.generation))
    }

    fn gathering(&mut self, token: Token) -> Option<&mut Option<Gathering>> {
        let slot = self.slots.get_mut(token.position as usize)?;
        (slot.generation == token.generation).then_some(&mut slot.gathering)
    }

    /// Gives all that was gathered if nothing is missing any more.
    fn settle(&mut self, token: Token, outcome: Option<Outcome>) -> Option<Gathering> {
        let gathering = self.gathering(token)?.as_mut()?;
        let answer = gathering.answers.get_mut(token.number as usize)?;
        if answer.is_some() {
            return None;
        }
        *answer = outcome;
        gathering.missing -= 1;
        if gathering.missing == 0 { self.give_back(token) } else { None }
    }

    fn give_back(&mut self, token: Token) -> Option<Gathering> {
        let gathering = self.gathering(token)?.take()?;
        self.waiting -= gathering.answers.len();
        self.free.push(token.position);
        Some(gathering)
    }
}

impl ReplySink for Pending {
    fn deliver(&self, reply: Reply<'_>) {
        // Without an event there is no answer; that would be a fault of the node.
        if let Some(outcome) = Outcome::of(&reply) {
            self.settle(Token::of_bits(reply.to.token), Some(outcome));
        }
    }
}

impl Waiting {
    /// The token that the answer to the command `number` must carry.
    pub(crate) fn token(&self, number: usize) -> u64 {
        Token { number: number as u32, ..self.token }.to_bits()
    }

    /// The command `number` was not taken: it will have no answer. Once for each such command.
    pub(crate) fn not_taken(&self, number: usize) {
        self.pending.settle(Token { number: number as u32, ..self.token }, None);
    }

    /// The answers, when all are there or `patience` is at its end.
    pub(crate) async fn answers(mut self, patience: Duration) -> Answers {
        if let Ok(Ok(answers)) = timeout(patience, &mut self.answers).await {
            return answers;
        }
        match self.pending.remove(self.token) {
            Some(gathering) => gathering.answers,
            // The last one has come since: whoever took it is about to send them all.
            None => (&mut self.answers).await.unwrap_or_default(),
        }
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

    const PATIENCE: Duration = Duration::from_secs(60);

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

    async fn seqs(waiting: Waiting, patience: Duration) -> Vec<Option<u64>> {
        let answers = waiting.answers(patience).await;
        answers.into_iter().map(|answer| answer.map(|outcome| outcome.seq.0)).collect()
    }

    #[tokio::test]
    async fn an_answer_reaches_the_request_that_holds_its_token() {
        let pending = Arc::new(Pending::new(64));
        let first = pending.wait(1, false).unwrap();
        let second = pending.wait(1, false).unwrap();
        deliver(&pending, second.token(0), 2);
        deliver(&pending, first.token(0), 1);
        assert_eq!(seqs(first, PATIENCE).await, [Some(1)]);
        assert_eq!(seqs(second, PATIENCE).await, [Some(2)]);
        assert_eq!(pending.len(), 0);
    }

    #[tokio::test]
    async fn an_answer_for_a_request_that_gave_up_never_reaches_another() {
        let pending = Arc::new(Pending::new(1));
        let late: Vec<u64> =
            (0..SHARDS).map(|_| pending.wait(1, false).unwrap().token(0)).collect();
        let others: Vec<Waiting> = (0..SHARDS).map(|_| pending.wait(1, false).unwrap()).collect();
        for token in late {
            deliver(&pending, token, 1);
        }
        for other in others {
            deliver(&pending, other.token(0), 2);
            assert_eq!(seqs(other, PATIENCE).await, [Some(2)]);
        }
    }

    #[tokio::test]
    async fn commands_of_one_message_are_answered_together_each_in_its_place() {
        let pending = Arc::new(Pending::new(SHARDS * MOST_TOGETHER));
        let waiting = pending.wait(MOST_TOGETHER, false).unwrap();
        assert_eq!(pending.len(), MOST_TOGETHER);
        waiting.not_taken(7);
        for number in (0..MOST_TOGETHER).rev().filter(|number| *number != 7) {
            deliver(&pending, waiting.token(number), number as u64);
            // Once is enough.
            deliver(&pending, waiting.token(number), 999);
        }
        assert_eq!(pending.len(), 0);
        let expected: Vec<_> =
            (0..MOST_TOGETHER as u64).map(|number| (number != 7).then_some(number)).collect();
        assert_eq!(seqs(waiting, PATIENCE).await, expected);
    }

    #[tokio::test]
    async fn who_waits_no_longer_gets_the_answers_that_came() {
        let pending = Arc::new(Pending::new(64));
        let waiting = pending.wait(3, false).unwrap();
        let late = waiting.token(0);
        deliver(&pending, waiting.token(1), 5);
        assert_eq!(seqs(waiting, Duration::ZERO).await, [None, Some(5), None]);
        assert_eq!(pending.len(), 0);
        deliver(&pending, late, 6);
    }

    #[test]
    fn a_full_table_refuses_all_but_cancels() {
        let pending = Arc::new(Pending::new(SHARDS));
        let held: Vec<_> = (0..SHARDS).map(|_| pending.wait(1, false).unwrap()).collect();
        assert!(pending.wait(1, false).is_none());
        let cancel = pending.wait(1, true);
        assert!(cancel.is_some());
        drop((held, cancel));
        assert_eq!(pending.len(), 0);
        assert!(pending.wait(1, false).is_some());
    }

    #[test]
    fn tokens_that_were_never_given_are_ignored() {
        let pending = Arc::new(Pending::new(1));
        for token in [0, u64::MAX, 0xff, 1 << 32] {
            deliver(&pending, token, 1);
        }
        let waiting = pending.wait(1, false).unwrap();
        deliver(&pending, waiting.token(1), 1);
        assert_eq!(pending.len(), 1);
    }
}
