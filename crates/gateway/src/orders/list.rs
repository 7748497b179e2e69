//! Orders and fills of an account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::{FillQuery, OrderQuery, OrderState};
use types::{AccountId, MarketId, OrderId, PartitionId};
use utoipa::{IntoParams, ToSchema};

use super::market_of;
use crate::account::watermarks;
use crate::error::ApiError;
use crate::history;
use crate::http::extract::{Params, SignedRequest};
use crate::market_data::{market, page};
use crate::min_seq;
use crate::state::Shared;
use crate::watermarks::Marks;
use crate::wire::answer::{Fills, Order, Orders};
use crate::wire::error::ErrorBody;

const MOST_ROWS: usize = 1_000;

/// Which orders.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListedStatus {
    /// Open, partially filled, and waiting for a trigger: all of them, in one page.
    #[default]
    Open,
    /// Filled or cancelled.
    Closed,
    /// Filled whole.
    Filled,
    /// Cancelled, also after fills.
    Cancelled,
    /// Every order.
    All,
}

/// Which orders, and which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListOrdersParams {
    /// Symbol of a market, or any.
    pub(crate) market: Option<String>,
    /// `open` unless given.
    #[serde(default)]
    #[param(inline)]
    pub(crate) status: ListedStatus,
    /// The `next` of the page before this one. Not for open orders.
    pub(crate) before: Option<String>,
    /// 1 to 1000, 100 unless given. Not for open orders.
    pub(crate) limit: Option<usize>,
    /// Answer only when this entry is seen: `seq` of the market's partition (without `market`: your
    /// account's), or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// Which fills, and which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListFillsParams {
    /// Symbol of a market, or any.
    pub(crate) market: Option<String>,
    /// Of one order; needs `market`.
    pub(crate) order_id: Option<u64>,
    /// The `next` of the page before this one.
    pub(crate) before: Option<String>,
    /// 1 to 1000, 100 unless given.
    pub(crate) limit: Option<usize>,
    /// Answer only when this entry is seen: `seq` of the market's partition (without `market`: your
    /// account's), or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// Your orders: the open ones, or the history page by page, newest first.
#[utoipa::path(
    get, path = "/v1/orders", tag = "Orders", params(ListOrdersParams),
    responses((status = 200, body = Orders), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_orders(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<ListOrdersParams>,
    request: SignedRequest,
) -> Result<Json<Orders>, ApiError> {
    let account = request.reader()?;
    let (market, home) = market_id(&shared, account, params.market.as_deref())?;
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    let state = match params.status {
        ListedStatus::Open => return open_orders(&shared, account, market, &asked).await.map(Json),
        ListedStatus::Closed => Some(OrderState::Closed),
        ListedStatus::Filled => Some(OrderState::Filled),
        ListedStatus::Cancelled => Some(OrderState::Cancelled),
        ListedStatus::All => None,
    };
    let limit = page(params.limit, 100, MOST_ROWS)?;
    let query = OrderQuery {
        account,
        market,
        state,
        before: cursor(params.before.as_deref())?,
        limit: limit as u32,
    };
    let watermarks = history::watermarks(&shared, account, asked).await?;
    let rows = history::read(&shared, move |store| store.orders(&query)).await?;
    Ok(Json(Orders {
        orders: history::orders_of(&shared, &rows)?,
        next: rows.get(limit - 1).map(|row| row.id.to_string()),
        watermarks,
    }))
}

async fn open_orders(
    shared: &Shared,
    account: AccountId,
    market: Option<MarketId>,
    asked: &Marks,
) -> Result<Orders, ApiError> {
    let watermarks = watermarks(shared, account, asked).await?;
    let open = shared.views.open_orders(account, market);
    let order = |view: &views::OrderView| Ok(Order::new(&*market_of(shared, view.market)?, view));
    Ok(Orders {
        orders: open.iter().map(order).collect::<Result<_, ApiError>>()?,
        next: None,
        watermarks,
    })
}

/// Your fills, newest first.
#[utoipa::path(
    get, path = "/v1/fills", tag = "Orders", params(ListFillsParams),
    responses((status = 200, body = Fills), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_fills(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<ListFillsParams>,
    request: SignedRequest,
) -> Result<Json<Fills>, ApiError> {
    let account = request.reader()?;
    let (market, home) = market_id(&shared, account, params.market.as_deref())?;
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    if params.order_id.is_some() && market.is_none() {
        return Err(ApiError::invalid_field("order_id", "needs market"));
    }
    let limit = page(params.limit, 100, MOST_ROWS)?;
    let query = FillQuery {
        account,
        market,
        order: params.order_id.map(OrderId),
        before: cursor(params.before.as_deref())?,
        limit: limit as u32,
    };
    let watermarks = history::watermarks(&shared, account, asked).await?;
    let rows = history::read(&shared, move |store| store.fills(&query)).await?;
    Ok(Json(Fills {
        fills: history::fills_of(&shared, &rows)?,
        next: rows.get(limit - 1).map(|row| row.id.to_string()),
        watermarks,
    }))
}

/// The market asked for, or any, and the partition that a bare `min_seq` is of.
pub(super) fn market_id(
    shared: &Shared,
    account: AccountId,
    symbol: Option<&str>,
) -> Result<(Option<MarketId>, PartitionId), ApiError> {
    let Some(symbol) = symbol else {
        return Ok((None, min_seq::home(shared, account)));
    };
    let market = market(shared, symbol)?;
    Ok((Some(market.def.id), market.def.home))
}

/// Where a page begins: opaque to clients.
pub(crate) fn cursor(before: Option<&str>) -> Result<Option<u64>, ApiError> {
    before.map(|text| crate::http::extract::number("before", text)).transpose()
}
