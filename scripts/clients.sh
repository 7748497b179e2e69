#!/usr/bin/env bash
# Client libraries of the Binance dialect, unmodified, against the real binary. Usage: clients.sh [--heavy | CLIENT...]
# A client that cannot be installed fails. Each has an environment of its own under target/tools.
# `clients.sh --install` only installs them all: that waits for the network, so other work can be done meanwhile.
set -euo pipefail

root=$PWD
export target=${CARGO_TARGET_DIR:-$root/target}
export OUTCRY_BIN=$target/debug/outcry
export pip=$target/tools/pip/bin/pip
# Whole bots, which take minutes to install: `make compat`.
heavy="freqtrade hummingbot"

# install CLIENT: its packages, unless they are there. Pins name every package that is needed; nothing else is resolved.
# One pip serves all environments, and compiles nothing: of the largest clients few modules are ever imported.
install() {
    local pins=tests/clients/$1 installed=$target/tools/clients/$1 list=requirements.txt
    [ -e "$pins/$list" ] || list=package-lock.json
    if cmp --silent "$pins/$list" "$installed/complete"; then return; fi
    rm -rf "$installed"
    if [ $list = requirements.txt ]; then
        python3 -m venv --without-pip "$installed" &&
            "$pip" --python "$installed/bin/python" install --quiet --disable-pip-version-check --no-deps --no-compile \
                --requirement "$pins/$list"
    else
        mkdir -p "$installed" && cp "$pins"/package*.json "$installed" &&
            npm ci --prefix "$installed" --silent --ignore-scripts --no-audit --no-fund
    fi && cp "$pins/$list" "$installed/complete"
}

# check CLIENT: its tests, if it is installed.
check() {
    local tests=tests/clients/$1 installed=$target/tools/clients/$1
    [ -e "$installed/complete" ] || { echo "not installed"; return 1; }
    if [ -e "$tests/requirements.txt" ]; then
        "$installed/bin/python" -m unittest discover --start-directory "$tests"
    else
        NODE_PATH=$installed/node_modules node --test --test-timeout=240000 "$tests"/*.test.mjs
    fi
}

# tell CLIENT: its tests; what they print comes when they are through, since those of another run beside them.
tell() {
    local said passed=true
    said=$(check "$1" 2>&1) || passed=false
    printf 'clients: %s\n%s\n' "$1" "$said"
    $passed || echo "$1" >>"$failures"
}

only_install=false
if [ "${1:-}" = --install ]; then
    only_install=true
    shift
fi
if [ "${1:-}" = --heavy ]; then
    set -- $heavy
elif [ $# -eq 0 ]; then
    for pins in tests/clients/*/{requirements.txt,package.json}; do
        client=$(basename "$(dirname "$pins")")
        [[ " $heavy " == *" $client "* ]] || set -- "$@" "$client"
    done
fi
$only_install || scripts/test-binary.sh
mkdir -p "$target/tools"
# One at a time: the other one's installation may be under way.
exec 9>"$target/tools/clients.lock"
flock 9
for client in "$@"; do
    if [ -e "tests/clients/$client/package.json" ]; then echo node; else echo python; fi
done | sort -u | xargs -n 1 scripts/setup.sh
[ -x "$pip" ] || python3 -m venv "$target/tools/pip"
export -f install check tell
# Two at a time: most of it is waiting. What fails here is told below.
printf '%s\n' "$@" | xargs -n 1 -P 2 bash -c 'install "$0"' || true
flock --unlock 9
! $only_install || exit 0
export failures=$target/tools/clients.failed
rm -f "$failures"
printf '%s\n' "$@" | xargs -n 1 -P 2 bash -c 'tell "$0"'
[ ! -e "$failures" ] || { echo "clients: failed: $(paste -sd ' ' "$failures")" >&2; exit 1; }
