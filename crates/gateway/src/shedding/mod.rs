//! Admission in front of everything: what is refused at once while requests wait.
//!
//! Under more load than the machine can carry, requests wait where nobody sees them: in sockets, and for a
//! turn on one of the server's threads. So the gateway measures the wait itself ([`probe`]), and one number
//! follows it, the *level*: it rises while even the luckiest of some probes waited too long, and falls
//! slowly when one did not. The level says how much of each class is refused, in this order:
//!
//! ```text
//! 0 to 1     a growing share of what everybody may read
//! 1 to 2     all of that, and a share of what accounts read
//! 2 to 3     all reads, and a share of orders
//! ```
//!
//! *Invariants:* cancels are never refused here, nor what protects an account or concerns the operator.
//! What is refused was not begun: no signature is verified, no limit charged, no body read.

mod kind;
mod level;

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use types::RejectCode;

pub(crate) use kind::Kind;
use level::{FULL, Level};

use crate::error::ApiError;
use crate::http::metrics::header;

/// How often the wait is measured.
const PERIOD: Duration = Duration::from_millis(5);

/// What a refused client is told.
const WHY: &str = "The exchange is overloaded and refuses reads first, then orders, cancels never; \
                   nothing was done.";

/// Decides what is refused.
pub(crate) struct Shedding {
    control: Mutex<Level>,
    /// That of `control`, for everybody to read.
    level: AtomicU32,
    /// What the last probe waited, in microseconds.
    lag: AtomicU64,
    classes: [Shed; Kind::SHED.len()],
    /// Whether a test decides what the waits are.
    #[cfg(test)]
    is_told: std::sync::atomic::AtomicBool,
}

/// What was refused of a class.
#[derive(Default)]
struct Shed {
    /// Sum of the shares, in thousandths: each time it passes a whole number, one is refused.
    due: AtomicU64,
    count: AtomicU64,
}

impl Shedding {
    /// Refuses while waits are above `target`; never if that is zero.
    pub(crate) fn new(target: Duration) -> Self {
        Self {
            control: Mutex::new(Level::new(target)),
            level: AtomicU32::new(0),
            lag: AtomicU64::new(0),
            classes: Default::default(),
            #[cfg(test)]
            is_told: false.into(),
        }
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// [`RejectCode::Overloaded`]: nothing of it may be begun.
    pub(crate) fn admit(&self, kind: Kind) -> Result<(), ApiError> {
        let level = self.level.load(Ordering::Relaxed);
        if level == 0 {
            return Ok(());
        }
        let Some(at) = Kind::SHED.iter().position(|&shed| shed == kind) else { return Ok(()) };
        let share = level.saturating_sub(at as u32 * FULL).min(FULL).into();
        let (class, full) = (&self.classes[at], u64::from(FULL));
        // Spread evenly, without a random number.
        if class.due.fetch_add(share, Ordering::Relaxed) % full + share < full {
            return Ok(());
        }
        class.count.fetch_add(1, Ordering::Relaxed);
        Err(ApiError::from(RejectCode::Overloaded).detail(WHY))
    }

    /// A probe waited so long for its turn.
    fn probed(&self, lag: Duration) {
        #[cfg(test)]
        if self.is_told.load(Ordering::Relaxed) {
            return;
        }
        self.note(lag);
    }

    fn note(&self, lag: Duration) {
        self.lag.store(lag.as_micros() as u64, Ordering::Relaxed);
        let level = self.control.lock().note(lag);
        self.level.store(level, Ordering::Relaxed);
    }

    /// Appends the figures in the Prometheus text format.
    pub(crate) fn render(&self, out: &mut String) {
        let name = "outcry_shed_total";
        header(out, name, "counter", "Requests refused since requests had to wait, by class.");
        for (kind, class) in Kind::SHED.iter().zip(&self.classes) {
            let count = class.count.load(Ordering::Relaxed);
            let _ = writeln!(out, "{name}{{class=\"{}\"}} {count}", kind.name());
        }
        let level = f64::from(self.level.load(Ordering::Relaxed)) / f64::from(FULL);
        let name = "outcry_shed_level";
        header(
            out,
            name,
            "gauge",
            "How much is refused: 1 all public reads, 2 all reads, 3 orders too.",
        );
        let _ = writeln!(out, "{name} {level}");
        let (name, lag) = ("outcry_lag_seconds", self.lag.load(Ordering::Relaxed));
        header(out, name, "gauge", "What the last probe waited for its turn in the gateway.");
        let _ = writeln!(out, "{name} {}", lag as f64 / 1e6);
    }

    /// From now on, and as if nothing had been before, waits are what a test says.
    #[cfg(test)]
    pub(crate) fn tell(&self, waits: &[Duration]) {
        self.is_told.store(true, Ordering::Relaxed);
        self.control.lock().forget();
        self.level.store(0, Ordering::Relaxed);
        waits.iter().for_each(|&wait| self.note(wait));
    }
}

/// Measures for ever how long a task that is ready waits for its turn, the timer's millisecond included.
pub(crate) async fn probe(shedding: Arc<Shedding>) {
    loop {
        let due = Instant::now() + PERIOD;
        tokio::time::sleep_until(due.into()).await;
        back_of_the_queue().await;
        shedding.probed(due.elapsed());
    }
}

/// Waits behind every task that this worker has. What a timer or a socket wakes last runs first, so that the timer
/// alone tells nothing of the queue; a task that wakes itself while it runs goes to its end.
async fn back_of_the_queue() {
    let mut has_waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests;
