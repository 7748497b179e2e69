//! Replays a LOBSTER session: what happened to resting orders is made to happen here, and the
//! visible levels are compared after each message.
//!
//! A LOBSTER file shows a window of the book. One *synthetic* order stands for what rested at a
//! level before its orders were seen; it is older than all orders that are known there. Levels that
//! leave the window are forgotten and enter again as synthetic ones.

use std::collections::BTreeMap;
use std::time::Instant;

use types::{
    AccountId, BoxedConditions, ClientOrderId, Event, OrderSpec, PlaceOrder, Price, Quantity,
    Request, SelfTradePrevention, Side, TimeInForce,
};

use super::check::{Checker, same_levels, show_levels};
use super::mirror::Found;
use super::owners::{self, Credits, MARKET, VERSION};
use super::pace::Pace;
use super::report::Verdict;
use super::venue::{Pipeline, Venue};
use super::{Plan, Stop};
use crate::exit::Failure;
use crate::session::{
    LevelRow, LobsterAction, LobsterFiles, LobsterMessage, LobsterWindow, RestingRow,
};

/// Participants that orders are spread over.
const ACCOUNTS: u64 = 1024;
/// Each one's funds of both assets.
const FUNDS: u128 = 1 << 84;
/// Names of synthetic orders start here, above all order ids.
const SYNTHETIC: u64 = 1 << 63;
/// Requests under way at a time: each message is looked at before the next.
const WINDOW: u64 = 64;

struct Replay<'v> {
    pipeline: Pipeline<'v>,
    checker: Checker,
    /// The synthetic order of each level that has had one.
    synthetic: BTreeMap<(Side, Price), u64>,
    next_name: u64,
}

/// Replays a session on a fresh exchange.
///
/// # Errors
/// If the session cannot be read or the exchange fails. That they differ is a verdict.
pub fn replay(
    files: &LobsterFiles,
    venue: &mut dyn Venue,
    plan: &Plan,
) -> Result<Verdict, Failure> {
    let mut run = Replay {
        pipeline: Pipeline::new(venue, MARKET, WINDOW),
        checker: Checker::default(),
        synthetic: BTreeMap::new(),
        next_name: SYNTHETIC,
    };
    run.set_up(files)?;
    let start = Instant::now();
    let difference = match run.rows(files, plan) {
        Ok(()) => None,
        Err(Stop::Differs(difference)) => Some(*difference),
        Err(Stop::Failed(failure)) => return Err(failure),
    };
    let elapsed = start.elapsed();
    Ok(Verdict::new(&files.name, run.checker.counts, difference, elapsed))
}

impl Replay<'_> {
    fn set_up(&mut self, files: &LobsterFiles) -> Result<(), Failure> {
        let mut max_price = Price::new(1);
        for row in files.rows()? {
            let (message, window) = row?;
            let levels = window.bids.iter().chain(&window.asks);
            let highest = levels.map(|level| level.price).max().unwrap_or_default();
            max_price = max_price.max(message.price).max(highest);
        }
        let max_quantity = Quantity::new(1 << 31);
        let mut credits = Credits::default();
        let mut requests = owners::market(max_price, max_quantity);
        for n in 0..ACCOUNTS {
            requests.extend(owners::funded(account(n), FUNDS, &mut credits));
        }
        for request in requests {
            self.pipeline.send(&request)?;
        }
        self.pipeline.settle()?;
        while self.pipeline.take().is_some() {}
        Ok(())
    }

    fn rows(&mut self, files: &LobsterFiles, plan: &Plan) -> Result<(), Stop> {
        let mut pace = Pace::new(plan.recorded_speed);
        let mut before: Option<LobsterWindow> = None;
        for row in files.rows()? {
            let (message, window) = row?;
            pace.wait(message.time);
            self.checker.remember(&message);
            match &before {
                None => self.first(&message, &window)?,
                Some(before) => {
                    self.happen(&message)?;
                    self.compare(&message, before, &window)?;
                    self.slide(&window)?;
                    self.checker.counts.books += 1;
                }
            }
            self.checker.counts.inputs += 1;
            before = Some(window);
        }
        if let Some(shown) = self.pipeline.shown_book() {
            self.checker.compare_shown(&shown)?;
        }
        Ok(())
    }

    /// The first window is what the first message left: one synthetic order for each level, of which
    /// the first message's own order is the youngest part.
    fn first(&mut self, message: &LobsterMessage, window: &LobsterWindow) -> Result<(), Stop> {
        self.slide(window)?;
        if message.action == LobsterAction::Submitted {
            let found = self.synthetic_at(message.side, message.price);
            if let Some(found) = found.filter(|f| f.row.quantity >= message.quantity) {
                self.take_out(&found, message.quantity)?;
                self.place(message.id, message.side, message.price, message.quantity)?;
            }
        }
        Ok(())
    }

    fn happen(&mut self, message: &LobsterMessage) -> Result<(), Stop> {
        let &LobsterMessage { action, id, quantity, price, side, .. } = message;
        match action {
            LobsterAction::Invisible => Ok(()),
            LobsterAction::Submitted => self.place(id, side, price, quantity),
            LobsterAction::Reduced | LobsterAction::Deleted => {
                let found = self.subject(message)?;
                self.take_out(&found, quantity)
            }
            LobsterAction::Executed => {
                let found = self.subject(message)?;
                self.execute(&found, quantity)
            }
        }
    }

    /// The order that a message is about: the one it names, else the synthetic one at that price.
    fn subject(&mut self, message: &LobsterMessage) -> Result<Found, Stop> {
        let at_its_price = |f: &Found| (f.row.side, f.row.price) == (message.side, message.price);
        let named = self.checker.mirror.find(message.id).filter(at_its_price);
        let found = named.or_else(|| self.synthetic_at(message.side, message.price));
        found.filter(|found| found.row.quantity >= message.quantity).ok_or_else(|| {
            let what = format!("{message}: no order at that price has so much");
            let got = found.map(|f| format!("{:?}", f.row)).into_iter().collect();
            self.checker.differs(what, Vec::new(), got).into()
        })
    }

    /// Compares the levels that were in the window before the message too.
    fn compare(
        &self,
        message: &LobsterMessage,
        before: &LobsterWindow,
        after: &LobsterWindow,
    ) -> Result<(), Stop> {
        for (side, before, after) in
            [(Side::Buy, &before.bids, &after.bids), (Side::Sell, &before.asks, &after.asks)]
        {
            let inside = |level: &LevelRow| {
                before.last().is_none_or(|worst| !is_worse(side, level.price, worst.price))
            };
            let known: Vec<_> = after.iter().copied().filter(inside).collect();
            let depth = before.len().max(after.len());
            let mut got = self.checker.mirror.levels(side, depth);
            got.retain(inside);
            got.truncate(after.len());
            if !same_levels(&known, &got) {
                let what = format!("line {}: the {side:?} side", message.line);
                return Err(self
                    .checker
                    .differs(what, show_levels(&known), show_levels(&got))
                    .into());
            }
        }
        Ok(())
    }

    /// Forgets levels that left the window, and lets those that entered rest as synthetic orders.
    fn slide(&mut self, window: &LobsterWindow) -> Result<(), Stop> {
        for (side, levels) in [(Side::Buy, &window.bids), (Side::Sell, &window.asks)] {
            let worst = levels.last().map(|level| level.price);
            for held in self.checker.mirror.levels(side, usize::MAX) {
                if worst.is_none_or(|worst| is_worse(side, held.price, worst)) {
                    self.clear(side, held.price)?;
                }
            }
            for level in levels {
                self.reveal(side, level)?;
            }
        }
        Ok(())
    }

    /// Makes a level as large as it is shown: what is missing was there before all that is known.
    fn reveal(&mut self, side: Side, level: &LevelRow) -> Result<(), Stop> {
        let known = self.checker.mirror.at(side, level.price);
        let held: u64 = known.iter().map(|row| row.quantity.get()).sum();
        let Some(missing) = level.quantity.get().checked_sub(held).filter(|&m| m > 0) else {
            return Ok(());
        };
        self.clear(side, level.price)?;
        let synthetic = self.synthetic.get(&(side, level.price)).copied();
        let is_synthetic = |row: &&RestingRow| Some(row.id) == synthetic;
        let older = known.iter().find(is_synthetic).map_or(0, |row| row.quantity.get());
        self.next_name += 1;
        self.synthetic.insert((side, level.price), self.next_name);
        self.place(self.next_name, side, level.price, Quantity::new(missing + older))?;
        for row in known.iter().filter(|row| !is_synthetic(row)) {
            self.place(row.id, side, row.price, row.quantity)?;
        }
        Ok(())
    }

    fn synthetic_at(&self, side: Side, price: Price) -> Option<Found> {
        let name = self.synthetic.get(&(side, price))?;
        self.checker.mirror.find(*name)
    }

    /// Cancels every order of a level.
    fn clear(&mut self, side: Side, price: Price) -> Result<(), Stop> {
        for row in self.checker.mirror.at(side, price) {
            if let Some(found) = self.checker.mirror.find(row.id) {
                self.take_out(&found, row.quantity)?;
            }
        }
        Ok(())
    }

    /// Lets an order rest; it may not match.
    fn place(
        &mut self,
        name: u64,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Result<(), Stop> {
        let spec =
            OrderSpec::Limit { price, quantity, time_in_force: TimeInForce::Gtc, post_only: true };
        self.ask(&order(name, side, spec), name)
    }

    /// Takes quantity out of an order without a trade.
    fn take_out(&mut self, found: &Found, by: Quantity) -> Result<(), Stop> {
        let Found { order, row, filled } = *found;
        let left = row.quantity.saturating_sub(by);
        let request = if left.is_zero() {
            Request::CancelOrder { account: account(row.id), market: MARKET, order }
        } else {
            Request::AmendOrder {
                account: account(row.id),
                market: MARKET,
                version: VERSION,
                order,
                price: None,
                quantity: Some(filled + left),
                keep_priority: true,
            }
        };
        self.ask(&request, row.id)
    }

    /// Lets an incoming order trade with `found`. The venue may have let a trade pass over earlier
    /// orders (there are such rules); the exchange never does, so the quantity is taken out then.
    fn execute(&mut self, found: &Found, quantity: Quantity) -> Result<(), Stop> {
        let row = found.row;
        let first = self.checker.mirror.by_priority(row.side).next();
        if first.is_none_or(|first| first.id != row.id) {
            return self.take_out(found, quantity);
        }
        let spec = OrderSpec::Limit {
            price: row.price,
            quantity,
            time_in_force: TimeInForce::Ioc,
            post_only: false,
        };
        self.next_name += 1;
        self.ask(&order(self.next_name, row.side.opposite(), spec), self.next_name)?;
        self.checker.counts.trades += 1;
        Ok(())
    }

    /// Asks for something about the order `name` and takes in what comes of it.
    fn ask(&mut self, request: &Request, name: u64) -> Result<(), Stop> {
        self.pipeline.send(request)?;
        self.pipeline.settle()?;
        while let Some(group) = self.pipeline.take() {
            for event in &group.events {
                let problem = match event {
                    Event::Rejected { code, .. } => Err(format!("{code}: {}", code.text())),
                    event => self.checker.mirror.apply(event, name),
                };
                if let Err(problem) = problem {
                    let what = "the exchange did not do what the venue did";
                    let asked = vec![format!("{request:?}")];
                    return Err(self.checker.differs(what, asked, vec![problem]).into());
                }
            }
        }
        Ok(())
    }
}

fn account(name: u64) -> AccountId {
    AccountId(1 + (name % ACCOUNTS) as u32)
}

fn order(name: u64, side: Side, spec: OrderSpec) -> Request {
    Request::PlaceOrder(PlaceOrder {
        account: account(name),
        market: MARKET,
        version: VERSION,
        client_order_id: ClientOrderId::NONE,
        side,
        spec,
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    })
}

/// Whether a price is further from the other side than `than`.
fn is_worse(side: Side, price: Price, than: Price) -> bool {
    match side {
        Side::Buy => price < than,
        Side::Sell => price > than,
    }
}
