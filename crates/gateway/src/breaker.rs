//! Whether to ask something that the gateway depends on, after it has failed.
//!
//! ```text
//! closed     it is asked
//! open       it failed several times in a row: for a pause nobody asks it
//! half open  the pause is over: one request asks, and its luck decides for all
//! ```
//!
//! So what fails slowly holds up a few requests and one in each pause, not all of them.
//!
//! Breakers of the shelf wrap futures and their errors; here one verdict is of a blocking call and the
//! other of a script's answer, and metrics want to see the state. That is most of what follows.

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::http::metrics::header;

/// Guards one dependency.
pub(crate) struct Breaker {
    name: &'static str,
    /// Failures in a row that open it.
    most_failures: u32,
    pause: Duration,
    state: Mutex<State>,
    opened: AtomicU64,
    /// Times that it was not asked.
    spared: AtomicU64,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// While it is open or half open: when the pause ends or ended.
    closed_at: Option<Instant>,
    is_probed: bool,
}

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The dependency is asked.
    Closed,
    /// It is not.
    Open,
    /// The next request asks it.
    HalfOpen,
}

impl Standing {
    /// As `/readyz` has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Closed => "well",
            Self::Open => "failing: it is left alone for a moment",
            Self::HalfOpen => "failing: it is tried again",
        }
    }
}

/// Leave to ask once. One that is dropped without a verdict decides nothing.
pub(crate) struct Leave<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// A closed one, which `most_failures` in a row open for `pause`.
    pub(crate) fn new(name: &'static str, most_failures: u32, pause: Duration) -> Self {
        Self {
            name,
            most_failures,
            pause,
            state: Mutex::default(),
            opened: AtomicU64::new(0),
            spared: AtomicU64::new(0),
        }
    }

    /// Leave to ask.
    ///
    /// # Errors
    /// After how long to try again.
    pub(crate) fn leave(&self) -> Result<Leave<'_>, Duration> {
        let mut state = self.state.lock();
        let Some(closed_at) = state.closed_at else {
            return Ok(Leave { breaker: self, is_probe: false });
        };
        let wait = closed_at.saturating_duration_since(Instant::now());
        if wait.is_zero() && !state.is_probed {
            state.is_probed = true;
            return Ok(Leave { breaker: self, is_probe: true });
        }
        self.spared.fetch_add(1, Ordering::Relaxed);
        Err(wait)
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        match self.state.lock().closed_at {
            None => Standing::Closed,
            Some(at) if at > Instant::now() => Standing::Open,
            Some(_) => Standing::HalfOpen,
        }
    }

    /// What it guards.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl Leave<'_> {
    /// It answered.
    pub(crate) fn succeeded(self) {
        let mut state = self.breaker.state.lock();
        if state.closed_at.is_none() {
            state.failures = 0;
        } else if self.is_probe {
            *state = State::default();
            tracing::info!("{} answers again", self.breaker.name);
        }
    }

    /// It did not.
    pub(crate) fn failed(self, why: impl Display) {
        let breaker = self.breaker;
        let mut state = breaker.state.lock();
        state.failures = state.failures.saturating_add(1);
        let opens = state.closed_at.is_none() && state.failures >= breaker.most_failures;
        if opens {
            let name = breaker.name;
            tracing::warn!("{name} does not answer ({why}): it is left alone for a while");
            breaker.opened.fetch_add(1, Ordering::Relaxed);
        }
        if opens || self.is_probe {
            state.closed_at = Some(Instant::now() + breaker.pause);
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state.lock().is_probed = false;
        }
    }
}

/// Appends the figures of breakers.
pub(crate) fn render<'a>(breakers: impl Iterator<Item = &'a Breaker> + Clone, out: &mut String) {
    let name = "outcry_dependency_open";
    header(out, name, "gauge", "Whether a dependency is left alone: 1, or 0.5 if it is tried.");
    for breaker in breakers.clone() {
        let open = match breaker.standing() {
            Standing::Closed => "0",
            Standing::Open => "1",
            Standing::HalfOpen => "0.5",
        };
        let _ = writeln!(out, "{name}{{dependency=\"{}\"}} {open}", breaker.name);
    }
    type Count = fn(&Breaker) -> &AtomicU64;
    let counters: [(_, _, Count); 2] = [
        ("outcry_dependency_opened_total", "Times that a dependency was given up.", |b| &b.opened),
        ("outcry_dependency_spared_total", "Calls that were not made of it.", |b| &b.spared),
    ];
    for (name, help, count) in counters {
        header(out, name, "counter", help);
        for breaker in breakers.clone() {
            let count = count(breaker).load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}{{dependency=\"{}\"}} {count}", breaker.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_PAUSE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(3_600);

    fn fail(breaker: &Breaker) {
        breaker.leave().expect("leave").failed("it is down");
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_starts_anew() {
        let breaker = Breaker::new("redis", 3, LONG);
        for _ in 0..5 {
            fail(&breaker);
            fail(&breaker);
            breaker.leave().ok().unwrap().succeeded();
        }
        assert_eq!(breaker.standing(), Standing::Closed);
        (0..3).for_each(|_| fail(&breaker));
        assert_eq!(breaker.standing(), Standing::Open);
        assert!(breaker.leave().is_err_and(|wait| wait > Duration::from_secs(3_000)));
    }

    #[test]
    fn after_the_pause_one_request_tries_and_decides() {
        let breaker = Breaker::new("redis", 1, NO_PAUSE);
        fail(&breaker);
        assert_eq!(breaker.standing(), Standing::HalfOpen);
        let probe = breaker.leave().ok().unwrap();
        assert!(breaker.leave().is_err(), "one at a time");
        probe.failed("still down");
        let probe = breaker.leave().ok().unwrap();
        drop(probe);
        assert_eq!(breaker.standing(), Standing::HalfOpen, "no verdict");
        breaker.leave().ok().unwrap().succeeded();
        assert_eq!(breaker.standing(), Standing::Closed);
        let mut text = String::new();
        render([&breaker].into_iter(), &mut text);
        assert!(text.contains("outcry_dependency_opened_total{dependency=\"redis\"} 1"), "{text}");
        assert!(text.contains("outcry_dependency_spared_total{dependency=\"redis\"} 1"), "{text}");
    }

    #[test]
    fn a_failure_that_was_on_its_way_when_it_opened_does_not_lengthen_the_pause() {
        let breaker = Breaker::new("redis", 1, NO_PAUSE);
        let late = [breaker.leave().ok().unwrap(), breaker.leave().ok().unwrap()];
        fail(&breaker);
        let closed_at = breaker.state.lock().closed_at;
        for (leave, succeeds) in late.into_iter().zip([true, false]) {
            if succeeds { leave.succeeded() } else { leave.failed("late") }
        }
        assert_eq!(breaker.state.lock().closed_at, closed_at);
    }
}
