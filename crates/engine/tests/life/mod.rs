//! One life of an exchange, step by step.

mod requests;

use chance::Random;
use engine::Partition;
use types::{
    Amount, Bug, Command, Done, Event, FeeSchedule, MarketState, Message, PartitionId, Request,
    TierStep, VolumeFactor,
};

use crate::exchange::{Exchange, FIRST_MARKET, QUOTE};

const SECOND: u64 = 1_000_000_000;
const ACCOUNTS: u64 = 5;

/// An exchange with one market, and the chance that moves it.
pub struct Life {
    random: Random,
    pub exchange: Exchange,
    term: u64,
}

/// Bugs in many places, each of which is met now and then.
pub fn unsound() -> Bug {
    Bug::new(|done| {
        let fails = match done {
            Done::Emits(Event::Trade(trade)) => trade.trade.0 % 97 == 5,
            Done::Emits(Event::OrderCancelled { order, .. }) => order.0 % 89 == 7,
            Done::Emits(Event::OrderListEnded { list, .. }) => list.0 % 23 == 7,
            Done::Emits(Event::MarketRedefined { market, .. }) => market.version % 3 == 0,
            Done::Sends(Message::Admit(admit)) => admit.budget.get() % 397 == 11,
            Done::Handled(Message::Filled { fill, .. }) => fill.credit.get() % 231 == 3,
            Done::Handled(Message::Closed { order, .. }) => order.0 % 87 == 4,
            Done::Handled(Message::PlacePending(pending)) => pending.list.0 % 13 == 4,
            Done::Handled(Message::ListSettled { list, .. }) => list.0 % 19 == 4,
            _ => false,
        };
        assert!(!fails, "unsound");
    })
}

impl Life {
    pub fn begin(seed: u64, partitions: u16) -> Self {
        let exchange = Exchange::funded(partitions, 1, ACCOUNTS as u32, 1_000_000_000);
        let mut life = Self { random: Random::new(seed), exchange, term: 0 };
        life.new_term();
        life.exchange.set_fees(-500, 1_000);
        let steps = vec![TierStep { tier: 0, least: Amount::ZERO }];
        let factors = vec![VolumeFactor { quote: QUOTE, numerator: 1, denominator: 3 }];
        life.exchange.submit_quietly(Request::SetFeeSchedule(FeeSchedule { steps, factors }));
        life
    }

    /// Something is asked, time passes, and sometimes all start again after an unclean end.
    pub fn step(&mut self, delays: bool) {
        let request = self.request();
        if delays {
            self.exchange.submit(request);
            self.carry_some();
        } else {
            self.exchange.submit_quietly(request);
        }
        if self.random.below(6) == 0 {
            let later = self.exchange.now.saturating_add_nanos(self.random.below(2 * SECOND));
            self.exchange.now = later;
            self.tick();
        }
        if self.random.below(50) == 0 {
            self.new_term();
        }
        self.exchange.assert_sound();
    }

    /// A few of the messages between partitions arrive.
    fn carry_some(&mut self) {
        let partitions = self.exchange.partitions.len() as u64;
        for _ in 0..3 {
            let mut any = || PartitionId(self.random.below(partitions) as u16);
            let (from, to) = (any(), any());
            let max = self.random.below(9) as usize;
            self.exchange.carry(from, to, max);
            self.exchange.acknowledge(from, to);
        }
    }

    fn tick(&mut self) {
        for index in 0..self.exchange.partitions.len() {
            let deadline = self.exchange.partitions[index].next_deadline();
            if deadline.is_some_and(|at| at <= self.exchange.now) {
                self.exchange.append(PartitionId(index as u16), Command::Tick);
            }
        }
    }

    fn new_term(&mut self) {
        self.term += 1;
        for index in 0..self.exchange.partitions.len() {
            let command = Command::NewTerm { term: self.term };
            self.exchange.append(PartitionId(index as u16), command);
        }
    }

    /// Every partition goes on from its snapshot.
    pub fn through_snapshots(&mut self) {
        for partition in &mut self.exchange.partitions {
            let bytes = partition.snapshot();
            let restored = Partition::restore(partition.id(), 31, &bytes).unwrap();
            assert!(restored.snapshot() == bytes, "a snapshot restores to itself");
            assert_eq!(restored.next_deadline(), partition.next_deadline());
            *partition = restored;
        }
    }

    /// An operator lets a component try again, whose bug may be there still.
    pub fn release_sometimes(&mut self) {
        if self.random.below(10) == 0
            && let Some(&component) = self.exchange.quarantined().first()
        {
            self.exchange.submit(Request::ReleaseQuarantine { component });
        }
    }

    /// Bugs are mended, all messages arrive, and nothing is left to do.
    pub fn calm(&mut self) {
        self.exchange.settle(&mut Vec::new());
        self.exchange.run_with(None);
        while let Some(&component) = self.exchange.quarantined().first() {
            self.exchange.release(component);
        }
        assert!(self.exchange.assert_sound().quiet);
    }

    /// The market ends: then nothing is open, and nothing is held.
    pub fn delist(&mut self) {
        let at = self.exchange.now.saturating_add_nanos(SECOND);
        let market = FIRST_MARKET;
        self.exchange.submit_quietly(Request::PlanDelisting { market, at: Some(at) });
        self.exchange.wait_until(at.saturating_add_nanos(SECOND));
        assert_eq!(self.market().state(), MarketState::Delisted);
        assert_eq!(self.market().lists().count(), 0);
        assert_eq!(self.exchange.assert_sound().open_orders, 0);
        assert!(self.exchange.balances().values().all(|(_, held)| held.is_zero()));
    }
}
