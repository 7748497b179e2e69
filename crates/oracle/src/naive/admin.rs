//! What operators ask: accounts, definitions, states of markets.

use types::{
    AccountId, AssetDef, Event, FeeRates, MarketDef, MarketState, PartsPerMillion, RejectCode,
};

use super::market::Market;
use super::{Account, Asker, Exchange};

impl Exchange {
    pub(super) fn create_account(&mut self, asker: &Asker, tier: u8) -> Result<(), RejectCode> {
        if asker.account == 0 || asker.account >= self.max_accounts {
            return Err(RejectCode::TooManyAccounts);
        }
        self.check_tier(tier)?;
        if self.account(asker.account).is_ok() {
            return Err(RejectCode::AccountExists);
        }
        self.accounts.push(Account { id: asker.account, tier, frozen: false });
        let account = AccountId(asker.account);
        self.events.push(Event::AccountCreated { reply: asker.reply, account, fee_tier: tier });
        Ok(())
    }

    fn check_tier(&self, tier: u8) -> Result<(), RejectCode> {
        let known = tier == 0 || self.tiers.iter().any(|set| set.0 == tier);
        if known { Ok(()) } else { Err(RejectCode::UnknownFeeTier) }
    }

    fn account_mut(&mut self, id: u32) -> &mut Account {
        self.accounts.iter_mut().find(|account| account.id == id).expect("it was found before")
    }

    pub(super) fn freeze_account(&mut self, asker: &Asker, frozen: bool) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        self.account_mut(asker.account).frozen = frozen;
        let account = AccountId(asker.account);
        self.events.push(Event::AccountFrozen { reply: asker.reply, account, frozen });
        Ok(())
    }

    pub(super) fn set_account_tier(&mut self, asker: &Asker, tier: u8) -> Result<(), RejectCode> {
        self.check_tier(tier)?;
        self.account(asker.account)?;
        self.account_mut(asker.account).tier = tier;
        let account = AccountId(asker.account);
        self.events.push(Event::AccountFeeTierSet { reply: asker.reply, account, fee_tier: tier });
        Ok(())
    }

    pub(super) fn set_fee_tier(
        &mut self,
        asker: &Asker,
        tier: u8,
        rates: FeeRates,
    ) -> Result<(), RejectCode> {
        let whole = PartsPerMillion(1_000_000);
        if rates.maker > whole || rates.taker > whole {
            return Err(RejectCode::InvalidDefinition);
        }
        self.tiers.retain(|set| set.0 != tier);
        self.tiers.push((tier, rates));
        self.events.push(Event::FeeTierSet { reply: asker.reply, tier, rates });
        Ok(())
    }

    /// A new asset. The generator asks for none that breaks a rule of definitions.
    pub(super) fn define_asset(
        &mut self,
        asker: &Asker,
        asset: &AssetDef,
    ) -> Result<(), RejectCode> {
        let known = |other: &AssetDef| other.id == asset.id || other.symbol == asset.symbol;
        if self.assets.iter().any(known) {
            return Err(RejectCode::AlreadyDefined);
        }
        self.assets.push(asset.clone());
        self.events.push(Event::AssetDefined { reply: asker.reply, asset: asset.clone() });
        Ok(())
    }

    /// A new market. The generator asks for none that breaks a rule of definitions.
    pub(super) fn list_market(&mut self, asker: &Asker, def: &MarketDef) -> Result<(), RejectCode> {
        let known = |other: &Market| other.def.id == def.id || other.def.symbol == def.symbol;
        if self.markets.iter().any(known) {
            return Err(RejectCode::AlreadyDefined);
        }
        let scale = |id| self.assets.iter().find(|asset| asset.id == id).map(|asset| asset.scale);
        let (Some(base), Some(quote)) = (scale(def.base), scale(def.quote)) else {
            return Err(RejectCode::UnknownAsset);
        };
        self.markets.push(Market::new(def.clone(), base, quote));
        self.events.push(Event::MarketListed { reply: asker.reply, market: def.clone() });
        Ok(())
    }

    /// Any state but the present one. A market that becomes continuous is uncrossed at once (7.1).
    pub(super) fn set_market_state(
        &mut self,
        asker: &Asker,
        state: MarketState,
    ) -> Result<(), RejectCode> {
        let at = self.market(asker.market)?;
        let market = &mut self.markets[at];
        if market.state == state {
            return Err(RejectCode::WrongState);
        }
        let says_price = market.state == MarketState::Auction;
        market.state = state;
        let (reply, id) = (asker.reply, market.def.id);
        market.events.push(Event::MarketStateChanged { reply, market: id, state });
        if state == MarketState::Continuous {
            market.uncross(says_price);
            market.enter_fired();
        }
        self.collect(at);
        Ok(())
    }
}
