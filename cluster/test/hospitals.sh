#!/usr/bin/env bash
# Install the chart on the cluster of KUBECONFIG and run the hospitals' job: hospitals.sh VEILGRID REPO. The images are loaded already.
set -euo pipefail
veilgrid=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

chart install
helm test veilgrid --namespace veilgrid-system --timeout 60s >"$work/test" || { cat "$work/test" >&2; fail "helm test"; }
good "helm installed the chart, and its own test passed: $SECONDS s"
organisations research
for namespace in "${owners[@]}"; do kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null; done

kubectl apply -f "$repo/examples/hospitals/cluster.yaml" >/dev/null
start=$SECONDS
wait_for 120 "the job's end" ended hospitals
[ "$(get hospitals .status.phase)" = Succeeded ] || fail "the job failed: $(get hospitals .status.message)"
good "three pods in three namespaces, and the job succeeded: $((SECONDS - start)) s"
devices=$(get hospitals '.status.parties[*].device')
[ "$(grep -ow cpu <<<"$devices" | wc -l)" = 3 ] || fail "the status does not say which device each party used: $devices"

# This cluster can put the finalizer on at a job's creation: admission alone is asked. Who applies the job again does not take it off.
admitted() { documents "$1" '/kind: PrivateJob/' "${@:2}" | kubectl apply --server-side --force-conflicts --dry-run=server -f - -o 'jsonpath={.metadata.finalizers[*]}'; }
for name in unseen hospitals; do
  [ "$(admitted $name)" = veilgrid.dev/settle ] || fail "$name is admitted with the finalizers '$(admitted $name)'"
done
[ -z "$(admitted foreign -e 's/^  parties:/  managedBy: example.com\/other\n  parties:/')" ] || fail "a job that another manages got the finalizer"
good "a job has its finalizer from its creation"

# A queue lets a party's Job go once; of other Jobs nothing is asked.
for label in app.kubernetes.io/managed-by=veilgrid role=other; do
  kubectl -n research apply -f - >/dev/null <<EOF
apiVersion: batch/v1
kind: Job
metadata: {name: "queued-${label#*=}", labels: {"${label%=*}": "${label#*=}"}}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, nodeSelector: {nowhere: "true"}, containers: [{name: c, image: none}]}}
EOF
done
lets() { kubectl -n research patch job "queued-$1" --type merge -p "{\"spec\": {\"suspend\": $2}}" 2>&1; }
for name in veilgrid other; do lets $name false >/dev/null || fail "a Job in a queue cannot be let go: $(lets $name false)"; done
lets other true >/dev/null || fail "a Job that is no party cannot be taken back"
if lets veilgrid true >"$work/taken"; then fail "a party that was let go is taken back"; fi
grep -q 'a party that was let go is not taken back' "$work/taken" || fail "nobody says why a party is not taken back: $(cat "$work/taken")"
kubectl -n research delete job queued-veilgrid queued-other >/dev/null
good "a queue lets a party go once, and does not take it back"

# The result is what the receipt signs, and the receipt holds.
for file in result receipt; do
  kubectl -n research get configmap hospitals-result -o "jsonpath={.data.$file\.json}" >"$work/$file.json"
done
"$veilgrid" verify "$work/receipt.json" --result "$work/result.json" >/dev/null || fail "the receipt does not hold"
good "the receipt holds, and signs the result:"
jq -r '.statistics[] | select(.groups[0].values | length == 1) | .name as $name | .groups[] | [$name, .group // "", .values[0].value, .values[0].interval[]] | @tsv' "$work/result.json" |
  awk -F '\t' '{ printf "      %-32s %-10s %12.2f   95 %% within %.2f to %.2f\n", $1, $2, $3, $4, $5 }'
for namespace in "${owners[@]}"; do
  books() { [ "$(kubectl -n "$namespace" get privacybudget patients -o jsonpath='{.status.spent.epsilon} {.status.reserved.epsilon}')" = "3 0" ]; }
  wait_for 30 "the budget of $namespace, 3 spent and nothing held" books
  outcome=$(kubectl -n "$namespace" get privacyclaims -o jsonpath='{.items[*].status.outcome}')
  [ "$outcome" = Spent ] || fail "the claim of $namespace is $outcome"
  left() { [ -z "$(kubectl -n "$namespace" get jobs,pods,secrets,networkpolicies -o name)" ]; }
  wait_for 60 "the clean-up of $namespace" left
done
good "each hospital's budget has spent 3 of 10 and holds nothing; no pod, Job, Secret or policy is left"

# An upgrade keeps the seed and brings the custom resource definitions up to date, a rollback undoes it; another leader takes over from the one that goes.
seed() { kubectl -n veilgrid-system get secret veilgrid-operator-seed -o 'jsonpath={.data.seed}'; }
kept=$(seed)
columns() { kubectl get crd privatejobs.veilgrid.dev -o 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}'; }
kubectl patch crd privatejobs.veilgrid.dev --type json -p '[{"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns"}]' >/dev/null
chart upgrade --set logLevel=debug
[ "$(wc -w <<<"$(columns)")" -gt 2 ] || fail "an upgrade left an old custom resource definition: $(columns)"
[ -z "$(kubectl -n veilgrid-system get jobs -o name)$(kubectl get clusterrole veilgrid-operator-crds --ignore-not-found -o name)" ] || fail "an upgrade left its Job or its rights"
[ "$(seed)" = "$kept" ] || fail "an upgrade changed the seed"
helm rollback veilgrid 1 --namespace veilgrid-system --wait --timeout 90s >/dev/null
[ "$(seed)" = "$kept" ] || fail "a rollback changed the seed"
leader() { kubectl -n veilgrid-system get lease veilgrid-operator -o 'jsonpath={.spec.holderIdentity}'; }
led() { [ -n "$(leader)" ]; }
wait_for 60 "a leader" led
good "an upgrade and a rollback kept the operator's seed"
kubectl -n veilgrid-system delete pod "$(leader)" --grace-period=1 --wait=false >/dev/null

# The fourth run is refused, with the figures, and charges nobody.
for again in 2 3 4; do
  hospitals "hospitals-$again" | kubectl apply -f - >/dev/null
  wait_for 120 "the end of job $again" ended "hospitals-$again"
done
[ "$(get hospitals-4 .status.phase)" = Failed ] || fail "the fourth run ended as $(get hospitals-4 .status.phase)"
grep -q 'asks for epsilon 3.* 1 of 10' <<<"$(get hospitals-4 .status.message)" || fail "the refusal lacks the figures"
books() { [ "$(kubectl get privacybudgets -A -o jsonpath='{.items[*].status.spent.epsilon} {.items[*].status.reserved.epsilon}')" = "9 9 9 0 0 0" ]; }
wait_for 30 "the budgets, 9 spent of each and nothing held" books
good "another leader went on; the fourth run was refused: $(get hospitals-4 .status.message)"

# A deleted job leaves nothing but its claims.
kubectl -n research delete privatejob --all --timeout=60s >/dev/null
no_results() { ! grep -q -e -result <<<"$(kubectl -n research get configmaps -o name)"; }
wait_for 30 "the end of the results" no_results
helm uninstall veilgrid --namespace veilgrid-system --wait >/dev/null
[ "$(kubectl get privacybudgets -A -o name | wc -l)" = 3 ] || fail "uninstalling took the budgets with it"

# As docs/operations.md says to back up and to restore.
backup=$(kubectl get privatedatasets,privacybudgets,privacyclaims -A -o json)
kubectl -n north delete privacybudget patients --wait=false >/dev/null
kubectl -n north patch privacybudget patients --type merge -p '{"metadata": {"finalizers": null}}' >/dev/null 2>&1 || true
jq '.items |= [.[] | select(.kind != "PrivacyClaim") | del(.metadata.resourceVersion, .metadata.uid)]' <<<"$backup" >"$work/restore.json"
kubectl apply --server-side -f "$work/restore.json" >/dev/null
jq '.items |= [.[] | select(.kind == "PrivacyBudget" and .status)]' "$work/restore.json" | kubectl replace --subresource=status -f - >/dev/null
[ "$(kubectl -n north get privacybudget patients -o 'jsonpath={.status.spent.epsilon} {.status.remaining.epsilon}')" = "9 1" ] || fail "a restored budget has forgotten what was spent"
good "budgets outlive the chart, and a restored one knows what was spent"
echo "all as it should be after $SECONDS s"
