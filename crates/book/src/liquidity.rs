//! What an order could trade, found out before it is accepted. Changes nothing.
//!
//! The search is no work that a later entry could go on with, for the answer depends on it; and an
//! order that is refused costs its client nothing, so that he may ask again and again. Therefore it
//! has an end of its own: an order that would reach beyond [`PROBE_STEPS`] is refused as if the book
//! had nothing more. This is a rule of trading, the same in each replay: it counts what lies in the
//! book, not time.

use std::collections::VecDeque;

use types::{Admit, Amount, Price, Quantity, SelfTradePrevention, Side};

use crate::ladder::Level;
use crate::market::{Market, Work};

/// How far a search goes: a level is a step, and so is each order of it if self-trade prevention must
/// look at the owners. Well below what matching as many orders takes.
const PROBE_STEPS: u32 = 10_000;

/// An order that asks.
pub(crate) struct Probe {
    pub(crate) side: Side,
    /// The worst price, or any.
    pub(crate) limit: Option<Price>,
    pub(crate) wanted: Quantity,
    /// So many traded lots are enough to know.
    pub(crate) enough: Quantity,
    /// A buyer's quote: the search may stop beyond it.
    pub(crate) budget: Amount,
    /// The group it must not trade with, and what is done instead.
    own: Option<(u32, SelfTradePrevention)>,
}

/// What it could trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Executable {
    pub(crate) lots: Quantity,
    pub(crate) quote: Amount,
}

/// Lots of one level.
struct Share {
    traded: Quantity,
    /// Self-trade prevention ends the order here.
    ends: bool,
}

impl Probe {
    pub(crate) fn new(admit: &Admit, limit: Option<Price>, wanted: Quantity) -> Self {
        let mode = admit.self_trade_prevention;
        let own = (mode != SelfTradePrevention::None).then_some((admit.self_trade_group, mode));
        Self { side: admit.side, limit, wanted, enough: wanted, budget: Amount::MAX, own }
    }

    fn reaches(&self, price: Price) -> bool {
        self.limit.is_none_or(|limit| match self.side {
            Side::Buy => price <= limit,
            Side::Sell => price >= limit,
        })
    }
}

impl Market {
    /// The most lots that an order would trade if it were accepted now, and their quote. It may not be
    /// all if it is enough to know, or more than the budget. Nothing if the order
    /// reaches too far to tell.
    pub(crate) fn executable(&self, probe: &Probe) -> Option<Executable> {
        let mut steps = Work { remaining: PROBE_STEPS };
        let mut sum = Executable::default();
        let mut left = probe.wanted;
        for level in self.book.ladder(probe.side.opposite()).iter() {
            let known = left.is_zero() || sum.lots >= probe.enough || sum.quote > probe.budget;
            if known || !probe.reaches(level.price) {
                break;
            }
            if self.would_interrupt(self.last_price, level.price) {
                break;
            }
            if !steps.take() {
                return None;
            }
            let affordable = self.scaling.lots_for(probe.budget - sum.quote, level.price);
            let beyond = Quantity::new(affordable.get().saturating_add(1));
            let until = beyond.min(probe.enough - sum.lots);
            let hidden = self.book.hidden_at(probe.side.opposite(), level.price);
            let share = match probe.own {
                None => share_of_any(level.total() + hidden, &mut left),
                Some(own) => self.share_of_others(level, own, until, &mut left, &mut steps)?,
            };
            sum.lots += share.traded;
            sum.quote += self.scaling.notional(level.price, share.traded);
            if share.ends {
                break;
            }
        }
        Some(sum)
    }

    /// As matching goes, `until` so many lots are traded: what self-trade prevention does to `left` and to
    /// the orders of its own group. Nothing if the steps do not suffice.
    fn share_of_others(
        &self,
        level: &Level,
        own: (u32, SelfTradePrevention),
        until: Quantity,
        left: &mut Quantity,
        steps: &mut Work,
    ) -> Option<Share> {
        let mut traded = Quantity::ZERO;
        let mut first_parts = self.book.queue(level);
        let mut later_parts: VecDeque<Part> = VecDeque::new();
        while !left.is_zero() && traded < until {
            let first = first_parts.next().map(|place| self.first_part(place));
            let Some(part) = first.or_else(|| later_parts.pop_front()) else {
                break;
            };
            if !steps.take() {
                return None;
            }
            let lots = part.shown.min(*left);
            if self.book.at(part.place).self_trade_group == own.0 {
                match own.1 {
                    SelfTradePrevention::None => unreachable!("then there is no group to avoid"),
                    SelfTradePrevention::ExpireMaker => continue,
                    SelfTradePrevention::Decrement => {}
                    SelfTradePrevention::ExpireTaker | SelfTradePrevention::ExpireBoth => {
                        return Some(Share { traded, ends: true });
                    }
                }
            } else {
                traded += lots;
            }
            *left -= lots;
            later_parts.extend(part.next());
        }
        Some(Share { traded, ends: false })
    }

    fn first_part(&self, place: u32) -> Part {
        let order = self.book.view(place);
        Part { place, shown: order.shown(), hidden: order.hidden, visible: order.visible }
    }
}

/// What an order shows at a time: for an iceberg, others follow behind the whole queue.
struct Part {
    place: u32,
    shown: Quantity,
    hidden: Quantity,
    visible: Quantity,
}

impl Part {
    fn next(self) -> Option<Self> {
        let shown = self.visible.min(self.hidden);
        let hidden = self.hidden - shown;
        (!shown.is_zero()).then_some(Self { shown, hidden, ..self })
    }
}

fn share_of_any(total: u128, left: &mut Quantity) -> Share {
    let total = u64::try_from(total).unwrap_or(u64::MAX);
    let traded = Quantity::new(total).min(*left);
    *left -= traded;
    Share { traded, ends: false }
}
