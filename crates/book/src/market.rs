//! The market: the state machine of one pair. Its verbs are in files of their own: `admit`, `amend`,
//! `cancel`, `set_state`; matching is in `matching` and `auction`.
//!
//! Invariants: between steps no book is crossed in [`MarketState::Continuous`], unless work is
//! pending; the hold of a resting order contains exactly what it needs; order and trade ids rise
//! without gaps; each command gets exactly one answer.

use std::collections::BTreeMap;

use types::{
    AccountId, Amount, CancelCause, ClientOrderId, Effects, Event, Fill, HoldId, MarketDef,
    MarketRules, MarketState, Message, OrderId, PartsPerMillion, Price, Quantity, RejectCode,
    ReplyTo, RequestKind, Scaling, Side, Timestamp, Trade, TradeId, TradeSide, money,
};

use crate::book::{Book, Removed};
use crate::lists::{Lists, Member};
use crate::redefine::Redefining;
use crate::reopening::NextStep;
use crate::rules::AveragePrice;
use crate::snapshot::Pending;
use crate::waiting::{Waiting, WaitingOrder};

/// How many steps (fills, self-trade preventions, rounds of an auction) the current log entry may
/// still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Steps left.
    pub remaining: u32,
}

impl Work {
    /// Takes one step, if there is one left.
    #[inline]
    pub fn take(&mut self) -> bool {
        let any = self.remaining > 0;
        self.remaining -= u32::from(any);
        any
    }

    /// Takes `steps`, or all that are left.
    pub(crate) fn take_up_to(&mut self, steps: usize) {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.remaining = self.remaining.saturating_sub(steps);
    }

    /// What comes next belongs to a later entry.
    pub(crate) fn end_entry(&mut self) {
        self.remaining = 0;
    }
}

/// One trading pair's book and rules.
pub struct Market {
    pub(crate) def: MarketDef,
    pub(crate) scaling: Scaling,
    pub(crate) state: MarketState,
    pub(crate) next_order: OrderId,
    pub(crate) next_trade: TradeId,
    pub(crate) last_price: Option<Price>,
    /// What the work of an entry did not suffice for. Until it is done, only [`Market::resume`] may
    /// be called.
    pub(crate) pending: Option<Pending>,
    pub(crate) book: Book,
    pub(crate) waiting: Waiting,
    pub(crate) lists: Lists,
    pub(crate) rules: MarketRules,
    /// Whether there is any rule.
    pub(crate) has_rules: bool,
    /// Kept while there is a band around it.
    pub(crate) average: AveragePrice,
    /// Changes of state to come.
    pub(crate) plans: BTreeMap<Timestamp, MarketState>,
    /// The way back to continuous trading, if the market is on it by itself.
    pub(crate) next_step: Option<NextStep>,
    /// A change of units under way.
    pub(crate) redefining: Option<Box<Redefining>>,
    /// The log's time at this step. Not part of the state: each step is told.
    pub(crate) now: Timestamp,
}

/// One side of a trade that is about to be settled.
pub(crate) struct Party {
    pub(crate) account: AccountId,
    pub(crate) order: OrderId,
    pub(crate) hold: HoldId,
    /// What its order has left afterwards, as [`TradeSide::remaining`] says it.
    pub(crate) remaining: Quantity,
    /// What it pays of what it receives.
    pub(crate) rate: PartsPerMillion,
    /// What it gets of what its taker receives: nothing for the taker itself.
    pub(crate) rebate: PartsPerMillion,
    pub(crate) self_trade_group: u32,
    /// What it had locked for this quantity beyond what it pays.
    pub(crate) release: Amount,
}

impl Market {
    /// A market with an empty book, open for continuous trading.
    #[must_use]
    pub fn new(def: MarketDef, scaling: Scaling) -> Self {
        Self {
            book: Book::new(def.max_price),
            def,
            scaling,
            state: MarketState::Continuous,
            next_order: OrderId(1),
            next_trade: TradeId(1),
            last_price: None,
            pending: None,
            waiting: Waiting::new(),
            lists: Lists::default(),
            rules: MarketRules::default(),
            has_rules: false,
            average: AveragePrice::default(),
            plans: BTreeMap::new(),
            next_step: None,
            redefining: None,
            now: Timestamp(0),
        }
    }

    /// The log's time of what is done next. Never goes backwards.
    #[inline]
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Its definition.
    #[must_use]
    pub fn definition(&self) -> &MarketDef {
        &self.def
    }

    /// What its ticks and lots are in atoms.
    #[must_use]
    pub fn scaling(&self) -> &Scaling {
        &self.scaling
    }

    /// What it does with orders.
    #[must_use]
    pub fn state(&self) -> MarketState {
        self.state
    }

    /// Its resting orders.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Orders that have not entered yet, by id: they wait for their trigger, or for their turn.
    pub fn waiting(&self) -> impl Iterator<Item = WaitingOrder> + '_ {
        self.waiting.iter()
    }

    /// Those of them whose trigger has fired, the next to enter first.
    pub fn fired(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.waiting.fired()
    }

    /// The price of the last trade.
    #[must_use]
    pub fn last_price(&self) -> Option<Price> {
        self.last_price
    }

    /// Whether a [`Message::Resume`] is under way: until then nothing else may be done.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.pending.is_some()
    }

    /// Goes on with what the work of the last entry did not suffice for.
    ///
    /// # Panics
    /// When nothing was interrupted: the caller made a mistake.
    pub fn resume(&mut self, work: &mut Work, fx: &mut Effects) {
        match self.pending.take().expect("only interrupted work resumes") {
            Pending::Taker(taker) => self.run(taker, work, fx),
            Pending::Uncrossing { price } => self.resume_uncrossing(price, work, fx),
            Pending::Fired => {}
            Pending::Timers => self.do_due(work, fx),
            Pending::Redefining => self.go_on_redefining(work, fx),
            Pending::Delisting => self.go_on_delisting(work, fx),
        }
        self.enter_fired(work, fx);
        self.send_pending(fx);
    }

    /// Leaves the rest of the work for a later entry.
    pub(crate) fn interrupt(&mut self, pending: Pending, fx: &mut Effects) {
        self.pending = Some(pending);
        fx.send(Message::Resume { market: self.def.id });
    }

    /// Interrupted work has the book to itself: its checks were made against it.
    #[inline]
    pub(crate) fn assert_not_interrupted(&self) {
        assert!(
            self.pending.is_none(),
            "market {} is interrupted: only resume may follow",
            self.def.id
        );
    }

    #[inline]
    pub(crate) fn take_order_id(&mut self) -> OrderId {
        let id = self.next_order;
        self.next_order = id.next();
        id
    }

    #[inline]
    fn take_trade_id(&mut self) -> TradeId {
        let id = self.next_trade;
        self.next_trade = id.next();
        id
    }

    /// What a limit order of this market locks.
    #[inline]
    pub(crate) fn need(&self, side: Side, price: Price, quantity: Quantity) -> Amount {
        self.scaling.need(side, price, quantity)
    }

    /// States a trade and sends each side its half.
    #[inline]
    pub(crate) fn settle(
        &mut self,
        price: Price,
        quantity: Quantity,
        aggressor: Option<Side>,
        buyer: &Party,
        seller: &Party,
        fx: &mut Effects,
    ) {
        let base_amount = self.scaling.base(quantity);
        let quote_amount = self.scaling.notional(price, quantity);
        let mut buyer_fee = money::fee(base_amount, buyer.rate);
        let mut seller_fee = money::fee(quote_amount, seller.rate);
        match aggressor {
            Some(Side::Sell) if !buyer.rebate.is_zero() => {
                buyer_fee = money::rebate(quote_amount, buyer.rebate, seller_fee);
            }
            Some(Side::Buy) if !seller.rebate.is_zero() => {
                seller_fee = money::rebate(base_amount, seller.rebate, buyer_fee);
            }
            // In an auction nobody takes, so that nobody pays for a rebate.
            Some(Side::Sell | Side::Buy) | None => {}
        }
        let is_self_trade =
            buyer.account == seller.account || buyer.self_trade_group == seller.self_trade_group;
        let side = |party: &Party, fee| TradeSide {
            account: party.account,
            order: party.order,
            remaining: party.remaining,
            fee,
        };
        fx.emit_plain(|| {
            Event::Trade(Trade {
                market: self.def.id,
                trade: self.take_trade_id(),
                price,
                quantity,
                base_amount,
                quote_amount,
                aggressor,
                buyer: side(buyer, buyer_fee),
                seller: side(seller, seller_fee),
            })
        });
        self.last_price = Some(price);
        self.average.traded(self.now, price, quantity);
        self.waiting.traded(price);
        let (base, quote) = (self.def.base, self.def.quote);
        fx.send_plain(|| {
            let fill = Fill {
                account: buyer.account,
                hold: buyer.hold,
                debit_asset: quote,
                debit: quote_amount,
                credit_asset: base,
                credit: base_amount,
                fee: buyer_fee,
                release: buyer.release,
            };
            Message::Filled { fill, is_self_trade }
        });
        fx.send_plain(|| {
            let fill = Fill {
                account: seller.account,
                hold: seller.hold,
                debit_asset: base,
                debit: base_amount,
                credit_asset: quote,
                credit: quote_amount,
                fee: seller_fee,
                release: seller.release,
            };
            Message::Filled { fill, is_self_trade }
        });
    }

    /// Ends a resting order with something left.
    #[inline(always)]
    pub(crate) fn cancel_resting(
        &mut self,
        place: u32,
        reply: ReplyTo,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        let Removed { id, account, hold, side, price, remaining, of_list } =
            self.book.remove(place);
        let release = self.need(side, price, remaining);
        fx.emit_plain(|| Event::OrderCancelled {
            reply,
            market: self.def.id,
            order: id,
            account,
            remaining,
            cause,
        });
        if of_list {
            self.leg_fails(Member { order: id, account, hold, need: release }, fx);
        }
        fx.send_plain(|| Message::Closed { account, hold, order: id, release });
    }

    /// Takes a filled order out of the book and closes its hold, in which nothing is left.
    #[inline]
    pub(crate) fn close_filled(&mut self, place: u32, fx: &mut Effects) {
        let Removed { id: order, account, hold, remaining, of_list, .. } = self.book.remove(place);
        debug_assert!(remaining.is_zero());
        if of_list && self.keep_pending(order, hold) {
            return;
        }
        fx.send_plain(|| Message::Closed { account, hold, order, release: Amount::ZERO });
    }

    /// Answers a command about an order that exists, or a state, with a rejection.
    pub(crate) fn reject(
        &self,
        reply: ReplyTo,
        request: RequestKind,
        account: AccountId,
        code: RejectCode,
        fx: &mut Effects,
    ) {
        fx.emit(Event::Rejected {
            reply,
            request,
            account,
            market: self.def.id,
            client_order_id: ClientOrderId::NONE,
            code,
        });
    }
}
