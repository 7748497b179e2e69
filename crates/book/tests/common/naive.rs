//! The market as plainly as it can be said: one unsorted list, searched for whatever is needed. Slow,
//! and the measure of the fast one. Written from the trading rules, not from the code.

use book::{RestingOrder, Work};
use types::*;

#[derive(Clone)]
pub struct Naive {
    pub def: MarketDef,
    scaling: Scaling,
    pub state: MarketState,
    last_order: u64,
    last_trade: u64,
    last_price: Option<Price>,
    orders: Vec<RestingOrder>,
    pending: Option<Pending>,
}

#[derive(Clone)]
enum Pending {
    Order(Incoming),
    Auction(Price),
}

/// An order on its way. `lots` or `quote` is what it still wants.
#[derive(Clone)]
struct Incoming {
    order: RestingOrder,
    kind: Kind,
    lots: u64,
    quote: u128,
    held: u128,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Rests,
    Immediate,
    ByLots,
    ByQuote,
}

impl Naive {
    pub fn new(def: MarketDef, scaling: Scaling) -> Self {
        Self {
            def,
            scaling,
            state: MarketState::Continuous,
            last_order: 0,
            last_trade: 0,
            last_price: None,
            orders: Vec::new(),
            pending: None,
        }
    }

    pub fn is_interrupted(&self) -> bool {
        self.pending.is_some()
    }

    /// Best price first, then the lower id: ids rise with time.
    pub fn queue(&self, side: Side) -> Vec<RestingOrder> {
        let mut queue = self.orders.clone();
        queue.retain(|o| o.side == side);
        queue.sort_by_key(|o| match side {
            Side::Buy => (u64::MAX - o.price.get(), o.id),
            Side::Sell => (o.price.get(), o.id),
        });
        queue
    }

    fn first(&self, side: Side) -> Option<RestingOrder> {
        let of_side = self.orders.iter().filter(|o| o.side == side);
        let key = |o: &&RestingOrder| match side {
            Side::Buy => (u64::MAX - o.price.get(), o.id),
            Side::Sell => (o.price.get(), o.id),
        };
        of_side.min_by_key(key).copied()
    }

    fn prices(&self) -> Vec<(Side, Price)> {
        let mut prices: Vec<_> = self.orders.iter().map(|o| (o.side, o.price)).collect();
        prices.sort();
        prices.dedup();
        prices
    }

    fn need(&self, side: Side, price: Price, lots: u64) -> u128 {
        let lots = u128::from(lots);
        match side {
            Side::Buy => {
                lots * u128::from(price.get()) * u128::from(self.scaling.quote_atoms_per_tick_lot)
            }
            Side::Sell => lots * u128::from(self.scaling.base_atoms_per_lot),
        }
    }

    fn per_lot(&self, price: Price) -> u128 {
        self.need(Side::Buy, price, 1)
    }

    // ---- commands ----

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
        });
        self.enter(incoming, work, fx);
    }

    fn incoming(&mut self, a: &Admit) -> Incoming {
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
                filled: Quantity::ZERO,
                hold: a.hold,
                self_trade_group: a.self_trade_group,
                fees: a.fees,
                self_trade_prevention: a.self_trade_prevention,
            },
            kind,
            lots,
            quote,
            held: a.budget.get(),
        }
    }

    fn refusal(&self, a: &Admit) -> Option<RejectCode> {
        use RejectCode::*;
        if a.version != self.def.version {
            return Some(StaleDefinition);
        }
        let resting = matches!(a.spec, OrderSpec::Limit { time_in_force: TimeInForce::Gtc, .. });
        let post = matches!(a.spec, OrderSpec::Limit { post_only: true, .. });
        match self.state {
            MarketState::Halted => return Some(MarketHalted),
            MarketState::CancelOnly => return Some(MarketCancelOnly),
            MarketState::Auction if !resting || post => return Some(NotDuringAuction),
            MarketState::Auction | MarketState::Continuous => {}
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
                let mut rich = *a;
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

    fn no_room(&self, side: Side, price: Price) -> Option<RejectCode> {
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
    fn trial(&self, a: &Admit) -> (u64, u128) {
        let mut copy = self.clone();
        let incoming = copy.incoming(a);
        let mut fx = Effects::default();
        copy.go_on(incoming, &mut Work { remaining: u32::MAX }, &mut fx);
        let mut sum = (0, 0);
        for event in fx.events {
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
            return release(&old, a.extra.get(), fx);
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
            });
            return release(&old, freed, fx);
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
        release(&old, freed, fx);
        let incoming = Incoming {
            order,
            kind: Kind::Rests,
            lots: remaining,
            quote: 0,
            held: self.need(old.side, price, remaining),
        };
        self.enter(incoming, work, fx);
    }

    fn amend_refusal(
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
            MarketState::Auction | MarketState::Continuous => {}
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
        let has = self.need(old.side, old.price, old.remaining.get()) + a.extra.get();
        if has < self.need(old.side, price, total - old.filled.get()) {
            return Some(InsufficientBalance);
        }
        let mut without = self.clone();
        without.orders.retain(|o| o.id != old.id);
        let crosses = self.state == MarketState::Continuous
            && self.first(old.side.opposite()).is_some_and(|o| match old.side {
                Side::Buy => o.price <= price,
                Side::Sell => o.price >= price,
            });
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

    // ---- matching ----

    fn enter(&mut self, incoming: Incoming, work: &mut Work, fx: &mut Effects) {
        if self.state == MarketState::Auction {
            self.leftover(incoming, fx);
        } else {
            self.go_on(incoming, work, fx);
        }
    }

    fn go_on(&mut self, mut taker: Incoming, work: &mut Work, fx: &mut Effects) {
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
                    if lots == wanted {
                        return self.end_taker(&taker, cause, fx);
                    }
                    taker.held -= share;
                    release(&taker.order, share, fx);
                }
            }
        }
    }

    fn wants_less(&self, taker: &mut Incoming, price: Price, lots: u64) {
        if taker.kind == Kind::ByQuote {
            taker.quote -= self.need(Side::Buy, price, lots);
        } else {
            taker.lots -= lots;
        }
    }

    fn trade(&mut self, taker: &mut Incoming, maker: RestingOrder, lots: u64, fx: &mut Effects) {
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
        let taker_side = (taker.order, taker.order.fees.taker, improvement);
        let maker_side = (left, left.fees.maker, 0);
        let (buyer, seller) = match side {
            Side::Buy => (taker_side, maker_side),
            Side::Sell => (maker_side, taker_side),
        };
        self.state_trade(maker.price, lots, Some(side), buyer, seller, fx);
        self.bury(left, fx);
    }

    fn state_trade(
        &mut self,
        price: Price,
        lots: u64,
        aggressor: Option<Side>,
        buyer: (RestingOrder, PartsPerMillion, u128),
        seller: (RestingOrder, PartsPerMillion, u128),
        fx: &mut Effects,
    ) {
        self.last_trade += 1;
        self.last_price = Some(price);
        let base = self.need(Side::Sell, price, lots);
        let quote = self.need(Side::Buy, price, lots);
        let fee = |received: u128, rate: PartsPerMillion| {
            let exact = received * u128::from(rate.0);
            Fee {
                income: Amount::new(exact / 1_000_000),
                rounding: Amount::new(u128::from(!exact.is_multiple_of(1_000_000))),
            }
        };
        let (buyer_fee, seller_fee) = (fee(base, buyer.1), fee(quote, seller.1));
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
            fx.send(Message::Filled(Fill {
                account: party.0.account,
                hold: party.0.hold,
                debit_asset: pays.0,
                debit: Amount::new(pays.1),
                credit_asset: gets.0,
                credit: Amount::new(gets.1),
                fee,
                release: Amount::new(party.2),
            }));
        }
    }

    fn find(&mut self, id: OrderId) -> &mut RestingOrder {
        self.orders.iter_mut().find(|o| o.id == id).unwrap()
    }

    fn fill(&mut self, id: OrderId, lots: u64) -> RestingOrder {
        let order = self.find(id);
        order.remaining -= Quantity::new(lots);
        order.filled += Quantity::new(lots);
        *order
    }

    /// Removes an order that is filled.
    fn bury(&mut self, order: RestingOrder, fx: &mut Effects) {
        if order.remaining.is_zero() {
            self.orders.retain(|o| o.id != order.id);
            close(&order, 0, fx);
        }
    }

    fn leftover(&mut self, taker: Incoming, fx: &mut Effects) {
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
                });
                fx.send(Message::Rested {
                    account: order.account,
                    hold: order.hold,
                    order: order.id,
                    price: order.price,
                });
            }
        }
    }

    fn end_taker(&mut self, taker: &Incoming, cause: CancelCause, fx: &mut Effects) {
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

    fn end_resting(
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
    fn shrink(&mut self, o: RestingOrder, lots: u64, fx: &mut Effects) {
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
            });
            release(&o, freed, fx);
        }
    }

    // ---- auction ----

    fn volume_at(&self, price: Price) -> (u128, u128) {
        let sum = |side: Side, takes: &dyn Fn(&RestingOrder) -> bool| -> u128 {
            let orders = self.orders.iter().filter(|o| o.side == side && takes(o));
            orders.map(|o| u128::from(o.remaining.get())).sum()
        };
        (sum(Side::Buy, &|o| o.price >= price), sum(Side::Sell, &|o| o.price <= price))
    }

    /// The auction's price and volume, if anything trades.
    fn auction_price(&self) -> Option<(Price, u128)> {
        let mut prices: Vec<Price> = self.orders.iter().map(|o| o.price).collect();
        prices.sort();
        prices.dedup();
        let volume = |p: &Price| {
            let (demand, supply) = self.volume_at(*p);
            demand.min(supply)
        };
        let most = prices.iter().map(volume).max().filter(|&v| v > 0)?;
        prices.retain(|p| volume(p) == most);
        let surplus = |p: &Price| {
            let (demand, supply) = self.volume_at(*p);
            demand as i128 - supply as i128
        };
        let least = prices.iter().map(|p| surplus(p).abs()).min().unwrap();
        prices.retain(|p| surplus(p).abs() == least);
        let (low, high) = (prices[0], *prices.last().unwrap());
        let price = if prices.iter().all(|p| surplus(p) > 0) {
            high
        } else if prices.iter().all(|p| surplus(p) < 0) {
            low
        } else if let Some(last) = self.last_price {
            last.max(low).min(high)
        } else {
            Price::new(u64::midpoint(low.get(), high.get()))
        };
        Some((price, most))
    }

    fn auction(&mut self, mut at: Option<Price>, work: &mut Work, fx: &mut Effects) {
        loop {
            let price = match at.take() {
                Some(price) => price,
                None => {
                    let Some((price, volume)) = self.auction_price() else {
                        return;
                    };
                    fx.emit(Event::AuctionUncrossed {
                        market: self.def.id,
                        price,
                        quantity: Quantity::new(volume as u64),
                    });
                    price
                }
            };
            while let (Some(bid), Some(ask)) = (self.first(Side::Buy), self.first(Side::Sell)) {
                if bid.price < price || ask.price > price {
                    break;
                }
                if work.remaining == 0 {
                    self.pending = Some(Pending::Auction(price));
                    fx.send(Message::Resume { market: self.def.id });
                    return;
                }
                work.remaining -= 1;
                self.auction_step(price, bid, ask, fx);
            }
        }
    }

    fn auction_step(
        &mut self,
        price: Price,
        bid: RestingOrder,
        ask: RestingOrder,
        fx: &mut Effects,
    ) {
        let lots = bid.remaining.min(ask.remaining).get();
        let (old, young) = if bid.id < ask.id { (bid, ask) } else { (ask, bid) };
        let (nobody, cause) = (ReplyTo::NOBODY, CancelCause::SelfTrade);
        let own = bid.self_trade_group == ask.self_trade_group;
        match young.self_trade_prevention {
            SelfTradePrevention::ExpireTaker if own => self.end_resting(young, nobody, cause, fx),
            SelfTradePrevention::ExpireMaker if own => self.end_resting(old, nobody, cause, fx),
            SelfTradePrevention::ExpireBoth if own => {
                self.end_resting(old, nobody, cause, fx);
                self.end_resting(young, nobody, cause, fx);
            }
            SelfTradePrevention::Decrement if own => {
                self.shrink(old, lots, fx);
                self.shrink(young, lots, fx);
            }
            _ => {
                let improvement =
                    self.need(Side::Buy, bid.price, lots) - self.need(Side::Buy, price, lots);
                let (bid, ask) = (self.fill(bid.id, lots), self.fill(ask.id, lots));
                let buyer = (bid, bid.fees.maker, improvement);
                let seller = (ask, ask.fees.maker, 0);
                self.state_trade(price, lots, None, buyer, seller, fx);
                self.bury(bid, fx);
                self.bury(ask, fx);
            }
        }
    }

    fn reject(
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

fn close(order: &RestingOrder, left: u128, fx: &mut Effects) {
    fx.send(Message::Closed {
        account: order.account,
        hold: order.hold,
        order: order.id,
        release: Amount::new(left),
    });
}

fn release(order: &RestingOrder, amount: u128, fx: &mut Effects) {
    if amount > 0 {
        fx.send(Message::Released {
            account: order.account,
            hold: order.hold,
            amount: Amount::new(amount),
        });
    }
}
