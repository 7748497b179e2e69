//! How requests travel. A lane is a queue of requests that are due and those who carry them: HTTP connections, or the
//! socket of a maker. A request that waits here is waited for: latency counts from when it was due.

mod http;
mod message;
mod private;
mod socket;
mod streams;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::request::{Class, Job};

pub(crate) use http::carry_http;
pub(crate) use private::listen_privately;
pub(crate) use socket::carry_socket;
pub(crate) use streams::{Churn, keep_book, listen};

/// Connections of orders, cancels and reads over HTTP, opened when they are needed: so many that users hardly wait for
/// each other.
pub(crate) const HTTP_CONNECTIONS: [usize; 3] = [256, 256, 128];

/// A queue of requests.
#[derive(Default)]
pub(crate) struct Lane {
    waiting: RefCell<VecDeque<Job>>,
    notify: Notify,
    /// Requests that were taken, by whoever carries them.
    taken: Cell<u64>,
}

impl Lane {
    pub(crate) fn push(&self, job: Job) {
        self.waiting.borrow_mut().push_back(job);
        self.notify.notify_one();
    }

    /// The next request. Cancel safe.
    async fn next(&self) -> Job {
        loop {
            if let Some(job) = self.waiting.borrow_mut().pop_front() {
                self.taken.update(|count| count + 1);
                return job;
            }
            self.notify.notified().await;
        }
    }
}

/// All lanes to an exchange.
pub(crate) struct Lanes {
    pub(crate) address: SocketAddr,
    /// By class.
    pub(crate) http: [Rc<Lane>; 3],
    /// Of users with sockets: orders, cancels. A maker keeps a socket for cancels, so that they never wait behind its orders.
    pub(crate) sockets: Vec<Option<[Rc<Lane>; 2]>>,
    /// Of those who listen to market data for others.
    pub(crate) churn: Vec<Rc<Churn>>,
}

impl Lanes {
    /// The way of a request.
    pub(crate) fn push(&self, job: Job) {
        let class = job.want.class();
        match (&self.sockets[job.user], class) {
            (Some([orders, _]), Class::Place) => orders.push(job),
            (Some([_, cancels]), Class::Cancel) => cancels.push(job),
            _ => self.http[class as usize].push(job),
        }
    }
}
