//! Candles: open, high, low, close and volumes per interval of log time.
//!
//! Intervals are aligned to UTC (the Unix epoch). An interval without a trade has no candle. A candle
//! is final once log time has passed its end; nothing is sent at that moment, the next trade's candle
//! closes it. Per interval the last [`MAX_CANDLES`] are kept; older ones are in SQL trades.

use std::collections::VecDeque;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Conversion, Price, Side, Timestamp, TradeId};

use crate::changes::TradeView;

/// Candles kept per market and interval, the last one included. Above 1,440, so that the rolling
/// ticker can be computed from those of one minute.
pub const MAX_CANDLES: usize = 1_501;

/// The length of a candle.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Interval {
    /// One second.
    Second1,
    /// One minute.
    Minute1,
    /// Five minutes.
    Minute5,
    /// A quarter of an hour.
    Minute15,
    /// One hour.
    Hour1,
    /// Four hours.
    Hour4,
    /// One day.
    Day1,
}

impl Interval {
    /// All, by rising length.
    pub const ALL: [Self; 7] = [
        Self::Second1,
        Self::Minute1,
        Self::Minute5,
        Self::Minute15,
        Self::Hour1,
        Self::Hour4,
        Self::Day1,
    ];

    /// The length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        const SECOND: u64 = 1_000_000_000;
        match self {
            Self::Second1 => SECOND,
            Self::Minute1 => 60 * SECOND,
            Self::Minute5 => 300 * SECOND,
            Self::Minute15 => 900 * SECOND,
            Self::Hour1 => 3_600 * SECOND,
            Self::Hour4 => 14_400 * SECOND,
            Self::Day1 => 86_400 * SECOND,
        }
    }

    /// The name, as `5m`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Second1 => "1s",
            Self::Minute1 => "1m",
            Self::Minute5 => "5m",
            Self::Minute15 => "15m",
            Self::Hour1 => "1h",
            Self::Hour4 => "4h",
            Self::Day1 => "1d",
        }
    }

    /// The interval of that name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.word() == word)
    }

    /// When the interval that `time` lies in begins.
    #[must_use]
    pub fn start_of(self, time: Timestamp) -> Timestamp {
        Timestamp(time.0 - time.0 % self.nanos())
    }
}

/// What traded in one interval. At least one trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Candle {
    /// When the interval begins.
    pub start: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Sum of lots.
    pub volume: u128,
    /// Sum of quote atoms.
    pub quote_volume: u128,
    /// Number of trades.
    pub trades: u64,
    /// The first of them; the others follow without a hole.
    pub first_trade: TradeId,
    /// Sum of lots that takers bought.
    pub taker_buy_volume: u128,
    /// Sum of quote atoms that takers paid.
    pub taker_buy_quote: u128,
}

impl Candle {
    fn first(start: Timestamp, trade: &TradeView) -> Self {
        let (volume, quote_volume) = (u128::from(trade.quantity.get()), trade.quote_amount.get());
        let taken = if trade.aggressor == Some(Side::Buy) { 1 } else { 0 };
        Self {
            start,
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume,
            quote_volume,
            trades: 1,
            first_trade: trade.trade,
            taker_buy_volume: taken * volume,
            taker_buy_quote: taken * quote_volume,
        }
    }

    /// Takes in what happened after this: makes longer candles of shorter ones.
    pub fn extend(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        // Saturating: 2^96 atoms change hands 2^32 times before it matters, in one candle.
        self.quote_volume = self.quote_volume.saturating_add(later.quote_volume);
        self.trades += later.trades;
        self.taker_buy_volume += later.taker_buy_volume;
        self.taker_buy_quote = self.taker_buy_quote.saturating_add(later.taker_buy_quote);
    }
}

/// The candles of one market and interval, oldest first.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Series {
    candles: VecDeque<Candle>,
}

impl Series {
    /// Adds a trade. Returns the candle that this trade closed, if it began a new one.
    pub(crate) fn add(&mut self, interval: Interval, trade: &TradeView) -> Option<Candle> {
        let start = interval.start_of(trade.time);
        let trade = Candle::first(start, trade);
        match self.candles.back_mut() {
            // A market that moved to another partition may see its clock step back: what is closed
            // stays closed, the trade counts in the last candle.
            Some(last) if start <= last.start => {
                last.extend(&trade);
                None
            }
            last => {
                let closed = last.copied();
                self.candles.push_back(trade);
                if self.candles.len() > MAX_CANDLES {
                    self.candles.pop_front();
                }
                closed
            }
        }
    }

    /// Counts in other units from now on, rounded down.
    pub(crate) fn convert(&mut self, conversion: &Conversion) {
        for candle in &mut self.candles {
            let Candle { open, high, low, close, volume, taker_buy_volume, .. } = candle;
            for price in [open, high, low, close] {
                *price = conversion.price_down(*price);
            }
            *volume = conversion.lots_down(*volume);
            *taker_buy_volume = conversion.lots_down(*taker_buy_volume);
        }
    }

    /// The newest candle.
    pub(crate) fn last(&self) -> Option<&Candle> {
        self.candles.back()
    }

    /// The close of the newest candle that begins before `from`.
    pub(crate) fn close_before(&self, from: Timestamp) -> Option<Price> {
        let first = self.candles.partition_point(|candle| candle.start < from);
        Some(self.candles.get(first.checked_sub(1)?)?.close)
    }

    /// Candles that begin at or after `from`, oldest first.
    pub(crate) fn since(&self, from: Timestamp) -> impl DoubleEndedIterator<Item = &Candle> {
        let first = self.candles.partition_point(|candle| candle.start < from);
        self.candles.range(first..)
    }

    /// The newest `limit` candles that begin within `from..to`, oldest first.
    pub(crate) fn range(&self, from: Timestamp, to: Timestamp, limit: usize) -> Vec<Candle> {
        let first = self.candles.partition_point(|candle| candle.start < from);
        let end = self.candles.partition_point(|candle| candle.start < to);
        let first = first.max(end.saturating_sub(limit)).min(end);
        self.candles.range(first..end).copied().collect()
    }
}
