//! A pair's market: its book as two sorted vectors, its waiting orders, and its state.

use types::{
    AccountId, Amount, CancelCause, Event, MarketDef, MarketRules, MarketState, OrderId, Price,
    Quantity, RejectCode, ReplyTo, Side, Timestamp,
};

use super::definitions::Units;
use super::lists::List;
use super::order::Order;

/// What comes when the present state has lasted long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// An auction of so many seconds; none: continuous trading.
    pub auction_seconds: Option<u32>,
}

/// A market without any funds: it knows what an order may spend, not what its owner has.
#[derive(Clone, Debug)]
pub struct Market {
    /// Its definition.
    pub def: MarketDef,
    /// Quote atoms of a lot at a price of one tick.
    pub quote_unit: u128,
    /// Base atoms of a lot.
    pub base_unit: u128,
    /// What it does with orders.
    pub state: MarketState,
    /// Resting buys, best first.
    pub bids: Vec<Order>,
    /// Resting sales, best first.
    pub asks: Vec<Order>,
    /// Orders that wait for their trigger.
    pub waiting: Vec<Order>,
    /// Orders that were fired and have not entered yet, the next first.
    pub fired: Vec<Order>,
    /// Lists that have not ended (12).
    pub lists: Vec<List>,
    /// Lists whose working order was filled, the first first.
    pub filled_lists: Vec<List>,
    /// The operator's rules (11).
    pub rules: MarketRules,
    /// Minute, price and lots of the trades since there is a band around them.
    pub minutes: Vec<(u64, u64, u64)>,
    /// Changes of state to come.
    pub plans: Vec<(Timestamp, MarketState)>,
    /// The way back to continuous trading that it is on: out of an interruption (7.4), or after an unclean
    /// start (17.2).
    pub way: Option<Step>,
    /// The log's time.
    pub now: Timestamp,
    /// The price of the last trade.
    pub last_price: Option<u64>,
    /// The number of the last order.
    pub last_order: u64,
    /// The number of the last trade.
    pub last_trade: u64,
    /// What happened in the current command.
    pub events: Vec<Event>,
}

impl Market {
    /// A new market, open.
    pub fn new(def: MarketDef, units: Units) -> Self {
        Self {
            quote_unit: units.quote,
            base_unit: units.base,
            state: MarketState::Continuous,
            bids: Vec::new(),
            asks: Vec::new(),
            waiting: Vec::new(),
            fired: Vec::new(),
            lists: Vec::new(),
            filled_lists: Vec::new(),
            rules: MarketRules::default(),
            minutes: Vec::new(),
            plans: Vec::new(),
            way: None,
            now: Timestamp(0),
            last_price: None,
            last_order: 0,
            last_trade: 0,
            events: Vec::new(),
            def,
        }
    }

    /// One side of the book, best first.
    pub fn side(&self, side: Side) -> &Vec<Order> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// One side of the book, best first.
    pub fn side_mut(&mut self, side: Side) -> &mut Vec<Order> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The best price of a side.
    pub fn best(&self, side: Side) -> Option<u64> {
        self.side(side).first().map(|order| order.price)
    }

    /// Resting orders of both sides.
    pub fn resting(&self) -> impl Iterator<Item = &Order> {
        self.bids.iter().chain(&self.asks)
    }

    /// Open orders: they rest, wait, or were fired and wait for trading to go on.
    pub fn open(&self) -> impl Iterator<Item = &Order> {
        self.resting().chain(&self.waiting).chain(&self.fired)
    }

    /// Quote atoms.
    pub fn notional(&self, price: u64, lots: u64) -> u128 {
        u128::from(price) * u128::from(lots) * self.quote_unit
    }

    /// Most lots that `quote` atoms pay at `price`.
    pub fn lots_for(&self, quote: u128, price: u64) -> u64 {
        let one = u128::from(price) * self.quote_unit;
        u64::try_from(quote / one).unwrap_or(u64::MAX)
    }

    /// What must be held for an order that rests or waits, in atoms of what it pays with (10.1).
    pub fn need(&self, order: &Order) -> u128 {
        match (order.is_limit(), order.side) {
            (true, Side::Buy) => self.notional(order.price, order.remaining),
            (true, Side::Sell) => u128::from(order.remaining) * self.base_unit,
            (false, _) => order.budget,
        }
    }

    /// Puts an order behind all others of its price.
    pub fn insert(&mut self, order: Order) {
        let side = self.side_mut(order.side);
        let before = |other: &Order| match order.side {
            Side::Buy => other.price >= order.price,
            Side::Sell => other.price <= order.price,
        };
        let place = side.iter().position(|other| !before(other)).unwrap_or(side.len());
        side.insert(place, order);
    }

    /// Takes a resting order out of the book.
    pub fn take_out(&mut self, id: u64) -> Option<Order> {
        for side in [Side::Buy, Side::Sell] {
            let orders = self.side_mut(side);
            if let Some(place) = orders.iter().position(|order| order.id == id) {
                return Some(orders.remove(place));
            }
        }
        None
    }

    /// Whether one more order fits, at its price.
    pub fn room(&self, order: &Order) -> Result<(), RejectCode> {
        let bounds = self.def.bounds;
        if self.bids.len() + self.asks.len() >= bounds.max_orders as usize {
            return Err(RejectCode::BookFull);
        }
        if !self.has_level(order) && self.level_count() >= bounds.max_levels as usize {
            return Err(RejectCode::TooManyLevels);
        }
        Ok(())
    }

    /// Whether others rest at an order's price.
    pub fn has_level(&self, order: &Order) -> bool {
        self.side(order.side).iter().any(|other| other.price == order.price)
    }

    /// Price levels of both sides.
    pub fn level_count(&self) -> usize {
        let count = |orders: &[Order]| {
            let first = usize::from(!orders.is_empty());
            first + orders.windows(2).filter(|pair| pair[0].price != pair[1].price).count()
        };
        count(&self.bids) + count(&self.asks)
    }

    /// Lets the rest of an order rest, with its first part shown.
    pub fn rest(&mut self, mut order: Order) {
        order.show();
        self.events.push(Event::OrderRested {
            market: self.def.id,
            order: OrderId(order.id),
            account: AccountId(order.account),
            side: order.side,
            price: Price::new(order.price),
            quantity: Quantity::new(order.shown),
            hidden: Quantity::new(order.hidden()),
        });
        self.insert(order);
    }

    /// Says that an order has ended with something left. Its list ends with it (12.7, 12.10).
    pub fn cancelled(&mut self, order: &Order, reply: ReplyTo, cause: CancelCause) {
        self.events.push(Event::OrderCancelled {
            reply,
            market: self.def.id,
            order: OrderId(order.id),
            account: AccountId(order.account),
            remaining: Quantity::new(order.remaining),
            cause,
        });
        self.list_fails(order.id);
    }

    /// Says that a resting order has less quantity.
    pub fn reduced(&mut self, order: &Order, reply: ReplyTo) {
        self.events.push(Event::OrderReduced {
            reply,
            market: self.def.id,
            order: OrderId(order.id),
            account: AccountId(order.account),
            remaining: Quantity::new(order.remaining),
            visible: Quantity::new(order.shown),
        });
    }

    /// Why orders are not accepted in this state, if they are not (7).
    pub fn accepts_orders(&self) -> Result<(), RejectCode> {
        match self.state {
            MarketState::Continuous | MarketState::Auction | MarketState::PreOpen => Ok(()),
            MarketState::CancelOnly => Err(RejectCode::MarketCancelOnly),
            MarketState::Closed => Err(RejectCode::MarketClosed),
            MarketState::Halted => Err(RejectCode::MarketHalted),
            MarketState::Delisted => Err(RejectCode::MarketDelisted),
        }
    }

    /// Cancels an open order (6.1, 4.9).
    ///
    /// # Errors
    /// [`RejectCode::MarketHalted`], [`RejectCode::UnknownOrder`].
    pub fn cancel(
        &mut self,
        account: u32,
        id: u64,
        reply: ReplyTo,
        cause: CancelCause,
    ) -> Result<(), RejectCode> {
        if self.state == MarketState::Halted {
            return Err(RejectCode::MarketHalted);
        }
        if !self.open().any(|order| order.id == id && order.account == account) {
            return Err(RejectCode::UnknownOrder);
        }
        self.end(id, reply, cause);
        Ok(())
    }

    /// Ends an open order.
    pub fn end(&mut self, id: u64, reply: ReplyTo, cause: CancelCause) {
        let order = self.take_out(id).unwrap_or_else(|| {
            let unentered = [&mut self.waiting, &mut self.fired];
            let list = unentered.into_iter().find(|list| list.iter().any(|order| order.id == id));
            let list = list.expect("it is open");
            let place = list.iter().position(|order| order.id == id).expect("it is in this list");
            list.remove(place)
        });
        self.cancelled(&order, reply, cause);
    }

    /// When the next thing is due: the date of an order, a plan, or a step of the way back.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines().min()
    }

    /// Whenever something is due, in no order.
    pub fn deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let dates = self.open().filter_map(Order::date);
        let plans = self.plans.iter().map(|plan| plan.0);
        dates.chain(plans).chain(self.way.map(|step| step.at))
    }

    /// Does what is due, in the order of times: dates of orders by id, a plan, a step of the way back (3.7,
    /// 7.3).
    pub fn advance(&mut self, now: Timestamp) {
        self.now = now;
        while let Some(at) = self.next_deadline().filter(|&at| at <= now) {
            let dated = self.open().filter(|order| order.date() == Some(at));
            if let Some(id) = dated.map(|order| order.id).min() {
                self.end(id, ReplyTo::NOBODY, CancelCause::Expired);
            } else if let Some(place) = self.plans.iter().position(|plan| plan.0 == at) {
                let (_, state) = self.plans.remove(place);
                self.way = None;
                let reply = ReplyTo::NOBODY;
                if self.state == state {
                    let market = self.def.id;
                    self.events.push(Event::MarketStateChanged { reply, market, state });
                } else {
                    self.change_state(reply, state);
                }
            } else {
                let step = self.way.take().expect("nothing else is due");
                match step.auction_seconds {
                    Some(seconds) => {
                        let way = Step { at: self.in_seconds(seconds), auction_seconds: None };
                        self.begin_step(MarketState::Auction, way);
                    }
                    None => self.change_state(ReplyTo::NOBODY, MarketState::Continuous),
                }
            }
        }
    }

    /// So many seconds from now.
    pub fn in_seconds(&self, seconds: u32) -> Timestamp {
        Timestamp(self.now.0 + u64::from(seconds) * 1_000_000_000)
    }

    /// A step of the way back after an unclean start (17.2).
    pub fn begin_step(&mut self, state: MarketState, way: Step) {
        self.way = Some(way);
        let (market, until) = (self.def.id, way.at);
        self.events.push(Event::MarketReopening { market, state, until });
        self.change_state(ReplyTo::NOBODY, state);
    }

    /// Goes into another state. A market that becomes continuous is uncrossed at once (7.1).
    pub fn change_state(&mut self, reply: ReplyTo, state: MarketState) {
        let says_price = self.state == MarketState::Auction;
        self.state = state;
        self.events.push(Event::MarketStateChanged { reply, market: self.def.id, state });
        if state == MarketState::Continuous {
            self.uncross(says_price);
            self.enter_fired();
        }
    }

    /// `lots` at the base unit.
    pub fn base_amount(&self, lots: u64) -> Amount {
        Amount::new(u128::from(lots) * self.base_unit)
    }
}
