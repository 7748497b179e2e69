//! What operators ask, and payments.

use types::{
    AccountId, Amount, AssetDef, AssetId, ClientOrderId, Component, Decimal, MarketDef, MarketId,
    MarketState, Price, Quantity, Request,
};

use super::Generator;
use crate::naive::Exchange;

/// Every state; the first is where markets spend most of their time.
const STATES: [MarketState; 6] = [
    MarketState::Continuous,
    MarketState::PreOpen,
    MarketState::Auction,
    MarketState::CancelOnly,
    MarketState::Closed,
    MarketState::Halted,
];

impl Generator {
    /// Another state, or a credit where the market had better go on as it is.
    pub(super) fn set_state(&mut self, exchange: &Exchange) -> Request {
        let at = self.any_market(exchange);
        let market = &exchange.markets[at];
        let calm = match market.state {
            MarketState::Continuous if self.world.restless => 4,
            MarketState::Continuous => 25,
            MarketState::Auction | MarketState::PreOpen => 3,
            _ => 1,
        };
        if !self.random.one_in(calm) {
            return self.outside(exchange);
        }
        let back = market.state != MarketState::Continuous && self.random.one_in(2);
        let state = if back { STATES[0] } else { self.random.pick(&STATES) };
        let known = market.def.id;
        let market = if self.random.one_in(100) { MarketId(8) } else { known };
        let state = if self.random.one_in(60) { MarketState::Delisted } else { state };
        Request::SetMarketState { market, state }
    }

    /// Transfers, and debits that are reserved or released.
    pub(super) fn pay(&mut self, exchange: &Exchange) -> Request {
        let account = AccountId(self.account());
        let asset = self.asset();
        let available = exchange.funds.available(account.0, asset);
        let part = available / u128::from(self.random.between(1, 6));
        let amount = Amount::new(match self.random.below(15) {
            0 => 0,
            1 => available + 1,
            _ => part,
        });
        let request = match self.random.below(4) {
            0 => {
                let client_id = self.new_name();
                Request::ReserveDebit { account, asset, amount, client_id }
            }
            1 => {
                let client_id = self.debit_name(exchange, account);
                return Request::ReleaseDebit { account, client_id };
            }
            _ => {
                let named = self.random.one_in(2);
                let client_id = if named { self.new_name() } else { ClientOrderId::NONE };
                let to = AccountId(self.account());
                Request::Transfer { from: account, to, asset, amount, client_id }
            }
        };
        if self.random.one_in(10) && !self.sent.is_empty() {
            return self.again();
        }
        self.keep(&request);
        request
    }

    /// Accounts and definitions.
    pub(super) fn administer(&mut self) -> Request {
        let account = AccountId(self.account());
        match self.random.below(10) {
            0 if self.random.one_in(3) => Request::FreezeAccount { account, frozen: true },
            0..6 => Request::FreezeAccount { account, frozen: false },
            6 => {
                let id = self.random.pick(&[account.0, account.0, 10_000]);
                let fee_tier = self.random.below(4) as u8;
                Request::CreateAccount { account: AccountId(id), fee_tier }
            }
            7 => {
                let (id, symbol, scale) = self.random.pick(&[
                    (2, "CCC", 0),
                    (4, "AAA", 0),
                    (4, "DDD", 19),
                    (4, "ddd", 8),
                    (4, "", 8),
                    (0, "DDD", 8),
                ]);
                Request::DefineAsset(AssetDef { id: AssetId(id), symbol: symbol.into(), scale })
            }
            8 => {
                let component = self.random.pick(&[
                    Component::Market(MarketId(1)),
                    Component::Ledger(account.slot()),
                    Component::Treasury,
                ]);
                Request::ReleaseQuarantine { component }
            }
            _ => Request::ListMarket(Box::new(self.listing())),
        }
    }

    /// A market that cannot be listed, for one reason or another.
    fn listing(&mut self) -> MarketDef {
        let mut def = self.world.styles[0].def.clone();
        if self.random.one_in(4) {
            return def;
        }
        (def.id, def.symbol) = (MarketId(9), "M9".into());
        match self.random.below(8) {
            0 => def.symbol = "M1".into(),
            1 => def.id = MarketId(0),
            2 => def.symbol = "M/9".into(),
            3 => def.base = AssetId(7),
            4 => def.quote = def.base,
            5 => def.lot = Decimal::new(1, def.lot.scale + 1),
            6 => def.max_quantity = Quantity::new(1 << 63),
            _ => (def.max_price, def.max_quantity) = (Price::new(1 << 62), Quantity::new(1 << 62)),
        }
        def
    }
}
