//! Funds locked for orders and pending debits: a slab of holds, chained by account.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{AccountId, Amount, AssetId, HoldId, MarketId, OrderId, Price};

use crate::account::Account;
use crate::client_ids::RememberedId;

/// Funds locked for one purpose.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub struct Hold {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// How much is left in it.
    pub locked: Amount,
    /// What it is locked for.
    pub(crate) purpose: Purpose,
    /// The client id that it was made under, if one was given.
    pub(crate) client_id: Option<RememberedId>,
    previous: Option<HoldId>,
    next: Option<HoldId>,
}

/// What a hold is for.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Purpose {
    /// A slab entry that is free.
    Free,
    /// An order.
    Order {
        market: MarketId,
        /// Zero until the market has told it.
        order: OrderId,
        buys: bool,
        /// Limit price of a buyer; what is locked is this times what is open.
        price: Price,
        /// Base atoms that have traded, for the new total of an amendment.
        filled_base: Amount,
        /// An amendment is under way: the hold may contain more than the market knows of.
        amending: bool,
        /// Cancel all was asked while the order's id was not known, or could be about to change.
        cancel_when_known: bool,
    },
    /// A withdrawal under way.
    Debit,
}

/// All holds of a slot.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Holds {
    slab: Vec<Hold>,
    /// Reused last in, first out: part of the state, since ids travel in messages.
    free: Vec<HoldId>,
}

impl Holds {
    /// Locks nothing yet: the caller moves the funds. Appends to the account's chain.
    pub fn open(
        &mut self,
        id: AccountId,
        account: &mut Account,
        asset: AssetId,
        locked: Amount,
        purpose: Purpose,
    ) -> HoldId {
        let previous = account.last_hold;
        let hold =
            Hold { account: id, asset, locked, purpose, client_id: None, previous, next: None };
        let hold_id = match self.free.pop() {
            Some(hold_id) => {
                self.slab[hold_id.0 as usize] = hold;
                hold_id
            }
            None => {
                let hold_id =
                    HoldId(u32::try_from(self.slab.len()).expect("bounded by open orders"));
                self.slab.push(hold);
                hold_id
            }
        };
        match previous {
            Some(previous) => self.slab[previous.0 as usize].next = Some(hold_id),
            None => account.first_hold = Some(hold_id),
        }
        account.last_hold = Some(hold_id);
        hold_id
    }

    /// Unchains and frees. The caller has moved the funds.
    pub fn close(&mut self, hold_id: HoldId, account: &mut Account) {
        let hold = &mut self.slab[hold_id.0 as usize];
        hold.purpose = Purpose::Free;
        hold.locked = Amount::ZERO;
        let (previous, next) = (hold.previous.take(), hold.next.take());
        match previous {
            Some(previous) => self.slab[previous.0 as usize].next = next,
            None => account.first_hold = next,
        }
        match next {
            Some(next) => self.slab[next.0 as usize].previous = previous,
            None => account.last_hold = previous,
        }
        self.free.push(hold_id);
    }

    /// The open hold of `account`.
    ///
    /// # Panics
    /// If it is not open or another's: markets only name holds that they were given.
    pub fn of(&mut self, account: AccountId, hold_id: HoldId) -> &mut Hold {
        let hold = &mut self.slab[hold_id.0 as usize];
        let open = hold.account == account && !matches!(hold.purpose, Purpose::Free);
        assert!(open, "hold {hold_id} is not open for account {account}");
        hold
    }

    pub fn get(&self, hold_id: HoldId) -> &Hold {
        &self.slab[hold_id.0 as usize]
    }

    /// All open holds, by id.
    pub fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        self.slab.iter().filter(|hold| !matches!(hold.purpose, Purpose::Free))
    }

    /// The account's holds from the newest to the oldest.
    pub fn newest_first<'a>(
        &'a self,
        account: &Account,
    ) -> impl Iterator<Item = (HoldId, &'a Hold)> {
        self.walk(account.last_hold, |hold| hold.previous)
    }

    /// The account's holds from the oldest to the newest.
    pub fn oldest_first<'a>(
        &'a self,
        account: &Account,
    ) -> impl Iterator<Item = (HoldId, &'a Hold)> {
        self.walk(account.first_hold, |hold| hold.next)
    }

    fn walk(
        &self,
        from: Option<HoldId>,
        step: impl Fn(&Hold) -> Option<HoldId>,
    ) -> impl Iterator<Item = (HoldId, &Hold)> {
        let mut at = from;
        std::iter::from_fn(move || {
            let hold_id = at?;
            let hold = self.get(hold_id);
            at = step(hold);
            Some((hold_id, hold))
        })
    }
}

impl Hold {
    /// The order that this is for and its market; the id is zero while the market has not told it.
    #[must_use]
    pub fn order(&self) -> Option<(MarketId, OrderId)> {
        match self.purpose {
            Purpose::Order { market, order, .. } => Some((market, order)),
            Purpose::Free | Purpose::Debit => None,
        }
    }
}
