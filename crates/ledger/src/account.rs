//! An account and its balances.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Amount, AssetId, HoldId, MarketId};

/// What an account has of one asset.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Balance {
    pub asset: AssetId,
    /// Whether it changed in the entry being applied. Never set between entries.
    pub touched: bool,
    pub available: Amount,
    pub held: Amount,
}

/// An account. Its holds form a list in the order of their making.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Account {
    pub frozen: bool,
    pub fee_tier: u8,
    /// Sorted by asset; most accounts have few.
    balances: Vec<Balance>,
    pub first_hold: Option<HoldId>,
    pub last_hold: Option<HoldId>,
    /// Open orders by market, sorted.
    open_orders: Vec<(MarketId, u32)>,
}

impl Account {
    pub fn new(fee_tier: u8) -> Self {
        Self { fee_tier, ..Self::default() }
    }

    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }

    pub fn available(&self, asset: AssetId) -> Amount {
        match self.position(asset) {
            Ok(at) => self.balances[at].available,
            Err(_) => Amount::ZERO,
        }
    }

    /// The balance of `asset`, made if there was none.
    pub fn balance_mut(&mut self, asset: AssetId) -> &mut Balance {
        let at = self.position(asset).unwrap_or_else(|at| {
            let (available, held) = (Amount::ZERO, Amount::ZERO);
            self.balances.insert(at, Balance { asset, touched: false, available, held });
            at
        });
        &mut self.balances[at]
    }

    pub fn open_orders_in(&self, market: MarketId) -> u32 {
        match self.open_orders.binary_search_by_key(&market, |open| open.0) {
            Ok(at) => self.open_orders[at].1,
            Err(_) => 0,
        }
    }

    pub fn count_opened(&mut self, market: MarketId) {
        match self.open_orders.binary_search_by_key(&market, |open| open.0) {
            Ok(at) => self.open_orders[at].1 += 1,
            Err(at) => self.open_orders.insert(at, (market, 1)),
        }
    }

    pub fn count_closed(&mut self, market: MarketId) {
        let found = self.open_orders.binary_search_by_key(&market, |open| open.0);
        let at = found.expect("an open order was counted");
        self.open_orders[at].1 -= 1;
    }

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
