//! Every endpoint, once: path, security, weight, handler. `docs/compatibility.md` is checked against it.

use axum::http::Method;

use super::endpoint::{Endpoint, Security};
use super::ws::{EVENTS, STREAMS, methods};
use super::{account, market, orders};
use crate::cache::Life;

/// The handler as the table holds it.
macro_rules! run {
    ($handler:path) => {
        |call| Box::pin($handler(call))
    };
}

macro_rules! endpoint {
    ($method:ident $path:literal, $security:ident, $weight:expr, $handler:path) => {
        Endpoint::new(Method::$method, $path, Security::$security, $weight, run!($handler))
    };
}

/// What tickers look at.
const OF_24HR: &[&str] = &["symbol", "symbols", "symbolStatus", "type"];
const OF_PRICES: &[&str] = &["symbol", "symbols", "symbolStatus"];

/// The table.
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    // What everybody may read.
    endpoint!(GET "/api/v3/ping", Public, |_| 1, market::ping).also("/api/v1/ping"),
    endpoint!(GET "/api/v3/time", Public, |_| 1, market::time).also("/api/v1/time"),
    endpoint!(GET "/api/v3/exchangeInfo", Public, |_| 20, market::exchange_info)
        .kept(Life::Definitions,
            &["symbol", "symbols", "symbolStatus", "permissions", "showPermissionSets"])
        .also("/api/v1/exchangeInfo"),
    endpoint!(GET "/fapi/v1/exchangeInfo", Public, |_| 1, market::no_futures),
    endpoint!(GET "/dapi/v1/exchangeInfo", Public, |_| 1, market::no_futures),
    endpoint!(GET "/eapi/v1/exchangeInfo", Public, |_| 1, market::no_options),
    endpoint!(GET "/api/v3/depth", Public, market::depth_weight, market::depth)
        .kept(Life::Depth, &["symbol", "limit", "symbolStatus"]).also("/api/v1/depth"),
    endpoint!(GET "/api/v3/trades", Public, |_| 25, market::trades)
        .kept(Life::Trades, &["symbol", "limit"]).also("/api/v1/trades"),
    endpoint!(GET "/api/v3/historicalTrades", Public, |_| 25, market::historical_trades)
        .kept(Life::Trades, &["symbol", "limit", "fromId"]).also("/api/v1/historicalTrades"),
    endpoint!(GET "/api/v3/aggTrades", Public, |_| 4, market::aggregate_trades)
        .kept(Life::Trades, &["symbol", "limit", "fromId", "startTime", "endTime"])
        .also("/api/v1/aggTrades"),
    endpoint!(GET "/api/v3/klines", Public, |_| 2, market::klines).also("/api/v1/klines"),
    endpoint!(GET "/api/v3/uiKlines", Public, |_| 2, market::klines),
    endpoint!(GET "/api/v3/avgPrice", Public, |_| 2, market::average_price)
        .kept(Life::Ticker, &["symbol"]),
    endpoint!(GET "/api/v3/ticker/24hr", Public, market::weight_24hr, market::ticker_24hr)
        .kept(Life::Ticker, OF_24HR).also("/api/v1/ticker/24hr"),
    endpoint!(GET "/api/v3/ticker/price", Public, market::weight_of_prices, market::ticker_price)
        .kept(Life::Ticker, OF_PRICES).also("/api/v1/ticker/price"),
    endpoint!(GET "/api/v3/ticker/bookTicker", Public, market::weight_of_prices, market::ticker_book)
        .kept(Life::Depth, OF_PRICES).also("/api/v1/ticker/bookTicker"),
    endpoint!(GET "/api/v3/ticker", Public, market::weight_of_windows, market::ticker_window)
        .kept(Life::Ticker, &["symbol", "symbols", "symbolStatus", "type", "windowSize"]),
    endpoint!(GET "/api/v3/ticker/tradingDay", Public, market::weight_of_windows,
        market::ticker_trading_day)
        .kept(Life::Ticker, &["symbol", "symbols", "symbolStatus", "type", "timeZone"]),
    endpoint!(GET "/api/v1/ticker", Public, market::weight_24hr, market::ticker_24hr)
        .kept(Life::Ticker, OF_24HR),
    // Orders.
    endpoint!(POST "/api/v3/order", Trade, |_| 1, orders::place).free(),
    endpoint!(POST "/api/v3/order/test", Trade, orders::test_weight, orders::test),
    endpoint!(GET "/api/v3/order", Read, |_| 4, orders::order),
    endpoint!(DELETE "/api/v3/order", Trade, |_| 1, orders::cancel).free(),
    endpoint!(POST "/api/v3/order/cancelReplace", Trade, |_| 1, orders::cancel_replace).free(),
    endpoint!(PUT "/api/v3/order/amend/keepPriority", Trade, |_| 4, orders::amend),
    endpoint!(GET "/api/v3/order/amendments", Read, |_| 4, orders::amendments),
    endpoint!(GET "/api/v3/openOrders", Read, orders::open_orders_weight, orders::open_orders),
    endpoint!(DELETE "/api/v3/openOrders", Trade, |_| 1, orders::cancel_all).free(),
    endpoint!(GET "/api/v3/allOrders", Read, |_| 20, orders::all_orders),
    endpoint!(POST "/api/v3/orderList/oco", Trade, |_| 1, orders::oco).free(),
    endpoint!(POST "/api/v3/orderList/oto", Trade, |_| 1, orders::oto).free(),
    endpoint!(POST "/api/v3/orderList/otoco", Trade, |_| 1, orders::otoco).free(),
    endpoint!(POST "/api/v3/order/oco", Trade, |_| 1, orders::old_oco).free(),
    endpoint!(GET "/api/v3/orderList", Read, |_| 4, orders::list),
    endpoint!(DELETE "/api/v3/orderList", Trade, |_| 1, orders::cancel_list).free(),
    endpoint!(GET "/api/v3/openOrderList", Read, |_| 6, orders::open_lists),
    endpoint!(GET "/api/v3/allOrderList", Read, |_| 20, orders::all_lists),
    // Accounts.
    endpoint!(GET "/api/v3/account", Read, |_| 20, account::account),
    endpoint!(GET "/api/v3/account/commission", Read, |_| 20, account::commission),
    endpoint!(GET "/api/v3/myTrades", Read, account::my_trades_weight, account::my_trades),
    endpoint!(GET "/api/v3/myFilters", Read, |_| 40, account::my_filters),
    endpoint!(GET "/api/v3/rateLimit/order", Read, |_| 40, account::order_limits),
    endpoint!(POST "/api/v3/userDataStream", KeyOnly, |_| 2, account::begin_stream)
        .also("/api/v1/userDataStream"),
    endpoint!(PUT "/api/v3/userDataStream", KeyOnly, |_| 2, account::prolong_stream)
        .also("/api/v1/userDataStream"),
    endpoint!(DELETE "/api/v3/userDataStream", KeyOnly, |_| 2, account::end_stream)
        .also("/api/v1/userDataStream"),
    // What clients insist on at start.
    endpoint!(GET "/sapi/v1/system/status", Public, |_| 1, account::system_status),
    endpoint!(GET "/sapi/v1/capital/config/getall", Read, |_| 10, account::coins),
    endpoint!(GET "/sapi/v1/margin/allPairs", Read, |_| 1, account::nothing),
    endpoint!(GET "/sapi/v1/margin/isolated/allPairs", Read, |_| 10, account::nothing),
    endpoint!(GET "/sapi/v1/margin/allAssets", Read, |_| 1, account::nothing),
    endpoint!(GET "/sapi/v1/spot/delist-schedule", Read, |_| 100, account::nothing),
    endpoint!(GET "/sapi/v1/asset/tradeFee", Read, |_| 1, account::trade_fees),
    endpoint!(GET "/sapi/v1/capital/deposit/hisrec", Read, |_| 1, account::deposits),
    endpoint!(GET "/sapi/v1/capital/withdraw/history", Read, |_| 1, account::withdrawals),
    endpoint!(POST "/sapi/v3/asset/getUserAsset", Read, |_| 5, account::user_assets),
];

/// Method and path of every endpoint of the Binance dialect over HTTP, other names included, and the streams,
/// methods and events of its sockets.
#[must_use]
pub fn endpoints() -> Vec<String> {
    let paths = |line: &'static Endpoint| [Some(line.path), line.alias].into_iter().flatten();
    let names = |line| paths(line).map(|path| format!("{} {path}", line.method));
    let streams = STREAMS.iter().map(|name| format!("stream {name}"));
    let methods = methods().map(|name| format!("method {name}"));
    let events = EVENTS.iter().map(|name| format!("event {name}"));
    ENDPOINTS.iter().flat_map(names).chain(streams).chain(methods).chain(events).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_and_method_stands_twice() {
        let mut names: Vec<_> = ENDPOINTS
            .iter()
            .flat_map(|line| {
                let paths = [Some(line.path), line.alias];
                paths.into_iter().flatten().map(|path| (line.method.as_str(), path))
            })
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
