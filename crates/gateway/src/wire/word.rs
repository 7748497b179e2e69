//! Words of the API for the choices of the engine, each mapped in one place.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares a JSON enum in `snake_case` that maps one to one to an enum of the engine.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $engine:ty { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant,)* }

        impl From<$name> for $engine {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant,)* }
            }
        }

        impl From<$engine> for $name {
            fn from(value: $engine) -> Self {
                match value { $(<$engine>::$variant => Self::$variant,)* }
            }
        }
    };
}

words! {
    /// Buy or sell.
    Side = types::Side {
        /// Pays quote, receives base.
        Buy,
        /// Pays base, receives quote.
        Sell,
    }
}

/// How long an order may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimeInForce {
    /// Good till cancelled: what does not match rests.
    Gtc,
    /// Good till date: the same until `expires_at`.
    Gtd,
    /// Immediate or cancel: what does not match at once is cancelled.
    Ioc,
    /// Fill or kill: matches whole at once or is rejected.
    Fok,
}

impl TimeInForce {
    /// What the engine knows of it: the date is a condition.
    pub(crate) fn in_book(self) -> types::TimeInForce {
        match self {
            Self::Gtc | Self::Gtd => types::TimeInForce::Gtc,
            Self::Ioc => types::TimeInForce::Ioc,
            Self::Fok => types::TimeInForce::Fok,
        }
    }

    /// That of an order, if it has one.
    pub(crate) fn of(spec: &types::OrderSpec, conditions: &types::Conditions) -> Option<Self> {
        let has_date = conditions.expires_at.is_some();
        match *spec {
            types::OrderSpec::Limit { time_in_force, .. } => Some(match time_in_force {
                types::TimeInForce::Gtc if has_date => Self::Gtd,
                types::TimeInForce::Gtc => Self::Gtc,
                types::TimeInForce::Ioc => Self::Ioc,
                types::TimeInForce::Fok => Self::Fok,
            }),
            types::OrderSpec::MarketByQuantity { .. } | types::OrderSpec::MarketByQuote { .. } => {
                has_date.then_some(Self::Gtd)
            }
        }
    }
}

/// How the orders of a list depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderListKind {
    /// One cancels the other.
    Oco,
    /// One triggers the other.
    Oto,
    /// One triggers a pair, of which one cancels the other.
    Otoco,
}

impl From<types::OrderListKind> for OrderListKind {
    fn from(kind: types::OrderListKind) -> Self {
        match kind {
            types::OrderListKind::OneCancelsOther => Self::Oco,
            types::OrderListKind::OneTriggersOther => Self::Oto,
            types::OrderListKind::OneTriggersPair => Self::Otoco,
        }
    }
}

words! {
    /// What happens when an order would match another of the same account.
    SelfTradePrevention = types::SelfTradePrevention {
        /// They trade.
        None,
        /// What is left of the incoming order is cancelled.
        ExpireTaker,
        /// The resting order is cancelled and matching goes on.
        ExpireMaker,
        /// Both are cancelled.
        ExpireBoth,
        /// Both are reduced by the smaller quantity without a trade.
        Decrement,
    }
}

words! {
    /// What a market does with orders.
    MarketState = types::MarketState {
        /// Orders match on arrival.
        Continuous,
        /// Limit orders collect without matching; leaving this state uncrosses them.
        Auction,
        /// Nothing is accepted or matched; cancels pass.
        CancelOnly,
        /// Nothing is accepted, matched or cancelled.
        Halted,
        /// As an auction, before it opens.
        PreOpen,
        /// The session is over: nothing is accepted or matched; cancels pass.
        Closed,
        /// The market has ended for good. Only a planned delisting brings this about.
        Delisted,
    }
}

words! {
    /// Where an order stands.
    OrderStatus = views::OrderStatus {
        /// Accepted, and outside of the book until its trigger fires.
        Waiting,
        /// Accepted, nothing filled.
        Open,
        /// Accepted, something filled, something open.
        PartiallyFilled,
        /// Ended, nothing is left.
        Filled,
        /// Ended with something left.
        Cancelled,
    }
}

words! {
    /// The part that an order played in a trade.
    Liquidity = views::Liquidity {
        /// It rested and was matched.
        Maker,
        /// It came and matched.
        Taker,
        /// Both rested until an auction uncrossed.
        Auction,
    }
}

/// What an order is. Those with a trigger wait outside of the book until a trade fires it, and then
/// enter at the market, or as the limit order that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderType {
    /// At its price or better.
    Limit,
    /// At whatever price.
    Market,
    /// Enters at the market when the price has fallen (sell) or risen (buy) to `stop_price`.
    StopLoss,
    /// The same, as a limit order.
    StopLossLimit,
    /// Enters at the market when the price has risen (sell) or fallen (buy) to `stop_price`.
    TakeProfit,
    /// The same, as a limit order.
    TakeProfitLimit,
    /// Enters at the market when the price is `trailing_basis_points` away from its best.
    TrailingStop,
    /// The same, as a limit order.
    TrailingStopLimit,
}

/// What an order waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TriggerType {
    StopLoss,
    TakeProfit,
    TrailingStop,
}

impl TriggerType {
    /// Whether a trade at the price or above fires it for an order of this side; else at or below.
    pub(crate) fn rises(self, side: Side) -> bool {
        (self == Self::TakeProfit) == (side == Side::Sell)
    }

    fn of(trigger: types::Trigger, side: Side) -> Self {
        let rises = match trigger {
            types::Trigger::Rises { .. } => true,
            types::Trigger::Falls { .. } => false,
            types::Trigger::Trails { .. } => return Self::TrailingStop,
        };
        if Self::TakeProfit.rises(side) == rises { Self::TakeProfit } else { Self::StopLoss }
    }
}

impl OrderType {
    /// All, in their order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Limit,
        Self::Market,
        Self::StopLoss,
        Self::StopLossLimit,
        Self::TakeProfit,
        Self::TakeProfitLimit,
        Self::TrailingStop,
        Self::TrailingStopLimit,
    ];

    /// What it waits for, if it does.
    pub(crate) fn trigger(self) -> Option<TriggerType> {
        match self {
            Self::Limit | Self::Market => None,
            Self::StopLoss | Self::StopLossLimit => Some(TriggerType::StopLoss),
            Self::TakeProfit | Self::TakeProfitLimit => Some(TriggerType::TakeProfit),
            Self::TrailingStop | Self::TrailingStopLimit => Some(TriggerType::TrailingStop),
        }
    }

    /// Whether it has a limit price.
    pub(crate) fn is_limit(self) -> bool {
        match self {
            Self::Limit | Self::StopLossLimit | Self::TakeProfitLimit | Self::TrailingStopLimit => {
                true
            }
            Self::Market | Self::StopLoss | Self::TakeProfit | Self::TrailingStop => false,
        }
    }

    /// That of an order.
    pub(crate) fn of(is_limit: bool, trigger: Option<types::Trigger>, side: Side) -> Self {
        match (trigger.map(|trigger| TriggerType::of(trigger, side)), is_limit) {
            (None, true) => Self::Limit,
            (None, false) => Self::Market,
            (Some(TriggerType::StopLoss), true) => Self::StopLossLimit,
            (Some(TriggerType::StopLoss), false) => Self::StopLoss,
            (Some(TriggerType::TakeProfit), true) => Self::TakeProfitLimit,
            (Some(TriggerType::TakeProfit), false) => Self::TakeProfit,
            (Some(TriggerType::TrailingStop), true) => Self::TrailingStopLimit,
            (Some(TriggerType::TrailingStop), false) => Self::TrailingStop,
        }
    }

    /// As JSON has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Market => "market",
            Self::StopLoss => "stop_loss",
            Self::StopLossLimit => "stop_loss_limit",
            Self::TakeProfit => "take_profit",
            Self::TakeProfitLimit => "take_profit_limit",
            Self::TrailingStop => "trailing_stop",
            Self::TrailingStopLimit => "trailing_stop_limit",
        }
    }
}

/// Who stands behind a source of credits and debits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceKind {
    /// An operators' desk.
    Manual,
    /// A wallet that vouches for what it has seen on a chain.
    Machine,
}

impl From<SourceKind> for types::SourceKind {
    fn from(kind: SourceKind) -> Self {
        match kind {
            SourceKind::Manual => Self::Manual,
            SourceKind::Machine => Self::Machine,
        }
    }
}

impl From<types::SourceKind> for SourceKind {
    fn from(kind: types::SourceKind) -> Self {
        match kind {
            types::SourceKind::Manual => Self::Manual,
            types::SourceKind::Machine => Self::Machine,
        }
    }
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Permission {
    /// Read what is the account's.
    Read,
    /// Place, amend and cancel orders.
    Trade,
    /// Move funds away: transfers and withdrawals.
    Withdraw,
    /// Operate the exchange.
    Admin,
}

impl Permission {
    /// As a list, in the order of their weight.
    pub(crate) fn list(permissions: store::Permissions) -> Vec<Self> {
        [
            (permissions.read, Self::Read),
            (permissions.trade, Self::Trade),
            (permissions.withdraw, Self::Withdraw),
            (permissions.admin, Self::Admin),
        ]
        .into_iter()
        .filter_map(|(has, permission)| has.then_some(permission))
        .collect()
    }
}
