#!/usr/bin/env bash
# Runs the Rust tests: by nextest where it is installed, else by cargo.
set -euo pipefail

if command -v cargo-nextest >/dev/null; then
    exec cargo nextest run --workspace --no-fail-fast
fi
exec cargo test --workspace --no-fail-fast
