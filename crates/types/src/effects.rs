//! What a component's step gives out. Nothing of it is delivered before the step returns.

use std::collections::VecDeque;

use crate::{Event, Message};

/// Events and messages of one step, in order. The buffers are reused from step to step.
#[derive(Debug, Default)]
pub struct Effects {
    /// Facts for the event log.
    pub events: Vec<Event>,
    /// Messages for other components. A queue, because the partition works it off from the front
    /// while steps add to its end.
    pub messages: VecDeque<Message>,
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
        self.events.push(event);
    }

    /// As [`Effects::emit`], for what every order causes. There is room before the event is made, so that
    /// it is written where it stays; what `emit` is given may have to be dropped if there is none, and is
    /// therefore made elsewhere and copied.
    #[inline]
    pub fn emit_with(&mut self, event: impl FnOnce() -> Event) {
        let events = &mut self.events;
        events.reserve(1);
        assert!(events.len() < events.capacity(), "reserved");
        events.push(event());
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

    /// As [`Effects::send`], for what every order causes: see [`Effects::emit_with`].
    #[inline]
    pub fn send_with(&mut self, message: impl FnOnce() -> Message) {
        let messages = &mut self.messages;
        messages.reserve(1);
        assert!(messages.len() < messages.capacity(), "reserved");
        messages.push_back(message());
        #[cfg(feature = "fault-injection")]
        self.look(crate::Done::Sends(self.messages.back().expect("just sent")));
    }

    /// Lets a bug made on purpose look at what is done.
    #[cfg(feature = "fault-injection")]
    pub fn look(&self, done: crate::Done<'_>) {
        if let Some(bug) = &self.bug {
            (bug.0)(done);
        }
    }
}
