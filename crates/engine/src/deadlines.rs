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

    /// Whether anything is due that is not told.
    #[inline]
    pub(crate) fn are_due(&self, now: Timestamp) -> bool {
        self.next().is_some_and(|at| at <= now)
    }

    /// The first that is due and not told: from now on it is. Definitions change after all else that is due,
    /// since the markets that they are of may be in other partitions.
    #[inline]
    pub(crate) fn tell_due(&mut self, now: Timestamp) -> Option<Component> {
        if !self.are_due(now) {
            return None;
        }
        let mut due = self.queue.iter().take_while(|&&(at, _)| at <= now);
        let acts = |&&(_, component): &&(Timestamp, Component)| {
            !matches!(component, Component::Registry(_))
        };
        let first = due.clone().find(acts).or_else(|| due.next()).copied()?;
        self.queue.remove(&first);
        self.told.insert(first.1);
        Some(first.1)
    }

    /// The component has done what it was told.
    pub(crate) fn heard(&mut self, component: Component) {
        if self.told.remove(&component) {
            self.queue.extend(self.of.get(&component).map(|&at| (at, component)));
        }
    }
}
