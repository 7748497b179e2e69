//! The real binary behind TLS: HTTPS and WSS by a client that trusts its certificate, none by one
//! that does not, and a clear line when there is no usable certificate or key.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::support::{PATIENCE, Server, binary};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate for `localhost` and its key.
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn make(folder: &Path, name: &str) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = Self {
            cert: folder.join(format!("{name}-cert.pem")),
            key: folder.join(format!("{name}-key.pem")),
        };
        std::fs::write(&files.cert, cert.pem()).unwrap();
        std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
        files
    }

    fn args(&self) -> [&str; 4] {
        ["--tls-cert", self.cert.to_str().unwrap(), "--tls-key", self.key.to_str().unwrap()]
    }
}

/// A connection of a client that trusts this certificate only.
fn connect(server: &Server, trusted: &Files) -> Stream {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&trusted.cert).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(client, stream)
}

const ASK: &[u8] = b"GET /v1/time HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[test]
fn https_and_wss_are_served_to_who_trusts_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::make(folder.path(), "ours");
    let server = Server::start(&folder.path().join("data"), None, &files.args()).unwrap();
    server.says(&["listening on https://"]);

    let mut https = connect(&server, &files);
    https.write_all(ASK).unwrap();
    let mut answer = String::new();
    https.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert!(body["time"].as_u64() > Some(0), "{answer}");

    let wss = connect(&server, &files);
    let (mut socket, _) = tungstenite::client("wss://localhost/v1/ws", wss).unwrap();
    let subscribe = json!({"id": 1, "op": "subscribe", "channels": ["depth:BTC-USDT"]});
    socket.send(Message::text(subscribe.to_string())).unwrap();
    let mut next = || loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str::<Value>(&text).unwrap();
        }
    };
    let answer = next();
    assert_eq!((&answer["id"], &answer["status"]), (&json!(1), &json!(200)), "{answer}");
    let snapshot = next();
    assert_eq!(
        (&snapshot["type"], &snapshot["channel"]),
        (&json!("snapshot"), &json!("depth:BTC-USDT"))
    );

    let stranger = Files::make(folder.path(), "another");
    let refused = connect(&server, &stranger).write_all(ASK).unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    let mut plain = server.http();
    assert!(plain.send(None, "GET", "/v1/time", None).is_err(), "plain HTTP is not answered");
    server.stop();
}

#[test]
fn a_connection_too_many_is_told_so_over_tls_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::make(folder.path(), "ours");
    let config = folder.path().join("outcry.toml");
    std::fs::write(&config, "[gateway]\nconnections = 1\n").unwrap();
    let args = [&["--no-demo"][..], &files.args()].concat();
    let server = Server::start(&folder.path().join("data"), Some(&config), &args).unwrap();
    let mut first = connect(&server, &files);
    first.write_all(b"GET /v1/time HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut status = [0; 12];
    first.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    let mut second = connect(&server, &files);
    second.write_all(ASK).unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).unwrap();
    // The one place is also the whole share of an address.
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains(r#""code":"AddressHoldsTooMany""#), "{answer}");
    server.stop();
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_named_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, others) = (Files::make(folder.path(), "ours"), Files::make(folder.path(), "others"));
    let (missing, empty) = (folder.path().join("missing.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "nothing\n").unwrap();
    let data = folder.path().join("data");
    for (cert, key, said) in [
        (&missing, &ours.key, "missing.pem: "),
        (&ours.cert, &missing, "missing.pem: "),
        (&empty, &ours.key, "empty.pem: there is no certificate in it"),
        (&ours.cert, &empty, "empty.pem: there is no private key in it"),
        (&ours.cert, &others.key, "ours-cert.pem: does not go with the key"),
    ] {
        let files = Files { cert: cert.clone(), key: key.clone() };
        let output = Command::new(binary())
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .args(files.args())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(said), "{said} is not in {text}");
        assert!(!data.exists());
    }
}
