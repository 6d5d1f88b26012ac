#!/usr/bin/env bash
# Every check and every test. Installs what they need first.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "what the tests need" scripts/test-deps.sh
step "checks" scripts/check.sh
step "build" cargo build --release --locked --workspace --all-targets --quiet
# Mesa asks for a display that no test has.
export NODEVICE_SELECT=1
step "tests" cargo test --release --locked --workspace --no-fail-fast
step "custom resource definitions" cargo test --release --locked -p veilgrid-api --features crd
step "fuzzing" scripts/fuzz.sh 10
steps_done
