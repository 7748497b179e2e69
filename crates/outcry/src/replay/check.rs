//! Compares what happens on the exchange with what was recorded, in order, and stops at the first
//! difference.

use std::collections::VecDeque;

use types::{Event, Quantity, RejectCode, Side, Trade};

use super::mirror::Mirror;
use super::report::{Counts, Difference};
use super::venue::{Group, ShownBook};
use crate::session::{Action, BookRow, InputRow, LevelRow, RestingRow, Tif, TradeRow};

/// How many inputs a difference shows.
const RECENT: usize = 8;
/// How many levels of each side a difference shows.
const SHOWN_LEVELS: usize = 8;
/// How many differing rows a difference shows.
const SHOWN_ROWS: usize = 20;

/// Why checking ends early. Boxed since it is large and rare.
pub type Differs = Box<Difference>;

/// What is to come, and the book so far.
#[derive(Default)]
pub struct Checker {
    /// The exchange's book after all groups so far.
    pub mirror: Mirror,
    /// What was compared.
    pub counts: Counts,
    expected: VecDeque<Expected>,
    recent: VecDeque<String>,
}

enum Expected {
    Input(ExpectedInput),
    Book(BookRow),
}

/// An input under way, and what is known to have come of it.
struct ExpectedInput {
    row: InputRow,
    /// The token of its last request.
    last: u64,
    /// `None`: no trades were recorded.
    trades: Option<Vec<TradeRow>>,
    got: Vec<TradeRow>,
    cancelled: Option<Quantity>,
    /// A post-only order that would have matched.
    rejected: bool,
}

impl Checker {
    /// An input whose last request has this token, and the trades that must come of it.
    pub fn expect_input(&mut self, row: InputRow, last: u64, trades: Option<Vec<TradeRow>>) {
        self.expected.push_back(Expected::Input(ExpectedInput {
            row,
            last,
            trades,
            got: Vec::new(),
            cancelled: None,
            rejected: false,
        }));
    }

    /// The book after all inputs that were expected before this.
    pub fn expect_book(&mut self, row: BookRow) {
        self.expected.push_back(Expected::Book(row));
    }

    /// Whether an input about this recorded order is still under way.
    pub fn awaits(&self, id: u64) -> bool {
        let ours = |e: &Expected| matches!(e, Expected::Input(input) if input.row.id == id);
        self.expected.iter().any(ours)
    }

    /// Takes in what a request caused.
    pub fn on_group(&mut self, group: &Group) -> Result<(), Differs> {
        self.compare_books()?;
        let Some(Expected::Input(mut input)) = self.expected.pop_front() else {
            unreachable!("every request belongs to an input that is expected");
        };
        for event in &group.events {
            self.on_event(event, &mut input)?;
        }
        if group.token < input.last {
            self.expected.push_front(Expected::Input(input));
            return Ok(());
        }
        self.compare_input(input)?;
        self.compare_books()
    }

    /// A difference that is found here and now.
    pub fn differs(
        &self,
        what: impl Into<String>,
        expected: Vec<String>,
        got: Vec<String>,
    ) -> Differs {
        Box::new(Difference {
            what: what.into(),
            inputs: self.recent.iter().cloned().collect(),
            expected,
            got,
            book: self.show_book(),
        })
    }

    /// A difference at an input that nothing was sent for.
    pub fn differs_at(&mut self, row: &InputRow, what: &str) -> Differs {
        self.remember(row);
        self.differs(format!("seq {}: {what}", row.seq), Vec::new(), Vec::new())
    }

    /// Compares resting orders, in this order, with the book's, called `what`.
    pub fn compare_orders(
        &self,
        what: &str,
        expected: &[RestingRow],
        got: &[RestingRow],
    ) -> Result<(), Differs> {
        if expected == got {
            return Ok(());
        }
        let at = (0..).find(|&at| expected.get(at) != got.get(at));
        let show = |rows: &[RestingRow]| {
            let rows = rows.iter().skip(at.unwrap_or(0)).take(SHOWN_ROWS);
            rows.map(show_order).collect()
        };
        let what = format!(
            "{what}: {} orders recorded, {} here; from the first that differs:",
            expected.len(),
            got.len()
        );
        Err(self.differs(what, show(expected), show(got)))
    }

    /// Compares the book that clients see with the one that the events tell.
    pub fn compare_shown(&self, shown: &ShownBook) -> Result<(), Differs> {
        for (side, shown) in [(Side::Buy, &shown.bids), (Side::Sell, &shown.asks)] {
            let told = self.mirror.levels(side, usize::MAX);
            if *shown != told {
                let what = format!("the {side:?} side that clients see at the end, and its events");
                return Err(self.differs(what, show_levels(&told), show_levels(shown)));
            }
        }
        Ok(())
    }

    fn on_event(&mut self, event: &Event, input: &mut ExpectedInput) -> Result<(), Differs> {
        match *event {
            Event::Rejected { code, .. } => {
                let may = matches!(input.row.action, Action::New(t) | Action::Amend(t) if t.tif == Tif::Po);
                if !may || code != RejectCode::WouldMatch {
                    self.remember(&input.row);
                    let what = format!("seq {}: the exchange rejected the input", input.row.seq);
                    let got = format!("{code}: {}", code.text());
                    return Err(self.differs(what, Vec::new(), vec![got]));
                }
                input.rejected = true;
            }
            Event::OrderCancelled { reply, remaining, .. } if !reply.is_nobody() => {
                input.cancelled = Some(remaining)
            }
            Event::Trade(ref trade) => input.got.push(self.name_trade(trade, &input.row)),
            _ => {}
        }
        self.mirror.apply(event, input.row.id).map_err(|problem| {
            self.remember(&input.row);
            let what = format!("seq {}: the events contradict each other", input.row.seq);
            self.differs(what, Vec::new(), vec![problem])
        })
    }

    /// A trade by recorded names.
    fn name_trade(&self, trade: &Trade, row: &InputRow) -> TradeRow {
        let maker = match trade.aggressor {
            Some(Side::Sell) => trade.buyer.order,
            Some(Side::Buy) | None => trade.seller.order,
        };
        TradeRow {
            seq: row.seq,
            taker: row.id,
            maker: self.mirror.name(maker).unwrap_or_default(),
            price: trade.price,
            quantity: trade.quantity,
        }
    }

    fn compare_input(&mut self, input: ExpectedInput) -> Result<(), Differs> {
        let ExpectedInput { row, trades, got, cancelled, rejected, .. } = input;
        self.remember(&row);
        if let Some(trades) = trades {
            if trades != got {
                let what = format!("seq {}: other trades", row.seq);
                return Err(self.differs(what, show_trades(&trades), show_trades(&got)));
            }
            self.counts.trades += trades.len() as u64;
        }
        match row.action {
            Action::New(_) => {}
            Action::Amend(_) => self.counts.amends += 1,
            Action::Reduce { .. } => self.counts.reduces += 1,
            Action::Cancel { remaining } => {
                if cancelled != Some(remaining) {
                    let what = format!("seq {}: another remainder was cancelled", row.seq);
                    let got = cancelled.map(|q| q.to_string()).into_iter().collect();
                    return Err(self.differs(what, vec![remaining.to_string()], got));
                }
                self.counts.cancels += 1;
            }
        }
        self.counts.post_only_rejected += u64::from(rejected);
        self.counts.inputs += 1;
        Ok(())
    }

    /// Compares the recorded books whose turn it is, all inputs before them having happened.
    pub fn compare_books(&mut self) -> Result<(), Differs> {
        while let Some(Expected::Book(row)) =
            self.expected.pop_front_if(|e| matches!(e, Expected::Book(_)))
        {
            self.compare_book(&row)?;
            self.counts.books += 1;
        }
        Ok(())
    }

    fn compare_book(&self, row: &BookRow) -> Result<(), Differs> {
        for (side, recorded, total) in
            [(Side::Buy, &row.bids, row.total_bids), (Side::Sell, &row.asks, row.total_asks)]
        {
            let got = self.mirror.levels(side, row.depth());
            if !same_levels(recorded, &got) {
                let what = format!("the book after seq {}: {side:?} side", row.after_seq);
                return Err(self.differs(what, show_levels(recorded), show_levels(&got)));
            }
            let all = self.mirror.total(side);
            if total.is_some_and(|total| u128::from(total) != all) {
                let what =
                    format!("the book after seq {}: total of {side:?} orders", row.after_seq);
                let expected = total.map(|t| t.to_string()).into_iter().collect();
                return Err(self.differs(what, expected, vec![all.to_string()]));
            }
        }
        Ok(())
    }

    /// Keeps an input for the surroundings of a difference.
    pub fn remember(&mut self, row: &impl std::fmt::Display) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(row.to_string());
    }

    /// The best levels with their orders, asks from above.
    fn show_book(&self) -> Vec<String> {
        let side = |side, mark: &str| {
            let levels = self.mirror.levels(side, SHOWN_LEVELS);
            let line = |level: LevelRow| {
                let orders: Vec<String> = self
                    .mirror
                    .at(side, level.price)
                    .iter()
                    .take(6)
                    .map(|order| format!("{} ({})", order.id, order.quantity))
                    .collect();
                format!("{mark} {}: {} = {}", level.price, level.quantity, orders.join(" "))
            };
            levels.into_iter().map(line).collect::<Vec<_>>()
        };
        let mut lines = side(Side::Sell, "ask");
        lines.reverse();
        lines.extend(side(Side::Buy, "bid"));
        lines
    }
}

/// Whether levels agree, counts only where they were recorded.
pub fn same_levels(recorded: &[LevelRow], got: &[LevelRow]) -> bool {
    let same = |r: &LevelRow, g: &LevelRow| {
        (r.price, r.quantity) == (g.price, g.quantity)
            && (r.orders.is_none() || r.orders == g.orders)
    };
    recorded.len() == got.len() && recorded.iter().zip(got).all(|(r, g)| same(r, g))
}

/// Levels for people.
pub fn show_levels(levels: &[LevelRow]) -> Vec<String> {
    let line = |level: &LevelRow| match level.orders {
        Some(orders) => format!("{} x {} ({orders} orders)", level.price, level.quantity),
        None => format!("{} x {}", level.price, level.quantity),
    };
    levels.iter().map(line).collect()
}

fn show_trades(trades: &[TradeRow]) -> Vec<String> {
    let line = |t: &TradeRow| {
        format!("seq {}: taker {} maker {}: {} at {}", t.seq, t.taker, t.maker, t.quantity, t.price)
    };
    trades.iter().take(SHOWN_ROWS).map(line).collect()
}

fn show_order(order: &RestingRow) -> String {
    format!("{} {:?} {} at {}", order.id, order.side, order.quantity, order.price)
}
