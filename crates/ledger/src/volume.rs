//! What an account traded on each of the last 30 days, and the fee tier that it leads to.
//!
//! Days are UTC days of the log's time at the entry that settles a trade here. Nothing is kept of an
//! account that has not traded in a market that counts.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Amount, Effects, Event, FeeRates, FeeSchedule, Fill, MarketId, Timestamp,
    VOLUME_DAYS,
};

use crate::account::Account;
use crate::ledger::{Context, Ledger};
use crate::slot::SlotMut;

/// Volumes of 30 days, in the unit of the fee schedule. Sums stop at the largest integer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Volume {
    /// The last day that the ring has a place for.
    day: u32,
    /// Whether it changed in the entry being applied. Never set between entries.
    touched: bool,
    /// Of all days in the ring.
    sum: Amount,
    /// Day `d` is at `d % 30`. Days that fell out are zero.
    days: [Amount; VOLUME_DAYS as usize],
}

impl Volume {
    fn new(day: u32) -> Self {
        let days = [Amount::ZERO; VOLUME_DAYS as usize];
        Self { day, touched: false, sum: Amount::ZERO, days }
    }

    /// Lets the days fall out that are 30 or more before `today`. At most 30 steps once a day.
    fn roll(&mut self, today: u32) {
        if today == self.day {
            return;
        }
        let passed = (today - self.day).min(VOLUME_DAYS);
        for day in (0..passed).map(|back| today - back) {
            self.days[place(day)] = Amount::ZERO;
        }
        self.day = today;
        self.sum = self.days.iter().fold(Amount::ZERO, |sum, &day| saturating_add(sum, day));
    }

    /// Counts what was traded on the ring's last day.
    fn count(&mut self, volume: Amount) {
        let today = &mut self.days[place(self.day)];
        *today = saturating_add(*today, volume);
        self.sum = saturating_add(self.sum, volume);
    }

    /// The last 30 days, as of the ring's last day.
    #[cfg(test)]
    fn sum(&self) -> Amount {
        self.sum
    }
}

impl Account {
    /// What it traded in the 30 days up to `now`.
    fn volume_at(&mut self, now: Timestamp) -> Amount {
        match &mut self.volume {
            Some(volume) => {
                volume.roll(now.as_days());
                volume.sum
            }
            None => Amount::ZERO,
        }
    }
}

impl Ledger {
    /// Counts one side of a trade for its account's volume.
    pub(crate) fn count_volume(
        &mut self,
        schedule: &FeeSchedule,
        now: Timestamp,
        fill: &Fill,
        buys: bool,
    ) {
        let (quote, traded) = match buys {
            true => (fill.debit_asset, fill.debit),
            false => (fill.credit_asset, fill.credit),
        };
        let units = schedule.volume_of(quote, traded);
        if units.is_zero() {
            return;
        }
        let today = now.as_days();
        let slot = self.slot_mut(fill.account);
        let owner = slot.state.account_mut(fill.account).expect("it has a hold");
        let volume = owner.volume.get_or_insert_with(|| Box::new(Volume::new(today)));
        volume.roll(today);
        volume.count(units);
        if !std::mem::replace(&mut volume.touched, true) {
            self.traded.push(fill.account);
        }
    }

    /// States every volume that changed since the last call, once.
    pub(crate) fn emit_volumes(&mut self, fx: &mut Effects) {
        for index in 0..self.traded.len() {
            let account = self.traded[index];
            let owner = self.slot_mut(account).state.account_mut(account).expect("it traded");
            let volume = owner.volume.as_mut().expect("it traded");
            volume.touched = false;
            let (day, volume) = (volume.day, volume.days[place(volume.day)]);
            fx.emit(Event::VolumeChanged { account, day, volume });
        }
        self.traded.clear();
    }
}

impl SlotMut<'_> {
    /// The rates of an order that is about to be admitted, in the tier that its account's volume leads to
    /// now, unless an operator has pinned the account to one.
    #[inline]
    pub fn rates_for(
        &mut self,
        ctx: &Context<'_>,
        account: AccountId,
        market: MarketId,
        fx: &mut Effects,
    ) -> FeeRates {
        let owner = self.state.account_mut(account).expect("checked before");
        if let Some(schedule) = ctx.definitions.fee_schedule()
            && !owner.is_pinned
        {
            let volume = owner.volume_at(ctx.now);
            let fee_tier = schedule.tier_of(volume).expect("it is not empty");
            if fee_tier != owner.fee_tier {
                owner.fee_tier = fee_tier;
                fx.emit(Event::FeeTierChanged { account, fee_tier, volume });
            }
        }
        ctx.definitions.fee_rates_in(market, owner.fee_tier)
    }
}

fn place(day: u32) -> usize {
    (day % VOLUME_DAYS) as usize
}

fn saturating_add(a: Amount, b: Amount) -> Amount {
    Amount::new(a.get().saturating_add(b.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_falls_out_on_the_thirtieth_day_after_it() {
        let mut volume = Volume::new(100);
        volume.count(Amount::new(5));
        volume.roll(101);
        volume.count(Amount::new(7));
        volume.roll(129);
        assert_eq!(volume.sum(), Amount::new(12));
        volume.roll(130);
        assert_eq!(volume.sum(), Amount::new(7));
        volume.roll(131);
        assert_eq!(volume.sum(), Amount::ZERO);
    }

    #[test]
    fn a_long_absence_leaves_nothing() {
        for days in [30, 31, 59, 60, 10_000] {
            let mut volume = Volume::new(7);
            volume.count(Amount::new(5));
            volume.roll(7 + days);
            assert_eq!(volume, Volume::new(7 + days));
        }
    }

    #[test]
    fn each_day_is_the_sum_of_a_ring_of_thirty() {
        let mut volume = Volume::new(0);
        let traded = |day: u32| Amount::new(u128::from(day * day % 97));
        for day in 0..200_u32 {
            volume.roll(day);
            volume.count(traded(day));
            let last = (day.saturating_sub(29)..=day).map(traded);
            assert_eq!(volume.sum(), last.fold(Amount::ZERO, |a, b| a + b), "day {day}");
        }
    }

    #[test]
    fn sums_stop_at_the_largest_integer_and_come_back() {
        let mut volume = Volume::new(0);
        volume.count(Amount::MAX);
        volume.roll(1);
        volume.count(Amount::new(3));
        assert_eq!(volume.sum(), Amount::MAX);
        volume.roll(30);
        assert_eq!(volume.sum(), Amount::new(3));
    }
}
