//! How lives of the exchange end and begin, and what must hold then.

use std::collections::BTreeSet;

use node::stepping::SteppedNode;
use node::{Exchange, NodeError};
use types::{Component, Seq};

use super::{World, learner};
use crate::experiments;
use crate::faults::Fault;
use crate::observer::{Check, at};

impl World {
    /// The end of this life: at once, or at some operation of the disk to come.
    pub(super) fn plan_end(&mut self) -> Check {
        let within = self.random.below(60);
        match self.random.below(8) {
            0 => return self.crash("at once"),
            1 => self.disk.plan(|plan| plan.fail_sync_in = Some(within / 4)),
            2 => self.disk.plan(|plan| plan.fail_write_in = Some(within / 4)),
            3 => self.disk.plan(|plan| plan.is_full = true),
            _ => self.disk.plan(|plan| plan.crash_in = Some(within)),
        }
        Ok(())
    }

    /// The process has ended, of a fault that was planned; nothing else may end it.
    pub(super) fn crash(&mut self, why: &str) -> Check {
        let is_planned = self.disk.is_dead() || why.contains("simulated") || why == "at once";
        let is_full = self.disk.has_plan() && why.contains("space");
        if !is_planned && !is_full {
            return Err(format!("the node ended by itself: {why}"));
        }
        self.crashes += 1;
        self.node = None;
        self.network.crash();
        self.stalled.fill(0);
        self.unpublished.fill(0);
        self.after_end();
        if !self.ward.quarantined().is_empty() {
            self.counts.add(Fault::RestartInQuarantine);
        }
        if self.flaw.is_some() && self.random.one_in(2) {
            self.run_with(None);
        }
        if self.random.one_in(2) {
            let within = self.random.below(80);
            self.disk.plan(|plan| plan.crash_in = Some(within));
        }
        self.restart()
    }

    /// The disk as the next life finds it.
    fn after_end(&mut self) {
        if self.disk.is_dead() && !self.random.one_in(4) || self.random.one_in(3) {
            self.counts.add(Fault::PowerLoss);
            self.disk.power_loss();
        } else {
            self.counts.add(Fault::ProcessKilled);
            self.disk.revive();
        }
    }

    /// Starts a life, perhaps after some that end while they begin.
    pub(super) fn restart(&mut self) -> Check {
        loop {
            match self.try_start() {
                Ok(checked) => {
                    checked?;
                    self.disk.plan(|plan| plan.crash_in = None);
                    break;
                }
                Err(_) if self.disk.is_dead() => {
                    self.counts.add(Fault::CrashInRecovery);
                    self.node = None;
                    self.network.crash();
                    self.after_end();
                }
                Err(error) => return Err(format!("the start was refused: {error}")),
            }
        }
        self.treasury_token = None;
        let sink = self.observer.sink();
        self.session = self.node().node().open_session(sink);
        for id in self.ids() {
            for letter in self.node().take_letters(id) {
                self.network.send(letter);
            }
        }
        self.audit()?;
        Ok(())
    }

    /// The outer error is the product's, the inner one that of a check.
    fn try_start(&mut self) -> Result<Check, NodeError> {
        self.node = Some(SteppedNode::start(&self.config, &self.hooks)?);
        if let Err(what) = self.check_recovered() {
            return Ok(Err(what));
        }
        for id in self.ids() {
            self.node().begin(id)?;
        }
        Ok(self.check_begun())
    }

    fn check_recovered(&mut self) -> Check {
        let node = self.node.as_ref().expect("runs");
        for id in self.ids() {
            let (last, seen) = (node.partition(id).seq(), self.observer.last_seen(id));
            if last < seen {
                return Err(at(
                    id,
                    seen,
                    format!("was seen and is lost: the log ends with {last}"),
                ));
            }
        }
        for part in node.node().recovery() {
            let fault = match part.snapshot_seq {
                Seq(0) => Fault::RestartFromLog,
                _ => Fault::RestartFromSnapshot,
            };
            self.counts.add(fault);
        }
        if self.crashes > 0 && !self.disk.has_plan() {
            self.experiment()?;
        }
        Ok(())
    }

    /// On copies of the disk: other ways to start, and damage that must not pass.
    fn experiment(&mut self) -> Check {
        let node = self.node.as_ref().expect("runs");
        let mut random = self.random.fork();
        let mut trial = experiments::Trial {
            disk: &self.disk,
            config: &self.config,
            hooks: &self.hooks,
            node,
            observer: &self.observer,
            random: &mut random,
            counts: &mut self.counts,
        };
        trial.run()
    }

    /// All of this life's first entries are durable: everything is as it was.
    fn check_begun(&mut self) -> Check {
        if self.disk.is_dead() {
            return Ok(());
        }
        let node = self.node.as_ref().expect("runs");
        for id in self.ids() {
            let learn = learner(&mut self.workload, &mut self.ward, &mut self.counts);
            self.observer.read_again(node, id, learn)?;
            self.observer.shadow(&self.disk, id)?;
            self.observer.compare_state(node.partition(id))?;
        }
        self.check_ward()
    }

    /// Who is quarantined is what events said.
    fn check_ward(&self) -> Check {
        self.ward.check()?;
        let node = self.node.as_ref().expect("runs");
        let held = self.ids().flat_map(|id| node.partition(id).quarantined());
        let held: BTreeSet<_> = held.map(|quarantined| quarantined.component).collect();
        let told = self.ward.quarantined();
        if held == *told { Ok(()) } else { Err(format!("{held:?} quarantined, told {told:?}")) }
    }

    /// Faults cease; everything becomes quiet and consistent.
    pub(super) fn calm_down(&mut self) -> Check {
        self.network.set_faulty(false);
        self.disk.plan(|plan| *plan = crate::disk::Plan::default());
        self.stalled.fill(0);
        self.unpublished.fill(0);
        self.clock_stalled = 0;
        if self.disk.is_dead() {
            self.crash("at once")?;
        }
        self.become_quiet()?;
        if self.flaw.is_some() {
            self.upgrade()?;
        }
        for component in self.ward.quarantined().clone() {
            self.release_at_last(component)?;
        }
        self.become_quiet()?;
        match self.ward.quarantined().first() {
            None => self.end(),
            Some(component) => {
                Err(format!("{component} is still quarantined under a mended binary"))
            }
        }
    }

    /// Room comes by itself: there may be none while events of the load before are still to be written.
    fn release_at_last(&mut self, component: Component) -> Check {
        for _ in 0..2_000 {
            if self.release(component) {
                return Ok(());
            }
            self.tick()?;
        }
        Err(format!("no room to ask for the release of {component}"))
    }

    /// Until nothing is to be done. What waits for a component in quarantine may go on waiting.
    fn become_quiet(&mut self) -> Check {
        for _ in 0..2_000 {
            self.ask_treasury()?;
            self.tick()?;
            // The treasury, or what it says to a slot, may wait for a release.
            let is_asked = self.treasury.is_empty() || !self.ward.quarantined().is_empty();
            if is_asked && self.is_quiet() {
                return Ok(());
            }
        }
        Err("faults ceased, but the exchange does not become quiet".to_owned())
    }

    /// An orderly end, then the mended binary.
    fn upgrade(&mut self) -> Check {
        self.stop()?;
        self.counts.add(Fault::OrderlyRestart);
        self.run_with(None);
        self.node = None;
        self.network.crash();
        self.restart()
    }

    fn stop(&mut self) -> Check {
        let failed = |error| format!("the orderly end failed: {error}");
        self.node().seal().map_err(failed)?;
        for id in self.ids() {
            self.follow(id)?;
            // Before a last snapshot may remove what it covers.
            self.observer.shadow(&self.disk, id)?;
        }
        self.node().stop().map_err(failed)
    }

    fn is_quiet(&self) -> bool {
        let node = self.node.as_ref().expect("runs");
        let is_idle = |id| !node.has_work(id);
        self.network.is_quiet() && self.ids().all(is_idle) && self.audit() == Ok(true)
    }

    /// An orderly end, and a last look at everything.
    fn end(&mut self) -> Check {
        self.stop()?;
        let node = self.node.as_ref().expect("runs");
        for id in self.ids() {
            self.observer.read_late(node, id)?;
            self.observer.shadow(&self.disk, id)?;
            self.observer.compare_state(node.partition(id))?;
            for peer in self.ids() {
                let (sent, received) =
                    (node.partition(id).sent_to(peer), node.partition(peer).received_from(id));
                if sent != received {
                    return Err(format!("{id} sent {sent} messages to {peer}, it has {received}"));
                }
            }
            let left = node.partition(id).outbox_len();
            if left > 0 {
                return Err(format!("partition {id}: {left} messages are not acknowledged"));
            }
        }
        self.observer.check_answers()?;
        self.node = None;
        self.disk.power_loss();
        self.restart()?;
        let reports = self.node().node().recovery();
        if reports.iter().any(|report| !report.sealed || report.torn.is_some()) {
            return Err("a log that was sealed is not".to_owned());
        }
        Ok(())
    }
}
