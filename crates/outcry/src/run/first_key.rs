//! The first operator's key, which is shown once: a start that is interrupted between making and
//! showing it must not leave an exchange that nobody can operate.
//!
//! A file is there from before the key is made until after it was shown. A start that finds it makes
//! another key and revokes the one that may never have been seen.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use store::Store;
use types::Timestamp;

use super::print;
use crate::exit::{Failure, Status};

const MARK: &str = "ADMIN_KEY_NOT_SHOWN";

/// Makes and shows an operator's key, if there is none or it may not have been shown.
pub fn show_if_needed(data: &Path, store: &Store, now: Timestamp) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Status::Io, format_args!("cannot make the admin key: {error}"))
    };
    let mark = data.join(MARK);
    let was_interrupted = mark.exists();
    if !was_interrupted && store.has_admin_key().map_err(|error| failed(&error))? {
        return Ok(());
    }
    write(&mark, data).map_err(|error| failed(&error))?;
    let made = match was_interrupted {
        true => gateway::reset_admin(store, now).map(Some),
        false => gateway::bootstrap_admin(store, now),
    };
    let Some(credentials) = made.map_err(|error| failed(&error))? else { return Ok(()) };
    let line = format_args!("The admin key is shown this once; keep it:\n{credentials}");
    // Without a reader it was not shown: the next start shows another.
    if print(line).is_ok() {
        was_shown(data).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// An operator has an admin key.
pub fn was_shown(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(MARK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(mark: &Path, data: &Path) -> io::Result<()> {
    let mut file = File::create(mark)?;
    file.write_all(b"The next start makes another admin key and shows it.\n")?;
    file.sync_all()?;
    File::open(data)?.sync_all()
}
