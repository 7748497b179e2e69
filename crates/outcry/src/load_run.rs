//! `outcry load …`: the crate `load` does it; here its end becomes an exit status.

use load::{LoadCommand, LoadError};

use crate::exit::{Failure, Status};

/// Makes the run. Findings are the answer no.
pub fn run(command: &LoadCommand) -> Result<Status, Failure> {
    match load::call(command) {
        Ok(true) => Ok(Status::Ok),
        Ok(false) => Ok(Status::Differs),
        Err(error) => {
            let status = match error {
                LoadError::Usage(_) => Status::Usage,
                LoadError::Content { .. } => Status::DataError,
                LoadError::File { .. } | LoadError::Connection(_) => Status::Io,
                LoadError::Refused { .. } | LoadError::Engine(_) => Status::Unavailable,
            };
            Err(Failure::new(status, error))
        }
    }
}
