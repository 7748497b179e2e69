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
}

impl Effects {
    /// States a fact.
    #[inline]
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Sends a message.
    #[inline]
    pub fn send(&mut self, message: Message) {
        self.messages.push_back(message);
    }
}
