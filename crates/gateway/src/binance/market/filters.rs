//! The rules of a market as filters.

use serde::Serialize;
use types::{Decimal, Distance, Quantity, Range};
use views::MarketInfo;

use crate::binance::render::{self, ZERO};

/// One filter. Amounts have 8 decimals, multipliers are as configured.
#[derive(Serialize)]
#[serde(tag = "filterType", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub(in crate::binance) enum Filter {
    #[serde(rename = "PRICE_FILTER")]
    Price {
        min_price: String,
        max_price: String,
        tick_size: String,
    },
    LotSize {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    MarketLotSize {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    IcebergParts {
        limit: u32,
    },
    Notional {
        min_notional: String,
        apply_min_to_market: bool,
        max_notional: String,
        apply_max_to_market: bool,
        avg_price_mins: u16,
    },
    PercentPriceBySide {
        bid_multiplier_up: String,
        bid_multiplier_down: String,
        ask_multiplier_up: String,
        ask_multiplier_down: String,
        avg_price_mins: u16,
    },
    TrailingDelta {
        min_trailing_above_delta: u16,
        max_trailing_above_delta: u16,
        min_trailing_below_delta: u16,
        max_trailing_below_delta: u16,
    },
    MaxNumOrders {
        max_num_orders: u32,
    },
    MaxNumAlgoOrders {
        max_num_algo_orders: u32,
    },
    MaxPosition {
        max_position: String,
    },
}

/// The filters of a market. `PRICE_FILTER` comes first: there are clients that count on it.
pub(in crate::binance) fn filters(market: &MarketInfo) -> Vec<Filter> {
    let (def, rules) = (&market.def, &market.trading.rules);
    let mut filters = vec![
        Filter::Price {
            min_price: render::decimal8(def.tick, 1),
            max_price: render::price(market, def.max_price),
            tick_size: render::decimal8(def.tick, 1),
        },
        lot_size(market, rules.limit_quantity),
    ];
    if let Some(limit) = rules.max_iceberg_parts {
        filters.push(Filter::IcebergParts { limit });
    }
    filters.extend([
        market_lot_size(market, rules.market_quantity),
        notional(market),
        Filter::TrailingDelta {
            min_trailing_above_delta: 1,
            max_trailing_above_delta: types::MAX_TRAILING_BASIS_POINTS,
            min_trailing_below_delta: 1,
            max_trailing_below_delta: types::MAX_TRAILING_BASIS_POINTS,
        },
    ]);
    if let Some(band) = rules.price_band {
        filters.push(Filter::PercentPriceBySide {
            bid_multiplier_up: above(band.buy),
            bid_multiplier_down: below(band.buy),
            ask_multiplier_up: above(band.sell),
            ask_multiplier_down: below(band.sell),
            avg_price_mins: band.window_minutes,
        });
    }
    let most = def.bounds.max_orders_per_account;
    let orders = rules.max_open_orders.unwrap_or(most).min(most);
    filters.push(Filter::MaxNumOrders { max_num_orders: orders });
    let waiting = rules.max_waiting_orders.unwrap_or(orders).min(orders);
    filters.push(Filter::MaxNumAlgoOrders { max_num_algo_orders: waiting });
    if let Some(most) = rules.max_position {
        filters.push(Filter::MaxPosition { max_position: render::amount(&market.base, most) });
    }
    filters
}

fn lot_size(market: &MarketInfo, range: Range<Quantity>) -> Filter {
    let (min_qty, max_qty) = quantities(market, range);
    Filter::LotSize { min_qty, max_qty, step_size: render::decimal8(market.def.lot, 1) }
}

/// Zeros switch it off: without a rule of its own, orders at the market have those of limit orders.
fn market_lot_size(market: &MarketInfo, range: Range<Quantity>) -> Filter {
    let (min_qty, max_qty) = quantities(market, range);
    let step_size = render::decimal8(market.def.lot, 1);
    match (range.least, range.most) {
        (None, None) => {
            Filter::MarketLotSize { min_qty: ZERO.to_owned(), max_qty, step_size: ZERO.to_owned() }
        }
        _ => Filter::MarketLotSize { min_qty, max_qty, step_size },
    }
}

fn quantities(market: &MarketInfo, range: Range<Quantity>) -> (String, String) {
    let least = range.least.unwrap_or(Quantity::new(1));
    let most = range.most.unwrap_or(market.def.max_quantity).min(market.def.max_quantity);
    (render::lots(market, least.get()), render::lots(market, most.get()))
}

/// Without a rule the bounds are those that no order can pass.
fn notional(market: &MarketInfo) -> Filter {
    let (def, rules) = (&market.def, &market.trading.rules);
    let largest = market.scaling.notional(def.max_price, def.max_quantity);
    let window = rules.price_band.map_or(5, |band| band.window_minutes);
    Filter::Notional {
        min_notional: render::quote(market, rules.notional.least.unwrap_or_default()),
        apply_min_to_market: rules.notional.least.is_some(),
        max_notional: render::quote(market, rules.notional.most.unwrap_or(largest)),
        apply_max_to_market: rules.notional.most.is_some(),
        avg_price_mins: window,
    }
}

const MILLION: u64 = 1_000_000;

fn above(distance: Distance) -> String {
    multiplier(MILLION + u64::from(distance.above.0))
}

fn below(distance: Distance) -> String {
    multiplier(MILLION.saturating_sub(distance.below.0.into()))
}

/// Millionths as a number without needless zeros: `5`, `0.2`.
fn multiplier(parts_per_million: u64) -> String {
    let text = Decimal::new(1, 6).format(parts_per_million.into());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::multiplier;

    #[test]
    fn multipliers_have_no_needless_zeros() {
        let texts = [5_000_000, 200_000, 1_050_000, 0].map(multiplier);
        assert_eq!(texts, ["5", "0.2", "1.05", "0"]);
    }
}
