//! What is a handshake, and what is not.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::talk::echo_server;

const RIGHT: [(&str, &str); 5] = [
    ("Host", "x"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

async fn answer(address: std::net::SocketAddr, method: &str, headers: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("{method} / HTTP/1.1\r\n{headers}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "no answer");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_handshake_has_all_its_headers() {
    let address = echo_server(Some(0)).await;
    let right = answer(address, "GET", &RIGHT).await;
    assert!(right.starts_with("HTTP/1.1 101 "), "{right}");
    assert!(right.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{right}");
    assert!(!right.contains("sec-websocket-extensions"), "{right}");
    for missing in 1..RIGHT.len() {
        let mut headers = RIGHT.to_vec();
        let (name, _) = headers.remove(missing);
        let refused = answer(address, "GET", &headers).await;
        assert!(refused.starts_with("HTTP/1.1 400 "), "without {name}: {refused}");
    }
    for (at, value) in [(1, "close"), (2, "h2c"), (3, "12"), (4, "c2hvcnQ=")] {
        let mut headers = RIGHT.to_vec();
        headers[at].1 = value;
        let refused = answer(address, "GET", &headers).await;
        assert!(refused.starts_with("HTTP/1.1 400 "), "{value}: {refused}");
    }
    assert!(answer(address, "POST", &RIGHT).await.starts_with("HTTP/1.1 400 "));
}
