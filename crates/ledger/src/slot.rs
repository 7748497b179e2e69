//! A slot: its accounts, their holds and client ids, and the house accounts beside them.
//!
//! Funds move out of one bucket, into another, of the same asset: by [`SlotMut::post`] between any two,
//! and by [`SlotMut::lock`] and [`SlotMut::unlock`], the same posting between the two buckets of one
//! account, which are found at once. Nothing else changes a bucket. That is the double entry: the buckets
//! of a slot sum to zero per asset because no posting can change the sum.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{AccountId, Amount, AssetId, HoldId, Slot};

use crate::account::Account;
use crate::client_ids::{ClientIds, Outcome};
use crate::countdown::Countdowns;
use crate::definitions::slot_at;
use crate::holds::{Holds, Purpose};
use crate::legs::Legs;

/// The exchange's own accounts of a slot, in atoms of one asset. What customers have is above zero,
/// so the outside world is below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct House {
    /// The outside world: withdrawals less deposits.
    pub outside: i128,
    /// What this slot has paid to others less what it received; over all slots and the messages
    /// under way it sums to zero.
    pub clearing: i128,
    /// Fee income less rebates. A slot whose makers get more than its takers pay is below zero; over all
    /// slots it is not, once each trade has settled on both sides.
    pub fees: i128,
    /// Atoms from rounding fees up.
    pub rounding: i128,
    /// Credits to accounts that do not exist.
    pub suspense: i128,
}

/// Where funds can be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bucket {
    Available(AccountId),
    Held(AccountId),
    Outside,
    Clearing,
    Fees,
    Rounding,
    Suspense,
}

#[derive(Debug)]
pub(crate) struct SlotState {
    pub number: Slot,
    accounts: Vec<Option<Account>>,
    pub holds: Holds,
    pub legs: Legs,
    pub client_ids: ClientIds,
    pub countdowns: Countdowns,
    house: Vec<House>,
}

impl SlotState {
    pub fn new(number: Slot, hash_seed: u64) -> Self {
        Self {
            number,
            accounts: Vec::new(),
            holds: Holds::default(),
            legs: Legs::default(),
            client_ids: ClientIds::new(hash_seed),
            countdowns: Countdowns::default(),
            house: Vec::new(),
        }
    }

    #[inline]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id.index_in_slot())?.as_ref()
    }

    #[inline]
    pub fn account_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.accounts.get_mut(id.index_in_slot())?.as_mut()
    }

    pub fn add_account(&mut self, id: AccountId, account: Account) {
        *slot_at(&mut self.accounts, id.index_in_slot()) = Some(account);
    }

    /// Accounts with their ids, by id.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        let first = u32::from(self.number.0);
        let ids =
            (0u32..).map(move |index| AccountId(first + index * u32::from(types::ACCOUNT_SLOTS)));
        ids.zip(&self.accounts).filter_map(|(id, account)| Some((id, account.as_ref()?)))
    }

    /// House accounts by asset.
    pub fn houses(&self) -> impl Iterator<Item = (AssetId, &House)> {
        (0u32..).map(AssetId).zip(&self.house)
    }

    /// Whether nothing ever happened here. What an account that does not exist was refused is
    /// remembered, too.
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.house.is_empty() && self.client_ids.is_empty()
    }
}

/// A slot being changed, with the list of balances that the current entry touches.
pub(crate) struct SlotMut<'a> {
    pub state: &'a mut SlotState,
    pub touched: &'a mut Vec<(AccountId, AssetId)>,
}

impl SlotMut<'_> {
    /// Moves `amount` of `asset`.
    ///
    /// # Panics
    /// If an account's bucket would fall below zero: callers check first, so it would be a bug.
    #[inline]
    pub fn post(&mut self, asset: AssetId, from: Bucket, to: Bucket, amount: Amount) {
        if amount.is_zero() {
            return;
        }
        match from {
            Bucket::Available(id) => *self.available(id, asset) -= amount,
            Bucket::Held(id) => *self.held(id, asset) -= amount,
            house => *self.house_bucket(house, asset) -= signed(amount),
        }
        match to {
            Bucket::Available(id) => *self.available(id, asset) += amount,
            Bucket::Held(id) => *self.held(id, asset) += amount,
            house => *self.house_bucket(house, asset) += signed(amount),
        }
    }

    /// Moves `amount` from what an account has available to what is held of it: one posting, of which both
    /// buckets are found at once.
    ///
    /// # Panics
    /// As [`Self::post`].
    #[inline]
    pub fn lock(&mut self, id: AccountId, asset: AssetId, amount: Amount) {
        if !amount.is_zero() {
            let balance = self.touch(id, asset);
            balance.available -= amount;
            balance.held += amount;
        }
    }

    /// The way back.
    ///
    /// # Panics
    /// As [`Self::post`].
    #[inline]
    pub fn unlock(&mut self, id: AccountId, asset: AssetId, amount: Amount) {
        if !amount.is_zero() {
            let balance = self.touch(id, asset);
            balance.held -= amount;
            balance.available += amount;
        }
    }

    /// Locks `amount` of what the account has available.
    #[inline]
    pub fn open_hold(
        &mut self,
        id: AccountId,
        asset: AssetId,
        amount: Amount,
        purpose: Purpose,
    ) -> HoldId {
        self.lock(id, asset, amount);
        let SlotState { accounts, holds, .. } = &mut *self.state;
        let market = purpose.market();
        let hold = holds.open(id, asset, amount, purpose);
        if let Some(market) = market {
            let account = accounts[id.index_in_slot()].as_mut().expect("checked before");
            holds.link(hold, account.orders_in_mut(market));
        }
        hold
    }

    /// Ends a hold: what is left in it is available again, and its client id has this outcome.
    pub fn close_hold(&mut self, id: AccountId, hold_id: HoldId, outcome: Option<Outcome>) {
        let hold = self.state.holds.of(id, hold_id);
        let (asset, left, client_id) = (hold.asset, hold.locked, hold.client_id);
        let market = hold.purpose.market();
        if matches!(hold.purpose, Purpose::Order { is_leg: true, .. }) {
            self.end_leg(id, hold_id, outcome);
        }
        self.unlock(id, asset, left);
        let SlotState { accounts, holds, .. } = &mut *self.state;
        if let Some(market) = market {
            let account = accounts[id.index_in_slot()].as_mut().expect("it has a hold");
            holds.unlink(hold_id, account.orders_in_mut(market));
        }
        holds.close(hold_id);
        match (client_id, outcome) {
            (Some(client_id), Some(outcome)) => {
                self.state.client_ids.set_outcome(client_id, outcome);
            }
            (Some(client_id), None) => self.state.client_ids.take_back(client_id),
            (None, _) => {}
        }
    }

    /// Where a credit for `id` goes: suspense, if there is no such account.
    pub fn credit_bucket(&self, id: AccountId) -> Bucket {
        match self.state.account(id) {
            Some(_) => Bucket::Available(id),
            None => Bucket::Suspense,
        }
    }

    #[inline]
    fn available(&mut self, id: AccountId, asset: AssetId) -> &mut Amount {
        &mut self.touch(id, asset).available
    }

    #[inline]
    fn held(&mut self, id: AccountId, asset: AssetId) -> &mut Amount {
        &mut self.touch(id, asset).held
    }

    #[inline]
    fn touch(&mut self, id: AccountId, asset: AssetId) -> &mut crate::account::Balance {
        let account = self.state.account_mut(id).expect("checked before posting");
        let balance = account.balance_mut(asset);
        if !balance.touched {
            balance.touched = true;
            self.touched.push((id, asset));
        }
        balance
    }

    #[inline]
    fn house_bucket(&mut self, bucket: Bucket, asset: AssetId) -> &mut i128 {
        let house = slot_at(&mut self.state.house, asset.0 as usize);
        match bucket {
            Bucket::Outside => &mut house.outside,
            Bucket::Clearing => &mut house.clearing,
            Bucket::Fees => &mut house.fees,
            Bucket::Rounding => &mut house.rounding,
            Bucket::Suspense => &mut house.suspense,
            Bucket::Available(_) | Bucket::Held(_) => unreachable!("an account's bucket"),
        }
    }
}

/// Supplies are bounded far below 2^127.
pub(crate) fn signed(amount: Amount) -> i128 {
    i128::try_from(amount.get()).expect("below the largest supply")
}

impl BorshSerialize for SlotState {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        self.is_empty().serialize(writer)?;
        if self.is_empty() {
            return Ok(());
        }
        let of_orders = (&self.holds, &self.legs, &self.client_ids);
        (&self.accounts, of_orders, &self.countdowns, &self.house).serialize(writer)
    }
}

impl SlotState {
    /// Reads what was serialized.
    pub fn restore<R: std::io::Read>(
        number: Slot,
        hash_seed: u64,
        reader: &mut R,
    ) -> std::io::Result<Self> {
        if bool::deserialize_reader(reader)? {
            return Ok(Self::new(number, hash_seed));
        }
        Ok(Self {
            number,
            accounts: BorshDeserialize::deserialize_reader(reader)?,
            holds: BorshDeserialize::deserialize_reader(reader)?,
            legs: BorshDeserialize::deserialize_reader(reader)?,
            client_ids: ClientIds::restore(hash_seed, reader)?,
            countdowns: BorshDeserialize::deserialize_reader(reader)?,
            house: BorshDeserialize::deserialize_reader(reader)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_only_remembers_a_refusal_is_in_the_snapshot() {
        let (account, now) = (AccountId(10), types::Timestamp(1));
        let id = "c1".parse().unwrap();
        let mut slot = SlotState::new(account.slot(), 1);
        let refused = Outcome::Ended(Err(types::RejectCode::AccountExists));
        assert!(slot.client_ids.make_room(account, 10, now));
        slot.client_ids.remember(account, id, 7, refused, now, now);
        let mut bytes = Vec::new();
        slot.serialize(&mut bytes).unwrap();
        let restored = SlotState::restore(account.slot(), 2, &mut &*bytes).unwrap();
        assert_eq!(restored.client_ids.find(account, id, now), Some((7, refused)));
    }
}
