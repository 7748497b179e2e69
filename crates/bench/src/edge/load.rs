//! A closed loop of clients on one thread, and the window of time in which it is measured.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use super::http::Key;
use super::process::Process;
use crate::report::{histogram, thread_time};

const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(8);

/// What is asked of a server.
pub struct Plan {
    /// Tells runs on the same exchange apart, in client order ids.
    pub run: &'static str,
    /// Whom to connect to.
    pub address: SocketAddr,
    /// One for each connection.
    pub keys: Vec<Key>,
    /// Clients, a connection each.
    pub connections: usize,
    /// Requests that each client has under way.
    pub in_flight: usize,
    /// How long a client does nothing between requests.
    pub pause: Duration,
}

/// What came of it.
pub struct Load {
    /// Answered requests a second.
    pub rate: f64,
    /// Nanoseconds from before a request is written until its answer has been read and checked.
    pub latencies: Histogram<u64>,
    /// Microseconds of processor time of the server for each request.
    pub server_micros: f64,
    /// The same of the generator.
    pub generator_micros: f64,
    /// Cancels that came after their order had been filled, in percent of all requests.
    pub late_percent: f64,
}

/// Where clients count what they did.
pub struct Window {
    phase: Cell<Phase>,
    latencies: RefCell<Histogram<u64>>,
    /// Of the whole run, to compare with the late cancels.
    answers: Cell<u64>,
    late_cancels: Cell<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

impl Window {
    /// Whether to go on asking.
    pub fn is_open(&self) -> bool {
        self.phase.get() != Phase::Over
    }

    /// An answer that was checked.
    pub fn count(&self, latency: Duration) {
        self.answers.update(|count| count + 1);
        if self.phase.get() == Phase::Measured {
            self.latencies.borrow_mut().saturating_record(latency.as_nanos() as u64);
        }
    }

    /// At the end of a client.
    pub fn count_late_cancels(&self, count: u64) {
        self.late_cancels.update(|all| all + count);
    }
}

/// Runs the clients of `plan` against `server`.
///
/// # Panics
/// When a client does: with the first answer that is wrong.
pub fn run<F>(server: &Process, plan: Plan, client: fn(Rc<Plan>, usize, Rc<Window>) -> F) -> Load
where
    F: Future<Output = ()> + 'static,
{
    let window = Rc::new(Window {
        phase: Cell::new(Phase::WarmUp),
        latencies: RefCell::new(histogram()),
        answers: Cell::new(0),
        late_cancels: Cell::new(0),
    });
    let plan = Rc::new(plan);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (seconds, server_time, own_time) =
        LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let spawn = |n| tokio::task::spawn_local(client(plan.clone(), n, window.clone()));
            let clients: Vec<_> = (0..plan.connections).map(spawn).collect();
            let spent = measure(server, &window).await;
            for client in clients {
                client.await.expect("a client whose answers were all right");
            }
            spent
        });
    let latencies = window.latencies.borrow().clone();
    let count = latencies.len() as f64;
    Load {
        rate: count / seconds.as_secs_f64(),
        server_micros: server_time.as_secs_f64() * 1e6 / count,
        generator_micros: own_time.as_secs_f64() * 1e6 / count,
        late_percent: 100.0 * window.late_cancels.get() as f64 / window.answers.get() as f64,
        latencies,
    }
}

/// Opens and closes the window; wall time, the server's and this thread's processor time in between.
async fn measure(server: &Process, window: &Window) -> (Duration, Duration, Duration) {
    tokio::time::sleep(WARM_UP).await;
    let before = (Instant::now(), server.processor_time(), thread_time());
    window.phase.set(Phase::Measured);
    tokio::time::sleep(MEASURED).await;
    window.phase.set(Phase::Over);
    (before.0.elapsed(), server.processor_time() - before.1, thread_time() - before.2)
}
