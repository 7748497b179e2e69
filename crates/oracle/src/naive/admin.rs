//! What operators ask: accounts, states and rules of markets.

use types::{AccountId, Event, MarketRules, MarketState, Range, RejectCode, Timestamp};

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
        self.accounts.push(Account { id: asker.account, tier, ..Account::default() });
        let account = AccountId(asker.account);
        self.events.push(Event::AccountCreated { reply: asker.reply, account, fee_tier: tier });
        Ok(())
    }

    pub(super) fn account_mut(&mut self, id: u32) -> &mut Account {
        self.accounts.iter_mut().find(|account| account.id == id).expect("it was found before")
    }

    pub(super) fn freeze_account(&mut self, asker: &Asker, frozen: bool) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        self.account_mut(asker.account).frozen = frozen;
        let account = AccountId(asker.account);
        self.events.push(Event::AccountFrozen { reply: asker.reply, account, frozen });
        Ok(())
    }

    /// Any state but the present one.
    pub(super) fn set_market_state(
        &mut self,
        asker: &Asker,
        state: MarketState,
    ) -> Result<(), RejectCode> {
        let at = self.open_market(asker.market)?;
        let market = &mut self.markets[at];
        if market.state == state || state == MarketState::Delisted {
            return Err(RejectCode::WrongState);
        }
        market.way = None;
        market.change_state(asker.reply, state);
        self.collect(at);
        Ok(())
    }

    /// A change of state at a time to come (7.3).
    pub(super) fn plan_market_state(
        &mut self,
        asker: &Asker,
        at: Timestamp,
        state: Option<MarketState>,
    ) -> Result<(), RejectCode> {
        let place = self.open_market(asker.market)?;
        let market = &mut self.markets[place];
        let known = market.plans.iter().any(|plan| plan.0 == at);
        let possible = match state {
            Some(MarketState::Delisted) => false,
            Some(_) => at > self.now && (known || market.plans.len() < 64),
            None => known,
        };
        if !possible {
            return Err(RejectCode::PlanRefused);
        }
        market.plans.retain(|plan| plan.0 != at);
        market.plans.extend(state.map(|state| (at, state)));
        let (reply, market) = (asker.reply, market.def.id);
        self.events.push(Event::MarketStatePlanned { reply, market, at, state });
        Ok(())
    }

    /// All rules of a market anew (11).
    pub(super) fn set_market_rules(
        &mut self,
        asker: &Asker,
        rules: &MarketRules,
    ) -> Result<(), RejectCode> {
        let at = self.open_market(asker.market)?;
        if !are_possible(rules) {
            return Err(RejectCode::InvalidDefinition);
        }
        let market = &mut self.markets[at];
        market.rules = *rules;
        market.forget_minutes();
        let (reply, market) = (asker.reply, market.def.id);
        self.events.push(Event::MarketRulesSet { reply, market, rules: Box::new(*rules) });
        Ok(())
    }
}

/// Whether rules are in their ranges and could let an order pass.
fn are_possible(rules: &MarketRules) -> bool {
    fn ordered<T: PartialOrd>(range: &Range<T>) -> bool {
        match (&range.least, &range.most) {
            (Some(least), Some(most)) => least <= most,
            _ => true,
        }
    }
    ordered(&rules.limit_quantity)
        && ordered(&rules.market_quantity)
        && ordered(&rules.notional)
        && rules.price_band.is_none_or(|band| (1..=1_440).contains(&band.window_minutes))
        && rules.interruption.is_none_or(|interruption| interruption.auction_seconds != 0)
        && rules.reopening.is_none_or(|way| way.cancel_only_seconds > 0 && way.auction_seconds > 0)
        && rules.max_iceberg_parts != Some(0)
        && rules.max_order_age_seconds != Some(0)
}
