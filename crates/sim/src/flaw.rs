//! Bugs that the binary of a run has: each strikes at one thing that has not happened yet.
//!
//! So whatever the log holds can be replayed by the binary with the bug as well as by the mended one, and
//! the thing is tried again, and fails again, until the binary is mended.

use std::panic::{set_hook, take_hook};
use std::sync::Once;

use chance::Random;
use types::{
    Bug, ClientOrderId, Done, Event, MarketId, Message, OrderId, TradeId, TreasuryReference,
};

use crate::workload::{MARKETS, Workload};

/// What every failure made on purpose says first.
pub(crate) const SAID: &str = "a bug made on purpose";

/// Where a component fails. Ids rise, so that those of the future are known to be unused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flaw {
    /// A market, in the middle of matching.
    Trade(MarketId, TradeId),
    /// A market, when it has given an order its id.
    Accept(MarketId, OrderId),
    /// A market, when it ends an order: by a fill, a cancel or a timer.
    End(OrderId),
    /// A slot of accounts, when it has heard that an order rests.
    Rest(OrderId),
    /// A slot of accounts, when it has heard that an order has ended.
    Settle(OrderId),
    /// A slot of accounts, when it has held the funds of an order.
    Fund(ClientOrderId),
    /// The treasury, when it moves value.
    Move(TreasuryReference),
}

/// From now on failures made on purpose are not printed. Before the first node is started.
pub(crate) fn keep_quiet() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |info| {
            let said = info.payload_as_str().unwrap_or_default();
            if !said.starts_with(SAID) {
                tell(info);
            }
        }));
    });
}

impl Flaw {
    /// One that strikes soon.
    pub fn draw(random: &mut Random, workload: &Workload) -> Self {
        let soon = random.between(1, 40);
        let market = MarketId(random.between(1, u64::from(MARKETS)) as u32);
        let order = OrderId(workload.last_order(market).0 + soon);
        // Messages about orders do not say of which market.
        let last_of_all = (1..=MARKETS).map(|id| workload.last_order(MarketId(id)).0).max();
        let order_anywhere = OrderId(last_of_all.unwrap_or_default() + soon);
        match random.below(8) {
            0..2 => Self::Trade(market, TradeId(workload.last_trade(market).0 + soon)),
            2 => Self::Accept(market, order),
            3 => Self::End(order_anywhere),
            4 => Self::Rest(order_anywhere),
            5 => Self::Settle(order_anywhere),
            6 => Self::Fund(workload.client_id_to_come(soon)),
            _ => Self::Move(workload.reference_to_come(random.below(3))),
        }
    }

    /// The binary with this flaw.
    pub fn bug(self) -> Bug {
        Bug::new(move |done| assert!(!self.strikes(done), "{SAID}: {self:?}"))
    }

    fn strikes(self, done: Done<'_>) -> bool {
        match (self, done) {
            (Self::Trade(market, trade), Done::Emits(Event::Trade(made))) => {
                (made.market, made.trade) == (market, trade)
            }
            (
                Self::Accept(market, id),
                Done::Emits(Event::OrderPlaced { market: at, order, .. }),
            ) => (*at, *order) == (market, id),
            (Self::End(id), Done::Sends(Message::Closed { order, .. }))
            | (Self::Rest(id), Done::Handled(Message::Rested { order, .. }))
            | (Self::Settle(id), Done::Handled(Message::Closed { order, .. })) => *order == id,
            (Self::Fund(id), Done::Sends(Message::Admit(admit))) => admit.client_order_id == id,
            (
                Self::Move(number),
                Done::Sends(
                    Message::Credit { reference, .. }
                    | Message::Debit { reference, .. }
                    | Message::SettleDebit { reference, .. },
                ),
            ) => *reference == number,
            _ => false,
        }
    }
}
