//! What scripts rely on: exit statuses, and what stands on stdout.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{self, Server, binary};

fn outcry(args: &[&str]) -> Output {
    Command::new(binary()).args(args).output().expect("the binary starts")
}

fn status(args: &[&str]) -> Option<i32> {
    outcry(args).status.code()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn the_version_names_the_commit() {
    let output = outcry(&["--version"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(concat!("outcry ", env!("CARGO_PKG_VERSION"), " (commit ")), "{said}");
}

#[test]
fn a_command_line_without_sense_ends_with_2() {
    assert_eq!(status(&["sell", "everything"]), Some(2));
    assert_eq!(status(&["replay"]), Some(2));
}

#[test]
fn a_configuration_is_checked_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("outcry.toml"), folder.path().join("data"));
    std::fs::write(&file, "[listen]\naddress = \"127.0.0.1:0\"\n\n[demo]\nenabeld = false\n")
        .unwrap();
    let output = outcry(&["config", "check", text(&file)]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("outcry.toml, line 5: unknown field `enabeld`"), "{said}");
    assert_eq!(output.status.code(), Some(78));
    let run = ["run", "--config", text(&file), "--data", text(&data)];
    assert_eq!(status(&run), Some(78));
    assert!(!data.exists());
    std::fs::write(&file, outcry(&["config", "default"]).stdout).unwrap();
    assert_eq!(status(&["config", "check", text(&file)]), Some(0));
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    let listen = ["--listen", "127.0.0.1:0"];
    let again = outcry(&[&["run", "--data", text(&data)][..], &listen].concat());
    assert_eq!(again.status.code(), Some(73));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains(&format!("in use by process {}", server.pid())), "{said}");
    assert_eq!(status(&["keys", "reset-admin", "--data", text(&data)]), Some(73));
    assert_eq!(status(&["keys", "add-operator", "ann", "--data", text(&data)]), Some(73));
    assert_eq!(status(&["verify", text(&data)]), Some(73));
    server.stop();
    assert_eq!(status(&["keys", "reset-admin", "--data", text(&data)]), Some(0));
    let added = outcry(&["keys", "add-operator", "ann", "--data", text(&data)]);
    let said = String::from_utf8(added.stdout).unwrap();
    assert!(said.starts_with("The key of operator ann is shown this once.\nadmin key:"), "{said}");
    assert_eq!(status(&["keys", "add-operator", "two words", "--data", text(&data)]), Some(2));
    let alike = outcry(&["keys", "add-operator", "Ann", "--data", text(&data)]);
    let said = String::from_utf8(alike.stderr).unwrap();
    assert_eq!(alike.status.code(), Some(1), "{said}");
    let why = "operator Ann differs from ann, who exists, by upper and lower case alone";
    assert!(said.contains(why), "{said}");
    assert_eq!(status(&["keys", "add-operator", "ann", "--data", text(&data)]), Some(0));
}

#[test]
fn a_data_directory_that_cannot_be_made_ends_with_73() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let data = file.join("data");
    let run = ["run", "--data", text(&data), "--listen", "127.0.0.1:0"];
    assert_eq!(status(&run), Some(73));
}

#[test]
fn an_address_that_is_taken_leaves_the_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = outcry(&["run", "--data", text(&data), "--listen", &address]);
    assert_eq!(output.status.code(), Some(69));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert!(said.contains("another process listens there"), "{said}");
    assert!(!data.exists());
}

/// All folders and files under `folder`, itself too.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn nobody_else_may_read_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let server = Server::start(&data, None, &["--no-demo"]).unwrap();
    let admin = server.admin.clone().unwrap();
    server.http().ok(&admin, "POST", "/v1/admin/snapshot", None);
    let while_running = tree(&data);
    server.stop();
    let after = tree(&data);
    for name in ["history.sqlite-wal", "secret.key", "directory.sqlite", "views.snapshot"] {
        let is_it = |path: &&PathBuf| path.ends_with(name);
        assert!(while_running.iter().chain(&after).any(|path| is_it(&path)), "{name}");
    }
    for path in after {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
}

#[test]
fn the_demonstration_moves_and_its_key_trades() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, None, &[]).unwrap();
    let mut http = server.http();
    let (status, session) = http.send(None, "GET", "/v1/demo/session", None).unwrap();
    assert_eq!(status, 200);
    let field = |name: &str| session[name].as_str().unwrap().to_owned();
    let key = support::Key { id: field("key"), secret: field("secret") };
    support::eventually("nobody sells", || {
        let order = serde_json::json!({
            "market": "BTC-USDT", "side": "buy", "type": "market", "quantity": "0.001",
        });
        let (status, answer) = http.send(Some(&key), "POST", "/v1/orders", Some(order)).unwrap();
        // The views may not have heard of the market yet, and the participants may not have quoted.
        if status == 200 {
            assert_eq!(answer["order"]["status"], "filled", "{answer}");
            return Ok(());
        }
        let code = answer["error"]["code"].as_str().unwrap_or_default();
        assert!(["UnknownMarket", "NoLiquidity"].contains(&code), "{answer}");
        Err(answer)
    });
    server.stop();
    let (is_sound, said) = support::outcry(&["verify", text(&data)]);
    assert!(is_sound, "{said}");
}
