//! What a connection's reader hands to its writer: answers in order, and new or ended subscriptions.
//!
//! Bounded from the reader's side: it takes no further request while there is no room, so a client
//! that does not read its answers is not read either.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use websocket::Text;

use super::subscription::Source;

/// Something to send or to begin with.
pub enum Out<S: Source> {
    /// A text.
    Text(Text),
    /// Texts, then the messages of these subscriptions.
    Subscribed {
        /// The answer, snapshots, and what was missed.
        texts: Vec<Text>,
        /// What goes on after them.
        subscriptions: Vec<S>,
        /// Held until the texts are handed over: bounds the memory of replays.
        permits: Vec<OwnedSemaphorePermit>,
    },
    /// No more of these channels, then the answer.
    Unsubscribed {
        /// The channels.
        names: Vec<S::Name>,
        /// The answer.
        answer: Text,
    },
    /// Is the other end alive?
    Ping,
    /// The answer to a client's ping.
    Pong(Vec<u8>),
    /// Everything before this has been sent: say goodbye.
    Finish,
}

impl<S: Source> Out<S> {
    /// As how many answers of usual length it counts.
    fn weight(&self) -> usize {
        match self {
            Self::Text(text) => weight_of(text),
            Self::Subscribed { texts, .. } => texts.iter().map(weight_of).sum::<usize>().max(1),
            Self::Unsubscribed { .. } | Self::Ping | Self::Pong(_) | Self::Finish => 1,
        }
    }
}

fn weight_of(text: &Text) -> usize {
    1 + text.len() / USUAL_ANSWER
}

/// Bytes of the longest answers to a single order, about.
const USUAL_ANSWER: usize = 1 << 10;

/// The queue.
pub struct Outbox<S: Source> {
    queue: Mutex<Queue<S>>,
    bound: usize,
    room: Notify,
    /// Wakes the writer; also the channels' bell.
    pub bell: Arc<Notify>,
}

struct Queue<S: Source> {
    outs: VecDeque<Out<S>>,
    weight: usize,
}

impl<S: Source> Outbox<S> {
    /// A queue whose reader pauses at `bound` answers.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self {
            queue: Mutex::new(Queue { outs: VecDeque::new(), weight: 0 }),
            bound,
            room: Notify::new(),
            bell: Arc::new(Notify::new()),
        }
    }

    /// Adds something, always: requests already taken may exceed the bound by their number.
    pub fn push(&self, out: Out<S>) {
        let mut queue = self.queue.lock();
        queue.weight += out.weight();
        queue.outs.push_back(out);
        drop(queue);
        self.bell.notify_one();
    }

    /// The next in order.
    pub fn pop(&self) -> Option<Out<S>> {
        let mut queue = self.queue.lock();
        let out = queue.outs.pop_front()?;
        queue.weight -= out.weight();
        if queue.weight < self.bound {
            self.room.notify_one();
        }
        Some(out)
    }

    /// Whether the reader may go on.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.lock().weight < self.bound
    }

    /// Waits until it may.
    pub async fn room(&self) {
        while !self.has_room() {
            self.room.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::subscription::Subscription;

    #[test]
    fn an_answer_counts_by_its_length_whatever_begins_behind_it() {
        let long = || Text::from("x".repeat(10 * USUAL_ANSWER));
        let begun =
            Out::Subscribed { texts: vec![long()], subscriptions: Vec::new(), permits: Vec::new() };
        for out in [Out::Text(long()), begun] {
            let outbox = Outbox::<Subscription>::new(8);
            outbox.push(out);
            assert!(!outbox.has_room());
            outbox.pop();
            assert!(outbox.has_room());
        }
    }
}
