//! A session with the exchange that waits for each answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use node::{Exchange, Reply, ReplySink};
use parking_lot::Mutex;
use types::{Event, RejectCode, ReplyTo, Request, Timestamp};

use crate::exit::{Failure, Status};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request at a time.
pub struct Session {
    exchange: Arc<dyn Exchange>,
    session: u64,
    last_token: AtomicU64,
    answers: Mutex<Receiver<(u64, Vec<Event>)>>,
}

struct Sink(Sender<(u64, Vec<Event>)>);

impl ReplySink for Sink {
    fn deliver(&self, reply: Reply<'_>) {
        // The session may be gone.
        let _ = self.0.send((reply.to.token, reply.events.to_vec()));
    }
}

impl Session {
    /// Opens a session.
    pub fn open(exchange: Arc<dyn Exchange>) -> Self {
        let (sender, receiver) = channel();
        let session = exchange.open_session(Arc::new(Sink(sender)));
        Self { exchange, session, last_token: AtomicU64::new(0), answers: Mutex::new(receiver) }
    }

    /// Asks, and waits for the answer and what follows it in its entry. While the exchange has no
    /// room it is asked again.
    pub fn ask(&self, request: &Request) -> Result<Vec<Event>, Failure> {
        let token = self.last_token.fetch_add(1, Ordering::Relaxed) + 1;
        let reply = ReplyTo::new(self.session, token);
        let deadline = Instant::now() + PATIENCE;
        while let Err(code) = self.exchange.submit(reply, Timestamp(u64::MAX), request.clone()) {
            if code != RejectCode::Overloaded || Instant::now() > deadline {
                return Err(Failure::new(Status::Software, format_args!("demo: {code}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let answers = self.answers.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match answers.recv_timeout(left) {
                Ok((answered, events)) if answered == token => return Ok(events),
                Ok(_) => {}
                Err(_) => return Err(Failure::new(Status::Software, "demo: no answer in time")),
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.exchange.close_session(self.session);
    }
}
