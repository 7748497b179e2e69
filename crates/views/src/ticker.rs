//! The rolling ticker of 24 hours.
//!
//! Time is log time: the stamp of the newest entry that any partition's events have brought. The
//! window is the current minute and the 1,439 before it, read from the candles of one minute, so its
//! memory is bounded and it moves minute by minute.

use types::{Price, Timestamp};

use crate::candle::{Candle, Interval, Series};
use crate::depth::DepthLevel;

const WINDOW_MINUTES: u64 = 1_440;

/// A market at a glance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticker {
    /// The log time that the window ends at.
    pub time: Timestamp,
    /// First price of the window; none if it has no trade.
    pub open: Option<Price>,
    /// Highest price of the window.
    pub high: Option<Price>,
    /// Lowest price of the window.
    pub low: Option<Price>,
    /// Price of the last trade, also of one before the window.
    pub last: Option<Price>,
    /// Lots in the window.
    pub volume: u128,
    /// Quote atoms in the window.
    pub quote_volume: u128,
    /// Trades in the window.
    pub trades: u64,
    /// Best bid.
    pub bid: Option<DepthLevel>,
    /// Best ask.
    pub ask: Option<DepthLevel>,
}

/// What candles say about the time from one of their beginnings to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// What traded, as one candle.
    pub traded: Option<Candle>,
    /// The last price before; none if nothing had traded, or nothing of it is known any more.
    pub close_before: Option<Price>,
}

/// What the candles of one minute say about the window that ends at `now`.
pub(crate) fn window(minutes: &Series, now: Timestamp) -> Option<Candle> {
    let minute = Interval::Minute1;
    let back = (WINDOW_MINUTES - 1) * minute.nanos();
    let from = Timestamp(minute.start_of(now).0.saturating_sub(back));
    sum(minutes.since(from))
}

/// Candles one after the other as one.
pub(crate) fn sum<'a>(candles: impl Iterator<Item = &'a Candle>) -> Option<Candle> {
    candles.copied().reduce(|mut sum, later| {
        sum.extend(&later);
        sum
    })
}
