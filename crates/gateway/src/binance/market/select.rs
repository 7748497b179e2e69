//! Which markets a request is about: `symbol`, `symbols`, or all.

use std::sync::Arc;

use types::MarketState;
use views::MarketInfo;

use crate::binance::endpoint::Call;
use crate::binance::error::Error;
use crate::binance::symbols;

/// The markets that were asked for.
pub(in crate::binance) enum Selection {
    /// One: the answer is an object.
    One(Arc<MarketInfo>),
    /// Some or all: the answer is a list.
    Many(Vec<Arc<MarketInfo>>),
}

impl Call {
    /// The markets of `symbol` or `symbols`; all that are not delisted without both.
    ///
    /// # Errors
    /// -1101 with both, -1151 if one stands twice, -1220 if one has not the status asked for, else as
    /// [`symbols::market`].
    pub(in crate::binance) fn selection(&self) -> Result<Selection, Error> {
        let (one, some) = (self.params.text("symbol")?, self.params.list("symbols")?);
        if one.is_some() && some.is_some() {
            return Err(Error::new(-1101, "Too many parameters; expected 'symbol' or 'symbols'."));
        }
        let wanted = self.wanted_status()?;
        let views = &self.shared.views;
        if let Some(name) = one {
            let market = symbols::market(views, name)?;
            has_status(&market, wanted)?;
            return Ok(Selection::One(market));
        }
        let Some(names) = some else {
            let mut all = symbols::markets(views);
            all.retain(|market| {
                market.trading.state != MarketState::Delisted && has_status(market, wanted).is_ok()
            });
            return Ok(Selection::Many(all));
        };
        let mut markets: Vec<Arc<MarketInfo>> = Vec::with_capacity(names.len().min(1_000));
        for name in &names {
            let market = symbols::market(views, name)?;
            has_status(&market, wanted)?;
            if markets.iter().any(|known| known.def.id == market.def.id) {
                return Err(Error::new(-1151, "Symbol is present multiple times in the list."));
            }
            markets.push(market);
        }
        if markets.is_empty() {
            return Err(Error::mandatory("symbols"));
        }
        Ok(Selection::Many(markets))
    }

    /// `symbolStatus`.
    ///
    /// # Errors
    /// -1122.
    pub(in crate::binance) fn wanted_status(&self) -> Result<Option<&'static str>, Error> {
        const WORDS: [(&str, &str); 5] = [
            ("TRADING", "TRADING"),
            ("HALT", "HALT"),
            ("BREAK", "BREAK"),
            ("CANCEL_ONLY", "CANCEL_ONLY"),
            ("END_OF_DAY", "END_OF_DAY"),
        ];
        self.params.word("symbolStatus", &WORDS, || Error::new(-1122, "Invalid symbolStatus."))
    }
}

/// The status of a market.
pub(in crate::binance) fn status(market: &MarketInfo) -> &'static str {
    if market.trading.quarantined {
        return "HALT";
    }
    match market.trading.state {
        MarketState::Continuous => "TRADING",
        MarketState::Auction | MarketState::PreOpen => "BREAK",
        MarketState::CancelOnly => "CANCEL_ONLY",
        MarketState::Halted => "HALT",
        MarketState::Closed | MarketState::Delisted => "END_OF_DAY",
    }
}

/// # Errors
/// -1220 if the market has another status than the one asked for.
pub(in crate::binance) fn has_status(
    market: &MarketInfo,
    wanted: Option<&str>,
) -> Result<(), Error> {
    if wanted.is_none_or(|wanted| wanted == status(market)) {
        return Ok(());
    }
    Err(Error::new(-1220, "The symbol's status does not match the requested symbolStatus."))
}
