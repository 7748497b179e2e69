//! One CSV file with a header, plain or compressed, as typed rows with their line numbers.

use std::fs::File;
use std::io::{BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::SessionError;

/// `dir/name.csv`, else `dir/name.csv.zst`, else nothing.
pub(super) fn find(dir: &Path, name: &str) -> Result<Option<PathBuf>, SessionError> {
    for suffix in ["csv", "csv.zst"] {
        let path = dir.join(format!("{name}.{suffix}"));
        match path.try_exists() {
            Ok(true) => return Ok(Some(path)),
            Ok(false) => {}
            Err(source) => return Err(SessionError::Open { path, source }),
        }
    }
    Ok(None)
}

/// The bytes of a file, decompressed if its name ends in `.zst`.
pub(super) fn open_bytes(path: &Path) -> Result<Box<dyn Read>, SessionError> {
    let failed = |source| SessionError::Open { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    if path.extension().is_some_and(|e| e == "zst") {
        Ok(Box::new(zstd::Decoder::new(file).map_err(failed)?))
    } else {
        Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
    }
}

/// What a row of a file means.
pub trait Record: Sized {
    /// Reads one row.
    ///
    /// # Errors
    /// If a column is missing or says something that it must not.
    fn read(row: &Row<'_>) -> Result<Self, SessionError>;
}

/// One row, its columns by name.
pub struct Row<'a> {
    file: &'a Path,
    header: &'a StringRecord,
    record: &'a StringRecord,
    line: u64,
}

impl<'a> Row<'a> {
    /// A column's text; `None` if there is no such column or it is empty.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        let at = self.header.iter().position(|name| name.trim() == column)?;
        self.record.get(at).map(str::trim).filter(|t| !t.is_empty())
    }

    /// A column's text that must be there.
    pub fn required(&self, column: &str) -> Result<&'a str, SessionError> {
        self.text(column).ok_or_else(|| self.wrong(format!("no {column}")))
    }

    /// A column's whole number that must be there.
    pub fn number(&self, column: &str) -> Result<u64, SessionError> {
        self.parse(column, self.required(column)?)
    }

    /// `text` of `column` as a whole number.
    pub fn parse(&self, column: &str, text: &str) -> Result<u64, SessionError> {
        text.parse().map_err(|_| self.wrong(format!("{column} {text:?} is not a whole number")))
    }

    /// An error at this row.
    pub fn wrong(&self, what: impl Into<String>) -> SessionError {
        SessionError::Row { file: self.file.into(), line: self.line, what: what.into() }
    }
}

/// The rows of a file, read as they are asked for.
pub struct Rows<T> {
    file: PathBuf,
    header: StringRecord,
    reader: csv::Reader<Box<dyn Read>>,
    record: StringRecord,
    as_what: PhantomData<T>,
}

impl<T: Record> Rows<T> {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let mut reader = csv::ReaderBuilder::new().from_reader(open_bytes(path)?);
        let header = reader.headers().cloned();
        Ok(Self {
            header: header.map_err(|error| damaged(path, &error))?,
            file: path.into(),
            reader,
            record: StringRecord::new(),
            as_what: PhantomData,
        })
    }

    fn read(&mut self) -> Result<Option<T>, SessionError> {
        let more = self.reader.read_record(&mut self.record);
        if !more.map_err(|error| damaged(&self.file, &error))? {
            return Ok(None);
        }
        let row = Row {
            file: &self.file,
            header: &self.header,
            record: &self.record,
            line: self.record.position().map_or(0, csv::Position::line),
        };
        T::read(&row).map(Some)
    }
}

impl<T: Record> Iterator for Rows<T> {
    type Item = Result<T, SessionError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// What the CSV reader complains of, with the line if it knows it.
pub(super) fn damaged(file: &Path, error: &csv::Error) -> SessionError {
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} columns where {expected_len} are expected")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        csv::ErrorKind::Io(source) => format!("cannot be read: {source}"),
        _ => error.to_string(),
    };
    SessionError::Row {
        file: file.into(),
        line: error.position().map_or(0, csv::Position::line),
        what,
    }
}
