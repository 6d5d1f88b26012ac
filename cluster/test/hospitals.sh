#!/usr/bin/env bash
# Run the hospitals' job on the cluster of KUBECONFIG: hospitals.sh OPERATOR VEILGRID REPO. The party image is loaded already.
set -euo pipefail
operator=$1 veilgrid=$2 repo=$3
work=$(mktemp -d)
pid=
finish() {
  local status=$?
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  if [ $status != 0 ]; then
    kubectl get privatejobs,privacyclaims,privacybudgets,jobs,pods -A -o wide || true
    kubectl get privatejobs -A -o yaml | sed -n '/^  status:/,$p' || true
    for namespace in north south west; do kubectl -n "$namespace" logs -l veilgrid.dev/role=party --tail=20 || true; done
    tail -n 30 "$work/operator.log" || true
  fi >&2
  rm -rf "$work"
  exit $status
}
trap finish EXIT
fail() { echo "hospitals: $*" >&2; exit 1; }
wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "$what: not in time"
    sleep 0.3
  done
}

kubectl apply -f "$repo/api/crds" >/dev/null
kubectl wait --for=condition=Established crd -l '!none' --timeout=20s >/dev/null
for namespace in north south west research; do kubectl create namespace "$namespace" >/dev/null; done
for namespace in north south west; do
  kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null
  kubectl -n "$namespace" create configmap rows --from-file="$(ls "$repo/examples/hospitals/$namespace."{csv,parquet} 2>/dev/null)" >/dev/null
done

head -c 32 /dev/urandom >"$work/seed"
"$operator" run --seed-file "$work/seed" --party-image localhost/veilgrid/party:test --pull-policy Never --listen 127.0.0.1:0 2>"$work/operator.log" &
pid=$!
kubectl apply -f "$repo/examples/hospitals/cluster.yaml" >/dev/null
start=$SECONDS
phase() { kubectl -n research get privatejob hospitals -o jsonpath='{.status.phase}'; }
ended() { case "$(phase)" in Succeeded | Failed) ;; *) return 1 ;; esac; }
wait_for 120 "the job's end" ended
[ "$(phase)" = Succeeded ] || fail "the job ended as $(phase)"
echo "the job succeeded after $((SECONDS - start)) s"

# The result is what the receipt signs, and the receipt holds.
for file in result receipt; do
  kubectl -n research get configmap hospitals-result -o "jsonpath={.data.$file\.json}" >"$work/$file.json"
done
"$veilgrid" verify "$work/receipt.json" --result "$work/result.json" >/dev/null || fail "the receipt does not hold"
for namespace in north south west; do
  spent=$(kubectl -n "$namespace" get privacybudget patients -o jsonpath='{.status.spent.epsilon} {.status.reserved.epsilon}')
  [ "$spent" = "3 0" ] || fail "the budget of $namespace has spent and reserved $spent, not 3 and 0"
  outcome=$(kubectl -n "$namespace" get privacyclaims -o jsonpath='{.items[*].status.outcome}')
  [ "$outcome" = Spent ] || fail "the claim of $namespace is $outcome"
  left() { [ -z "$(kubectl -n "$namespace" get jobs,pods,secrets,networkpolicies -o name)" ]; }
  wait_for 60 "the clean-up of $namespace" left
done

# The fourth run is refused, with the figures, and charges nobody.
for again in 2 3 4; do
  sed "s/name: hospitals$/name: hospitals-$again/; s/hospitals-result/hospitals-result-$again/" "$repo/examples/hospitals/cluster.yaml" >"$work/again.yaml"
  kubectl apply -f "$work/again.yaml" >/dev/null
  phase() { kubectl -n research get privatejob "hospitals-$again" -o jsonpath='{.status.phase}'; }
  wait_for 120 "the end of job $again" ended
done
[ "$(phase)" = Failed ] || fail "the fourth run ended as $(phase)"
kubectl -n research get privatejob hospitals-4 -o jsonpath='{.status.message}' | grep -q 'asks for epsilon 3.* 1 of 10' || fail "the refusal lacks the figures"
spent=$(kubectl get privacybudgets -A -o jsonpath='{.items[*].status.spent.epsilon} {.items[*].status.reserved.epsilon}')
[ "$spent" = "9 9 9 0 0 0" ] || fail "the budgets have spent and reserved $spent"

# A deleted job leaves nothing but its claims.
kubectl -n research delete privatejob --all --timeout=60s >/dev/null
no_results() { [ -z "$(kubectl -n research get configmaps -o name | grep hospitals-result)" ]; }
wait_for 30 "the end of the results" no_results
echo "all as it should be after $((SECONDS - start)) s"
