#!/usr/bin/env bash
# Runs a stage and notes its seconds; `--report` prints them all.
# Usage: stage.sh NAME COMMAND... | stage.sh --report
set -euo pipefail

notes=target/stages
mkdir -p target

if [ "$1" = --report ]; then
    echo "seconds per stage: $(paste -sd ' ' "$notes")"
    rm -f "$notes"
    exit 0
fi

name=$1
shift
# A run that is broken off has told how far it came.
so_far=$([ ! -e "$notes" ] || paste -sd ' ' "$notes")
echo "== $name${so_far:+ (seconds so far: $so_far)}"
started=$SECONDS
"$@"
echo "$name $((SECONDS - started))" >>"$notes"
