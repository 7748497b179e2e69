//! One client of the exchange: what it asks next, and whether what it is answered is right.

use std::fmt::Write;

use serde::Deserialize;
use types::Side;

use crate::flow::{Limit, Mix, Step};

/// Orders that a client keeps open: about a thousand of 64 clients, as in the other layers.
const LIVE_ORDERS: usize = 16;

/// What a client is answered that may ask again.
const OVERLOADED: &str = "Overloaded";
const TOO_MANY_OPEN: &str = "TooManyOpenOrders";

/// What a client asks.
pub enum Action {
    /// A limit order under a name of its own.
    Place { client_order_id: String, limit: Limit },
    /// The end of an order that was open when it was last heard of.
    Cancel { order: u64 },
}

/// What the exchange did, as far as it is checked. Of an order that was placed with others it shows name and status
/// beside the id, and of one that was placed alone within `order`.
#[derive(Deserialize)]
pub struct Done<'a> {
    id: u64,
    #[serde(default)]
    repeated: bool,
    #[serde(borrow)]
    order: Option<Order<'a>>,
    client_order_id: Option<&'a str>,
    status: Option<&'a str>,
}

#[derive(Clone, Copy, Deserialize)]
struct Order<'a> {
    client_order_id: Option<&'a str>,
    status: &'a str,
}

impl<'a> Done<'a> {
    fn placed(&self) -> Option<Order<'a>> {
        let beside = || Some(Order { client_order_id: self.client_order_id, status: self.status? });
        self.order.or_else(beside)
    }
}

/// Why it did not.
#[derive(Debug, Deserialize)]
pub struct Refusal {
    code: String,
}

/// A client with an account of its own.
pub struct Trader {
    number: usize,
    mix: Mix,
    live: Vec<u64>,
    sent: u64,
    /// Answers that were right.
    pub answers: u64,
    /// Of these: that the exchange has too much to do.
    pub refused: u64,
    /// Cancels of orders that had been filled before they came.
    pub late_cancels: u64,
}

impl Trader {
    /// The client `number`, with a seed of its own in each run.
    pub fn new(run: &str, number: usize) -> Self {
        let seed = run.bytes().fold(number as u64 + 1, |seed, byte| seed * 31 + u64::from(byte));
        let mix = Mix::new(seed);
        Self { number, mix, live: Vec::new(), sent: 0, answers: 0, refused: 0, late_cancels: 0 }
    }

    /// What to ask next; `run` tells orders of several runs on the same exchange apart.
    pub fn next_action(&mut self, run: &str) -> Action {
        self.sent += 1;
        match self.mix.next_step(self.live.len() > LIVE_ORDERS) {
            Step::Cancel => {
                let at = self.mix.below(self.live.len() as u64) as usize;
                Action::Cancel { order: self.live.swap_remove(at) }
            }
            Step::Place(limit) => {
                let client_order_id = format!("{run}-{}-{}", self.number, self.sent);
                Action::Place { client_order_id, limit }
            }
        }
    }

    /// Takes an answer.
    ///
    /// # Panics
    /// When it is not what the exchange has to answer: a figure that counts errors is worth nothing.
    pub fn answered(&mut self, action: &Action, answer: Result<Done<'_>, Refusal>) {
        self.answers += 1;
        match (action, answer) {
            (Action::Place { client_order_id, limit }, Ok(done)) => {
                let order = done.placed().expect("a placed order is shown");
                assert_eq!(order.client_order_id, Some(client_order_id.as_str()));
                assert!(done.id > 0 && !done.repeated);
                match order.status {
                    "open" | "partially_filled" if limit.rests => self.live.push(done.id),
                    "filled" => {}
                    "cancelled" if !limit.rests => {}
                    other => panic!("{client_order_id} is {other}"),
                }
            }
            (Action::Cancel { order }, Ok(done)) => assert_eq!(done.id, *order),
            (Action::Cancel { .. }, Err(refusal)) if refusal.code == "UnknownOrder" => {
                self.late_cancels += 1;
            }
            // More came than the queue takes, as it may in an open loop.
            (Action::Cancel { order }, Err(refusal)) if refusal.code == OVERLOADED => {
                self.refused += 1;
                self.live.push(*order);
            }
            // The same, or cancels stand so far behind it that no more orders may be open.
            (Action::Place { .. }, Err(refusal))
                if [OVERLOADED, TOO_MANY_OPEN].contains(&refusal.code.as_str()) =>
            {
                self.refused += 1;
            }
            (_, Err(refusal)) => panic!("refused: {}", refusal.code),
        }
    }
}

impl Limit {
    /// The fields of a new order, as JSON without the braces: ticks are 0.01, lots 0.00001.
    pub fn write_fields(&self, client_order_id: &str, out: &mut String) {
        let side = if self.side == Side::Buy { "buy" } else { "sell" };
        let time_in_force = if self.rests { "gtc" } else { "ioc" };
        let (units, cents) = (self.price / 100, self.price % 100);
        let quantity = self.quantity;
        write!(
            out,
            r#""market":"BTC-USDT","side":"{side}","type":"limit","price":"{units}.{cents:02}","quantity":"0.{quantity:05}","time_in_force":"{time_in_force}","client_order_id":"{client_order_id}""#,
        )
        .expect("a string takes everything");
    }
}
