#!/usr/bin/env bash
# Kill the operator before and after each of its writes in a job's life, on the cluster of KUBECONFIG: crash.sh OPERATOR REPO [STEP].
# Each time the job must end with one charge per budget, one result and nothing left over. STEP 3 takes every third write.
# The party image is loaded already.
set -euo pipefail
operator=$1 repo=$2 step=${3:-1}
work=$(mktemp -d)
pid=
finish() {
  local status=$?
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  if [ $status != 0 ]; then
    kubectl get privatejobs,privacyclaims,privacybudgets,jobs,pods -A || true
    tail -n 20 "$work/operator.log" || true
  fi >&2
  rm -rf "$work"
  exit $status
}
trap finish EXIT
fail() { echo "crash: $*" >&2; exit 1; }
owners=(north south west)
port=$((20000 + RANDOM % 20000))
head -c 32 /dev/urandom >"$work/seed"

start() { # [FAULT]
  VEILGRID_FAULT=${1:-} ; export VEILGRID_FAULT
  [ -n "$VEILGRID_FAULT" ] || unset VEILGRID_FAULT
  "$operator" run --seed-file "$work/seed" --party-image localhost/veilgrid/party:test --pull-policy Never \
    --listen "127.0.0.1:$port" 2>>"$work/operator.log" &
  pid=$!
  disown # so that the shell has no word for its death
}
stop() {
  kill "$pid" 2>/dev/null || true
  while alive; do sleep 0.1; done
  pid=
}
writes() { curl -fsS "http://127.0.0.1:$port/metrics" | awk '/^veilgrid_operator_api_writes_total/ {n += $2} END {print n + 0}'; }
alive() { kill -0 "$pid" 2>/dev/null; }
phase() { kubectl -n research get privatejob "$1" -o 'jsonpath={.status.phase}'; }
left() { kubectl get jobs,pods,secrets,networkpolicies -A -l app.kubernetes.io/managed-by=veilgrid -o name; }

# run NAME [FAULT]: a job's whole life, with a death in it where FAULT is reached.
run() {
  local name=$1 fault=${2:-} end=$((SECONDS + 120)) state=
  start "$fault"
  sed "s/name: hospitals$/name: $name/; s/hospitals-result/$name-result/; s/epsilon: 10/epsilon: 1000/" "$repo/examples/hospitals/cluster.yaml" |
    kubectl apply -f - >/dev/null
  until state=$(phase "$name"); [ "$state" = Succeeded ] && [ -z "$(left)" ]; do
    [ "$state" != Failed ] || fail "$name ($fault) failed: $(kubectl -n research get privatejob "$name" -o 'jsonpath={.status.message}')"
    [ $SECONDS -lt $end ] || fail "$name ($fault) is ${state:-new} after 120 s; left: $(left | tr '\n' ' ')"
    alive || { died=1; start; }
    sleep 0.3
  done
  charged=$((charged + 1))
  for owner in "${owners[@]}"; do
    until books=$(kubectl -n "$owner" get privacybudget patients -o 'jsonpath={.status.spent.epsilon} {.status.reserved.epsilon}'); [ "$books" = "$((3 * charged)) 0" ]; do
      [ $SECONDS -lt $end ] || fail "$name ($fault): the budget of $owner has spent and reserved $books after $charged charges of 3"
      alive || { died=1; start; }
      sleep 0.2
    done
    [ "$(kubectl -n "$owner" get privacyclaims -o name | wc -l)" = "$charged" ] || fail "$name ($fault): $owner has claims that belong to no charge"
  done
  kubectl -n research get configmap "$name-result" >/dev/null || fail "$name ($fault): no result"
}

kubectl apply -f "$repo/api/crds" >/dev/null
for crd in privatejobs privatedatasets privacybudgets privacyclaims; do kubectl wait --for=condition=Established "crd/$crd.veilgrid.dev" --timeout=20s >/dev/null; done
for namespace in "${owners[@]}" research; do kubectl create namespace "$namespace" >/dev/null; done
for namespace in "${owners[@]}"; do
  kubectl -n "$namespace" create configmap rows --from-file="$(ls "$repo/examples/hospitals/$namespace."{csv,parquet} 2>/dev/null)" >/dev/null
done

charged=0 died= begun=$SECONDS
run warm-up
stop
run clean
sleep 1
total=$(writes)
echo "a job of three parties takes $total writes"
curl -fsS "http://127.0.0.1:$port/metrics" | grep '^veilgrid_operator_api_writes_total' | sed 's/^.*{/  {/'
stop
deaths=0
for number in $(seq 1 "$step" "$total"); do
  for when in before after; do
    died=
    run "$when-$number" "$when:$number"
    stop
    [ -z "$died" ] || deaths=$((deaths + 1))
    printf '\r%d of %d writes, %d deaths, %d s' "$number" "$total" "$deaths" $((SECONDS - begun))
  done
done
printf '\n'
[ "$deaths" -ge $((2 * total / step - 4)) ] || fail "only $deaths deaths: the faults were not reached"
echo "all $charged jobs were charged once and left nothing behind"
