#!/usr/bin/env bash
# Every check and every test. Installs what they need first.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "what the tests need" scripts/test-deps.sh
step "what a cluster needs" scripts/cluster-deps.sh
# Minutes of Go on a fresh machine: begun beside the checks, waited for at the end.
begin programs cluster/build.sh
step "checks" scripts/check.sh
step "build" cargo build --release --locked --workspace --all-targets --quiet
# Mesa asks for a display that no test has.
export NODEVICE_SELECT=1
step "tests" cargo test --release --locked --workspace --no-fail-fast
step "a cluster's programs" joined programs
# Most of a cluster's test is waiting.
begin fuzzing scripts/fuzz.sh 10
step "on a real cluster" cluster/test.sh
step "fuzzing" joined fuzzing
steps_done
