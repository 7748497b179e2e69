//! Orders as clients send them.

use serde::Deserialize;
use serde_json::{Map, Value};
use types::{
    AccountId, Amount, OrderId, OrderSpec, PlaceOrder, RejectCode, ReplaceOrder, Request, Timestamp,
};
use utoipa::ToSchema;
use views::MarketInfo;

use super::conditions::refuse_stray;
use super::{amount, client_order_id, price, quantity};
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
    /// What it is.
    #[serde(rename = "type")]
    pub(crate) order_type: OrderType,
    /// Limit orders only: the worst price, a multiple of the market's tick.
    #[serde(default)]
    #[schema(example = "60000.00")]
    pub(crate) price: Option<String>,
    /// In base, a multiple of the market's lot. Orders at the market may state `quote_amount` instead.
    #[serde(default)]
    #[schema(example = "0.01")]
    pub(crate) quantity: Option<String>,
    /// Orders at the market only: the quote to spend (buy) or to receive at most (sell).
    #[serde(default)]
    pub(crate) quote_amount: Option<String>,
    /// Orders at the market only: most that may be spent, in quote (buy) or base (sell). Without it all
    /// that is available is locked until the order has matched; a `stop_loss` or `take_profit` to buy
    /// locks its quantity at a tenth more than `stop_price`. A `trailing_stop` to buy needs it, and so
    /// does every sale by `quote_amount` with a trigger.
    #[serde(default)]
    pub(crate) max_spend: Option<String>,
    /// Limit orders only; `gtc` unless given. `gtd` needs `expires_at`, and is for all orders with a
    /// trigger too.
    #[serde(default)]
    pub(crate) time_in_force: Option<TimeInForce>,
    /// With `gtd`, or with a trigger: the order is cancelled when the exchange's clock comes here.
    /// Milliseconds since the Unix epoch.
    #[serde(default)]
    pub(crate) expires_at: Option<u64>,
    /// Limit orders only: rejected if it would match on arrival.
    #[serde(default)]
    pub(crate) post_only: bool,
    /// With `post_only`: instead of being rejected, it rests one tick away from the other side.
    #[serde(default)]
    pub(crate) slide: bool,
    /// `stop_loss`, `take_profit` and their limit orders: a trade at this price or beyond lets it enter.
    #[serde(default)]
    pub(crate) stop_price: Option<String>,
    /// `trailing_stop` and `trailing_stop_limit`: how far a trade must be from the best price since the
    /// order became active, in hundredths of a percent: 1 to 5000.
    #[serde(default)]
    pub(crate) trailing_basis_points: Option<u16>,
    /// `trailing_stop` and `trailing_stop_limit`: active only from a trade at this price on (sell: or
    /// above, buy: or below); at once unless given.
    #[serde(default)]
    pub(crate) activation_price: Option<String>,
    /// Iceberg, limit orders that are `gtc` or `gtd`: how much of the quantity is shown at a time.
    #[serde(default)]
    pub(crate) visible_quantity: Option<String>,
    /// Limit orders that are not `fok`: rejected unless at least this much matches on arrival.
    #[serde(default)]
    pub(crate) minimum_quantity: Option<String>,
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

/// A cancel with a placement behind it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceOrderBody {
    /// The order that is to go.
    pub(crate) cancel: CancelBody,
    /// What happens when it cannot be cancelled; `stop` unless given.
    #[serde(default)]
    pub(crate) on_failure: OnFailure,
    /// The order that is to come, of the same market: the fields of `POST /v1/orders`.
    #[schema(value_type = PlaceOrderBody)]
    pub(crate) order: Map<String, Value>,
}

/// An open order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBody {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The order.
    pub(crate) id: u64,
}

/// What a replacement does when the cancel fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFailure {
    /// Nothing is placed, and the answer is why the cancel failed.
    #[default]
    Stop,
    /// The order is placed all the same.
    GoOn,
}

/// The dead man's switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountdownBody {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// In so many milliseconds, at most 86400000 (a day); 0 takes the switch off.
    #[schema(maximum = 86_400_000, example = 60_000)]
    pub(crate) after_ms: u32,
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
    /// Refuse it (`LosesPriority`) if the order would lose its place in the queue.
    #[serde(default)]
    pub(crate) keep_priority: bool,
}

impl PlaceOrderBody {
    /// The command of `account`, in the units of `market`.
    ///
    /// # Errors
    /// A field that is missing or no number of its unit, or one that does not go with the others
    /// ([`RejectCode::InvalidCombination`]).
    pub(crate) fn into_request(
        self,
        account: AccountId,
        market: &MarketInfo,
    ) -> Result<Request, ApiError> {
        self.into_order(account, market).map(Request::PlaceOrder)
    }

    /// The command of `account` that cancels `cancel` first.
    ///
    /// # Errors
    /// As [`Self::into_request`].
    pub(crate) fn into_replacement(
        self,
        account: AccountId,
        market: &MarketInfo,
        cancel: OrderId,
        on_failure: OnFailure,
    ) -> Result<Request, ApiError> {
        let stop_on_failure = on_failure == OnFailure::Stop;
        let order = self.into_order(account, market)?;
        Ok(Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure, order })))
    }

    /// The order of `account`.
    pub(super) fn into_order(
        self,
        account: AccountId,
        market: &MarketInfo,
    ) -> Result<PlaceOrder, ApiError> {
        let spec = self.spec(market)?;
        Ok(PlaceOrder {
            account,
            market: market.def.id,
            version: market.def.version,
            client_order_id: client_order_id("client_order_id", self.client_order_id.as_deref())?,
            side: self.side.into(),
            spec,
            conditions: self.conditions(market, &spec)?.into(),
            self_trade_prevention: self.self_trade_prevention.map(Into::into).unwrap_or_default(),
        })
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
        if self.order_type.is_limit() { self.limit(market) } else { self.market(market) }
    }

    fn limit(&self, market: &MarketInfo) -> Result<OrderSpec, ApiError> {
        let only = "only for orders at the market";
        refuse_stray("quote_amount", self.quote_amount.is_some(), only)?;
        refuse_stray("max_spend", self.max_spend.is_some(), only)?;
        let time_in_force = self.time_in_force.unwrap_or(TimeInForce::Gtc).in_book();
        if self.post_only {
            let rests = time_in_force == types::TimeInForce::Gtc;
            refuse_stray("post_only", !rests, "only with gtc or gtd")?;
            let waits = self.order_type.trigger().is_some();
            refuse_stray("post_only", waits, "not for orders with a trigger")?;
        }
        Ok(OrderSpec::Limit {
            price: price(market, "price", needed("price", self.price.as_deref())?)?,
            quantity: quantity(market, "quantity", needed("quantity", self.quantity.as_deref())?)?,
            time_in_force,
            post_only: self.post_only,
        })
    }

    fn market(&self, market: &MarketInfo) -> Result<OrderSpec, ApiError> {
        let only = "only for limit orders";
        refuse_stray("price", self.price.is_some(), only)?;
        refuse_stray("post_only", self.post_only, only)?;
        let waits = self.order_type.trigger().is_some();
        let has_other = match self.time_in_force {
            None => false,
            Some(TimeInForce::Gtd) => !waits,
            Some(TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok) => true,
        };
        let only = if waits { "only gtd for an order at the market" } else { only };
        refuse_stray("time_in_force", has_other, only)?;
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
            _ => {
                let what = "an order at the market states either quantity or quote_amount";
                Err(ApiError::from(RejectCode::InvalidCombination).detail(what))
            }
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
            keep_priority: self.keep_priority,
        })
    }
}

fn needed<'a>(name: &str, text: Option<&'a str>) -> Result<&'a str, ApiError> {
    text.ok_or_else(|| ApiError::invalid_field(name, "a limit order needs it"))
}
