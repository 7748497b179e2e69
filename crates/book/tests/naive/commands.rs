//! Placing, amending, cancelling, changing the state.

use book::{RestingOrder, Work};
use types::*;

use super::*;

impl Naive {
    pub fn admit(&mut self, a: &Admit, work: &mut Work, fx: &mut Effects) {
        if let Some(code) = self.refusal(a) {
            fx.emit(Event::Rejected {
                reply: a.reply,
                request: RequestKind::PlaceOrder,
                account: a.account,
                market: self.def.id,
                client_order_id: a.client_order_id,
                code,
            });
            fx.send(Message::Refused { account: a.account, hold: a.hold, code });
            return;
        }
        let incoming = self.incoming(a);
        fx.emit(Event::OrderPlaced {
            reply: a.reply,
            market: self.def.id,
            order: incoming.order.id,
            account: a.account,
            client_order_id: a.client_order_id,
            side: a.side,
            spec: a.spec,
            conditions: a.conditions.clone(),
        });
        self.enter(incoming, work, fx);
    }

    pub(super) fn incoming(&mut self, a: &Admit) -> Incoming {
        self.last_order += 1;
        let (price, lots, quote, kind) = match a.spec {
            OrderSpec::Limit { price, quantity, time_in_force, .. } => {
                let kind =
                    if time_in_force == TimeInForce::Gtc { Kind::Rests } else { Kind::Immediate };
                (price, quantity.get(), 0, kind)
            }
            OrderSpec::MarketByQuantity { quantity, .. } => {
                (Price::ZERO, quantity.get(), 0, Kind::ByLots)
            }
            OrderSpec::MarketByQuote { quote, .. } => (Price::ZERO, 0, quote.get(), Kind::ByQuote),
        };
        Incoming {
            order: RestingOrder {
                id: OrderId(self.last_order),
                account: a.account,
                side: a.side,
                price,
                remaining: Quantity::ZERO,
                hidden: Quantity::ZERO,
                visible: Quantity::ZERO,
                filled: Quantity::ZERO,
                hold: a.hold,
                self_trade_group: a.self_trade_group,
                fees: a.fees,
                self_trade_prevention: a.self_trade_prevention,
                post_only: matches!(a.spec, OrderSpec::Limit { post_only: true, .. }),
                expires_at: None,
                of_list: false,
            },
            kind,
            lots,
            quote,
            held: a.budget.get(),
        }
    }

    pub(super) fn refusal(&self, a: &Admit) -> Option<RejectCode> {
        use RejectCode::*;
        if a.version != self.def.version {
            return Some(StaleDefinition);
        }
        let resting = matches!(a.spec, OrderSpec::Limit { time_in_force: TimeInForce::Gtc, .. });
        let post = matches!(a.spec, OrderSpec::Limit { post_only: true, .. });
        match self.state {
            MarketState::Halted => return Some(MarketHalted),
            MarketState::CancelOnly => return Some(MarketCancelOnly),
            MarketState::Closed => return Some(MarketClosed),
            MarketState::Delisted => return Some(MarketDelisted),
            MarketState::Auction | MarketState::PreOpen if !resting || post => {
                return Some(NotDuringAuction);
            }
            MarketState::Auction | MarketState::PreOpen | MarketState::Continuous => {}
        }
        let other = self.first(a.side.opposite());
        if let OrderSpec::Limit { price, .. } = a.spec
            && (price.get() == 0 || price > self.def.max_price)
        {
            return Some(InvalidPrice);
        }
        if let Some(q) = a.spec.quantity()
            && (q.get() == 0 || q > self.def.max_quantity)
        {
            return Some(InvalidQuantity);
        }
        if post && !resting {
            return Some(InvalidCombination);
        }
        let crosses = |price: Price| {
            self.state == MarketState::Continuous
                && other.is_some_and(|o| match a.side {
                    Side::Buy => o.price <= price,
                    Side::Sell => o.price >= price,
                })
        };
        match a.spec {
            OrderSpec::Limit { price, quantity, time_in_force, .. } => {
                if post && crosses(price) {
                    return Some(WouldMatch);
                }
                if time_in_force == TimeInForce::Fok && self.trial(a).0 < quantity.get() {
                    return Some(NotFillable);
                }
                if resting && !crosses(price) {
                    return self.no_room(a.side, price);
                }
            }
            OrderSpec::MarketByQuantity { .. } => {
                if other.is_none() {
                    return Some(NoLiquidity);
                }
                let mut rich = a.clone();
                rich.budget = Amount::new(1 << 100);
                if a.side == Side::Buy && self.trial(&rich).1 > a.budget.get() {
                    return Some(InsufficientBalance);
                }
            }
            OrderSpec::MarketByQuote { quote, .. } => {
                if quote.is_zero() {
                    return Some(InvalidQuantity);
                }
                let Some(other) = other else {
                    return Some(NoLiquidity);
                };
                if quote.get() < self.per_lot(other.price) {
                    return Some(InvalidQuantity);
                }
                if a.side == Side::Sell && a.budget.get() < self.need(Side::Sell, other.price, 1) {
                    return Some(InsufficientBalance);
                }
            }
        }
        None
    }

    pub(super) fn no_room(&self, side: Side, price: Price) -> Option<RejectCode> {
        let prices = self.prices();
        if self.orders.len() >= self.def.bounds.max_orders as usize {
            Some(RejectCode::BookFull)
        } else if prices.len() >= self.def.bounds.max_levels as usize
            && !prices.contains(&(side, price))
        {
            Some(RejectCode::TooManyLevels)
        } else {
            None
        }
    }

    /// What would happen: lots traded and quote paid, found out by doing it to a copy.
    pub(super) fn trial(&self, a: &Admit) -> (u64, u128) {
        let mut copy = self.clone();
        let incoming = copy.incoming(a);
        let mut fx = Effects::default();
        copy.go_on(incoming, &mut Work { remaining: u32::MAX }, &mut fx);
        let mut sum = (0, 0);
        for event in fx.events.iter().cloned() {
            if let Event::Trade(trade) = event {
                sum.0 += trade.quantity.get();
                sum.1 += trade.quote_amount.get();
            }
        }
        sum
    }

    pub fn cancel(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        order: OrderId,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        let found = self.orders.iter().find(|o| o.id == order);
        let found = found.filter(|o| o.account == account).copied();
        let code = match (self.state, found) {
            (MarketState::Halted, _) => RejectCode::MarketHalted,
            (_, None) => RejectCode::UnknownOrder,
            (_, Some(found)) => return self.end_resting(found, reply, cause, fx),
        };
        self.reject(reply, RequestKind::CancelOrder, account, code, fx);
    }

    pub fn amend(&mut self, a: &AmendOrder, work: &mut Work, fx: &mut Effects) {
        let found = self.orders.iter().find(|o| o.id == a.order);
        let Some(old) = found.filter(|o| o.account == a.account).copied() else {
            let code = RejectCode::UnknownOrder;
            return self.reject(a.reply, RequestKind::AmendOrder, a.account, code, fx);
        };
        let price = a.price.unwrap_or(old.price);
        let old_total = old.filled.get() + old.remaining.get();
        let total = a.quantity.map_or(old_total, Quantity::get);
        if let Some(code) = self.amend_refusal(a, &old, price, total, old_total) {
            self.reject(a.reply, RequestKind::AmendOrder, a.account, code, fx);
            return self.amended(&old, a.extra.get(), fx);
        }
        let remaining = total - old.filled.get();
        let freed = self.need(old.side, old.price, old.remaining.get()) + a.extra.get()
            - self.need(old.side, price, remaining);
        if price == old.price && total < old_total {
            self.find(old.id).remaining = Quantity::new(remaining);
            fx.emit(Event::OrderReduced {
                reply: a.reply,
                market: self.def.id,
                order: old.id,
                account: old.account,
                remaining: Quantity::new(remaining),
                visible: Quantity::new(remaining),
            });
            return self.amended(&old, freed, fx);
        }
        self.orders.retain(|o| o.id != old.id);
        self.last_order += 1;
        let mut order = old;
        order.id = OrderId(self.last_order);
        order.price = price;
        fx.emit(Event::OrderReplaced {
            reply: a.reply,
            market: self.def.id,
            old_order: old.id,
            order: order.id,
            account: old.account,
            side: old.side,
            price,
            quantity: Quantity::new(remaining),
        });
        self.amended(&order, freed, fx);
        let incoming = Incoming {
            order,
            kind: Kind::Rests,
            lots: remaining,
            quote: 0,
            held: self.need(old.side, price, remaining),
        };
        self.enter(incoming, work, fx);
    }

    pub(super) fn amend_refusal(
        &self,
        a: &AmendOrder,
        old: &RestingOrder,
        price: Price,
        total: u64,
        old_total: u64,
    ) -> Option<RejectCode> {
        use RejectCode::*;
        match self.state {
            MarketState::Halted => return Some(MarketHalted),
            MarketState::CancelOnly => return Some(MarketCancelOnly),
            MarketState::Closed => return Some(MarketClosed),
            MarketState::Delisted => return Some(MarketDelisted),
            MarketState::Auction | MarketState::PreOpen | MarketState::Continuous => {}
        }
        if a.version != self.def.version {
            return Some(StaleDefinition);
        }
        if price.get() == 0 || price > self.def.max_price {
            return Some(InvalidPrice);
        }
        if total == 0 || total > self.def.max_quantity.get() {
            return Some(InvalidQuantity);
        }
        if total <= old.filled.get() {
            return Some(QuantityBelowFilled);
        }
        if price == old.price && total == old_total {
            return Some(NothingToAmend);
        }
        if price == old.price && total < old_total {
            return None;
        }
        if a.keep_priority {
            return Some(LosesPriority);
        }
        let meets = self.first(old.side.opposite()).is_some_and(|o| match old.side {
            Side::Buy => o.price <= price,
            Side::Sell => o.price >= price,
        });
        if old.post_only && meets {
            return Some(WouldMatch);
        }
        let has = self.need(old.side, old.price, old.remaining.get()) + a.extra.get();
        if has < self.need(old.side, price, total - old.filled.get()) {
            return Some(InsufficientBalance);
        }
        let mut without = self.clone();
        without.orders.retain(|o| o.id != old.id);
        let crosses = meets && self.state == MarketState::Continuous;
        if crosses { None } else { without.no_room(old.side, price) }
    }

    pub fn set_state(
        &mut self,
        reply: ReplyTo,
        state: MarketState,
        work: &mut Work,
        fx: &mut Effects,
    ) {
        if state == self.state {
            let code = RejectCode::WrongState;
            let request = RequestKind::SetMarketState;
            return self.reject(reply, request, AccountId(0), code, fx);
        }
        let old = std::mem::replace(&mut self.state, state);
        fx.emit(Event::MarketStateChanged { reply, market: self.def.id, state });
        if state != MarketState::Continuous {
            return;
        }
        if self.auction_price().is_some() {
            self.auction(None, work, fx);
        } else if old == MarketState::Auction {
            fx.emit(Event::AuctionUncrossed {
                market: self.def.id,
                price: Price::ZERO,
                quantity: Quantity::ZERO,
            });
        }
    }

    pub fn resume(&mut self, work: &mut Work, fx: &mut Effects) {
        match self.pending.take().unwrap() {
            Pending::Order(incoming) => self.go_on(incoming, work, fx),
            Pending::Auction(price) => self.auction(Some(price), work, fx),
        }
    }
}
