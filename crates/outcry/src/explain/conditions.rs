//! What an order waits for, shows and asks for, in sentences.

use std::fmt::Write as _;

use engine::Partition;
use types::{AccountId, Conditions, MarketDef, OrderId, OrderSpec, Side, Trigger, trailing_price};

use crate::record::{Names, rfc3339};

/// Conditions as the rest of a sentence about what was asked; nothing for a plain order.
pub fn under(names: Names<'_>, market: &MarketDef, side: Side, conditions: &Conditions) -> String {
    let lots = |quantity| names.quantity(market.id, quantity);
    let mut text = String::new();
    let mut add = |part: std::fmt::Arguments<'_>| {
        let _ = write!(text, ", {part}");
    };
    if let Some(trigger) = conditions.trigger {
        add(format_args!("waiting for {}", awaited(names, market, side, trigger)));
    }
    if let Some(at) = conditions.expires_at {
        add(format_args!("until {}", rfc3339(at)));
    }
    if let Some(visible) = conditions.visible {
        add(format_args!("showing {} at a time", lots(visible)));
    }
    if let Some(minimum) = conditions.minimum {
        add(format_args!("at least {} at once", lots(minimum)));
    }
    if conditions.slide {
        add(format_args!("sliding rather than matching"));
    }
    text
}

/// An order outside of the book.
pub struct Wait {
    /// Whose.
    pub owner: AccountId,
    /// Whether its quantity is stated in quote.
    pub is_by_quote: bool,
    /// What it waits for, in a sentence without a subject.
    pub text: String,
}

/// What `order` waits for now, if it waits.
pub fn wait(state: &Partition, market: &MarketDef, order: OrderId) -> Option<Wait> {
    let waiting = state.market(market.id)?.waiting().find(|waiting| waiting.id == order)?;
    let (admit, names) = (waiting.admit, Names(state.definitions()));
    let trigger = admit.conditions.trigger?;
    let mut text = format!("waits for {}", awaited(names, market, admit.side, trigger));
    if let (Trigger::Trails { basis_points, .. }, Some(best)) = (trigger, waiting.reference) {
        let fires = trailing_price(admit.side, best, basis_points);
        let (best, fires) = (names.price(market.id, best), names.price(market.id, fires));
        let _ = write!(text, ", which is now {fires}: the best since it became active is {best}");
    }
    let is_by_quote = matches!(admit.spec, OrderSpec::MarketByQuote { .. });
    Some(Wait { owner: admit.account, is_by_quote, text })
}

fn awaited(names: Names<'_>, market: &MarketDef, side: Side, trigger: Trigger) -> String {
    let price = |price| names.price(market.id, price);
    let (from_best, when_active) = match side {
        Side::Sell => ("below the highest", "above"),
        Side::Buy => ("above the lowest", "below"),
    };
    match trigger {
        Trigger::Rises { to } => format!("a trade at {} or above", price(to)),
        Trigger::Falls { to } => format!("a trade at {} or below", price(to)),
        Trigger::Trails { basis_points, activation } => {
            let distance = format!("{}.{:02} %", basis_points / 100, basis_points % 100);
            let active = match activation {
                Some(at) => format!(" since one at {} or {when_active}", price(at)),
                None => String::new(),
            };
            format!("a trade {distance} {from_best}{active}")
        }
    }
}
