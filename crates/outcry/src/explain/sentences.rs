//! What happened to an order, in sentences.

use types::{
    CancelCause, Command, MarketDef, OrderSpec, ReplyTo, RequestKind, Side, TimeInForce, Trade,
};

use crate::record::{Names, Visit};

/// The way by which the entry that answers `reply` came about.
pub fn origin(visit: &Visit<'_>, reply: ReplyTo) -> String {
    match &visit.entry.command {
        Command::Deliver(delivery) if reply.passed_seq.0 > 0 => format!(
            "as message of partition {}, from its entry {}",
            delivery.from, reply.passed_seq
        ),
        // Nobody waits for a pending leg: the request was for the order that filled the one before it.
        Command::Request { request, .. }
            if reply.is_nobody() && request.kind() != RequestKind::PlaceOrderList =>
        {
            "when the order that it waited for in its list was filled".to_owned()
        }
        Command::Request { request, .. } => format!("by request {}", request.kind().name()),
        _ => "by work that an earlier entry left".to_owned(),
    }
}

/// What an order asked for.
pub fn asked(names: Names<'_>, market: &MarketDef, side: Side, spec: &OrderSpec) -> String {
    let quantity = |quantity| names.quantity(market.id, quantity);
    let (verb, spent) = match side {
        Side::Buy => ("buy", market.quote),
        Side::Sell => ("sell", market.base),
    };
    let at_most = |amount: Option<types::Amount>| match amount {
        Some(amount) => {
            format!(", spending at most {} {}", names.amount(spent, amount), names.asset(spent))
        }
        None => String::new(),
    };
    match *spec {
        OrderSpec::Limit { price, quantity: lots, time_in_force, post_only } => {
            let (lots, price) = (quantity(lots), names.price(market.id, price));
            let life = match time_in_force {
                TimeInForce::Gtc if post_only => "good till cancelled, post only",
                TimeInForce::Gtc => "good till cancelled",
                TimeInForce::Ioc => "immediate or cancel",
                TimeInForce::Fok => "fill or kill",
            };
            format!("{verb} {lots} at {price}, {life}")
        }
        OrderSpec::MarketByQuantity { quantity: lots, max_spend } => {
            format!("{verb} {} at market{}", quantity(lots), at_most(max_spend))
        }
        OrderSpec::MarketByQuote { quote, max_spend } => {
            let (quote, asset) = (names.quote(market.id, quote), names.asset(market.quote));
            format!("{verb} for {quote} {asset} at market{}", at_most(max_spend))
        }
    }
}

/// What a limit order locked when it came; the others lock what is not in the book's log.
pub fn held(visit: &Visit<'_>, market: &MarketDef, side: Side, spec: &OrderSpec) -> String {
    let names = Names(visit.state.definitions());
    let listed = visit.state.definitions().market(market.id);
    let (Some(listed), &OrderSpec::Limit { price, quantity, .. }) = (listed, spec) else {
        return String::new();
    };
    let (asset, amount) = match side {
        Side::Buy => (market.quote, listed.scaling.notional(price, quantity)),
        Side::Sell => (market.base, listed.scaling.base(quantity)),
    };
    format!("; {} {} held for it", names.amount(asset, amount), names.asset(asset))
}

/// A trade as the order on `side` saw it.
pub fn filled(names: Names<'_>, market: &MarketDef, trade: &Trade, side: Side) -> String {
    let (own, other, verb, fee_asset) = match side {
        Side::Buy => (trade.buyer, trade.seller, "bought", market.base),
        Side::Sell => (trade.seller, trade.buyer, "sold", market.quote),
    };
    let how = match trade.aggressor {
        Some(aggressor) if aggressor == side => "matched as it came",
        Some(_) => "matched while resting",
        None => "matched in an auction",
    };
    let rebate = own.fee.rebate();
    let (cost, asset, amount) = if rebate.is_zero() {
        ("fee", fee_asset, own.fee.total())
    } else {
        let paid = if fee_asset == market.base { market.quote } else { market.base };
        ("rebate", paid, rebate)
    };
    format!(
        "{how}: trade {}, {verb} {} at {}, against order {} of account {}, {cost} {} {}",
        trade.trade,
        names.quantity(market.id, trade.quantity),
        names.price(market.id, trade.price),
        other.order,
        other.account,
        names.amount(asset, amount),
        names.asset(asset),
    )
}

/// Why an order ended with something left. A client's cancel that nobody waits for is the first half of
/// a replacement.
pub fn cancelled(cause: CancelCause, reply: ReplyTo) -> &'static str {
    match cause {
        CancelCause::Client if reply.is_nobody() => {
            "cancelled by its owner, to place another instead"
        }
        CancelCause::Client => "cancelled by its owner",
        CancelCause::CancelAll => "cancelled with all orders of its owner in this market",
        CancelCause::ImmediateOrCancel => "what did not match at once was cancelled, as asked",
        CancelCause::MarketRemainder => "the book had no more to match it with",
        CancelCause::SelfTrade => "cancelled so as not to trade with its own owner",
        CancelCause::BookFull => "the book was full when the rest was to enter it",
        CancelCause::Expired => "its date had come",
        CancelCause::NotFillable => "when its trigger fired it could not be filled as it asked",
        CancelCause::Redefined => {
            "the market's tick or lot changed, and it was no whole number of the new ones"
        }
        CancelCause::Delisted => "the market was delisted",
        CancelCause::Interruption => {
            "it would have traded too far from the last price: an auction came first"
        }
        CancelCause::OrderList => "the other order of its list traded, was triggered or ended",
    }
}
