#!/usr/bin/env bash
# Fuzzes one target or all of them, one after the other; what was found by earlier calls goes on in
# fuzz/grown. A finding ends the call: its input is in fuzz/artifacts, and belongs into fuzz/corpus.
# Usage: fuzz.sh SECONDS [TARGET...] | fuzz.sh --minimize [TARGET...]
set -euo pipefail

if ! rustup toolchain list 2>/dev/null | grep -q '^nightly'; then
    echo "fuzz: installing a nightly compiler, which libFuzzer needs"
    rustup toolchain install nightly --profile minimal ||
        { echo "fuzz: rustup with a nightly compiler is missing and could not be installed" >&2; exit 1; }
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "fuzz: installing cargo-fuzz"
    cargo install --quiet --locked cargo-fuzz ||
        { echo "fuzz: cargo-fuzz is missing and could not be installed" >&2; exit 1; }
fi

seconds=$1
shift
cd fuzz
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
# No code of ours is unsafe: what sanitizers find, the compiler refuses. Without them it is faster.
fuzz() {
    cargo +nightly fuzz "$@"
}

[ $# -gt 0 ] || for file in fuzz_targets/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
for target in "$@"; do
    mkdir -p "grown/$target" "corpus/$target"
    if [ "$seconds" = --minimize ]; then
        # What the grown corpus reaches beyond the committed one joins it, in as few inputs as can be.
        fuzz run --sanitizer none "$target" "corpus/$target" "grown/$target" -- -merge=1 -max_len=1024
        continue
    fi
    echo "== $target: $seconds seconds"
    fuzz run --sanitizer none "$target" "grown/$target" "corpus/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        2> >(grep -Ev '^(#[0-9]+.*(NEW|REDUCE|RELOAD|pulse)|INFO|WARNING: Failed to find function)' >&2)
done
