#!/usr/bin/env bash
# Fuzzes every parser and the kernels with libFuzzer for some seconds each: fuzz.sh [SECONDS]. Seeds are in fuzz/seeds, what is found
# on the way is kept in fuzz/corpus, what fails in fuzz/artifacts. Needs no nightly compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-${FUZZ_SECONDS:-20}}

RUSTC_WORKSPACE_WRAPPER=$PWD/fuzz/rustc-coverage cargo build --release --locked --quiet -p veilgrid-fuzz
for target in fuzz/targets/*.rs; do
    name=$(basename "$target" .rs)
    mkdir -p "fuzz/corpus/$name" "fuzz/artifacts/$name"
    log=$(mktemp)
    if ! "${CARGO_TARGET_DIR:-target}/release/fuzz-$name" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=4096 \
        -artifact_prefix="fuzz/artifacts/$name/" "fuzz/corpus/$name" "fuzz/seeds/$name" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "fuzzing $name found a failure: its input is in fuzz/artifacts/$name" >&2
        exit 1
    fi
    printf '%-10s %s\n' "$name" "$(grep -E '^Done ' "$log")"
    rm -f "$log"
done
