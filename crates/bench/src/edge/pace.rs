//! When a client asks: after an answer (closed loop), or when it is due, whoever waits (open loop).
//!
//! In the open loop requests are due at even intervals, to one client after the other. A client whose turn comes while
//! it still waits for an answer asks late; its time counts from when it should have asked. So a server that stalls is
//! asked no less, and the stall shows in all requests that fell into it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::report::histogram;

/// About how late a turn may be given.
const TICK: Duration = Duration::from_micros(100);

/// The time in which requests are counted, and what they took.
pub struct Window {
    from: Instant,
    until: Instant,
    latencies: RefCell<Histogram<u64>>,
}

impl Window {
    /// Requests are counted that are due after `warm_up` and within `measured` from then.
    pub fn new(warm_up: Duration, measured: Duration) -> Self {
        let from = Instant::now() + warm_up;
        Self { from, until: from + measured, latencies: RefCell::new(histogram()) }
    }

    /// Whether to go on asking.
    pub fn is_open(&self) -> bool {
        Instant::now() < self.until
    }

    /// An answer, that was checked, to a request that was due then.
    pub fn count(&self, due: Instant) {
        self.count_all(due, 1);
    }

    /// The same of `number` orders of one request.
    pub fn count_all(&self, due: Instant, number: u64) {
        if (self.from..self.until).contains(&due) {
            let nanos = due.elapsed().as_nanos() as u64;
            self.latencies.borrow_mut().saturating_record_n(nanos, number);
        }
    }

    /// Nanoseconds of all that were counted.
    pub fn latencies(&self) -> Histogram<u64> {
        self.latencies.borrow().clone()
    }
}

/// Tells a client when to ask.
pub enum Turns {
    /// As soon as fewer than so many of its requests are under way.
    Closed { in_flight: usize },
    /// When it is told.
    Open(UnboundedReceiver<Instant>),
}

impl Turns {
    /// The time at which a request is due that can be sent now; none if there is none yet, or any more.
    pub fn now(&mut self, under_way: usize, window: &Window) -> Option<Instant> {
        match self {
            Self::Closed { in_flight } => {
                (under_way < *in_flight && window.is_open()).then(Instant::now)
            }
            Self::Open(turns) => turns.try_recv().ok(),
        }
    }

    /// Waits for a turn that comes without an answer; none if there will be none.
    pub async fn later(&mut self) -> Option<Instant> {
        match self {
            Self::Closed { .. } => None,
            Self::Open(turns) => turns.recv().await,
        }
    }
}

/// The turns of so many clients: of `rate` requests a second by all of them together, or of a closed loop.
pub fn turns(clients: usize, in_flight: usize, rate: Option<f64>, window: &Window) -> Vec<Turns> {
    let Some(rate) = rate else {
        return (0..clients).map(|_| Turns::Closed { in_flight }).collect();
    };
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..clients).map(|_| unbounded_channel()).unzip();
    let until = window.until;
    // A thread, since timers of the runtime count milliseconds.
    std::thread::spawn(move || pace(rate, &senders, until));
    receivers.into_iter().map(Turns::Open).collect()
}

fn pace(rate: f64, clients: &[UnboundedSender<Instant>], until: Instant) {
    let start = Instant::now();
    for nth in 0_u64.. {
        let due = start + Duration::from_secs_f64(nth as f64 / rate);
        if due >= until {
            return;
        }
        while Instant::now() < due {
            std::thread::sleep(TICK);
        }
        let client = nth as usize % clients.len();
        if clients[client].send(due).is_err() {
            return; // The run has failed.
        }
    }
}
