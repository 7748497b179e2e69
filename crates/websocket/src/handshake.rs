//! The handshake: from a request of HTTP to a connection (RFC 6455, section 4.2, and RFC 8441).

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::io::{ReadHalf, WriteHalf, split};

use crate::decoder::Decoder;
use crate::offer::agree;
use crate::reader::Reader;
use crate::writer::{Traffic, Writer};

const VERSION: &str = "13";
const PROTOCOL: &str = "websocket";
/// What the standard appends to a client's key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Bytes of a client's key.
const KEY: usize = 16;

type Io = TokioIo<Upgraded>;
/// The reading half of a connection.
pub type SocketReader = Reader<ReadHalf<Io>>;
/// Its writing half.
pub type SocketWriter = Writer<WriteHalf<Io>>;
/// Both.
pub type Connection = (SocketReader, SocketWriter);

/// What holds for a connection.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Bytes of a message from the client.
    pub limit: usize,
    /// Texts of so many bytes and more are compressed for clients that can inflate them, and theirs are
    /// understood; none: nothing is compressed.
    pub compress_from: Option<usize>,
}

/// Why a request cannot become a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not ask for one, or not rightly.
    #[error("a WebSocket handshake is expected: {0}")]
    NoHandshake(&'static str),
    /// In another version: the answer must have the header `Sec-WebSocket-Version: 13`.
    #[error("only version {VERSION} of the WebSocket protocol is spoken")]
    Version,
}

/// A request for a connection.
pub struct Upgrade {
    on: OnUpgrade,
    /// The answer to the client's key; over HTTP/2 there is none.
    accept: Option<HeaderValue>,
    /// What the client offers.
    extensions: String,
}

impl Upgrade {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(parts: &mut Parts) -> Result<Self, Refused> {
        let headers = &parts.headers;
        let accept = if parts.method == Method::CONNECT {
            let protocol = parts.extensions.get::<hyper::ext::Protocol>();
            if protocol.is_none_or(|protocol| protocol.as_str() != PROTOCOL) {
                return Err(Refused::NoHandshake("another protocol is asked for"));
            }
            None
        } else {
            if parts.method != Method::GET {
                return Err(Refused::NoHandshake("the method is GET"));
            }
            if !has_token(headers, CONNECTION, "upgrade") || !has_token(headers, UPGRADE, PROTOCOL)
            {
                return Err(Refused::NoHandshake("`Connection: upgrade` and `Upgrade: websocket`"));
            }
            let key = headers.get(SEC_WEBSOCKET_KEY);
            Some(accept(key.ok_or(Refused::NoHandshake("`Sec-WebSocket-Key`"))?)?)
        };
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
            return Err(Refused::Version);
        }
        let extensions = values(headers, SEC_WEBSOCKET_EXTENSIONS).collect::<Vec<_>>().join(",");
        let on = parts.extensions.remove().ok_or(Refused::NoHandshake("it comes too late"))?;
        Ok(Self { on, accept, extensions })
    }

    /// The answer. Once it is sent, the connection is served in a task of its own; its bytes are counted in
    /// `traffic`.
    pub fn accept<B: Default, F: Future<Output = ()> + Send + 'static>(
        self,
        settings: Settings,
        traffic: Arc<Traffic>,
        serve: impl FnOnce(Connection) -> F + Send + 'static,
    ) -> Response<B> {
        let Settings { limit, compress_from } = settings;
        let agreed = compress_from.and_then(|_| agree(&self.extensions));
        let on = self.on;
        tokio::spawn(async move {
            let Ok(io) = on.await else {
                // The client left before it was answered.
                return;
            };
            let (read, write) = split(TokioIo::new(io));
            let decoder = Decoder::new(limit, agreed.is_some());
            let reader = Reader::new(read, BytesMut::new(), decoder);
            let writer = Writer::new(write, agreed, compress_from.unwrap_or_default(), traffic);
            serve((reader, writer)).await;
        });
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        if let Some(agreed) = agreed {
            let answer = HeaderValue::try_from(agreed.answer()).expect("plain words");
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, answer);
        }
        if let Some(accept) = self.accept {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        response
    }
}

/// What the client sees its key by.
fn accept(key: &HeaderValue) -> Result<HeaderValue, Refused> {
    if BASE64_STANDARD.decode(key).map_or(0, |key| key.len()) != KEY {
        return Err(Refused::NoHandshake("`Sec-WebSocket-Key` is 16 bytes as base64"));
    }
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), GUID.as_bytes()].concat());
    Ok(HeaderValue::try_from(BASE64_STANDARD.encode(hash)).expect("base64 is ASCII"))
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// Whether a list has a word, in whatever case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_is_answered_as_it_says() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for key in ["", "x", "dGhlIHNhbXBsZQ==", "\"\""] {
            assert!(accept(&HeaderValue::from_static(key)).is_err(), "{key}");
        }
    }

    #[test]
    fn words_of_headers_are_found_in_lists_and_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.append(UPGRADE, HeaderValue::from_static("h2c"));
        headers.append(UPGRADE, HeaderValue::from_static("WebSocket"));
        assert!(has_token(&headers, CONNECTION, "upgrade"));
        assert!(has_token(&headers, UPGRADE, PROTOCOL));
        assert!(!has_token(&headers, CONNECTION, "close"));
    }
}
