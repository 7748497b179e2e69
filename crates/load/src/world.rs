//! What all tasks of a run share, on one thread: agents, lanes, figures, what is known. Answers come together here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use types::RejectCode;

use crate::agents::{Agent, Quote};
use crate::book::{Book, Touch};
use crate::checks::{Expected, Findings, Known, Told};
use crate::figures::{End, PhaseFigures, Seconds};
use crate::in_process::Engine;
use crate::lanes::Lanes;
use crate::request::{Job, Order, Want};
use crate::target::Market;

/// How long a user waits for an answer before it gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Refusals that a trader meets without doing anything wrong.
const FAIR: [&str; 7] = [
    "UnknownOrder",
    "WouldMatch",
    "NotFillable",
    "NoLiquidity",
    "InsufficientBalance",
    "BookFull",
    "TooManyLevels",
];
/// Nothing was done since the request had waited for longer than it is worth something.
const TOO_OLD: [&str; 2] = ["Expired", "TimestampOutsideWindow"];

/// How requests travel.
pub(crate) enum Way {
    /// Over HTTP and WebSocket.
    Sockets(Lanes),
    /// Straight into an engine.
    Engine(Rc<Engine>),
}

/// What the API tells with 429 or 503.
const TOO_MUCH: [RejectCode; 3] =
    [RejectCode::Overloaded, RejectCode::TooManyClientIds, RejectCode::TooManyOpenOrders];

/// Of a replacement these are said of the new order, when the old one has gone.
const OF_THE_NEW_ORDER: [&str; 2] = ["TooManyClientIds", "TooManyOpenOrders"];

/// A run.
pub(crate) struct World {
    pub(crate) market: Market,
    /// Requests are counted from then on.
    pub(crate) begin: Instant,
    pub(crate) agents: RefCell<Vec<Agent>>,
    pub(crate) book: RefCell<Book>,
    pub(crate) way: Way,
    pub(crate) phases: RefCell<Vec<PhaseFigures>>,
    pub(crate) seconds: RefCell<Seconds>,
    pub(crate) known: RefCell<Known>,
    /// Of makers' streams, by user.
    pub(crate) told: RefCell<Vec<Option<Told>>>,
    pub(crate) findings: RefCell<Findings>,
    /// Delays of messages of trades, from the exchange's clock to ours; on one machine they are the same.
    pub(crate) stream_delay: RefCell<hdrhistogram::Histogram<u64>>,
    /// Requests without an end so far.
    pub(crate) under_way: Cell<u64>,
}

/// An answer of the exchange, or what came instead.
pub(crate) enum Outcome {
    /// With this status.
    Answer {
        status: u16,
        /// What follows `result`, or the whole body over HTTP.
        body: Vec<u8>,
        /// The value of `Server-Timing`.
        timing: Option<String>,
    },
    /// An engine's answer.
    Heard(Heard),
    /// It was never sent: the user gave up before.
    NotSent,
    /// It was sent, and no answer came: why.
    NoAnswer(&'static str),
}

/// What an engine answered.
pub(crate) enum Heard {
    /// This order was placed.
    Placed(u64, Standing),
    /// The order was cancelled.
    Cancelled,
    /// Nothing was done.
    Refused(RejectCode),
    /// It is no answer to what was asked.
    Nonsense(String),
}

/// What became of an order by its own placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is in the book.
    Rests,
    Filled,
    Cancelled,
    /// A large order at the market may go on after its answer.
    GoesOn,
}

/// An answer to an order or a cancel, as far as it is looked at.
#[derive(Deserialize)]
struct Done<'a> {
    id: u64,
    #[serde(default)]
    repeated: bool,
    #[serde(borrow)]
    order: Option<Shown<'a>>,
}

#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    client_order_id: Option<std::borrow::Cow<'a, str>>,
    status: &'a str,
}

#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow)]
    error: Refusal<'a>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    code: &'a str,
}

impl World {
    /// Time since the begin.
    pub(crate) fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// The best prices, as far as agents can know.
    pub(crate) fn touch(&self) -> Touch {
        match &self.way {
            Way::Sockets(_) => self.book.borrow().touch(),
            Way::Engine(engine) => engine.touch(),
        }
    }

    /// Lets a request go, unless nobody could answer it.
    pub(crate) fn push(&self, job: Job) {
        match &self.way {
            Way::Sockets(lanes) => {
                self.began(&job);
                lanes.push(job);
            }
            Way::Engine(_) if matches!(job.want, Want::Read(_)) => {}
            Way::Engine(engine) => {
                self.began(&job);
                engine.push(self, job);
            }
        }
    }

    /// An agent's request begins.
    fn began(&self, job: &Job) {
        self.under_way.update(|count| count + 1);
        self.phases.borrow_mut()[job.phase].due(job.want.class());
        let due = job.due.saturating_duration_since(self.begin);
        self.seconds.borrow_mut().due(due, job.due.elapsed());
    }

    /// A request has ended, one way or another.
    pub(crate) fn ended(&self, job: &Job, outcome: Outcome) {
        self.under_way.update(|count| count - 1);
        let end = match outcome {
            Outcome::Answer { status, body, timing } => {
                if let Some(timing) = timing {
                    self.phases.borrow_mut()[job.phase].stages(&timing);
                }
                self.answered(job, status, &body)
            }
            Outcome::Heard(heard) => self.heard(job, heard),
            Outcome::NotSent => {
                self.undone(job);
                End::Failed("gave up before it was sent".to_owned())
            }
            Outcome::NoAnswer(why) => {
                self.unknown(job);
                End::Failed(why.to_owned())
            }
        };
        let (class, now) = (job.want.class(), self.now());
        let due = job.due.saturating_duration_since(self.begin);
        self.phases.borrow_mut()[job.phase].ended(class, &end, now.saturating_sub(due));
        self.seconds.borrow_mut().ended(class, &end, due, now);
    }

    fn answered(&self, job: &Job, status: u16, body: &[u8]) -> End {
        if status == 200 {
            self.done(job, body);
            return End::Done;
        }
        let code = match serde_json::from_slice::<Refused<'_>>(body) {
            Ok(refused) => refused.error.code.to_owned(),
            Err(_) => format!("status {status}"),
        };
        match status {
            429 | 503 => self.turned_away(job, code),
            500.. => {
                self.unknown(job);
                End::Failed(code)
            }
            _ => self.said_no(job, code),
        }
    }

    fn heard(&self, job: &Job, heard: Heard) -> End {
        match (heard, &job.want) {
            (Heard::Placed(order, standing), Want::Place(wanted)) if !wanted.probe => {
                self.acknowledged(job, wanted, order, standing);
            }
            (Heard::Placed(order, standing), Want::Replace { cancel, order: wanted }) => {
                self.known.borrow_mut().ended(job.user, *cancel, Expected::Cancelled);
                self.acknowledged(job, wanted, order, standing);
            }
            (Heard::Cancelled, Want::Cancel { order }) => {
                self.known.borrow_mut().ended(job.user, *order, Expected::Cancelled);
            }
            (Heard::Refused(code), _) if TOO_MUCH.contains(&code) => {
                return self.turned_away(job, code.to_string());
            }
            (Heard::Refused(code), _) => return self.said_no(job, code.to_string()),
            (Heard::Nonsense(answer), _) => self.wrong(job, answer.as_bytes()),
            (Heard::Placed(..) | Heard::Cancelled, _) => self.wrong(job, b"another kind of answer"),
        }
        End::Done
    }

    fn turned_away(&self, job: &Job, code: String) -> End {
        match job.want {
            Want::Replace { cancel, .. } if OF_THE_NEW_ORDER.contains(&code.as_str()) => {
                self.known.borrow_mut().may_have_ended(job.user, cancel);
            }
            _ => self.undone(job),
        }
        End::Shed(code)
    }

    fn said_no(&self, job: &Job, code: String) -> End {
        if TOO_OLD.contains(&code.as_str()) {
            return self.turned_away(job, code);
        }
        self.refused(job, &code);
        End::Refused(code)
    }

    /// The exchange did what was asked.
    fn done(&self, job: &Job, body: &[u8]) {
        match &job.want {
            Want::Read(_) => {
                if !body.starts_with(b"{") {
                    self.findings.borrow_mut().add("read", "an answer that is no object".into());
                }
            }
            Want::Cancel { order } => match serde_json::from_slice::<Done<'_>>(body) {
                Ok(done) if done.id == *order => {
                    self.known.borrow_mut().ended(job.user, *order, Expected::Cancelled);
                }
                _ => self.wrong(job, body),
            },
            Want::Place(order) => self.placed(job, order, body),
            Want::Replace { cancel, order } => {
                // With `stop` a placement means that the old order was cancelled before.
                let expected = Expected::Cancelled;
                self.known.borrow_mut().ended(job.user, *cancel, expected);
                self.placed(job, order, body);
            }
        }
    }

    fn placed(&self, job: &Job, order: &Order, body: &[u8]) {
        let Ok(done) = serde_json::from_slice::<Done<'_>>(body) else {
            return self.wrong(job, body);
        };
        let Some(shown) = done.order else { return self.wrong(job, body) };
        let is_mine = shown.client_order_id.as_deref() == Some(&order.client_order_id);
        if !is_mine || done.repeated || order.probe {
            return self.wrong(job, body);
        }
        let standing = match shown.status {
            "open" => Standing::Rests,
            "partially_filled" if order.rests() => Standing::Rests,
            "partially_filled" => Standing::GoesOn,
            "filled" => Standing::Filled,
            "cancelled" => Standing::Cancelled,
            _ => return self.wrong(job, body),
        };
        self.acknowledged(job, order, done.id, standing);
    }

    fn acknowledged(&self, job: &Job, order: &Order, id: u64, standing: Standing) {
        let mut known = self.known.borrow_mut();
        match standing {
            Standing::Rests => {
                known.rests(job.user, id);
                let ticks = order.ticks.unwrap_or_default();
                let quote = Quote { id, side: order.side, ticks };
                self.agents.borrow_mut()[job.user].open.push(quote);
            }
            Standing::Filled => known.ended_at_once(job.user, id, Expected::Filled),
            Standing::Cancelled => known.ended_at_once(job.user, id, Expected::Cancelled),
            Standing::GoesOn => known.ended_at_once(job.user, id, Expected::Ended),
        }
        if let Some(told) = &mut self.told.borrow_mut()[job.user] {
            told.acknowledged(id);
        }
    }

    /// The exchange said no.
    fn refused(&self, job: &Job, code: &str) {
        let is_probe = matches!(&job.want, Want::Place(order) if order.probe);
        match &job.want {
            // It was filled, or its replacement was refused after it had gone.
            Want::Cancel { order } if code == "UnknownOrder" => {
                self.known.borrow_mut().ended(job.user, *order, Expected::Ended);
            }
            Want::Replace { cancel, .. } if code == "UnknownOrder" => {
                self.known.borrow_mut().ended(job.user, *cancel, Expected::Ended);
            }
            Want::Replace { cancel, .. } => {
                self.known.borrow_mut().may_have_ended(job.user, *cancel);
            }
            Want::Cancel { order } => self.known.borrow_mut().may_have_ended(job.user, *order),
            Want::Place(_) | Want::Read(_) => {}
        }
        if !is_probe && !FAIR.contains(&code) {
            let text = format!("{code} for {:?}", job.want);
            self.findings.borrow_mut().add("refused without reason", text);
        }
        if is_probe {
            self.findings.borrow_mut().checked("bad orders refused", 1);
        }
    }

    /// Nothing was done: what the agent took for gone is still there.
    fn undone(&self, job: &Job) {
        if let Want::Cancel { order } | Want::Replace { cancel: order, .. } = job.want {
            let quote = Quote { id: order, side: types::Side::Buy, ticks: 0 };
            // It is cancelled again before all others, since no price is farther away.
            self.agents.borrow_mut()[job.user].open.insert(0, quote);
        }
    }

    /// Nobody knows what was done, until the audit.
    fn unknown(&self, job: &Job) {
        let mut known = self.known.borrow_mut();
        if let Want::Cancel { order } | Want::Replace { cancel: order, .. } = job.want {
            known.may_have_ended(job.user, order);
        }
        if let Want::Place(order) | Want::Replace { order, .. } = &job.want {
            known.unresolved.push((job.user, order.client_order_id.clone()));
        }
    }

    fn wrong(&self, job: &Job, body: &[u8]) {
        let text = format!("{} to {:?}", String::from_utf8_lossy(body), job.want);
        self.findings.borrow_mut().add("wrong answer", text);
    }
}
