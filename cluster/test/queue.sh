#!/usr/bin/env bash
# Jobs in a queue of Kueue, on the cluster of KUBECONFIG: queue.sh OPERATOR REPO. Kueue's controllers and scheduler are the real ones. The party
# image is loaded already.
set -euo pipefail
operator=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
BIN=$(dirname "$(readlink -f "$(command -v kueue)")")

definitions
organisations research
# One of its definitions is too large for an annotation.
kubectl apply --server-side -f "$BIN/kueue-crds.yaml" >/dev/null
kubectl wait --for=condition=Established --timeout=20s -f "$BIN/kueue-crds.yaml" >/dev/null
cat >"$work/kueue.yaml" <<'EOF'
apiVersion: config.kueue.x-k8s.io/v1beta2
kind: Configuration
namespace: kueue-system
integrations: {frameworks: [batch/job]}
EOF
kueue --config "$work/kueue.yaml" 2>"$work/kueue.log" &
kueue=$!
others+=("$kueue")
disown
# With room for one job of three parties.
{
  cat <<'EOF'
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: plain}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: private}
spec:
  namespaceSelector: {}
  queueingStrategy: StrictFIFO
  resourceGroups:
    - coveredResources: [cpu, memory]
      flavors: [{name: plain, resources: [{name: cpu, nominalQuota: 300m}, {name: memory, nominalQuota: 1Gi}]}]
EOF
  for owner in "${owners[@]}"; do
    printf -- '---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: private, namespace: %s}\nspec: {clusterQueue: private}\n' "$owner"
  done
} | kubectl apply -f - >/dev/null
active() { [ "$(kubectl get clusterqueue private -o 'jsonpath={.status.conditions[?(@.type=="Active")].status}')" = True ]; }
wait_for 60 "Kueue's queue" active || { tail "$work/kueue.log"; exit 1; }
offer
start_operator --queues

# queued NAME: the hospitals' job in the queue.
queued() { ask "$1" -e 's/^  parties:/  queueName: private\n  parties:/'; }
suspended() { kubectl get jobs -A -l "veilgrid.dev/job=$1" -o 'jsonpath={.items[*].spec.suspend}'; }
held() { [ "$(suspended "$1")" = "true true true" ] && get "$1" .status.message | grep -q 'its queue holds it'; }
# As Kueue has it: what it let in, and what it did not.
admitted() { kubectl get workloads -A -o json | python3 -c 'import json, sys; print(sum(any(c["type"] == "Admitted" and c["status"] == "True" for c in w.get("status", {}).get("conditions", [])) for w in json.load(sys.stdin)["items"]))'; }
came_to() { kubectl get privacyclaims -A -l "veilgrid.dev/job=$1" -o 'jsonpath={.items[*].status.outcome}'; }
no_workloads() { [ -z "$(kubectl get workloads -A -o name)" ]; }
# fill: somebody else uses the quota up, and for nothing: no node is so.
fill() {
  kubectl apply -f - >/dev/null <<'EOF'
apiVersion: batch/v1
kind: Job
metadata: {name: filler, namespace: research, labels: {kueue.x-k8s.io/queue-name: private}}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, nodeSelector: {nowhere: "true"}, containers: [{name: filler, image: none, resources: {requests: {cpu: 300m, memory: 1Mi}}}]}}
EOF
  full() { [ "$(kubectl -n research get job filler -o 'jsonpath={.spec.suspend}')" = false ]; }
  wait_for 30 "the use of all quota" full
}
kubectl apply -f - >/dev/null <<'EOF'
{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: private, namespace: research}, spec: {clusterQueue: private}}
EOF
fill
queued waits
wait_for 60 "the word of the queue" held waits
sleep 5
held waits || fail "a job ran without quota"
[ "$(admitted)" = 1 ] || fail "Kueue let $(admitted) in"
[ -z "$(came_to waits | tr -d ' ')" ] || fail "what waits has the outcome $(came_to waits)"
good "while the quota is used up, all parties of a job wait: $(get waits .status.message)"
kubectl -n research delete job filler >/dev/null
comes waits Succeeded research 120
settled waits
wait_for 60 "the end of Kueue's Workloads" no_workloads
good "when there is room it runs, and gives the quota back"

queued first
made() { [ "$(kubectl get jobs -A -l "veilgrid.dev/job=$1" -o name | wc -l)" = 3 ]; }
wait_for 30 "the Jobs of the first of two" made first
queued second
comes first Succeeded research 120
comes second Succeeded research 120
settled first
settled second
good "of two jobs and quota for one, both have their turn"

fill
queued gone
wait_for 60 "the word of the queue" held gone
kubectl -n research delete privatejob gone --timeout=60s >/dev/null || fail "a job in the queue cannot be deleted"
[ "$(came_to gone)" = "Released Released Released" ] || fail "what the queue never let go came to $(came_to gone)"
wait_for 60 "the end of all that a job in the queue had" nothing_left gone
kubectl -n research delete job filler >/dev/null
wait_for 60 "the end of Kueue's Workloads" no_workloads
wait_for 60 "the books" balanced
good "a job that is deleted in the queue costs nothing and leaves nothing"
kill -0 "$kueue" || fail "Kueue ended: $(tail -n 5 "$work/kueue.log")"
echo "the queue let jobs wait, run and go"
