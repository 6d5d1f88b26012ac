#!/usr/bin/env bash
# What is wrong with a manifest is told by a cluster as by `veilgrid check`, and what is right without a warning: bad-input.sh OPERATOR REPO, on the
# cluster of KUBECONFIG.
set -euo pipefail
operator=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# quietly COMMAND...: it must succeed without a warning of the API server, which kubectl prints.
quietly() { "$@" --warnings-as-errors >"$work/answer" 2>&1 || fail "failed or warned: $*: $(cat "$work/answer")"; }

quietly kubectl apply -f "$repo/api/crds"
kubectl wait --for=condition=Established --timeout=20s -f "$repo/api/crds" >/dev/null
organisations research
start_operator
python3 "$repo/cluster/test/bad_input.py" "$KUBECONFIG" "${operator%-operator}" "$repo/api/tests"

# The good example is taken, and so is the one of the tests but for what only a cluster asks: whose volume, whose jobs.
quietly kubectl apply -f "$repo/examples/hospitals/cluster.yaml"
accepted() { [ "$(kubectl -n research get privatejob hospitals -o 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}')" = True ]; }
wait_for 30 "the good example's acceptance" accepted
kubectl create namespace east >/dev/null
quietly kubectl apply -f "$repo/api/tests/manifests/hospitals.yaml"
denied() { grep -q 'does not admit jobs of namespace "default"' <<<"$(get hospitals .status.message default)"; }
wait_for 30 "the refusal of a job that a dataset does not admit" denied
good "definitions and examples are taken without a warning"
