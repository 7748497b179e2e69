//! A server in a process of its own, so that its processor time is told apart from the generator's.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// What every server says when it can be reached.
const LISTENING: &str = "listening on http://";
/// The unit of times in `/proc/PID/stat` is the same on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// A running server. It is killed when this is dropped, also by a panic.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it printed before it listened.
    pub greeting: Vec<String>,
    /// Open as long as the server may print.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts `command` and waits until it listens. Its log goes to the file `log`.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = File::create(log).expect("a writable folder");
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut greeting = Vec::new();
        let address = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).expect("a pipe") == 0 {
                let _ = child.kill();
                let status = child.wait().expect("a child");
                let log = std::fs::read_to_string(log).unwrap_or_default();
                panic!("the server ended with {status} before it listened:\n{log}");
            }
            match line.trim_end().strip_prefix(LISTENING) {
                Some(address) => break address.parse().expect("an address"),
                None => greeting.push(line.trim_end().to_owned()),
            }
        };
        Self { child, address, greeting, _stdout: stdout }
    }

    /// Memory of it that is in RAM.
    pub fn resident_bytes(&self) -> u64 {
        resident_bytes(self.child.id())
    }

    /// Processor time of all its threads so far, in steps of 10 ms.
    pub fn processor_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(path).expect("the server runs");
        // The name of the program, in brackets, may have spaces; times are the 14th and 15th field.
        let (_, fields) = text.rsplit_once(')').expect("a name in brackets");
        let fields: Vec<_> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields[at - 3].parse::<u32>().expect("a number");
        TICK * (ticks(14) + ticks(15))
    }
}

/// Memory of a process that is in RAM.
pub fn resident_bytes(process: u32) -> u64 {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(path).expect("the process runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.expect("a number of kilobytes") << 10
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
