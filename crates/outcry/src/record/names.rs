//! Symbols and decimals in place of ids and integers, by the definitions that the log made.

use engine::Definitions;
use types::{Amount, AssetId, MarketId, Price, Quantity};

/// Shows values by these definitions; what they do not know is shown as its number.
#[derive(Clone, Copy)]
pub struct Names<'a>(pub &'a Definitions);

impl Names<'_> {
    /// A market's symbol.
    pub fn market(self, id: MarketId) -> String {
        self.0.market(id).map_or_else(|| format!("#{id}"), |listed| listed.def.symbol.clone())
    }

    /// An asset's symbol.
    pub fn asset(self, id: AssetId) -> String {
        self.0.asset(id).map_or_else(|| format!("#{id}"), |asset| asset.symbol.clone())
    }

    /// A price as a decimal of its market's tick.
    pub fn price(self, market: MarketId, price: Price) -> String {
        match self.0.market(market) {
            Some(listed) => listed.def.tick.format(price.get().into()),
            None => format!("{price}ticks"),
        }
    }

    /// A quantity as a decimal of its market's lot.
    pub fn quantity(self, market: MarketId, quantity: Quantity) -> String {
        self.quantities(market, quantity.get().into())
    }

    /// A sum of quantities.
    pub fn quantities(self, market: MarketId, lots: u128) -> String {
        match self.0.market(market) {
            Some(listed) => listed.def.lot.format(lots),
            None => format!("{lots}lots"),
        }
    }

    /// An amount as a decimal of its asset, without its symbol.
    pub fn amount(self, asset: AssetId, amount: Amount) -> String {
        match self.0.asset(asset) {
            Some(def) => types::Decimal::atom(def.scale).format(amount.get()),
            None => format!("{amount}atoms"),
        }
    }

    /// Atoms of a market's base.
    pub fn base(self, market: MarketId, amount: Amount) -> String {
        self.amount(self.assets(market).0, amount)
    }

    /// Atoms of a market's quote.
    pub fn quote(self, market: MarketId, amount: Amount) -> String {
        self.amount(self.assets(market).1, amount)
    }

    /// Base and quote; zeros for a market that nobody listed.
    pub fn assets(self, market: MarketId) -> (AssetId, AssetId) {
        self.0.market(market).map_or_else(Default::default, |listed| {
            let def = &listed.def;
            (def.base, def.quote)
        })
    }
}
