//! An incoming order, one resting order after the other.

use book::{RestingOrder, Work};
use types::*;

use super::*;

impl Naive {
    pub(super) fn enter(&mut self, incoming: Incoming, work: &mut Work, fx: &mut Effects) {
        if self.state != MarketState::Continuous {
            self.leftover(incoming, fx);
        } else {
            self.go_on(incoming, work, fx);
        }
    }

    pub(super) fn go_on(&mut self, mut taker: Incoming, work: &mut Work, fx: &mut Effects) {
        let side = taker.order.side;
        loop {
            let done = match taker.kind {
                Kind::ByQuote => taker.quote == 0,
                Kind::Rests | Kind::Immediate | Kind::ByLots => taker.lots == 0,
            };
            if done {
                return close(&taker.order, taker.held, fx);
            }
            let Some(maker) = self.first(side.opposite()) else {
                return self.leftover(taker, fx);
            };
            let is_limit = matches!(taker.kind, Kind::Rests | Kind::Immediate);
            let too_far = match side {
                Side::Buy => maker.price > taker.order.price,
                Side::Sell => maker.price < taker.order.price,
            };
            if is_limit && too_far {
                return self.leftover(taker, fx);
            }
            let mut wanted = taker.lots;
            if taker.kind == Kind::ByQuote {
                wanted = (taker.quote / self.per_lot(maker.price)) as u64;
                if wanted == 0 && taker.order.filled.is_zero() {
                    return self.leftover(taker, fx);
                }
                if wanted == 0 {
                    return close(&taker.order, taker.held, fx);
                }
                if side == Side::Sell {
                    let lots = taker.held / self.need(Side::Sell, maker.price, 1);
                    wanted = wanted.min(lots as u64);
                }
                if wanted == 0 {
                    return self.leftover(taker, fx);
                }
            }
            if work.remaining == 0 {
                self.pending = Some(Pending::Order(taker));
                fx.send(Message::Resume { market: self.def.id });
                return;
            }
            work.remaining -= 1;
            let lots = wanted.min(maker.remaining.get());
            let own = taker.order.self_trade_group == maker.self_trade_group;
            let mode = taker.order.self_trade_prevention;
            if !own || mode == SelfTradePrevention::None {
                self.trade(&mut taker, maker, lots, fx);
                continue;
            }
            let (nobody, cause) = (ReplyTo::NOBODY, CancelCause::SelfTrade);
            match mode {
                SelfTradePrevention::None => unreachable!(),
                SelfTradePrevention::ExpireMaker => self.end_resting(maker, nobody, cause, fx),
                SelfTradePrevention::ExpireTaker => return self.end_taker(&taker, cause, fx),
                SelfTradePrevention::ExpireBoth => {
                    self.end_resting(maker, nobody, cause, fx);
                    return self.end_taker(&taker, cause, fx);
                }
                SelfTradePrevention::Decrement => {
                    self.shrink(maker, lots, fx);
                    let share = match (side, taker.kind) {
                        (Side::Sell, _) => self.need(Side::Sell, maker.price, lots),
                        (_, Kind::ByQuote) => self.need(Side::Buy, maker.price, lots),
                        (_, Kind::ByLots) => 0,
                        (_, Kind::Rests | Kind::Immediate) => {
                            self.need(Side::Buy, taker.order.price, lots)
                        }
                    };
                    self.wants_less(&mut taker, maker.price, lots);
                    fx.emit(Event::OrderDecremented {
                        market: self.def.id,
                        order: taker.order.id,
                        account: taker.order.account,
                        quantity: Quantity::new(lots),
                        remaining: Quantity::new(taker.lots),
                    });
                    if lots == wanted {
                        return self.end_taker(&taker, cause, fx);
                    }
                    taker.held -= share;
                    release(&taker.order, share, fx);
                }
            }
        }
    }

    pub(super) fn wants_less(&self, taker: &mut Incoming, price: Price, lots: u64) {
        if taker.kind == Kind::ByQuote {
            taker.quote -= self.need(Side::Buy, price, lots);
        } else {
            taker.lots -= lots;
        }
    }

    pub(super) fn trade(
        &mut self,
        taker: &mut Incoming,
        maker: RestingOrder,
        lots: u64,
        fx: &mut Effects,
    ) {
        let side = taker.order.side;
        self.wants_less(taker, maker.price, lots);
        taker.order.filled += Quantity::new(lots);
        let pays = self.need(side, maker.price, lots);
        let is_limit = matches!(taker.kind, Kind::Rests | Kind::Immediate);
        let improvement = if side == Side::Buy && is_limit {
            self.need(side, taker.order.price, lots) - pays
        } else {
            0
        };
        taker.held -= pays + improvement;
        taker.order.remaining = Quantity::new(taker.lots);
        let left = self.fill(maker.id, lots);
        let taker_rate = i64::from(taker.order.fees.taker.0);
        let taker_side = (taker.order, taker_rate, improvement);
        let maker_side = (left, i64::from(left.fees.maker.0), 0);
        let (buyer, seller) = match side {
            Side::Buy => (taker_side, maker_side),
            Side::Sell => (maker_side, taker_side),
        };
        self.state_trade(maker.price, lots, Some(side), buyer, seller, fx);
        self.bury(left, fx);
    }

    pub(super) fn state_trade(
        &mut self,
        price: Price,
        lots: u64,
        aggressor: Option<Side>,
        buyer: (RestingOrder, i64, u128),
        seller: (RestingOrder, i64, u128),
        fx: &mut Effects,
    ) {
        self.last_trade += 1;
        self.last_price = Some(price);
        let base = self.need(Side::Sell, price, lots);
        let quote = self.need(Side::Buy, price, lots);
        let (buyer_fee, seller_fee) = match aggressor {
            Some(Side::Buy) => {
                let taken = fee(base, buyer.1);
                (taken, made(quote, base, seller.1, taken))
            }
            Some(Side::Sell) => {
                let taken = fee(quote, seller.1);
                (made(base, quote, buyer.1, taken), taken)
            }
            None => (fee(base, buyer.1.max(0)), fee(quote, seller.1.max(0))),
        };
        let own = buyer.0.self_trade_group == seller.0.self_trade_group;
        let trade_side = |order: &RestingOrder, fee| TradeSide {
            account: order.account,
            order: order.id,
            remaining: order.remaining,
            fee,
        };
        fx.emit(Event::Trade(Trade {
            market: self.def.id,
            trade: TradeId(self.last_trade),
            price,
            quantity: Quantity::new(lots),
            base_amount: Amount::new(base),
            quote_amount: Amount::new(quote),
            aggressor,
            buyer: trade_side(&buyer.0, buyer_fee),
            seller: trade_side(&seller.0, seller_fee),
        }));
        for (party, fee, pays, gets) in [
            (buyer, buyer_fee, (self.def.quote, quote), (self.def.base, base)),
            (seller, seller_fee, (self.def.base, base), (self.def.quote, quote)),
        ] {
            let fill = Fill {
                account: party.0.account,
                hold: party.0.hold,
                debit_asset: pays.0,
                debit: Amount::new(pays.1),
                credit_asset: gets.0,
                credit: Amount::new(gets.1),
                fee,
                release: Amount::new(party.2),
            };
            fx.send(Message::Filled { fill, is_self_trade: own });
        }
    }

    pub(super) fn find(&mut self, id: OrderId) -> &mut RestingOrder {
        self.orders.iter_mut().find(|o| o.id == id).unwrap()
    }

    pub(super) fn fill(&mut self, id: OrderId, lots: u64) -> RestingOrder {
        let order = self.find(id);
        order.remaining -= Quantity::new(lots);
        order.filled += Quantity::new(lots);
        *order
    }

    /// Removes an order that is filled.
    pub(super) fn bury(&mut self, order: RestingOrder, fx: &mut Effects) {
        if order.remaining.is_zero() {
            self.orders.retain(|o| o.id != order.id);
            close(&order, 0, fx);
        }
    }

    pub(super) fn leftover(&mut self, taker: Incoming, fx: &mut Effects) {
        match taker.kind {
            Kind::Immediate => self.end_taker(&taker, CancelCause::ImmediateOrCancel, fx),
            Kind::ByLots | Kind::ByQuote => {
                self.end_taker(&taker, CancelCause::MarketRemainder, fx);
            }
            Kind::Rests => {
                let mut order = taker.order;
                assert_eq!(taker.held, self.need(order.side, order.price, taker.lots));
                order.remaining = Quantity::new(taker.lots);
                assert_eq!(self.no_room(order.side, order.price), None);
                self.orders.push(order);
                fx.emit(Event::OrderRested {
                    market: self.def.id,
                    order: order.id,
                    account: order.account,
                    side: order.side,
                    price: order.price,
                    quantity: order.remaining,
                    hidden: Quantity::ZERO,
                });
                fx.send(Message::Rested {
                    account: order.account,
                    hold: order.hold,
                    order: order.id,
                    price: order.price,
                    version: self.def.version,
                });
            }
        }
    }

    pub(super) fn end_taker(&mut self, taker: &Incoming, cause: CancelCause, fx: &mut Effects) {
        fx.emit(Event::OrderCancelled {
            reply: ReplyTo::NOBODY,
            market: self.def.id,
            order: taker.order.id,
            account: taker.order.account,
            remaining: Quantity::new(taker.lots),
            cause,
        });
        close(&taker.order, taker.held, fx);
    }

    pub(super) fn end_resting(
        &mut self,
        o: RestingOrder,
        reply: ReplyTo,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        self.orders.retain(|other| other.id != o.id);
        fx.emit(Event::OrderCancelled {
            reply,
            market: self.def.id,
            order: o.id,
            account: o.account,
            remaining: o.remaining,
            cause,
        });
        close(&o, self.need(o.side, o.price, o.remaining.get()), fx);
    }

    /// Takes lots off a resting order without a trade.
    pub(super) fn shrink(&mut self, o: RestingOrder, lots: u64, fx: &mut Effects) {
        let freed = self.need(o.side, o.price, lots);
        let (reply, market) = (ReplyTo::NOBODY, self.def.id);
        self.find(o.id).remaining -= Quantity::new(lots);
        let remaining = o.remaining - Quantity::new(lots);
        if remaining.is_zero() {
            self.orders.retain(|other| other.id != o.id);
            fx.emit(Event::OrderCancelled {
                reply,
                market,
                order: o.id,
                account: o.account,
                remaining,
                cause: CancelCause::SelfTrade,
            });
            close(&o, freed, fx);
        } else {
            fx.emit(Event::OrderReduced {
                reply,
                market,
                order: o.id,
                account: o.account,
                remaining,
                visible: remaining,
            });
            release(&o, freed, fx);
        }
    }
}

fn fee(received: u128, rate: i64) -> Fee {
    let exact = received * rate as u128;
    Fee::Paid {
        income: Amount::new(exact / 1_000_000),
        rounded_up: !exact.is_multiple_of(1_000_000),
    }
}

/// What the maker pays of what it gets, or gets out of what its taker pays.
fn made(gets: u128, taker_gets: u128, rate: i64, taken: Fee) -> Fee {
    if rate >= 0 {
        return fee(gets, rate);
    }
    let Fee::Paid { income, .. } = taken else { unreachable!("takers get no rebate") };
    let amount = (taker_gets * rate.unsigned_abs() as u128 / 1_000_000).min(income.get());
    let amount = Amount::new(amount);
    if amount.is_zero() { Fee::NONE } else { Fee::Rebate { amount } }
}
