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

words! {
    /// How long a limit order may live.
    TimeInForce = types::TimeInForce {
        /// Good till cancelled: what does not match rests.
        Gtc,
        /// Immediate or cancel: what does not match at once is cancelled.
        Ioc,
        /// Fill or kill: matches whole at once or is rejected.
        Fok,
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
    }
}

words! {
    /// Where an order stands.
    OrderStatus = views::OrderStatus {
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

/// Limit or market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderType {
    /// At its price or better.
    Limit,
    /// At whatever price.
    Market,
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
