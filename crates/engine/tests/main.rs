//! The tests of the engine: one program, since each is built and linked by itself.

mod audit;
mod exchange;
mod fees;
mod life;
mod lives;
mod order_lists;
mod partitions;
mod quarantine;
mod redefinition;
mod rules;
mod scenario;
mod scenarios;
mod timers;
mod treasury;
