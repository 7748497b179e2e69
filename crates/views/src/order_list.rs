//! Lists of an account that have not ended: what is open of them, and what pends.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, ClientOrderId, ListLeg, MarketId, OrderId, OrderListKind, OrderListPlaced, Timestamp,
};

use crate::account::{Account, Outcome, Stamp};
use crate::error::Contradiction;

/// A list as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrderListView {
    /// Where.
    pub market: MarketId,
    /// Its id: that of its first order.
    pub list: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The client's name of it, or none.
    pub client_order_id: ClientOrderId,
    /// How its legs depend on each other.
    pub kind: OrderListKind,
    /// Its orders so far, by id. Their states are those of the orders.
    pub orders: Vec<OrderId>,
    /// Legs that are not placed yet.
    pub pending: Vec<ListLeg>,
    /// When it was accepted.
    pub placed_at: Timestamp,
}

impl OrderListView {
    /// One that was accepted at `time`.
    #[must_use]
    pub fn new(placed: &OrderListPlaced, time: Timestamp) -> Self {
        Self {
            market: placed.market,
            list: placed.list,
            account: placed.account,
            client_order_id: placed.client_order_id,
            kind: placed.kind,
            orders: placed.orders.clone(),
            pending: placed.pending.clone(),
            placed_at: time,
        }
    }
}

impl Account {
    pub(crate) fn begin_list(&mut self, at: Stamp, placed: &OrderListPlaced) -> Outcome<()> {
        let list = OrderListView::new(placed, at.time);
        self.await_orders(placed.market, placed.list, &placed.orders);
        let known = self.lists.insert((placed.market, placed.list), list);
        if known.is_some() { Err(Contradiction::ListExists(placed.list)) } else { Ok(()) }
    }

    /// The pending legs are orders now.
    pub(crate) fn advance_list(
        &mut self,
        market: MarketId,
        list: OrderId,
        orders: &[OrderId],
    ) -> Outcome<()> {
        self.await_orders(market, list, orders);
        let known = self.lists.get_mut(&(market, list));
        let known = known.ok_or(Contradiction::UnknownList(list))?;
        known.orders.extend_from_slice(orders);
        known.pending.clear();
        Ok(())
    }

    pub(crate) fn end_list(&mut self, market: MarketId, list: OrderId) -> Outcome<()> {
        let known = self.lists.remove(&(market, list));
        known.map(|_| ()).ok_or(Contradiction::UnknownList(list))
    }

    /// Their placements follow in the same entry.
    fn await_orders(&mut self, market: MarketId, list: OrderId, orders: &[OrderId]) {
        self.awaited.extend(orders.iter().map(|&order| ((market, order), list)));
    }

    /// The list that an order which is being placed belongs to.
    pub(crate) fn take_awaited(&mut self, order: (MarketId, OrderId)) -> Option<OrderId> {
        let at = self.awaited.iter().position(|(awaited, _)| *awaited == order)?;
        Some(self.awaited.swap_remove(at).1)
    }

    pub(crate) fn open_lists(&self, market: Option<MarketId>) -> Vec<OrderListView> {
        let lists = self.lists.values();
        lists.filter(|list| market.is_none_or(|market| list.market == market)).cloned().collect()
    }
}
