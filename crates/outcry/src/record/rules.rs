//! The rules of a market, as many as it has, in the units of its definition.

use types::{Distance, MarketId, MarketRules, Reopening};

use super::{Line, Names};

/// `line` with each rule that there is.
pub(super) fn market_rules(
    names: Names<'_>,
    line: Line,
    market: MarketId,
    rules: &MarketRules,
) -> Line {
    let lots = |quantity| names.quantity(market, quantity);
    let line = line
        .with_some("limit_quantity_least", rules.limit_quantity.least.map(lots))
        .with_some("limit_quantity_most", rules.limit_quantity.most.map(lots))
        .with_some("market_quantity_least", rules.market_quantity.least.map(lots))
        .with_some("market_quantity_most", rules.market_quantity.most.map(lots))
        .with_some("notional_least", rules.notional.least.map(|least| names.quote(market, least)))
        .with_some("notional_most", rules.notional.most.map(|most| names.quote(market, most)));
    let band = rules.price_band;
    line.with_some("price_band_minutes", band.map(|band| band.window_minutes))
        .with_some("price_band_buy", band.map(|band| distance(band.buy)))
        .with_some("price_band_sell", band.map(|band| distance(band.sell)))
        .with_some("max_iceberg_parts", rules.max_iceberg_parts)
        .with_some("max_open_orders", rules.max_open_orders)
        .with_some("max_waiting_orders", rules.max_waiting_orders)
        .with_some("max_position", rules.max_position.map(|most| names.base(market, most)))
        .with_some("max_order_age_seconds", rules.max_order_age_seconds)
        .with_some("interruption", rules.interruption.map(|rule| distance(rule.distance)))
        .with_some("auction_seconds", rules.interruption.map(|rule| rule.auction_seconds))
        .with_some("reopening", rules.reopening.map(reopening))
}

/// `cancel-only+auction` in seconds.
fn reopening(steps: Reopening) -> String {
    format!("{}s+{}s", steps.cancel_only_seconds, steps.auction_seconds)
}

/// `-below+above` in millionths.
fn distance(distance: Distance) -> String {
    format!("-{}+{}ppm", distance.below.0, distance.above.0)
}
