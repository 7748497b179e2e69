//! Counts instructions by callgrind, and compares.

use std::process::Command;

use crate::paths::{COUNTED, NAMES};

/// Counts of this compiler: `rustc …` in the first line, then `path instructions` for an operation.
const COMMITTED: &str = include_str!("../../instructions.txt");

/// How much longer a path may become, in percent, before somebody must say so by committing it.
const TOLERANCE: f64 = 2.0;

/// Fails if a path has become longer. Says so and does nothing where it cannot be told.
pub fn check() -> Result<(), String> {
    let (compiler, expected) = COMMITTED.split_once('\n').expect("a compiler and counts");
    let found = first_line("rustc", &["--version"]).unwrap_or_default();
    if found != compiler {
        println!("SKIPPED: instructions are known for {compiler}, this is {found}");
        return Ok(());
    }
    let Some(valgrind) = first_line("valgrind", &["--version"]) else {
        println!("SKIPPED: instructions are not counted, since valgrind is missing");
        return Ok(());
    };
    println!("{compiler}, {valgrind}");
    let mut longer = Vec::new();
    for line in expected.lines() {
        let (path, count) = line.split_once(' ').expect("a path and its count");
        let expected: f64 = count.parse().expect("a number");
        let now = instructions(path)?;
        let percent = 100.0 * (now / expected - 1.0);
        println!("{path}: {now:.1} instructions for an operation, {percent:+.1} %");
        if percent > TOLERANCE {
            longer.push(path);
        }
        if percent < -TOLERANCE {
            println!("{path} has become shorter: commit the new count (docs/performance.md)");
        }
    }
    if longer.is_empty() {
        return Ok(());
    }
    Err(format!("more than {TOLERANCE} % longer: {} (docs/performance.md)", longer.join(", ")))
}

/// Prints what `instructions.txt` would say now.
pub fn count() -> Result<(), String> {
    println!("{}", first_line("rustc", &["--version"]).ok_or("rustc does not run")?);
    for path in NAMES {
        println!("{path} {:.1}", instructions(path)?);
    }
    Ok(())
}

/// Of one operation.
fn instructions(path: &str) -> Result<f64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut valgrind = Command::new("valgrind");
    // Counts are of what is called from the one function, whatever its parameters make of its name.
    valgrind.args(["--tool=callgrind", "--toggle-collect=*measured*"]);
    valgrind.args(["--callgrind-out-file=/dev/null", "--"]).arg(own).args(["play", path]);
    let output = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let total = collected.and_then(|(_, count)| count.trim().parse::<f64>().ok());
    match total {
        Some(total) if output.status.success() && total > 0.0 => Ok(total / COUNTED as f64),
        _ => Err(format!("valgrind counted nothing in {path}:\n{said}")),
    }
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}
