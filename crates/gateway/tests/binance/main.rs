//! The Binance dialect as its clients see it, through the real router with the real node behind it.

mod account;
#[path = "../api/client.rs"]
#[expect(dead_code, reason = "shared with the tests of the native API")]
mod client;
mod compatibility;
mod compression;
mod differences;
mod general;
mod hostile;
mod lists;
mod local_book;
mod market;
mod orders;
mod replace;
mod signing;
mod socket;
mod streams;
mod trader;
mod user_data;
mod user_data_partitions;
mod whole_streams;
#[path = "../api/world.rs"]
#[expect(dead_code, reason = "shared with the tests of the native API")]
mod world;
mod ws_api;
