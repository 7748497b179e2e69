//! Client ids and what became of their commands: the memory behind idempotency.
//!
//! An id is remembered for 24 hours of log time, longer while its order is open, and shorter only
//! when an account has used so many that its oldest must go; never before the `valid_until` of its
//! command has passed, so that a late copy of the command finds either the memory or its own end.

use borsh::{BorshDeserialize, BorshSerialize};
use hashbrown::HashTable;
use types::{AccountId, ClientOrderId, HoldId, OrderId, RejectCode, Timestamp};

use crate::definitions::slot_at;

/// How long an outcome is remembered.
const MEMORY_NANOS: u64 = 24 * 60 * 60 * 1_000_000_000;

/// How many open orders may be passed over in search of one that can be forgotten.
const ROTATIONS: usize = 8;

/// Index of a remembered id in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RememberedId(u32);

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Outcome {
    /// Its hold is open.
    Open(HoldId),
    /// It ended so: with the id of its order (zero if it was none), or rejected.
    Ended(Result<OrderId, RejectCode>),
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
struct Remembered {
    id: ClientOrderId,
    account: AccountId,
    /// Tells a repetition from another command under the same id.
    fingerprint: u64,
    outcome: Outcome,
    since: Timestamp,
    valid_until: Timestamp,
    /// Neighbours in the slot's list, oldest first.
    older: Option<RememberedId>,
    newer: Option<RememberedId>,
    /// Neighbours in the account's list.
    older_of_account: Option<RememberedId>,
    newer_of_account: Option<RememberedId>,
}

/// Ends of an account's list.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
struct AccountList {
    oldest: Option<RememberedId>,
    newest: Option<RememberedId>,
    count: u32,
}

/// The memory of one slot. An account's list is the slot's list restricted to it, so that the oldest
/// of the slot is always the oldest of its account.
#[derive(Debug)]
pub(crate) struct ClientIds {
    table: HashTable<u32>,
    hash_seed: u64,
    slab: Vec<Remembered>,
    free: Vec<RememberedId>,
    oldest: Option<RememberedId>,
    newest: Option<RememberedId>,
    accounts: Vec<AccountList>,
}

impl ClientIds {
    pub fn new(hash_seed: u64) -> Self {
        Self {
            table: HashTable::new(),
            hash_seed,
            slab: Vec::new(),
            free: Vec::new(),
            oldest: None,
            newest: None,
            accounts: Vec::new(),
        }
    }

    /// Whether it is as it was made.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty() && self.accounts.is_empty()
    }

    /// What is remembered of `id`: its command's fingerprint and outcome.
    pub fn find(
        &self,
        account: AccountId,
        id: ClientOrderId,
        now: Timestamp,
    ) -> Option<(u64, Outcome)> {
        let hash = hash(self.hash_seed, account, id);
        let found = self.table.find(hash, |&at| {
            let entry = &self.slab[at as usize];
            entry.account == account && entry.id == id
        })?;
        let entry = &self.slab[*found as usize];
        let ended = matches!(entry.outcome, Outcome::Ended(_));
        // What has expired but was not swept yet must not be seen: sweeping depends on traffic.
        (!(ended && expired(entry, now))).then_some((entry.fingerprint, entry.outcome))
    }

    /// Whether [`Self::remember`] will find room among at most `max` ids of the account.
    pub fn make_room(&mut self, account: AccountId, max: u32, now: Timestamp) -> bool {
        self.sweep(now);
        slot_at(&mut self.accounts, account.index_in_slot());
        for _ in 0..ROTATIONS {
            let list = &self.accounts[account.index_in_slot()];
            let Some(oldest) = list.oldest.filter(|_| list.count >= max) else {
                return list.count < max;
            };
            let entry = &self.slab[oldest.0 as usize];
            match entry.outcome {
                Outcome::Open(_) => self.rotate(oldest, entry.since),
                Outcome::Ended(_) if entry.valid_until < now => self.forget(oldest),
                Outcome::Ended(_) => return false,
            }
        }
        self.accounts[account.index_in_slot()].count < max
    }

    /// Remembers an id that [`Self::find`] did not find.
    pub fn remember(
        &mut self,
        account: AccountId,
        id: ClientOrderId,
        fingerprint: u64,
        outcome: Outcome,
        now: Timestamp,
        valid_until: Timestamp,
    ) -> RememberedId {
        self.drop_expired(account, id);
        let entry = Remembered {
            id,
            account,
            fingerprint,
            outcome,
            since: now,
            valid_until,
            older: None,
            newer: None,
            older_of_account: None,
            newer_of_account: None,
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.slab[at.0 as usize] = entry;
                at
            }
            None => {
                self.slab.push(entry);
                RememberedId(u32::try_from(self.slab.len() - 1).expect("bounded per account"))
            }
        };
        self.append(at);
        let (seed, slab) = (self.hash_seed, &self.slab);
        self.table.insert_unique(hash(seed, account, id), at.0, |&at| {
            let entry = &slab[at as usize];
            hash(seed, entry.account, entry.id)
        });
        at
    }

    /// States what became of a remembered command.
    pub fn set_outcome(&mut self, at: RememberedId, outcome: Outcome) {
        self.slab[at.0 as usize].outcome = outcome;
    }

    /// Forgets at once, for commands that may be tried again.
    pub fn take_back(&mut self, at: RememberedId) {
        self.forget(at);
    }

    /// Drops what is older than the memory, a little at a time.
    fn sweep(&mut self, now: Timestamp) {
        for _ in 0..2 {
            let Some(oldest) = self.oldest else { return };
            let entry = &self.slab[oldest.0 as usize];
            if !expired(entry, now) {
                return;
            }
            match entry.outcome {
                Outcome::Open(_) => self.rotate(oldest, now),
                Outcome::Ended(_) => self.forget(oldest),
            }
        }
    }

    /// An expired entry under the same key would shadow the new one.
    fn drop_expired(&mut self, account: AccountId, id: ClientOrderId) {
        let slab = &self.slab;
        let found = self.table.find(hash(self.hash_seed, account, id), |&at| {
            let entry = &slab[at as usize];
            entry.account == account && entry.id == id
        });
        if let Some(&at) = found {
            self.forget(RememberedId(at));
        }
    }

    /// Moves an entry to the newest end of both lists.
    fn rotate(&mut self, at: RememberedId, since: Timestamp) {
        self.unlink(at);
        self.slab[at.0 as usize].since = since;
        self.append(at);
    }

    fn forget(&mut self, at: RememberedId) {
        self.unlink(at);
        self.erase(at);
    }

    fn erase(&mut self, at: RememberedId) {
        let entry = &self.slab[at.0 as usize];
        let hash = hash(self.hash_seed, entry.account, entry.id);
        let occupied = self.table.find_entry(hash, |&other| other == at.0);
        occupied.expect("every remembered id is in the table").remove();
        self.free.push(at);
    }

    fn append(&mut self, at: RememberedId) {
        let older = self.newest.replace(at);
        match older {
            Some(older) => self.slab[older.0 as usize].newer = Some(at),
            None => self.oldest = Some(at),
        }
        let account = self.slab[at.0 as usize].account.index_in_slot();
        let list = slot_at(&mut self.accounts, account);
        list.count += 1;
        let older_of_account = list.newest.replace(at);
        match older_of_account {
            Some(older) => self.slab[older.0 as usize].newer_of_account = Some(at),
            None => list.oldest = Some(at),
        }
        let entry = &mut self.slab[at.0 as usize];
        (entry.older, entry.newer) = (older, None);
        (entry.older_of_account, entry.newer_of_account) = (older_of_account, None);
    }

    /// Takes an entry out of both lists.
    fn unlink(&mut self, at: RememberedId) {
        let entry = &self.slab[at.0 as usize];
        let (older, newer) = (entry.older, entry.newer);
        let (older_of_account, newer_of_account) = (entry.older_of_account, entry.newer_of_account);
        let account = entry.account.index_in_slot();
        match older {
            Some(older) => self.slab[older.0 as usize].newer = newer,
            None => self.oldest = newer,
        }
        match newer {
            Some(newer) => self.slab[newer.0 as usize].older = older,
            None => self.newest = older,
        }
        let list = &mut self.accounts[account];
        list.count -= 1;
        match older_of_account {
            Some(older) => self.slab[older.0 as usize].newer_of_account = newer_of_account,
            None => list.oldest = newer_of_account,
        }
        match newer_of_account {
            Some(newer) => self.slab[newer.0 as usize].older_of_account = older_of_account,
            None => list.newest = older_of_account,
        }
    }
}

fn expired(entry: &Remembered, now: Timestamp) -> bool {
    entry.since.saturating_add_nanos(MEMORY_NANOS) < now
}

/// Folds the key into 64 bits by wide multiplications, as fast hashes do. The seed differs between
/// processes, so that nobody can make ids that collide; no result depends on it.
fn hash(seed: u64, account: AccountId, id: ClientOrderId) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let [a, b, c, d] = id.words();
    let head = fold(seed ^ u64::from(account.0) ^ FACTOR, a ^ FACTOR);
    fold(fold(head ^ b, seed ^ c ^ FACTOR) ^ d, FACTOR)
}

/// The table is made again from the slab; all else is state.
impl BorshSerialize for ClientIds {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        let ends = (self.oldest, self.newest);
        (&self.slab, &self.free, ends, &self.accounts).serialize(writer)
    }
}

impl ClientIds {
    /// Reads what was serialized; the table gets this process's seed.
    pub fn restore<R: std::io::Read>(hash_seed: u64, reader: &mut R) -> std::io::Result<Self> {
        type Ends = (Option<RememberedId>, Option<RememberedId>);
        let (slab, free, (oldest, newest), accounts) =
            <(Vec<Remembered>, Vec<RememberedId>, Ends, Vec<AccountList>)>::deserialize_reader(
                reader,
            )?;
        let mut ids = Self { slab, free, oldest, newest, accounts, ..Self::new(hash_seed) };
        let mut at = oldest;
        while let Some(live) = at {
            // A list that leads back into itself has no end.
            if ids.table.len() == ids.slab.len() {
                return Err(std::io::ErrorKind::InvalidData.into());
            }
            let entry = ids.slab.get(live.0 as usize).ok_or(std::io::ErrorKind::InvalidData)?;
            let slab = &ids.slab;
            ids.table.insert_unique(hash(hash_seed, entry.account, entry.id), live.0, |&at| {
                let entry = &slab[at as usize];
                hash(hash_seed, entry.account, entry.id)
            });
            at = entry.newer;
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId(7);

    fn id(text: &str) -> ClientOrderId {
        text.parse().unwrap()
    }

    fn ended(order: u64) -> Outcome {
        Outcome::Ended(Ok(OrderId(order)))
    }

    fn at(nanos: u64) -> Timestamp {
        Timestamp(nanos)
    }

    #[test]
    fn an_outcome_is_remembered_for_a_day_and_not_longer() {
        let mut ids = ClientIds::new(1);
        assert!(ids.make_room(ACCOUNT, 10, at(0)));
        ids.remember(ACCOUNT, id("a"), 1, ended(5), at(0), at(10));
        assert_eq!(ids.find(ACCOUNT, id("a"), at(MEMORY_NANOS)), Some((1, ended(5))));
        assert_eq!(ids.find(ACCOUNT, id("a"), at(MEMORY_NANOS + 1)), None);
        assert_eq!(ids.find(AccountId(8), id("a"), at(1)), None);
        // A new command may take the expired name at once.
        let later = at(MEMORY_NANOS + 1);
        ids.remember(ACCOUNT, id("a"), 2, ended(6), later, later);
        assert_eq!(ids.find(ACCOUNT, id("a"), later), Some((2, ended(6))));
    }

    #[test]
    fn the_oldest_gives_way_when_its_command_can_not_come_late_any_more() {
        let mut ids = ClientIds::new(1);
        for (n, name) in ["a", "b"].into_iter().enumerate() {
            assert!(ids.make_room(ACCOUNT, 2, at(1)));
            ids.remember(ACCOUNT, id(name), n as u64, ended(1), at(1), at(50));
        }
        assert!(!ids.make_room(ACCOUNT, 2, at(50)), "still valid");
        assert!(ids.make_room(ACCOUNT, 2, at(51)));
        assert_eq!(ids.find(ACCOUNT, id("a"), at(51)), None);
        assert!(ids.find(ACCOUNT, id("b"), at(51)).is_some());
    }

    #[test]
    fn open_orders_are_kept_whatever_their_age() {
        let mut ids = ClientIds::new(1);
        ids.make_room(ACCOUNT, 3, at(0));
        ids.remember(ACCOUNT, id("open"), 1, Outcome::Open(HoldId(0)), at(0), at(1));
        ids.make_room(ACCOUNT, 3, at(0));
        ids.remember(ACCOUNT, id("done"), 2, ended(2), at(0), at(1));
        let later = at(3 * MEMORY_NANOS);
        assert!(ids.make_room(ACCOUNT, 3, later));
        assert!(ids.find(ACCOUNT, id("open"), later).is_some());
        assert_eq!(ids.accounts[ACCOUNT.index_in_slot()].count, 1);
    }

    #[test]
    fn taking_back_and_restoring_keep_both_lists_whole() {
        let mut ids = ClientIds::new(1);
        let mut handles = Vec::new();
        for name in ["a", "b", "c", "d"] {
            ids.make_room(ACCOUNT, 10, at(0));
            handles.push(ids.remember(ACCOUNT, id(name), 0, ended(1), at(0), at(1)));
        }
        ids.take_back(handles[3]);
        ids.take_back(handles[1]);
        let mut ids = ClientIds::restore(99, &mut borsh::to_vec(&ids).unwrap().as_slice()).unwrap();
        let known = |ids: &ClientIds, name| ids.find(ACCOUNT, id(name), at(1)).is_some();
        assert!(known(&ids, "a") && !known(&ids, "b") && known(&ids, "c") && !known(&ids, "d"));
        for name in ["e", "f"] {
            ids.make_room(ACCOUNT, 10, at(2));
            ids.remember(ACCOUNT, id(name), 0, ended(1), at(2), at(3));
        }
        // All four leave in order when only one may stay.
        for left in (0..4).rev() {
            assert!(ids.make_room(ACCOUNT, left + 1, at(9)));
        }
        assert!(!known(&ids, "a") && !known(&ids, "c") && !known(&ids, "e"));
    }

    #[test]
    fn a_list_that_leads_back_into_itself_is_refused() {
        let mut ids = ClientIds::new(1);
        for name in ["a", "b"] {
            ids.make_room(ACCOUNT, 10, at(0));
            ids.remember(ACCOUNT, id(name), 0, ended(1), at(0), at(1));
        }
        ids.slab[1].newer = ids.oldest;
        let bytes = borsh::to_vec(&ids).unwrap();
        assert!(ClientIds::restore(1, &mut bytes.as_slice()).is_err());
    }
}
