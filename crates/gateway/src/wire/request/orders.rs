//! Orders as clients send them.

use serde::Deserialize;
use types::{AccountId, Amount, OrderId, OrderSpec, PlaceOrder, RejectCode, Request, Timestamp};
use utoipa::ToSchema;
use views::MarketInfo;

use super::{amount, client_id, price, quantity};
use crate::error::ApiError;
use crate::wire::word::{OrderType, SelfTradePrevention, Side, TimeInForce};

/// A new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrderBody {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// Buy or sell.
    pub(crate) side: Side,
    /// Limit or market.
    #[serde(rename = "type")]
    pub(crate) order_type: OrderType,
    /// Limit orders only: the worst price, a multiple of the market's tick.
    #[serde(default)]
    #[schema(example = "60000.00")]
    pub(crate) price: Option<String>,
    /// In base, a multiple of the market's lot. Market orders may state `quote_amount` instead.
    #[serde(default)]
    #[schema(example = "0.01")]
    pub(crate) quantity: Option<String>,
    /// Market orders only: the quote to spend (buy) or to receive at most (sell).
    #[serde(default)]
    pub(crate) quote_amount: Option<String>,
    /// Market orders only: most that may be spent, in quote (buy) or base (sell). Without it all that is
    /// available is locked until the order has matched.
    #[serde(default)]
    pub(crate) max_spend: Option<String>,
    /// Limit orders only; `gtc` unless given.
    #[serde(default)]
    pub(crate) time_in_force: Option<TimeInForce>,
    /// Limit orders only: rejected if it would match on arrival.
    #[serde(default)]
    pub(crate) post_only: bool,
    /// Your own id, 1 to 36 characters from `!` to `~`: a retry with the same one is the same order.
    #[serde(default)]
    pub(crate) client_order_id: Option<String>,
    /// `none` unless given.
    #[serde(default)]
    pub(crate) self_trade_prevention: Option<SelfTradePrevention>,
    /// The order is refused if the exchange takes it later than this many milliseconds after the
    /// request's timestamp; the receive window unless given.
    #[serde(default)]
    pub(crate) valid_for_ms: Option<u64>,
}

/// Another price or quantity for an open order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AmendOrderBody {
    /// The new price; the old one unless given.
    #[serde(default)]
    pub(crate) price: Option<String>,
    /// The new total quantity, filled part included; the old one unless given.
    #[serde(default)]
    pub(crate) quantity: Option<String>,
}

impl PlaceOrderBody {
    /// The command of `account`, in the units of `market`.
    ///
    /// # Errors
    /// A field that is no number of its unit, or [`RejectCode::InvalidCombination`].
    pub(crate) fn into_request(
        self,
        account: AccountId,
        market: &MarketInfo,
    ) -> Result<Request, ApiError> {
        Ok(Request::PlaceOrder(PlaceOrder {
            account,
            market: market.def.id,
            version: market.def.version,
            client_order_id: client_id("client_order_id", self.client_order_id.as_deref())?,
            side: self.side.into(),
            spec: self.spec(market)?,
            self_trade_prevention: self.self_trade_prevention.map(Into::into).unwrap_or_default(),
        }))
    }

    /// When the order is too old, at most the end of the request's window.
    pub(crate) fn valid_until(&self, timestamp: Timestamp, window_end: Timestamp) -> Timestamp {
        match self.valid_for_ms {
            None => window_end,
            Some(millis) => {
                window_end.min(timestamp.saturating_add_nanos(millis.saturating_mul(1_000_000)))
            }
        }
    }

    fn spec(&self, market: &MarketInfo) -> Result<OrderSpec, ApiError> {
        match self.order_type {
            OrderType::Limit => self.limit(market),
            OrderType::Market => self.market(market),
        }
    }

    fn limit(&self, market: &MarketInfo) -> Result<OrderSpec, ApiError> {
        if self.quote_amount.is_some() || self.max_spend.is_some() {
            return Err(combination("quote_amount and max_spend are for market orders"));
        }
        Ok(OrderSpec::Limit {
            price: price(market, "price", needed("price", self.price.as_deref())?)?,
            quantity: quantity(market, "quantity", needed("quantity", self.quantity.as_deref())?)?,
            time_in_force: self.time_in_force.unwrap_or(TimeInForce::Gtc).into(),
            post_only: self.post_only,
        })
    }

    fn market(&self, market: &MarketInfo) -> Result<OrderSpec, ApiError> {
        if self.price.is_some() || self.time_in_force.is_some() || self.post_only {
            return Err(combination("price, time_in_force and post_only are for limit orders"));
        }
        let max_spend = self.max_spend(market)?;
        match (&self.quantity, &self.quote_amount) {
            (Some(text), None) => Ok(OrderSpec::MarketByQuantity {
                quantity: quantity(market, "quantity", text)?,
                max_spend,
            }),
            (None, Some(text)) => Ok(OrderSpec::MarketByQuote {
                quote: amount(&market.quote, "quote_amount", text)?,
                max_spend,
            }),
            _ => Err(combination("a market order states either quantity or quote_amount")),
        }
    }

    fn max_spend(&self, market: &MarketInfo) -> Result<Option<Amount>, ApiError> {
        let asset = match self.side {
            Side::Buy => &market.quote,
            Side::Sell => &market.base,
        };
        self.max_spend.as_deref().map(|text| amount(asset, "max_spend", text)).transpose()
    }
}

impl AmendOrderBody {
    /// The command of `account`.
    ///
    /// # Errors
    /// A field that is no number of its unit.
    pub(crate) fn into_request(
        self,
        account: AccountId,
        market: &MarketInfo,
        order: OrderId,
    ) -> Result<Request, ApiError> {
        let new_price = self.price.as_deref().map(|text| price(market, "price", text));
        let new_quantity = self.quantity.as_deref().map(|text| quantity(market, "quantity", text));
        Ok(Request::AmendOrder {
            account,
            market: market.def.id,
            version: market.def.version,
            order,
            price: new_price.transpose()?,
            quantity: new_quantity.transpose()?,
        })
    }
}

fn needed<'a>(name: &str, text: Option<&'a str>) -> Result<&'a str, ApiError> {
    text.ok_or_else(|| ApiError::invalid_field(name, "a limit order needs it"))
}

fn combination(why: &'static str) -> ApiError {
    ApiError::from(RejectCode::InvalidCombination).detail(why)
}
