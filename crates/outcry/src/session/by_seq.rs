//! Rows by rising seq, whatever their order in the file.
//!
//! Recordings of asynchronous channels are nearly in order, but not quite. The file is read once
//! beforehand to see whether it rises; if so it is streamed, else it is sorted in memory, rows of the
//! same seq staying in file order.

use std::iter::Peekable;
use std::path::Path;

use super::{Record, Rows, SessionError};

/// A row that belongs to an input.
pub trait Sequenced: Record {
    /// The input's number.
    fn seq(&self) -> u64;
}

/// Rows by rising seq.
pub struct BySeq<T: Sequenced> {
    rows: Peekable<Box<dyn Iterator<Item = Result<T, SessionError>>>>,
    count: u64,
}

impl<T: Sequenced + 'static> BySeq<T> {
    /// Opens a file; reads it once to count its rows and see whether they rise.
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let (mut count, mut last, mut rises) = (0, 0, true);
        for row in Rows::<T>::open(path)? {
            let seq = row?.seq();
            rises &= seq >= last;
            last = seq;
            count += 1;
        }
        let stream = Rows::<T>::open(path)?;
        let rows: Box<dyn Iterator<Item = _>> = if rises {
            Box::new(stream)
        } else {
            let mut all = stream.collect::<Result<Vec<T>, _>>()?;
            all.sort_by_key(T::seq);
            Box::new(all.into_iter().map(Ok))
        };
        Ok(Self { rows: rows.peekable(), count })
    }

    /// How many rows the file has.
    pub fn row_count(&self) -> u64 {
        self.count
    }

    /// The next row if its seq is at most `seq`.
    pub fn next_up_to(&mut self, seq: u64) -> Result<Option<T>, SessionError> {
        let belongs = |row: &Result<T, _>| row.as_ref().map_or(true, |r: &T| r.seq() <= seq);
        self.rows.next_if(belongs).transpose()
    }
}

impl<T: Sequenced> Iterator for BySeq<T> {
    type Item = Result<T, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}
