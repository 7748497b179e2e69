//! Order lists as clients send them.

use serde::Deserialize;
use serde_json::{Map, Value};
use types::{AccountId, ListLeg, PlaceOrder, PlaceOrderList, Request, Timestamp};
use utoipa::ToSchema;
use views::MarketInfo;

use super::{PlaceOrderBody, client_order_id};
use crate::error::ApiError;
use crate::wire::read_fields;
use crate::wire::word::SelfTradePrevention;

/// What a leg has from its list.
const OF_THE_LIST: [&str; 3] = ["market", "self_trade_prevention", "valid_for_ms"];

/// Orders that depend on each other. Two `legs` cancel each other (OCO): the first is a limit order that
/// rests, or has a trigger, the second has a trigger; one acts above the last price, the other below;
/// side and quantity are the same. One of `legs` with one or two `pending` ones lets those follow when it
/// is filled (OTO, OTOCO).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrderListBody {
    /// Symbol of the market of all legs.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// Your own name of the list: a retry with the same one is the same list.
    #[serde(default)]
    pub(crate) client_order_id: Option<String>,
    /// Of each leg; `none` unless given.
    #[serde(default)]
    pub(crate) self_trade_prevention: Option<SelfTradePrevention>,
    /// The list is refused if the exchange takes it later than this many milliseconds after the request's
    /// timestamp; the receive window unless given.
    #[serde(default)]
    pub(crate) valid_for_ms: Option<u64>,
    /// One or two, placed at once: the fields of `POST /v1/orders` without `market`,
    /// `self_trade_prevention` and `valid_for_ms`.
    #[schema(value_type = Vec<PlaceOrderBody>)]
    pub(crate) legs: Vec<Map<String, Value>>,
    /// None, one or two, placed when the only one of `legs` is filled: the same fields.
    #[serde(default)]
    #[schema(value_type = Vec<PlaceOrderBody>)]
    pub(crate) pending: Vec<Map<String, Value>>,
}

impl PlaceOrderListBody {
    /// The command of `account`, in the units of `market`.
    ///
    /// # Errors
    /// A field that is missing or no number of its unit, or one that does not go with the others.
    pub(crate) fn into_request(
        self,
        account: AccountId,
        market: &MarketInfo,
    ) -> Result<Request, ApiError> {
        let read = |name: &str, legs: Vec<Map<String, Value>>| {
            let leg = |(at, fields)| {
                let wrong = |error: ApiError| {
                    let text = format!("{name}[{at}]: {}", error.message());
                    error.detail(text)
                };
                leg(fields, account, market).map_err(wrong)
            };
            legs.into_iter().enumerate().map(leg).collect::<Result<Vec<_>, _>>()
        };
        Ok(Request::PlaceOrderList(Box::new(PlaceOrderList {
            account,
            market: market.def.id,
            version: market.def.version,
            client_order_id: client_order_id("client_order_id", self.client_order_id.as_deref())?,
            self_trade_prevention: self.self_trade_prevention.map(Into::into).unwrap_or_default(),
            legs: read("legs", self.legs)?,
            pending: read("pending", self.pending)?,
        })))
    }

    /// When the list is too old, at most the end of the request's window.
    pub(crate) fn valid_until(&self, timestamp: Timestamp, window_end: Timestamp) -> Timestamp {
        let nanos = self.valid_for_ms.map(|millis| millis.saturating_mul(1_000_000));
        nanos.map_or(window_end, |nanos| window_end.min(timestamp.saturating_add_nanos(nanos)))
    }
}

fn leg(
    mut fields: Map<String, Value>,
    account: AccountId,
    market: &MarketInfo,
) -> Result<ListLeg, ApiError> {
    if let Some(name) = OF_THE_LIST.into_iter().find(|name| fields.contains_key(*name)) {
        return Err(ApiError::invalid_field(name, "is stated by the list, for all legs"));
    }
    fields.insert("market".to_owned(), market.def.symbol.clone().into());
    let body: PlaceOrderBody = read_fields(fields)?;
    let PlaceOrder { client_order_id, side, spec, conditions, .. } =
        body.into_order(account, market)?;
    Ok(ListLeg { client_order_id, side, spec, conditions: *conditions })
}
