//! The books, each behind the same few lines. What an adapter does is timed with its book: it makes the
//! book's own order of an operation and reads the book's own report of fills, as a user of it would.

mod bourse;
mod lobster;
mod matchcore;
mod orderbook_rs;
mod rust_ob;

pub use bourse::Bourse;
pub use lobster::Lobster;
pub use matchcore::Matchcore;
pub use orderbook_rs::OrderbookRs;
pub use rust_ob::RustOb;

use workload::{Fill, Operation, OurBook};

/// A book under test.
pub trait Engine {
    /// An empty one.
    fn new() -> Self;

    /// Does what is asked, for the order of this number if it is one, and tells each fill.
    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill));
}

impl Engine for OurBook {
    fn new() -> Self {
        Self::default()
    }

    fn apply(&mut self, number: u64, operation: &Operation, fills: &mut impl FnMut(Fill)) {
        self.apply(number, operation, fills);
    }
}
