//! HTTP: routes, what every answer has in common, and the server.

pub(crate) mod extract;
mod finish;
pub(crate) mod metrics;
mod router;
mod server;

pub(crate) use router::{Routes, refusals, router};
pub(crate) use server::serve;
