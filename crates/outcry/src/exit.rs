//! How the process ends: one status for each kind of end, stable for scripts.

use std::process::ExitCode;

/// The exit statuses of `outcry`, after the habits of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Ok = 0,
    /// The answer is no: a replay differs, a data directory is not valid, no such order, a
    /// name that is too much like another.
    Differs = 1,
    /// The command line makes no sense. (Given by the argument parser.)
    Usage = 2,
    /// Input that cannot be read as what it should be.
    DataError = 65,
    /// The address to listen on cannot be had.
    Unavailable = 69,
    /// A bug: a thread panicked.
    Software = 70,
    /// The data directory cannot be created, or another process has it.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// The configuration is wrong.
    Config = 78,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// Why a command of the binary could not do its work.
#[derive(Debug)]
pub struct Failure {
    /// The status that the process ends with.
    pub status: Status,
    /// One line for people.
    pub message: String,
}

impl Failure {
    /// A failure with its line.
    pub fn new(status: Status, message: impl std::fmt::Display) -> Self {
        Self { status, message: message.to_string() }
    }

    /// For `map_err`: an error of this status, after what was being done.
    pub fn of<E: std::fmt::Display>(status: Status, doing: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::new(status, format_args!("{doing}: {error}"))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
