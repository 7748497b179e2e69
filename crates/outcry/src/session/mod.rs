//! Recorded sessions of exchanges: folders of CSV files, plain or `.zst`, read row by row.
//!
//! Two formats are known. A *canonical* session has `input.csv` (what came in), and optionally
//! `seed.csv` (what rested before), `trades.csv`, `books.csv`, `final_book.csv` and the two files of
//! an opening auction. A *LOBSTER* session has a message file and an orderbook file.
//!
//! Invariants: every error names file and line; rows come by rising key, whatever their order in the
//! file; a file is held in memory only if its own order is another. This module knows nothing of the
//! exchange: it does not run anything and compares nothing.

mod by_seq;
mod error;
mod lobster;
mod rows;
mod table;
mod time;

use std::path::{Path, PathBuf};

pub use by_seq::BySeq;
pub use error::SessionError;
pub use lobster::{LobsterAction, LobsterFiles, LobsterMessage, LobsterWindow};
pub use rows::{
    Action, AuctionTradeRow, BookRow, InputRow, LevelRow, OrderTerms, RestingRow, Tif, TradeRow,
};
pub use table::{Record, Rows};

use table::find;

/// A recorded session on disk.
#[derive(Debug)]
pub enum Session {
    /// Order by order, with what the venue made of it.
    Canonical(CanonicalFiles),
    /// A LOBSTER message file and its orderbook.
    Lobster(LobsterFiles),
}

/// Where the files of a canonical session are; what is absent is `None`.
#[derive(Debug)]
pub struct CanonicalFiles {
    /// Name of the folder.
    pub name: String,
    input: PathBuf,
    seed: Option<PathBuf>,
    trades: Option<PathBuf>,
    books: Option<PathBuf>,
    final_book: Option<PathBuf>,
    auction_orders: Option<PathBuf>,
    auction_trades: Option<PathBuf>,
}

impl Session {
    /// Looks which session `dir` holds.
    ///
    /// # Errors
    /// If the folder cannot be read, or has neither format.
    pub fn open(dir: &Path) -> Result<Self, SessionError> {
        let name = folder_name(dir);
        if let Some(input) = find(dir, "input")? {
            return Ok(Self::Canonical(CanonicalFiles {
                name,
                input,
                seed: find(dir, "seed")?,
                trades: find(dir, "trades")?,
                books: find(dir, "books")?,
                final_book: find(dir, "final_book")?,
                auction_orders: find(dir, "auction_open_orders")?,
                auction_trades: find(dir, "auction_open_trades")?,
            }));
        }
        match LobsterFiles::find(dir, name)? {
            Some(files) => Ok(Self::Lobster(files)),
            None => Err(SessionError::NoSession { dir: dir.into() }),
        }
    }
}

impl CanonicalFiles {
    /// What came in, by rising seq.
    pub fn input(&self) -> Result<BySeq<InputRow>, SessionError> {
        BySeq::open(&self.input)
    }

    /// What rested at the start, in queue order.
    pub fn seed(&self) -> Result<Option<Rows<RestingRow>>, SessionError> {
        self.seed.as_deref().map(Rows::open).transpose()
    }

    /// The venue's trades, by rising seq of the input that caused them. `None`: not recorded.
    pub fn trades(&self) -> Result<Option<BySeq<TradeRow>>, SessionError> {
        self.trades.as_deref().map(BySeq::open).transpose()
    }

    /// The venue's books, by rising seq of the input that they follow.
    pub fn books(&self) -> Result<Option<BySeq<BookRow>>, SessionError> {
        self.books.as_deref().map(BySeq::open).transpose()
    }

    /// What rested at the end, in no order that counts.
    pub fn final_book(&self) -> Result<Option<Rows<RestingRow>>, SessionError> {
        self.final_book.as_deref().map(Rows::open).transpose()
    }

    /// What came in before the opening auction ended, by rising seq.
    pub fn auction_orders(&self) -> Result<Option<BySeq<InputRow>>, SessionError> {
        self.auction_orders.as_deref().map(BySeq::open).transpose()
    }

    /// The trades of the opening auction in their order.
    pub fn auction_trades(&self) -> Result<Option<Rows<AuctionTradeRow>>, SessionError> {
        self.auction_trades.as_deref().map(Rows::open).transpose()
    }

    /// Whether an opening auction was recorded.
    #[must_use]
    pub fn has_auction(&self) -> bool {
        self.auction_orders.is_some()
    }
}

/// The last part of a path, also of `.` and `..`.
fn folder_name(dir: &Path) -> String {
    let full = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    full.file_name().map_or_else(|| full.display().to_string(), |n| n.to_string_lossy().into())
}
