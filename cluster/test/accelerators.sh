#!/usr/bin/env bash
# Devices and queues, on the cluster of KUBECONFIG: accelerators.sh OPERATOR REPO. The party image is loaded already. Devices are
# fake ones on fake nodes: where pods go is real, what runs there is not.
set -euo pipefail
operator=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
BIN=$(dirname "$(command -v kwok)")

definitions
organisations research
# Pods there run until they are deleted, and then end before they go, as a kubelet has it.
awk '/name: pod-/ { stage = $2 }
  stage == "pod-complete" && /DoesNotExist/ { sub("DoesNotExist", "Exists") }
  stage == "pod-delete" && /matchExpressions/ { $0 = $0 "\n    - {key: .status.phase, operator: NotIn, values: [Running]}" }
  { print }' "$BIN/kwok-stages.yaml" >"$work/stages.yaml"
STAGES=$work/stages.yaml FAKE_NODES=3 "$repo/cluster/fake-up.sh" >/dev/null
start_operator

# slice NODE MEMORY [GENERATION]: one device on a node.
slice() {
  cat <<EOF
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: $1}
spec: {driver: gpu.fake, nodeName: $1, pool: {name: $1, generation: ${3:-1}, resourceSliceCount: 1}, devices: [{name: gpu0, capacity: {memory: {value: $2}}}]}
EOF
}
kubectl apply -f - >/dev/null <<EOF
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu.fake}
spec: {selectors: [{cel: {expression: "device.driver == 'gpu.fake'"}}]}
$(slice fake-1 80Gi)
$(slice fake-2 80Gi)
$(slice fake-3 20Gi)
EOF

# on_fakes NAME SPEC...: the hospitals' job on fake nodes, with further lines of its spec.
on_fakes() {
  local name=$1 lines; shift
  lines='  placement: {nodeSelector: {fake: "true"}, tolerations: [{key: fake, operator: Exists}]}'
  for line; do lines+="\\n  $line"; done
  hospitals "$name" -e "s/^  parties:/$lines\\n  parties:/" | kubectl apply -f - >/dev/null
}
condition() { kubectl -n research get privatejob "$1" -o "jsonpath={.status.conditions[?(@.type=='$2')].$3}"; }
large="device.capacity['gpu.fake'].memory.compareTo(quantity('40Gi')) >= 0"
on_fakes devices "accelerator: {deviceClass: gpu.fake, selectors: [\"$large\"]}"
lacks() { condition devices Scheduled message | grep -q 'cannot allocate all claims'; }
wait_for 60 "a word of the party that lacks a device" lacks
[ "$(condition devices Scheduled status)" = False ] || fail "the job is said to be scheduled"
good "a job with too few large devices says which party lacks one: $(condition devices Scheduled message | cut -c1-90)..."
slice fake-3 80Gi 2 | kubectl apply -f - >/dev/null
scheduled() { [ "$(condition devices Scheduled status)$(condition devices PartiesReady status)" = TrueTrue ]; }
wait_for 60 "the placement of all parties" scheduled
[ "$(kubectl get pods -A -l veilgrid.dev/job=devices -o 'jsonpath={.items[*].spec.nodeName}' | tr ' ' '\n' | sort | tr '\n' ' ')" = "fake-1 fake-2 fake-3 " ] || fail "the parties are not on a node each"
good "when there are enough, each party has one"
kubectl -n research delete privatejob devices --timeout=60s >/dev/null
nothing() { [ -z "$(kubectl get jobs,pods,resourceclaims,resourceclaimtemplates -A -o name)" ]; }
wait_for 60 "the end of claims and templates" nothing
good "with the job its claims for devices go"

on_fakes resources 'accelerator: {resource: nvidia.com\/gpu, count: 2}'
ready() { [ "$(condition resources PartiesReady status)" = True ]; }
wait_for 60 "the parties with an extended resource" ready
[ "$(kubectl get pods -A -l veilgrid.dev/job=resources -o 'jsonpath={.items[*].spec.containers[0].resources.limits.nvidia\.com/gpu}')" = "2 2 2" ] || fail "the parties have not two devices each"
good "an extended resource is asked for by each party"
kubectl -n research delete privatejob resources --timeout=60s >/dev/null

if hospitals both -e 's/^  parties:/  accelerator: {resource: a.b\/c, deviceClass: gpu.fake}\n  parties:/' | kubectl apply -f - >/dev/null 2>"$work/refusal"; then fail "the API server takes a resource and a class at once"; fi
grep -q 'exactly one of resource and deviceClass' "$work/refusal" || fail "the refusal does not say what is wrong: $(cat "$work/refusal")"

hospitals queued -e 's/^  parties:/  queueName: private\n  parties:/' | kubectl apply -f - >/dev/null
held() { [ "$(condition queued PartiesReady reason)" = Waiting ] && get queued .status.message | grep -q 'its queue holds it'; }
wait_for 30 "a word of the queue" held
[ "$(kubectl get jobs -A -l kueue.x-k8s.io/queue-name=private -o 'jsonpath={.items[*].spec.suspend}')" = "true true true" ] || fail "the Jobs are not handed to the queue"
for owner in "${owners[@]}"; do
  kubectl -n "$owner" patch "$(kubectl -n "$owner" get jobs -l veilgrid.dev/job=queued -o name)" --type merge -p '{"spec": {"suspend": false}}' >/dev/null
done
comes queued Succeeded research 60
good "a queue holds a job's parties until it lets them go"
echo "all devices were where they should be"
