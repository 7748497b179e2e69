//! `outcry load` against the real binary: it finds nothing wrong with an exchange that is right, and what is wrong with one
//! in whose accounts somebody meddles.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Server, binary, eventually};
use serde_json::{Value, json};

const SEED: &str = "7";

fn load(args: &[&str], out: &Path, server: Option<&Server>) -> Command {
    let mut command = Command::new(binary());
    command.arg("load").args(args).args(["--quiet", "--seed", SEED, "--out"]).arg(out);
    if let Some(server) = server {
        let admin = server.admin.as_ref().expect("shown at the first start");
        command.args(["--target", &format!("http://{}", server.address)]);
        command.env("OUTCRY_ADMIN_KEY", &admin.id).env("OUTCRY_ADMIN_SECRET", &admin.secret);
    }
    command
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}

fn report(out: &Path) -> Value {
    let json = out.with_extension("json");
    serde_json::from_slice(&std::fs::read(json).expect("a report")).expect("JSON")
}

#[test]
fn a_baseline_checks_every_kind_of_promise_and_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    println!("seed {SEED}");
    let output =
        load(&["baseline", "--users", "40", "--seconds", "4"], &out, None).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let report = report(&out);
    assert_eq!(report["findings"], json!([]), "{report}");
    for check in [
        "orders acknowledged",
        "acknowledged orders told on private streams",
        "open orders that are known",
        "ended orders asked for again",
        "bad orders refused",
        "balances compared with credits and fills",
        "assets conserved over all accounts",
        "books compared with their checksum",
        "stream messages in order",
    ] {
        let count = report["checks"][check].as_u64().unwrap_or_default();
        assert!(count > 0, "nothing was checked of: {check}\n{}", text(&output));
    }
    let phase = &report["phases"][1];
    assert_eq!(phase["name"], "baseline");
    for class in ["place", "cancel", "read"] {
        let figures = &phase["classes"][class];
        let ended: u64 = ["done", "refused", "shed", "failed"]
            .iter()
            .map(|end| figures[end].as_u64().expect("a count"))
            .sum();
        assert!(figures["done"].as_u64() > Some(0), "{class}: {figures}");
        assert_eq!(Some(ended), figures["due"].as_u64(), "{class}: what is due ends");
    }
    assert!(phase["stages"]["journal"]["count"].as_u64() > Some(0), "{phase}");

    let page = std::fs::read_to_string(out.with_extension("html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("src="));
    let (json, compared) = (out.with_extension("json"), folder.path().join("two.html"));
    let mut command = Command::new(binary());
    command.args(["load", "compare"]).args([&json, &json]).arg("--out").arg(&compared);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("baseline: place p99 ms"), "{}", text(&output));
    assert!(std::fs::read_to_string(compared).unwrap().contains("B over A"));
}

#[test]
fn an_engine_in_process_is_loaded_and_its_log_knows_all_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    println!("seed {SEED}");
    let args = ["baseline", "--in-process", "--users", "40", "--seconds", "3", "--rate", "20"];
    let output = load(&args, &out, None).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let report = report(&out);
    assert_eq!(report["findings"], json!([]), "{report}");
    for check in [
        "orders acknowledged",
        "orders looked for in the recovered log",
        "open orders that are known",
        "bad orders refused",
        "assets conserved over all accounts",
    ] {
        let count = report["checks"][check].as_u64().unwrap_or_default();
        assert!(count > 0, "nothing was checked of: {check}\n{}", text(&output));
    }
    let classes = &report["phases"][1]["classes"];
    for class in ["place", "cancel"] {
        assert!(classes[class]["done"].as_u64() > Some(0), "{class}: {classes}");
    }
    assert_eq!(classes["read"]["due"], 0, "an engine answers no reads");
}

#[test]
fn two_processes_share_the_replay_of_a_recorded_load_and_their_reports_become_one() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, "minute,requests\n0,10\n1,10\n2,40\n3,10\n").unwrap();
    let server = Server::start(&folder.path().join("data"), None, &["--no-demo"]).unwrap();
    let parts = ["1/2", "2/2"].map(|part| {
        let out = folder.path().join(part.replace('/', "-"));
        let mut args = vec!["replay", "--users", "40", "--part", part];
        args.push(trace.to_str().expect("text"));
        // The second finds the market that the first has listed.
        let run = load(&args, &out, Some(&server)).stdout(std::process::Stdio::piped()).spawn();
        eventually("the market is not listed", || {
            let listed = server.http().send(None, "GET", "/v1/markets/BTC-USDT", None).unwrap();
            if listed.0 == 200 { Ok(()) } else { Err(listed) }
        });
        (run.unwrap(), out)
    });
    let mut merge = Command::new(binary());
    merge.args(["load", "merge", "--out"]).arg(folder.path().join("all"));
    let mut due = 0;
    for (run, out) in parts {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        due += report(&out)["phases"][1]["classes"]["place"]["due"].as_u64().expect("a count");
        merge.arg(out.with_extension("json"));
    }
    let output = merge.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let merged = report(&folder.path().join("all"));
    assert_eq!(merged["conditions"]["part"], "1/2 + 2/2");
    assert_eq!(merged["phases"][1]["classes"]["place"]["due"], due);
    server.stop();
}

#[test]
fn money_that_is_neither_credited_nor_traded_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let server = Server::start(&folder.path().join("data"), None, &["--no-demo"]).unwrap();
    let admin = server.admin.clone().unwrap();
    let args = ["baseline", "--users", "4", "--seconds", "6"];
    let run =
        load(&args, &out, Some(&server)).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut http = server.http();
    let account = eventually("no account of the run", || {
        let known = http.ok(&admin, "GET", "/v1/admin/accounts", None);
        let accounts = known["accounts"].as_array().cloned().unwrap_or_default();
        accounts.iter().find_map(|account| account["id"].as_u64()).ok_or(known)
    });
    let gift = json!({ "account": account, "asset": "BTC", "amount": "1", "reference": "a gift" });
    eventually("the gift is refused", || {
        let answer = http.send(Some(&admin), "POST", "/v1/admin/credits", Some(gift.clone()));
        let (status, answer) = answer.expect("an answer");
        if status == 200 { Ok(()) } else { Err(answer) }
    });
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let findings = report(&out)["findings"].to_string();
    assert!(findings.contains("balance") && findings.contains("of BTC"), "{findings}");
    server.stop();
}

#[test]
fn a_run_that_cannot_be_is_told_before_anything_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    for args in [
        &["baseline", "--users", "0"][..],
        &["baseline", "--part", "1/2"],
        &["spike", "--factor", "-1"],
        &["baseline", "--target", "http://127.0.0.1:9"],
    ] {
        let output = load(args, &out, None)
            .env_remove("OUTCRY_ADMIN_KEY")
            .env_remove("OUTCRY_ADMIN_SECRET")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
    }
    let missing = load(&["replay", "no such file"], &out, None).output().unwrap();
    assert_eq!(missing.status.code(), Some(74), "{}", text(&missing));
}
