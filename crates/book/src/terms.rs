//! What some resting orders have besides: the hidden part of an iceberg, and a date. Kept apart, so that
//! plain orders stay small.

use std::collections::{BTreeMap, BTreeSet};

use types::{OrderId, Price, Quantity, Side, Timestamp};

use crate::order::RestingOrder;

/// Of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// What an iceberg does not show.
    pub(crate) hidden: Quantity,
    /// How much it shows at a time; zero if all is shown.
    pub(crate) visible: Quantity,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Terms {
    pub(crate) fn of(order: &RestingOrder) -> Self {
        let &RestingOrder { hidden, visible, expires_at, .. } = order;
        Self { hidden, visible, expires_at }
    }
}

/// Of all orders of a book.
#[derive(Default)]
pub(crate) struct AllTerms {
    of: BTreeMap<OrderId, Terms>,
    expiries: BTreeSet<(Timestamp, OrderId)>,
    /// Hidden lots by price, where there are any.
    hidden: BTreeMap<(Side, Price), u128>,
}

impl AllTerms {
    pub(crate) fn get(&self, order: OrderId) -> Terms {
        self.of.get(&order).copied().unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, order: OrderId, side: Side, price: Price, terms: Terms) {
        self.add_hidden(side, price, terms.hidden);
        self.expiries.extend(terms.expires_at.map(|at| (at, order)));
        self.of.insert(order, terms);
    }

    /// Gives what the order did not show.
    pub(crate) fn remove(&mut self, order: OrderId, side: Side, price: Price) -> Quantity {
        let terms = self.of.remove(&order).unwrap_or_default();
        self.subtract_hidden(side, price, terms.hidden);
        if let Some(at) = terms.expires_at {
            self.expiries.remove(&(at, order));
        }
        terms.hidden
    }

    /// Takes up to `by` lots off what an order hides. Gives what was taken.
    pub(crate) fn uncover(
        &mut self,
        order: OrderId,
        side: Side,
        price: Price,
        by: Quantity,
    ) -> Quantity {
        let Some(terms) = self.of.get_mut(&order) else {
            return Quantity::ZERO;
        };
        let taken = by.min(terms.hidden);
        terms.hidden -= taken;
        self.subtract_hidden(side, price, taken);
        taken
    }

    /// What the orders of a price hide.
    #[inline]
    pub(crate) fn hidden_at(&self, side: Side, price: Price) -> u128 {
        if self.hidden.is_empty() {
            return 0;
        }
        self.hidden.get(&(side, price)).copied().unwrap_or(0)
    }

    /// The first date, and whose it is.
    pub(crate) fn next_expiry(&self) -> Option<(Timestamp, OrderId)> {
        self.expiries.first().copied()
    }

    fn add_hidden(&mut self, side: Side, price: Price, lots: Quantity) {
        if !lots.is_zero() {
            *self.hidden.entry((side, price)).or_default() += u128::from(lots.get());
        }
    }

    fn subtract_hidden(&mut self, side: Side, price: Price, lots: Quantity) {
        if lots.is_zero() {
            return;
        }
        let hidden = self.hidden.get_mut(&(side, price)).expect("it was added");
        *hidden -= u128::from(lots.get());
        if *hidden == 0 {
            self.hidden.remove(&(side, price));
        }
    }
}
