#!/usr/bin/env bash
# Every check and every test. Installs what they need first.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "what the tests need" scripts/test-deps.sh
step "what a cluster needs" scripts/cluster-deps.sh
# Minutes of Go on a fresh machine: begun beside the checks, waited for at the end.
log=$(mktemp)
nice -n 10 cluster/build.sh >"$log" 2>&1 &
programs=$!
trap 'kill "$programs" 2>/dev/null || true; rm -f "$log"' EXIT
step "checks" scripts/check.sh
step "build" cargo build --release --locked --workspace --all-targets --quiet
# Mesa asks for a display that no test has.
export NODEVICE_SELECT=1
step "tests" cargo test --release --locked --workspace --no-fail-fast
step "custom resource definitions" cargo test --release --locked -p veilgrid-api --features crd
step "fuzzing" scripts/fuzz.sh 10
cluster_programs() { wait "$programs" || { tail -n 20 "$log" >&2; return 1; }; }
step "a cluster's programs" cluster_programs
step "on a real cluster" cluster/test.sh
steps_done
