//! Commands from a seed: what traders and operators ask, also what they should not.
//!
//! The generator looks at the naive exchange, never at the product, so that the seed alone decides what comes.

mod fees;
mod guard;
mod lists;
mod markets;
mod operations;
mod orders;
mod rules;
mod world;

use chance::Random;
pub use world::World;

use types::{Amount, Request, Timestamp};

use crate::naive::Exchange;

const HOUR: u64 = 3_600_000_000_000;

/// One command with its circumstances.
#[derive(Clone, Debug)]
pub struct Step {
    /// When it is stamped.
    pub time: Timestamp,
    /// A new life of the exchange begins before the command; whether the one before ended in order.
    pub restart: Option<bool>,
    /// Whether the clock wakes the partition at each deadline before, or the command finds it due.
    pub ticks: bool,
    /// When it is worth nothing any more.
    pub valid_until: Timestamp,
    /// What is asked.
    pub request: Request,
}

/// Makes the commands of a block.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
    world: World,
    now: u64,
    /// The last client id.
    name: u64,
    /// Some requests with client ids, to be sent again.
    sent: Vec<Request>,
    founded: usize,
    /// The last command came between two steps.
    skewed: bool,
}

impl Generator {
    /// The block of a seed.
    pub fn new(seed: u64) -> Self {
        Self::from_random(Random::new(seed))
    }

    /// Whatever `random` gives.
    #[must_use]
    pub fn from_random(mut random: Random) -> Self {
        let world = World::new(&mut random);
        let now = 1_000_000_000_000;
        let sent = Vec::new();
        Self { random, world, now, name: 0, sent, founded: 0, skewed: false }
    }

    /// Partitions that the product is to have.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.world.partitions
    }

    /// Whether the bytes that a fuzzer chose were all taken.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.random.is_used_up()
    }

    /// The next command.
    pub fn step(&mut self, exchange: &Exchange) -> Step {
        if let Some(request) = self.world.founding.get(self.founded) {
            self.founded += 1;
            let time = Timestamp(self.now);
            let request = request.clone();
            return Step { time, restart: None, ticks: false, valid_until: time, request };
        }
        self.follow(exchange);
        let pause = self.pause();
        self.now += if self.skewed { self.world.step } else { pause };
        self.skewed = false;
        let request = self.request(exchange);
        let valid_until = match self.random.below(150) {
            0 => self.now - 1,
            1..20 => self.now,
            _ => self.now + 1_000_000_000,
        };
        let time = match request {
            // A switch is set between two steps, so that it is not due with anything else: no rule says
            // which of two partitions comes first.
            Request::SetCountdown { .. } if self.partitions() > 1 => self.now + self.skew(),
            _ => self.now,
        };
        let request = match request {
            Request::SetCountdown { account, market, after_ms }
                if self.partitions() > 1
                    && exchange.is_due_at(time + u64::from(after_ms) * 1_000_000) =>
            {
                Request::CancelAll { account, market }
            }
            other => other,
        };
        let restart = self.random.one_in(400).then(|| self.random.one_in(3));
        // Markets that reopen by steps begin them with the restart, so that one of them could end with the switch.
        let is_apart = matches!(request, Request::SetCountdown { .. }) && self.partitions() > 1;
        Step {
            time: Timestamp(time),
            restart: restart.filter(|_| !is_apart),
            ticks: self.random.one_in(2),
            valid_until: Timestamp(valid_until),
            request,
        }
    }

    fn skew(&mut self) -> u64 {
        self.skewed = true;
        match self.world.step {
            1 => 0,
            step => self.random.between(1, step - 1),
        }
    }

    fn pause(&mut self) -> u64 {
        let step = self.world.step;
        if self.world.long && self.random.one_in(250) {
            return self.random.pick(&[1, 23, 24, 24, 24 * 7, 24 * 29, 24 * 30, 24 * 40]) * HOUR;
        }
        match self.random.below(20) {
            0..4 => 0,
            4..18 => step,
            18 => step * self.random.between(1, 10),
            _ => self.random.between(1, step),
        }
    }

    fn request(&mut self, exchange: &Exchange) -> Request {
        if self.world.hoards && self.random.one_in(3) {
            return self.outside(exchange);
        }
        let guards = if self.world.guarded { 20 } else { 1 };
        let weights = [610, 90, 80, 25, 12, 60, 30, 20, 20, 30, 10, 10, 10, 90, 14, 12, guards, 6];
        match self.random.weighted(&weights) {
            0 => self.place(exchange),
            1 => self.amend(exchange),
            2 => self.cancel(exchange),
            3 => self.cancel_by_client_id(exchange),
            4 => self.cancel_all(exchange),
            5 => self.set_state(exchange),
            6 => self.outside(exchange),
            7 => self.pay(exchange),
            8 => self.administer(),
            9 => self.replace(exchange),
            10 => self.set_countdown(exchange),
            11 => self.set_rules(exchange),
            12 => self.plan_state(exchange),
            13 => self.order_list(exchange),
            14 => self.cancel_list(exchange),
            15 => self.charge(exchange),
            16 if self.world.guarded => self.guard(exchange),
            16 => self.approve(exchange),
            _ => self.change_markets(exchange),
        }
    }

    fn place(&mut self, exchange: &Exchange) -> Request {
        if self.random.one_in(40) && !self.sent.is_empty() {
            return self.again();
        }
        let request = Request::PlaceOrder(self.order(exchange));
        self.keep(&request);
        request
    }

    /// A request that was sent before, sometimes with a difference.
    fn again(&mut self) -> Request {
        let at = self.random.below(self.sent.len() as u64) as usize;
        let mut request = self.sent[at].clone();
        let differs = self.random.one_in(2);
        let order = match &mut request {
            Request::PlaceOrder(order) => order,
            Request::ReplaceOrder(replace) => &mut replace.order,
            Request::PlaceOrderList(list) if differs => return self.differing(list),
            Request::Transfer { amount, .. } | Request::ReserveDebit { amount, .. } if differs => {
                *amount = Amount::new(amount.get() + 1);
                return request;
            }
            _ => return request,
        };
        if differs {
            order.side = order.side.opposite();
        }
        request
    }

    /// Keeps some requests for later.
    fn keep(&mut self, request: &Request) {
        if self.world.long {
            return;
        }
        let named = match request {
            Request::PlaceOrder(order) => !order.client_order_id.is_none(),
            Request::ReplaceOrder(replace) => !replace.order.client_order_id.is_none(),
            Request::PlaceOrderList(list) => {
                let mut legs = list.legs.iter().chain(&list.pending);
                !list.client_order_id.is_none() || legs.any(|leg| !leg.client_order_id.is_none())
            }
            _ => true,
        };
        if named && self.sent.len() < 12 {
            self.sent.push(request.clone());
        } else if named && self.random.one_in(3) {
            let at = self.random.below(12) as usize;
            self.sent[at] = request.clone();
        }
    }

    /// One of the accounts; rarely one that does not exist.
    fn account(&mut self) -> u32 {
        if self.random.one_in(120) { 9 } else { self.random.pick(&self.world.accounts) }
    }
}
