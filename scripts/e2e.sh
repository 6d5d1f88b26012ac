#!/usr/bin/env bash
# One PrivateJob on a real cluster, from helm install to the noised answer: three hospitals' namespaces, a fourth that asks, three real pods.
# Builds what is missing (the cluster's programs once per machine, ten minutes) and removes the cluster at the end. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "e2e: a node needs root: sudo env PATH=\"\$PATH\" make e2e" >&2; exit 1; }
scripts/cluster-deps.sh
cargo build --release --locked --quiet -p veilgrid -p veilgrid-operator
exec cluster/test.sh hospitals
