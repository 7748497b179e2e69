//! Funds locked for orders and pending debits: a slab of holds. Those of an account's orders in a market
//! form a list.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{AccountId, Amount, AssetId, HoldId, MarketId, OrderId, Price};

use crate::account::MarketOrders;
use crate::client_ids::RememberedId;
use crate::definitions::ListedMarket;

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
        /// It was placed with a trigger.
        has_trigger: bool,
        /// Limit price of a buyer; what is locked is this times what is open.
        price: Price,
        /// The version of the market's definition that the price means: prices of orders are converted when
        /// they are needed.
        version: u32,
        /// Base atoms that have traded, for the new total of an amendment.
        filled_base: Amount,
        /// An amendment is under way: the hold may contain more than the market knows of.
        amending: bool,
        /// Cancel all was asked while the order's id was not known, or could be about to change.
        cancel_when_known: bool,
        /// Of a list that has not ended: [`crate::legs::Legs`] knows more.
        is_leg: bool,
    },
    /// A withdrawal under way.
    Debit,
}

impl Purpose {
    /// The market of an order.
    pub fn market(&self) -> Option<MarketId> {
        match *self {
            Self::Order { market, .. } => Some(market),
            Self::Free | Self::Debit => None,
        }
    }
}

/// All holds of a slot.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Holds {
    slab: Vec<Hold>,
    /// Reused last in, first out: part of the state, since ids travel in messages.
    free: Vec<HoldId>,
}

impl Holds {
    /// Locks nothing yet: the caller moves the funds.
    #[inline]
    pub fn open(
        &mut self,
        account: AccountId,
        asset: AssetId,
        locked: Amount,
        purpose: Purpose,
    ) -> HoldId {
        let (client_id, previous, next) = (None, None, None);
        let hold = Hold { account, asset, locked, purpose, client_id, previous, next };
        match self.free.pop() {
            Some(hold_id) => {
                self.slab[hold_id.0 as usize] = hold;
                hold_id
            }
            None => {
                let hold_id = u32::try_from(self.slab.len()).expect("bounded by open orders");
                self.slab.push(hold);
                HoldId(hold_id)
            }
        }
    }

    /// Appends to the list of the account's orders in a market.
    #[inline]
    pub fn link(&mut self, hold_id: HoldId, orders: &mut MarketOrders) {
        let previous = orders.newest.replace(hold_id);
        self.slab[hold_id.0 as usize].previous = previous;
        match previous {
            Some(previous) => self.slab[previous.0 as usize].next = Some(hold_id),
            None => orders.oldest = Some(hold_id),
        }
        orders.count += 1;
    }

    /// Takes out of the list that it was appended to.
    #[inline]
    pub fn unlink(&mut self, hold_id: HoldId, orders: &mut MarketOrders) {
        let hold = &mut self.slab[hold_id.0 as usize];
        let (previous, next) = (hold.previous.take(), hold.next.take());
        match previous {
            Some(previous) => self.slab[previous.0 as usize].next = next,
            None => orders.oldest = next,
        }
        match next {
            Some(next) => self.slab[next.0 as usize].previous = previous,
            None => orders.newest = previous,
        }
        orders.count -= 1;
    }

    /// Frees. The caller has moved the funds.
    #[inline]
    pub fn close(&mut self, hold_id: HoldId) {
        let hold = &mut self.slab[hold_id.0 as usize];
        hold.purpose = Purpose::Free;
        hold.locked = Amount::ZERO;
        self.free.push(hold_id);
    }

    /// The open hold of `account`.
    ///
    /// # Panics
    /// If it is not open or another's: markets only name holds that they were given.
    #[inline]
    pub fn of(&mut self, account: AccountId, hold_id: HoldId) -> &mut Hold {
        let hold = &mut self.slab[hold_id.0 as usize];
        let open = hold.account == account && !matches!(hold.purpose, Purpose::Free);
        assert!(open, "hold {hold_id} is not open for account {account}");
        hold
    }

    pub fn get(&self, hold_id: HoldId) -> &Hold {
        &self.slab[hold_id.0 as usize]
    }

    /// Whether nothing was ever held.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// All open holds, by id.
    pub fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        self.slab.iter().filter(|hold| !matches!(hold.purpose, Purpose::Free))
    }

    /// An account's orders in a market, from the newest to the oldest.
    pub fn newest_first(
        &self,
        orders: Option<&MarketOrders>,
    ) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.walk(orders.and_then(|orders| orders.newest), |hold| hold.previous)
    }

    /// An account's orders in a market, from the oldest to the newest.
    pub fn oldest_first(
        &self,
        orders: Option<&MarketOrders>,
    ) -> impl Iterator<Item = (HoldId, &Hold)> + Clone {
        self.walk(orders.and_then(|orders| orders.oldest), |hold| hold.next)
    }

    fn walk(
        &self,
        from: Option<HoldId>,
        step: impl Fn(&Hold) -> Option<HoldId> + Clone,
    ) -> impl Iterator<Item = (HoldId, &Hold)> + Clone {
        let ids = std::iter::successors(from, move |&hold_id| step(self.get(hold_id)));
        ids.map(|hold_id| (hold_id, self.get(hold_id)))
    }
}

impl Hold {
    /// Base atoms that the order may still buy, where that is known: of a limit order.
    pub(crate) fn base_to_buy(&self, listed: &ListedMarket) -> Amount {
        match self.purpose {
            Purpose::Order { buys: true, price, version, .. } if !price.is_zero() => {
                listed.base_for(self.locked, price, version)
            }
            _ => Amount::ZERO,
        }
    }

    /// The order that this is for and its market; the id is zero while the market has not told it.
    #[must_use]
    pub fn order(&self) -> Option<(MarketId, OrderId)> {
        match self.purpose {
            Purpose::Order { market, order, .. } => Some((market, order)),
            Purpose::Free | Purpose::Debit => None,
        }
    }
}
