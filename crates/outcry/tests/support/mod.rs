//! The real binary as a child process, and small clients for it: signed HTTP over one connection,
//! and a WebSocket.

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An API key.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// A running `outcry run`.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Shown at the first start of a data directory.
    pub admin: Option<Key>,
    /// All that it has written so far.
    output: Arc<Mutex<String>>,
}

impl Server {
    /// Starts the binary and waits until it listens. `Err` has its output if it ended before.
    pub fn start(data: &Path, config: Option<&Path>, args: &[&str]) -> Result<Self, String> {
        let (child, lines) = spawn(data, config, args);
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let output = Arc::new(Mutex::new(String::new()));
        let mut server = Self { child, address, admin: None, output: Arc::clone(&output) };
        let write = move |line: &str| *output.lock().expect("no panic") += &format!("{line}\n");
        let (mut id, mut secret) = (None, None);
        let deadline = Instant::now() + PATIENCE;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            let Ok(line) = lines.recv_timeout(left) else { break };
            write(&line);
            if let Some((_, text)) = line.split_once("admin key:") {
                id = Some(text.trim().to_owned());
            }
            if let Some((_, text)) = line.split_once("admin secret:") {
                secret = Some(text.trim().to_owned());
            }
            if let Some((_, address)) = line.split_once("listening on http") {
                server.address = address
                    .trim()
                    .trim_start_matches(|c| "s:/".contains(c))
                    .parse()
                    .expect("an address");
                server.admin = id.zip(secret).map(|(id, secret)| Key { id, secret });
                // The rest of the output must be taken, or the child would wait for us.
                std::thread::spawn(move || lines.iter().for_each(|line| write(&line)));
                return Ok(server);
            }
        }
        let output = server.output.lock().expect("no panic").clone();
        Err(output)
    }

    /// Waits until the output has one of these texts, and tells which.
    pub fn says<'a>(&self, texts: &[&'a str]) -> &'a str {
        eventually(&format!("it says none of {texts:?}"), || {
            let output = self.output();
            texts.iter().find(|text| output.contains(**text)).copied().ok_or(output)
        })
    }

    /// As a power cut ends it, as far as a process can tell.
    pub fn kill(mut self) {
        self.child.kill().expect("it was started");
        self.child.wait().expect("it was started");
    }

    /// As an operator ends it.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("it was started");
        assert!(status.success(), "a graceful stop ends with {status}");
    }

    /// All that it has said so far.
    pub fn output(&self) -> String {
        self.output.lock().expect("no panic").clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn http(&self) -> Http {
        Http::connect(self.address)
    }
}

/// A test that fails leaves no process behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `look` finds what it looks for, and gives it. What it saw instead is told in the end.
pub fn eventually<T, E: Debug>(what: &str, mut look: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "{what}: {seen:?}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The settings of a server that is given none.
const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/small.toml");

/// Starts the binary without waiting for anything. Its lines come through the channel.
pub fn spawn(data: &Path, config: Option<&Path>, args: &[&str]) -> (Child, Receiver<String>) {
    let mut command = Command::new(binary());
    command.arg("run").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
    // Tests poll, beside others on a busy machine; one that is about what is refused names it itself.
    if !args.contains(&"--limits") {
        command.args(["--limits", "unlimited"]);
    }
    if !args.contains(&"--shed-above") {
        command.args(["--shed-above", "0ms"]);
    }
    command.args(args).arg("--config").arg(config.unwrap_or(Path::new(SMALL)));
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
    let (send, lines) = channel();
    let out = child.stdout.take().expect("piped");
    let err = child.stderr.take().expect("piped");
    let streams: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
    for stream in streams {
        let send = send.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
    }
    (child, lines)
}

/// Runs another command of the binary to its end: success and output.
pub fn outcry(args: &[&str]) -> (bool, String) {
    let output = Command::new(binary()).args(args).output().expect("the binary");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_outcry"))
}

/// One HTTP/1.1 connection.
pub struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the exchange listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream: BufReader::new(stream) }
    }

    /// A signed request that must succeed.
    pub fn ok(&mut self, key: &Key, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(Some(key), method, path, body).expect("an answer");
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Status and body, or what went wrong with the connection.
    pub fn send(
        &mut self,
        key: Option<&Key>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> std::io::Result<(u16, Value)> {
        let body = body.map_or(String::new(), |body| body.to_string());
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: exchange\r\n");
        if let Some(key) = key {
            let timestamp = now_ms().to_string();
            let signature = sign(key, &timestamp, method, path, &body);
            head += &format!(
                "X-Outcry-Key: {}\r\nX-Outcry-Timestamp: {timestamp}\r\n\
                 X-Outcry-Receive-Window: {WINDOW_MS}\r\nX-Outcry-Signature: {signature}\r\n",
                key.id
            );
        }
        if !body.is_empty() {
            head += "Content-Type: application/json\r\n";
        }
        head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<(u16, Value)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let header = line.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(text) = header.strip_prefix("content-length:") {
                length = text.trim().parse().map_err(|_| std::io::ErrorKind::InvalidData)?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}

/// One market; a seller and a buyer with funds.
pub fn found(http: &mut Http, admin: &Key) -> [Key; 2] {
    let mut post = |path: &str, body| http.ok(admin, "POST", path, Some(body));
    for symbol in ["BTC", "USDT"] {
        post("/v1/admin/assets", json!({ "symbol": symbol, "scale": 8 }));
    }
    let market = json!({
        "symbol": "BTC-USDT", "base": "BTC", "quote": "USDT", "tick": "0.01",
        "lot": "0.00001", "max_price": "10000000", "max_quantity": "10000",
    });
    post("/v1/admin/markets", market);
    [("seller", "BTC", "10"), ("buyer", "USDT", "100000")].map(|(name, asset, amount)| {
        let account = post("/v1/admin/accounts", json!({ "name": name }))["account"]["id"].clone();
        let credit =
            json!({ "account": account, "asset": asset, "amount": amount, "reference": name });
        post("/v1/admin/credits", credit);
        let permissions = json!({ "account": account, "permissions": ["read", "trade"] });
        let key = post("/v1/admin/keys", permissions);
        let text = |value: &Value| value.as_str().expect("shown once").to_owned();
        Key { id: text(&key["key"]["key"]), secret: text(&key["secret"]) }
    })
}

/// A limit order in that market, which must be accepted. Gives its id.
pub fn place(http: &mut Http, key: &Key, side: &str, price: &str, quantity: &str) -> Value {
    let order = json!({
        "market": "BTC-USDT", "side": side, "type": "limit", "price": price, "quantity": quantity,
    });
    http.ok(key, "POST", "/v1/orders", Some(order))["id"].clone()
}

/// A WebSocket that has logged in.
pub fn websocket(address: SocketAddr, key: &Key) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).expect("the exchange listens");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let (mut socket, _) =
        tungstenite::client(format!("ws://{address}/v1/ws"), stream).expect("an upgrade");
    let timestamp = now_ms().to_string();
    let signature = sign(key, &timestamp, "GET", "/v1/ws", "");
    let login = json!({
        "id": 0, "op": "login", "key": key.id, "timestamp": timestamp,
        "window": WINDOW_MS.to_string(), "signature": signature,
    });
    socket.send(Message::text(login.to_string())).expect("a socket");
    let answer = read_json(&mut socket).expect("an answer to the login");
    assert_eq!(answer["status"], 200, "{answer}");
    socket
}

/// The account's stream of orders, from its snapshot on.
pub fn subscribe(server: &Server, key: &Key) -> WebSocket<TcpStream> {
    let mut socket = websocket(server.address, key);
    let request = json!({ "id": 1, "op": "subscribe", "channels": ["orders"] });
    socket.send(Message::text(request.to_string())).expect("a socket");
    // What happens before the snapshot is in it, and not told as an event.
    let (mut is_answered, mut has_snapshot) = (false, false);
    while !is_answered || !has_snapshot {
        let message = read_json(&mut socket).expect("a message");
        is_answered |= message["id"] == 1 && message["status"] == 200;
        has_snapshot |= message["type"] == "snapshot";
    }
    socket
}

/// The next event of this kind on the stream of orders.
pub fn told(socket: &mut WebSocket<TcpStream>, event: &str) -> Value {
    loop {
        let message = read_json(socket).expect("a message");
        let events = message["data"].as_array().cloned().unwrap_or_default();
        if let Some(found) = events.into_iter().find(|found| found["event"] == event) {
            return found;
        }
    }
}

/// The next message that is JSON.
pub fn read_json(socket: &mut WebSocket<TcpStream>) -> Result<Value, tungstenite::Error> {
    loop {
        if let Message::Text(text) = socket.read()? {
            return Ok(serde_json::from_str(&text).expect("JSON"));
        }
    }
}

const WINDOW_MS: u32 = 60_000;

fn sign(key: &Key, timestamp: &str, method: &str, path: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret.as_bytes()).expect("any length");
    mac.update(format!("{timestamp}\n{WINDOW_MS}\n{method}\n{path}\n{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}
