//! Why a recorded session cannot be read.

use std::path::PathBuf;

/// Why a recorded session cannot be read: always with the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The folder or file cannot be opened.
    #[error("{}: {source}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds none of the known formats.
    #[error(
        "{}: no recorded session here (neither input.csv[.zst] nor a LOBSTER pair *message*.csv and *orderbook*.csv)",
        dir.display()
    )]
    NoSession {
        /// Which folder.
        dir: PathBuf,
    },
    /// A row does not say what it must.
    #[error("{}, line {line}: {what}", file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// Counted from 1, header included.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
}
