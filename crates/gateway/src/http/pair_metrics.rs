//! Figures by trading pair: orders, the time until they are answered, what sockets were sent, and the books.
//!
//! *Invariant:* labels are symbols of markets that exist and types of orders, so their number is bounded.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use types::{Conditions, MarketId, OrderSpec, PlaceOrder, Request, Side};
use views::{MarketInfo, OrderStatus, Views};

use super::metrics::{Histogram, header};
use crate::outcome::Outcome;
use crate::wire::word::OrderType;

/// Figures of all pairs that were asked for anything.
#[derive(Default)]
pub(crate) struct PairMetrics {
    pairs: RwLock<BTreeMap<MarketId, Arc<Pair>>>,
}

/// Figures of a pair.
#[derive(Debug)]
pub(crate) struct Pair {
    symbol: Box<str>,
    processed: AtomicU64,
    /// From the command to its durable answer, by [`OrderType`].
    latency: [Histogram; OrderType::ALL.len()],
    /// Orders at the market that were answered, by [`Fill`].
    market_orders: [AtomicU64; Fill::ALL.len()],
    messages_sent: AtomicU64,
}

/// What an order at the market got, as its answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Whole,
    Part,
    None,
    Rejected,
}

impl Fill {
    /// All, in their order.
    const ALL: [Self; 4] = [Self::Whole, Self::Part, Self::None, Self::Rejected];

    /// As a label.
    fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::None => "none",
            Self::Rejected => "rejected",
        }
    }

    fn of(outcome: &Outcome) -> Self {
        match outcome.placed_order() {
            None => Self::Rejected,
            Some(order) if order.status == OrderStatus::Filled => Self::Whole,
            Some(order) if order.filled.is_zero() => Self::None,
            Some(_) => Self::Part,
        }
    }
}

impl Pair {
    fn new(symbol: &str) -> Self {
        Self {
            symbol: symbol.into(),
            processed: AtomicU64::new(0),
            latency: Default::default(),
            market_orders: Default::default(),
            messages_sent: AtomicU64::new(0),
        }
    }

    /// A socket was sent messages about this pair.
    pub(crate) fn sent(&self, messages: usize) {
        self.messages_sent.fetch_add(messages as u64, Ordering::Relaxed);
    }
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

impl PairMetrics {
    /// An order was answered, whether it was accepted or not. Those of markets that do not exist are
    /// not counted.
    pub(crate) fn answered(
        &self,
        labels: Labels,
        took: Duration,
        outcome: &Outcome,
        views: &Views,
    ) {
        let known = self.known(labels.market);
        let Some(pair) = known.or_else(|| Some(self.of(&*views.market_info(labels.market)?)))
        else {
            return;
        };
        pair.processed.fetch_add(1, Ordering::Relaxed);
        pair.latency[labels.kind as usize].observe(took);
        if labels.kind == OrderType::Market {
            pair.market_orders[Fill::of(outcome) as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn known(&self, market: MarketId) -> Option<Arc<Pair>> {
        self.pairs.read().get(&market).cloned()
    }

    /// The figures of a market.
    pub(crate) fn of(&self, market: &MarketInfo) -> Arc<Pair> {
        self.known(market.def.id).unwrap_or_else(|| {
            let fresh = || Arc::new(Pair::new(market.def.symbol.as_str()));
            Arc::clone(self.pairs.write().entry(market.def.id).or_insert_with(fresh))
        })
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
        let name = "exchange_market_orders_total";
        header(out, name, "counter", "Orders at the market answered, by how much was filled.");
        for pair in &pairs {
            for (fill, count) in Fill::ALL.into_iter().zip(&pair.market_orders) {
                let (pair, fill, count) =
                    (&pair.symbol, fill.word(), count.load(Ordering::Relaxed));
                let _ = writeln!(out, "{name}{{pair=\"{pair}\",fill=\"{fill}\"}} {count}");
            }
        }
        let name = "exchange_ws_messages_sent_total";
        header(out, name, "counter", "Messages of market channels sent to sockets.");
        for pair in &pairs {
            let count = pair.messages_sent.load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}{{pair=\"{}\"}} {count}", pair.symbol);
        }
        render_books(views, out);
    }
}

fn render_books(views: &Views, out: &mut String) {
    let name = "exchange_order_book_depth";
    header(out, name, "gauge", "Price levels of a side of the book.");
    for market in views.markets() {
        let symbol = &market.def.symbol;
        for (side, count) in ["buy", "sell"].into_iter().zip(views.level_counts(market.def.id)) {
            let _ = writeln!(out, "{name}{{pair=\"{symbol}\",side=\"{side}\"}} {count}");
        }
    }
}
