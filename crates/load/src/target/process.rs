//! An exchange of our own: the same binary, as a process of its own, on a free port and a temporary directory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::LoadError;
use crate::client::Key;

/// What an exchange says when it can be reached.
const LISTENING: &str = "listening on http://";

/// Agents stand for many: a socket of theirs asks what many sockets would. Bounds of single connections, which no profile of
/// limits lifts, are therefore wide; what bounds the exchange as a whole is as it is by default.
const CONFIG: &str = "\
[gateway]
connections = 20000
sockets = 20000
socket_rate = 1000000
socket_burst = 1000000
";

/// A running exchange. It is killed and its data removed when this is dropped.
pub(crate) struct Own {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its operator.
    pub(crate) operator: Key,
    /// Open as long as it may print.
    _stdout: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Own {
    /// Starts `outcry run` without the demonstration, under a profile of limits.
    pub(crate) fn start(limits: &str) -> Result<Self, LoadError> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("outcry.toml");
        std::fs::write(&config, CONFIG).map_err(LoadError::file(&config))?;
        let log = folder.path().join("server.log");
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["run", "--no-demo", "--listen", "127.0.0.1:0", "--limits", limits]);
        command.arg("--data").arg(folder.path().join("data")).arg("--config").arg(&config);
        let file = File::create(&log).map_err(LoadError::file(&log))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let greeting = match greeting(&mut stdout) {
            Some(greeting) => greeting,
            None => {
                let _ = child.kill();
                let _ = child.wait();
                let answer = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(LoadError::Refused { what: "to start".to_owned(), answer });
            }
        };
        let (address, operator) = greeting;
        Ok(Self { child, address, operator, _stdout: stdout, folder })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        let path: &Path = &self.folder.path().join("server.log");
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Address and operator's key, as they are printed at a first start; none if it ends before.
fn greeting(stdout: &mut BufReader<ChildStdout>) -> Option<(SocketAddr, Key)> {
    let (mut id, mut secret) = (None, None);
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if let Some((_, text)) = line.split_once("admin key:") {
            id = Some(text.trim().to_owned());
        }
        if let Some((_, text)) = line.split_once("admin secret:") {
            secret = Some(text.trim().to_owned());
        }
        if let Some(text) = line.strip_prefix(LISTENING) {
            return Some((text.parse().ok()?, Key::new(&id?, &secret?)));
        }
    }
}
