//! Tells the binary which commit it was built from, where there is a git repository.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn main() {
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=OUTCRY_COMMIT={commit}");
    println!("cargo::rerun-if-changed=build.rs");
    // The log of HEAD grows with each commit and each checkout.
    for path in ["HEAD", "logs/HEAD"] {
        let file = git(&["rev-parse", "--git-path", path]);
        if let Some(file) = file.filter(|file| std::path::Path::new(file).exists()) {
            println!("cargo::rerun-if-changed={file}");
        }
    }
}
