//! Self-trade prevention: orders of one group do not trade with each other, if the incoming one (in
//! an auction: the younger one) says so.

use types::{CancelCause, Effects, Event, Message, Price, Quantity, ReplyTo, SelfTradePrevention};

use crate::lists::Member;
use crate::market::Market;
use crate::taker::Taker;

/// Whether the incoming order goes on matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoesOn {
    Yes,
    No,
}

impl Market {
    #[inline]
    pub(crate) fn is_self_trade(&self, taker: &Taker, maker: u32) -> bool {
        taker.self_trade_prevention != SelfTradePrevention::None
            && self.book.at(maker).self_trade_group == taker.self_trade_group
    }

    /// What happens instead of a trade of an incoming order with one of its own group.
    pub(crate) fn prevent_self_trade(
        &mut self,
        taker: &mut Taker,
        wanted: Quantity,
        price: Price,
        maker: u32,
        fx: &mut Effects,
    ) -> GoesOn {
        match taker.self_trade_prevention {
            SelfTradePrevention::None => unreachable!("then they trade"),
            SelfTradePrevention::ExpireTaker => {
                self.cancel_taker(taker, CancelCause::SelfTrade, fx);
                GoesOn::No
            }
            SelfTradePrevention::ExpireMaker => {
                self.expire(maker, fx);
                GoesOn::Yes
            }
            SelfTradePrevention::ExpireBoth => {
                self.expire(maker, fx);
                self.cancel_taker(taker, CancelCause::SelfTrade, fx);
                GoesOn::No
            }
            SelfTradePrevention::Decrement => {
                let by = wanted.min(self.book.at(maker).shown);
                self.decrement(maker, by, fx);
                self.decrement_taker(taker, by, wanted, price, fx)
            }
        }
    }

    fn decrement_taker(
        &mut self,
        taker: &mut Taker,
        by: Quantity,
        wanted: Quantity,
        price: Price,
        fx: &mut Effects,
    ) -> GoesOn {
        let share = taker.share_of(by, price, &self.scaling);
        taker.want_less(by, price, &self.scaling);
        fx.emit(Event::OrderDecremented {
            market: self.def.id,
            order: taker.order,
            account: taker.account,
            quantity: by,
            remaining: taker.remaining(),
        });
        if by == wanted {
            self.cancel_taker(taker, CancelCause::SelfTrade, fx);
            return GoesOn::No;
        }
        if !share.is_zero() {
            taker.budget -= share;
            fx.send(Message::Released { account: taker.account, hold: taker.hold, amount: share });
        }
        if taker.of_list {
            self.leg_fails(taker.member(), fx);
        }
        GoesOn::Yes
    }

    /// What happens instead of a trade of two resting orders of one group in an auction. The younger
    /// one counts as the incoming one.
    pub(crate) fn prevent_self_trade_in_auction(&mut self, bid: u32, ask: u32, fx: &mut Effects) {
        let (older, younger) =
            if self.book.at(bid).id < self.book.at(ask).id { (bid, ask) } else { (ask, bid) };
        match self.book.at(younger).self_trade_prevention {
            SelfTradePrevention::None => unreachable!("then they trade"),
            SelfTradePrevention::ExpireTaker => self.expire(younger, fx),
            SelfTradePrevention::ExpireMaker => self.expire(older, fx),
            SelfTradePrevention::ExpireBoth => {
                self.expire(older, fx);
                self.expire(younger, fx);
            }
            SelfTradePrevention::Decrement => {
                let by = self.book.at(bid).shown.min(self.book.at(ask).shown);
                self.decrement(older, by, fx);
                self.decrement(younger, by, fx);
            }
        }
    }

    fn expire(&mut self, place: u32, fx: &mut Effects) {
        self.cancel_resting(place, ReplyTo::NOBODY, CancelCause::SelfTrade, fx);
    }

    /// Takes `by` lots off what a resting order shows without a trade, and ends it if nothing is left.
    fn decrement(&mut self, place: u32, by: Quantity, fx: &mut Effects) {
        let price = self.book.price_at(place);
        let member = self.book.at(place).of_list.then(|| self.resting_member(place));
        let visible = self.book.reduce(place, by);
        let remaining = self.book.remaining(place);
        let order = self.book.at(place);
        let (account, hold, id) = (order.account, order.hold, order.id);
        let amount = self.need(order.side, price, by);
        let (reply, market) = (ReplyTo::NOBODY, self.def.id);
        if remaining.is_zero() {
            self.book.remove(place);
            fx.emit(Event::OrderCancelled {
                reply,
                market,
                order: id,
                account,
                remaining,
                cause: CancelCause::SelfTrade,
            });
            self.member_fails(member, fx);
            fx.send(Message::Closed { account, hold, order: id, release: amount });
        } else {
            fx.emit(Event::OrderReduced { reply, market, order: id, account, remaining, visible });
            self.member_fails(member, fx);
            fx.send(Message::Released { account, hold, amount });
            if visible.is_zero() {
                self.refill(place, fx);
            }
        }
    }

    fn member_fails(&mut self, member: Option<Member>, fx: &mut Effects) {
        if let Some(member) = member {
            self.leg_fails(member, fx);
        }
    }

    /// Whether two resting orders may not trade with each other in an auction.
    pub(crate) fn is_self_trade_in_auction(&self, bid: u32, ask: u32) -> bool {
        let (bid, ask) = (self.book.at(bid), self.book.at(ask));
        let younger = if bid.id < ask.id { ask } else { bid };
        bid.self_trade_group == ask.self_trade_group
            && younger.self_trade_prevention != SelfTradePrevention::None
    }
}
