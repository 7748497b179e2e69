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

/// The queue.
pub struct Outbox<S: Source> {
    queue: Mutex<VecDeque<Out<S>>>,
    bound: usize,
    room: Notify,
    /// Wakes the writer; also the channels' bell.
    pub bell: Arc<Notify>,
}

impl<S: Source> Outbox<S> {
    /// A queue whose reader pauses at `bound`.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self {
            queue: Mutex::new(VecDeque::new()),
            bound,
            room: Notify::new(),
            bell: Arc::new(Notify::new()),
        }
    }

    /// Adds something, always: requests already taken may exceed the bound by their number.
    pub fn push(&self, out: Out<S>) {
        self.queue.lock().push_back(out);
        self.bell.notify_one();
    }

    /// The next in order.
    pub fn pop(&self) -> Option<Out<S>> {
        let mut queue = self.queue.lock();
        let out = queue.pop_front();
        if queue.len() < self.bound {
            self.room.notify_one();
        }
        out
    }

    /// Whether the reader may go on.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.lock().len() < self.bound
    }

    /// Waits until it may.
    pub async fn room(&self) {
        while !self.has_room() {
            self.room.notified().await;
        }
    }
}
