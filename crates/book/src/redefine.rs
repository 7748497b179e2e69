//! A change of the market's units with orders in the book. Each open order is the same afterwards, in other
//! counts, or it is cancelled: nothing of an order is ever rounded.
//!
//! It goes in steps, so many in an entry as its work allows, and until it is done the market takes nothing
//! else: 1. find those that do not fit; 2. cancel them, by id; 3. move the others, in priority order, into
//! a book of the new units.
//!
//! Invariant: what an order holds is worth the same atoms before and after.

use std::collections::BTreeSet;
use std::io;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, CancelCause, Conditions, Conversion, Effects, Event, MarketDef, OrderId, OrderSpec,
    PlaceOrderList, Price, Quantity, ReplyTo, Scaling, Side, Trigger,
};

use crate::book::Book;
use crate::market::{Market, Work};
use crate::order::RestingOrder;
use crate::snapshot::{Pending, read_book, read_waiting, write_book, write_waiting};
use crate::waiting::{Waiting, WaitingOrder};

/// A change of units under way.
pub(crate) struct Redefining {
    units: NewUnits,
    stage: Stage,
    /// Orders that do not fit.
    unfit: BTreeSet<OrderId>,
    /// Those that were moved already.
    book: Book,
    waiting: Waiting,
}

/// What the market is to have.
struct NewUnits {
    def: MarketDef,
    scaling: Scaling,
    conversion: Conversion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
enum Stage {
    /// Looks at the resting orders of a side, behind this one.
    FindsResting(Side, Option<OrderId>),
    /// Looks at those that wait, behind this one.
    FindsWaiting(OrderId),
    Cancels,
    Moves,
    Done,
}

impl Market {
    /// Begins to change to `def`, the next version of the definition, with its scaling.
    ///
    /// # Panics
    /// If the units stand in no simple ratio: the registry checks it.
    pub fn redefine(
        &mut self,
        def: MarketDef,
        scaling: Scaling,
        work: &mut Work,
        fx: &mut Effects,
    ) {
        self.assert_not_interrupted();
        self.redefining = Some(Box::new(Redefining::new(&self.def, def, scaling)));
        self.go_on_redefining(work, fx);
    }

    pub(crate) fn go_on_redefining(&mut self, work: &mut Work, fx: &mut Effects) {
        let mut redefining = self.redefining.take().expect("it was begun");
        while redefining.stage != Stage::Done {
            if !work.take() {
                self.redefining = Some(redefining);
                return self.interrupt(Pending::Redefining, fx);
            }
            redefining.stage = match redefining.stage {
                Stage::FindsResting(side, order) => self.find_resting(&mut redefining, side, order),
                Stage::FindsWaiting(order) => self.find_waiting_unfit(&mut redefining, order),
                Stage::Cancels => self.cancel_unfit(&mut redefining, fx),
                Stage::Moves => self.move_one(&mut redefining),
                Stage::Done => Stage::Done,
            };
        }
        self.take_over(*redefining, work, fx);
    }

    fn find_resting(
        &mut self,
        redefining: &mut Redefining,
        side: Side,
        after: Option<OrderId>,
    ) -> Stage {
        let Some(place) = self.book.place_after(side, after) else {
            return match side {
                Side::Buy => Stage::FindsResting(Side::Sell, None),
                Side::Sell => Stage::FindsWaiting(OrderId(0)),
            };
        };
        let order = self.book.view(place);
        let pending = self.lists.pending_of(order.id);
        let fits = redefining.units.resting(&order).is_some()
            && pending.is_none_or(|orders| redefining.units.pending(orders).is_some());
        if !fits {
            redefining.unfit.insert(order.id);
        }
        Stage::FindsResting(side, Some(order.id))
    }

    fn find_waiting_unfit(&self, redefining: &mut Redefining, after: OrderId) -> Stage {
        let Some(order) = self.waiting.after(after) else {
            return Stage::Cancels;
        };
        if redefining.units.waiting(&order).is_none() {
            redefining.unfit.insert(order.id);
        }
        Stage::FindsWaiting(order.id)
    }

    fn cancel_unfit(&mut self, redefining: &mut Redefining, fx: &mut Effects) -> Stage {
        let Some(order) = redefining.unfit.pop_first() else {
            return Stage::Moves;
        };
        // One of a pair may have ended with the other.
        if self.book.find(order).is_some() || self.waiting.get(order).is_some() {
            self.cancel_open(order, ReplyTo::NOBODY, CancelCause::Redefined, fx);
        }
        Stage::Cancels
    }

    /// Orders arrive in the new book in their priority, fired ones in the order of their firing.
    fn move_one(&mut self, redefining: &mut Redefining) -> Stage {
        let Redefining { units, book, waiting, .. } = redefining;
        let front = self.book.front(Side::Buy).or_else(|| self.book.front(Side::Sell));
        if let Some((_, place)) = front {
            let order = self.book.view(place);
            let converted = units.resting(&order).expect("it fits");
            let (before, after) = (order.need(&self.scaling), converted.need(&units.scaling));
            assert_eq!(before, after, "order {} holds what it held", order.id);
            if let Some(orders) = self.lists.pending_of(order.id) {
                *orders = units.pending(orders).expect("it fits");
            }
            self.book.remove(place);
            book.insert(&converted);
        } else if let Some(order) = self.waiting.next_fired() {
            waiting.restore_fired(units.waiting(&order).expect("it fits"));
        } else if let Some(order) = self.waiting.after(OrderId(0)) {
            self.waiting.remove(order.id);
            waiting.restore(units.waiting(&order).expect("it fits"));
        } else {
            return Stage::Done;
        }
        Stage::Moves
    }

    /// From here on everything is in the new units. The entry does no more, so that each entry's prices
    /// and quantities mean one definition.
    fn take_over(&mut self, redefining: Redefining, work: &mut Work, fx: &mut Effects) {
        let Redefining { units: NewUnits { def, scaling, conversion }, book, waiting, .. } =
            redefining;
        let last = self.last_price.map(|price| conversion.price_down(price).min(def.max_price));
        self.last_price = last.filter(|price| !price.is_zero());
        self.average.convert(&conversion, def.max_price);
        self.rules = conversion.rules(&self.rules);
        let (old_tick, old_lot) = (self.def.tick, self.def.lot);
        (self.def, self.scaling, self.book, self.waiting) = (def, scaling, book, waiting);
        fx.emit(Event::MarketRedefined { market: self.def.clone(), old_tick, old_lot });
        work.end_entry();
    }
}

impl NewUnits {
    /// The same order in the new units, if it fits.
    fn resting(&self, order: &RestingOrder) -> Option<RestingOrder> {
        let price = self.price(order.price)?;
        let quantity = |lots| self.conversion.quantity(lots);
        let (remaining, filled) = (quantity(order.remaining)?, quantity(order.filled)?);
        let (hidden, visible) = (quantity(order.hidden)?, quantity(order.visible)?);
        self.within_bounds(filled.checked_add(remaining)?)?;
        Some(RestingOrder { price, remaining, filled, hidden, visible, ..*order })
    }

    /// What is to follow an order, in the new units, if all of it fits.
    fn pending(&self, orders: &PlaceOrderList) -> Option<PlaceOrderList> {
        let mut converted = PlaceOrderList { version: self.def.version, ..orders.clone() };
        for leg in &mut converted.legs {
            leg.spec = self.conversion.spec(leg.spec)?;
            leg.conditions = self.conversion.conditions(leg.conditions)?;
            self.within(&leg.spec, &leg.conditions)?;
        }
        Some(converted)
    }

    /// The same order in the new units, if it fits.
    fn waiting(&self, order: &WaitingOrder) -> Option<WaitingOrder> {
        let mut converted = order.clone();
        let admit = &mut converted.admit;
        admit.version = self.def.version;
        admit.spec = self.conversion.spec(admit.spec)?;
        admit.conditions = self.conversion.conditions(*admit.conditions)?.into();
        self.within(&admit.spec, &admit.conditions)?;
        converted.reference = match order.reference {
            Some(reference) => Some(self.price(reference)?),
            None => None,
        };
        Some(converted)
    }

    /// Whether prices and quantity of a converted order are not too large.
    fn within(&self, spec: &OrderSpec, conditions: &Conditions) -> Option<()> {
        let triggers_at = match conditions.trigger {
            Some(Trigger::Rises { to } | Trigger::Falls { to }) => to,
            Some(Trigger::Trails { activation, .. }) => activation.unwrap_or_default(),
            None => Price::ZERO,
        };
        self.within_bounds(spec.quantity().unwrap_or_default())?;
        (triggers_at.max(spec.limit_price()) <= self.def.max_price).then_some(())
    }

    fn price(&self, price: Price) -> Option<Price> {
        self.conversion.price(price).filter(|&price| price <= self.def.max_price)
    }

    fn within_bounds(&self, quantity: Quantity) -> Option<()> {
        (quantity <= self.def.max_quantity).then_some(())
    }
}

impl Redefining {
    fn new(old: &MarketDef, def: MarketDef, scaling: Scaling) -> Self {
        let conversion = Conversion::between((old.tick, old.lot), (def.tick, def.lot));
        let conversion = conversion.expect("the registry has checked the ratio");
        Self {
            book: Book::new(def.max_price),
            waiting: Waiting::new(),
            units: NewUnits { def, scaling, conversion },
            stage: Stage::FindsResting(Side::Buy, None),
            unfit: BTreeSet::new(),
        }
    }

    /// Whether an order of the account was moved.
    pub(crate) fn has(&self, account: AccountId, order: OrderId) -> bool {
        let resting = self.book.find(order).map(|place| self.book.at(place).account);
        let waiting = self.waiting.get(order).map(|waiting| waiting.admit.account);
        resting.or(waiting) == Some(account)
    }

    /// Reads what was written of a market that is otherwise restored.
    pub(crate) fn read<R: io::Read>(
        market: &Market,
        reader: &mut R,
    ) -> io::Result<Option<Box<Self>>> {
        if !bool::deserialize_reader(reader)? {
            return Ok(None);
        }
        let def = MarketDef::deserialize_reader(reader)?;
        let scaling = Scaling::deserialize_reader(reader)?;
        let old = (market.def.tick, market.def.lot);
        if Conversion::between(old, (def.tick, def.lot)).is_none() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // A market of the new units that has the moved orders, and nothing else of this one.
        let mut moved = Market::new(def.clone(), scaling);
        moved.next_order = market.next_order;
        let mut redefining = Self::new(&market.def, def, scaling);
        redefining.stage = Stage::deserialize_reader(reader)?;
        redefining.unfit = BorshDeserialize::deserialize_reader(reader)?;
        read_book(&mut moved, reader)?;
        read_waiting(&mut moved, reader)?;
        (redefining.book, redefining.waiting) = (moved.book, moved.waiting);
        Ok(Some(Box::new(redefining)))
    }

    /// Writes what is under way, if anything is.
    pub(crate) fn write<W: io::Write>(under_way: Option<&Self>, writer: &mut W) -> io::Result<()> {
        under_way.is_some().serialize(writer)?;
        let Some(Self { units, stage, unfit, book, waiting }) = under_way else {
            return Ok(());
        };
        (&units.def, &units.scaling, stage, unfit).serialize(writer)?;
        write_book(book, writer)?;
        write_waiting(waiting, writer)
    }
}
