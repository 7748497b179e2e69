//! What a component's step gives out. Nothing of it is delivered before the step returns.

use std::collections::VecDeque;
use std::io;
use std::ops::Deref;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{Event, Message};

/// Events and messages of one step, in order. The buffers are reused from step to step.
#[derive(Debug, Default)]
pub struct Effects {
    /// Facts for the event log.
    pub events: Events,
    /// Messages for other components. A queue, because the partition works it off from the front
    /// while steps add to its end.
    pub messages: Messages,
    /// A bug made on purpose.
    #[cfg(feature = "fault-injection")]
    pub bug: Option<crate::Bug>,
}

impl Effects {
    /// States a fact.
    #[inline]
    pub fn emit(&mut self, event: Event) {
        #[cfg(feature = "fault-injection")]
        self.look(crate::Done::Emits(&event));
        self.events.may_own = true;
        self.events.list.push(event);
    }

    /// As [`Effects::emit`], for what every order causes and what owns no memory. There is room before
    /// the event is made, so that it is written where it stays; what `emit` is given may have to be
    /// dropped if there is none, and is therefore made elsewhere and copied. That there is room is asked as
    /// the assertion asks it, so that it is asked once.
    #[inline]
    pub fn emit_plain(&mut self, event: impl FnOnce() -> Event) {
        let events = &mut self.events.list;
        if events.len() >= events.capacity() {
            events.reserve(1);
        }
        assert!(events.len() < events.capacity(), "reserved");
        events.push(event());
        debug_assert!(events.last().expect("just stated").is_plain(), "it may own memory");
        #[cfg(feature = "fault-injection")]
        self.look(crate::Done::Emits(self.events.last().expect("just stated")));
    }

    /// Sends a message.
    #[inline]
    pub fn send(&mut self, message: Message) {
        #[cfg(feature = "fault-injection")]
        self.look(crate::Done::Sends(&message));
        self.messages.push_back(message);
    }

    /// As [`Effects::send`], for what every order causes and what owns no memory: see
    /// [`Effects::emit_plain`].
    #[inline]
    pub fn send_plain(&mut self, message: impl FnOnce() -> Message) {
        let messages = &mut self.messages.queue;
        messages.reserve(1);
        assert!(messages.len() < messages.capacity(), "reserved");
        messages.push_back(message());
        debug_assert!(is_plain_message(messages.back().expect("just sent")), "it may own memory");
        #[cfg(feature = "fault-injection")]
        self.look(crate::Done::Sends(self.messages.queue.back().expect("just sent")));
    }

    /// Forgets all, and keeps the buffers.
    #[inline]
    pub fn clear(&mut self) {
        self.events.clear();
        self.messages.clear();
    }

    /// Lets a bug made on purpose look at what is done.
    #[cfg(feature = "fault-injection")]
    pub fn look(&self, done: crate::Done<'_>) {
        if let Some(bug) = &self.bug {
            (bug.0)(done);
        }
    }
}

/// Events in order. To be read as a slice.
#[derive(Debug, Default)]
pub struct Events {
    list: Vec<Event>,
    /// Whether any of them may own memory. Few do, and to ask each of them when the list is emptied
    /// costs more than to make it.
    may_own: bool,
}

impl Events {
    /// Gives all events for those of `other`.
    pub fn swap(&mut self, other: &mut Vec<Event>) {
        std::mem::swap(&mut self.list, other);
        self.may_own = true;
    }

    /// Removes all, and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        if self.may_own {
            self.list.clear();
            self.may_own = false;
        } else {
            // A drain takes the list's length away before it looks at what was in it, and here nobody does. Since std
            // promises only that this is sound, that is asserted, which costs no instruction.
            std::mem::forget(self.list.drain(..));
            assert!(self.list.is_empty(), "std leaves the list empty before a drain");
        }
    }
}

impl PartialEq for Events {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Deref for Events {
    type Target = [Event];

    #[inline]
    fn deref(&self) -> &[Event] {
        &self.list
    }
}

/// Messages on their way, first in, first out.
#[derive(Debug, Default, Clone)]
pub struct Messages {
    queue: VecDeque<Message>,
    /// As that of [`Events`].
    may_own: bool,
}

impl Messages {
    /// Adds one behind all others.
    #[inline]
    pub fn push_back(&mut self, message: Message) {
        self.may_own = true;
        self.queue.push_back(message);
    }

    /// Adds one in front of all others.
    pub fn push_front(&mut self, message: Message) {
        self.may_own = true;
        self.queue.push_front(message);
    }

    /// Takes the first.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Message> {
        self.queue.pop_front()
    }

    /// Whether there is none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// All of them, the first first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Message> + ExactSizeIterator {
        self.queue.iter()
    }

    /// Removes all, and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        if self.may_own {
            self.queue.clear();
            self.may_own = false;
        } else {
            // As for events.
            std::mem::forget(self.queue.drain(..));
            assert!(self.queue.is_empty(), "std leaves the queue empty before a drain");
        }
    }
}

impl PartialEq for Messages {
    fn eq(&self, other: &Self) -> bool {
        self.queue == other.queue
    }
}

impl From<VecDeque<Message>> for Messages {
    fn from(queue: VecDeque<Message>) -> Self {
        Self { queue, may_own: true }
    }
}

impl BorshSerialize for Messages {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.queue.serialize(writer)
    }
}

impl BorshDeserialize for Messages {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        VecDeque::deserialize_reader(reader).map(Self::from)
    }
}

/// Whether this is one of the messages that own nothing, and of which there are many.
fn is_plain_message(message: &Message) -> bool {
    matches!(message, Message::Rested { .. } | Message::Filled { .. } | Message::Closed { .. })
}

#[cfg(test)]
mod tests {
    use crate::{AccountId, Amount, Component, HoldId, MarketId, OrderId, Quantity};

    use super::*;

    fn plain(fx: &mut Effects) {
        let market = MarketId(1);
        let (account, order, quantity) = (AccountId(7), OrderId(3), Quantity::ZERO);
        fx.emit_plain(|| Event::OrderCancelled {
            reply: crate::ReplyTo::NOBODY,
            market,
            order,
            account,
            remaining: quantity,
            cause: crate::CancelCause::Client,
        });
        fx.send_plain(|| Message::Closed {
            account,
            hold: HoldId(1),
            order,
            release: Amount::ZERO,
        });
    }

    fn owning(fx: &mut Effects) {
        let component = Component::Treasury;
        fx.emit(Event::Quarantined { component, reason: "a text".into() });
        let change = Box::new(crate::MarketChange::Delist);
        fx.send(Message::ChangeMarket { market: MarketId(1), change });
    }

    #[test]
    fn cleared_effects_are_empty_and_take_what_comes_next() {
        let mut fx = Effects::default();
        for round in 0..4 {
            plain(&mut fx);
            if round % 2 == 1 {
                owning(&mut fx);
            }
            let count = 1 + round % 2;
            assert_eq!((fx.events.len(), fx.messages.iter().len()), (count, count));
            assert!(matches!(fx.events[0], Event::OrderCancelled { .. }));
            assert!(matches!(fx.messages.iter().next(), Some(Message::Closed { .. })));
            fx.clear();
            assert!(fx.events.is_empty() && fx.messages.is_empty());
        }
    }

    #[test]
    fn a_queue_is_taken_from_its_front_and_survives_its_bytes() {
        let mut fx = Effects::default();
        plain(&mut fx);
        owning(&mut fx);
        fx.messages.push_front(Message::Resume { market: MarketId(9) });
        let bytes = borsh::to_vec(&fx.messages).unwrap();
        let mut read: Messages = borsh::from_slice(&bytes).unwrap();
        assert!(read.iter().eq(fx.messages.iter()));
        assert_eq!(read.pop_front(), Some(Message::Resume { market: MarketId(9) }));
        assert!(matches!(read.pop_front(), Some(Message::Closed { .. })));
        assert!(matches!(read.pop_front(), Some(Message::ChangeMarket { .. })));
        assert_eq!(read.pop_front(), None);
    }
}
