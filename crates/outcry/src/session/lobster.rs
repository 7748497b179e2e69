//! LOBSTER sessions: a message file and an orderbook file, line by line the same number.
//!
//! The files have no header. A message is time, type, order id, size, price, direction of the
//! resting order. An orderbook line is ask price, ask size, bid price, bid size for each level; a
//! level that does not exist has the price ±9999999999.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use types::{Price, Quantity, Side};

use super::table::{damaged, open_bytes};
use super::time::parse_time;
use super::{LevelRow, SessionError};

/// A price of this size or more, of either sign, marks a level that does not exist.
const NO_LEVEL: u64 = 9_999_999_999;

/// Where the two files are.
#[derive(Debug)]
pub struct LobsterFiles {
    /// Name of the folder.
    pub name: String,
    messages: PathBuf,
    orderbook: PathBuf,
}

/// One message.
#[derive(Clone, Copy, Debug)]
pub struct LobsterMessage {
    /// Its line, from 1.
    pub line: u64,
    /// Nanoseconds of the day.
    pub time: Option<u64>,
    /// What happened.
    pub action: LobsterAction,
    /// The resting order.
    pub id: u64,
    /// How much of it.
    pub quantity: Quantity,
    /// Its price.
    pub price: Price,
    /// Its side.
    pub side: Side,
}

/// What happened to a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LobsterAction {
    /// It entered the book.
    Submitted,
    /// It became smaller.
    Reduced,
    /// All of it left the book.
    Deleted,
    /// It traded.
    Executed,
    /// Something that does not show in the visible book: a hidden execution, a cross, a halt.
    Invisible,
}

/// The visible levels after a message, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LobsterWindow {
    /// Bids, best first.
    pub bids: Vec<LevelRow>,
    /// Asks, best first.
    pub asks: Vec<LevelRow>,
}

impl LobsterFiles {
    /// The pair in `dir`, if there is one.
    pub(super) fn find(dir: &Path, name: String) -> Result<Option<Self>, SessionError> {
        let failed = |source| SessionError::Open { path: dir.into(), source };
        let (mut messages, mut orderbook) = (None, None);
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            if !file.ends_with(".csv") && !file.ends_with(".csv.zst") {
                continue;
            }
            if file.contains("message") {
                messages = Some(path);
            } else if file.contains("orderbook") {
                orderbook = Some(path);
            }
        }
        Ok(messages.zip(orderbook).map(|(messages, orderbook)| Self { name, messages, orderbook }))
    }

    /// Each message with the window after it.
    ///
    /// # Errors
    /// If a file cannot be opened, and in the iterator, if a line is wrong or one file is longer.
    pub fn rows(
        &self,
    ) -> Result<
        impl Iterator<Item = Result<(LobsterMessage, LobsterWindow), SessionError>>,
        SessionError,
    > {
        let mut messages = Lines::open(&self.messages)?;
        let mut windows = Lines::open(&self.orderbook)?;
        Ok(std::iter::from_fn(move || match (messages.read(message), windows.read(window)) {
            (Err(error), _) | (_, Err(error)) => Some(Err(error)),
            (Ok(Some(message)), Ok(Some(window))) => Some(Ok((message, window))),
            (Ok(None), Ok(None)) => None,
            (Ok(None), Ok(Some(_))) => Some(Err(messages.wrong("ends before the orderbook file"))),
            (Ok(Some(_)), Ok(None)) => Some(Err(windows.wrong("ends before the message file"))),
        }))
    }
}

/// A file without a header. A first line that starts with a letter is skipped all the same.
struct Lines {
    file: PathBuf,
    reader: csv::Reader<Box<dyn Read>>,
    record: StringRecord,
    line: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, SessionError> {
        Ok(Self {
            reader: csv::ReaderBuilder::new().has_headers(false).from_reader(open_bytes(path)?),
            file: path.into(),
            record: StringRecord::new(),
            line: 0,
        })
    }

    fn read<T>(
        &mut self,
        convert: impl Fn(&Self) -> Result<T, SessionError>,
    ) -> Result<Option<T>, SessionError> {
        loop {
            let more = self.reader.read_record(&mut self.record);
            if !more.map_err(|error| damaged(&self.file, &error))? {
                return Ok(None);
            }
            self.line = self.record.position().map_or(0, csv::Position::line);
            let is_header = self
                .record
                .get(0)
                .is_some_and(|t| t.starts_with(|c: char| c.is_ascii_alphabetic()));
            if !(self.line == 1 && is_header) {
                return convert(self).map(Some);
            }
        }
    }

    fn text(&self, column: usize) -> Result<&str, SessionError> {
        let text = self.record.get(column).map(str::trim);
        text.ok_or_else(|| self.wrong(format!("no column {}", column + 1)))
    }

    fn signed(&self, column: usize) -> Result<i64, SessionError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.wrong(format!("{text:?} is not a whole number")))
    }

    fn unsigned(&self, column: usize) -> Result<u64, SessionError> {
        u64::try_from(self.signed(column)?)
            .map_err(|_| self.wrong(format!("column {} is below zero", column + 1)))
    }

    fn wrong(&self, what: impl Into<String>) -> SessionError {
        SessionError::Row { file: self.file.clone(), line: self.line, what: what.into() }
    }
}

fn message(line: &Lines) -> Result<LobsterMessage, SessionError> {
    let action = match line.unsigned(1)? {
        1 => LobsterAction::Submitted,
        2 => LobsterAction::Reduced,
        3 => LobsterAction::Deleted,
        4 => LobsterAction::Executed,
        5..=7 => LobsterAction::Invisible,
        other => return Err(line.wrong(format!("message type {other} is none of 1 to 7"))),
    };
    let visible = action != LobsterAction::Invisible;
    Ok(LobsterMessage {
        line: line.line,
        time: parse_time(line.text(0)?),
        action,
        id: line.unsigned(2)?,
        // A halt carries codes, also negative ones, in the place of price and size.
        quantity: Quantity::new(if visible { line.unsigned(3)? } else { 0 }),
        price: Price::new(if visible { line.unsigned(4)? } else { 0 }),
        side: match line.signed(5)? {
            1 => Side::Buy,
            -1 => Side::Sell,
            other => return Err(line.wrong(format!("direction {other} is neither 1 nor -1"))),
        },
    })
}

fn window(line: &Lines) -> Result<LobsterWindow, SessionError> {
    if !line.record.len().is_multiple_of(4) {
        return Err(line.wrong(format!("{} columns are no multiple of four", line.record.len())));
    }
    let (mut bids, mut asks) = (Vec::new(), Vec::new());
    for column in (0..line.record.len()).step_by(2) {
        if line.signed(column)?.unsigned_abs() >= NO_LEVEL {
            continue;
        }
        let level = LevelRow {
            price: Price::new(line.unsigned(column)?),
            quantity: Quantity::new(line.unsigned(column + 1)?),
            orders: None,
        };
        if column % 4 == 0 {
            asks.push(level);
        } else {
            bids.push(level);
        }
    }
    Ok(LobsterWindow { bids, asks })
}

impl std::fmt::Display for LobsterMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, action, id, quantity, price, side, .. } = self;
        write!(f, "line {line}: {action:?} {id}, {side:?} {quantity} at {price}")
    }
}
