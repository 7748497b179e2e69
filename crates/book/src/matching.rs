//! Continuous matching: best price first, oldest first, at the resting order's price.

use types::{
    Amount, CancelCause, Effects, Event, Message, PartsPerMillion, Price, Quantity, ReplyTo, Side,
};

use crate::lists::Member;
use crate::market::{Market, Party, Work};
use crate::order::RestingOrder;
use crate::self_trade::GoesOn;
use crate::snapshot::Pending;
use crate::taker::{Taker, Wish};

impl Market {
    /// Matches an accepted order until it wants nothing more, the book has nothing more for it, or
    /// the work of this entry is used up.
    pub(crate) fn run(&mut self, mut taker: Taker, work: &mut Work, fx: &mut Effects) {
        while !taker.is_done() {
            let Some((price, maker)) = self.book.front(taker.side.opposite()) else {
                return self.end_remainder(&taker, fx);
            };
            let wanted = match taker.wish(price, &self.scaling) {
                Wish::Lots(lots) => lots,
                Wish::Nothing if taker.has_traded() => break,
                // Self-trade prevention took all that it wanted: it ends, but it is not filled.
                Wish::Nothing => return self.end_remainder(&taker, fx),
                Wish::NotHere => return self.end_remainder(&taker, fx),
            };
            if self.would_interrupt(taker.reference, price) {
                return self.interrupt_trading(&taker, price, fx);
            }
            if !work.take() {
                return self.interrupt(Pending::Taker(taker), fx);
            }
            if self.is_self_trade(&taker, maker) {
                match self.prevent_self_trade(&mut taker, wanted, price, maker, fx) {
                    GoesOn::Yes => continue,
                    GoesOn::No => return,
                }
            }
            let lots = wanted.min(self.book.at(maker).shown);
            let lots = taker.affordable(lots, price, &self.scaling);
            if lots.is_zero() {
                return self.end_remainder(&taker, fx);
            }
            self.trade(&mut taker, lots, price, maker, fx);
        }
        if taker.of_list && self.keep_pending(taker.order, taker.hold) {
            return;
        }
        self.close_taker(&taker, fx);
    }

    /// Trades `lots` with one resting order.
    #[inline]
    fn trade(
        &mut self,
        taker: &mut Taker,
        lots: Quantity,
        price: Price,
        maker: u32,
        fx: &mut Effects,
    ) {
        let (debit, improvement) = match taker.side {
            Side::Buy => {
                let debit = self.scaling.notional(price, lots);
                (debit, taker.improvement(lots, debit, &self.scaling))
            }
            Side::Sell => (self.scaling.base(lots), Amount::ZERO),
        };
        taker.fill(lots, price, debit + improvement, &self.scaling);
        let maker_shows = self.book.fill(maker, lots);
        let taking = Party {
            account: taker.account,
            order: taker.order,
            hold: taker.hold,
            remaining: taker.remaining(),
            rate: taker.fees.taker,
            rebate: PartsPerMillion(0),
            self_trade_group: taker.self_trade_group,
            release: improvement,
        };
        let making = self.resting_party(maker, Amount::ZERO);
        let (buyer, seller) = match taker.side {
            Side::Buy => (&taking, &making),
            Side::Sell => (&making, &taking),
        };
        self.settle(price, lots, Some(taker.side), buyer, seller, fx);
        if self.book.at(maker).of_list {
            self.resting_leg_acts(maker, fx);
        }
        if maker_shows.is_zero() {
            self.close_or_refill(maker, fx);
        }
    }

    /// An order of a list has traded while it rested.
    #[cold]
    pub(crate) fn resting_leg_acts(&mut self, place: u32, fx: &mut Effects) {
        let member = self.resting_member(place);
        self.leg_acts(member, fx);
    }

    /// A resting order as one of a list, with what it needs now.
    pub(crate) fn resting_member(&self, place: u32) -> Member {
        let (price, remaining) = (self.book.price_at(place), self.book.remaining(place));
        let order = self.book.at(place);
        let need = self.need(order.side, price, remaining);
        Member { order: order.id, account: order.account, hold: order.hold, need }
    }

    /// A resting order has nothing more to show: it is filled, or an iceberg whose next part comes.
    #[inline]
    pub(crate) fn close_or_refill(&mut self, place: u32, fx: &mut Effects) {
        if self.book.hidden(place).is_zero() {
            self.close_filled(place, fx);
        } else {
            self.refill(place, fx);
        }
    }

    pub(crate) fn refill(&mut self, place: u32, fx: &mut Effects) {
        let quantity = self.book.refill(place);
        let order = self.book.at(place);
        fx.emit(Event::OrderRefilled {
            market: self.def.id,
            order: order.id,
            account: order.account,
            quantity,
            hidden: self.book.hidden(place),
        });
    }

    /// A resting order as a side of a trade that it was already filled by.
    #[inline]
    pub(crate) fn resting_party(&self, place: u32, release: Amount) -> Party {
        let order = self.book.at(place);
        Party {
            account: order.account,
            order: order.id,
            hold: order.hold,
            remaining: self.book.remaining(place),
            rate: order.fees.maker.fee(),
            rebate: order.fees.maker.rebate(),
            self_trade_group: order.self_trade_group,
            release,
        }
    }

    /// The book has nothing more for the order: what is left rests or is cancelled.
    pub(crate) fn end_remainder(&mut self, taker: &Taker, fx: &mut Effects) {
        match taker.resting(&self.scaling) {
            // Admission has seen to the room. Should a remainder ever find none, it must not rest.
            Some(order) if self.room_for(order.side, order.price).is_err() => {
                self.cancel_taker(taker, CancelCause::BookFull, fx);
            }
            Some(order) => self.rest(&order, fx),
            None => self.cancel_taker(taker, taker.remainder_cause(), fx),
        }
    }

    /// Puts an order into the book, for which there is room.
    #[inline]
    pub(crate) fn rest(&mut self, order: &RestingOrder, fx: &mut Effects) {
        self.book.insert(order);
        fx.emit_plain(|| Event::OrderRested {
            market: self.def.id,
            order: order.id,
            account: order.account,
            side: order.side,
            price: order.price,
            quantity: order.shown(),
            hidden: order.hidden,
        });
        fx.send_plain(|| Message::Rested {
            account: order.account,
            hold: order.hold,
            order: order.id,
            price: order.price,
            version: self.def.version,
        });
    }

    /// Ends an incoming order with something left, or by self-trade prevention.
    pub(crate) fn cancel_taker(&mut self, taker: &Taker, cause: CancelCause, fx: &mut Effects) {
        fx.emit(Event::OrderCancelled {
            reply: ReplyTo::NOBODY,
            market: self.def.id,
            order: taker.order,
            account: taker.account,
            remaining: taker.remaining(),
            cause,
        });
        if taker.of_list {
            self.leg_fails(taker.member(), fx);
        }
        self.close_taker(taker, fx);
    }

    #[inline]
    fn close_taker(&self, taker: &Taker, fx: &mut Effects) {
        fx.send_plain(|| Message::Closed {
            account: taker.account,
            hold: taker.hold,
            order: taker.order,
            release: taker.budget,
        });
    }
}
