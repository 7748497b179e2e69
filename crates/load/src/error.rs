//! Why a run could not be made. What the exchange does wrong is no error but a finding.

use std::path::PathBuf;

/// A run, or a comparison of runs, that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A report or a load trace is not one.
    #[error("{}: {reason}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The exchange could not be reached, or broke off.
    #[error("the exchange: {0}")]
    Connection(#[from] std::io::Error),
    /// The exchange in this process could not be started or read.
    #[error("the engine: {0}")]
    Engine(String),
    /// The exchange refused what a run needs: accounts, keys, funds, a login.
    #[error("the exchange refused {what}: {answer}")]
    Refused {
        /// What was asked.
        what: String,
        /// What it answered.
        answer: String,
    },
}

impl LoadError {
    /// For `map_err`, of an exchange in this process.
    pub(crate) fn engine(error: impl std::fmt::Display) -> Self {
        Self::Engine(error.to_string())
    }

    /// For `map_err`.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::File { path: path.to_owned(), error }
    }
}
