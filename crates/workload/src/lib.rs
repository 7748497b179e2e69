//! The work that all layers of the exchange, and all books of others, are measured with: seeded flows of orders and
//! cancels, and what each operation must fill.
//!
//! *Invariant:* the same seed makes the same operations on every machine and for every engine. Nothing here measures
//! time; the program `hot-paths` counts instructions.
#![forbid(unsafe_code)]

mod flow;
mod market;
mod naive;
mod partition;
mod requests;

pub use flow::{Fill, Operation, Session, Side, WORKLOADS, Workload, workload};
pub use market::OurBook;
pub use naive::NaiveBook;
pub use partition::{OurEngine, command, founding_commands};
pub use requests::{Requests, definition, founding};
