//! The tests of the book: one program, since each is built and linked by itself.

mod auction;
mod common;
mod conditions;
mod liquidity;
mod market_rules;
mod naive;
mod oracle;
mod rules;
mod self_trade;
