//! `PUT order/amend/keepPriority`: less quantity in the same place; and `GET order/amendments`.

use serde::Serialize;
use store::AmendmentQuery;
use types::{Event, OrderId, Quantity, Request};
use views::OrderView;

use super::cancel::after;
use super::find::Named;
use super::read;
use super::show::{order_type, side, status, time_in_force, working_time};
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::ids;
use crate::binance::render::{self, Time, ZERO};
use crate::binance::symbols::symbol;
use crate::history;
use crate::orders::unexpected;

const ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amended {
    transact_time: Time,
    execution_id: u64,
    amended_order: AmendedOrder,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AmendedOrder {
    symbol: String,
    order_id: u64,
    order_list_id: i64,
    orig_client_order_id: String,
    client_order_id: String,
    price: String,
    qty: String,
    executed_qty: String,
    prevented_qty: &'static str,
    quote_order_qty: &'static str,
    cumulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    order_type: &'static str,
    side: &'static str,
    working_time: Time,
    self_trade_prevention_mode: &'static str,
}

/// `PUT order/amend/keepPriority`. The order keeps its client id, since the engine gives no second one; by the
/// name that is given now it is found too.
pub(in crate::binance) async fn amend(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let named = Named::of(&call, "orderId", "origClientOrderId")?;
    call.params.required("newQty")?;
    let text = call.params.decimal("newQty")?.unwrap_or_default();
    let lots = market.def.lot.count_u64(text).map_err(|_| Error::filter("LOT_SIZE"))?;
    let wanted = Quantity::new(lots);
    let new_name = read::client_order_id(&call.params, "newClientOrderId")?;
    let account = call.caught_up().await?;
    let order = named.in_views(&call, account, &market)?;
    let order = order.filter(|order| order.status.is_open()).ok_or_else(Error::no_such_order)?;
    let request = Request::AmendOrder {
        account,
        market: market.def.id,
        version: market.def.version,
        order: order.order,
        price: None,
        quantity: Some(wanted),
        keep_priority: true,
    };
    let outcome = call.shared.submit(call.valid_until(), request).await?;
    if !matches!(outcome.answer, Event::OrderReduced { .. }) {
        return Err(unexpected(&outcome).into());
    }
    if !new_name.is_none() && new_name != order.client_order_id {
        let name = new_name.to_string();
        call.shared.amended_names.note(account, market.def.id, name, order.order);
    }
    let order = after(&call, account, &market, order.order).await?;
    Answer::of(&Amended {
        transact_time: call.unit.show(outcome.time),
        execution_id: ids::execution_id(outcome.seq, 0),
        amended_order: amended(&call, &market, &order),
    })
}

fn amended(call: &Call, market: &views::MarketInfo, order: &OrderView) -> AmendedOrder {
    let name = ids::client_order_id(order.client_order_id, order.order);
    AmendedOrder {
        symbol: symbol(market),
        order_id: order.order.0,
        order_list_id: ids::list_id(order.list),
        orig_client_order_id: name.clone(),
        client_order_id: name,
        price: render::price(market, order.spec.limit_price()),
        qty: render::lots(market, order.spec.quantity().unwrap_or_default().get()),
        executed_qty: render::lots(market, order.filled.get()),
        prevented_qty: ZERO,
        quote_order_qty: ZERO,
        cumulative_quote_qty: render::quote(market, order.quote_filled),
        status: status(order),
        time_in_force: time_in_force(&order.spec),
        order_type: order_type(order),
        side: side(order.side),
        working_time: working_time(order, call.unit),
        self_trade_prevention_mode: "NONE",
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amendment {
    symbol: String,
    order_id: u64,
    execution_id: u64,
    orig_client_order_id: String,
    new_client_order_id: String,
    orig_qty: String,
    new_qty: String,
    time: Time,
}

/// `GET order/amendments`, oldest first.
pub(in crate::binance) async fn amendments(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let market = call.market()?;
    let order = OrderId(call.params.required_id("orderId")?);
    let from = call.params.id("fromExecutionId")?;
    let limit = call.params.limit(ROWS, MOST_ROWS)?;
    call.history_settled().await?;
    let query = AmendmentQuery { account, market: market.def.id, order };
    let rows = history::read(&call.shared, move |store| store.amendments(&query)).await?;
    let amendment = |row: &store::AmendmentRow| {
        let market = &*market.at(row.seq);
        let given = row.client_order_id.as_deref().and_then(|id| id.parse().ok());
        let name = ids::client_order_id(given.unwrap_or_default(), order);
        Amendment {
            symbol: symbol(market),
            order_id: order.0,
            execution_id: ids::execution_id(row.seq, row.index),
            orig_client_order_id: name.clone(),
            new_client_order_id: name,
            orig_qty: render::lots(market, row.old_quantity.get()),
            new_qty: render::lots(market, row.new_quantity.get()),
            time: call.unit.show(row.time),
        }
    };
    let all = rows.iter().map(amendment);
    let wanted = all.filter(|found| from.is_none_or(|from| found.execution_id >= from));
    Answer::of(&wanted.take(limit).collect::<Vec<_>>())
}
