#!/usr/bin/env bash
# Runs the Rust tests: by nextest where it is installed, else by cargo.
set -euo pipefail

# A test that passes is quiet: what was not tested must show here.
if [ -z "${OUTCRY_RECORDINGS:-}" ]; then
    echo "SKIPPED: recorded sessions (OUTCRY_RECORDINGS is not set)"
fi
scripts/setup.sh redis
if command -v cargo-nextest >/dev/null; then
    # One more than there are processors: most tests wait for the disk.
    exec cargo nextest run --workspace --tests --no-fail-fast --test-threads "$(($(nproc) + 1))"
fi
exec cargo test --workspace --no-fail-fast
