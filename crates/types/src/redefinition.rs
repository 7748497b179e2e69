//! A change of a market's tick and lot, and what becomes of prices and quantities by it.
//!
//! Invariant: what is converted exactly is worth the same number of atoms before and after, since a
//! price times its tick and a quantity times its lot stay what they were.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    Conditions, Decimal, MarketBounds, MarketDef, MarketRules, OrderSpec, Price, Quantity, Range,
    Trigger,
};

/// New units and bounds of a market. All else of its definition stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Redefinition {
    /// The step of prices.
    pub tick: Decimal,
    /// The step of quantities.
    pub lot: Decimal,
    /// Largest price of an order, in new ticks.
    pub max_price: Price,
    /// Largest quantity of an order, in new lots.
    pub max_quantity: Quantity,
    /// Bounds of the book; none: as they are.
    pub bounds: Option<MarketBounds>,
}

impl MarketDef {
    /// The definition after `change`, under the next version.
    #[must_use]
    pub fn redefined(&self, change: &Redefinition) -> Self {
        Self {
            tick: change.tick,
            lot: change.lot,
            max_price: change.max_price,
            max_quantity: change.max_quantity,
            bounds: change.bounds.unwrap_or(self.bounds),
            version: self.version + 1,
            ..self.clone()
        }
    }
}

/// How counts of old ticks and lots become counts of new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Conversion {
    price: Ratio,
    quantity: Ratio,
}

/// A reduced fraction: so many new units for so many old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Ratio {
    new: u64,
    old: u64,
}

impl Conversion {
    /// From ticks and lots of these sizes to others: `(tick, lot)` each. None if a ratio of them has no
    /// terms below 2^64, or a unit is zero.
    #[must_use]
    pub fn between(old: (Decimal, Decimal), new: (Decimal, Decimal)) -> Option<Self> {
        let price = Ratio::between(old.0, new.0)?;
        let quantity = Ratio::between(old.1, new.1)?;
        Some(Self { price, quantity })
    }

    /// The same price in new ticks, if it is a whole number of them.
    #[must_use]
    pub fn price(&self, price: Price) -> Option<Price> {
        self.price.exactly(price.get()).map(Price::new)
    }

    /// The same quantity in new lots, if it is a whole number of them.
    #[must_use]
    pub fn quantity(&self, quantity: Quantity) -> Option<Quantity> {
        self.quantity.exactly(quantity.get()).map(Quantity::new)
    }

    /// A price in new ticks, rounded down, and at most the largest number.
    #[must_use]
    pub fn price_down(&self, price: Price) -> Price {
        Price::new(narrow(self.price.down(price.get().into())))
    }

    /// A quantity in new lots, rounded down, and at most the largest number.
    #[must_use]
    pub fn quantity_down(&self, quantity: Quantity) -> Quantity {
        Quantity::new(narrow(self.quantity.down(quantity.get().into())))
    }

    /// A sum of quantities in new lots, rounded down. Saturates.
    #[must_use]
    pub fn lots_down(&self, lots: u128) -> u128 {
        self.quantity.down(lots)
    }

    /// An order's price and quantity, if both are whole numbers.
    #[must_use]
    pub fn spec(&self, mut spec: OrderSpec) -> Option<OrderSpec> {
        match &mut spec {
            OrderSpec::Limit { price, quantity, .. } => {
                (*price, *quantity) = (self.price(*price)?, self.quantity(*quantity)?);
            }
            OrderSpec::MarketByQuantity { quantity, .. } => *quantity = self.quantity(*quantity)?,
            OrderSpec::MarketByQuote { .. } => {}
        }
        Some(spec)
    }

    /// An order's conditions, if their prices and quantities are whole numbers.
    #[must_use]
    pub fn conditions(&self, mut conditions: Conditions) -> Option<Conditions> {
        match &mut conditions.trigger {
            Some(Trigger::Rises { to } | Trigger::Falls { to }) => *to = self.price(*to)?,
            Some(Trigger::Trails { activation: Some(at), .. }) => *at = self.price(*at)?,
            Some(Trigger::Trails { activation: None, .. }) | None => {}
        }
        for quantity in [&mut conditions.visible, &mut conditions.minimum].into_iter().flatten() {
            *quantity = self.quantity(*quantity)?;
        }
        Some(conditions)
    }

    /// An order's price and quantity as near as they come: rounded down.
    #[must_use]
    pub fn spec_down(&self, mut spec: OrderSpec) -> OrderSpec {
        match &mut spec {
            OrderSpec::Limit { price, quantity, .. } => {
                *price = self.price_down(*price);
                *quantity = self.quantity_down(*quantity);
            }
            OrderSpec::MarketByQuantity { quantity, .. } => {
                *quantity = self.quantity_down(*quantity);
            }
            OrderSpec::MarketByQuote { .. } => {}
        }
        spec
    }

    /// An order's conditions as near as they come: rounded down.
    #[must_use]
    pub fn conditions_down(&self, mut conditions: Conditions) -> Conditions {
        match &mut conditions.trigger {
            Some(
                Trigger::Rises { to }
                | Trigger::Falls { to }
                | Trigger::Trails { activation: Some(to), .. },
            ) => *to = self.price_down(*to),
            Some(Trigger::Trails { activation: None, .. }) | None => {}
        }
        for quantity in [&mut conditions.visible, &mut conditions.minimum].into_iter().flatten() {
            *quantity = self.quantity_down(*quantity);
        }
        conditions
    }

    /// Rules with their bounds of quantities in new lots: the least rounded up, the most down, so that
    /// nothing passes that did not pass before.
    #[must_use]
    pub fn rules(&self, rules: &MarketRules) -> MarketRules {
        let range = |range: Range<Quantity>| Range {
            least: range.least.map(|least| Quantity::new(self.quantity.up(least.get()))),
            most: range.most.map(|most| self.quantity_down(most)),
        };
        MarketRules {
            limit_quantity: range(rules.limit_quantity),
            market_quantity: range(rules.market_quantity),
            ..*rules
        }
    }
}

impl Ratio {
    fn between(old: Decimal, new: Decimal) -> Option<Self> {
        let widened = |unit: Decimal, other: Decimal| {
            let places = u32::from(other.scale.saturating_sub(unit.scale));
            u128::from(unit.units).checked_mul(10_u128.checked_pow(places)?)
        };
        let (old_size, new_size) = (widened(old, new)?, widened(new, old)?);
        if old_size == 0 || new_size == 0 {
            return None;
        }
        // The larger the unit, the fewer of them.
        let divisor = greatest_common_divisor(old_size, new_size);
        let (new, old) = (old_size / divisor, new_size / divisor);
        Some(Self { new: new.try_into().ok()?, old: old.try_into().ok()? })
    }

    fn exactly(self, count: u64) -> Option<u64> {
        if !count.is_multiple_of(self.old) {
            return None;
        }
        (count / self.old).checked_mul(self.new)
    }

    fn down(self, count: u128) -> u128 {
        let (old, new) = (u128::from(self.old), u128::from(self.new));
        let rest = count % old * new / old;
        (count / old).saturating_mul(new).saturating_add(rest)
    }

    fn up(self, count: u64) -> u64 {
        narrow((u128::from(count) * u128::from(self.new)).div_ceil(self.old.into()))
    }
}

fn narrow(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversion(old: (&str, &str), new: (&str, &str)) -> Conversion {
        let unit = |text: &str| text.parse().unwrap();
        Conversion::between((unit(old.0), unit(old.1)), (unit(new.0), unit(new.1))).unwrap()
    }

    #[test]
    fn what_is_no_whole_number_of_new_units_is_not_converted() {
        let coarser = conversion(("0.01", "0.1"), ("0.05", "0.25"));
        assert_eq!(coarser.price(Price::new(105)), Some(Price::new(21)));
        assert_eq!(coarser.price(Price::new(104)), None);
        assert_eq!(coarser.price_down(Price::new(104)), Price::new(20));
        assert_eq!(coarser.quantity(Quantity::new(5)), Some(Quantity::new(2)));
        assert_eq!(coarser.quantity(Quantity::new(6)), None);
        let finer = conversion(("0.05", "0.25"), ("0.010", "0.05"));
        assert_eq!(finer.price(Price::new(21)), Some(Price::new(105)));
        assert_eq!(finer.quantity(Quantity::new(2)), Some(Quantity::new(10)));
        assert_eq!(finer.price(Price::MAX), None, "it does not fit");
        assert_eq!(finer.price_down(Price::MAX), Price::MAX);
    }

    #[test]
    fn bounds_of_rules_are_rounded_to_the_strict_side() {
        let range = |least, most| Range {
            least: Some(Quantity::new(least)),
            most: Some(Quantity::new(most)),
        };
        let rules = MarketRules { limit_quantity: range(3, 9), ..MarketRules::default() };
        let coarser = conversion(("1", "1"), ("1", "2"));
        assert_eq!(coarser.rules(&rules).limit_quantity, range(2, 4));
    }

    #[test]
    fn units_without_a_simple_ratio_are_refused() {
        let prime = Decimal::new(18_446_744_073_709_551_557, 18);
        let other = Decimal::new(18_446_744_073_709_551_533, 0);
        let one = Decimal::new(1, 0);
        assert_eq!(Conversion::between((prime, one), (other, one)), None);
        assert_eq!(Conversion::between((one, one), (Decimal::new(0, 0), one)), None);
    }
}
