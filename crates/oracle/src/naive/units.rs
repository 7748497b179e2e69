//! A change of a market's tick and lot with orders in the book (15).

use std::rc::Rc;

use types::{
    CancelCause, Conditions, Decimal, Event, MarketDef, OrderSpec, PlaceOrderList, Price, Quantity,
    Range, Redefinition, ReplyTo, Trigger,
};

use super::definitions::Units;
use super::market::Market;
use super::order::Order;

/// So many new units are so many old ones.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    new: u128,
    old: u128,
}

/// From the old counts to the new ones.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    price: Ratio,
    lots: Ratio,
    max_price: u64,
    max_lots: u64,
}

/// The definition after a change of units.
pub fn redefined(def: &MarketDef, to: &Redefinition) -> MarketDef {
    let Redefinition { tick, lot, max_price, max_quantity, bounds } = *to;
    let (bounds, version) = (bounds.unwrap_or(def.bounds), def.version + 1);
    MarketDef { tick, lot, max_price, max_quantity, bounds, version, ..def.clone() }
}

impl Change {
    /// None if the units stand in no fraction with terms below 2^64 (15.1).
    pub fn between(old: &MarketDef, new: &MarketDef) -> Option<Self> {
        Some(Self {
            price: Ratio::between(old.tick, new.tick)?,
            lots: Ratio::between(old.lot, new.lot)?,
            max_price: new.max_price.get(),
            max_lots: new.max_quantity.get(),
        })
    }

    fn price(&self, price: u64) -> Option<u64> {
        self.price.exactly(price).filter(|price| *price <= self.max_price)
    }

    fn lots(&self, lots: u64) -> Option<u64> {
        self.lots.exactly(lots)
    }

    /// As the last price: rounded down, at most the largest, none if it is zero (15.3).
    fn price_down(&self, price: u64) -> Option<u64> {
        let down = self.price.down(price.into()).min(self.max_price.into());
        u64::try_from(down).ok().filter(|price| *price > 0)
    }

    fn conditions(&self, conditions: &Conditions) -> Option<Conditions> {
        let mut new = *conditions;
        match &mut new.trigger {
            Some(
                Trigger::Rises { to }
                | Trigger::Falls { to }
                | Trigger::Trails { activation: Some(to), .. },
            ) => *to = Price::new(self.price(to.get())?),
            Some(Trigger::Trails { activation: None, .. }) | None => {}
        }
        for lots in [&mut new.visible, &mut new.minimum].into_iter().flatten() {
            *lots = Quantity::new(self.lots(lots.get())?);
        }
        Some(new)
    }

    /// An order in the new counts, if it fits (15.2). What has entered has no trigger and no minimum any
    /// more, though it was placed with one.
    fn order(&self, order: &Order, waits: bool) -> Option<Order> {
        let counted = match waits {
            true => order.conditions,
            false => Conditions { trigger: None, minimum: None, ..order.conditions },
        };
        let Conditions { trigger, visible, minimum, .. } = self.conditions(&counted)?;
        let mut new = order.clone();
        new.conditions = Conditions { visible, ..order.conditions };
        if waits {
            (new.conditions.trigger, new.conditions.minimum) = (trigger, minimum);
        }
        new.price = self.price(order.price)?;
        (new.remaining, new.filled) = (self.lots(order.remaining)?, self.lots(order.filled)?);
        new.shown = self.lots(order.shown)?;
        if let Some(reference) = order.reference.filter(|_| waits) {
            new.reference = Some(self.price(reference)?);
        }
        (new.remaining + new.filled <= self.max_lots).then_some(new)
    }

    /// What pends behind a working order in the new counts, if all of it fits (15.6).
    fn pending(&self, list: &PlaceOrderList, version: u32) -> Option<PlaceOrderList> {
        let mut new = PlaceOrderList { version, ..list.clone() };
        for leg in &mut new.pending {
            leg.conditions = self.conditions(&leg.conditions)?;
            match &mut leg.spec {
                OrderSpec::Limit { price, quantity, .. } => {
                    *price = Price::new(self.price(price.get())?);
                    *quantity = Quantity::new(self.total(quantity.get())?);
                }
                OrderSpec::MarketByQuantity { quantity, .. } => {
                    *quantity = Quantity::new(self.total(quantity.get())?);
                }
                OrderSpec::MarketByQuote { .. } => {}
            }
        }
        Some(new)
    }

    fn total(&self, lots: u64) -> Option<u64> {
        self.lots(lots).filter(|lots| *lots <= self.max_lots)
    }

    /// The least rounded up, the most down (15.3).
    fn range(&self, range: Range<Quantity>) -> Range<Quantity> {
        let count = |count: u128| Quantity::new(u64::try_from(count).unwrap_or(u64::MAX));
        Range {
            least: range.least.map(|least| count(self.lots.up(least.get().into()))),
            most: range.most.map(|most| count(self.lots.down(most.get().into()))),
        }
    }
}

impl Ratio {
    fn between(old: Decimal, new: Decimal) -> Option<Self> {
        let wide = |unit: Decimal, other: Decimal| {
            let places = u32::from(other.scale.saturating_sub(unit.scale));
            u128::from(unit.units).checked_mul(10_u128.checked_pow(places)?)
        };
        let (a, b) = (wide(old, new)?, wide(new, old)?);
        let (mut divisor, mut rest) = (a, b);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        let reduced = Self { new: a / divisor.max(1), old: b / divisor.max(1) };
        let simple = |term: u128| term > 0 && term < 1 << 64;
        (simple(reduced.new) && simple(reduced.old)).then_some(reduced)
    }

    fn down(self, count: u128) -> u128 {
        count * self.new / self.old
    }

    fn up(self, count: u128) -> u128 {
        (count * self.new).div_ceil(self.old)
    }

    fn exactly(self, count: u64) -> Option<u64> {
        let wide = u128::from(count) * self.new;
        let whole = wide.is_multiple_of(self.old);
        u64::try_from(wide / self.old).ok().filter(|_| whole)
    }
}

impl Market {
    /// The units change: what does not fit is cancelled, all else counts in the new ones.
    pub fn redefine(&mut self, def: MarketDef, units: Units) {
        let change = Change::between(&self.def, &def).expect("checked before");
        let resting = self.resting().filter(|order| {
            let list = self.lists.iter().find(|list| !list.is_pair() && list.orders[0] == order.id);
            let pends = list.is_none_or(|list| change.pending(&list.request, 0).is_some());
            change.order(order, false).is_none() || !pends
        });
        let waiting = self.waiting.iter().chain(&self.fired);
        let waiting = waiting.filter(|order| change.order(order, true).is_none());
        let mut unfit: Vec<_> = resting.chain(waiting).map(|order| order.id).collect();
        unfit.sort_unstable();
        for id in unfit {
            // One of a pair may have ended with the other.
            if self.open().any(|order| order.id == id) {
                self.end(id, ReplyTo::NOBODY, CancelCause::Redefined);
            }
        }
        self.count_anew(&change, def.version);
        let (old_tick, old_lot) = (self.def.tick, self.def.lot);
        (self.def, self.base_unit, self.quote_unit) = (def, units.base, units.quote);
        self.events.push(Event::MarketRedefined { market: self.def.clone(), old_tick, old_lot });
    }

    fn count_anew(&mut self, change: &Change, version: u32) {
        for (orders, waits) in [
            (&mut self.bids, false),
            (&mut self.asks, false),
            (&mut self.waiting, true),
            (&mut self.fired, true),
        ] {
            for order in orders {
                *order = change.order(order, waits).expect("it fits");
            }
        }
        for list in self.lists.iter_mut().filter(|list| !list.is_pair()) {
            let pending = change.pending(&list.request, version);
            list.request = Rc::new(pending.expect("its working order fits"));
        }
        self.last_price = self.last_price.and_then(|price| change.price_down(price));
        self.rules.limit_quantity = change.range(self.rules.limit_quantity);
        self.rules.market_quantity = change.range(self.rules.market_quantity);
        self.count_minutes_anew(change);
    }

    /// Each minute's trades count as one at their average (15.3).
    fn count_minutes_anew(&mut self, change: &Change) {
        let mut sums: Vec<(u64, u128, u128)> = Vec::new();
        for &(minute, price, lots) in &self.minutes {
            let (price, lots) = (u128::from(price), u128::from(lots));
            match sums.last_mut().filter(|sum| sum.0 == minute) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + price * lots, sum.2 + lots),
                None => sums.push((minute, price * lots, lots)),
            }
        }
        self.minutes = sums
            .into_iter()
            .filter_map(|(minute, worth, lots)| {
                let average = u64::try_from(worth / lots).expect("it was a price");
                let lots = u64::try_from(change.lots.down(lots)).unwrap_or(u64::MAX);
                Some((minute, change.price_down(average)?, lots)).filter(|sum| sum.2 > 0)
            })
            .collect();
    }
}
