//! `data` of the messages about markets: the shapes of REST, with the name of the event where there
//! is one.

use serde::Serialize;
use types::{Component, Event, MarketId, Seq};
use views::{MarketInfo, TradeView};

use crate::wire::{answer, word};

/// A trade in the stream.
#[derive(Serialize)]
pub(super) struct TradeItem {
    event: &'static str,
    #[serde(flatten)]
    trade: answer::Trade,
}

/// A candle in the stream.
#[derive(Serialize)]
pub(super) struct CandleItem {
    #[serde(flatten)]
    candle: answer::Candle,
    /// Whether it will not change any more.
    closed: bool,
}

/// What happened to a market's trading as such.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum PhaseItem {
    MarketStateChanged {
        state: word::MarketState,
    },
    MarketStatePlanned {
        at: u64,
        state: Option<word::MarketState>,
    },
    TradingInterrupted {
        last_price: String,
        would_trade_at: String,
        until: u64,
    },
    MarketReopening {
        state: word::MarketState,
        until: u64,
    },
    RedefinitionPlanned {
        at: u64,
        tick: Option<String>,
        lot: Option<String>,
    },
    MarketRedefined {
        version: u32,
        tick: String,
        lot: String,
    },
    DelistingPlanned {
        at: Option<u64>,
    },
    AuctionUncrossed {
        price: Option<String>,
        quantity: String,
    },
    /// It takes no orders and no cancels, and trades nothing, until `quarantine_released`.
    Quarantined,
    QuarantineReleased,
}

/// Those of `events` that tell of the market's trading as such, in order.
pub(super) fn phases<'a>(
    market: &MarketInfo,
    events: impl IntoIterator<Item = &'a Event>,
) -> Vec<PhaseItem> {
    let price = |price: types::Price| market.def.tick.format(price.get().into());
    let ours = |id: MarketId| id == market.def.id;
    let item = |event: &Event| match *event {
        Event::MarketStateChanged { market, state, .. } if ours(market) => {
            Some(PhaseItem::MarketStateChanged { state: state.into() })
        }
        Event::MarketStatePlanned { market, at, state, .. } if ours(market) => {
            let state = state.map(Into::into);
            Some(PhaseItem::MarketStatePlanned { at: answer::millis(at), state })
        }
        Event::TradingInterrupted { market, last, would_trade, until } if ours(market) => {
            Some(PhaseItem::TradingInterrupted {
                last_price: price(last),
                would_trade_at: price(would_trade),
                until: answer::millis(until),
            })
        }
        Event::MarketReopening { market, state, until } if ours(market) => {
            Some(PhaseItem::MarketReopening { state: state.into(), until: answer::millis(until) })
        }
        Event::RedefinitionPlanned { market, at, redefinition, .. } if ours(market) => {
            Some(PhaseItem::RedefinitionPlanned {
                at: answer::millis(at),
                tick: redefinition.map(|new| new.tick.to_string()),
                lot: redefinition.map(|new| new.lot.to_string()),
            })
        }
        Event::MarketRedefined { market: ref def, .. } if ours(def.id) => {
            let (version, tick, lot) = (def.version, def.tick.to_string(), def.lot.to_string());
            Some(PhaseItem::MarketRedefined { version, tick, lot })
        }
        Event::DelistingPlanned { market, at, .. } if ours(market) => {
            Some(PhaseItem::DelistingPlanned { at: at.map(answer::millis) })
        }
        Event::AuctionUncrossed { market: of, price: at, quantity } if ours(of) => {
            Some(PhaseItem::AuctionUncrossed {
                price: (!at.is_zero()).then(|| price(at)),
                quantity: market.def.lot.format(quantity.get().into()),
            })
        }
        Event::Quarantined { component: Component::Market(market), .. } if ours(market) => {
            Some(PhaseItem::Quarantined)
        }
        Event::QuarantineReleased { component: Component::Market(market), .. } if ours(market) => {
            Some(PhaseItem::QuarantineReleased)
        }
        _ => None,
    };
    events.into_iter().filter_map(item).collect()
}

/// Trades in the given order.
pub(super) fn trades(market: &MarketInfo, trades: &[TradeView]) -> Vec<TradeItem> {
    let item = |trade| TradeItem { event: "trade", trade: answer::Trade::new(market, trade) };
    trades.iter().map(item).collect()
}

/// The ticker.
pub(super) fn ticker(market: &MarketInfo, ticker: &views::Ticker, seq: Seq) -> answer::Ticker {
    answer::Ticker::new(market, ticker, seq)
}

/// One candle.
pub(super) fn candle(market: &MarketInfo, candle: &views::Candle, closed: bool) -> CandleItem {
    CandleItem { candle: answer::Candle::new(market, candle), closed }
}

/// Candles, oldest first: the last one may still change.
pub(super) fn candles(market: &MarketInfo, candles: &[views::Candle]) -> Vec<CandleItem> {
    let last = candles.len().saturating_sub(1);
    let item = |(position, one)| candle(market, one, position < last);
    candles.iter().enumerate().map(item).collect()
}
