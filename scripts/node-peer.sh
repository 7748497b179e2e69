#!/usr/bin/env bash
# Installs the book of the npm registry that ours is compared with. Without Node.js it is left out of the comparison.
set -euo pipefail

installed=${CARGO_TARGET_DIR:-target}/tools/peers
if cmp --silent peers/node/package-lock.json "$installed/complete"; then exit 0; fi
scripts/setup.sh node
rm -rf "$installed"
mkdir -p "$installed"
cp peers/node/package*.json "$installed"
npm ci --prefix "$installed" --silent --ignore-scripts --no-audit --no-fund
cp peers/node/package-lock.json "$installed/complete"
