//! A client that signs its requests and reads JSON answers.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tower::ServiceExt;

/// A key with its secret, or neither for the public.
#[derive(Clone, Default)]
pub struct Client {
    pub key: String,
    pub secret: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub request_id: String,
    pub retry_after: Option<String>,
    pub json: Value,
}

impl Client {
    pub async fn send(&self, router: &Router, method: &str, path: &str, body: &str) -> Answer {
        call(router, self.signed(now_millis(), None, method, path, body)).await
    }

    /// A signed request.
    pub fn signed(
        &self,
        timestamp: u64,
        window: Option<u64>,
        method: &str,
        path: &str,
        body: &str,
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !self.key.is_empty() {
            let in_window = window.unwrap_or(5_000);
            let message = format!("{timestamp}\n{in_window}\n{method}\n{path}\n{body}");
            let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
            mac.update(message.as_bytes());
            request = request
                .header("x-outcry-key", &self.key)
                .header("x-outcry-timestamp", timestamp)
                .header("x-outcry-signature", hex::encode(mac.finalize().into_bytes()));
            if let Some(window) = window {
                request = request.header("x-outcry-receive-window", window);
            }
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }
}

pub async fn call(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let header = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
    let request_id = header("x-request-id").expect("every answer is named");
    let retry_after = header("retry-after");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Answer { status, request_id, retry_after, json }
}

pub fn now_millis() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

impl Answer {
    /// The answer of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.json);
        self.json
    }

    /// The code of an error, whose shape is checked.
    #[track_caller]
    pub fn code(&self) -> &str {
        assert!(self.status.as_u16() >= 400, "{:?}", self.json);
        let error = &self.json["error"];
        assert!(error["number"].is_u64() && error["retryable"].is_boolean(), "{error:?}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        assert_eq!(error["request_id"], self.request_id.as_str());
        error["code"].as_str().unwrap()
    }
}
