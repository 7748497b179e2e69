//! What an order asked for, as clients see it.

use serde::Serialize;
use types::{Conditions, OrderSpec, Price, Quantity, Side, Trigger};
use utoipa::ToSchema;
use views::MarketInfo;

use super::{amount, millis};
use crate::wire::word::{OrderType, TimeInForce};

/// What an order asked for. Conditions that it does not have are left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OrderTerms {
    /// What it is.
    #[serde(rename = "type")]
    pub(crate) order_type: OrderType,
    /// The limit price.
    pub(crate) price: Option<String>,
    /// What was asked for, in base.
    pub(crate) quantity: Option<String>,
    /// What was asked for, in quote.
    pub(crate) quote_amount: Option<String>,
    /// How long it lives.
    pub(crate) time_in_force: Option<TimeInForce>,
    /// Whether it was to be rejected rather than match on arrival.
    pub(crate) post_only: bool,
    /// Whether it was to rest one tick away instead; `price` is where it came to rest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) slide: bool,
    /// When it is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<u64>,
    /// The trade price that lets it enter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_price: Option<String>,
    /// How far a trade must be from the best price to let it enter, in hundredths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trailing_basis_points: Option<u16>,
    /// Where a trailing stop becomes active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activation_price: Option<String>,
    /// How much of it is shown at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) visible_quantity: Option<String>,
    /// How much had to match on arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_quantity: Option<String>,
}

impl OrderTerms {
    /// In the units of `market`, which is the order's market.
    pub(crate) fn new(
        market: &MarketInfo,
        side: Side,
        spec: &OrderSpec,
        conditions: &Conditions,
    ) -> Self {
        let price = |price: Price| market.def.tick.format(price.get().into());
        let lots = |quantity: Quantity| market.def.lot.format(quantity.get().into());
        let (limit, post_only) = match *spec {
            OrderSpec::Limit { price, post_only, .. } => (Some(price), post_only),
            OrderSpec::MarketByQuantity { .. } | OrderSpec::MarketByQuote { .. } => (None, false),
        };
        let quote_amount = match *spec {
            OrderSpec::MarketByQuote { quote, .. } => Some(amount(&market.quote, quote)),
            OrderSpec::Limit { .. } | OrderSpec::MarketByQuantity { .. } => None,
        };
        let (stop, trailing_basis_points, activation) = match conditions.trigger {
            None => (None, None, None),
            Some(Trigger::Rises { to } | Trigger::Falls { to }) => (Some(to), None, None),
            Some(Trigger::Trails { basis_points, activation }) => {
                (None, Some(basis_points), activation)
            }
        };
        Self {
            order_type: OrderType::of(limit.is_some(), conditions.trigger, side.into()),
            price: limit.map(price),
            quantity: spec.quantity().map(lots),
            quote_amount,
            time_in_force: TimeInForce::of(spec, conditions),
            post_only,
            slide: conditions.slide,
            expires_at: conditions.expires_at.map(millis),
            stop_price: stop.map(price),
            trailing_basis_points,
            activation_price: activation.map(price),
            visible_quantity: conditions.visible.map(lots),
            minimum_quantity: conditions.minimum.map(lots),
        }
    }
}
