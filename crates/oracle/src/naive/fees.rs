//! What trading costs: tiers, rates of markets, and the tier that an account's volume leads to (10.3,
//! 10.6 to 10.11).

use types::{AccountId, Amount, AssetId, Event, Fee, FeeRates, FeeSchedule, RejectCode, Trade};

use super::{Account, Asker, Exchange};

const NANOS_PER_DAY: u64 = 86_400_000_000_000;
const MILLION: u128 = 1_000_000;
/// A volume is that of today and the 29 days before.
const DAYS: u64 = 30;

/// A fee is rounded up to the next atom; the atom beyond the exact fee rounded down is rounding (10.4).
pub fn fee(received: u128, rate: u128) -> Fee {
    let exact = received * rate;
    let (down, up) = (exact / MILLION, exact.div_ceil(MILLION));
    Fee::Paid { income: Amount::new(down), rounded_up: up > down }
}

/// What a maker gets out of the fee that its taker pays for what that one receives (10.6).
pub fn rebate(taker_receives: u128, rate: u128, taker_pays: Fee) -> Fee {
    let income = match taker_pays {
        Fee::Paid { income, .. } => income.get(),
        Fee::Rebate { .. } => 0,
    };
    match (taker_receives * rate / MILLION).min(income) {
        0 => fee(0, 0),
        amount => Fee::Rebate { amount: Amount::new(amount) },
    }
}

impl Exchange {
    /// What an order of the account pays in the market from now on (10.3, 10.7).
    pub(super) fn rates(&self, account: &Account, market: u32) -> FeeRates {
        let own = self.market_fees.iter().find(|set| (set.0, set.1) == (market, account.tier));
        let tiers = self.tiers.iter().find(|set| set.0 == account.tier);
        own.map(|set| set.2).or(tiers.map(|set| set.1)).unwrap_or_default()
    }

    /// An order is accepted: its account goes into the tier that its volume leads to (10.9).
    pub(super) fn follow_volume(&mut self, id: u32) {
        let volume = self.volume_of(id);
        let reached = self.schedule.steps.iter().rfind(|step| step.least.get() <= volume);
        let Some(tier) = reached.map(|step| step.tier) else { return };
        let account = self.account_mut(id);
        if account.pinned || account.tier == tier {
            return;
        }
        account.tier = tier;
        self.events.push(Event::FeeTierChanged {
            account: AccountId(id),
            fee_tier: tier,
            volume: Amount::new(volume),
        });
    }

    fn today(&self) -> u64 {
        self.now.0 / NANOS_PER_DAY
    }

    fn volume_of(&self, id: u32) -> u128 {
        let today = self.today();
        let traded = self.account(id).map_or(&[][..], |account| &account.traded);
        let days = traded.iter().filter(|(day, _)| day + DAYS > today);
        days.fold(0, |sum, (_, volume)| sum.saturating_add(*volume))
    }

    /// What an account traded on a day.
    pub fn traded_on(&self, id: u32, day: u64) -> u128 {
        let traded = self.account(id).map_or(&[][..], |account| &account.traded);
        traded.iter().find(|row| row.0 == day).map_or(0, |row| row.1)
    }

    /// Both sides of a trade count, unless it is between orders of one account (10.8).
    pub(super) fn count_volume(&mut self, trade: &Trade, quote: AssetId) {
        let (buyer, seller) = (trade.buyer.account.0, trade.seller.account.0);
        let factor = self.schedule.factors.iter().find(|factor| factor.quote == quote);
        let Some(factor) = factor.filter(|_| buyer != seller && !self.schedule.steps.is_empty())
        else {
            return;
        };
        let exact = trade.quote_amount.get() * u128::from(factor.numerator);
        let units = exact / u128::from(factor.denominator);
        if units == 0 {
            return;
        }
        let day = self.today();
        for id in [buyer, seller] {
            let traded = &mut self.account_mut(id).traded;
            match traded.iter_mut().find(|row| row.0 == day) {
                Some(row) => row.1 = row.1.saturating_add(units),
                None => traded.push((day, units)),
            }
            self.traded.push((id, day));
        }
    }

    pub(super) fn check_tier(&self, tier: u8) -> Result<(), RejectCode> {
        let known = tier == 0 || self.tiers.iter().any(|set| set.0 == tier);
        if known { Ok(()) } else { Err(RejectCode::UnknownFeeTier) }
    }

    pub(super) fn set_account_tier(
        &mut self,
        asker: &Asker,
        tier: Option<u8>,
    ) -> Result<(), RejectCode> {
        tier.map_or(Ok(()), |tier| self.check_tier(tier))?;
        self.account(asker.account)?;
        let account = self.account_mut(asker.account);
        account.pinned = tier.is_some();
        account.tier = tier.unwrap_or(account.tier);
        let (fee_tier, pinned) = (account.tier, account.pinned);
        let (reply, account) = (asker.reply, AccountId(asker.account));
        self.events.push(Event::AccountFeeTierSet { reply, account, fee_tier, pinned });
        Ok(())
    }

    pub(super) fn set_fee_tier(
        &mut self,
        asker: &Asker,
        tier: u8,
        rates: FeeRates,
    ) -> Result<(), RejectCode> {
        check_rates(rates)?;
        self.tiers.retain(|set| set.0 != tier);
        self.tiers.push((tier, rates));
        self.events.push(Event::FeeTierSet { reply: asker.reply, tier, rates });
        Ok(())
    }

    /// Rates of a tier in one market, or the tier's own again (10.7).
    pub(super) fn set_market_fees(
        &mut self,
        asker: &Asker,
        tier: u8,
        rates: Option<FeeRates>,
    ) -> Result<(), RejectCode> {
        let at = self.open_market(asker.market)?;
        self.check_tier(tier)?;
        rates.map_or(Ok(()), check_rates)?;
        self.market_fees.retain(|set| (set.0, set.1) != (asker.market, tier));
        self.market_fees.extend(rates.map(|rates| (asker.market, tier, rates)));
        let (reply, market) = (asker.reply, self.markets[at].def.id);
        self.events.push(Event::MarketFeesSet { reply, market, tier, rates });
        Ok(())
    }

    /// A schedule in the place of the one before (10.11).
    pub(super) fn set_fee_schedule(
        &mut self,
        asker: &Asker,
        schedule: &FeeSchedule,
    ) -> Result<(), RejectCode> {
        for step in &schedule.steps {
            self.check_tier(step.tier)?;
        }
        let known = |id| self.assets.iter().any(|asset| asset.id == id);
        if !schedule.factors.iter().all(|factor| known(factor.quote)) {
            return Err(RejectCode::UnknownAsset);
        }
        if !rises(schedule) {
            return Err(RejectCode::InvalidDefinition);
        }
        self.schedule = schedule.clone();
        let (reply, schedule) = (asker.reply, schedule.clone());
        self.events.push(Event::FeeScheduleSet { reply, schedule });
        Ok(())
    }
}

fn check_rates(rates: FeeRates) -> Result<(), RejectCode> {
    let fine = (-1_000_000..=1_000_000).contains(&rates.maker.0) && rates.taker.0 <= 1_000_000;
    if fine { Ok(()) } else { Err(RejectCode::InvalidDefinition) }
}

/// The form of a schedule (10.11).
fn rises(schedule: &FeeSchedule) -> bool {
    let FeeSchedule { steps, factors } = schedule;
    let mut tiers: Vec<_> = steps.iter().map(|step| step.tier).collect();
    tiers.sort_unstable();
    steps.len() <= 64
        && factors.len() <= 1_024
        && steps.first().is_none_or(|step| step.least.get() == 0)
        && steps.windows(2).all(|two| two[0].least.get() < two[1].least.get())
        && tiers.windows(2).all(|two| two[0] != two[1])
        && factors.windows(2).all(|two| two[0].quote < two[1].quote)
        && factors.iter().all(|factor| factor.numerator > 0 && factor.denominator > 0)
}
