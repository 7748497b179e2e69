//! Sends back what it is sent: what the Autobahn test suite is run against (`make autobahn`).
//!
//! It is the handshake, the frames and the compression of the gateway, with the limits that the suite needs.
//! Prints its address and serves until it is killed.

mod serve;

use tokio::net::TcpListener;
use websocket::Settings;

/// The largest messages of the suite have 16 MiB.
const SETTINGS: Settings = Settings { limit: 16 << 20, compress_from: Some(0) };

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    serve::serve(listener, SETTINGS).await;
}
