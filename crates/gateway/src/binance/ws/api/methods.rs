//! The methods: which endpoint of REST each one is.

use axum::http::Method;

use crate::binance::endpoint::Endpoint;
use crate::binance::serve::meant;

/// Methods that are endpoints: name, HTTP method, path.
const TWINS: &[(&str, Method, &str)] = &[
    ("ping", Method::GET, "/api/v3/ping"),
    ("time", Method::GET, "/api/v3/time"),
    ("exchangeInfo", Method::GET, "/api/v3/exchangeInfo"),
    ("depth", Method::GET, "/api/v3/depth"),
    ("trades.recent", Method::GET, "/api/v3/trades"),
    ("trades.historical", Method::GET, "/api/v3/historicalTrades"),
    ("trades.aggregate", Method::GET, "/api/v3/aggTrades"),
    ("klines", Method::GET, "/api/v3/klines"),
    ("uiKlines", Method::GET, "/api/v3/uiKlines"),
    ("avgPrice", Method::GET, "/api/v3/avgPrice"),
    ("ticker.24hr", Method::GET, "/api/v3/ticker/24hr"),
    ("ticker.tradingDay", Method::GET, "/api/v3/ticker/tradingDay"),
    ("ticker", Method::GET, "/api/v3/ticker"),
    ("ticker.price", Method::GET, "/api/v3/ticker/price"),
    ("ticker.book", Method::GET, "/api/v3/ticker/bookTicker"),
    ("order.place", Method::POST, "/api/v3/order"),
    ("order.test", Method::POST, "/api/v3/order/test"),
    ("order.status", Method::GET, "/api/v3/order"),
    ("order.cancel", Method::DELETE, "/api/v3/order"),
    ("order.cancelReplace", Method::POST, "/api/v3/order/cancelReplace"),
    ("order.amend.keepPriority", Method::PUT, "/api/v3/order/amend/keepPriority"),
    ("order.amendments", Method::GET, "/api/v3/order/amendments"),
    ("openOrders.status", Method::GET, "/api/v3/openOrders"),
    ("openOrders.cancelAll", Method::DELETE, "/api/v3/openOrders"),
    ("allOrders", Method::GET, "/api/v3/allOrders"),
    ("orderList.place", Method::POST, "/api/v3/order/oco"),
    ("orderList.place.oco", Method::POST, "/api/v3/orderList/oco"),
    ("orderList.place.oto", Method::POST, "/api/v3/orderList/oto"),
    ("orderList.place.otoco", Method::POST, "/api/v3/orderList/otoco"),
    ("orderList.status", Method::GET, "/api/v3/orderList"),
    ("orderList.cancel", Method::DELETE, "/api/v3/orderList"),
    ("openOrderLists.status", Method::GET, "/api/v3/openOrderList"),
    ("allOrderLists", Method::GET, "/api/v3/allOrderList"),
    ("account.status", Method::GET, "/api/v3/account"),
    ("account.commission", Method::GET, "/api/v3/account/commission"),
    ("account.rateLimits.orders", Method::GET, "/api/v3/rateLimit/order"),
    ("myTrades", Method::GET, "/api/v3/myTrades"),
    ("myFilters", Method::GET, "/api/v3/myFilters"),
    ("userDataStream.start", Method::POST, "/api/v3/userDataStream"),
    ("userDataStream.ping", Method::PUT, "/api/v3/userDataStream"),
    ("userDataStream.stop", Method::DELETE, "/api/v3/userDataStream"),
];

/// Methods about the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfSession {
    Logon,
    Status,
    Logout,
    Subscriptions,
    Subscribe,
    SubscribeSigned,
    Unsubscribe,
}

const OF_SESSION: &[(&str, OfSession)] = &[
    ("session.logon", OfSession::Logon),
    ("session.status", OfSession::Status),
    ("session.logout", OfSession::Logout),
    ("session.subscriptions", OfSession::Subscriptions),
    ("userDataStream.subscribe", OfSession::Subscribe),
    ("userDataStream.subscribe.signature", OfSession::SubscribeSigned),
    ("userDataStream.unsubscribe", OfSession::Unsubscribe),
];

/// What a name means.
pub(super) enum Meant {
    Endpoint(&'static Endpoint),
    OfSession(OfSession),
}

/// The method of this name, whose version may be named too.
pub(super) fn find(name: &str) -> Option<Meant> {
    let name = name.strip_prefix("v3/").unwrap_or(name);
    if let Some(&(_, method)) = OF_SESSION.iter().find(|(known, _)| *known == name) {
        return Some(Meant::OfSession(method));
    }
    let (_, method, path) = TWINS.iter().find(|(known, ..)| *known == name)?;
    meant(method, path).map(Meant::Endpoint)
}

/// The names of all methods.
pub(in crate::binance) fn methods() -> impl Iterator<Item = &'static str> {
    let twins = TWINS.iter().map(|&(name, ..)| name);
    twins.chain(OF_SESSION.iter().map(|&(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_with_and_without_its_version() {
        for name in methods() {
            assert!(find(name).is_some() && find(&format!("v3/{name}")).is_some(), "{name}");
        }
        assert!(find("order.dance").is_none() && find("").is_none());
    }
}
