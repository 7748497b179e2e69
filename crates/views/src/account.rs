//! One account: balances, open orders, the last closed orders and fills, pending debits.

use std::collections::{BTreeMap, HashMap, VecDeque};

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Amount, AssetId, CancelCause, ClientOrderId, Conversion, MarketId, OrderId,
    OrderSpec, PartitionId, Price, Quantity, Seq, Side, TimeInForce, Timestamp, Trade, TradeSide,
};

use crate::changes::{AccountView, BalanceView};
use crate::error::Contradiction;
use crate::fees::Volumes;
use crate::hash::IdMap;
use crate::order::{
    EndCause, FillView, Liquidity, MOST_FILLED, OrderStatus, OrderView, add_filled,
};
use crate::order_list::OrderListView;

/// Closed orders, and fills, kept per account.
const MAX_HISTORY: usize = 500;

/// Names an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) partition: PartitionId,
    pub(crate) seq: Seq,
    pub(crate) index: u32,
    pub(crate) time: Timestamp,
}

/// Funds that are locked because they are to leave the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PendingDebit {
    /// Its name.
    pub client_id: ClientOrderId,
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
    /// Since when.
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, BorshSerialize, BorshDeserialize)]
struct Balance {
    available: Amount,
    held: Amount,
}

/// What is known of an account.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Account {
    /// None until its creation is heard: orders may be heard before, from another partition.
    pub(crate) view: Option<AccountView>,
    pub(crate) volumes: Volumes,
    balances: BTreeMap<AssetId, Balance>,
    open: IdMap<(MarketId, OrderId), OrderView>,
    /// Open orders by client id. Clients choose these, hence the standard map's keyed hash.
    by_client_id: HashMap<ClientOrderId, (MarketId, OrderId)>,
    closed: VecDeque<OrderView>,
    fills: VecDeque<FillView>,
    pending_debits: BTreeMap<ClientOrderId, PendingDebit>,
    /// Lists that have not ended.
    pub(crate) lists: BTreeMap<(MarketId, OrderId), OrderListView>,
    /// Orders that a list is about to place, and the list.
    pub(crate) awaited: Vec<((MarketId, OrderId), OrderId)>,
}

pub(crate) type Outcome<T> = Result<T, Contradiction>;

impl Account {
    /// A new order.
    pub(crate) fn place(&mut self, mut order: OrderView) -> Outcome<OrderView> {
        let key = (order.market, order.order);
        if self.open.contains_key(&key) {
            return Err(Contradiction::OrderExists(order.order));
        }
        order.list = self.take_awaited(key).or(order.list);
        self.open.insert(key, order);
        if !order.client_order_id.is_none() {
            self.by_client_id.insert(order.client_order_id, key);
        }
        Ok(order)
    }

    /// What is left of an order has entered the book.
    pub(crate) fn rest(
        &mut self,
        at: Stamp,
        account: AccountId,
        market: MarketId,
        order: OrderId,
        quantity: Quantity,
    ) -> Outcome<OrderView> {
        let view = self.order_mut(account, market, order)?;
        view.rested = true;
        view.remaining = quantity;
        view.touch(at);
        Ok(*view)
    }

    /// An order's trigger has fired.
    pub(crate) fn trigger(
        &mut self,
        at: Stamp,
        account: AccountId,
        market: MarketId,
        order: OrderId,
    ) -> Outcome<OrderView> {
        let view = self.order_mut(account, market, order)?;
        view.status = OrderStatus::Open;
        view.touch(at);
        Ok(*view)
    }

    /// A side of a trade. The order ends if nothing is left of it; one by quote ends with
    /// [`Self::end_spent`].
    pub(crate) fn fill(
        &mut self,
        at: Stamp,
        trade: &Trade,
        side: Side,
        party: &TradeSide,
    ) -> Outcome<(FillView, OrderView)> {
        let view = self.order_mut(party.account, trade.market, party.order)?;
        view.filled = add_filled(view.filled, trade.quantity);
        view.quote_filled += trade.quote_amount;
        view.fee += party.fee.total();
        view.remaining = party.remaining;
        view.status = OrderStatus::PartiallyFilled;
        view.touch(at);
        let mut order = *view;
        if party.remaining.is_zero() && !order.is_by_quote() {
            order = self.end(at, order, OrderStatus::Filled, None);
        }
        let fill = FillView {
            market: trade.market,
            trade: trade.trade,
            account: party.account,
            order: party.order,
            client_order_id: order.client_order_id,
            side,
            price: trade.price,
            quantity: trade.quantity,
            base_amount: trade.base_amount,
            quote_amount: trade.quote_amount,
            fee: party.fee.total(),
            rebate: party.fee.rebate(),
            liquidity: Liquidity::of(side, trade.aggressor),
            time: at.time,
            partition: at.partition,
            seq: at.seq,
            index: at.index,
        };
        push_bounded(&mut self.fills, fill);
        Ok((fill, order))
    }

    /// The entry in which an order by quote traded is over: unless it was cancelled (then none), it
    /// has spent what it could. Should its sweep go on in a later entry, the fills there find it
    /// among the closed orders.
    pub(crate) fn end_spent(
        &mut self,
        at: Stamp,
        market: MarketId,
        order: OrderId,
    ) -> Option<OrderView> {
        let order = self.order(market, order).filter(|order| order.status.is_open())?;
        Some(self.end(at, order, OrderStatus::Filled, None))
    }

    /// An order ended with something left.
    pub(crate) fn cancel(
        &mut self,
        at: Stamp,
        account: AccountId,
        market: MarketId,
        order: OrderId,
        remaining: Quantity,
        cause: CancelCause,
    ) -> Outcome<OrderView> {
        let mut view = *self.order_mut(account, market, order)?;
        view.remaining = remaining;
        let cause = EndCause::Cancelled(cause);
        Ok(self.end(at, view, OrderStatus::Cancelled, Some(cause)))
    }

    /// An order has less quantity.
    pub(crate) fn reduce(
        &mut self,
        at: Stamp,
        account: AccountId,
        market: MarketId,
        order: OrderId,
        remaining: Quantity,
    ) -> Outcome<OrderView> {
        let view = self.order_mut(account, market, order)?;
        view.remaining = remaining;
        view.set_quantity(view.filled.checked_add(remaining).unwrap_or(Quantity::MAX));
        view.touch(at);
        Ok(*view)
    }

    /// An order goes on under another id. Gives the old one and the new one.
    pub(crate) fn replace(
        &mut self,
        at: Stamp,
        account: AccountId,
        market: MarketId,
        old_order: OrderId,
        replacement: (OrderId, Price, Quantity),
    ) -> Outcome<(OrderView, OrderView)> {
        let (order, price, quantity) = replacement;
        let old = *self.order_mut(account, market, old_order)?;
        let post_only = matches!(old.spec, OrderSpec::Limit { post_only: true, .. });
        let new = OrderView {
            order,
            spec: OrderSpec::Limit { price, quantity, time_in_force: TimeInForce::Gtc, post_only },
            remaining: quantity,
            replaces: Some(old_order),
            ..OrderView::placed(at, old)
        };
        let cause = EndCause::Replaced(order);
        let old = self.end(at, old, OrderStatus::Cancelled, Some(cause));
        Ok((old, self.place(new)?))
    }

    /// Open orders of a market count in other units from now on; what has ended stays as it was. What the
    /// market itself does not need any more of an order (its minimum, say) may be rounded down.
    pub(crate) fn convert(&mut self, market: MarketId, conversion: &Conversion) {
        for order in self.open.values_mut().filter(|order| order.market == market) {
            order.spec = conversion.spec_down(order.spec);
            order.conditions = conversion.conditions_down(order.conditions);
            order.remaining = conversion.quantity_down(order.remaining);
            order.filled = conversion.quantity_down(order.filled).min(MOST_FILLED);
        }
        for list in self.lists.values_mut().filter(|list| list.market == market) {
            for leg in &mut list.pending {
                leg.spec = conversion.spec_down(leg.spec);
                leg.conditions = conversion.conditions_down(leg.conditions);
            }
        }
    }

    /// Moves an order to the closed ones, or updates it there.
    fn end(
        &mut self,
        at: Stamp,
        mut order: OrderView,
        status: OrderStatus,
        cause: Option<EndCause>,
    ) -> OrderView {
        order.status = status;
        order.cause = cause;
        order.touch(at);
        let key = (order.market, order.order);
        if self.open.remove(&key).is_none() {
            if let Some(known) = self.closed_mut(key) {
                *known = order;
            }
            return order;
        }
        if self.by_client_id.get(&order.client_order_id) == Some(&key) {
            self.by_client_id.remove(&order.client_order_id);
        }
        push_bounded(&mut self.closed, order);
        order
    }

    fn order_mut(
        &mut self,
        account: AccountId,
        market: MarketId,
        order: OrderId,
    ) -> Outcome<&mut OrderView> {
        let key = (market, order);
        let found = if self.open.contains_key(&key) {
            self.open.get_mut(&key)
        } else {
            self.closed_mut(key).filter(|order| order.is_by_quote())
        };
        found.ok_or(Contradiction::UnknownOrderOfAccount(account, order))
    }

    fn closed_mut(&mut self, key: (MarketId, OrderId)) -> Option<&mut OrderView> {
        let newest_first = self.closed.iter_mut().rev();
        newest_first.into_iter().find(|order| (order.market, order.order) == key)
    }

    pub(crate) fn set_balance(&mut self, asset: AssetId, available: Amount, held: Amount) {
        self.balances.insert(asset, Balance { available, held });
    }

    pub(crate) fn reserve_debit(&mut self, debit: PendingDebit) {
        self.pending_debits.insert(debit.client_id, debit);
    }

    pub(crate) fn end_debit(&mut self, account: AccountId, name: ClientOrderId) -> Outcome<()> {
        let ended = self.pending_debits.remove(&name);
        let unknown = Contradiction::UnknownPendingDebit(account, name);
        ended.map(|_| ()).ok_or(unknown)
    }

    pub(crate) fn balances(&self) -> Vec<BalanceView> {
        let view = |(&asset, balance): (&AssetId, &Balance)| BalanceView {
            asset,
            available: balance.available,
            held: balance.held,
        };
        self.balances.iter().map(view).collect()
    }

    /// Open orders by market and id.
    pub(crate) fn open_orders(&self, market: Option<MarketId>) -> Vec<OrderView> {
        let of_market = |order: &&OrderView| market.is_none_or(|market| order.market == market);
        let mut orders: Vec<_> = self.open.values().filter(of_market).copied().collect();
        orders.sort_unstable_by_key(|order| (order.market, order.order));
        orders
    }

    pub(crate) fn order(&self, market: MarketId, order: OrderId) -> Option<OrderView> {
        let open = self.open.get(&(market, order));
        let closed = || {
            let mut newest_first = self.closed.iter().rev();
            newest_first.find(|view| (view.market, view.order) == (market, order))
        };
        open.or_else(closed).copied()
    }

    pub(crate) fn order_by_client_id(&self, client_id: &ClientOrderId) -> Option<OrderView> {
        if client_id.is_none() {
            return None;
        }
        let open = self.by_client_id.get(client_id).and_then(|key| self.open.get(key));
        let closed = || {
            let mut newest_first = self.closed.iter().rev();
            newest_first.find(|view| view.client_order_id == *client_id)
        };
        open.or_else(closed).copied()
    }

    pub(crate) fn closed_orders(&self, market: Option<MarketId>, limit: usize) -> Vec<OrderView> {
        let newest_first = self.closed.iter().rev();
        let of_market = newest_first.filter(|order| market.is_none_or(|m| order.market == m));
        of_market.take(limit).copied().collect()
    }

    pub(crate) fn fills(&self, market: Option<MarketId>, limit: usize) -> Vec<FillView> {
        let newest_first = self.fills.iter().rev();
        let of_market = newest_first.filter(|fill| market.is_none_or(|m| fill.market == m));
        of_market.take(limit).copied().collect()
    }

    pub(crate) fn pending_debits(&self) -> Vec<PendingDebit> {
        self.pending_debits.values().copied().collect()
    }
}

impl OrderView {
    /// `order` as it is the moment it is accepted.
    pub(crate) fn placed(at: Stamp, order: Self) -> Self {
        Self {
            filled: Quantity::ZERO,
            quote_filled: Amount::ZERO,
            fee: Amount::ZERO,
            status: OrderStatus::Open,
            cause: None,
            rested: false,
            replaces: None,
            placed_at: at.time,
            placed_seq: at.seq,
            updated_at: at.time,
            updated_seq: at.seq,
            ..order
        }
    }

    fn touch(&mut self, at: Stamp) {
        self.updated_at = at.time;
        self.updated_seq = at.seq;
    }

    fn set_quantity(&mut self, new: Quantity) {
        match &mut self.spec {
            OrderSpec::Limit { quantity, .. } | OrderSpec::MarketByQuantity { quantity, .. } => {
                *quantity = new;
            }
            OrderSpec::MarketByQuote { .. } => {}
        }
    }
}

fn push_bounded<T>(ring: &mut VecDeque<T>, item: T) {
    if ring.len() == MAX_HISTORY {
        ring.pop_front();
    }
    ring.push_back(item);
}
