//! Orders that wait outside of the book until a trade fires their trigger.
//!
//! Invariant: no trigger is met by the last price. A trade therefore fires either rising or falling
//! triggers, never both.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Admit, OrderId, Price, Side, Timestamp, Trigger};

use crate::trailing::Trailing;

/// An order that waits, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WaitingOrder {
    /// Its id.
    pub id: OrderId,
    /// As it was admitted.
    pub admit: Admit,
    /// Of an active trailing stop: the best price since its activation.
    pub reference: Option<Price>,
}

impl WaitingOrder {
    pub(crate) fn trigger(&self) -> Trigger {
        self.admit.conditions.trigger.expect("it waits for its trigger")
    }
}

/// All orders of a market that have not entered yet: they wait, or were fired a moment ago.
pub(crate) struct Waiting {
    orders: BTreeMap<OrderId, WaitingOrder>,
    /// Fire at or above their price.
    rising: BTreeSet<(Price, OrderId)>,
    /// Fire at or below their price.
    falling: BTreeSet<(Price, OrderId)>,
    /// Trailing stops of sellers that become active at or above their price.
    rising_activations: BTreeSet<(Price, OrderId)>,
    /// Trailing stops of buyers that become active at or below their price.
    falling_activations: BTreeSet<(Price, OrderId)>,
    /// Active trailing stops of sellers.
    below: Trailing,
    /// Active trailing stops of buyers.
    above: Trailing,
    expiries: BTreeSet<(Timestamp, OrderId)>,
    /// First in, first out. One that has ended meanwhile is passed over.
    fired: VecDeque<OrderId>,
    /// Trades strictly between these change nothing here.
    quiet: (Price, Price),
}

const ALWAYS_QUIET: (Price, Price) = (Price::ZERO, Price::MAX);

impl Waiting {
    pub(crate) fn new() -> Self {
        Self {
            orders: BTreeMap::new(),
            rising: BTreeSet::new(),
            falling: BTreeSet::new(),
            rising_activations: BTreeSet::new(),
            falling_activations: BTreeSet::new(),
            below: Trailing::new(Side::Sell),
            above: Trailing::new(Side::Buy),
            expiries: BTreeSet::new(),
            fired: VecDeque::new(),
            quiet: ALWAYS_QUIET,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    /// All of them, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = WaitingOrder> + '_ {
        self.orders.values().map(|order| self.view(order))
    }

    /// The next by id.
    pub(crate) fn after(&self, order: OrderId) -> Option<WaitingOrder> {
        self.orders.range(order.next()..).next().map(|(_, order)| self.view(order))
    }

    fn view(&self, order: &WaitingOrder) -> WaitingOrder {
        let reference = self.below.reference(order.id).or_else(|| self.above.reference(order.id));
        WaitingOrder { reference, ..order.clone() }
    }

    /// Those that were fired and have not entered yet, the next one first.
    pub(crate) fn fired(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.fired.iter().copied().filter(|id| self.orders.contains_key(id))
    }

    pub(crate) fn get(&self, order: OrderId) -> Option<&WaitingOrder> {
        self.orders.get(&order)
    }

    pub(crate) fn next_expiry(&self) -> Option<(Timestamp, OrderId)> {
        self.expiries.first().copied()
    }

    /// Whether `last` meets the trigger of such an order already.
    pub(crate) fn is_met(trigger: Trigger, last: Price) -> bool {
        match trigger {
            Trigger::Rises { to } => last >= to,
            Trigger::Falls { to } => last <= to,
            Trigger::Trails { .. } => false,
        }
    }

    /// Adds an order whose trigger the last price does not meet.
    pub(crate) fn insert(&mut self, id: OrderId, admit: Admit, last: Price) {
        let mut order = WaitingOrder { id, admit, reference: None };
        if let Trigger::Trails { activation, .. } = order.trigger() {
            let is_active = activation.is_none_or(|activation| match order.admit.side {
                Side::Sell => last >= activation,
                Side::Buy => last <= activation,
            });
            order.reference = is_active.then_some(last);
        }
        self.restore(order);
    }

    /// Puts an order where its trigger and reference say.
    pub(crate) fn restore(&mut self, order: WaitingOrder) {
        self.set_trigger(&order);
        self.keep(order);
        self.find_quiet();
    }

    /// An order that was fired before a snapshot was taken; the next one first.
    pub(crate) fn restore_fired(&mut self, order: WaitingOrder) {
        self.fired.push_back(order.id);
        self.keep(order);
    }

    fn keep(&mut self, order: WaitingOrder) {
        let expires_at = order.admit.conditions.expires_at;
        self.expiries.extend(expires_at.map(|at| (at, order.id)));
        self.orders.insert(order.id, WaitingOrder { reference: None, ..order });
    }

    fn set_trigger(&mut self, order: &WaitingOrder) {
        let (id, side) = (order.id, order.admit.side);
        match (order.trigger(), order.reference) {
            (Trigger::Rises { to }, _) => {
                self.rising.insert((to, id));
            }
            (Trigger::Falls { to }, _) => {
                self.falling.insert((to, id));
            }
            (Trigger::Trails { basis_points, .. }, Some(reference)) => {
                self.trailing(side).insert(id, basis_points, reference);
            }
            (Trigger::Trails { activation, .. }, None) => {
                let activation = activation.expect("without one it is active");
                self.activations(side).insert((activation, id));
            }
        }
    }

    /// Takes an order out, fired or not.
    pub(crate) fn remove(&mut self, id: OrderId) -> Option<WaitingOrder> {
        let order = self.orders.remove(&id)?;
        if let Some(at) = order.admit.conditions.expires_at {
            self.expiries.remove(&(at, id));
        }
        self.unset_trigger(id, order.admit.side, order.trigger());
        self.find_quiet();
        Some(order)
    }

    fn unset_trigger(&mut self, id: OrderId, side: Side, trigger: Trigger) {
        match trigger {
            Trigger::Rises { to } => {
                self.rising.remove(&(to, id));
            }
            Trigger::Falls { to } => {
                self.falling.remove(&(to, id));
            }
            Trigger::Trails { basis_points, activation } => {
                self.trailing(side).remove(id, basis_points);
                if let Some(activation) = activation {
                    self.activations(side).remove(&(activation, id));
                }
            }
        }
    }

    fn trailing(&mut self, side: Side) -> &mut Trailing {
        match side {
            Side::Sell => &mut self.below,
            Side::Buy => &mut self.above,
        }
    }

    fn activations(&mut self, side: Side) -> &mut BTreeSet<(Price, OrderId)> {
        match side {
            Side::Sell => &mut self.rising_activations,
            Side::Buy => &mut self.falling_activations,
        }
    }

    /// A trade at `price`.
    #[inline]
    pub(crate) fn traded(&mut self, price: Price) {
        if price <= self.quiet.0 || price >= self.quiet.1 {
            self.observe(price);
        }
    }

    /// Fires what the trade fires, in order: rising triggers from the lowest, falling ones from the
    /// highest, equal ones by order id. Trailing stops that become active or are lifted do not fire by
    /// the same trade.
    #[cold]
    fn observe(&mut self, price: Price) {
        while let Some(id) = self.next_rising(price).or_else(|| self.next_falling(price)) {
            let order = &self.orders[&id];
            self.unset_trigger(id, order.admit.side, order.trigger());
            self.fired.push_back(id);
        }
        self.below.lift(price);
        self.above.lift(price);
        while let Some(&(activation, id)) = self.rising_activations.first()
            && price >= activation
        {
            self.activate(Side::Sell, activation, id, price);
        }
        while let Some(&(activation, id)) = self.falling_activations.last()
            && price <= activation
        {
            self.activate(Side::Buy, activation, id, price);
        }
        self.find_quiet();
    }

    fn activate(&mut self, side: Side, activation: Price, id: OrderId, reference: Price) {
        self.activations(side).remove(&(activation, id));
        let Trigger::Trails { basis_points, .. } = self.orders[&id].trigger() else {
            unreachable!("only trailing stops are activated");
        };
        self.trailing(side).insert(id, basis_points, reference);
    }

    /// The next that a trade at `price` fires as it rises: the lowest trigger, then the lowest id.
    fn next_rising(&self, price: Price) -> Option<OrderId> {
        let fixed = self.rising.first().copied();
        let next = fixed.into_iter().chain(self.above.next()).min()?;
        (next.0 <= price).then_some(next.1)
    }

    /// The next that a trade at `price` fires as it falls: the highest trigger, then the lowest id.
    fn next_falling(&self, price: Price) -> Option<OrderId> {
        let highest = self.falling.last().map(|&(highest, _)| highest);
        let fixed = highest.and_then(|at| self.falling.range((at, OrderId(0))..).next().copied());
        let candidates = fixed.into_iter().chain(self.below.next());
        let next = candidates.min_by_key(|&(at, id)| (std::cmp::Reverse(at), id))?;
        (next.0 >= price).then_some(next.1)
    }

    /// Takes out the next order that was fired and is still there.
    pub(crate) fn next_fired(&mut self) -> Option<WaitingOrder> {
        while let Some(id) = self.fired.pop_front() {
            if let Some(order) = self.remove(id) {
                return Some(order);
            }
        }
        None
    }

    #[inline]
    pub(crate) fn has_fired(&self) -> bool {
        !self.fired.is_empty()
    }

    fn find_quiet(&mut self) {
        let first = |set: &BTreeSet<(Price, OrderId)>| set.first().map(|at| at.0);
        let last = |set: &BTreeSet<(Price, OrderId)>| set.last().map(|at| at.0);
        let above = [
            first(&self.rising),
            self.above.next().map(|at| at.0),
            first(&self.rising_activations),
            // A stop is lifted by what is better than its reference.
            self.below.worst_reference().map(|at| Price::new(at.get().saturating_add(1))),
        ];
        let below = [
            last(&self.falling),
            self.below.next().map(|at| at.0),
            last(&self.falling_activations),
            self.above.worst_reference().map(|at| at.saturating_sub(Price::new(1))),
        ];
        self.quiet = (
            below.into_iter().flatten().max().unwrap_or(ALWAYS_QUIET.0),
            above.into_iter().flatten().min().unwrap_or(ALWAYS_QUIET.1),
        );
    }
}
