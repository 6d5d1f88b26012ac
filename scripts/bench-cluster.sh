#!/usr/bin/env bash
# Measures the operator on a control plane of its own, where a fake kubelet plays the parties, and beside it JobSet. Prints Markdown; plots
# go to docs/plots.
#   JOBS           finished jobs at which figures are taken ("1 100 1000")
#   IDLE_SECONDS   how long the operator is then watched while nothing happens (60)
#   GROUPS_BESIDE  groups of three pods that JobSet and the operator start in turns (200); 0 leaves JobSet out
#   WAITING        jobs that then wait for approval, at which memory and looks are told ("1000 2000 3000 4000 5000")
#   OUT            where the figures go as JSON (target/bench-cluster.json)
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
OUT=${OUT:-$CARGO_TARGET_DIR/bench-cluster.json}
tools=.tools/bench-cluster
[ -x $tools/bin/python ] || { python3 -m venv $tools && $tools/bin/pip install --quiet --disable-pip-version-check matplotlib==3.11.2; }
cargo build --release --locked --quiet -p veilgrid-operator
cargo build --release --locked --quiet --manifest-path benches/cluster/Cargo.toml
export PEERS=${GROUPS_BESIDE-1}
[ "$PEERS" != 0 ] || PEERS=
cluster/build.sh >&2
seed=$(mktemp)
trap 'rm -f "$seed"' EXIT
head -c 32 /dev/urandom >"$seed"
bin=$CARGO_TARGET_DIR/release
measure() {
  set -euo pipefail
  "$1/veilgrid-operator" crds --apply >/dev/null
  if [ -n "$PEERS" ]; then
    kubectl apply --server-side -f "$(dirname "$(readlink -f "$(command -v jobset)")")/jobset-crd.yaml" >/dev/null
    JOBSET=$(command -v jobset)
    export JOBSET
  fi
  # A definition of a moment ago has no conditions to wait for.
  for _ in $(seq 20); do kubectl wait --for=condition=Established --timeout=20s crd --all >/dev/null 2>&1 && break; sleep 0.5; done
  # As the chart does on such a cluster.
  helm template veilgrid charts/veilgrid --show-only templates/admission.yaml \
    --api-versions admissionregistration.k8s.io/v1/MutatingAdmissionPolicy | kubectl apply -f - >/dev/null
  "$1/veilgrid-bench-cluster" "$1/veilgrid-operator" "$2" $((20000 + RANDOM % 20000)) "$3"
}
export -f measure
# Without these the controllers' own limits on requests are what is measured.
export MANAGER_ARGS='--kube-api-qps=5000 --kube-api-burst=10000' SCHEDULER_ARGS='--kube-api-qps=5000 --kube-api-burst=10000'
NODES=0 BIND=127.0.0.1 cluster/with.sh bash -c 'measure "$@"' measure "$bin" "$seed" "$OUT"
$tools/bin/python benches/cluster/plot.py "$OUT" docs/plots
