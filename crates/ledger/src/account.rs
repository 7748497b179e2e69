//! An account and its balances.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Amount, AssetId, HoldId, MarketId};

use crate::volume::Volume;

/// What an account has of one asset.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Balance {
    pub asset: AssetId,
    /// Whether it changed in the entry being applied. Never set between entries.
    pub touched: bool,
    pub available: Amount,
    pub held: Amount,
}

/// The holds of an account's orders in a market: a list in the order of their making.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct MarketOrders {
    market: MarketId,
    pub count: u32,
    pub oldest: Option<HoldId>,
    pub newest: Option<HoldId>,
}

/// An account.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Account {
    pub frozen: bool,
    pub fee_tier: u8,
    /// An operator has chosen its tier: no volume changes it.
    pub is_pinned: bool,
    /// What it traded lately, once it has in a market that counts.
    pub volume: Option<Box<Volume>>,
    /// Sorted by asset; most accounts have few.
    balances: Vec<Balance>,
    /// Open orders by market, sorted. A market stays once there was an order in it.
    orders: Vec<MarketOrders>,
}

impl Account {
    pub fn new(fee_tier: u8) -> Self {
        Self { fee_tier, ..Self::default() }
    }

    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }

    #[inline]
    pub fn available(&self, asset: AssetId) -> Amount {
        match self.position(asset) {
            Ok(at) => self.balances[at].available,
            Err(_) => Amount::ZERO,
        }
    }

    /// Available and held.
    pub fn owned(&self, asset: AssetId) -> Amount {
        self.position(asset)
            .map_or(Amount::ZERO, |at| self.balances[at].available + self.balances[at].held)
    }

    /// The balance of `asset`, made if there was none.
    #[inline]
    pub fn balance_mut(&mut self, asset: AssetId) -> &mut Balance {
        match self.position(asset) {
            Ok(at) => &mut self.balances[at],
            Err(at) => self.open_balance(at, asset),
        }
    }

    #[cold]
    fn open_balance(&mut self, at: usize, asset: AssetId) -> &mut Balance {
        let (available, held) = (Amount::ZERO, Amount::ZERO);
        self.balances.insert(at, Balance { asset, touched: false, available, held });
        &mut self.balances[at]
    }

    /// The open orders in `market`, if there ever was one.
    #[inline]
    pub fn orders_in(&self, market: MarketId) -> Option<&MarketOrders> {
        let at = self.orders.binary_search_by_key(&market, |orders| orders.market);
        at.ok().map(|at| &self.orders[at])
    }

    /// The open orders in `market`.
    #[inline]
    pub fn orders_in_mut(&mut self, market: MarketId) -> &mut MarketOrders {
        let at = self.orders.binary_search_by_key(&market, |orders| orders.market);
        match at {
            Ok(at) => &mut self.orders[at],
            Err(at) => self.begin_orders(at, market),
        }
    }

    #[cold]
    fn begin_orders(&mut self, at: usize, market: MarketId) -> &mut MarketOrders {
        self.orders.insert(at, MarketOrders { market, count: 0, oldest: None, newest: None });
        &mut self.orders[at]
    }

    #[inline]
    fn position(&self, asset: AssetId) -> Result<usize, usize> {
        // A scan beats a binary search on the few assets that almost every account has.
        if self.balances.len() <= 8 {
            for (at, balance) in self.balances.iter().enumerate() {
                if balance.asset >= asset {
                    return if balance.asset == asset { Ok(at) } else { Err(at) };
                }
            }
            return Err(self.balances.len());
        }
        self.balances.binary_search_by_key(&asset, |balance| balance.asset)
    }
}
