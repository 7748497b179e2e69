//! What is asked of the exchange, and what goes wrong around it.

use node::Exchange;
use types::{Component, PartitionId, RejectCode, ReplyTo, Request, Timestamp};

use super::{SECOND, World};
use crate::faults::Fault;
use crate::flaw::Flaw;
use crate::observer::Check;
use crate::rare;

/// One request in so many is a rare one.
const RARE: u64 = 8;

impl World {
    pub(super) fn draw_faults(&mut self) {
        if self.random.one_in(150) {
            let nanos = self.random.between(1, 600) * SECOND;
            let fault = if self.random.one_in(2) {
                self.clock.advance(nanos);
                Fault::ClockForward
            } else {
                self.clock.turn_back(nanos);
                Fault::ClockBackward
            };
            self.counts.add(fault);
        }
        if self.random.one_in(100) {
            self.clock_stalled = self.random.between(1, 30);
            self.counts.add(Fault::ClockStalled);
        }
        let one = self.random.below(self.stalled.len() as u64) as usize;
        if self.random.one_in(60) {
            self.stalled[one] = self.random.between(1, 25);
            self.counts.add(Fault::StalledPartition);
        }
        if self.random.one_in(60) {
            self.unpublished[one] = self.random.between(1, 60);
            self.counts.add(Fault::SlowPublisher);
        }
        if self.random.one_in(80) {
            let id = PartitionId(one as u16);
            // Whoever asked looks at the list of snapshots.
            drop(self.node().node().request_snapshot(id));
            self.counts.add(Fault::SnapshotTaken);
        }
        self.draw_flaw();
    }

    /// Some requests, now and then more than the queues take.
    pub(super) fn load(&mut self) -> Check {
        let count = if self.random.one_in(50) { 120 } else { self.random.below(9) };
        for _ in 0..count {
            let request = self.draw_request();
            if moves_value(&request) {
                self.treasury.push_back(request);
            } else {
                self.submit(request);
            }
        }
        self.release_some();
        self.ask_treasury()
    }

    fn draw_request(&mut self) -> Request {
        let now = self.clock.now();
        if !self.random.one_in(RARE) {
            return self.workload.next(now);
        }
        match self.random.below(60) {
            0 => rare::reopening(self.workload.random()),
            _ => rare::request_soon(&mut self.workload, now, self.may_delist),
        }
    }

    /// An operator releases what is quarantined: soon under a mended binary, now and then too early.
    fn release_some(&mut self) {
        if self.ward.quarantined().is_empty() {
            return;
        }
        let seldom = if self.flaw.is_some() { 60 } else { 10 };
        if self.random.one_in(seldom) {
            let all: Vec<_> = self.ward.quarantined().iter().copied().collect();
            let component = self.random.pick(&all);
            self.release(component);
        }
    }

    /// False if there was no room for the request.
    pub(super) fn release(&mut self, component: Component) -> bool {
        self.submit(Request::ReleaseQuarantine { component }).is_some()
    }

    /// A binary with a bug takes over, between two steps.
    fn draw_flaw(&mut self) {
        if self.flaw.is_none() && self.ward.quarantined().is_empty() && self.random.one_in(40) {
            let flaw = Flaw::draw(&mut self.random, &self.workload);
            self.run_with(Some(flaw));
            let bug = self.hooks.bug.clone();
            self.node().set_bug(bug);
        }
    }

    /// What is wrong with the binary from now on. That of this life stays what it is.
    pub(super) fn run_with(&mut self, flaw: Option<Flaw>) {
        self.flaw = flaw;
        self.hooks.bug = flaw.map(Flaw::bug);
        self.ward.run_with(flaw.is_none());
    }

    /// The next request of the treasury's source goes when the one before is decided.
    pub(super) fn ask_treasury(&mut self) -> Check {
        if let Some(token) = self.treasury_token.filter(|&token| self.observer.is_answered(token)) {
            self.treasury_token = None;
            match self.observer.refusal(token) {
                // The number is not used up, or it is told next time what became of it.
                Some(RejectCode::ComponentQuarantined | RejectCode::TooManyProposals) => {
                    self.treasury_pause = self.random.between(1, 20);
                }
                Some(RejectCode::ReferenceGap) => {
                    return Err("a source asked in order, and was told of a gap".to_owned());
                }
                _ => drop(self.treasury.pop_front()),
            }
        }
        self.treasury_pause = self.treasury_pause.saturating_sub(1);
        if self.treasury_token.is_none()
            && self.treasury_pause == 0
            && let Some(request) = self.treasury.front().cloned()
        {
            self.treasury_token = self.submit(request);
        }
        Ok(())
    }

    /// The token of a request that was taken.
    pub(super) fn submit(&mut self, request: Request) -> Option<u64> {
        let token = self.next_token;
        let valid_until = match self.random.below(10) {
            0 => Timestamp(self.clock.now().0 + 5_000_000),
            _ => Timestamp(u64::MAX),
        };
        let is_urgent = matches!(request, Request::ReleaseQuarantine { .. });
        let valid_until = match is_urgent || moves_value(&request) {
            true => Timestamp(u64::MAX),
            false => valid_until,
        };
        let reply = ReplyTo::new(self.session, token);
        match self.node().node().submit(reply, valid_until, request) {
            Ok(()) => {
                self.next_token += 1;
                self.requests += 1;
                Some(token)
            }
            Err(code) => {
                assert_eq!(code, RejectCode::Overloaded, "submitting gives no other code");
                self.counts.add(Fault::Overload);
                None
            }
        }
    }
}

/// Whether it carries a number of a source, so that it must come after the one before.
fn moves_value(request: &Request) -> bool {
    matches!(request, Request::Credit { .. } | Request::Debit { .. } | Request::SettleDebit { .. })
}
