#!/usr/bin/env bash
# Mutates the pure crates and sees whether a test fails. Works in a clone of one commit, shard by shard:
# what was done is kept, and the next call goes on, with the same commit until all of it is through. Where
# nothing is kept, it goes on from what the committed report says of its commit, if that is still known.
# Each mutant meets the tests of its own crate; what survives those, the tests of the engine.
# Usage: mutants.sh | mutants.sh --report
set -euo pipefail

# Each mutant is a build of a crate and of its tests, which are quick: building quickly counts for more.
export CARGO_PROFILE_TEST_OPT_LEVEL=1 CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0

crates="book ledger engine"
per_shard=40
# Of processor time, for each process: a busy machine makes no mutant hang. By the clock only as a last
# resort. And memory: some mutants collect without end.
cpu_seconds=60
timeout_seconds=900
memory_kib=12000000
root=${CARGO_TARGET_DIR:-$PWD/target}/mutants
tree=$root/tree
report=docs/mutants.md

# mutate SHARD_DIR TEST_PACKAGE ARGS...: runs and leaves the lists caught, missed, timeout and unviable.
mutate() {
    local out=$1 tests=$2
    shift 2
    rm -rf "$out"
    mkdir -p "$out"
    # A mutant that the last run left behind.
    git -C "$tree" checkout --quiet -- .
    # Exit 2 and 3: some were missed or ran out of time. That is a result.
    (cd "$tree" && ulimit -t $cpu_seconds -v $memory_kib && export CARGO_TARGET_DIR=$root/build && nice -n 19 cargo mutants --in-place --baseline skip \
        --timeout $timeout_seconds --test-package "$tests" --output "$out" "$@") ||
        case $? in 2 | 3) ;; *) return 1 ;; esac
}

# The names of a list as arguments that examine just them, or a few more: the file keeps those few that no
# expression keeps away.
only() {
    sed -e 's/[][\\.*^$(){}?+|]/\\&/g' -e 's/.*/--re\n^&$/' "$1"
    cut -d: -f1 "$1" | sort -u | sed 's/^/--file\n/'
}

shard() {
    local crate=$1 at=$2 of=$3 result=$4
    local own=$root/own engine=$root/engine
    mutate "$own" "$crate" --package "$crate" --shard "$at/$of" --sharding round-robin
    local missed=$own/mutants.out/missed.txt unfinished=$result.unfinished
    rm -rf "$unfinished"
    mkdir -p "$unfinished"
    cp "$root/commit" "$unfinished/commit"
    for list in caught missed timeout unviable; do
        cp "$own/mutants.out/$list.txt" "$unfinished/$list"
    done
    if [ "$crate" != engine ] && [ -s "$missed" ]; then
        mapfile -t args < <(only "$missed")
        mutate "$engine" engine --package "$crate" "${args[@]}"
        for list in caught timeout; do
            grep -Fxf "$missed" "$engine/mutants.out/$list.txt" >>"$unfinished/$list" || true
        done
        grep -Fxf "$missed" "$engine/mutants.out/missed.txt" >"$unfinished/missed" || true
    fi
    mv "$unfinished" "$result"
}

shards_of() {
    echo $((($(wc -l <"$root/shards/$1/all") + per_shard - 1) / per_shard))
}

# A clone of the commit to mutate: the one that an unfinished report is of, else the present one.
begin() {
    local commit
    commit=$(unfinished_commit)
    rm -rf "$tree" "$root/shards" "$root/all-done"
    mkdir -p "$root"
    git clone --quiet . "$tree"
    if [ -n "$commit" ]; then
        git -C "$tree" checkout --quiet "$commit"
        for crate in $crates; do from_report "$crate"; done
        echo "mutants: goes on with $commit, as $report says"
    fi
    git -C "$tree" rev-parse --short=7 HEAD >"$root/commit"
}

# A field of a crate's row in the report.
reported() {
    awk -F' *[|] *' -v crate="$1" -v field="$2" '$2 == crate { print $field }' "$report" 2>/dev/null
}

# The commit of the report, if it is one commit, known here, and has shards left.
unfinished_commit() {
    local commit of left=
    commit=$(reported "${crates%% *}" 3)
    git cat-file -e "$commit^{commit}" 2>/dev/null || return 0
    for crate in $crates; do
        [ "$(reported "$crate" 3)" = "$commit" ] || return 0
        of=$(reported "$crate" 4)
        [ "${of% of *}" = "${of#* of }" ] || left=yes
    done
    [ -z "$left" ] || echo "$commit"
}

# Lists as the shards that the report is of would have left them; of what was caught only the number is known.
from_report() {
    local dir=$root/shards/$1/reported.done shards
    mkdir -p "$dir"
    shards=$(reported "$1" 4)
    echo "${shards% of *}" >"$dir/shards"
    reported "$1" 3 >"$dir/commit"
    seq -f 'of the report, %.0f' "$(reported "$1" 7)" >"$dir/caught"
    seq -f 'of the report, %.0f' "$(reported "$1" 8)" >"$dir/timeout"
    seq -f 'of the report, %.0f' "$(reported "$1" 10)" >"$dir/unviable"
    sed -n "s,^- \`\(crates/$1/[^\`]*\)\`.*,\1,p" "$report" >"$dir/missed"
}

# How many shards were done elsewhere.
reported_shards() {
    cat "$root/shards/$1/reported.done/shards" 2>/dev/null || echo 0
}

done_shards() {
    echo $(($(reported_shards "$1") + $(find "$root/shards/$1" -maxdepth 1 -name '[0-9]*.done' | wc -l)))
}

run() {
    if ! cargo mutants --version >/dev/null 2>&1; then
        echo "mutants: installing cargo-mutants"
        cargo install --quiet --locked cargo-mutants ||
            { echo "mutants: cargo-mutants is missing and could not be installed" >&2; exit 1; }
    fi
    if [ ! -f "$root/commit" ] || [ -f "$root/all-done" ]; then
        begin
    fi
    local most=0
    for crate in $crates; do
        mkdir -p "$root/shards/$crate"
        (cd "$tree" && cargo mutants --list --package "$crate") >"$root/shards/$crate/all"
        local of
        of=$(shards_of "$crate")
        [ "$of" -le $most ] || most=$of
    done
    # One shard of each crate after the other, so that a campaign that is not through says something of all.
    for ((at = 0; at < most; at++)); do
        for crate in $crates; do
            local result=$root/shards/$crate/$at.done shards
            shards=$(shards_of "$crate")
            [ $at -lt "$shards" ] || continue
            [ $at -ge "$(reported_shards "$crate")" ] || continue
            [ -d "$result" ] || shard "$crate" "$at" "$shards" "$result"
            report
        done
    done
    touch "$root/all-done"
}

# The number of lines in one list of a crate's shards.
count() {
    # None, before the first shard of the crate.
    { cat "$root/shards/$1"/*.done/"$2" 2>/dev/null || true; } | wc -l
}

# The commits that a crate's shards are of: one, if a campaign was not pieced together.
commits() {
    sort -u "$root/shards/$1"/*.done/commit | paste -sd' '
}

# Writes the results so far; reasons that the last report gave for survivors are kept.
report() {
    local old new
    old=$(mktemp)
    new=$(mktemp)
    cp "$report" "$old" 2>/dev/null || true
    {
        echo "# Mutations of the product"
        echo
        echo "Written by \`make mutants\`; only the reasons of survivors are by hand. As of $(date -u +%F)."
        echo
        echo "| crate | commit | shards | mutants | tested | caught | ran out of time | missed | do not compile | caught of those that compile |"
        echo "|---|---|---|---|---|---|---|---|---|---|"
        for crate in $crates; do
            [ -f "$root/shards/$crate/all" ] || continue
            local caught timeout missed unviable
            caught=$(count "$crate" caught) timeout=$(count "$crate" timeout)
            missed=$(count "$crate" missed) unviable=$(count "$crate" unviable)
            local viable=$((caught + timeout + missed))
            [ $viable -gt 0 ] || continue
            echo "| $crate | $(commits "$crate") | $(done_shards "$crate") of $(shards_of "$crate") | $(wc -l <"$root/shards/$crate/all") | $((viable + unviable)) | $caught | $timeout | $missed | $unviable | $(((1000 * (caught + timeout) / viable + 5) / 10)) % |"
        done
        echo
        echo "A test that takes more than $cpu_seconds s of processor time fails. Where not all mutants were tested, those that were are every n-th."
        echo
        echo "## Survivors"
        echo
        { cat "$root"/shards/*/*.done/missed 2>/dev/null || true; } | sort | reasons "$old"
    } >"$new"
    mv "$new" "$report"
    rm -f "$old"
}

# Adds to each mutant the reason that the old report had for it, wherever its line is now.
reasons() {
    awk -v old="$1" '
        function key(name) { sub(/^- /, "", name); gsub(/`/, "", name); sub(/:[0-9]+:[0-9]+: /, ": ", name); return name }
        BEGIN {
            while ((getline line < old) > 0) {
                at = index(line, "` — ")
                if (line ~ /^- `/ && at) reason[key(substr(line, 1, at))] = substr(line, at + length("` — "))
            }
        }
        { k = key($0); print "- `" $0 "` — " (k in reason ? reason[k] : "no reason yet") }
    '
}

case "${1:-}" in
--report) report ;;
*) run ;;
esac
