//! An exchange in the generator's own process, without its edge: requests go straight into the queue of its partition,
//! and everything is heard from its events, which are durable when they come.
//!
//! Nobody answers reads here, so agents make none. What a run needs of it besides: the book that agents look at
//! ([`orders`]), and an audit that recovers the exchange from its log alone.

mod audit;
mod exchange;
mod orders;
mod requests;

pub(crate) use audit::audit;
pub(crate) use exchange::{Engine, hear};
