#!/usr/bin/env bash
# What takes too long for every change: ten minutes of fuzzing for each parser, the wide model of the budget protocol, and the
# operator's death at each of its writes.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "fuzzing" scripts/fuzz.sh 600
step "the budget protocol, model-checked widely" cargo test --release --locked --workspace --test budget_model -- --ignored --nocapture
step "build" cargo build --release --locked --workspace --bins --quiet
step "on a real cluster" env CRASH_STEP=1 cluster/test.sh
steps_done
