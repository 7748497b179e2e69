#!/usr/bin/env bash
# The Autobahn test suite against the sockets' handshake, frames and compression (crates/websocket, as an echo),
# directly and through HAProxy, side by side. Reports are in target/autobahn. Usage: autobahn.sh [CASES]
# CASES as the suite writes them ("6.*"), to look at some; else all are run and all must pass.
set -euo pipefail

cases=${1:-*}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/tools/autobahn
reports=$target/autobahn

# The suite runs on Python 2.7 only, which few machines have.
python=
for candidate in python2.7 "$HOME"/.pyenv/versions/2.7.*/bin/python2.7; do
    if "$candidate" -c 'import pip' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "autobahn: the suite needs Python 2.7 with pip (as from pyenv), and this machine has none" >&2
    exit 1
fi
scripts/setup.sh haproxy

pins=tests/autobahn/requirements.txt
if ! cmp --silent "$pins" "$tools/requirements.txt"; then
    rm -rf "$tools"
    mkdir -p "$tools"
    "$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
        --target "$tools" --requirement "$pins" 2> >(grep -v DEPRECATION >&2)
    cp "$pins" "$tools/requirements.txt"
fi

cargo build --release --quiet --package websocket --example echo
rm -rf "$reports"
mkdir -p "$reports"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
"$target/release/examples/echo" >"$reports/echo.log" &
for _ in $(seq 100); do
    [ -s "$reports/echo.log" ] && break
    sleep 0.1
done
direct=$(<"$reports/echo.log")
proxied=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$reports/haproxy.cfg" <<CONFIG
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
frontend sockets
    bind $proxied
    default_backend echo
backend echo
    server echo $direct
CONFIG
haproxy -f "$reports/haproxy.cfg" &

# run NAME ADDRESS: the suite against a server.
run() {
    cat >"$reports/$1.json" <<SPEC
{"outdir": "$reports/$1", "servers": [{"agent": "$1", "url": "ws://$2"}], "cases": ["$cases"],
 "exclude-cases": [], "exclude-agent-cases": {}}
SPEC
    # Its packages need more of a folder of packages than a path.
    "$python" -c "import site, sys; site.addsitedir('$tools'); from autobahntestsuite.wstest import run; run()" \
        --mode fuzzingclient --spec "$reports/$1.json" >"$reports/$1.log" 2>&1 ||
        { tail -20 "$reports/$1.log" >&2; return 1; }
}
run direct "$direct" &
first=$!
run proxied "$proxied" &
second=$!
wait "$first"
wait "$second"
python3 scripts/autobahn_report.py "$cases" "$reports"/{direct,proxied}/index.json
