//! HTTP: routes, what every answer has in common, and the server.

pub(crate) mod extract;
mod finish;
mod idle;
pub(crate) mod metrics;
pub(crate) mod pair_metrics;
mod patience;
mod router;
mod server;
pub(crate) mod stages;
mod whole;

pub(crate) use idle::UnderWay;
pub(crate) use router::{Routes, refusals, router};
pub(crate) use server::serve;
