//! `GET depth`: the order book by price levels.
//!
//! `lastUpdateId` is the entry of the log that changed the visible book last: the number that the streams
//! of changes count by.

use serde::Serialize;
use views::{DepthLevel, MarketInfo};

use super::select::has_status;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::params::Params;
use crate::binance::render;

const MOST_LEVELS: usize = 5_000;
const LEVELS: usize = 100;

/// Price and quantity.
pub(in crate::binance) type Level = [String; 2];

/// A book.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::binance) struct Depth {
    /// The last change that is in.
    pub(in crate::binance) last_update_id: u64,
    /// Best first.
    pub(in crate::binance) bids: Vec<Level>,
    /// Best first.
    pub(in crate::binance) asks: Vec<Level>,
}

/// A level's texts; streams of changes use the same.
pub(in crate::binance) fn level(market: &MarketInfo, level: &DepthLevel) -> Level {
    [render::price(market, level.price), render::lots(market, level.quantity)]
}

/// `GET depth`.
pub(in crate::binance) async fn depth(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    has_status(&market, call.wanted_status()?)?;
    let limit = call.params.limit(LEVELS, MOST_LEVELS)?;
    let depth = call.shared.views.depth(market.def.id, limit);
    let levels = |side: &[DepthLevel]| side.iter().map(|found| level(&market, found)).collect();
    Answer::of(&Depth {
        last_update_id: depth.seq.0,
        bids: levels(&depth.bids),
        asks: levels(&depth.asks),
    })
}

/// By the number of levels.
pub(in crate::binance) fn depth_weight(params: &Params) -> u32 {
    match params.limit(LEVELS, MOST_LEVELS).unwrap_or(LEVELS) {
        0..=100 => 5,
        101..=500 => 25,
        501..=1_000 => 50,
        _ => 250,
    }
}
