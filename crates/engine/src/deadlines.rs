//! When the timers of which component are due. Derived from markets, ledger slots and the messages that
//! are left, so that a restored partition has the same.

use std::collections::{BTreeMap, BTreeSet};

use types::{Component, Message, Timestamp};

/// The next deadline of each component that has one.
#[derive(Default)]
pub(crate) struct Deadlines {
    of: BTreeMap<Component, Timestamp>,
    /// Those that are not told yet, first due first.
    queue: BTreeSet<(Timestamp, Component)>,
    /// Those with a [`Message::FireTimers`] under way.
    told: BTreeSet<Component>,
}

impl Deadlines {
    /// Nothing but what `messages` tell.
    pub(crate) fn restore<'a>(messages: impl Iterator<Item = &'a Message>) -> Self {
        let told = messages.filter_map(|message| match message {
            Message::FireTimers { component } => Some(*component),
            _ => None,
        });
        Self { told: told.collect(), ..Self::default() }
    }

    /// The first of those that are not told yet.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|&(at, _)| at)
    }

    /// Notes the next deadline of a component.
    #[inline]
    pub(crate) fn set(&mut self, component: Component, next: Option<Timestamp>) {
        if next.is_some() || !self.of.is_empty() {
            self.change(component, next);
        }
    }

    fn change(&mut self, component: Component, next: Option<Timestamp>) {
        let known = match next {
            Some(at) => self.of.insert(component, at),
            None => self.of.remove(&component),
        };
        if known == next || self.told.contains(&component) {
            return;
        }
        if let Some(at) = known {
            self.queue.remove(&(at, component));
        }
        self.queue.extend(next.map(|at| (at, component)));
    }

    /// The first that is due and not told: from now on it is.
    #[inline]
    pub(crate) fn tell_due(&mut self, now: Timestamp) -> Option<Component> {
        let &(at, component) = self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.told.insert(component);
        Some(component)
    }

    /// The component has done what it was told.
    pub(crate) fn heard(&mut self, component: Component) {
        if self.told.remove(&component) {
            self.queue.extend(self.of.get(&component).map(|&at| (at, component)));
        }
    }
}
