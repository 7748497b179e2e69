//! Clients on one thread, and what their requests take them, the server and the generator.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use super::http::Key;
use super::pace::{Turns, Window, turns};
use super::trader::Trader;
use crate::process::Process;
use crate::report::thread_time;

const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(8);

/// What is asked of a server.
pub struct Plan {
    /// Tells runs on the same exchange apart, in client order ids.
    pub run: String,
    /// Whom to connect to.
    pub address: SocketAddr,
    /// One for each connection.
    pub keys: Vec<Key>,
    /// Clients, a connection each.
    pub connections: usize,
    /// Requests that each client has under way in a closed loop.
    pub in_flight: usize,
    /// Requests a second of all clients, in an open loop; none: a closed loop.
    pub rate: Option<f64>,
    /// How long a client does nothing after an answer.
    pub pause: Duration,
}

/// What came of it.
pub struct Load {
    /// Answered requests a second.
    pub rate: f64,
    /// Nanoseconds from when a request was due until its answer has been read and checked; in a closed loop it is due
    /// when it is about to be written.
    pub latencies: Histogram<u64>,
    /// Microseconds of processor time of the server for each request.
    pub server_micros: f64,
    /// The same of the generator.
    pub generator_micros: f64,
    /// Cancels that came after their order had been filled, in percent of all requests.
    pub late_percent: f64,
    /// Requests that were refused since the exchange had too much to do, in percent of all.
    pub refused_percent: f64,
}

/// One client of a run.
pub struct Client {
    /// What the run is about.
    pub plan: Rc<Plan>,
    /// From zero.
    pub number: usize,
    /// When it asks.
    pub turns: Turns,
    /// Where it counts answers.
    pub window: Rc<Window>,
    /// Where it counts all answers and late cancels at its end.
    pub totals: Rc<Totals>,
}

/// Of the whole run.
#[derive(Default)]
pub struct Totals {
    answers: Cell<u64>,
    late_cancels: Cell<u64>,
    refused: Cell<u64>,
}

impl Totals {
    /// At the end of a client.
    pub fn add(&self, trader: &Trader) {
        self.answers.update(|all| all + trader.answers);
        self.late_cancels.update(|all| all + trader.late_cancels);
        self.refused.update(|all| all + trader.refused);
    }

    fn percent(&self, some: &Cell<u64>) -> f64 {
        100.0 * some.get() as f64 / self.answers.get() as f64
    }
}

/// Runs the clients of `plan` against `server`.
///
/// # Panics
/// When a client does: with the first answer that is wrong.
pub fn run<F>(server: &Process, plan: Plan, client: fn(Client) -> F) -> Load
where
    F: Future<Output = ()> + 'static,
{
    let (plan, totals) = (Rc::new(plan), Rc::new(Totals::default()));
    let window = Rc::new(Window::new(WARM_UP, MEASURED));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (server_time, own_time) = LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let turns = turns(plan.connections, plan.in_flight, plan.rate, &window);
        let start = |(number, turns)| {
            let (plan, window, totals) = (plan.clone(), window.clone(), totals.clone());
            tokio::task::spawn_local(client(Client { plan, number, turns, window, totals }))
        };
        let clients: Vec<_> = (0..).zip(turns).map(start).collect();
        let spent = measure(server).await;
        for client in clients {
            client.await.expect("a client whose answers were all right");
        }
        spent
    });
    let latencies = window.latencies();
    let count = latencies.len() as f64;
    Load {
        rate: count / MEASURED.as_secs_f64(),
        server_micros: server_time.as_secs_f64() * 1e6 / count,
        generator_micros: own_time.as_secs_f64() * 1e6 / count,
        late_percent: totals.percent(&totals.late_cancels),
        refused_percent: totals.percent(&totals.refused),
        latencies,
    }
}

/// The server's and this thread's processor time while the window is open.
async fn measure(server: &Process) -> (Duration, Duration) {
    tokio::time::sleep(WARM_UP).await;
    let before = (Instant::now(), server.processor_time(), thread_time());
    tokio::time::sleep(MEASURED).await;
    // A generator that is busy wakes late.
    let share = MEASURED.as_secs_f64() / before.0.elapsed().as_secs_f64();
    let spent = (server.processor_time() - before.1, thread_time() - before.2);
    (spent.0.mul_f64(share), spent.1.mul_f64(share))
}
