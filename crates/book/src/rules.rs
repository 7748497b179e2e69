//! The operator's rules: what an order may be besides what the definition can carry.

use std::collections::VecDeque;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    Admit, Amount, Conditions, Conversion, MarketRules, OrderSpec, Price, Quantity, RejectCode,
    Side, Timestamp, Trigger,
};

use crate::admit::{Checked, ensure};
use crate::market::Market;

const NANOS_PER_MINUTE: u64 = 60_000_000_000;

impl Market {
    /// From now on these rules hold. What rests stays as it is.
    pub fn set_rules(&mut self, rules: MarketRules) {
        self.rules = rules;
        self.has_rules = rules != MarketRules::default();
        let window = rules.price_band.map_or(0, |band| band.window_minutes);
        self.average.keep(window.into());
    }

    /// The rules that hold.
    #[must_use]
    pub fn rules(&self) -> &MarketRules {
        &self.rules
    }

    /// Quantity, worth and parts of a new order.
    #[inline]
    pub(crate) fn check_rules(&self, admit: &Admit) -> Checked {
        if !self.has_rules {
            return Ok(());
        }
        match admit.spec {
            OrderSpec::Limit { price, quantity, .. } => {
                self.check_limit_rules(price, quantity, admit.conditions.visible)
            }
            OrderSpec::MarketByQuantity { quantity, .. } => {
                let range = self.rules.market_quantity;
                ensure(!range.is_below(quantity), RejectCode::QuantityBelowMinimum)?;
                ensure(!range.is_above(quantity), RejectCode::QuantityAboveMaximum)?;
                let price = match admit.conditions.trigger {
                    Some(Trigger::Rises { to } | Trigger::Falls { to }) => Some(to),
                    Some(Trigger::Trails { .. }) | None => self.last_price,
                };
                let notional = price.map(|price| self.scaling.notional(price, quantity));
                notional.map_or(Ok(()), |notional| self.check_notional(notional))
            }
            OrderSpec::MarketByQuote { quote, .. } => self.check_notional(quote),
        }
    }

    /// The same for a limit order, new or amended, of so many lots in all.
    pub(crate) fn check_limit_rules(
        &self,
        price: Price,
        quantity: Quantity,
        visible: Option<Quantity>,
    ) -> Checked {
        let range = self.rules.limit_quantity;
        ensure(!range.is_below(quantity), RejectCode::QuantityBelowMinimum)?;
        ensure(!range.is_above(quantity), RejectCode::QuantityAboveMaximum)?;
        self.check_worth(price, quantity)?;
        let (Some(visible), Some(most)) = (visible, self.rules.max_iceberg_parts) else {
            return Ok(());
        };
        let parts = quantity.get().div_ceil(visible.get());
        ensure(parts <= most.into(), RejectCode::TooManyIcebergParts)
    }

    /// The worth of so many lots at a limit.
    pub(crate) fn check_worth(&self, price: Price, quantity: Quantity) -> Checked {
        self.check_notional(self.scaling.notional(price, quantity))
    }

    fn check_notional(&self, notional: Amount) -> Checked {
        let range = self.rules.notional;
        ensure(!range.is_below(notional), RejectCode::NotionalBelowMinimum)?;
        ensure(!range.is_above(notional), RejectCode::NotionalAboveMaximum)
    }

    /// Whether a limit price is near enough to the average of the last minutes, or else to the last
    /// price. In a market without trades there is nothing to be near to.
    pub(crate) fn check_band(&self, side: Side, price: Price) -> Checked {
        let Some(band) = self.rules.price_band else {
            return Ok(());
        };
        let Some(reference) = self.average.at(self.now).or(self.last_price) else {
            return Ok(());
        };
        let distance = match side {
            Side::Buy => band.buy,
            Side::Sell => band.sell,
        };
        let is_near = distance.allows(reference.get(), price.get());
        ensure(is_near, RejectCode::PriceOutOfBand)
    }

    /// An order as it came, or with the date that the rules set.
    pub(crate) fn with_age(&self, admit: &Admit) -> Admit {
        self.latest_date().map_or_else(|| admit.clone(), |date| aged(admit, date))
    }

    /// The date that the rules set for what comes now without one.
    pub(crate) fn latest_date(&self) -> Option<Timestamp> {
        let seconds = self.rules.max_order_age_seconds?;
        Some(Timestamp(self.now.0.saturating_add(u64::from(seconds) * 1_000_000_000)))
    }
}

/// An order as it came, or with this date if it has none and rests or waits.
pub(crate) fn aged(admit: &Admit, date: Timestamp) -> Admit {
    let mut aged = admit.clone();
    let may_stay = admit.conditions.trigger.is_some() || admit.spec.may_rest();
    if may_stay && admit.conditions.expires_at.is_none() {
        let expires_at = Some(date);
        aged.conditions = Conditions { expires_at, ..*admit.conditions }.into();
    }
    aged
}

/// The average price of the last minutes, weighted by lots.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct AveragePrice {
    /// How many minutes it looks back on, the current one included; zero: nothing is kept.
    minutes: u64,
    /// Oldest first.
    trades: VecDeque<MinuteTrades>,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
struct MinuteTrades {
    minute: u64,
    /// Sum of ticks times lots.
    weighted: u128,
    lots: u128,
}

impl AveragePrice {
    /// Its trades count on as if each minute's had all been made at their average, rounded down, in new
    /// ticks; a minute of less than a new lot counts no more.
    pub(crate) fn convert(&mut self, conversion: &Conversion, max_price: Price) {
        for trades in &mut self.trades {
            let average = Price::new(narrow(trades.weighted / trades.lots));
            trades.lots = conversion.lots_down(trades.lots);
            let price = conversion.price_down(average).min(max_price).get();
            trades.weighted = u128::from(price).saturating_mul(trades.lots);
        }
        // What is worth nothing was for less than a new lot or at less than a new tick.
        self.trades.retain(|trades| trades.weighted > 0);
    }

    fn keep(&mut self, minutes: u64) {
        self.minutes = minutes;
        if minutes == 0 {
            self.trades.clear();
        }
    }

    #[inline]
    pub(crate) fn traded(&mut self, now: Timestamp, price: Price, lots: Quantity) {
        if self.minutes > 0 {
            self.add(now.0 / NANOS_PER_MINUTE, price, lots);
        }
    }

    fn add(&mut self, minute: u64, price: Price, lots: Quantity) {
        let weighted = u128::from(price.get()) * u128::from(lots.get());
        let lots = u128::from(lots.get());
        match self.trades.back_mut() {
            Some(last) if last.minute == minute => {
                last.weighted = last.weighted.saturating_add(weighted);
                last.lots += lots;
            }
            _ => self.trades.push_back(MinuteTrades { minute, weighted, lots }),
        }
        while self.trades.front().is_some_and(|oldest| oldest.minute + self.minutes <= minute) {
            self.trades.pop_front();
        }
    }

    /// Rounded down to a tick; none without trades.
    fn at(&self, now: Timestamp) -> Option<Price> {
        let minute = now.0 / NANOS_PER_MINUTE;
        let current = self.trades.iter().filter(|trades| trades.minute + self.minutes > minute);
        let (weighted, lots) = current.fold((0_u128, 0_u128), |sum, trades| {
            (sum.0.saturating_add(trades.weighted), sum.1 + trades.lots)
        });
        let average = weighted.checked_div(lots)?;
        Some(Price::new(narrow(average)))
    }
}

fn narrow(average: u128) -> u64 {
    u64::try_from(average).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_of_trades_leaves_the_average_by_itself() {
        let mut average = AveragePrice::default();
        average.keep(2);
        let at = |minute: u64| Timestamp(minute * NANOS_PER_MINUTE + 7);
        for (minute, price, lots) in [(0, 100, 3), (0, 200, 1), (1, 400, 4)] {
            average.traded(at(minute), Price::new(price), Quantity::new(lots));
        }
        assert_eq!(average.trades.len(), 2, "trades of a minute are kept as one");
        let seen = |average: &AveragePrice| [1, 2, 3].map(|minute| average.at(at(minute)));
        // (3 x 100 + 200 + 4 x 400) / 8, rounded down.
        let expected = [Some(Price::new(262)), Some(Price::new(400)), None];
        assert_eq!(seen(&average), expected);
        // The same when what is too old has been dropped.
        average.traded(at(2), Price::new(500), Quantity::new(4));
        assert_eq!(average.at(at(2)), Some(Price::new(450)));
        assert_eq!(average.trades.len(), 2);
    }
}
