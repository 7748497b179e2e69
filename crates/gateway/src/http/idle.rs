//! Connections that have no request under way, and which of them gives way when all places are taken.
//!
//! A connection has a request under way from the end of the request's head until its answer is handed over, or the
//! WebSocket that came of it ends. Until the first one and between two it is *idle*: it waits for a head that
//! may never come. Whoever holds most idle connections loses the one that has been idle for longest.
//!
//! *Invariants:* a connection with a request under way is never told to end, and one that is told to end begins
//! none any more; an address loses nothing for one that holds more idle connections than it. What is done per
//! request and per connection grows with the logarithm of their number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// When a connection became idle: before all those with a higher number.
type Since = u64;

/// The idle connections.
#[derive(Default)]
pub(super) struct Idle {
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    next: Since,
    /// How each is told to end.
    by_address: HashMap<IpAddr, BTreeMap<Since, CancellationToken>>,
    /// Every address with how many it has and since when the oldest: the last one loses its oldest first.
    ranks: BTreeSet<(usize, Reverse<Since>, IpAddr)>,
}

/// A connection as long as it is open.
pub(super) struct Guest(Arc<Connection>);

/// What notes the requests of a connection.
#[derive(Clone)]
pub(super) struct Requests(Arc<Connection>);

struct Connection {
    idle: Arc<Idle>,
    address: IpAddr,
    /// Tells it to end.
    end: CancellationToken,
    state: Mutex<State>,
}

enum State {
    Idle(Since),
    /// So many requests are under way.
    Busy(usize),
    /// It has ended, or was told to.
    Ended,
}

/// A request under way, until this and all its clones are dropped: an extension of every request that came over
/// a connection.
#[derive(Clone)]
pub(crate) struct UnderWay {
    _request: Arc<OneRequest>,
}

struct OneRequest(Arc<Connection>);

impl Idle {
    /// A connection that was accepted from `address`.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Guest {
        let end = CancellationToken::new();
        let since = self.index.lock().insert(address, end.clone());
        let state = Mutex::new(State::Idle(since));
        Guest(Arc::new(Connection { idle: Arc::clone(self), address, end, state }))
    }

    /// Tells an idle connection to end in favour of one from `newcomer`; false if there is none.
    pub(super) fn evict(&self, newcomer: IpAddr) -> bool {
        let mut index = self.index.lock();
        let Some(&(most, _, holder)) = index.ranks.last() else { return false };
        let own = index.by_address.get(&newcomer).map_or(0, BTreeMap::len);
        // With one more nobody would hold more than the newcomer.
        let loser = if own == most { newcomer } else { holder };
        let oldest = index.by_address.get(&loser).and_then(BTreeMap::first_key_value);
        let Some((&since, _)) = oldest else { return false };
        let end = index.remove(loser, since);
        end.inspect(CancellationToken::cancel).is_some()
    }
}

impl Index {
    fn insert(&mut self, address: IpAddr, end: CancellationToken) -> Since {
        let since = self.next;
        self.next += 1;
        self.change(address, |connections| connections.insert(since, end));
        since
    }

    /// None if it is not there any more.
    fn remove(&mut self, address: IpAddr, since: Since) -> Option<CancellationToken> {
        self.change(address, |connections| connections.remove(&since))
    }

    /// Keeps the rank of an address true.
    fn change<R>(
        &mut self,
        address: IpAddr,
        act: impl FnOnce(&mut BTreeMap<Since, CancellationToken>) -> R,
    ) -> R {
        let rank = |connections: &BTreeMap<Since, _>| {
            let (&oldest, _) = connections.first_key_value()?;
            Some((connections.len(), Reverse(oldest), address))
        };
        let connections = self.by_address.entry(address).or_default();
        if let Some(before) = rank(connections) {
            self.ranks.remove(&before);
        }
        let result = act(connections);
        match rank(connections) {
            Some(after) => _ = self.ranks.insert(after),
            None => _ = self.by_address.remove(&address),
        }
        result
    }
}

impl Guest {
    /// For the routes of this connection.
    pub(super) fn requests(&self) -> Requests {
        Requests(Arc::clone(&self.0))
    }

    /// Until the connection is told to end.
    pub(super) async fn evicted(&self) {
        self.0.end.cancelled().await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if let State::Idle(since) = mem::replace(&mut *state, State::Ended) {
            self.0.idle.index.lock().remove(self.0.address, since);
        }
    }
}

impl Requests {
    /// A request whose head has come; none if the connection was told to end.
    pub(super) fn begin(&self) -> Option<UnderWay> {
        let connection = &self.0;
        let mut state = connection.state.lock();
        *state = match *state {
            State::Idle(since) => {
                match connection.idle.index.lock().remove(connection.address, since) {
                    Some(_) => State::Busy(1),
                    None => State::Ended,
                }
            }
            State::Busy(requests) => State::Busy(requests + 1),
            State::Ended => State::Ended,
        };
        let goes_on = matches!(*state, State::Busy(_));
        goes_on.then(|| UnderWay { _request: Arc::new(OneRequest(Arc::clone(connection))) })
    }
}

impl Drop for OneRequest {
    fn drop(&mut self) {
        let connection = &self.0;
        let mut state = connection.state.lock();
        *state = match *state {
            State::Busy(1) => {
                let end = connection.end.clone();
                State::Idle(connection.idle.index.lock().insert(connection.address, end))
            }
            State::Busy(requests) => State::Busy(requests - 1),
            State::Idle(_) | State::Ended => State::Ended,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    /// So many connections from `10.0.0.<last>`, which enter one after the other.
    fn enter(idle: &Arc<Idle>, last: u8, count: usize) -> Vec<Guest> {
        (0..count).map(|_| idle.enter(address(last))).collect()
    }

    fn evicted(guests: &[Guest]) -> Vec<usize> {
        let told = guests.iter().enumerate().filter(|(_, guest)| guest.0.end.is_cancelled());
        told.map(|(at, _)| at).collect()
    }

    fn is_empty(idle: &Idle) -> bool {
        let index = idle.index.lock();
        index.by_address.is_empty() && index.ranks.is_empty()
    }

    #[test]
    fn whoever_holds_most_loses_the_oldest_and_few_lose_nothing_for_many() {
        let idle = Arc::default();
        let few = enter(&idle, 1, 2);
        let (many, more) = (enter(&idle, 2, 4), enter(&idle, 3, 5));
        assert!(idle.evict(address(9)));
        assert_eq!((evicted(&many), evicted(&more)), (vec![], vec![0]));
        // Four each: the oldest of them.
        assert!(idle.evict(address(9)));
        assert_eq!((evicted(&many), evicted(&more)), (vec![0], vec![0]));
        // Who holds as many as anybody does pays for the next one.
        assert!(idle.evict(address(3)));
        assert_eq!((evicted(&many), evicted(&more)), (vec![0], vec![0, 1]));
        assert!(idle.evict(address(1)) && idle.evict(address(1)));
        assert_eq!(
            (evicted(&few), evicted(&many), evicted(&more)),
            (vec![], vec![0, 1], vec![0, 1, 2])
        );
        drop((few, many, more));
        assert!(is_empty(&idle) && !idle.evict(address(9)));
    }

    #[test]
    fn a_connection_with_a_request_under_way_is_left_alone_until_the_last_trace_of_it_is_gone() {
        let idle = Arc::default();
        let guests = enter(&idle, 1, 1);
        let requests = guests[0].requests();
        let (first, second) = (requests.begin().unwrap(), requests.begin().unwrap());
        let kept = first.clone();
        assert!(!idle.evict(address(1)));
        drop((first, second));
        assert!(!idle.evict(address(1)), "as of a socket that was opened");
        drop(kept);
        assert!(idle.evict(address(1)));
        assert_eq!(evicted(&guests), [0]);
        assert!(requests.begin().is_none(), "it was told to end");
        assert!(!idle.evict(address(1)), "nobody is told twice");
    }

    #[test]
    fn who_was_answered_last_is_the_last_to_go() {
        let idle = Arc::default();
        let guests = enter(&idle, 1, 2);
        drop(guests[0].requests().begin());
        assert!(idle.evict(address(2)));
        assert_eq!(evicted(&guests), [1]);
    }

    #[test]
    fn a_request_that_outlives_its_connection_leaves_nothing_to_evict() {
        let idle = Arc::default();
        let guest = enter(&idle, 1, 1).pop().unwrap();
        let request = guest.requests().begin().unwrap();
        drop(guest);
        drop(request);
        assert!(is_empty(&idle) && !idle.evict(address(2)));
    }
}
