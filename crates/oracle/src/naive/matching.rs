//! Matching: one incoming order against the other side of the book (2, 3.5, 3.6, 5).

use types::{
    AccountId, Amount, CancelCause, Event, Fee, OrderId, OrderSpec, Price, Quantity, ReplyTo,
    SelfTradePrevention, Side, TimeInForce, Trade, TradeId, TradeSide,
};

use super::fees::{fee, rebate};
use super::market::Market;
use super::order::Order;

/// What a run of matching came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// Lots that were traded.
    pub lots: u64,
    /// Quote atoms of them.
    pub quote: u128,
    /// Self-trade prevention ends the incoming order.
    pub prevented: bool,
    /// The price of a trade that would be too far from the last price, which is the first (7.4).
    pub interrupted: Option<(Option<u64>, u64)>,
}

/// One of the two sides of a trade, as far as the trade changes it.
struct Party<'a> {
    order: &'a mut Order,
    /// In millionths; below zero a rebate.
    rate: i64,
}

impl Market {
    /// Lots that an incoming order wants at a price.
    pub fn wish(&self, order: &Order, price: u64) -> u64 {
        match (order.spec, order.side) {
            (OrderSpec::Limit { .. } | OrderSpec::MarketByQuantity { .. }, _) => order.remaining,
            (OrderSpec::MarketByQuote { .. }, Side::Buy) => self.lots_for(order.quote_left, price),
            (OrderSpec::MarketByQuote { .. }, Side::Sell) => {
                let covered = order.budget / self.base_unit;
                let covered = u64::try_from(covered).unwrap_or(u64::MAX);
                self.lots_for(order.quote_left, price).min(covered)
            }
        }
    }

    /// Lots of its wish that it can pay: only a buy by quantity can want more (4.8).
    fn payable(&self, order: &Order, price: u64, wish: u64) -> u64 {
        match (order.spec, order.side) {
            (OrderSpec::MarketByQuantity { .. }, Side::Buy) => {
                wish.min(self.lots_for(order.budget, price))
            }
            _ => wish,
        }
    }

    /// Matches an incoming order as far as it goes.
    pub fn take(&mut self, taker: &mut Order) -> Taken {
        let mut taken = Taken::default();
        let reference = self.last_price;
        while let Some(best) = self.side(taker.side.opposite()).first() {
            let (price, shown, owner) = (best.price, best.shown, best.account);
            let wish = if taker.accepts(price) { self.wish(taker, price) } else { 0 };
            if wish == 0 {
                break;
            }
            if self.would_interrupt(reference, price) {
                taken.interrupted = Some((reference, price));
                break;
            }
            if owner == taker.account && taker.prevention != SelfTradePrevention::None {
                if self.prevent(taker, wish) {
                    taken.prevented = true;
                    break;
                }
                continue;
            }
            let lots = self.payable(taker, price, wish).min(shown);
            if lots == 0 {
                break;
            }
            self.trade_with_best(taker, lots);
            taken.lots += lots;
            taken.quote += self.notional(price, lots);
        }
        taken
    }

    /// What `take` would come to.
    pub fn would_take(&self, taker: &Order) -> Taken {
        self.clone().take(&mut taker.clone())
    }

    /// An order meets one of its owner's. Whether it ends.
    fn prevent(&mut self, taker: &mut Order, wish: u64) -> bool {
        let cause = CancelCause::SelfTrade;
        match taker.prevention {
            SelfTradePrevention::None => unreachable!("they trade"),
            SelfTradePrevention::ExpireTaker => true,
            SelfTradePrevention::ExpireMaker | SelfTradePrevention::ExpireBoth => {
                let maker = self.side_mut(taker.side.opposite()).remove(0);
                self.cancelled(&maker, ReplyTo::NOBODY, cause);
                taker.prevention == SelfTradePrevention::ExpireBoth
            }
            SelfTradePrevention::Decrement => {
                let mut maker = self.side_mut(taker.side.opposite()).remove(0);
                let lots = wish.min(maker.shown);
                self.want_less(taker, maker.price, lots);
                // The cap of a buy by quantity is not bound to lots; all else loses what they are worth.
                let capped = matches!(taker.spec, OrderSpec::MarketByQuantity { .. });
                if !(capped && taker.side == Side::Buy) {
                    self.pay(taker, maker.price, lots);
                }
                self.decrement(&mut maker, lots);
                self.put_back(maker);
                let by_quote = matches!(taker.spec, OrderSpec::MarketByQuote { .. });
                self.events.push(Event::OrderDecremented {
                    market: self.def.id,
                    order: OrderId(taker.id),
                    account: AccountId(taker.account),
                    quantity: Quantity::new(lots),
                    remaining: Quantity::new(if by_quote { 0 } else { taker.remaining }),
                });
                if lots < wish {
                    self.list_fails(taker.id);
                }
                lots == wish
            }
        }
    }

    /// Takes lots from a resting order without a trade, and says so. Its list ends by that (12.7, 12.10).
    pub fn decrement(&mut self, order: &mut Order, lots: u64) {
        order.remaining -= lots;
        order.shown -= lots;
        if order.remaining == 0 {
            self.cancelled(order, ReplyTo::NOBODY, CancelCause::SelfTrade);
        } else {
            self.reduced(order, ReplyTo::NOBODY);
            self.list_fails(order.id);
        }
    }

    /// Puts the best order of a side back after it was changed: at its place, behind all others of its
    /// price with the next part of an iceberg, or not at all.
    pub fn put_back(&mut self, mut order: Order) {
        if order.remaining == 0 {
            return;
        }
        if order.shown > 0 {
            self.side_mut(order.side).insert(0, order);
            return;
        }
        order.show();
        self.events.push(Event::OrderRefilled {
            market: self.def.id,
            order: OrderId(order.id),
            account: AccountId(order.account),
            quantity: Quantity::new(order.shown),
            hidden: Quantity::new(order.hidden()),
        });
        self.insert(order);
    }

    fn trade_with_best(&mut self, taker: &mut Order, lots: u64) {
        let mut maker = self.side_mut(taker.side.opposite()).remove(0);
        let price = maker.price;
        let aggressor = Some(taker.side);
        let (taker_rate, maker_rate) = (taker.rates.taker.0.into(), maker.rates.maker.0.into());
        self.want_less(taker, price, lots);
        self.pay(taker, price, lots);
        taker.filled += lots;
        fill_resting(&mut maker, lots);
        let came = Party { order: taker, rate: taker_rate };
        let rested = Party { order: &mut maker, rate: maker_rate };
        self.trade(came, rested, aggressor, price, lots);
        self.put_back(maker);
    }

    /// What an incoming order wants less after it got `lots` at a price, or lost them.
    fn want_less(&self, taker: &mut Order, price: u64, lots: u64) {
        match taker.spec {
            OrderSpec::MarketByQuote { .. } => taker.quote_left -= self.notional(price, lots),
            _ => taker.remaining -= lots,
        }
    }

    /// A market order may spend less after it paid for `lots` at a price.
    fn pay(&self, taker: &mut Order, price: u64, lots: u64) {
        if taker.is_limit() {
            return;
        }
        taker.budget -= match taker.side {
            Side::Buy => self.notional(price, lots),
            Side::Sell => u128::from(lots) * self.base_unit,
        };
    }

    /// A trade between two resting orders, at the price of an auction.
    pub fn trade_in_auction(&mut self, bid: &mut Order, ask: &mut Order, price: u64, lots: u64) {
        fill_resting(bid, lots);
        fill_resting(ask, lots);
        // Nobody takes, so nobody gets a rebate (10.6).
        let rate = |order: &Order| i64::from(order.rates.maker.0).max(0);
        let (bid_rate, ask_rate) = (rate(bid), rate(ask));
        let bid = Party { order: bid, rate: bid_rate };
        let ask = Party { order: ask, rate: ask_rate };
        self.trade(ask, bid, None, price, lots);
    }

    /// A trade: `one` came, `other` rested and may get a rebate; an auction's sides have none. What it does
    /// to lists begins with the other side: what rested, in an auction the buyer.
    fn trade(
        &mut self,
        one: Party<'_>,
        other: Party<'_>,
        aggressor: Option<Side>,
        price: u64,
        lots: u64,
    ) {
        let parties = [&other, &one].map(|party| (party.order.id, party.order.remaining));
        let buys = one.order.side == Side::Buy;
        let (base, quote) = (u128::from(lots) * self.base_unit, self.notional(price, lots));
        let gets = |side| if side == Side::Buy { base } else { quote };
        let (gets_one, gets_other) = (gets(one.order.side), gets(other.order.side));
        let fee_of_one = fee(gets_one, one.rate.unsigned_abs().into());
        let rate = other.rate.unsigned_abs().into();
        let fee_of_other =
            if other.rate < 0 { rebate(gets_one, rate, fee_of_one) } else { fee(gets_other, rate) };
        let one = side_of_trade(&one, fee_of_one);
        let other = side_of_trade(&other, fee_of_other);
        let (buyer, seller) = if buys { (one, other) } else { (other, one) };
        self.last_trade += 1;
        let trade = Trade {
            market: self.def.id,
            trade: TradeId(self.last_trade),
            price: Price::new(price),
            quantity: Quantity::new(lots),
            base_amount: Amount::new(base),
            quote_amount: Amount::new(quote),
            aggressor,
            buyer,
            seller,
        };
        self.events.push(Event::Trade(trade));
        for (id, remaining) in parties {
            self.list_trades(id, remaining);
        }
        self.note_minute(price, lots);
        self.fire(price);
    }

    /// Whether an order by quote wants less than a lot: nothing, or less than the best price asks (2.5).
    fn quote_ends(&self, order: &Order) -> bool {
        let best = self.best(order.side.opposite());
        order.quote_left == 0 || best.is_some_and(|best| self.lots_for(order.quote_left, best) == 0)
    }

    /// Lets an accepted order match, and rest or end.
    pub fn enter(&mut self, mut order: Order) {
        let taken = self.take(&mut order);
        if taken.prevented {
            return self.cancelled(&order, ReplyTo::NOBODY, CancelCause::SelfTrade);
        }
        if let Some((last, price)) = taken.interrupted {
            return self.interrupt(order, last, price);
        }
        let quote_ends = self.quote_ends(&order);
        let cause = match order.spec {
            OrderSpec::MarketByQuote { .. } if taken.lots > 0 && quote_ends => return,
            OrderSpec::MarketByQuote { .. } => CancelCause::MarketRemainder,
            _ if order.remaining == 0 => return,
            OrderSpec::MarketByQuantity { .. } => CancelCause::MarketRemainder,
            OrderSpec::Limit { time_in_force: TimeInForce::Gtc, .. } => {
                if self.room(&order).is_ok() {
                    return self.rest(order);
                }
                CancelCause::BookFull
            }
            OrderSpec::Limit { .. } => CancelCause::ImmediateOrCancel,
        };
        self.cancelled(&order, ReplyTo::NOBODY, cause);
    }
}

fn fill_resting(order: &mut Order, lots: u64) {
    order.remaining -= lots;
    order.shown -= lots;
    order.filled += lots;
}

fn side_of_trade(party: &Party<'_>, fee: Fee) -> TradeSide {
    TradeSide {
        account: AccountId(party.order.account),
        order: OrderId(party.order.id),
        remaining: Quantity::new(party.order.remaining),
        fee,
    }
}
