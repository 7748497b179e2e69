//! Several processes that keep their limits together over a real Redis, which dies and comes back.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{PATIENCE, Server, eventually};
use tempfile::TempDir;

const PROCESSES: usize = 3;
/// Requests of an address in a minute.
const MOST: usize = 60;

const CONFIG: &str = "
[limits]
address_per_minute = 60
gateways = 3
redis_timeout = \"2s\"
trusted_proxies = [\"127.0.0.0/8\"]
";

struct Redis {
    port: u16,
    dir: TempDir,
    process: Child,
}

impl Redis {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let process = begin(port, &dir);
        Self { port, dir, process }
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn start_again(&mut self) {
        self.process = begin(self.port, &self.dir);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn begin(port: u16, dir: &TempDir) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]);
    let started = command.arg(dir.path()).stdout(Stdio::null()).spawn();
    let process = started.expect("redis-server: scripts/setup.sh redis installs it");
    eventually("Redis listens", || TcpStream::connect(("127.0.0.1", port)));
    process
}

/// Status and body of one request, said to be of `client`.
fn get(server: &Server, path: &str, client: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: exchange\r\nConnection: close\r\nX-Forwarded-For: {client}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// How many of 90 requests of a client each server admits; the others are refused for coming too fast.
fn admitted(servers: &[&Server], client: &str) -> Vec<usize> {
    let mut admitted = vec![0; servers.len()];
    for number in 0..90 {
        let at = number % servers.len();
        match get(servers[at], "/v1/time", client).0 {
            200 => admitted[at] += 1,
            429 => {}
            status => panic!("{status} for a request under limits"),
        }
    }
    admitted
}

#[test]
fn processes_share_limits_keep_to_their_share_without_redis_and_share_again() {
    let mut redis = Redis::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outcry.toml");
    std::fs::write(&file, CONFIG).unwrap();
    let address = format!("redis://127.0.0.1:{}", redis.port);
    let args = ["--no-demo", "--limits", "standard", "--redis", &address];
    let start = |number: usize| {
        Server::start(&folder.path().join(number.to_string()), Some(&file), &args).unwrap()
    };
    let servers: Vec<_> = (0..PROCESSES).map(start).collect();
    let all: Vec<_> = servers.iter().collect();

    let together = admitted(&all, "10.0.0.1");
    assert_eq!(together.iter().sum::<usize>(), MOST, "{together:?}");
    assert_eq!(admitted(&all[..1], "10.0.0.2"), [MOST], "one may have all of it");

    redis.kill();
    let alone = admitted(&all, "10.0.0.3");
    assert_eq!(alone, [MOST / PROCESSES; PROCESSES], "each has its share");
    let (status, ready) = get(all[0], "/readyz", "");
    assert!(status == 200 && ready.starts_with("ok\nredis is failing: "), "{ready}");
    all[0].says(&["redis does not answer"]);

    redis.start_again();
    for (number, server) in all.iter().enumerate() {
        eventually("limits are shared again", || {
            std::thread::sleep(Duration::from_millis(50));
            get(server, "/v1/time", &format!("10.0.1.{number}"));
            let (_, metrics) = get(server, "/metrics", "");
            metrics.contains("outcry_rate_limits_shared 1\n").then_some(()).ok_or(metrics)
        });
    }
    assert_eq!(admitted(&all[1..2], "10.0.0.4"), [MOST], "one may have all of it");
    // They tell what they admitted; until the last one has, the others may be lent one each.
    let told: usize = admitted(&all, "10.0.0.3").iter().sum();
    assert!(told < PROCESSES, "{told}");
    servers.into_iter().for_each(Server::stop);
}
