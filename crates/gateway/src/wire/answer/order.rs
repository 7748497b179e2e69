//! Orders and fills as clients see them.

use std::borrow::Cow;

use serde::Serialize;
use types::{Amount, Decimal, Quantity, Side as EngineSide};
use utoipa::ToSchema;
use views::{EndCause, FillView, MarketInfo, OrderView};

use super::{OrderTerms, Watermark, amount, client_id, millis};
use crate::outcome::Outcome;
use crate::wire::word::{Liquidity, OrderStatus, Side};

/// Further decimal places of an average price, beyond the tick's.
const AVERAGE_PLACES: u8 = 4;

/// An order with what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Order {
    /// Symbol of its market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// Its id: unique and rising within the market.
    pub(crate) id: u64,
    /// Your id, if you gave one.
    pub(crate) client_order_id: Option<String>,
    /// Buy or sell.
    pub(crate) side: Side,
    /// What it asked for.
    #[serde(flatten)]
    pub(crate) terms: OrderTerms,
    /// Where it stands.
    pub(crate) status: OrderStatus,
    /// Filled so far, in base.
    pub(crate) filled_quantity: String,
    /// Filled so far, in quote.
    pub(crate) filled_quote: String,
    /// `filled_quote` over `filled_quantity`, rounded down; none before the first fill.
    pub(crate) average_price: Option<String>,
    /// Still open, in base; what was left when it was cancelled.
    pub(crate) remaining_quantity: Option<String>,
    /// Fees so far, in `fee_asset`.
    pub(crate) fee: String,
    /// What the order receives, which its fees are taken from.
    pub(crate) fee_asset: String,
    /// Why it was cancelled: `client`, `cancel_all`, `immediate_or_cancel`, `market_remainder`,
    /// `self_trade`, `book_full`, `expired`, `not_fillable` (when its trigger fired), `interruption`,
    /// `redefined` (the market's tick or lot changed), `delisted`, `order_list` (the other one of its pair
    /// traded, was triggered or ended) or `replaced`.
    pub(crate) cancel_cause: Option<Cow<'static, str>>,
    /// The order that goes on in its place after an amendment.
    pub(crate) replaced_by: Option<u64>,
    /// The order whose place it took by an amendment.
    pub(crate) replaces: Option<u64>,
    /// The list that placed it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) list_id: Option<u64>,
    /// When it was accepted.
    pub(crate) placed_at: u64,
    /// When it last changed.
    pub(crate) updated_at: u64,
}

/// One side of a trade, as its owner sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Fill {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The trade: unique and rising within the market.
    pub(crate) trade_id: u64,
    /// The order.
    pub(crate) order_id: u64,
    /// Your id of the order, if you gave one.
    pub(crate) client_order_id: Option<String>,
    /// Buy or sell.
    pub(crate) side: Side,
    /// At which price.
    pub(crate) price: String,
    /// How much, in base.
    pub(crate) quantity: String,
    /// How much, in quote.
    pub(crate) quote_amount: String,
    /// Taken from what was received.
    pub(crate) fee: String,
    /// What was received.
    pub(crate) fee_asset: String,
    /// What a maker got back of what it paid, out of its taker's fee; then `fee` is zero.
    pub(crate) rebate: String,
    /// What was paid.
    pub(crate) rebate_asset: String,
    /// Maker, taker or auction.
    pub(crate) liquidity: Liquidity,
    /// When.
    pub(crate) time: u64,
    /// The entry of the market's partition.
    pub(crate) seq: u64,
}

/// Answer to a placed order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PlacedOrder {
    /// The order's id.
    pub(crate) id: u64,
    /// Whether this client order id had placed the order before: nothing new happened.
    pub(crate) repeated: bool,
    /// The order after matching. Null only in a repeated answer about an order so old that it is in
    /// the history alone.
    pub(crate) order: Option<Order>,
    /// What it matched on arrival; empty in a repeated answer.
    pub(crate) fills: Vec<Fill>,
    /// When the exchange took it.
    pub(crate) time: u64,
    /// The same in nanoseconds, as text.
    pub(crate) time_ns: String,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry: reads with `min_seq` of it show the order.
    pub(crate) seq: u64,
}

/// Answer to one of several orders that were placed together: what the client did not say itself.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlacedInBatch {
    /// The order's id.
    id: u64,
    /// Your id, if you gave one.
    client_order_id: Option<String>,
    /// As in [`PlacedOrder`].
    repeated: bool,
    /// Where it stands. This and the quantities are null only in a repeated answer about an order so old
    /// that it is in the history alone.
    status: Option<OrderStatus>,
    /// Filled so far, in base.
    filled_quantity: Option<String>,
    /// Still open, in base. Null for an order by quote, too.
    remaining_quantity: Option<String>,
    /// What it matched on arrival; empty in a repeated answer.
    fills: Vec<Fill>,
    /// When the exchange took it.
    time: u64,
    /// The partition that answered.
    partition: u16,
    /// Its entry.
    seq: u64,
}

/// Answer to a replacement: that of the placement, and what became of the cancel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReplacedOrder {
    /// The new order.
    #[serde(flatten)]
    pub(crate) placed: PlacedOrder,
    /// Whether the old order was cancelled by this. Null in a repeated answer, and where this command
    /// cannot be told from an earlier cancel of yours (`go_on` only).
    pub(crate) cancelled: Option<bool>,
    /// What was left of the old order, in base. Null also if the market and the account are in different
    /// partitions: ask for the order then.
    pub(crate) cancelled_quantity: Option<String>,
}

/// Answer to a dead man's switch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Countdown {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// When all orders are cancelled unless the switch is put off before; null if it is off.
    pub(crate) at: Option<u64>,
    /// When it was set.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to an amendment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AmendedOrder {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The order's id from now on.
    pub(crate) id: u64,
    /// Its old id, if it lost its place in the queue and with it its id.
    pub(crate) replaces: Option<u64>,
    /// Where it stands.
    pub(crate) status: OrderStatus,
    /// Still open, in base.
    pub(crate) remaining_quantity: String,
    /// What it matched by the amendment.
    pub(crate) fills: Vec<Fill>,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to a cancel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CancelledOrder {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The order.
    pub(crate) id: u64,
    /// What was left of it, in base.
    pub(crate) remaining_quantity: String,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// Answer to cancelling all orders of a market.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CancelledAll {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// How many orders are being cancelled. Each one's end is told by the streams and by reads.
    pub(crate) count: u32,
    /// When.
    pub(crate) time: u64,
    /// The partition that answered.
    pub(crate) partition: u16,
    /// Its entry.
    pub(crate) seq: u64,
}

/// One order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OrderAnswer {
    /// The order.
    pub(crate) order: Order,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// Orders.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Orders {
    /// The orders.
    pub(crate) orders: Vec<Order>,
    /// Give this as `before` to get the next page; none on the last one, and for open orders.
    pub(crate) next: Option<String>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// Fills.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Fills {
    /// The fills, newest first.
    pub(crate) fills: Vec<Fill>,
    /// Give this as `before` to get the next page; none on the last one.
    pub(crate) next: Option<String>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

impl Order {
    /// `view` in the units of `market`, which is its market; one that has ended in those of its end.
    pub(crate) fn new(market: &MarketInfo, view: &OrderView) -> Self {
        let is_open = view.status.is_open();
        let then = if is_open { Cow::Borrowed(market) } else { market.at(view.updated_seq) };
        let market = &*then;
        let lots = |quantity: Quantity| market.def.lot.format(quantity.get().into());
        let fee_asset = received(market, view.side);
        Self {
            market: market.def.symbol.clone(),
            id: view.order.0,
            client_order_id: client_id(view.client_order_id),
            side: view.side.into(),
            terms: OrderTerms::new(market, view.side, &view.spec, &view.conditions),
            status: view.status.into(),
            filled_quantity: lots(view.filled),
            filled_quote: amount(&market.quote, view.quote_filled),
            average_price: average_price(market, view.filled, view.quote_filled),
            remaining_quantity: (!view.is_by_quote()).then(|| lots(view.remaining)),
            fee: amount(fee_asset, view.fee),
            fee_asset: fee_asset.symbol.clone(),
            cancel_cause: view.cause.map(|cause| cause.word().into()),
            replaced_by: match view.cause {
                Some(EndCause::Replaced(by)) => Some(by.0),
                Some(EndCause::Cancelled(_)) | None => None,
            },
            replaces: view.replaces.map(|order| order.0),
            list_id: view.list.map(|list| list.0),
            placed_at: millis(view.placed_at),
            updated_at: millis(view.updated_at),
        }
    }
}

impl PlacedInBatch {
    /// An order of `market` as its placement left it.
    pub(crate) fn new(market: &MarketInfo, outcome: &Outcome, view: &OrderView) -> Self {
        let lots = |quantity: Quantity| market.def.lot.format(quantity.get().into());
        let fills = outcome.fills(view.side, view.client_order_id);
        Self {
            id: view.order.0,
            client_order_id: client_id(view.client_order_id),
            repeated: false,
            status: Some(view.status.into()),
            filled_quantity: Some(lots(view.filled)),
            remaining_quantity: (!view.is_by_quote()).then(|| lots(view.remaining)),
            fills: fills.iter().map(|fill| Fill::new(market, fill)).collect(),
            time: millis(outcome.time),
            partition: outcome.partition.0,
            seq: outcome.seq.0,
        }
    }
}

impl From<PlacedOrder> for PlacedInBatch {
    fn from(placed: PlacedOrder) -> Self {
        let PlacedOrder { id, repeated, order, fills, time, partition, seq, .. } = placed;
        let mut answer = Self {
            id,
            client_order_id: None,
            repeated,
            status: None,
            filled_quantity: None,
            remaining_quantity: None,
            fills,
            time,
            partition,
            seq,
        };
        if let Some(order) = order {
            answer.client_order_id = order.client_order_id;
            answer.status = Some(order.status);
            answer.filled_quantity = Some(order.filled_quantity);
            answer.remaining_quantity = order.remaining_quantity;
        }
        answer
    }
}

impl Fill {
    /// `view` in the units of `market`, which is its market.
    pub(crate) fn new(market: &MarketInfo, view: &FillView) -> Self {
        let market = &*market.at(view.seq);
        let fee_asset = received(market, view.side);
        let rebate_asset = received(market, view.side.opposite());
        Self {
            market: market.def.symbol.clone(),
            trade_id: view.trade.0,
            order_id: view.order.0,
            client_order_id: client_id(view.client_order_id),
            side: view.side.into(),
            price: market.def.tick.format(view.price.get().into()),
            quantity: market.def.lot.format(view.quantity.get().into()),
            quote_amount: amount(&market.quote, view.quote_amount),
            fee: amount(fee_asset, view.fee),
            fee_asset: fee_asset.symbol.clone(),
            rebate: amount(rebate_asset, view.rebate),
            rebate_asset: rebate_asset.symbol.clone(),
            liquidity: view.liquidity.into(),
            time: millis(view.time),
            seq: view.seq.0,
        }
    }
}

/// What an order of this side receives.
fn received(market: &MarketInfo, side: EngineSide) -> &types::AssetDef {
    match side {
        EngineSide::Buy => &market.base,
        EngineSide::Sell => &market.quote,
    }
}

/// Rounded down to [`AVERAGE_PLACES`] beyond the tick. For people: money never depends on it.
pub(crate) fn average_price(
    market: &MarketInfo,
    filled: Quantity,
    quote: Amount,
) -> Option<String> {
    if filled >= views::MOST_FILLED {
        // The count stopped there, the amount did not.
        return None;
    }
    let tick = market.def.tick;
    let places = AVERAGE_PLACES.min(18 - tick.scale.min(18));
    let tick_lots = quote.get() / u128::from(market.scaling.quote_atoms_per_tick_lot);
    let units = tick_lots
        .checked_mul(u128::from(tick.units))?
        .checked_mul(10u128.pow(places.into()))?
        .checked_div(u128::from(filled.get()))?;
    Some(Decimal::new(1, tick.scale + places).format(units))
}
