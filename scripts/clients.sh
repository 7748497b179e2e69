#!/usr/bin/env bash
# Client libraries of the Binance dialect, unmodified, against the real binary. Usage: clients.sh [CLIENT...]
# A client that cannot be installed fails. Each has an environment of its own under target/tools.
set -euo pipefail

root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --profile test --package outcry
export OUTCRY_BIN=$target/debug/outcry

# run_python CLIENT, run_node CLIENT: installs the client's packages unless they are there, and runs its tests.
run_python() {
    local pins=tests/clients/$1/requirements.txt venv=$target/tools/clients/$1
    scripts/setup.sh python
    if ! cmp --silent "$pins" "$venv/requirements.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv" &&
            "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins" &&
            cp "$pins" "$venv/requirements.txt" || return 1
    fi
    "$venv/bin/python" -m unittest discover --start-directory "tests/clients/$1"
}

run_node() {
    local pins=tests/clients/$1 installed=$target/tools/clients/$1
    scripts/setup.sh node
    if ! cmp --silent "$pins/package-lock.json" "$installed/complete"; then
        rm -rf "$installed" && mkdir -p "$installed" && cp "$pins"/package*.json "$installed" &&
            npm ci --prefix "$installed" --silent --ignore-scripts --no-audit --no-fund &&
            cp "$pins/package-lock.json" "$installed/complete" || return 1
    fi
    NODE_PATH=$installed/node_modules node --test --test-timeout=240000 "$pins"/*.test.mjs
}

if [ $# -eq 0 ]; then
    for pins in tests/clients/*/{requirements.txt,package.json}; do set -- "$@" "$(basename "$(dirname "$pins")")"; done
fi
failed=()
for client in "$@"; do
    echo "clients: $client"
    if [ -e "tests/clients/$client/package.json" ]; then language=node; else language=python; fi
    "run_$language" "$client" || failed+=("$client")
done
[ ${#failed[@]} -eq 0 ] || { echo "clients: failed: ${failed[*]}" >&2; exit 1; }
