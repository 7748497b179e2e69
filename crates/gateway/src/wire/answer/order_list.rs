//! Order lists as clients see them.

use serde::Serialize;
use types::ListLeg;
use utoipa::ToSchema;
use views::{MarketInfo, OrderListView};

use super::{OrderTerms, Watermark, client_id, ids, millis};
use crate::wire::word::{OrderListKind, Side};

/// Answer to a placed list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PlacedOrderList {
    /// The list's id: that of its first order.
    pub(crate) id: u64,
    /// Whether this client order id had placed the list before: nothing new happened.
    pub(crate) repeated: bool,
    /// How its legs depend on each other. Null in a repeated answer about a list that has ended.
    pub(crate) kind: Option<OrderListKind>,
    /// Its orders, as far as they are placed; null likewise. How they stand: `GET /v1/orders`.
    pub(crate) order_ids: Option<Vec<u64>>,
    /// When the exchange took it.
    pub(crate) time: u64,
    /// The same in nanoseconds, as text.
    pub(crate) time_ns: String,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry: reads with `min_seq` of it show the orders.
    pub(crate) seq: u64,
}

/// A list that has not ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OrderList {
    /// Symbol of its market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// Its id: that of its first order.
    pub(crate) id: u64,
    /// Your name of it, if you gave one.
    pub(crate) client_order_id: Option<String>,
    /// How its legs depend on each other.
    pub(crate) kind: OrderListKind,
    /// Its orders so far, those that have ended too.
    pub(crate) order_ids: Vec<u64>,
    /// Legs that are no orders yet.
    pub(crate) pending: Vec<PendingLeg>,
    /// When it was accepted.
    pub(crate) placed_at: u64,
}

/// A leg that is placed when the order before it is filled.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PendingLeg {
    /// The id that it will have of you, if you gave one.
    pub(crate) client_order_id: Option<String>,
    /// Buy or sell.
    pub(crate) side: Side,
    /// What it asks for.
    #[serde(flatten)]
    pub(crate) terms: OrderTerms,
}

/// Lists that have not ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OrderLists {
    /// By market and id.
    pub(crate) lists: Vec<OrderList>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

impl OrderList {
    /// `view` in the units of `market`, which is its market.
    pub(crate) fn new(market: &MarketInfo, view: &OrderListView) -> Self {
        Self {
            market: market.def.symbol.clone(),
            id: view.list.0,
            client_order_id: client_id(view.client_order_id),
            kind: view.kind.into(),
            order_ids: ids(&view.orders),
            pending: view.pending.iter().map(|leg| PendingLeg::new(market, leg)).collect(),
            placed_at: millis(view.placed_at),
        }
    }
}

impl PendingLeg {
    fn new(market: &MarketInfo, leg: &ListLeg) -> Self {
        Self {
            client_order_id: client_id(leg.client_order_id),
            side: leg.side.into(),
            terms: OrderTerms::new(market, leg.side, &leg.spec, &leg.conditions),
        }
    }
}
