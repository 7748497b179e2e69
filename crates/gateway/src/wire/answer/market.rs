//! Definitions and market data as everybody sees them.

use serde::Serialize;
use types::{AssetDef, FeeRates, Seq, Timestamp};
use utoipa::ToSchema;
use views::{DepthLevel, DepthSnapshot, MarketInfo, TradeView};

use super::{amount, millis};
use crate::wire::fees::{FeeSchedule, MarketFee};
use crate::wire::rules::MarketRules;
use crate::wire::word::{MarketState, Side};

/// The server's clock.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerTime {
    /// Milliseconds since the Unix epoch.
    pub(crate) time: u64,
    /// Nanoseconds since the Unix epoch, as text.
    pub(crate) time_ns: String,
}

/// An asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct Asset {
    /// Its id.
    pub(crate) id: u32,
    /// Its ticker.
    #[schema(example = "BTC")]
    pub(crate) symbol: String,
    /// Decimal places of its amounts.
    pub(crate) scale: u8,
}

/// Assets.
#[derive(Serialize, ToSchema)]
pub(crate) struct Assets {
    /// All assets, by id.
    pub(crate) assets: Vec<Asset>,
    /// The partition that keeps the definitions.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

/// A market.
#[derive(Serialize, ToSchema)]
pub(crate) struct Market {
    /// Its id.
    pub(crate) id: u32,
    /// Its symbol.
    #[schema(example = "BTC-USDT")]
    pub(crate) symbol: String,
    /// Ticker of what is traded.
    #[schema(example = "BTC")]
    pub(crate) base: String,
    /// Ticker of what it is paid with.
    #[schema(example = "USDT")]
    pub(crate) quote: String,
    /// The step of prices.
    #[schema(example = "0.01")]
    pub(crate) tick: String,
    /// The step of quantities.
    #[schema(example = "0.00001")]
    pub(crate) lot: String,
    /// Rises with each change of tick and lot. What this server reads as prices and quantities means the one
    /// that it knows at that moment; a change meanwhile is answered with `StaleDefinition`.
    pub(crate) version: u32,
    /// Largest price of an order.
    pub(crate) max_price: String,
    /// Largest quantity of an order.
    pub(crate) max_quantity: String,
    /// Open orders that one account may have.
    pub(crate) max_orders_per_account: u32,
    /// Orders that may wait for a trigger, of all accounts together.
    pub(crate) max_waiting: u32,
    /// What it does with orders, and when that changes.
    #[serde(flatten)]
    pub(crate) trading: Trading,
    /// What its operator allows.
    pub(crate) rules: MarketRules,
    /// The partition that hosts its book: `seq` of its data counts there.
    pub(crate) partition: u16,
}

/// What a market does with orders.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trading {
    /// Now. A quarantined market says `halted`.
    pub(crate) state: MarketState,
    /// It has failed and does nothing at all until an operator releases it.
    pub(crate) quarantined: bool,
    /// When the next step of its way back to continuous trading is due, if it is on one by itself: after a
    /// volatility interruption, or after an unclean start (first from cancel-only to an auction).
    pub(crate) reopens_at: Option<u64>,
    /// Changes of state to come, the next one first.
    pub(crate) plans: Vec<Plan>,
    /// Changes of tick and lot to come, the next one first.
    pub(crate) redefinitions: Vec<PlannedUnits>,
    /// When it is to end for good, if that is planned.
    pub(crate) delisted_at: Option<u64>,
}

/// A change of tick and lot to come.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlannedUnits {
    /// When.
    pub(crate) at: u64,
    /// The step of prices then.
    pub(crate) tick: String,
    /// The step of quantities then.
    pub(crate) lot: String,
    /// Largest price of an order then.
    pub(crate) max_price: String,
    /// Largest quantity of an order then.
    pub(crate) max_quantity: String,
}

/// A change of state to come.
#[derive(Serialize, ToSchema)]
pub(crate) struct Plan {
    /// When.
    pub(crate) at: u64,
    /// The state.
    pub(crate) state: MarketState,
}

/// Markets.
#[derive(Serialize, ToSchema)]
pub(crate) struct Markets {
    /// All markets, by id.
    pub(crate) markets: Vec<Market>,
    /// The partition that keeps the definitions.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

/// A fee tier.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeTier {
    /// Its number.
    pub(crate) tier: u8,
    /// Of the order that rested, in millionths of what it receives; below zero: a rebate, in millionths of
    /// what its taker receives.
    pub(crate) maker_ppm: i32,
    /// Of the order that came and matched.
    pub(crate) taker_ppm: u32,
}

/// Fee tiers.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeeTiers {
    /// Tiers that were set; tier 0 is free until set.
    pub(crate) fee_tiers: Vec<FeeTier>,
    /// Tiers with rates of their own in a market, by market and tier.
    pub(crate) market_fees: Vec<MarketFee>,
    /// Which volume leads to which tier.
    pub(crate) schedule: FeeSchedule,
    /// The partition that keeps the definitions.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

/// A market at a glance, over the last 24 hours.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ticker {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// When the window ends.
    pub(crate) time: u64,
    /// First price of the window.
    pub(crate) open: Option<String>,
    /// Highest price of the window.
    pub(crate) high: Option<String>,
    /// Lowest price of the window.
    pub(crate) low: Option<String>,
    /// Price of the last trade.
    pub(crate) last: Option<String>,
    /// Traded in the window, in base.
    pub(crate) volume: String,
    /// Traded in the window, in quote.
    pub(crate) quote_volume: String,
    /// Trades in the window.
    pub(crate) trades: u64,
    /// Best bid: price and quantity.
    pub(crate) bid: Option<[String; 2]>,
    /// Best ask: price and quantity.
    pub(crate) ask: Option<[String; 2]>,
    /// The partition that hosts the book.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

/// Tickers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tickers {
    /// Of all markets, by id.
    pub(crate) tickers: Vec<Ticker>,
}

/// The best levels of a book.
#[derive(Serialize, ToSchema)]
pub(crate) struct Depth {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The partition that hosts the book.
    pub(crate) partition: u16,
    /// The last entry that changed the book: updates of the stream continue from here.
    pub(crate) seq: u64,
    /// Checksum of the book (see `docs/websocket.md`).
    pub(crate) checksum: u32,
    /// Price and quantity, best first.
    pub(crate) bids: Vec<[String; 2]>,
    /// Price and quantity, best first.
    pub(crate) asks: Vec<[String; 2]>,
}

/// A trade as everybody sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trade {
    /// Unique and rising within the market.
    pub(crate) id: u64,
    /// At which price.
    pub(crate) price: String,
    /// How much, in base.
    pub(crate) quantity: String,
    /// How much, in quote.
    pub(crate) quote_amount: String,
    /// The side that came and matched; none in an auction.
    pub(crate) aggressor: Option<Side>,
    /// When.
    pub(crate) time: u64,
    /// The entry.
    pub(crate) seq: u64,
}

/// Trades.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trades {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The newest trades, newest first.
    pub(crate) trades: Vec<Trade>,
    /// The partition that hosts the book.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

/// A candle.
#[derive(Serialize, ToSchema)]
pub(crate) struct Candle {
    /// When it begins.
    pub(crate) start: u64,
    /// First price.
    pub(crate) open: String,
    /// Highest price.
    pub(crate) high: String,
    /// Lowest price.
    pub(crate) low: String,
    /// Last price.
    pub(crate) close: String,
    /// Traded, in base.
    pub(crate) volume: String,
    /// Traded, in quote.
    pub(crate) quote_volume: String,
    /// Number of trades.
    pub(crate) trades: u64,
}

/// Candles.
#[derive(Serialize, ToSchema)]
pub(crate) struct Candles {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// Their length.
    #[schema(example = "1m")]
    pub(crate) interval: &'static str,
    /// Oldest first; intervals without trades have none.
    pub(crate) candles: Vec<Candle>,
    /// The partition that hosts the book.
    pub(crate) partition: u16,
    /// Its last entry seen.
    pub(crate) seq: u64,
}

impl Asset {
    pub(crate) fn new(def: &AssetDef) -> Self {
        Self { id: def.id.0, symbol: def.symbol.clone(), scale: def.scale }
    }
}

impl FeeTier {
    pub(crate) fn new(tier: u8, rates: FeeRates) -> Self {
        Self { tier, maker_ppm: rates.maker.0, taker_ppm: rates.taker.0 }
    }
}

impl PlannedUnits {
    pub(crate) fn new(at: Timestamp, new: &types::Redefinition) -> Self {
        Self {
            at: millis(at),
            tick: new.tick.to_string(),
            lot: new.lot.to_string(),
            max_price: new.tick.format(new.max_price.get().into()),
            max_quantity: new.lot.format(new.max_quantity.get().into()),
        }
    }
}

impl Trading {
    pub(crate) fn new(info: &MarketInfo) -> Self {
        let trading = &info.trading;
        let plan = |(&at, &state): (&Timestamp, &types::MarketState)| Plan {
            at: millis(at),
            state: state.into(),
        };
        let state = if trading.quarantined { types::MarketState::Halted } else { trading.state };
        Self {
            state: state.into(),
            quarantined: trading.quarantined,
            reopens_at: trading.reopens_at.map(millis),
            plans: trading.plans.iter().map(plan).collect(),
            redefinitions: trading
                .redefinitions
                .iter()
                .map(|(&at, new)| PlannedUnits::new(at, new))
                .collect(),
            delisted_at: trading.delisted_at.map(millis),
        }
    }
}

impl Market {
    pub(crate) fn new(info: &MarketInfo) -> Self {
        let def = &info.def;
        Self {
            id: def.id.0,
            symbol: def.symbol.clone(),
            base: info.base.symbol.clone(),
            quote: info.quote.symbol.clone(),
            tick: def.tick.to_string(),
            lot: def.lot.to_string(),
            max_price: def.tick.format(def.max_price.get().into()),
            max_quantity: def.lot.format(def.max_quantity.get().into()),
            max_orders_per_account: def.bounds.max_orders_per_account,
            max_waiting: def.bounds.max_waiting,
            version: def.version,
            trading: Trading::new(info),
            rules: MarketRules::new(info, &info.trading.rules),
            partition: def.home.0,
        }
    }
}

impl Ticker {
    pub(crate) fn new(info: &MarketInfo, ticker: &views::Ticker, seq: Seq) -> Self {
        let price = |price: types::Price| info.def.tick.format(price.get().into());
        Self {
            market: info.def.symbol.clone(),
            time: millis(ticker.time),
            open: ticker.open.map(price),
            high: ticker.high.map(price),
            low: ticker.low.map(price),
            last: ticker.last.map(price),
            volume: info.def.lot.format(ticker.volume),
            quote_volume: amount(&info.quote, types::Amount::new(ticker.quote_volume)),
            trades: ticker.trades,
            bid: ticker.bid.map(|best| level(info, &best)),
            ask: ticker.ask.map(|best| level(info, &best)),
            partition: info.def.home.0,
            seq: seq.0,
        }
    }
}

impl Depth {
    pub(crate) fn new(info: &MarketInfo, depth: &DepthSnapshot) -> Self {
        let levels = |side: &[DepthLevel]| side.iter().map(|of| level(info, of)).collect();
        Self {
            market: info.def.symbol.clone(),
            partition: info.def.home.0,
            seq: depth.seq.0,
            checksum: depth.checksum,
            bids: levels(&depth.bids),
            asks: levels(&depth.asks),
        }
    }
}

impl Trade {
    pub(crate) fn new(info: &MarketInfo, trade: &TradeView) -> Self {
        let info = &*info.at(trade.seq);
        Self {
            id: trade.trade.0,
            price: info.def.tick.format(trade.price.get().into()),
            quantity: info.def.lot.format(trade.quantity.get().into()),
            quote_amount: amount(&info.quote, trade.quote_amount),
            aggressor: trade.aggressor.map(Into::into),
            time: millis(trade.time),
            seq: trade.seq.0,
        }
    }
}

impl Candle {
    pub(crate) fn new(info: &MarketInfo, candle: &views::Candle) -> Self {
        let price = |price: types::Price| info.def.tick.format(price.get().into());
        Self {
            start: millis(candle.start),
            open: price(candle.open),
            high: price(candle.high),
            low: price(candle.low),
            close: price(candle.close),
            volume: info.def.lot.format(candle.volume),
            quote_volume: amount(&info.quote, types::Amount::new(candle.quote_volume)),
            trades: candle.trades,
        }
    }
}

fn level(info: &MarketInfo, level: &DepthLevel) -> [String; 2] {
    [info.def.tick.format(level.price.get().into()), info.def.lot.format(level.quantity)]
}
