//! The simulator: the product's own sequencing, journal and engine over a simulated disk, clock and
//! network, with several partitions. One seed is one run, always the same.
//!
//! A run puts an exchange under load while machines lose power, syncs fail, messages are lost and
//! clocks jump, and holds it against the invariants of ARCHITECTURE.md after each step and at each
//! restart. It has no code of its own for anything that the product does.
#![forbid(unsafe_code)]

#[cfg(feature = "campaign")]
pub mod clock;
#[cfg(feature = "campaign")]
pub mod disk;
#[cfg(feature = "campaign")]
mod experiments;
#[cfg(feature = "campaign")]
pub mod faults;
#[cfg(feature = "campaign")]
mod flaw;
#[cfg(feature = "campaign")]
pub mod network;
#[cfg(feature = "campaign")]
pub mod observer;
pub mod rare;
#[cfg(feature = "campaign")]
mod run;
pub mod venue;
#[cfg(feature = "campaign")]
mod ward;
pub mod workload;

#[cfg(feature = "campaign")]
pub use run::{Outcome, run};

#[cfg(feature = "campaign")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
