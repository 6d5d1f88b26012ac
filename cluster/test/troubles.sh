#!/usr/bin/env bash
# What goes wrong ends as it should, on the cluster of KUBECONFIG: troubles.sh OPERATOR REPO. The party image is loaded already.
# shellcheck disable=SC2119
set -euo pipefail
operator=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apply() { # NAME [SED EXPRESSION...]: the owners' objects first, as owners would, then the job
  job "$@" >"$work/job.yaml"
  awk 'BEGIN { RS = "---\n" } !/kind: PrivateJob/ { print "---"; print }' "$work/job.yaml" | kubectl apply -f - >/dev/null
  sleep 1 # the operator has seen them
  awk 'BEGIN { RS = "---\n" } /kind: PrivateJob/' "$work/job.yaml" | kubectl apply -f - >/dev/null
}
job() { # NAME [SED ARGUMENT...]: the hospitals' file with changes
  local name=$1; shift
  hospitals "$name" -e 's/epsilon: 10/epsilon: 1000/' "$@"
}
says() { # NAME WORDS [NAMESPACE]
  grep -q "$2" <<<"$(get "$1" .status.message "${3:-research}")" || fail "$1 does not say '$2' but: $(get "$1" .status.message "${3:-research}")"
}
outcomes() { kubectl get privacyclaims -A -l "veilgrid.dev/job=$1" -o 'jsonpath={.items[*].status.outcome}'; }
spent() { # EPSILON of each budget; nothing may be held
  local end=$((SECONDS + 20))
  until [ "$(kubectl get privacybudgets -A -o 'jsonpath={.items[*].status.spent.epsilon} {.items[*].status.reserved.epsilon}')" = "$1 $1 $1 0 0 0" ]; do
    [ $SECONDS -lt $end ] || fail "$2: the budgets are $(kubectl get privacybudgets -A -o 'jsonpath={.items[*].status.spent.epsilon} {.items[*].status.reserved.epsilon}')"
    sleep 0.2
  done
}

definitions
organisations stranger research
start_operator

if job zero -e 's/epsilon: 3 .*/epsilon: 0/' | kubectl apply -f - >/dev/null 2>"$work/refusal"; then fail "the API server takes an epsilon of 0"; fi
grep -q 'spec.privacy.epsilon: .*write a number from 1e-9 to 1000' "$work/refusal" || fail "the API server's refusal does not name the field"
good "an epsilon of 0 is refused by the API server"

apply strange -e 's/namespace: research/namespace: stranger/'
comes strange Pending stranger
says strange 'does not admit jobs of namespace "stranger"' stranger
[ -z "$(kubectl get privacyclaims -A -o name)" ] || fail "a job that no dataset admits has claims"
good "a job that the datasets do not admit claims nothing"
kubectl -n stranger delete privatejob strange --timeout=30s >/dev/null

apply missing -e 's/dataset: {name: patients, namespace: west}/dataset: {name: others, namespace: west}/'
comes missing Pending
says missing 'west/others'
good "a missing dataset is named"
kubectl -n research delete privatejob missing --timeout=30s >/dev/null

apply broken -e 's/path: north.csv/path: absent.csv/'
comes broken Failed
says broken 'north ended with exit code 4'
if grep -q 'absent\.csv' <<<"$(kubectl -n research get privatejob broken -o yaml)"; then fail "a job's status tells of an owner's file"; fi
grep -q 'absent\.csv' <<<"$(kubectl -n north logs -l veilgrid.dev/job=broken)" || fail "the owner's log does not say which file is missing"
[ "$(outcomes broken)" = "Released Released Released" ] || fail "broken: $(outcomes broken)"
spent 0 broken
good "a file that is not there costs nothing, and its owner is named"

apply large -e 's/epsilon: 1000/epsilon: 2/'
comes large Pending
says large 'has 2 in all'
good "a budget that can never pay is told before anything is claimed"
kubectl -n research delete privatejob large --timeout=30s >/dev/null

apply manual -e 's/maxEpsilon: 3}/maxEpsilon: 3}\n  approval: Manual/'
comes manual AwaitingApproval
for namespace in "${owners[@]}"; do
  claim=$(kubectl -n "$namespace" get privacyclaims -l veilgrid.dev/job=manual -o name)
  [ "$(kubectl -n "$namespace" get privacybudget patients -o 'jsonpath={.status.reserved.epsilon}')" = 0 ] || fail "an amount is held before it is approved"
  kubectl -n "$namespace" patch "$claim" --type merge -p '{"spec": {"approved": true}}' >/dev/null
  if kubectl -n "$namespace" patch "$claim" --type merge -p '{"spec": {"epsilon": "1"}}' >/dev/null 2>&1; then fail "a claim can be changed"; fi
done
comes manual Succeeded
spent 3 manual
good "owners approve by hand, and can change nothing else of a claim"

apply gone -e 's/patients, namespace: north/patients, namespace: north/'
comes gone Running
kubectl -n research delete privatejob gone --timeout=60s >/dev/null
nothing_left() { [ -z "$(kubectl get jobs,pods,secrets,networkpolicies -A -l veilgrid.dev/job=gone -o name)" ]; }
wait_for 60 "the end of what a deleted job has" nothing_left
for outcome in $(outcomes gone); do [ "$outcome" = Released ] || [ "$outcome" = Spent ] || fail "gone: $outcome"; done
[ "$(outcomes gone | wc -w)" = 3 ] || fail "a deleted job left an open claim: $(outcomes gone)"
good "a job that is deleted while it runs is settled: $(outcomes gone)"

apply foreign -e 's/^  parties:/  managedBy: example.com\/other\n  parties:/'
apply paused -e 's/^  parties:/  suspend: true\n  parties:/'
comes paused Suspended
[ -z "$(get foreign .metadata.finalizers)$(get foreign .status.phase)" ] || fail "a job that another manages was touched"
good "a job that another manages is left alone"
[ -z "$(outcomes paused)" ] || fail "a suspended job has claims"
resume() { kubectl -n research patch privatejob paused --type merge -p "{\"spec\": {\"suspend\": $1}}" >/dev/null; }
# West has no room for a pod, so that the job is still under way when it is held.
kubectl -n west create quota full --hard=pods=0 >/dev/null
resume false
comes paused Running
resume true
comes paused Suspended
kubectl -n west delete quota full >/dev/null
[ -z "$(kubectl get jobs -A -l veilgrid.dev/job=paused -o name)" ] || fail "a suspended job has pods"
resume false
comes paused Succeeded
[ "$(kubectl get privacyclaims -A -l veilgrid.dev/job=paused -o name | wc -l)" = 6 ] || fail "a suspended attempt and its successor have not a claim each"
kubectl -n research get events -o 'jsonpath={.items[*].reason}' | tr ' ' '\n' | grep -x Suspended >/dev/null || fail "no event tells of the suspension"
good "a job is suspended, goes on, and each attempt has claims of its own: $(outcomes paused)"

kubectl -n research create configmap named --from-literal=a=b >/dev/null
apply named -e 's/configMap: [a-z-]*-result/configMap: named/'
comes named Pending
says named 'spec.result.configMap: the ConfigMap named is there already and is not this job.s'
[ -z "$(outcomes named)" ] || fail "a job whose result has no place has claims"
kubectl -n research delete privatejob named --timeout=30s >/dev/null
good "a result whose name is taken is told before anything is claimed"

# West has no room for a pod, so that the others wait and the job stays under way.
kubectl -n west create quota full --hard=pods=0 >/dev/null
apply kept
comes kept Running
refused() { [[ $(get kept .status.message) == *"west: its pod cannot be made: forbidden: exceeded quota: full, requested: pods=1, used: pods=0, limited: pods=0"* ]]; }
wait_for 20 "what the quota says" refused
good "a job whose pod a quota refuses says what the quota says"
kubectl -n north delete privatedataset/patients privacybudget/patients --wait=false >/dev/null
in_use() { kubectl -n north get "$1" patients -o jsonpath='{.status.conditions[?(@.type=="InUse")].message}' | grep -q 'until job research/kept has ended'; }
for kind in privatedataset privacybudget; do wait_for 20 "the word why north's $kind stays" in_use $kind; done
job late | awk 'BEGIN { RS = "---\n" } /kind: PrivateJob/' | kubectl apply -f - >/dev/null
comes late Pending
says late 'the PrivateDataset north/patients is being deleted'
kubectl -n research delete privatejob late --timeout=30s >/dev/null
good "what a job uses stays when it is deleted, says why, and takes no new job"

policy() { kubectl -n "$1" get networkpolicies -l veilgrid.dev/job=kept -o "${2:-name}"; }
made=$(policy north jsonpath='{.items[0].spec}')
kubectl -n north label "$(policy north)" team=a >/dev/null
kubectl -n north patch "$(policy north)" --type merge -p '{"spec": {"ingress": [{}]}}' >/dev/null
kubectl -n south delete "$(policy south)" >/dev/null
kubectl -n south delete service veilgrid-parties >/dev/null
restored() { [ "$(policy north jsonpath='{.items[0].spec}')" = "$made" ] && [ -n "$(policy south)" ] && kubectl -n south get service veilgrid-parties; }
wait_for 20 "what somebody changed or deleted of a running job" restored
[ "$(policy north jsonpath='{.items[0].metadata.labels.team}')" = a ] || fail "another's label is gone"
told() { kubectl -n research get events -o 'jsonpath={.items[*].reason}' | tr ' ' '\n' | grep -qx PolicyRestored; }
wait_for 20 "an event that tells of it" told
good "a policy or a Service that somebody changes or deletes is put back, and an event tells of it"

# A Job alone is never made again: its second pod would draw noise anew for the same charge.
kubectl -n south delete jobs -l veilgrid.dev/job=kept >/dev/null
comes kept Failed
[ "$(outcomes kept | wc -w)" = 3 ] || fail "a job that lost a party left an open claim: $(outcomes kept)"
kubectl -n research delete privatejob kept --timeout=60s >/dev/null
unused() { ! kubectl -n north get privatedataset patients && ! kubectl -n north get privacybudget patients; }
wait_for 30 "the end of what no job uses any more" unused
kubectl -n west delete quota full >/dev/null
good "a Job that somebody deletes is not made again, and when its job has ended, what it used goes"
stop_operator

image=localhost/veilgrid/nobody:none
start_operator
apply image
comes image Failed
says image 'ErrImageNeverPull'
[ "$(outcomes image)" = "Released Released Released" ] || fail "image: $(outcomes image)"
good "an image that is not there fails at once and costs nothing"
echo "all troubles ended as they should"
