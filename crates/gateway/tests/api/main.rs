//! The API as its clients see it, through the real router: with the real node behind it, and with an
//! exchange that fails in ways that a real one does not on demand.

mod accounts;
mod admin;
mod auth;
mod client;
mod conditions;
mod documents;
mod errors;
mod fees;
mod figures;
mod full;
mod held_connections;
mod life_of_an_order;
mod metrics;
mod min_seq;
mod order_lists;
mod orders;
mod quarantine;
mod rate_limits;
mod server;
mod silent;
mod trading_rules;
mod treasury;
mod world;
