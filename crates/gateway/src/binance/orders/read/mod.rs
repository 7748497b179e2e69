//! From parameters to an order in the units of its market.

mod amounts;
mod leg;
mod words;

use types::{AccountId, PlaceOrder};
use views::MarketInfo;

use crate::binance::error::Error;
use crate::binance::params::Params;

pub(super) use amounts::{check_filters, price_of, quantity_of};
pub(super) use leg::Leg;
pub(super) use words::{
    OrderType, client_id, client_order_id, order_type, prevention, side, time_in_force,
};

/// An order by itself.
///
/// # Errors
/// As [`Leg::read`].
pub(in crate::binance::orders) fn order(
    params: &Params,
    market: &MarketInfo,
    account: AccountId,
) -> Result<PlaceOrder, Error> {
    let side = side(params, "side")?;
    let order_type = order_type(params, "type")?;
    let leg = Leg { params, prefix: "", quantity: "quantity", market, side, order_type };
    let read = leg.read()?;
    check_filters(market, &read.spec)?;
    Ok(PlaceOrder {
        account,
        market: market.def.id,
        version: market.def.version,
        client_order_id: read.client_order_id,
        side,
        spec: read.spec,
        conditions: read.conditions.into(),
        self_trade_prevention: prevention(params)?,
    })
}
