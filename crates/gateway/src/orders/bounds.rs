//! A rejection by a bound of the market, with the field and the bound. The bounds are those that the
//! views have: where they do not know the rule yet, the code says it in general.

use types::RejectCode;
use views::MarketInfo;

use crate::error::{ApiError, ErrorCode};
use crate::wire::answer;
use crate::wire::request::PlaceOrderBody;

/// How the quantity of an order was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// By a limit order.
    Limit,
    /// In base, at the market.
    Quantity,
    /// In quote, at the market.
    Quote,
}

impl PlaceOrderBody {
    pub(super) fn asked(&self) -> Asked {
        match (self.order_type.is_limit(), &self.quote_amount) {
            (true, _) => Asked::Limit,
            (false, None) => Asked::Quantity,
            (false, Some(_)) => Asked::Quote,
        }
    }
}

/// `error` with what in particular the order breaks, if that is a bound.
pub(super) fn with_bounds(error: ApiError, market: &MarketInfo, asked: Asked) -> ApiError {
    let ErrorCode::Rejected(code) = error.code else {
        return error;
    };
    let Some(what) = by_definition(code, market, asked).or_else(|| by_rule(code, market, asked))
    else {
        return error;
    };
    let repeated = if error.detail.is_some() { " (repeated answer)" } else { "" };
    error.detail(format!("{what}{repeated}"))
}

fn by_definition(code: RejectCode, market: &MarketInfo, asked: Asked) -> Option<String> {
    let def = &market.def;
    Some(match code {
        RejectCode::InvalidPrice => {
            let most = def.tick.format(def.max_price.get().into());
            format!("price: must be from {} to {most}", def.tick)
        }
        RejectCode::InvalidQuantity if asked == Asked::Quote => {
            format!("quote_amount: must pay for at least one lot, which is {}", def.lot)
        }
        RejectCode::InvalidQuantity => {
            let most = def.lot.format(def.max_quantity.get().into());
            format!("quantity: must be from {} to {most}", def.lot)
        }
        RejectCode::InvalidExpiry => {
            "expires_at: must lie in the future of the exchange's clock".to_owned()
        }
        _ => return None,
    })
}

fn by_rule(code: RejectCode, market: &MarketInfo, asked: Asked) -> Option<String> {
    let (rules, quote, base) = (&market.trading.rules, &market.quote, &market.base);
    let quantity = if asked == Asked::Limit { rules.limit_quantity } else { rules.market_quantity };
    let lots = |lots: types::Quantity| market.def.lot.format(lots.get().into());
    let worth = |atoms| format!("{} {}", answer::amount(quote, atoms), quote.symbol);
    let fields = match asked {
        Asked::Limit => "price, quantity",
        Asked::Quantity => "quantity",
        Asked::Quote => "quote_amount",
    };
    Some(match code {
        RejectCode::QuantityBelowMinimum => {
            format!("quantity: must be at least {}", lots(quantity.least?))
        }
        RejectCode::QuantityAboveMaximum => {
            format!("quantity: must be at most {}", lots(quantity.most?))
        }
        RejectCode::NotionalBelowMinimum => {
            format!("{fields}: the order must be worth at least {}", worth(rules.notional.least?))
        }
        RejectCode::NotionalAboveMaximum => {
            format!("{fields}: the order must be worth at most {}", worth(rules.notional.most?))
        }
        RejectCode::PriceOutOfBand => {
            let minutes = rules.price_band?.window_minutes;
            format!("price: too far from the average of the last {minutes} minutes' trades")
        }
        RejectCode::TooManyIcebergParts => {
            let most = rules.max_iceberg_parts?;
            format!("visible_quantity: the order may come in at most {most} parts")
        }
        RejectCode::PositionLimit => {
            let most = answer::amount(base, rules.max_position?);
            let symbol = &base.symbol;
            format!("{fields}: the account may have and want to buy at most {most} {symbol}")
        }
        _ => return None,
    })
}
