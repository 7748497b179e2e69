#!/usr/bin/env bash
# Builds the exchange as its end-to-end tests do, which leaves it in target/debug. By itself the package would be built
# with other features than in the workspace, and everything that it needs a second time.
set -euo pipefail
cargo test --quiet --workspace --no-run --test end_to_end
