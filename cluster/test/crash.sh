#!/usr/bin/env bash
# Kill the operator before and after each of its writes in a job's life, on the cluster of KUBECONFIG: crash.sh OPERATOR REPO [STEP
# [SOURCE...]]. Each time the job must end with one charge per budget, one result and nothing left over. STEP 3 takes every third write; each
# SOURCE is one of parties' keys (node).
# The party image is loaded already.
set -euo pipefail
operator=$1 repo=$2 step=${3:-1}
sources=("${@:4}")
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

start() { # [FAULT]
  if [ -n "${1:-}" ]; then VEILGRID_FAULT=$1 start_operator --identity-source "$source"; else start_operator --identity-source "$source"; fi
}
remains() { kubectl get jobs,pods,secrets,networkpolicies -A -l app.kubernetes.io/managed-by=veilgrid -o name; }

# run NAME [FAULT]: a job's whole life, with a death in it where FAULT is reached.
run() {
  local name=$1 fault=${2:-} end=$((SECONDS + 120)) state=
  start "$fault"
  hospitals "$name" -e 's/epsilon: 10/epsilon: 1000/' | kubectl apply -f - >/dev/null
  until state=$(get "$name" .status.phase); [ "$state" = Succeeded ] && [ -z "$(remains)" ]; do
    [ "$state" != Failed ] || fail "$name ($fault) failed: $(get "$name" .status.message)"
    [ $SECONDS -lt $end ] || fail "$name ($fault) is ${state:-new} after 120 s; left: $(remains | tr '\n' ' ')"
    operator_lives || { died=1; start; }
    sleep 0.3
  done
  charged=$((charged + 1))
  for owner in "${owners[@]}"; do
    until books=$(kubectl -n "$owner" get privacybudget patients -o 'jsonpath={.status.spent.epsilon} {.status.reserved.epsilon}'); [ "$books" = "$((3 * charged)) 0" ]; do
      [ $SECONDS -lt $end ] || fail "$name ($fault): the budget of $owner has spent and reserved $books after $charged charges of 3"
      operator_lives || { died=1; start; }
      sleep 0.2
    done
    [ "$(kubectl -n "$owner" get privacyclaims -o name | wc -l)" = "$charged" ] || fail "$name ($fault): $owner has claims that belong to no charge"
  done
  kubectl -n research get configmap "$name-result" >/dev/null || fail "$name ($fault): no result"
}

definitions
organisations research

charged=0 died="" begun=$SECONDS
for source in "${sources[@]:-node}"; do
  run "$source-warm-up"
  stop_operator
  run "$source-clean"
  sleep 1
  total=$(writes)
  echo "a job of three parties takes $total writes with keys by $source"
  curl -fsS "http://127.0.0.1:$port/metrics" | grep '^veilgrid_operator_api_writes_total' | sed 's/^.*{/  {/'
  stop_operator
  deaths=0
  for number in $(seq 1 "$step" "$total"); do
    for when in before after; do
      died=
      run "$source-$when-$number" "$when:$number"
      stop_operator
      [ -z "$died" ] || deaths=$((deaths + 1))
      printf '\r%d of %d writes, %d deaths, %d s' "$number" "$total" "$deaths" $((SECONDS - begun))
    done
  done
  printf '\n'
  [ "$deaths" -ge $((2 * total / step - 4)) ] || fail "only $deaths deaths: the faults were not reached"
done
echo "all $charged jobs were charged once and left nothing behind"
