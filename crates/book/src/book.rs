//! The resting orders of one market. Knows places and priorities, but no rules: nothing here
//! matches, rejects or speaks.
//!
//! Invariants: every order is in the queue of exactly one level, oldest first, and in the index; a
//! level's total is the sum of its orders; an order has something left.

use types::{AccountId, Admit, HoldId, OrderId, Price, Quantity, Side, Timestamp};

use crate::index::OrderIndex;
use crate::ladder::{Ladder, Level};
use crate::order::{Order, RestingOrder};
use crate::slab::{NONE, Slab};
use crate::terms::{AllTerms, Terms};

/// One price of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelView {
    /// In ticks.
    pub price: Price,
    /// Lots that all its orders show.
    pub quantity: u128,
    /// How many orders.
    pub orders: u32,
}

/// The ladders of a market. Apart from the orders, so that a level and its orders can change together.
struct Sides {
    bids: Ladder,
    asks: Ladder,
}

impl Sides {
    fn new(max_price: Price) -> Self {
        let [bids, asks] = [Side::Buy, Side::Sell].map(|side| Ladder::new(side, max_price));
        Self { bids, asks }
    }

    #[inline]
    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// An order that has left the book, as it was.
pub(crate) struct Removed {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) hold: HoldId,
    pub(crate) side: Side,
    pub(crate) price: Price,
    /// All that was open of it.
    pub(crate) remaining: Quantity,
    pub(crate) of_list: bool,
}

/// Resting orders by side, price and time, and by id.
pub struct Book {
    sides: Sides,
    orders: Slab<Order>,
    index: OrderIndex,
    terms: AllTerms,
}

/// What anybody may read.
impl Book {
    /// How many orders rest.
    #[must_use]
    pub fn order_count(&self) -> usize {
        self.orders.live()
    }

    /// How many price levels there are, both sides together.
    #[must_use]
    pub fn level_count(&self) -> usize {
        self.ladder(Side::Buy).count() + self.ladder(Side::Sell).count()
    }

    /// The best price of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Price> {
        self.ladder(side).best().map(|level| level.price)
    }

    /// Whether the best bid is at or above the best ask, as it may be during an auction.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.best(Side::Buy).is_some_and(|bid| self.ladder(Side::Sell).meets(bid))
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = LevelView> + '_ {
        self.ladder(side).iter().map(|level| LevelView {
            price: level.price,
            quantity: level.total(),
            orders: level.count,
        })
    }

    /// The orders of a side in priority order.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = RestingOrder> + '_ {
        let levels = self.ladder(side).iter();
        levels.flat_map(|level| self.queue(level).map(|place| self.view(place)))
    }

    /// The order of this id, if it rests.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<RestingOrder> {
        self.find(id).map(|place| self.view(place))
    }
}

impl Book {
    /// An empty book for prices up to `max_price`.
    pub(crate) fn new(max_price: Price) -> Self {
        Self {
            sides: Sides::new(max_price),
            orders: Slab::new(),
            index: OrderIndex::new(),
            terms: AllTerms::default(),
        }
    }

    #[inline]
    pub(crate) fn ladder(&self, side: Side) -> &Ladder {
        self.sides.ladder(side)
    }

    #[inline]
    pub(crate) fn find(&self, id: OrderId) -> Option<u32> {
        self.find_order(id).map(|(place, _)| place)
    }

    /// The order of this id and its place, if it rests.
    #[inline]
    pub(crate) fn find_order(&self, id: OrderId) -> Option<(u32, &Order)> {
        self.index.get(id, |place| {
            let order = self.orders.get(place)?;
            (order.id == id).then_some((place, order))
        })
    }

    #[inline]
    pub(crate) fn at(&self, place: u32) -> &Order {
        &self.orders[place]
    }

    #[inline]
    pub(crate) fn price_at(&self, place: u32) -> Price {
        let order = &self.orders[place];
        self.ladder(order.side).level(order.level).price
    }

    #[inline]
    pub(crate) fn view(&self, place: u32) -> RestingOrder {
        let order = &self.orders[place];
        let Terms { hidden, visible, expires_at } = self.terms_at(place);
        RestingOrder {
            id: order.id,
            account: order.account,
            side: order.side,
            price: self.ladder(order.side).level(order.level).price,
            remaining: order.shown + hidden,
            hidden,
            visible,
            filled: order.filled,
            hold: order.hold,
            self_trade_group: order.self_trade_group,
            fees: order.fees,
            self_trade_prevention: order.self_trade_prevention,
            post_only: order.post_only,
            expires_at,
            of_list: order.of_list,
        }
    }

    #[inline]
    fn terms_at(&self, place: u32) -> Terms {
        let order = &self.orders[place];
        if order.has_terms { self.terms.get(order.id) } else { Terms::default() }
    }

    /// What an order does not show.
    #[inline]
    pub(crate) fn hidden(&self, place: u32) -> Quantity {
        self.terms_at(place).hidden
    }

    /// All that is open of an order.
    #[inline]
    pub(crate) fn remaining(&self, place: u32) -> Quantity {
        self.orders[place].shown + self.hidden(place)
    }

    /// What the orders of a price do not show.
    #[inline]
    pub(crate) fn hidden_at(&self, side: Side, price: Price) -> u128 {
        self.terms.hidden_at(side, price)
    }

    /// The first date of an order, and which it is.
    pub(crate) fn next_expiry(&self) -> Option<(Timestamp, OrderId)> {
        self.terms.next_expiry()
    }

    /// The oldest order of the best price.
    #[inline]
    pub(crate) fn front(&self, side: Side) -> Option<(Price, u32)> {
        let best = self.ladder(side).best()?;
        Some((best.price, best.head))
    }

    /// The order behind this one in the priority of a side, or the first.
    pub(crate) fn place_after(&self, side: Side, order: Option<OrderId>) -> Option<u32> {
        let Some(order) = order else {
            return self.front(side).map(|(_, place)| place);
        };
        let before = &self.orders[self.find(order).expect("it rests")];
        match before.next {
            NONE => self.ladder(side).after(before.level).map(|level| level.head),
            next => Some(next),
        }
    }

    /// The places of a level's orders, oldest first.
    pub(crate) fn queue(&self, level: &Level) -> impl Iterator<Item = u32> + '_ {
        let head = (level.head != NONE).then_some(level.head);
        std::iter::successors(head, |&place| {
            let next = self.orders[place].next;
            (next != NONE).then_some(next)
        })
    }

    pub(crate) fn has_level(&mut self, side: Side, price: Price) -> bool {
        self.sides.ladder_mut(side).find(price).is_some()
    }

    /// Whether no other order shares this one's price.
    pub(crate) fn is_alone(&self, id: OrderId) -> bool {
        self.find(id).is_some_and(|place| {
            let order = &self.orders[place];
            self.ladder(order.side).level(order.level).count == 1
        })
    }

    /// Puts an order behind all others of its price.
    pub(crate) fn insert(&mut self, new: &RestingOrder) {
        let has_terms = !new.visible.is_zero() || new.expires_at.is_some();
        self.put(new.id, new.side, new.price, new.shown(), |prev, level| Order {
            id: new.id,
            shown: new.shown(),
            filled: new.filled,
            prev,
            next: NONE,
            level,
            account: new.account,
            hold: new.hold,
            self_trade_group: new.self_trade_group,
            fees: new.fees,
            side: new.side,
            self_trade_prevention: new.self_trade_prevention,
            post_only: new.post_only,
            has_terms,
            of_list: new.of_list,
        });
        if has_terms {
            self.terms.insert(new.id, new.side, new.price, Terms::of(new));
        }
    }

    /// As [`Self::insert`], for a new order without conditions and of no list.
    #[inline]
    pub(crate) fn insert_plain(
        &mut self,
        id: OrderId,
        admit: &Admit,
        price: Price,
        quantity: Quantity,
    ) {
        self.put(id, admit.side, price, quantity, |prev, level| Order {
            id,
            shown: quantity,
            filled: Quantity::ZERO,
            prev,
            next: NONE,
            level,
            account: admit.account,
            hold: admit.hold,
            self_trade_group: admit.self_trade_group,
            fees: admit.fees,
            side: admit.side,
            self_trade_prevention: admit.self_trade_prevention,
            post_only: admit.spec.is_post_only(),
            has_terms: false,
            of_list: false,
        });
    }

    /// Puts an order into its level's queue, at the end, and into the index. It is made when the order
    /// before it and its level are known, in its place.
    #[inline]
    fn put(
        &mut self,
        id: OrderId,
        side: Side,
        price: Price,
        shown: Quantity,
        order: impl FnOnce(u32, u32) -> Order,
    ) {
        let ladder = self.sides.ladder_mut(side);
        let level_place = ladder.find_or_insert(price);
        let level = ladder.level_mut(level_place);
        level.add(shown);
        level.count += 1;
        let last = level.tail;
        let place = self.orders.insert(order(last, level_place));
        level.tail = place;
        if last == NONE {
            level.head = place;
        } else {
            self.orders[last].next = place;
        }
        self.index.insert(id, place, self.orders.live());
    }

    /// Takes an order out, and its level if it was the last there. Always inlined, as what calls it most: a
    /// call of each costs a cancel a fifth more.
    #[inline(always)]
    pub(crate) fn remove(&mut self, place: u32) -> Removed {
        let order = &self.orders[place];
        let &Order { id, account, hold, side, shown, of_list, has_terms, .. } = order;
        let (level_place, prev, next) = (order.level, order.prev, order.next);
        let ladder = self.sides.ladder_mut(side);
        let level = ladder.level_mut(level_place);
        let price = level.price;
        unqueue(&mut self.orders, level, (prev, next));
        level.subtract(shown);
        level.count -= 1;
        if level.count == 0 {
            ladder.remove(level_place);
        }
        let hidden = if has_terms { self.terms.remove(id, side, price) } else { Quantity::ZERO };
        self.index.remove(id, place);
        self.orders.remove(place);
        Removed { id, account, hold, side, price, remaining: shown + hidden, of_list }
    }

    /// Takes `by` lots off what an order shows, which stays where it is. Returns what it still shows;
    /// the caller removes or refills an order that shows nothing.
    #[inline]
    pub(crate) fn reduce(&mut self, place: u32, by: Quantity) -> Quantity {
        let order = &mut self.orders[place];
        order.shown -= by;
        let (side, level, shown) = (order.side, order.level, order.shown);
        self.sides.ladder_mut(side).level_mut(level).subtract(by);
        shown
    }

    /// Takes `by` lots off an order, less than all: first off what it hides.
    pub(crate) fn reduce_hidden_first(&mut self, place: u32, by: Quantity) {
        let (id, side, price) =
            (self.orders[place].id, self.orders[place].side, self.price_at(place));
        let hidden = if self.orders[place].has_terms {
            self.terms.uncover(id, side, price, by)
        } else {
            Quantity::ZERO
        };
        self.reduce(place, by - hidden);
    }

    /// Shows the next part of an iceberg that shows nothing and hides something, behind all others of
    /// its price. Gives the part.
    pub(crate) fn refill(&mut self, place: u32) -> Quantity {
        let (id, side, price) =
            (self.orders[place].id, self.orders[place].side, self.price_at(place));
        let visible = self.terms_at(place).visible;
        let part = self.terms.uncover(id, side, price, visible);
        let &Order { level, prev, next, .. } = &self.orders[place];
        let level = self.sides.ladder_mut(side).level_mut(level);
        unqueue(&mut self.orders, level, (prev, next));
        level.add(part);
        self.orders[place].shown = part;
        enqueue(&mut self.orders, level, place);
        part
    }

    /// As [`Book::reduce`], because they were filled.
    #[inline]
    pub(crate) fn fill(&mut self, place: u32, lots: Quantity) -> Quantity {
        self.orders[place].filled += lots;
        self.reduce(place, lots)
    }
}

/// Puts an order that is in no queue behind all others of a level.
#[inline]
fn enqueue(orders: &mut Slab<Order>, level: &mut Level, place: u32) {
    let last = std::mem::replace(&mut level.tail, place);
    if last == NONE {
        level.head = place;
    } else {
        orders[last].next = place;
    }
    let order = &mut orders[place];
    (order.prev, order.next) = (last, NONE);
}

/// Takes the order between these two out of the queue of its level.
#[inline]
fn unqueue(orders: &mut Slab<Order>, level: &mut Level, (prev, next): (u32, u32)) {
    if prev == NONE {
        level.head = next;
    } else {
        orders[prev].next = next;
    }
    if next == NONE {
        level.tail = prev;
    } else {
        orders[next].prev = prev;
    }
}
