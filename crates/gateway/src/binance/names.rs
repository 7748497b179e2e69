//! Names that clients give and the engine does not keep: of cancels, and of orders after an amendment.
//!
//! *Invariant:* they are bounded in number, the oldest are forgotten first, and all are lost with the gateway.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use parking_lot::Mutex;
use types::{AccountId, MarketId, OrderId};

/// Most names of either kind that are remembered.
const MOST_NAMES: usize = 4_096;

/// What clients call their cancels: remembered until the owner has been told.
#[derive(Default)]
pub(crate) struct CancelNames(Mutex<Newest<(MarketId, OrderId), String>>);

impl CancelNames {
    /// An order is about to be cancelled by a request of this name.
    pub(crate) fn note(&self, market: MarketId, order: OrderId, name: &str) {
        self.0.lock().note((market, order), name.to_owned());
    }

    /// It was not.
    pub(crate) fn forget(&self, market: MarketId, order: OrderId) {
        self.0.lock().forget(&(market, order));
    }

    /// The name of the request that cancelled an order.
    pub(crate) fn of(&self, market: MarketId, order: OrderId) -> Option<String> {
        self.0.lock().known.get(&(market, order)).cloned()
    }
}

/// What clients call their orders since they amended them. The engine knows an order by its first name; by this
/// one it is found too.
#[derive(Default)]
pub(crate) struct AmendedNames(Mutex<Newest<(AccountId, MarketId, String), OrderId>>);

impl AmendedNames {
    /// An account has amended an order and called it so.
    pub(crate) fn note(&self, account: AccountId, market: MarketId, name: String, order: OrderId) {
        self.0.lock().note((account, market, name), order);
    }

    /// The order that an account called so last.
    pub(crate) fn of(&self, account: AccountId, market: MarketId, name: &str) -> Option<OrderId> {
        self.0.lock().known.get(&(account, market, name.to_owned())).copied()
    }
}

/// The newest [`MOST_NAMES`] of what was noted.
struct Newest<K, V> {
    known: HashMap<K, V>,
    oldest_first: VecDeque<K>,
}

impl<K, V> Default for Newest<K, V> {
    fn default() -> Self {
        Self { known: HashMap::new(), oldest_first: VecDeque::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Newest<K, V> {
    fn note(&mut self, key: K, value: V) {
        if self.known.insert(key.clone(), value).is_none() {
            self.oldest_first.push_back(key);
        }
        if self.oldest_first.len() > MOST_NAMES
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn forget(&mut self, key: &K) {
        if self.known.remove(key).is_some() {
            self.oldest_first.retain(|known| known != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_names_are_forgotten() {
        let (names, market) = (CancelNames::default(), MarketId(1));
        let most = MOST_NAMES as u64;
        for order in 1..=most {
            names.note(market, OrderId(order), "x");
        }
        names.note(market, OrderId(1), "again");
        names.forget(market, OrderId(2));
        names.note(market, OrderId(most + 1), "y");
        assert_eq!(names.of(market, OrderId(1)).as_deref(), Some("again"));
        names.note(market, OrderId(most + 2), "z");
        assert_eq!([1, 2].map(|order| names.of(market, OrderId(order))), [None, None]);
        assert_eq!(names.of(market, OrderId(3)).as_deref(), Some("x"));
        assert_eq!(names.of(market, OrderId(most + 2)).as_deref(), Some("z"));
    }
}
