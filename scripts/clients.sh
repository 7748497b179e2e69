#!/usr/bin/env bash
# Client libraries of the Binance dialect, unmodified, against the real binary. Usage: clients.sh [CLIENT...]
# A client that cannot be installed fails. Each has a virtual environment of its own under target/tools.
set -euo pipefail

root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --profile test --package outcry
export OUTCRY_BIN=$target/debug/outcry
scripts/setup.sh python
if [ $# -eq 0 ]; then
    for pins in tests/clients/*/requirements.txt; do set -- "$@" "$(basename "$(dirname "$pins")")"; done
fi
failed=()
for client in "$@"; do
    pins=tests/clients/$client/requirements.txt
    venv=$target/tools/clients/$client
    if ! cmp --silent "$pins" "$venv/requirements.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins"
        cp "$pins" "$venv/requirements.txt"
    fi
    echo "clients: $client"
    "$venv/bin/python" -m unittest discover --start-directory "tests/clients/$client" || failed+=("$client")
done
[ ${#failed[@]} -eq 0 ] || { echo "clients: failed: ${failed[*]}" >&2; exit 1; }
