//! Which cells the trading rules make reachable. Every cell of the table is either required or listed
//! here as unreachable, with the reason.

use types::{MarketState, RejectCode};

use super::{Cell, Kind, Outcome, STATES};

/// Every cell that must be seen.
pub fn cells() -> impl Iterator<Item = Cell> {
    let outcomes = || {
        let codes = RejectCode::ALL.iter().map(|&code| Outcome::Rejected(code));
        [Outcome::Accepted, Outcome::Repeated].into_iter().chain(codes)
    };
    let all = Kind::ALL.into_iter().flat_map(move |kind| {
        STATES.into_iter().flat_map(move |state| outcomes().map(move |o| (kind, state, o)))
    });
    all.filter(|&(kind, state, outcome)| unreachable(kind, state, outcome).is_none())
}

/// Why a cell cannot be reached, or nothing if it can.
pub fn unreachable(
    kind: Kind,
    state: Option<MarketState>,
    outcome: Outcome,
) -> Option<&'static str> {
    let Some(state) = state else { return without_market(kind, outcome) };
    if is_pending(kind) {
        return Some("12.8: comes by itself: counted without a market");
    }
    if state == MarketState::Delisted {
        return delisted(kind, outcome);
    }
    let code = match outcome {
        Outcome::Accepted => return not_accepted(kind, state),
        Outcome::Repeated if kind.is_order() || kind == Kind::Replace || kind.is_list() => {
            return None;
        }
        Outcome::Repeated => return Some("only orders have an outcome to repeat"),
        Outcome::Rejected(code) => code,
    };
    if kind == Kind::Replace {
        replace_not_rejected(state, code)
    } else if kind.is_list() {
        list_not_rejected(kind, state, code)
    } else if kind.is_order() {
        order_not_rejected(kind, state, code)
    } else {
        command_not_rejected(kind, state, code)
    }
}

/// Without a market only the answer about that is asked for: what is looked at before is the same.
fn without_market(kind: Kind, outcome: Outcome) -> Option<&'static str> {
    if is_pending(kind) {
        return pending_not_met(kind, outcome);
    }
    let expected = match kind {
        Kind::CancelAll => Outcome::Accepted,
        Kind::CancelByClientId => Outcome::Rejected(RejectCode::UnknownOrder),
        _ => Outcome::Rejected(RejectCode::UnknownMarket),
    };
    if outcome == expected { None } else { Some("there is no market") }
}

/// A market that has ended: what is looked at before it, and that it is delisted (9.1, 16.2).
fn delisted(kind: Kind, outcome: Outcome) -> Option<&'static str> {
    let code = match outcome {
        Outcome::Accepted if kind == Kind::CancelAll => return None,
        Outcome::Accepted => return Some("16.2: nothing is accepted"),
        Outcome::Repeated if kind.is_order() || kind == Kind::Replace || kind.is_list() => {
            return None;
        }
        Outcome::Repeated => return Some("only orders have an outcome to repeat"),
        Outcome::Rejected(code) => code,
    };
    let places = kind.is_order() || kind.is_list() || kind == Kind::Replace;
    let reachable = match code {
        _ if kind == Kind::CancelByClientId => false,
        RejectCode::Expired => true,
        RejectCode::UnknownAccount => places || matches!(kind, Kind::Amend | Kind::CancelAll),
        RejectCode::ClientIdReused => places,
        RejectCode::InvalidCombination => kind.is_list(),
        RejectCode::AccountFrozen => kind.is_order() || kind.is_list() || kind == Kind::Amend,
        RejectCode::MarketDelisted => places || kind == Kind::Amend,
        RejectCode::UnknownOrder => matches!(kind, Kind::Cancel | Kind::CancelList),
        _ => false,
    };
    if reachable { None } else { Some("16: no order is open, and nothing else is looked at") }
}

fn trades(state: MarketState) -> bool {
    state == MarketState::Continuous
}

fn takes_orders(state: MarketState) -> bool {
    matches!(state, MarketState::Continuous | MarketState::Auction | MarketState::PreOpen)
}

/// Kinds that every state takes that takes orders (7).
fn is_plain(kind: Kind) -> bool {
    kind.waits() || matches!(kind, Kind::Gtc | Kind::Dated | Kind::Iceberg)
}

fn not_accepted(kind: Kind, state: MarketState) -> Option<&'static str> {
    let halted = state == MarketState::Halted;
    match kind {
        Kind::CancelAll => None,
        Kind::Cancel | Kind::CancelByClientId | Kind::CancelList if halted => {
            Some("7: no cancels while halted")
        }
        Kind::Cancel | Kind::CancelByClientId | Kind::CancelList => None,
        _ if !takes_orders(state) => Some("7: the state takes no orders"),
        Kind::Amend | Kind::Replace => None,
        _ if kind.is_list() => None,
        _ if !trades(state) && !is_plain(kind) => Some("7: needs continuous trading"),
        _ => None,
    }
}

/// Rejections by the market's state, alike for orders and amendments.
fn other_state(state: MarketState, code: RejectCode) -> Option<Option<&'static str>> {
    let own = match code {
        RejectCode::MarketHalted => MarketState::Halted,
        RejectCode::MarketCancelOnly => MarketState::CancelOnly,
        RejectCode::MarketClosed => MarketState::Closed,
        _ => return None,
    };
    Some(if own == state { None } else { Some("7: the code of another state") })
}

fn order_not_rejected(kind: Kind, state: MarketState, code: RejectCode) -> Option<&'static str> {
    if let Some(answer) = other_state(state, code) {
        return answer;
    }
    let limit = !matches!(
        kind,
        Kind::MarketByQuantity
            | Kind::MarketByQuote
            | Kind::StopMarketByQuantity
            | Kind::StopMarketByQuote
            | Kind::TrailingMarket
    );
    let rests =
        matches!(kind, Kind::Gtc | Kind::Dated | Kind::Iceberg | Kind::PostOnly | Kind::Slide);
    let asks_minimum = matches!(kind, Kind::GtcMinimum | Kind::IocMinimum);
    let enters = takes_orders(state) && (trades(state) || is_plain(kind));
    let shows_parts = matches!(
        kind,
        Kind::Iceberg
            | Kind::PostOnly
            | Kind::Slide
            | Kind::GtcMinimum
            | Kind::StopLimit
            | Kind::TrailingLimit
    );
    let why = |reachable: bool, reason| if reachable { None } else { Some(reason) };
    match code {
        RejectCode::Expired
        | RejectCode::ClientIdReused
        | RejectCode::UnknownAccount
        | RejectCode::AccountFrozen
        | RejectCode::TooManyOpenOrders
        | RejectCode::StaleDefinition
        | RejectCode::InvalidQuantity
        | RejectCode::InvalidCombination
        | RejectCode::PositionLimit
        | RejectCode::InsufficientBalance => None,
        RejectCode::InvalidPrice => why(limit, "market orders have no price"),
        RejectCode::InvalidAmount => Some("9: amounts of orders are quantities"),
        RejectCode::InvalidTrigger => why(kind.waits(), "4: has no trigger"),
        RejectCode::InvalidVisibleQuantity => why(shows_parts, "3.4: only gtc shows a part"),
        RejectCode::InvalidExpiry => {
            let may = kind != Kind::Gtc
                && limit
                && !matches!(kind, Kind::Ioc | Kind::IocMinimum | Kind::Fok);
            why(may || kind.waits(), "3.7: has no date")
        }
        RejectCode::NotDuringAuction => why(
            takes_orders(state) && !trades(state) && !is_plain(kind),
            "7: the state takes it, or nothing",
        ),
        RejectCode::BookFull | RejectCode::TooManyLevels => {
            let waiting_room = "9: asked only of what rests on arrival";
            why(rests && (trades(state) || takes_orders(state) && is_plain(kind)), waiting_room)
        }
        RejectCode::QuantityBelowMinimum | RejectCode::QuantityAboveMaximum => {
            let by_quote = matches!(kind, Kind::MarketByQuote | Kind::StopMarketByQuote);
            why(enters && !by_quote, "11.1: bounds lots of what the state takes")
        }
        RejectCode::NotionalBelowMinimum | RejectCode::NotionalAboveMaximum => {
            why(enters, "7: the state does not take it")
        }
        RejectCode::PriceOutOfBand => {
            why(enters && limit && !kind.waits(), "11.3: bounds limits that enter")
        }
        RejectCode::TooManyIcebergParts => why(enters && shows_parts, "3.4: only gtc shows a part"),
        RejectCode::TooManyWaitingOrders => why(kind.waits(), "4: has no trigger"),
        RejectCode::NoReferencePrice => {
            why(kind.waits() && takes_orders(state), "4.4: asked only of what waits")
        }
        RejectCode::WouldTrigger => {
            let trails = matches!(kind, Kind::TrailingLimit | Kind::TrailingMarket);
            why(
                kind.waits() && !trails && takes_orders(state),
                "4.2: a trailing stop starts away from the last price",
            )
        }
        RejectCode::WouldMatch => why(
            trades(state) && matches!(kind, Kind::PostOnly | Kind::Slide),
            "3.1: only post-only",
        ),
        RejectCode::NotFillable => {
            why(trades(state) && kind == Kind::Fok, "2.3: only fill-or-kill")
        }
        RejectCode::MinimumNotMet => why(trades(state) && asks_minimum, "3.3: only with a minimum"),
        RejectCode::NoLiquidity => {
            let market = matches!(kind, Kind::MarketByQuantity | Kind::MarketByQuote);
            why(trades(state) && market, "2.4: only market orders")
        }
        _ => Some("not a code of new orders, or of loads that the duel does not make"),
    }
}

/// Only why the cancel failed, and what is looked at before it: refusals of the placement are counted
/// with others of its kind.
fn replace_not_rejected(state: MarketState, code: RejectCode) -> Option<&'static str> {
    let halted = state == MarketState::Halted;
    let reachable = match code {
        RejectCode::Expired | RejectCode::UnknownAccount | RejectCode::ClientIdReused => true,
        RejectCode::UnknownOrder => !halted,
        RejectCode::MarketHalted => halted,
        _ => false,
    };
    if reachable { None } else { Some("6.6: not a code of the cancel") }
}

fn command_not_rejected(kind: Kind, state: MarketState, code: RejectCode) -> Option<&'static str> {
    let why = |reachable: bool, reason| if reachable { None } else { Some(reason) };
    let amends = kind == Kind::Amend;
    if let Some(answer) = other_state(state, code) {
        let halts = code == RejectCode::MarketHalted && kind != Kind::CancelAll;
        return if amends || halts { answer } else { Some("7: cancels pass") };
    }
    let takes = amends && takes_orders(state);
    match code {
        RejectCode::Expired => None,
        RejectCode::UnknownAccount => {
            why(amends || kind == Kind::CancelAll, "6.1: an unknown account owns no order")
        }
        RejectCode::UnknownOrder => match kind {
            Kind::CancelAll => Some("6.2: asks for whatever there is"),
            Kind::CancelByClientId => Some("no order, so no market: counted there"),
            _ => why(state != MarketState::Halted || amends, "7: halted comes first"),
        },
        RejectCode::AccountFrozen => why(amends, "a frozen account may cancel"),
        RejectCode::StaleDefinition
        | RejectCode::InvalidPrice
        | RejectCode::InvalidQuantity
        | RejectCode::PositionLimit
        | RejectCode::InsufficientBalance => why(amends, "only of amendments"),
        RejectCode::QuantityBelowMinimum
        | RejectCode::QuantityAboveMaximum
        | RejectCode::NotionalBelowMinimum
        | RejectCode::NotionalAboveMaximum
        | RejectCode::PriceOutOfBand
        | RejectCode::TooManyIcebergParts => why(takes, "11: rules of what enters"),
        RejectCode::NothingToAmend | RejectCode::LosesPriority => {
            why(takes, "9: asked after the state")
        }
        RejectCode::NotAmendable | RejectCode::QuantityBelowFilled => {
            why(amends, "only of amendments")
        }
        RejectCode::WouldMatch => why(takes, "3.1: only where amendments are taken"),
        RejectCode::TooManyLevels => why(takes, "only an amendment asks for another level"),
        _ => Some("not a code of this command: an amendment frees the place that it needs"),
    }
}

/// A list: what the ledger looks at is looked at in every state, for all its legs (9.4).
fn list_not_rejected(kind: Kind, state: MarketState, code: RejectCode) -> Option<&'static str> {
    if let Some(answer) = other_state(state, code) {
        return answer;
    }
    let why = |reachable: bool, reason| if reachable { None } else { Some(reason) };
    let takes = takes_orders(state);
    let pair = matches!(kind, Kind::Pair | Kind::PairOfTriggers);
    let enters = kind != Kind::PairOfTriggers && takes;
    match code {
        RejectCode::Expired
        | RejectCode::ClientIdReused
        | RejectCode::UnknownAccount
        | RejectCode::AccountFrozen
        | RejectCode::StaleDefinition
        | RejectCode::InvalidPrice
        | RejectCode::InvalidQuantity
        | RejectCode::InvalidCombination
        | RejectCode::InvalidTrigger
        | RejectCode::InvalidVisibleQuantity
        | RejectCode::InvalidExpiry
        | RejectCode::TooManyOpenOrders
        | RejectCode::PositionLimit
        | RejectCode::InsufficientBalance => None,
        RejectCode::TooManyWaitingOrders => why(pair, "12.2: nothing of it waits on arrival"),
        RejectCode::NotDuringAuction => {
            why(enters && !trades(state), "7: the state takes it, or nothing")
        }
        RejectCode::QuantityBelowMinimum
        | RejectCode::QuantityAboveMaximum
        | RejectCode::NotionalBelowMinimum
        | RejectCode::NotionalAboveMaximum
        | RejectCode::TooManyIcebergParts => why(takes, "7: the state does not take it"),
        RejectCode::BookFull | RejectCode::TooManyLevels | RejectCode::PriceOutOfBand => {
            why(enters, "4.4: looked at when a trigger has fired")
        }
        RejectCode::NoReferencePrice | RejectCode::WouldTrigger => {
            why(pair && takes, "4.4: asked only of what waits")
        }
        RejectCode::WouldMatch => {
            why(enters && trades(state), "12.4: only what would match on arrival")
        }
        RejectCode::NotFillable | RejectCode::MinimumNotMet => {
            why(enters && !pair && trades(state), "12.1: a pair matches nothing on arrival")
        }
        _ => Some("not a code of new lists, or of loads that the duel does not make"),
    }
}

fn is_pending(kind: Kind) -> bool {
    matches!(kind, Kind::PendingOrder | Kind::PendingPair)
}

/// Pending legs: what was looked at when their list came, and cannot change, cannot refuse them. Codes of
/// states in which nothing trades are rare: a market must change between the fill and their coming.
fn pending_not_met(kind: Kind, outcome: Outcome) -> Option<&'static str> {
    let code = match outcome {
        Outcome::Accepted => return None,
        Outcome::Repeated => return Some("12.8: comes once"),
        Outcome::Rejected(code) => code,
    };
    let of_both = matches!(
        code,
        RejectCode::ClientIdReused
            | RejectCode::AccountFrozen
            | RejectCode::InvalidExpiry
            | RejectCode::TooManyOpenOrders
            | RejectCode::TooManyWaitingOrders
            | RejectCode::PositionLimit
            | RejectCode::InsufficientBalance
            | RejectCode::QuantityBelowMinimum
            | RejectCode::QuantityAboveMaximum
            | RejectCode::NotionalBelowMinimum
            | RejectCode::NotionalAboveMaximum
            | RejectCode::TooManyIcebergParts
            | RejectCode::PriceOutOfBand
            | RejectCode::WouldTrigger
            | RejectCode::WouldMatch
            | RejectCode::BookFull
            | RejectCode::TooManyLevels
    );
    let of_one = matches!(
        code,
        RejectCode::NotFillable
            | RejectCode::MinimumNotMet
            | RejectCode::NoLiquidity
            | RejectCode::InvalidQuantity
    );
    let reachable = of_both || (of_one && kind == Kind::PendingOrder);
    if reachable { None } else { Some("12.8: looked at before, or not required") }
}
