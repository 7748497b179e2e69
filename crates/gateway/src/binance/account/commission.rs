//! `GET account/commission`: what an account pays in a market.

use serde::Serialize;
use types::{AccountId, FeeRates, MarketId};

use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::render::{self, ZERO};
use crate::binance::symbols::symbol;
use crate::state::Shared;

/// Rates as fractions of what is received. A rebate is below zero.
#[derive(Clone, Debug, Serialize)]
pub(in crate::binance) struct Commissions {
    pub(in crate::binance) maker: String,
    pub(in crate::binance) taker: String,
    buyer: &'static str,
    seller: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Commission {
    symbol: String,
    standard_commission: Commissions,
    special_commission: Commissions,
    tax_commission: Commissions,
    discount: Discount,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Discount {
    enabled_for_account: bool,
    enabled_for_symbol: bool,
    discount_asset: &'static str,
    discount: &'static str,
}

/// A maker's rate: below zero it is a rebate.
pub(in crate::binance) fn maker_rate(rates: FeeRates) -> String {
    let size = render::rate(rates.maker.0.unsigned_abs());
    if rates.maker.0 < 0 { format!("-{size}") } else { size }
}

/// The rates of an account's next order in a market.
pub(in crate::binance) fn rates(shared: &Shared, account: AccountId, market: MarketId) -> FeeRates {
    let tier = shared.views.account_fees(account).map_or(0, |fees| fees.tier);
    shared.views.fee_rates(market, tier)
}

impl Commissions {
    const NONE: Self =
        Self { maker: String::new(), taker: String::new(), buyer: ZERO, seller: ZERO };

    pub(in crate::binance) fn of(shared: &Shared, account: AccountId, market: MarketId) -> Self {
        Self::new(rates(shared, account, market))
    }

    pub(in crate::binance) fn new(rates: FeeRates) -> Self {
        let (maker, taker) = (maker_rate(rates), render::rate(rates.taker.0));
        Self { maker, taker, ..Self::NONE }
    }

    fn zero() -> Self {
        Self { maker: ZERO.to_owned(), taker: ZERO.to_owned(), ..Self::NONE }
    }
}

/// `GET account/commission`.
pub(in crate::binance) async fn commission(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let account = call.caught_up().await?;
    Answer::of(&Commission {
        symbol: symbol(&market),
        standard_commission: Commissions::of(&call.shared, account, market.def.id),
        special_commission: Commissions::zero(),
        tax_commission: Commissions::zero(),
        discount: Discount {
            enabled_for_account: false,
            enabled_for_symbol: false,
            discount_asset: "",
            discount: ZERO,
        },
    })
}
