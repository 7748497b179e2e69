//! `outcry keys`: `reset-admin` for an operator who lost the admin key, `add-operator` for another pair of
//! eyes. Whoever may write the data directory may do this; no admin key can.

use std::fs::File;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, flock};
use store::{Store, StoreError};
use types::{OperatorName, Timestamp};

use crate::exit::{Failure, Status};
use crate::run;

/// Revokes the admin keys and prints a new one.
pub fn reset_admin(data: &Path) -> Result<Status, Failure> {
    let _held = hold(data)?;
    let store = Store::open(data).map_err(Failure::of(Status::Io, "cannot open the store"))?;
    let credentials = gateway::reset_admin(&store, now())
        .map_err(Failure::of(Status::Io, "cannot reset the admin key"))?;
    println!(
        "The admin key is shown this once; all earlier admin keys are revoked.\n{credentials}"
    );
    run::was_shown(data).map_err(Failure::of(Status::Io, "cannot note that the key was shown"))?;
    Ok(Status::Ok)
}

/// Prints a key for an operator; nothing is revoked.
pub fn add_operator(data: &Path, name: OperatorName) -> Result<Status, Failure> {
    let _held = hold(data)?;
    let store = Store::open(data).map_err(Failure::of(Status::Io, "cannot open the store"))?;
    let credentials = gateway::add_operator(&store, &name.to_string(), now()).map_err(|error| {
        let refused = matches!(error, StoreError::OperatorTooAlike(..));
        let status = if refused { Status::Differs } else { Status::Io };
        Failure::new(status, format_args!("cannot make the key: {error}"))
    })?;
    println!("The key of operator {name} is shown this once.\n{credentials}");
    Ok(Status::Ok)
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(now.as_nanos() as u64)
}

/// Makes sure that no exchange runs on `data` as long as the result lives: it would go on with the
/// keys that it has loaded.
fn hold(data: &Path) -> Result<File, Failure> {
    let path = data.join("LOCK");
    let doing = format!("no exchange was ever started in {}", data.display());
    let file = File::open(&path).map_err(Failure::of(Status::CannotCreate, &doing))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let what = format!("{} is in use by a running exchange: stop it first", data.display());
        return Err(Failure::new(Status::CannotCreate, what));
    }
    Ok(file)
}
