//! What addresses hold open: none may hold so much of it that nothing is left for the others.
//!
//! *Invariant:* memory is in proportion to what is open, which has a bound of its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Level, Refusal, SECOND};

/// How many places each address holds of those that there are.
pub(crate) struct Held {
    most: usize,
    level: Level,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that an address holds until this is dropped.
pub(crate) struct Place {
    held: Arc<Held>,
    address: IpAddr,
}

impl Held {
    /// An address may hold `percent` of `all` places, but always one; `level` is exceeded beyond.
    pub(crate) fn new(all: usize, percent: u32, level: Level) -> Arc<Self> {
        let most = (all.saturating_mul(percent as usize) / 100).max(1);
        Arc::new(Self { most, level, by_address: Mutex::default() })
    }

    /// What is exceeded beyond the share of an address.
    pub(crate) fn refusal(&self) -> Refusal {
        let limit = u32::try_from(self.most).unwrap_or(u32::MAX);
        // Nobody knows when one of them is given back.
        Refusal { level: self.level, wait: SECOND, limit }
    }

    /// One more place for an address.
    ///
    /// # Errors
    /// The level that was named.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Refusal> {
        let mut by_address = self.by_address.lock();
        let held = by_address.entry(address).or_default();
        if *held >= self.most {
            return Err(self.refusal());
        }
        *held += 1;
        Ok(Place { held: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.held.by_address.lock();
        if let Some(held) = by_address.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_its_share_and_gets_places_back() {
        let held = Held::new(50, 10, Level::HeldConnections);
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut places: Vec<_> = (0..5).map(|_| held.take(one).unwrap()).collect();
        let refusal = held.take(one).err().unwrap();
        assert_eq!((refusal.level, refusal.limit), (Level::HeldConnections, 5));
        assert!(held.take(other).is_ok());
        places.pop();
        places.push(held.take(one).unwrap());
        assert!(held.take(one).is_err());
        drop(places);
        assert!(held.by_address.lock().is_empty(), "nothing is remembered of who holds nothing");
    }

    #[test]
    fn an_address_may_hold_one_however_few_there_are() {
        let held = Held::new(1, 10, Level::HeldSockets);
        let place = held.take([10, 0, 0, 1].into());
        assert!(place.is_ok() && held.take([10, 0, 0, 1].into()).is_err());
    }
}
