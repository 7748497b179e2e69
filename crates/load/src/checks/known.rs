//! What a user knows of its orders from answers alone. The audit compares it with what the exchange says later.

use std::collections::HashSet;

use chance::Random;

/// Ended orders that are asked for again, of all users; of more, a sample.
const SAMPLE: usize = 4_000;

/// What an order must be when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Its answer said so.
    Filled,
    /// Its cancel was acknowledged, or it was said to be cancelled at once.
    Cancelled,
    /// One of the two: a cancel came too late.
    Ended,
}

/// Orders of all users, as far as answers told of them.
pub(crate) struct Known {
    users: Vec<UserKnown>,
    /// Ended orders: user, order, expectation. A sample without bias.
    pub(crate) ended: Vec<(usize, u64, Expected)>,
    ended_count: u64,
    random: Random,
    /// Orders whose acknowledgement came.
    pub(crate) acknowledged: u64,
    /// User and client order id of orders that were sent and whose answer never came.
    pub(crate) unresolved: Vec<(usize, String)>,
}

#[derive(Default)]
struct UserKnown {
    /// Acknowledged as open, and nothing else heard.
    alive: HashSet<u64>,
    /// Open or ended: the answer to a cancel never came.
    uncertain: HashSet<u64>,
}

impl Known {
    pub(crate) fn new(users: usize, random: Random) -> Self {
        Self {
            users: (0..users).map(|_| UserKnown::default()).collect(),
            ended: Vec::new(),
            ended_count: 0,
            random,
            acknowledged: 0,
            unresolved: Vec::new(),
        }
    }

    /// An order was acknowledged as resting.
    pub(crate) fn rests(&mut self, user: usize, order: u64) {
        self.acknowledged += 1;
        self.users[user].alive.insert(order);
    }

    /// An order was acknowledged, and had ended.
    pub(crate) fn ended_at_once(&mut self, user: usize, order: u64, expected: Expected) {
        self.acknowledged += 1;
        self.sample(user, order, expected);
    }

    /// An order that rested has ended.
    pub(crate) fn ended(&mut self, user: usize, order: u64, expected: Expected) {
        let known = &mut self.users[user];
        let was_alive = known.alive.remove(&order);
        if known.uncertain.remove(&order) || was_alive {
            self.sample(user, order, expected);
        }
    }

    /// The answer to a cancel never came.
    pub(crate) fn may_have_ended(&mut self, user: usize, order: u64) {
        let known = &mut self.users[user];
        if known.alive.remove(&order) {
            known.uncertain.insert(order);
        }
    }

    /// Orders that should be open, unless they were filled since; those of which it is not known.
    pub(crate) fn of_user(&self, user: usize) -> (&HashSet<u64>, &HashSet<u64>) {
        let known = &self.users[user];
        (&known.alive, &known.uncertain)
    }

    /// Every order that is known: its user, and what it must be if its end was acknowledged.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, u64, Option<Expected>)> {
        let alive =
            self.users.iter().enumerate().flat_map(|(user, known)| {
                known.alive.iter().map(move |order| (user, *order, None))
            });
        alive.chain(self.ended.iter().map(|&(user, order, expected)| (user, order, Some(expected))))
    }

    /// Whether nothing that was answered says that the order is not open.
    pub(crate) fn may_be_open(&self, user: usize, order: u64) -> bool {
        let known = &self.users[user];
        known.alive.contains(&order) || known.uncertain.contains(&order)
    }

    fn sample(&mut self, user: usize, order: u64, expected: Expected) {
        self.ended_count += 1;
        if self.ended.len() < SAMPLE {
            self.ended.push((user, order, expected));
        } else {
            let place = self.random.below(self.ended_count) as usize;
            if place < SAMPLE {
                self.ended[place] = (user, order, expected);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chance::Random;

    use super::{Expected, Known};

    #[test]
    fn an_order_is_alive_until_its_end_was_acknowledged_and_uncertain_while_a_cancel_is_unanswered()
    {
        let mut known = Known::new(1, Random::new(1));
        known.rests(0, 7);
        known.rests(0, 8);
        known.may_have_ended(0, 7);
        let (alive, uncertain) = known.of_user(0);
        assert!(alive.contains(&8) && uncertain.contains(&7) && alive.len() == 1);
        known.ended(0, 7, Expected::Ended);
        known.ended(0, 8, Expected::Cancelled);
        // Told twice is ended once.
        known.ended(0, 8, Expected::Cancelled);
        assert_eq!(known.ended, [(0, 7, Expected::Ended), (0, 8, Expected::Cancelled)]);
        assert_eq!(known.acknowledged, 2);
    }
}
