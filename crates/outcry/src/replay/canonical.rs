//! Replays a canonical session: auction or seeds, then every input, each compared.

use std::time::Instant;

use types::{
    BoxedConditions, ClientOrderId, Event, MarketState, OrderSpec, PlaceOrder, Price, Quantity,
    Request, SelfTradePrevention, Side, TimeInForce,
};

use super::check::{Checker, Differs};
use super::mirror::Found;
use super::owners::{MARKET, Owners, VERSION};
use super::pace::Pace;
use super::report::Verdict;
use super::venue::{Pipeline, Venue};
use super::{Plan, Stop};
use crate::exit::{Failure, Status};
use crate::progress;
use crate::session::{
    Action, AuctionTradeRow, BookRow, BySeq, CanonicalFiles, InputRow, OrderTerms, RestingRow, Tif,
    TradeRow,
};

/// Requests under way at a time.
const WINDOW: u64 = 1024;

/// A replay under way.
struct Replay<'v> {
    pipeline: Pipeline<'v>,
    checker: Checker,
    owners: Owners,
}

/// Replays a session on a fresh exchange.
///
/// # Errors
/// If the session cannot be read or the exchange fails. That they differ is a verdict.
pub fn replay(
    files: &CanonicalFiles,
    venue: &mut dyn Venue,
    plan: &Plan,
) -> Result<Verdict, Failure> {
    let with_auction = files.has_auction() && plan.auction;
    let seeds = match files.seed()? {
        Some(rows) => rows.collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let mut run = Replay {
        pipeline: Pipeline::new(venue, MARKET, WINDOW),
        checker: Checker::default(),
        owners: owners(files, &seeds, with_auction)?,
    };
    run.set_up()?;
    let mut start = Instant::now();
    let opened =
        if with_auction { run.open_by_auction(files, &seeds) } else { run.open_by_seeds(&seeds) };
    let traded = opened.and_then(|()| {
        start = Instant::now();
        run.trade(files, plan)
    });
    let elapsed = start.elapsed();
    let compared = traded.and_then(|()| run.compare_final_book(files));
    let difference = match compared {
        Ok(()) => None,
        Err(Stop::Differs(difference)) => Some(*difference),
        Err(Stop::Failed(failure)) => return Err(failure),
    };
    Ok(Verdict::new(&files.name, run.checker.counts, difference, elapsed))
}

/// Everybody who will ever place an order.
fn owners(
    files: &CanonicalFiles,
    seeds: &[RestingRow],
    with_auction: bool,
) -> Result<Owners, Failure> {
    let mut owners = Owners::default();
    if let Some(orders) = files.auction_orders()?.filter(|_| with_auction) {
        for row in orders {
            owners.add_input(&row?);
        }
    }
    for seed in seeds {
        owners.add_resting(seed);
    }
    for row in files.input()? {
        owners.add_input(&row?);
    }
    Ok(owners)
}

impl Replay<'_> {
    /// Defines the market, opens and funds the accounts.
    fn set_up(&mut self) -> Result<(), Failure> {
        for request in self.owners.setup() {
            self.pipeline.send(&request)?;
            self.accept_setup()?;
        }
        self.pipeline.settle()?;
        self.accept_setup()
    }

    /// Nothing of the set-up may be rejected.
    fn accept_setup(&mut self) -> Result<(), Failure> {
        while let Some(group) = self.pipeline.take() {
            if let Event::Rejected { request, code, .. } = group.events[0] {
                let what = format!(
                    "the session cannot be set up: {}: {code}: {}",
                    request.name(),
                    code.text()
                );
                return Err(Failure::new(Status::DataError, what));
            }
        }
        Ok(())
    }

    /// Lets the seeds rest without matching: an auction collects orders so.
    fn open_by_seeds(&mut self, seeds: &[RestingRow]) -> Result<(), Stop> {
        if seeds.is_empty() {
            return Ok(());
        }
        self.set_state(MarketState::Auction)?;
        for seed in seeds {
            let terms = OrderTerms {
                side: seed.side,
                price: seed.price,
                quantity: seed.quantity,
                tif: Tif::Gtc,
            };
            let row = InputRow { seq: 0, time: None, id: seed.id, action: Action::New(terms) };
            self.send_input(row, None)?;
        }
        self.settle()?;
        self.checker.counts.inputs = 0;
        self.checker.counts.seeds = seeds.len() as u64;
        if let Some((bid, ask)) = self.checker.mirror.crossed() {
            let what = "the seeds are crossed, they cannot rest without matching";
            let got = vec![format!("best bid {bid}, best ask {ask}")];
            return Err(self.checker.differs(what, Vec::new(), got).into());
        }
        self.set_state(MarketState::Continuous)?;
        Ok(())
    }

    /// Collects the auction's orders, uncrosses, and compares trades and what is left.
    fn open_by_auction(
        &mut self,
        files: &CanonicalFiles,
        seeds: &[RestingRow],
    ) -> Result<(), Stop> {
        self.set_state(MarketState::Auction)?;
        for row in files.auction_orders()?.into_iter().flatten() {
            self.input(row?, None)?;
        }
        self.settle()?;
        let counts = &mut self.checker.counts;
        counts.auction_inputs = std::mem::take(&mut counts.inputs);
        counts.cancels = 0;
        let got = self.set_state(MarketState::Continuous)?;
        if let Some(rows) = files.auction_trades()? {
            let expected = rows.collect::<Result<Vec<_>, _>>()?;
            self.compare_auction(&expected, &got)?;
        }
        for side in [Side::Buy, Side::Sell] {
            let got: Vec<_> = self.checker.mirror.by_priority(side).collect();
            let what = format!("what the auction leaves on the {side:?} side");
            self.checker.compare_orders(&what, &by_priority(seeds, side), &got)?;
        }
        self.checker.counts.seeds = seeds.len() as u64;
        Ok(())
    }

    fn compare_auction(
        &mut self,
        expected: &[AuctionTradeRow],
        got: &[AuctionTradeRow],
    ) -> Result<(), Differs> {
        let pairs = expected.iter().map(Some).chain(std::iter::repeat(None));
        let gots = got.iter().map(Some).chain(std::iter::repeat(None));
        let longer = expected.len().max(got.len());
        let show =
            |trade: Option<&AuctionTradeRow>| trade.map(|t| format!("{t:?}")).into_iter().collect();
        for (n, (expected, got)) in pairs.zip(gots).take(longer).enumerate() {
            if expected != got {
                let what = format!("trade {} of the opening auction", n + 1);
                return Err(self.checker.differs(what, show(expected), show(got)));
            }
        }
        self.checker.counts.auction_trades = expected.len() as u64;
        Ok(())
    }

    /// Puts the market into a state, and gives the trades of an uncrossing by recorded names.
    fn set_state(&mut self, state: MarketState) -> Result<Vec<AuctionTradeRow>, Stop> {
        self.pipeline.send(&Request::SetMarketState { market: MARKET, state })?;
        self.pipeline.settle()?;
        let mut trades = Vec::new();
        while let Some(group) = self.pipeline.take() {
            for event in &group.events {
                if let Event::Trade(trade) = event {
                    let name = |order| self.checker.mirror.name(order).unwrap_or_default();
                    trades.push(AuctionTradeRow {
                        buy: name(trade.buyer.order),
                        sell: name(trade.seller.order),
                        price: trade.price,
                        quantity: trade.quantity,
                    });
                }
                if let Err(problem) = self.checker.mirror.apply(event, 0) {
                    let what = format!("market state {state:?}");
                    return Err(self.checker.differs(what, Vec::new(), vec![problem]).into());
                }
            }
        }
        Ok(trades)
    }

    /// Every input, with the trades and books that belong to it.
    fn trade(&mut self, files: &CanonicalFiles, plan: &Plan) -> Result<(), Stop> {
        let inputs = files.input()?;
        let mut trades = files.trades()?;
        let mut books = files.books()?;
        let bar = progress::bar("replaying", inputs.row_count());
        let mut pace = Pace::new(plan.recorded_speed);
        for row in inputs {
            let row = row?;
            if pace.must_wait(row.time) {
                self.settle()?;
                pace.wait(row.time);
            }
            let expected = trades_up_to(&mut trades, row.seq)?;
            if let Some(before) = row.seq.checked_sub(1) {
                self.expect_books(&mut books, before)?;
            }
            self.input(row, expected)?;
            bar.inc(1);
        }
        self.expect_books(&mut books, u64::MAX)?;
        self.settle()?;
        bar.finish_and_clear();
        let left_over = trades_up_to(&mut trades, u64::MAX)?.unwrap_or_default();
        match left_over.first() {
            None => Ok(()),
            Some(trade) => {
                let what = "trades were recorded after the last input";
                Err(self.checker.differs(what, vec![format!("{trade:?}")], Vec::new()).into())
            }
        }
    }

    fn expect_books(&mut self, books: &mut Option<BySeq<BookRow>>, seq: u64) -> Result<(), Stop> {
        if let Some(books) = books {
            while let Some(book) = books.next_up_to(seq)? {
                self.checker.expect_book(book);
            }
        }
        Ok(())
    }

    /// One input. All but a new order needs to know what became of what it names.
    fn input(&mut self, row: InputRow, trades: Option<Vec<TradeRow>>) -> Result<(), Stop> {
        let needs_book = match row.action {
            Action::New(_) => false,
            Action::Cancel { .. } => {
                self.checker.awaits(row.id) || self.checker.mirror.find(row.id).is_none()
            }
            Action::Amend(_) | Action::Reduce { .. } => true,
        };
        if needs_book {
            self.settle()?;
        }
        self.send_input(row, trades)
    }

    fn send_input(&mut self, row: InputRow, trades: Option<Vec<TradeRow>>) -> Result<(), Stop> {
        let requests = match self.requests(&row) {
            Ok(requests) => requests,
            Err(what) => {
                self.settle()?;
                return Err(self.checker.differs_at(&row, what).into());
            }
        };
        let mut last = 0;
        for request in &requests {
            last = self.pipeline.send(request)?;
        }
        self.checker.expect_input(row, last, trades);
        self.check()
    }

    /// The requests that an input is here, or why it cannot be one.
    fn requests(&self, row: &InputRow) -> Result<Vec<Request>, &'static str> {
        let account = self.owners.account(row.id);
        let found = || self.checker.mirror.find(row.id);
        let cancel = |order| Request::CancelOrder { account, market: MARKET, order };
        let amend = |order, price, quantity| Request::AmendOrder {
            account,
            market: MARKET,
            version: VERSION,
            order,
            price,
            quantity: Some(quantity),
            keep_priority: false,
        };
        let place = |terms| Request::PlaceOrder(place(account, terms));
        Ok(match row.action {
            Action::New(terms) => vec![place(terms)],
            Action::Cancel { .. } => {
                vec![cancel(found().ok_or("the order to cancel is not in the book")?.order)]
            }
            Action::Reduce { by } => {
                let Found { order, row, filled } =
                    found().ok_or("the order to reduce is not in the book")?;
                match row.quantity.checked_sub(by) {
                    None => return Err("the order to reduce has less than that left"),
                    Some(Quantity::ZERO) => vec![cancel(order)],
                    Some(left) => vec![amend(order, None, filled + left)],
                }
            }
            Action::Amend(terms) => match found() {
                None => vec![place(terms)],
                Some(found) if loses_place(&found, &terms) => {
                    vec![amend(found.order, Some(terms.price), found.filled + terms.quantity)]
                }
                Some(found) => vec![cancel(found.order), place(terms)],
            },
        })
    }

    /// Takes in what has happened so far.
    fn check(&mut self) -> Result<(), Stop> {
        while let Some(group) = self.pipeline.take() {
            self.checker.on_group(&group)?;
        }
        Ok(())
    }

    /// Waits until all that was sent has happened, and takes it in.
    fn settle(&mut self) -> Result<(), Stop> {
        self.pipeline.settle()?;
        self.check()?;
        self.checker.compare_books()?;
        Ok(())
    }

    fn compare_final_book(&mut self, files: &CanonicalFiles) -> Result<(), Stop> {
        if let Some(shown) = self.pipeline.shown_book() {
            self.checker.compare_shown(&shown)?;
        }
        let Some(rows) = files.final_book()? else {
            return Ok(());
        };
        let mut expected = rows.collect::<Result<Vec<_>, _>>()?;
        let sides = [Side::Buy, Side::Sell].into_iter();
        let mut got: Vec<_> =
            sides.flat_map(|side| self.checker.mirror.by_priority(side)).collect();
        expected.sort_unstable_by_key(|row| row.id);
        got.sort_unstable_by_key(|row| row.id);
        self.checker.compare_orders("the final book, by id", &expected, &got)?;
        self.checker.counts.final_orders = expected.len() as u64;
        Ok(())
    }
}

/// Whether an amendment of the exchange does what the recorded one does: enter anew.
fn loses_place(found: &Found, terms: &OrderTerms) -> bool {
    let row = &found.row;
    terms.tif == Tif::Gtc
        && terms.side == row.side
        && (terms.price != row.price || terms.quantity > row.quantity)
}

fn place(account: types::AccountId, terms: OrderTerms) -> PlaceOrder {
    let (time_in_force, post_only) = match terms.tif {
        Tif::Gtc => (TimeInForce::Gtc, false),
        Tif::Ioc => (TimeInForce::Ioc, false),
        Tif::Po => (TimeInForce::Gtc, true),
    };
    PlaceOrder {
        account,
        market: MARKET,
        version: VERSION,
        client_order_id: ClientOrderId::NONE,
        side: terms.side,
        spec: OrderSpec::Limit {
            price: terms.price,
            quantity: terms.quantity,
            time_in_force,
            post_only,
        },
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    }
}

/// The seeds of a side by priority: best price first, and file order within a price.
fn by_priority(seeds: &[RestingRow], side: Side) -> Vec<RestingRow> {
    let mut rows: Vec<_> = seeds.iter().copied().filter(|row| row.side == side).collect();
    let key = |price: Price| match side {
        Side::Buy => u64::MAX - price.get(),
        Side::Sell => price.get(),
    };
    rows.sort_by_key(|row| key(row.price));
    rows
}

fn trades_up_to(
    trades: &mut Option<BySeq<TradeRow>>,
    seq: u64,
) -> Result<Option<Vec<TradeRow>>, Failure> {
    let Some(trades) = trades else {
        return Ok(None);
    };
    let mut belonging = Vec::new();
    while let Some(trade) = trades.next_up_to(seq)? {
        belonging.push(trade);
    }
    Ok(Some(belonging))
}
