//! A client of the dialect: signs like the libraries do, and reads answers.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tower::ServiceExt;

use crate::client::{Client, now_millis};
use crate::world::World;

/// An answer of the dialect.
#[derive(Debug)]
pub struct Said {
    pub status: StatusCode,
    pub headers: BTreeMap<String, String>,
    pub json: Value,
}

impl Said {
    /// The answer of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.json);
        assert_eq!(self.headers["content-type"], "application/json;charset=UTF-8");
        self.json
    }

    /// Status, code and text of an error.
    #[track_caller]
    pub fn error(&self) -> (u16, i64, &str) {
        assert_ne!(self.status, StatusCode::OK, "{:?}", self.json);
        assert_eq!(self.headers["content-type"], "application/json;charset=UTF-8");
        let code = self.json["code"].as_i64().unwrap();
        (self.status.as_u16(), code, self.json["msg"].as_str().unwrap())
    }

    /// The code of an error.
    #[track_caller]
    pub fn code(&self) -> i64 {
        self.error().1
    }
}

/// The signature of a payload by an HMAC key.
pub fn hmac_hex(secret: &str, payload: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Any request, with whatever headers.
pub async fn send(router: &Router, request: Request<Body>) -> Said {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Said { status, headers, json }
}

impl World {
    /// A public request.
    pub async fn ask(&self, path: &str) -> Said {
        send(&self.router, Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A signed request with all parameters in the query.
    pub async fn signed(&self, who: &Client, method: &str, path: &str, query: &str) -> Said {
        let separator = if query.is_empty() { "" } else { "&" };
        let query = format!("{query}{separator}timestamp={}", now_millis());
        let signature = hmac_hex(&who.secret, &query);
        let uri = format!("{path}?{query}&signature={signature}");
        let request = Request::builder().method(method).uri(uri).header("x-mbx-apikey", &who.key);
        send(&self.router, request.body(Body::empty()).unwrap()).await
    }

    /// A signed request with all parameters in a form body, as most libraries post.
    pub async fn posted(&self, who: &Client, method: &str, path: &str, form: &str) -> Said {
        let form = format!("timestamp={}&{form}", now_millis());
        let body = format!("{form}&signature={}", hmac_hex(&who.secret, &form));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-mbx-apikey", &who.key)
            .header("content-type", "application/x-www-form-urlencoded");
        send(&self.router, request.body(Body::from(body)).unwrap()).await
    }
}
