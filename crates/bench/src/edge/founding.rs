//! A fresh exchange in a process of its own, founded through its operators' API.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::http::{Connection, Key};
use crate::process::Process;

/// So that neither connections nor messages of a socket are limited by anything but the machine.
const UNBOUNDED: &str = "[gateway]\nconnections = 1000000\nsockets = 1000000\nsocket_rate = 1000000\n\
                         socket_burst = 1000000\n";

/// Starts the binary beside this one on an empty data directory, and makes the market and as many
/// accounts, each with funds and a key.
pub fn found(folder: &Path, accounts: usize) -> (Process, Vec<Key>) {
    let mut command = unbounded_exchange(folder);
    command.arg("--no-demo");
    let server = Process::start(command, &folder.join("server.log"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let keys = runtime.expect("a runtime").block_on(async {
        let operator = operator(&server.greeting);
        let mut admin = Connection::open(server.address, operator).await.expect("it listens");
        define(&mut admin).await;
        let mut keys = Vec::new();
        for account in 1..=accounts {
            keys.push(open_account(&mut admin, account).await);
        }
        keys
    });
    (server, keys)
}

/// `outcry run`, built beside this program, with its data in `folder`.
pub fn exchange(folder: &Path) -> Command {
    let binary = std::env::current_exe().expect("a path").with_file_name("outcry");
    let mut command = Command::new(binary);
    command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    command
}

/// The key that was printed at the first start.
fn operator(greeting: &[String]) -> Key {
    let word = |label: &str| {
        let line = greeting.iter().find_map(|line| line.strip_prefix(label));
        line.unwrap_or_else(|| panic!("{label:?} in {greeting:?}")).trim()
    };
    Key::new(word("admin key:"), word("admin secret:"))
}

/// The same without limits of addresses, keys and connections, and without refusals of what waits.
pub fn unbounded_exchange(folder: &Path) -> Command {
    let configuration = folder.join("outcry.toml");
    std::fs::write(&configuration, UNBOUNDED).expect("a writable folder");
    let mut command = exchange(folder);
    command.args(["--limits", "unlimited", "--shed-above", "0ms", "--config"]).arg(configuration);
    command
}

async fn define(admin: &mut Connection) {
    for symbol in ["BTC", "USDT"] {
        post(admin, "/v1/admin/assets", json!({"symbol": symbol, "scale": 8})).await;
    }
    let market = json!({
        "symbol": "BTC-USDT", "base": "BTC", "quote": "USDT", "tick": "0.01", "lot": "0.00001",
        "max_price": "10000000", "max_quantity": "10000",
    });
    post(admin, "/v1/admin/markets", market).await;
}

async fn open_account(admin: &mut Connection, number: usize) -> Key {
    let name = format!("trader {number}");
    let created = post(admin, "/v1/admin/accounts", json!({"name": name})).await;
    let account = &created["account"]["id"];
    for (asset, amount) in [("BTC", "1000000"), ("USDT", "1000000000")] {
        let reference = format!("{asset} of {name}");
        let credit =
            json!({"account": account, "asset": asset, "amount": amount, "reference": reference});
        post(admin, "/v1/admin/credits", credit).await;
    }
    let wanted = json!({"account": account, "permissions": ["read", "trade"]});
    let key = post(admin, "/v1/admin/keys", wanted).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Key::new(&text(&key["key"]["key"]), &text(&key["secret"]))
}

async fn post(admin: &mut Connection, path: &str, body: Value) -> Value {
    let (status, answer) = admin.call("POST", path, &body.to_string()).await.expect("an answer");
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(answer));
    serde_json::from_slice(answer).expect("JSON")
}
