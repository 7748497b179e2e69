#!/usr/bin/env bash
# Drives the page in Chromium against a real exchange.
set -euo pipefail

scripts/setup.sh node
scripts/setup.sh chromium
scripts/test-binary.sh
root=$PWD
cd tests/browser
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
    npm ci --silent --no-audit --no-fund
    touch node_modules
fi
OUTCRY_BIN=${CARGO_TARGET_DIR:-$root/target}/debug/outcry node --test .
