//! The floor of a session: an exchange with four funded people, and their names.

use types::{AccountId, Command, Event, PartitionId, Timestamp};

use super::said::{said, state_word};
use super::treasury::Numbers;
use super::{commands, failures, treasury};
use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE};

/// Accounts 1 to 4, with a million atoms of base and of quote each.
pub const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const EACH: u128 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_DAY: u64 = 86_400 * NANOS_PER_SECOND;

pub struct Floor {
    pub exchange: Exchange,
    opened: Timestamp,
    numbers: Numbers,
}

impl Floor {
    pub fn new() -> Self {
        let mut exchange = Exchange::funded(1, 1, PEOPLE.len() as u32, EACH);
        exchange.append(PartitionId(0), Command::NewTerm { term: 1 });
        Self { opened: exchange.now, exchange, numbers: Numbers::default() }
    }

    /// Does what a line says, and tells what happened.
    pub fn play(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let events = match words[..] {
            ["book"] => return self.book(),
            ["funds", who] => return vec![self.funds(who)],
            ["house"] => return vec![self.house()],
            ["supply"] => return vec![self.supply()],
            ["quarantined"] => return self.quarantined(),
            ["bug", ref bug @ ..] => {
                let bug = failures::bug(bug);
                self.exchange.run_with(Some(bug.unwrap_or_else(|| panic!("no bug: {line}"))));
                return Vec::new();
            }
            ["mended"] => {
                self.exchange.run_with(None);
                return Vec::new();
            }
            ["at", seconds] => self.wait(self.time(number(seconds))),
            ["day", days] => self.wait(Timestamp(number(days) * NANOS_PER_DAY)),
            ["market"] => return vec![self.market()],
            ["stop"] => {
                self.exchange.append(PartitionId(0), Command::EndTerm);
                self.start()
            }
            ["crash"] => self.start(),
            ["later", seconds] => {
                self.exchange.now = self.exchange.now.max(self.time(number(seconds)));
                return Vec::new();
            }
            _ => {
                let request = treasury::request(&mut self.numbers, &words)
                    .or_else(|| failures::request(&words))
                    .or_else(|| commands::request(self, &words));
                let request = request.unwrap_or_else(|| panic!("not understood: {line}"));
                self.exchange.submit_quietly(request)
            }
        };
        self.exchange.assert_sound();
        events.iter().filter_map(|event| said(event, |at| self.seconds(at))).collect()
    }

    /// The end of a session: the log gives it again.
    pub fn close(&self) {
        self.exchange.assert_replays();
    }

    /// So many seconds after the opening.
    pub fn time(&self, seconds: u64) -> Timestamp {
        self.opened.saturating_add_nanos(seconds * NANOS_PER_SECOND)
    }

    /// Seconds since the opening, as people read them.
    fn seconds(&self, at: Timestamp) -> u64 {
        (at.0 - self.opened.0 + NANOS_PER_SECOND / 2) / NANOS_PER_SECOND
    }

    fn wait(&mut self, until: Timestamp) -> Vec<Event> {
        self.exchange.now = self.exchange.now.max(until);
        self.exchange.append(PartitionId(0), Command::Tick)
    }

    /// Another life of the node.
    fn start(&mut self) -> Vec<Event> {
        let term = self.exchange.partitions[0].term() + 1;
        self.exchange.append(PartitionId(0), Command::NewTerm { term })
    }

    /// The version of the market's definition.
    pub fn version(&self) -> u32 {
        let listed = self.exchange.partitions[0].definitions().market(FIRST_MARKET);
        listed.expect("it is listed").def.version
    }

    fn market(&self) -> String {
        let market = self.exchange.partitions[0].market(FIRST_MARKET).unwrap();
        let def = market.definition();
        let last = market.last_price().map_or("none".to_owned(), |price| price.to_string());
        let (version, tick, lot) = (def.version, def.tick, def.lot);
        let state = state_word(market.state());
        format!("version {version}: tick {tick}, lot {lot}; {state}; last {last}")
    }

    fn book(&self) -> Vec<String> {
        let market = self.exchange.partitions[0].market(FIRST_MARKET).unwrap();
        let side = |side| {
            let orders = market.book().orders(side);
            let shown = orders.map(|o| match o.hidden.is_zero() {
                true => format!("{} @ {} ({})", o.shown(), o.price, o.id),
                false => format!("{}+{} @ {} ({})", o.shown(), o.hidden, o.price, o.id),
            });
            shown.collect::<Vec<_>>().join(", ")
        };
        let waiting: Vec<String> = market.waiting().map(|order| order.id.to_string()).collect();
        let mut lines = vec![format!("bids {}", side(types::Side::Buy))];
        lines.push(format!("asks {}", side(types::Side::Sell)));
        if !waiting.is_empty() {
            lines.push(format!("waiting {}", waiting.join(", ")));
        }
        lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
    }

    fn supply(&self) -> String {
        let treasury = self.exchange.partitions[0].treasury().unwrap();
        let all = EACH * PEOPLE.len() as u128;
        format!("{:+}", treasury.supply(BASE).get() as i128 - all as i128)
    }

    fn quarantined(&self) -> Vec<String> {
        let all = self.exchange.partitions[0].quarantined();
        all.map(|q| format!("{}, {} wait", failures::name(q.component), q.parked)).collect()
    }

    fn house(&self) -> String {
        let totals = self.exchange.assert_sound().totals;
        let of = |asset| {
            let house = totals[&asset].house;
            format!("{} and {} by rounding", house.fees, house.rounding)
        };
        format!("base {}, quote {}", of(BASE), of(QUOTE))
    }

    fn funds(&self, who: &str) -> String {
        let balance = |asset| {
            let ledger = self.exchange.partitions[0].ledger();
            let (available, held) = ledger.balance(account(who), asset).unwrap();
            let change = available.get() as i128 + held.get() as i128 - EACH as i128;
            format!("{change:+} ({held} held)")
        };
        format!("base {}, quote {}", balance(BASE), balance(QUOTE))
    }
}

pub fn account(who: &str) -> AccountId {
    let at = PEOPLE.iter().position(|name| *name == who);
    AccountId(at.unwrap_or_else(|| panic!("who is {who}?")) as u32 + 1)
}

pub fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}
