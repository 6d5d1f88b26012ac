#!/usr/bin/env bash
# What takes too long for every change: ten minutes of fuzzing for each parser, and the operator's death at each of its writes.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "fuzzing" scripts/fuzz.sh 600
step "build" cargo build --release --locked -p veilgrid -p veilgrid-operator --quiet
step "on a real cluster" env CRASH_STEP=1 cluster/test.sh
steps_done
