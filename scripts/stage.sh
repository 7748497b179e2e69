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
echo "== $name"
started=$SECONDS
"$@"
echo "$name $((SECONDS - started))" >>"$notes"
