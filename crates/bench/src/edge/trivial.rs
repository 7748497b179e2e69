//! A server that does nothing: what the HTTP stack alone costs. It runs in a process of its own, as
//! the exchange does, and answers the generator's requests with as little as the generator checks.

use axum::extract::Path;
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The fields of an order that the generator sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "they are read, as those of the exchange are, and no more")]
struct Place {
    market: String,
    side: String,
    #[serde(rename = "type")]
    order_type: String,
    price: String,
    quantity: String,
    time_in_force: String,
    client_order_id: String,
}

#[derive(Serialize)]
struct Placed {
    id: u64,
    order: Order,
}

#[derive(Serialize)]
struct Order {
    client_order_id: String,
    status: &'static str,
}

#[derive(Serialize)]
struct Cancelled {
    id: u64,
}

/// Serves until it is killed.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("listening on http://{}", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/v1/orders", post(place))
            .route("/v1/orders/{market}/{id}", delete(cancel));
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await.expect("a listening socket");
    });
}

async fn place(Json(order): Json<Place>) -> Json<Placed> {
    let status = if order.time_in_force == "gtc" { "open" } else { "cancelled" };
    Json(Placed { id: 1, order: Order { client_order_id: order.client_order_id, status } })
}

async fn cancel(Path((_, id)): Path<(String, u64)>) -> Json<Cancelled> {
    Json(Cancelled { id })
}
