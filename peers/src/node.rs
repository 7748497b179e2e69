//! nodejs-order-book, of the npm registry: in a process of its own, which is given a session as a file. Its time is the
//! processor time of that process, all of its threads, while it plays.

use std::path::{Path, PathBuf};
use std::process::Command;

use workload::{Fill, Operation, Session, Side};

use crate::PATIENCE;

const PLAYER: &str = "peers/node/play.cjs";

/// Where `scripts/node-peer.sh` installs the packages; none: they are not installed.
fn packages() -> Option<PathBuf> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or("target".into());
    let folder = Path::new(&target).join("tools/peers/node_modules");
    folder.exists().then(|| std::path::absolute(folder).expect("a path"))
}

/// Whether it can be played.
pub fn is_installed() -> bool {
    packages().is_some()
}

/// Millions of operations a second.
pub fn play(session: &Session) -> f64 {
    let (done, seconds, _) = run(session, false);
    done as f64 / seconds / 1e6
}

/// Its fills, and how many of the timed operations it has done.
pub fn fills(session: &Session) -> (Vec<Fill>, usize) {
    let (done, _, fills) = run(session, true);
    (fills, done)
}

fn run(session: &Session, with_fills: bool) -> (usize, f64, Vec<Fill>) {
    let folder = std::env::temp_dir().join(format!("outcry-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let (operations, fills) = (folder.join("session"), folder.join("fills"));
    let all = session.before.iter().chain(&session.timed);
    std::fs::write(
        &operations,
        all.flat_map(numbers).flat_map(f64::to_le_bytes).collect::<Vec<u8>>(),
    )
    .expect("a temporary file");
    let mut node = Command::new("node");
    // One thread for compiling, collecting garbage and playing, as all others have.
    node.args(["--single-threaded", "--max-old-space-size=8192", PLAYER]).arg(&operations);
    node.arg(session.before.len().to_string()).arg(PATIENCE.as_secs().to_string());
    if with_fills {
        node.arg(&fills);
    }
    let output = node.env("NODE_PATH", packages().expect("installed")).output().expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{PLAYER}: {said}");
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found =
        if with_fills { read(&std::fs::read(&fills).expect("its fills")) } else { Vec::new() };
    std::fs::remove_dir_all(&folder).expect("our own folder");
    let done = result["done"].as_u64().expect("a number") as usize;
    (done, result["seconds"].as_f64().expect("a number"), found)
}

/// Kind, side, price, lots; of a cancel the order's number.
fn numbers(operation: &Operation) -> [f64; 4] {
    let of = |side: Side| if side == Side::Buy { 0.0 } else { 1.0 };
    match *operation {
        Operation::Cancel { order } => [0.0, 0.0, 0.0, order as f64],
        Operation::Limit { side, price, lots, rests } => {
            [if rests { 1.0 } else { 2.0 }, of(side), price as f64, lots as f64]
        }
        Operation::Market { side, lots } => [3.0, of(side), 0.0, lots as f64],
    }
}

fn read(bytes: &[u8]) -> Vec<Fill> {
    let numbers: Vec<u64> =
        bytes.as_chunks().0.iter().map(|number| f64::from_le_bytes(*number) as u64).collect();
    let fill = |[maker, taker, price, lots]: &[u64; 4]| Fill {
        maker: *maker,
        taker: *taker,
        price: *price,
        lots: *lots,
    };
    numbers.as_chunks().0.iter().map(fill).collect()
}
