//! What an account is told of an entry: `executionReport`, `listStatus`, `balanceUpdate`,
//! `outboundAccountPosition`, in this order.
//!
//! Made from the entry's events and the orders as they are after each, so that every step of an order is told:
//! a taker's order is `NEW` before it trades.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use types::{
    AccountId, Amount, AssetId, CancelCause, EntryEvents, Event, MarketId, OrderId, Timestamp,
};
use views::{
    AccountChange, AccountUpdate, BalanceView, FillView, MarketInfo, OrderListView, OrderStatus,
    OrderView, Views,
};

use super::execution::{Execution, ExecutionReport};
use crate::binance::ids;
use crate::binance::names::CancelNames;
use crate::binance::orders::contingency;
use crate::binance::render::{self, Time, TimeUnit};
use crate::binance::symbols::{is_known, symbol};

/// Tells of one account.
pub(super) struct Reporter {
    account: AccountId,
    unit: TimeUnit,
    /// What clients call their cancels.
    names: Arc<CancelNames>,
    /// Lists that have not ended: their end does not say what they are of.
    lists: BTreeMap<(MarketId, OrderId), OrderListView>,
}

/// An event.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    Execution(Box<ExecutionReport>),
    List(ListStatus),
    Balance(BalanceUpdate),
    Position(AccountPosition),
}

impl Reporter {
    /// Of an account that has these lists now.
    pub(super) fn new(
        account: AccountId,
        unit: TimeUnit,
        names: Arc<CancelNames>,
        views: &Views,
    ) -> Self {
        let open = views.open_order_lists(account, None);
        let lists = open.into_iter().map(|list| ((list.market, list.list), list)).collect();
        Self { account, unit, names, lists }
    }

    /// What there is to tell of an entry.
    pub(super) fn tell(
        &mut self,
        entry: &EntryEvents<'_>,
        updates: &[AccountUpdate],
        views: &Views,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        self.executions(entry, updates, views, &mut told);
        for event in entry.events {
            let told_of = self.list_status(entry, event, views).map(Told::List);
            told.extend(told_of);
            told.extend(self.balance_update(entry.time, event, views).map(Told::Balance));
        }
        told.extend(self.position(entry.time, updates, views).map(Told::Position));
        told
    }

    fn executions(
        &self,
        entry: &EntryEvents<'_>,
        updates: &[AccountUpdate],
        views: &Views,
        told: &mut Vec<Told>,
    ) {
        let mut fill: Option<FillView> = None;
        for (at, update) in updates.iter().enumerate() {
            let order = match update.change {
                AccountChange::Fill(new) => {
                    fill = Some(new);
                    continue;
                }
                AccountChange::Order(order) => order,
                AccountChange::Balance(_) | AccountChange::Account(_) => continue,
            };
            let Some(event) = entry.events.get(update.index as usize) else {
                continue;
            };
            let known = views.market_info(order.market);
            let Some(market) = known.filter(|market| is_known(views, market)) else {
                continue;
            };
            let market = market.at(entry.seq);
            let fill = fill.take();
            let execution = match fill {
                Some(fill) => Some(Execution::Trade(fill)),
                None => self.execution_of(entry, event, &order),
            };
            if let Some(execution) = execution {
                let order = with_end(order, &updates[at + 1..]);
                let at = (entry.seq, update.index, entry.time);
                let report = ExecutionReport::new(&market, &order, execution, at, self.unit);
                told.push(Told::Execution(Box::new(report)));
            }
        }
    }

    /// What an event that is no trade does to an order; nothing if nobody is told.
    fn execution_of(
        &self,
        entry: &EntryEvents<'_>,
        event: &Event,
        after: &OrderView,
    ) -> Option<Execution> {
        let cancelled = |order| {
            let name = self.names.of(after.market, order);
            Execution::Cancelled(name.unwrap_or_else(|| ids::cancel_id(order)))
        };
        match *event {
            Event::OrderPlaced { order, .. } if order == after.order => Some(Execution::New),
            Event::OrderTriggered { order, .. } if order == after.order => {
                Some(Execution::Triggered)
            }
            Event::OrderCancelled { order, cause, .. } if order == after.order => {
                Some(match cause {
                    CancelCause::Client | CancelCause::CancelAll => cancelled(order),
                    CancelCause::OrderList if self.is_list_cancelled(entry, after) => {
                        cancelled(order)
                    }
                    CancelCause::SelfTrade => Execution::Prevented,
                    _ => Execution::Expired,
                })
            }
            // Somebody asked for it; else it is the work of self-trade prevention.
            Event::OrderReduced { order, reply, .. } if order == after.order => {
                let amended = !reply.is_nobody();
                Some(if amended { Execution::Replaced } else { Execution::Prevented })
            }
            Event::OrderDecremented { order, .. } if order == after.order => {
                Some(Execution::Prevented)
            }
            Event::OrderReplaced { old_order, .. } if old_order == after.order => {
                Some(cancelled(old_order))
            }
            Event::OrderReplaced { order, .. } if order == after.order => Some(Execution::New),
            // That an order rests changes nothing for its owner; a trade was told with its fill.
            _ => None,
        }
    }

    /// Whether an order ended because its owner cancelled the list, by another of its orders.
    fn is_list_cancelled(&self, entry: &EntryEvents<'_>, order: &OrderView) -> bool {
        let list = order.list.and_then(|list| self.lists.get(&(order.market, list)));
        let asked = |event: &Event| match *event {
            Event::OrderCancelled { market, order: other, cause, .. } => {
                matches!(cause, CancelCause::Client | CancelCause::CancelAll)
                    && market == order.market
                    && list.is_some_and(|list| list.orders.contains(&other))
            }
            _ => false,
        };
        entry.events.iter().any(asked)
    }

    fn list_status(
        &mut self,
        entry: &EntryEvents<'_>,
        event: &Event,
        views: &Views,
    ) -> Option<ListStatus> {
        let (key, list, words) = match *event {
            Event::OrderListPlaced(ref placed) if placed.account == self.account => {
                let list = OrderListView::new(placed, entry.time);
                let key = (placed.market, placed.list);
                self.lists.insert(key, list.clone());
                (key, list, ("EXEC_STARTED", "EXECUTING"))
            }
            Event::OrderListAdvanced { market, list, account, ref orders }
                if account == self.account =>
            {
                let known = self.lists.get_mut(&(market, list))?;
                known.orders.extend(orders);
                known.pending.clear();
                ((market, list), known.clone(), ("UPDATED", "EXECUTING"))
            }
            Event::OrderListEnded { market, list, account, .. } if account == self.account => {
                let ended = self.lists.remove(&(market, list))?;
                ((market, list), ended, ("ALL_DONE", "ALL_DONE"))
            }
            _ => return None,
        };
        let market = views.market_info(key.0).filter(|market| is_known(views, market))?;
        Some(ListStatus::new(&market, &list, words, self.unit.show(entry.time), views))
    }

    fn balance_update(
        &self,
        time: Timestamp,
        event: &Event,
        views: &Views,
    ) -> Option<BalanceUpdate> {
        let (account, asset, amount, sign) = match *event {
            Event::Credited { account, asset, amount, suspense: false, .. }
            | Event::TransferredIn { account, asset, amount, suspense: false, .. } => {
                (account, asset, amount, "")
            }
            Event::Debited { account, asset, amount, .. }
            | Event::TransferredOut { account, asset, amount, .. } => (account, asset, amount, "-"),
            _ => return None,
        };
        if account != self.account {
            return None;
        }
        let asset = views.asset(asset)?;
        let time = self.unit.show(time);
        Some(BalanceUpdate {
            e: "balanceUpdate",
            event_time: time,
            a: asset.symbol.clone(),
            d: format!("{sign}{}", render::amount(&asset, amount)),
            clear_time: time,
        })
    }

    fn position(
        &self,
        time: Timestamp,
        updates: &[AccountUpdate],
        views: &Views,
    ) -> Option<AccountPosition> {
        let mut last: BTreeMap<AssetId, BalanceView> = BTreeMap::new();
        for update in updates {
            if let AccountChange::Balance(balance) = update.change {
                last.insert(balance.asset, balance);
            }
        }
        let balances: Vec<Balance> =
            last.into_values().filter_map(|balance| Balance::new(views, &balance)).collect();
        let time = self.unit.show(time);
        (!balances.is_empty()).then_some(AccountPosition {
            e: "outboundAccountPosition",
            event_time: time,
            u: time,
            balances,
        })
    }
}

/// An order whose quantity is stated in quote is only known to be filled at the end of its entry: its last
/// trade is told so.
fn with_end(order: OrderView, later: &[AccountUpdate]) -> OrderView {
    if !order.is_by_quote() || !order.status.is_open() {
        return order;
    }
    let later = later.iter().filter_map(|update| match update.change {
        AccountChange::Order(later) if later.order == order.order => Some(later),
        _ => None,
    });
    let mut later = later.filter(|later| later.market == order.market);
    match (later.next(), later.next()) {
        // Nothing but the end follows, and it changes nothing else.
        (Some(end), None) if end.status == OrderStatus::Filled && end.filled == order.filled => end,
        _ => order,
    }
}

/// `listStatus`.
#[derive(Serialize)]
pub(super) struct ListStatus {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: String,
    g: u64,
    c: &'static str,
    l: &'static str,
    #[serde(rename = "L")]
    order_status: &'static str,
    r: &'static str,
    #[serde(rename = "C")]
    client_order_id: String,
    #[serde(rename = "T")]
    transaction_time: Time,
    #[serde(rename = "O")]
    orders: Vec<ListedOrder>,
}

#[derive(Serialize)]
struct ListedOrder {
    s: String,
    i: i64,
    c: String,
}

impl ListStatus {
    fn new(
        market: &MarketInfo,
        list: &OrderListView,
        (list_status, order_status): (&'static str, &'static str),
        time: Time,
        views: &Views,
    ) -> Self {
        let name = symbol(market);
        let placed = list.orders.iter().map(|&order| {
            let known = views.order(list.account, list.market, order);
            let given = known.map(|known| known.client_order_id).unwrap_or_default();
            (order.0 as i64, ids::client_order_id(given, order))
        });
        let pending = list.pending.iter().map(|leg| (-1, leg.client_order_id.to_string()));
        let orders = placed.chain(pending).map(|(i, c)| ListedOrder { s: name.clone(), i, c });
        Self {
            e: "listStatus",
            event_time: time,
            g: list.list.0,
            c: contingency(list.kind),
            l: list_status,
            order_status,
            r: "NONE",
            client_order_id: ids::list_client_order_id(list.client_order_id, list.list),
            transaction_time: time,
            orders: orders.collect(),
            s: name,
        }
    }
}

/// `balanceUpdate`: value came from elsewhere, or went.
#[derive(Serialize)]
pub(super) struct BalanceUpdate {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    a: String,
    d: String,
    #[serde(rename = "T")]
    clear_time: Time,
}

/// `outboundAccountPosition`: the balances that an entry touched.
#[derive(Serialize)]
pub(super) struct AccountPosition {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    u: Time,
    #[serde(rename = "B")]
    balances: Vec<Balance>,
}

#[derive(Serialize)]
struct Balance {
    a: String,
    f: String,
    l: String,
}

impl Balance {
    fn new(views: &Views, balance: &BalanceView) -> Option<Self> {
        let asset = views.asset(balance.asset)?;
        let text = |amount: Amount| render::amount(&asset, amount);
        let (f, l) = (text(balance.available), text(balance.held));
        Some(Self { a: asset.symbol.clone(), f, l })
    }
}
