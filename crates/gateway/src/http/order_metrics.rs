//! Figures by trading pair: orders, the time until they are answered, and the books.
//!
//! *Invariant:* labels are symbols of markets that exist and types of orders, so their number is bounded.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use types::{Conditions, MarketId, OrderSpec, PlaceOrder, Request, Side};
use views::Views;

use super::metrics::{Histogram, header};
use crate::wire::word::OrderType;

/// Levels of a side of a book that are counted.
const MOST_LEVELS: usize = 5_000;

/// Figures of all pairs that had an order.
#[derive(Default)]
pub(crate) struct OrderMetrics {
    pairs: RwLock<BTreeMap<MarketId, Arc<Pair>>>,
}

struct Pair {
    symbol: Box<str>,
    processed: AtomicU64,
    /// From the command to its durable answer, by [`OrderType`].
    latency: [Histogram; OrderType::ALL.len()],
}

/// An order as it is labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    market: MarketId,
    kind: OrderType,
}

impl Labels {
    /// Of the orders that a request places at once: one, or a pair.
    pub(crate) fn of(request: &Request) -> [Option<Self>; 2] {
        let one = |market, spec: &OrderSpec, conditions: &Conditions, side: Side| {
            let is_limit = matches!(spec, OrderSpec::Limit { .. });
            let kind = OrderType::of(is_limit, conditions.trigger, side.into());
            Some(Self { market, kind })
        };
        match request {
            Request::PlaceOrder(PlaceOrder { market, spec, conditions, side, .. }) => {
                [one(*market, spec, conditions, *side), None]
            }
            Request::ReplaceOrder(replace) => {
                let PlaceOrder { market, spec, conditions, side, .. } = &replace.order;
                [one(*market, spec, conditions, *side), None]
            }
            Request::PlaceOrderList(list) => [0, 1].map(|leg| {
                let leg = list.legs.get(leg)?;
                one(list.market, &leg.spec, &leg.conditions, leg.side)
            }),
            _ => [None, None],
        }
    }
}

impl OrderMetrics {
    /// An order was answered, whether it was accepted or not. Those of markets that do not exist are
    /// not counted.
    pub(crate) fn answered(&self, labels: Labels, took: Duration, views: &Views) {
        if let Some(pair) = self.pair(labels.market, views) {
            pair.processed.fetch_add(1, Ordering::Relaxed);
            pair.latency[labels.kind as usize].observe(took);
        }
    }

    fn pair(&self, market: MarketId, views: &Views) -> Option<Arc<Pair>> {
        if let Some(pair) = self.pairs.read().get(&market) {
            return Some(Arc::clone(pair));
        }
        let symbol = views.market_info(market)?.def.symbol.as_str().into();
        let fresh =
            || Arc::new(Pair { symbol, processed: AtomicU64::new(0), latency: Default::default() });
        Some(Arc::clone(self.pairs.write().entry(market).or_insert_with(fresh)))
    }

    /// Appends the figures.
    pub(crate) fn render(&self, views: &Views, out: &mut String) {
        let pairs: Vec<_> = self.pairs.read().values().cloned().collect();
        let name = "exchange_order_latency_seconds";
        header(out, name, "histogram", "From submitting an order to its durable answer.");
        for pair in &pairs {
            for (kind, latency) in OrderType::ALL.into_iter().zip(&pair.latency) {
                if latency.count() > 0 {
                    let labels = format!("pair=\"{}\",type=\"{}\"", pair.symbol, kind.word());
                    latency.render(name, &labels, out);
                }
            }
        }
        let name = "exchange_orders_processed_total";
        header(out, name, "counter", "Orders answered, also with a rejection.");
        for pair in &pairs {
            let count = pair.processed.load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}{{pair=\"{}\"}} {count}", pair.symbol);
        }
        let name = "exchange_order_book_depth";
        header(out, name, "gauge", "Price levels of a side of the book, up to 5000.");
        for market in views.markets() {
            let depth = views.depth(market.def.id, MOST_LEVELS);
            for (side, levels) in [("buy", &depth.bids), ("sell", &depth.asks)] {
                let (symbol, count) = (&market.def.symbol, levels.len());
                let _ = writeln!(out, "{name}{{pair=\"{symbol}\",side=\"{side}\"}} {count}");
            }
        }
    }
}
