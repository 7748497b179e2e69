//! What trading costs whom: tiers, the fee schedule, rates of single markets, and accounts' volumes.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Amount, Event, FeeRates, FeeSchedule, MarketId, Timestamp, VOLUME_DAYS};

/// Rates and the schedule, as operators have set them.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Fees {
    /// Tiers that were set.
    pub(crate) tiers: BTreeMap<u8, FeeRates>,
    /// Tiers that have rates of their own in a market.
    pub(crate) in_markets: BTreeMap<(MarketId, u8), FeeRates>,
    /// Empty if volumes are not counted.
    pub(crate) schedule: FeeSchedule,
}

impl Fees {
    /// Takes in an event about fees.
    pub(crate) fn apply(&mut self, event: &Event) {
        match *event {
            Event::FeeTierSet { tier, rates, .. } => {
                self.tiers.insert(tier, rates);
            }
            Event::MarketFeesSet { market, tier, rates: Some(rates), .. } => {
                self.in_markets.insert((market, tier), rates);
            }
            Event::MarketFeesSet { market, tier, rates: None, .. } => {
                self.in_markets.remove(&(market, tier));
            }
            Event::FeeScheduleSet { ref schedule, .. } => self.schedule = schedule.clone(),
            _ => {}
        }
    }

    /// The rates of a tier in a market.
    pub(crate) fn rates(&self, market: MarketId, tier: u8) -> FeeRates {
        let own = self.in_markets.get(&(market, tier));
        own.or_else(|| self.tiers.get(&tier)).copied().unwrap_or_default()
    }
}

/// What an account traded by day, as the ledger counted it: the days that may still matter.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Volumes {
    days: BTreeMap<u32, Amount>,
}

impl Volumes {
    /// A day's volume is now this.
    pub(crate) fn set(&mut self, day: u32, volume: Amount) {
        self.days.insert(day, volume);
        self.days.retain(|&of, _| of + VOLUME_DAYS > day);
    }

    /// The last 30 days with something traded, up to the day of `now`.
    pub(crate) fn days_at(&self, now: Timestamp) -> Vec<(u32, Amount)> {
        let today = now.as_days();
        let recent = self.days.iter().filter(|&(&day, _)| day + VOLUME_DAYS > today);
        recent.map(|(&day, &volume)| (day, volume)).collect()
    }
}

/// An account's fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFees {
    /// The tier of its next order, if it comes now.
    pub tier: u8,
    /// Whether an operator has pinned it there.
    pub pinned: bool,
    /// What it traded in the last 30 days, in the schedule's unit.
    pub volume: Amount,
    /// Of which days (since the Unix epoch) this is; oldest first.
    pub days: Vec<(u32, Amount)>,
}

impl AccountFees {
    /// As of `now`. An account that is pinned, or without a schedule, stays in the tier it is in.
    pub(crate) fn new(
        tier: u8,
        pinned: bool,
        volumes: &Volumes,
        schedule: &FeeSchedule,
        now: Timestamp,
    ) -> Self {
        let days = volumes.days_at(now);
        let sum = days.iter().fold(0_u128, |sum, (_, volume)| sum.saturating_add(volume.get()));
        let volume = Amount::new(sum);
        let led_to = if pinned { None } else { schedule.tier_of(volume) };
        Self { tier: led_to.unwrap_or(tier), pinned, volume, days }
    }
}
