//! What is chosen from words or named: side, type, mode, life, client ids.

use types::{ClientOrderId, SelfTradePrevention, Side, TimeInForce};

use crate::binance::error::Error;
use crate::binance::ids;
use crate::binance::orders::show::PREVENTION;
use crate::binance::params::Params;

/// Type of an order, as it is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::binance::orders) enum OrderType {
    Limit,
    LimitMaker,
    Market,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

/// Every type by its name.
pub(in crate::binance::orders) const TYPES: [(&str, OrderType); 7] = [
    ("LIMIT", OrderType::Limit),
    ("LIMIT_MAKER", OrderType::LimitMaker),
    ("MARKET", OrderType::Market),
    ("STOP_LOSS", OrderType::StopLoss),
    ("STOP_LOSS_LIMIT", OrderType::StopLossLimit),
    ("TAKE_PROFIT", OrderType::TakeProfit),
    ("TAKE_PROFIT_LIMIT", OrderType::TakeProfitLimit),
];

impl OrderType {
    /// Whether it has a limit price.
    pub(in crate::binance::orders) fn has_price(self) -> bool {
        !matches!(self, Self::Market | Self::StopLoss | Self::TakeProfit)
    }

    /// Whether it waits for a price.
    pub(in crate::binance::orders) fn waits(self) -> bool {
        self.is_stop() || matches!(self, Self::TakeProfit | Self::TakeProfitLimit)
    }

    /// Whether it waits for a worse price.
    pub(in crate::binance::orders) fn is_stop(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit)
    }
}

/// `BUY` or `SELL` of a parameter.
///
/// # Errors
/// -1102 or -1117.
pub(in crate::binance::orders) fn side(params: &Params, name: &str) -> Result<Side, Error> {
    params.required(name)?;
    let words = [("BUY", Side::Buy), ("SELL", Side::Sell)];
    let found = params.word(name, &words, || Error::new(-1117, "Invalid side."))?;
    found.ok_or_else(|| Error::mandatory(name))
}

/// The type that a parameter names.
///
/// # Errors
/// -1102 or -1116.
pub(in crate::binance::orders) fn order_type(
    params: &Params,
    name: &str,
) -> Result<OrderType, Error> {
    params.required(name)?;
    let found = params.word(name, &TYPES, || Error::new(-1116, "Invalid orderType."))?;
    found.ok_or_else(|| Error::mandatory(name))
}

/// The mode of `selfTradePreventionMode`; none unless given.
///
/// # Errors
/// -1130.
pub(in crate::binance::orders) fn prevention(
    params: &Params,
) -> Result<SelfTradePrevention, Error> {
    let name = "selfTradePreventionMode";
    let found = params.word(name, &PREVENTION, || Error::invalid_data(name))?;
    Ok(found.unwrap_or_default())
}

/// The client's id that a parameter gives to an order or a list, or none.
///
/// # Errors
/// -1100 or -1105.
pub(in crate::binance::orders) fn client_order_id(
    params: &Params,
    name: &str,
) -> Result<ClientOrderId, Error> {
    if params.text(name)?.is_some_and(ids::is_made) {
        let what = format!("Parameter '{name}' is a name of orders to which no client gave one.");
        return Err(Error::new(-1100, what));
    }
    client_id(params, name)
}

/// A name that a parameter states, or none.
///
/// # Errors
/// -1100 or -1105.
pub(in crate::binance::orders) fn client_id(
    params: &Params,
    name: &str,
) -> Result<ClientOrderId, Error> {
    let Some(text) = params.text(name)? else {
        return Ok(ClientOrderId::NONE);
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let illegal = || Error::illegal_characters(name, "^[a-zA-Z0-9-_]{1,36}$");
    if !text.bytes().all(legal) {
        return Err(illegal());
    }
    text.parse().map_err(|_| illegal())
}

/// How long an order may live.
///
/// # Errors
/// -1102 or -1115.
pub(in crate::binance::orders) fn time_in_force(
    params: &Params,
    name: &str,
) -> Result<TimeInForce, Error> {
    const WORDS: [(&str, TimeInForce); 3] =
        [("GTC", TimeInForce::Gtc), ("IOC", TimeInForce::Ioc), ("FOK", TimeInForce::Fok)];
    params.required(name)?;
    let found = params.word(name, &WORDS, || Error::new(-1115, "Invalid timeInForce."))?;
    found.ok_or_else(|| Error::mandatory(name))
}
