//! What operators ask, and payments.

use types::{
    AccountId, Amount, AssetDef, AssetId, ClientOrderId, MarketId, MarketState, Request,
    TreasuryReference,
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
        let at = self.random.below(exchange.markets.len() as u64) as usize;
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
        Request::SetMarketState { market, state }
    }

    fn asset(&mut self) -> AssetId {
        if self.random.one_in(60) { AssetId(7) } else { AssetId(self.random.between(1, 3) as u32) }
    }

    fn reference(&mut self) -> TreasuryReference {
        let at = self.random.below(2) as usize;
        let next = self.numbers[at];
        let number = match self.random.below(30) {
            0 => next - 1,
            1 => next + 1,
            2 => next.saturating_sub(2),
            _ => {
                self.numbers[at] += 1;
                next
            }
        };
        TreasuryReference { source: at as u32 + 2, number }
    }

    /// Value from or to the outside: to those who have little, from those who have much.
    pub(super) fn outside(&mut self, exchange: &Exchange) -> Request {
        let account = AccountId(self.account());
        let asset = self.asset();
        let purse = self.world.purse(asset, &mut self.random);
        let available = exchange.funds.available(account.0, asset);
        let poor = available < purse;
        if self.random.one_in(12) {
            let client_id = self.debit_name(exchange, account);
            return Request::SettleDebit { reference: self.reference(), account, client_id };
        }
        let amount = Amount::new(match self.random.below(30) {
            0 => 0,
            1 => 1 << 96,
            2 => (1 << 96) + 1,
            3 => available + 1,
            _ if poor => purse,
            _ => available / 2,
        });
        let reference = self.reference();
        if poor || self.random.one_in(10) {
            // What fills the supply up would only stop later credits.
            let amount = if amount.get() == 1 << 96 { Amount::new((1 << 96) + 1) } else { amount };
            return Request::Credit {
                reference,
                operator: types::OperatorName::NONE,
                account,
                asset,
                amount,
            };
        }
        Request::Debit { reference, operator: types::OperatorName::NONE, account, asset, amount }
    }

    fn debit_name(&mut self, exchange: &Exchange, account: AccountId) -> ClientOrderId {
        let name = exchange.pending_debit_of(account.0);
        name.filter(|_| !self.random.one_in(5)).unwrap_or_else(|| self.new_name())
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
        let tier = self.random.below(4) as u8;
        match self.random.below(9) {
            0 if self.random.one_in(3) => Request::FreezeAccount { account, frozen: true },
            0..6 => Request::FreezeAccount { account, frozen: false },
            6 => {
                let id = self.random.pick(&[account.0, account.0, 10_000]);
                Request::CreateAccount { account: AccountId(id), fee_tier: tier }
            }
            7 => {
                let asset = AssetDef { id: AssetId(2), symbol: "CCC".into(), scale: 0 };
                Request::DefineAsset(asset)
            }
            _ => Request::ListMarket(Box::new(self.world.styles[0].def.clone())),
        }
    }
}
