//! `GET myFilters`: the filters of a market, as they hold for an account.

use serde_json::json;

use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::market::filters;

/// `GET myFilters`: every account has the same.
pub(in crate::binance) async fn my_filters(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    Answer::of(&json!({
        "exchangeFilters": [],
        "symbolFilters": filters(&market),
        "assetFilters": [],
    }))
}
