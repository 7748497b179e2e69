//! Order lists as the dialect tells them: asked about and cancelled.

use serde::Serialize;
use store::{OrderListQuery, OrderListRow};
use types::{ClientOrderId, Event, ListLeg, MarketId, OrderId, OrderListKind, Request, Timestamp};
use views::{MarketInfo, OrderListView, OrderView};

use super::cancel::{after, cancel_name, remember_name};
use super::query::times;
use super::show::OrderObject;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::ids;
use crate::binance::render::{Time, TimeUnit};
use crate::binance::symbols::{self, symbol};
use crate::history;
use crate::orders::unexpected;

const ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;

/// An order list.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct ListObject {
    order_list_id: u64,
    contingency_type: &'static str,
    list_status_type: &'static str,
    list_order_status: &'static str,
    list_client_order_id: String,
    transaction_time: Time,
    symbol: String,
    orders: Vec<ListedOrder>,
}

/// An order of a list. A pending one has no id before it is placed: -1.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct ListedOrder {
    symbol: String,
    order_id: i64,
    client_order_id: String,
}

/// A list with its orders.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct CancelledList {
    #[serde(flatten)]
    list: ListObject,
    order_reports: Vec<OrderObject>,
}

impl CancelledList {
    pub(in crate::binance) fn new(list: ListObject, order_reports: Vec<OrderObject>) -> Self {
        Self { list, order_reports }
    }
}

/// `OCO`, or `OTO`, also for what triggers a pair.
pub(in crate::binance) fn contingency(kind: OrderListKind) -> &'static str {
    match kind {
        OrderListKind::OneCancelsOther => "OCO",
        OrderListKind::OneTriggersOther | OrderListKind::OneTriggersPair => "OTO",
    }
}

impl ListedOrder {
    fn new(symbol: String, order: OrderId, name: ClientOrderId) -> Self {
        let client_order_id = ids::client_order_id(name, order);
        Self { symbol, order_id: order.0 as i64, client_order_id }
    }

    fn pending(symbol: String, leg: &ListLeg) -> Self {
        Self { symbol, order_id: -1, client_order_id: leg.client_order_id.to_string() }
    }
}

impl ListObject {
    /// One that is executing: its orders, and what pends.
    pub(in crate::binance) fn open(
        market: &MarketInfo,
        list: &OrderListView,
        orders: &[OrderView],
        time: Timestamp,
        unit: TimeUnit,
    ) -> Self {
        let name = symbol(market);
        let placed = orders
            .iter()
            .map(|order| ListedOrder::new(name.clone(), order.order, order.client_order_id));
        let pending = list.pending.iter().map(|leg| ListedOrder::pending(name.clone(), leg));
        Self {
            order_list_id: list.list.0,
            contingency_type: contingency(list.kind),
            list_status_type: "EXEC_STARTED",
            list_order_status: "EXECUTING",
            list_client_order_id: ids::list_client_order_id(list.client_order_id, list.list),
            transaction_time: unit.show(time),
            orders: placed.chain(pending).collect(),
            symbol: name,
        }
    }

    /// One that has ended.
    pub(in crate::binance) fn ended(
        market: &MarketInfo,
        list: &OrderListView,
        orders: &[&OrderView],
        time: Timestamp,
        unit: TimeUnit,
    ) -> Self {
        let orders: Vec<OrderView> = orders.iter().map(|&order| *order).collect();
        Self {
            list_status_type: "ALL_DONE",
            list_order_status: "ALL_DONE",
            ..Self::open(market, list, &orders, time, unit)
        }
    }

    /// One of the history.
    fn of_row(market: &MarketInfo, row: &OrderListRow, unit: TimeUnit) -> Result<Self, Error> {
        let name = symbol(market);
        let given = row.client_order_id.as_deref().and_then(|id| id.parse().ok());
        let listed = |(order, id): &(OrderId, Option<String>)| {
            let given = id.as_deref().and_then(|id| id.parse().ok());
            ListedOrder::new(name.clone(), *order, given.unwrap_or_default())
        };
        let has_ended = row.ended_at.is_some();
        Ok(Self {
            order_list_id: row.list.0,
            contingency_type: if row.kind == "oco" { "OCO" } else { "OTO" },
            list_status_type: if has_ended { "ALL_DONE" } else { "EXEC_STARTED" },
            list_order_status: if has_ended { "ALL_DONE" } else { "EXECUTING" },
            list_client_order_id: ids::list_client_order_id(given.unwrap_or_default(), row.list),
            transaction_time: unit.show(row.placed_at),
            orders: row.orders.iter().map(listed).collect(),
            symbol: name,
        })
    }
}

/// `DELETE orderList`: by its id or its name.
pub(in crate::binance) async fn cancel_list(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let id = call.params.id("orderListId")?.map(OrderId);
    let name = call.params.text("listClientOrderId")?;
    if id.is_none() && name.is_none() {
        return Err(Error::one_of("orderListId", "listClientOrderId"));
    }
    let cancel_name = cancel_name(&call, "newClientOrderId")?;
    let account = call.caught_up().await?;
    let here = market.def.id;
    let open = call.shared.views.open_order_lists(account, Some(here));
    let is_meant = |list: &&OrderListView| match (id, name) {
        (Some(id), _) => list.list == id,
        (None, Some(name)) => is_named(list, name),
        (None, None) => false,
    };
    let list = open.iter().find(is_meant).ok_or_else(Error::unknown_order_sent)?;
    let request = Request::CancelOrderList { account, market: here, list: list.list };
    for &order in &list.orders {
        remember_name(&call, &market, order, cancel_name.as_deref());
    }
    let outcome = call.shared.submit(call.valid_until(), request).await;
    if outcome.is_err() {
        list.orders.iter().for_each(|&order| call.shared.cancel_names.forget(here, order));
    }
    let outcome = outcome?;
    if !matches!(outcome.answer, Event::OrderCancelled { .. }) {
        return Err(unexpected(&outcome).into());
    }
    let mut orders = Vec::new();
    for &order in &list.orders {
        orders.push(after(&call, account, &market, order).await?);
    }
    let report = |order: &OrderView| {
        let name = cancel_name.clone().unwrap_or_else(|| ids::cancel_id(order.order));
        OrderObject::cancelled(&market, order, name, outcome.time, call.unit).of_cancelled_list()
    };
    let reports = orders.iter().map(report).collect();
    let orders: Vec<&OrderView> = orders.iter().collect();
    let ended = ListObject::ended(&market, list, &orders, outcome.time, call.unit);
    Answer::of(&CancelledList::new(ended, reports))
}

fn is_named(list: &OrderListView, name: &str) -> bool {
    ids::list_client_order_id(list.client_order_id, list.list) == name
}

/// `GET openOrderList`: of all markets.
pub(in crate::binance) async fn open_lists(call: Call) -> Result<Answer, Error> {
    let account = call.caught_up().await?;
    let views = &call.shared.views;
    let markets = symbols::markets(views);
    let object = |list: &OrderListView| {
        let market = markets.iter().find(|market| market.def.id == list.market)?;
        let order = |&order: &OrderId| views.order(account, list.market, order);
        let orders: Vec<_> = list.orders.iter().filter_map(order).collect();
        Some(ListObject::open(market, list, &orders, list.placed_at, call.unit))
    };
    let open = views.open_order_lists(account, None);
    Answer::of(&open.iter().filter_map(object).collect::<Vec<_>>())
}

/// `GET orderList`: by its id or its name. Ids of lists are those of their first orders, and so are told
/// apart by the market: without `symbol` the newest list of this id is meant.
pub(in crate::binance) async fn list(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let id = call.params.id("orderListId")?.map(OrderId);
    let name = call.params.text("origClientOrderId")?;
    if id.is_none() && name.is_none() {
        return Err(Error::one_of("orderListId", "origClientOrderId"));
    }
    let unnamed = || ids::unnamed_list(name?);
    let query = OrderListQuery {
        account,
        market: call.market_if_named()?.map(|market| market.def.id),
        list: id.or_else(unnamed),
        client_order_id: if id.is_none() { name.map(str::to_owned) } else { None },
        limit: 1,
        ..OrderListQuery::of(account)
    };
    let found = read(&call, query).await?;
    let found = found.into_iter().next().ok_or_else(Error::no_such_list)?;
    Answer::of(&found)
}

/// `GET allOrderList`: from `fromId` or `startTime` on, or the newest.
pub(in crate::binance) async fn all_lists(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let from = call.params.id("fromId")?.map(OrderId);
    let (since, until) = times(&call)?;
    if from.is_some() && (since.is_some() || until.is_some()) {
        return Err(Error::invalid_combination());
    }
    let limit = call.params.limit(ROWS, MOST_ROWS)? as u32;
    let query = OrderListQuery { from, since, until, limit, ..OrderListQuery::of(account) };
    Answer::of(&read(&call, query).await?)
}

async fn read(call: &Call, query: OrderListQuery) -> Result<Vec<ListObject>, Error> {
    call.history_settled().await?;
    let rows = history::read(&call.shared, move |store| store.order_lists(&query)).await?;
    let markets = symbols::markets(&call.shared.views);
    let of = |id: MarketId| markets.iter().find(|market| market.def.id == id);
    let known = rows.iter().filter_map(|row| Some((of(row.market)?, row)));
    known.map(|(market, row)| ListObject::of_row(market, row, call.unit)).collect()
}
