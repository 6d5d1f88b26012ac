#!/usr/bin/env bash
# Devices, gangs and queues, on the cluster of KUBECONFIG: accelerators.sh OPERATOR REPO. The party image is loaded already, and the cluster
# knows gangs (cluster/gang.yaml). Devices are fake ones on fake nodes: where pods go is real, what runs there is not.
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
fakes() { STAGES=$work/stages.yaml FAKE_NODES=$1 "$repo/cluster/fake-up.sh" >/dev/null; }
fakes 2
start_operator --queues

state=() # what changes the owners' datasets
# on_fakes NAME SPEC...: the hospitals' job on fake nodes, with further lines of its spec, and budgets for many jobs.
on_fakes() {
  local name=$1 lines; shift
  lines='  placement: {nodeSelector: {fake: "true"}, tolerations: [{key: fake, operator: Exists}]}'
  for line; do lines+="\\n  $line"; done
  hospitals "$name" -e "s/^  parties:/$lines\\n  parties:/" -e 's/^  epsilon: 10$/  epsilon: 1000/' "${state[@]}" | kubectl apply -f - >/dev/null
}
condition() { kubectl -n research get privatejob "$1" -o "jsonpath={.status.conditions[?(@.type=='$2')].$3}"; }
parts() { kubectl get jobs,pods,resourceclaims,resourceclaimtemplates -A -l "veilgrid.dev/job=$1" -o name; }
nodes() { kubectl get pods -A -l "veilgrid.dev/job=$1" -o 'jsonpath={.items[*].spec.nodeName}' | tr ' ' '\n' | sort | xargs; }
runs() { [ "$(condition "$1" Scheduled status)$(condition "$1" PartiesReady status)" = TrueTrue ]; }
# lacks NAME WORDS: the job waits for room, says so, and has nothing of its own but its claims.
lacks() {
  says() { [ "$(condition "$1" Scheduled reason)" = NoRoom ] && condition "$1" Scheduled message | grep -qxF "$2"; }
  wait_for 60 "the word of $1 that $2" says "$1" "$2"
  [ "$(condition "$1" Scheduled status)$(condition "$1" BudgetReserved status)" = FalseTrue ] || fail "$1 waits for room and has the wrong conditions"
  [ -z "$(parts "$1")" ] || fail "$1 waits for room and has: $(parts "$1" | xargs)"
}
drop() { kubectl -n research delete privatejob "$1" --timeout=60s >/dev/null; }

# Where all parties' datasets are in one namespace, the scheduler holds the pods together.
{
  cat <<'EOF'
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {name: together, namespace: north}
spec:
  parties: [{name: a, dataset: {name: a}}, {name: b, dataset: {name: b}}, {name: c, dataset: {name: c}}]
  accelerator: {resource: nvidia.com/gpu, count: 8}
  placement:
    tolerations: [{key: fake, operator: Exists}]
    affinity:
      nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: fake, operator: In, values: ["true"]}]}]}}
      podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}
    topologySpread: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone}]
  privacy: {epsilon: 1}
  computation: {statistics: [{name: rows, count: {}}]}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {name: patients, namespace: north}
spec: {epsilon: 1000}
EOF
  for name in a b c; do
    cat <<EOF
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateDataset
metadata: {name: $name, namespace: north}
spec: {source: {path: north.csv, volume: {configMap: rows}}, columns: [{name: mean_area, number: {min: 0, max: 2500}}], maxRows: 1000, budget: patients}
EOF
  done
} | kubectl apply -f - >/dev/null
held() { [ "$(kubectl -n north get pods -l veilgrid.dev/job=together -o 'jsonpath={.items[*].status.conditions[?(@.type=="PodScheduled")].status}')" = "False False False" ]; }
wait_for 60 "the wait of three pods that are a group" held
[ -z "$(nodes together)" ] || fail "a pod of a group that has no room has a node: $(nodes together)"
[ "$(kubectl -n north get podgroups -o 'jsonpath={.items[*].spec.schedulingPolicy.gang.minCount}')" = 3 ] || fail "the parties are no PodGroup of three"
fakes 3
placed() { [ "$(nodes together)" = "fake-1 fake-2 fake-3" ]; }
wait_for 60 "the placement of the group" placed
good "three parties of one namespace are a PodGroup: none has a node while there is room for two, and all when a node comes"
kubectl -n north delete privatejob together --timeout=60s >/dev/null
ungrouped() { [ -z "$(kubectl -n north get podgroups,pods -l veilgrid.dev/job=together -o name)" ]; }
wait_for 60 "the end of the group" ungrouped

# Where they are in several, the operator makes no pod before all fit.
kubectl apply -f - >/dev/null <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: guest, namespace: default}
spec:
  nodeName: fake-3
  tolerations: [{key: fake, operator: Exists}]
  containers: [{name: guest, image: guest, resources: {limits: {nvidia.com/gpu: 1}}}]
EOF
on_fakes resources 'accelerator: {resource: nvidia.com\/gpu, count: 8}'
lacks resources "west: no node has 8 nvidia.com/gpu free; 7 are free at most"
good "a gang of three with room for two starts none: $(condition resources Scheduled message)"
fakes 4
wait_for 60 "the start of all parties when a node comes" runs resources
[ "$(nodes resources)" = "fake-1 fake-2 fake-4" ] || fail "the parties are on $(nodes resources)"
[ "$(kubectl get pods -A -l veilgrid.dev/job=resources -o 'jsonpath={.items[*].spec.containers[0].resources.limits.nvidia\.com/gpu}')" = "8 8 8" ] || fail "the parties have not eight devices each"
good "and all when a node comes"

# Two that need the same nodes, at once: each could get a part.
on_fakes first 'accelerator: {resource: nvidia.com\/gpu, count: 8}'
on_fakes second 'accelerator: {resource: nvidia.com\/gpu, count: 8}'
none="north, south, west: no node has 8 nvidia.com/gpu free; 7 are free at most"
lacks first "$none"
lacks second "$none"
drop resources
either() { if runs first; then winner=first loser=second; elif runs second; then winner=second loser=first; else return 1; fi; }
end=$((SECONDS + 60))
until either; do [ $SECONDS -lt $end ] || fail "neither of two gangs starts"; sleep 0.3; done
lacks "$loser" "$none"
drop "$winner"
wait_for 60 "the start of the second of two gangs" runs "$loser"
drop "$loser"
good "of two gangs that could each get a part one runs after the other"

# An attempt whose pods are lost is taken up again, and waits for room like a new one.
for owner in "${owners[@]}"; do
  kubectl apply -f - >/dev/null <<EOF
{apiVersion: v1, kind: PersistentVolume, metadata: {name: kept-$owner}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: none, hostPath: {path: /kept}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: kept, namespace: $owner}, spec: {accessModes: [ReadWriteOnce], storageClassName: none, volumeName: kept-$owner, resources: {requests: {storage: 1Gi}}}}
EOF
done
state=(-e 's/^  budget:/  state: {claim: kept}\n  budget:/')
# crowd NAME: a job with lasting states that loses a pod, and then has no room.
crowd() {
  on_fakes "$1" 'accelerator: {resource: nvidia.com\/gpu, count: 8}'
  wait_for 60 "the start of a job with lasting states" runs "$1"
  kubectl cordon fake-4 >/dev/null
  # As its node would say when the process was killed.
  kubectl -n west patch "$(kubectl -n west get pods -l "veilgrid.dev/job=$1" -o name)" --subresource=status --type=merge -p '{"status": {"phase": "Failed",
    "containerStatuses": [{"name": "party", "image": "party", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 137, "reason": "Error"}}}]}}' >/dev/null
  wait_for 60 "the wait of what is taken up again" crowded "$1"
}
crowded() { [ "$(get "$1" .status.phase) $(get "$1" .status.resumes) $(condition "$1" Scheduled reason)" = "Launching 1 NoRoom" ]; }
crowd again
sleep 3
crowded again || fail "what was taken up again is $(get again .status.phase): $(get again .status.message)"
[ -z "$(kubectl get jobs,pods -A -l veilgrid.dev/job=again -o name | grep r1)" ] || fail "what waits for room has: $(parts again | xargs)"
good "a gang that is taken up again starts none while there is room for two: $(get again .status.message)"
kubectl uncordon fake-4 >/dev/null
wait_for 60 "the start of what is taken up again" runs again
[ "$(nodes again)" = "fake-1 fake-2 fake-4" ] || fail "what was taken up again is on $(nodes again)"
[ "$(kubectl get privacyclaims -A -l veilgrid.dev/job=again -o name | wc -l)" = 3 ] || fail "it has other claims than its first"
drop again
good "and all when there is"

# One that is suspended while it waits so is over: what may have been opened is spent, and what follows is a new attempt.
crowd held
suspend() { kubectl -n research patch privatejob held --type merge -p "{\"spec\": {\"suspend\": $1}}" >/dev/null; }
came_to() { kubectl get privacyclaims -A -l "veilgrid.dev/job=held,veilgrid.dev/attempt=$1" -o 'jsonpath={.items[*].status.outcome}'; }
suspend true
comes held Suspended
[ "$(came_to 1)" = "Spent Spent Spent" ] || fail "what was suspended while it waited came to $(came_to 1)"
gone_too() { [ -z "$(parts held)" ]; }
wait_for 60 "the end of what a suspended job has" gone_too
suspend false
lacks held "west: no node has 8 nvidia.com/gpu free; 7 are free at most"
kubectl uncordon fake-4 >/dev/null
wait_for 60 "the start of the next attempt" runs held
[ "$(get held .status.attempt) $(get held .status.resumes)" = "2 " ] || fail "what goes on after a suspension is attempt $(get held .status.attempt), taken up $(get held .status.resumes) times"
[ -z "$(came_to 2 | tr -d ' ')" ] || fail "what runs came to $(came_to 2)"
drop held
state=()
good "one that is suspended while it waits is spent, and goes on as a new attempt"

on_fakes late 'accelerator: {resource: nvidia.com\/gpu, count: 9}' 'readyDeadlineSeconds: 3'
comes late Failed research 60
[ "$(condition late Failed reason)" = NotReady ] || fail "a job without room failed by $(condition late Failed reason)"
get late .status.message | grep -qF 'not all parties fit at once after 3 s: north, south, west: no node has 9 nvidia.com/gpu free; ' || fail "a job without room says: $(get late .status.message)"
released() { [ "$(kubectl get privacyclaims -A -l veilgrid.dev/job=late -o 'jsonpath={.items[*].status.outcome}')" = "Released Released Released" ]; }
wait_for 30 "the release of what a job without room had claimed" released
good "a job that has no room for too long fails, and nothing is charged"

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
EOF
large="device.capacity['gpu.fake'].memory.compareTo(quantity('40Gi')) >= 0"
on_fakes devices "accelerator: {deviceClass: gpu.fake, selectors: [\"$large\"]}"
lacks devices "west: no node has 1 device of the class gpu.fake free; 0 are free at most"
good "with two of three devices none starts: $(condition devices Scheduled message)"
slice fake-3 20Gi | kubectl apply -f - >/dev/null
small() { condition devices Scheduled message | grep -q 'cannot allocate all claims'; }
wait_for 60 "a word of the party whose device is too small" small
[ "$(condition devices Scheduled status)" = False ] || fail "the job is said to be scheduled"
good "a device that an expression rules out is left to the scheduler: $(condition devices Scheduled message | cut -c1-90)..."
slice fake-3 80Gi 2 | kubectl apply -f - >/dev/null
wait_for 60 "the placement of all parties" runs devices
[ "$(nodes devices)" = "fake-1 fake-2 fake-3" ] || fail "the parties are on $(nodes devices)"
good "when there are enough, each party has one"
drop devices
nothing() { [ -z "$(kubectl get jobs,resourceclaims,resourceclaimtemplates -A -o name)$(kubectl get pods -A -l veilgrid.dev/role=party -o name)" ]; }
wait_for 60 "the end of claims and templates" nothing
good "with the job its claims for devices go"

if hospitals both -e 's/^  parties:/  accelerator: {resource: a.b\/c, deviceClass: gpu.fake}\n  parties:/' | kubectl apply -f - >/dev/null 2>"$work/refusal"; then fail "the API server takes a resource and a class at once"; fi
grep -q 'exactly one of resource and deviceClass' "$work/refusal" || fail "the refusal does not say what is wrong: $(cat "$work/refusal")"
hospitals spread -e 's/^  parties:/  placement: {topologySpread: [{maxSkew: 1, topologyKey: zone}]}\n  parties:/' -e 's/^  epsilon: 10$/  epsilon: 1000/' | kubectl apply -f - >/dev/null
spread_is_wrong() { [ "$(condition spread Accepted reason)" = Invalid ] && condition spread Accepted message | grep -q 'spec.placement.topologySpread: topologySpread needs all datasets in one namespace'; }
wait_for 30 "the refusal of a spread over namespaces" spread_is_wrong

hospitals queued -e 's/^  parties:/  queueName: private\n  parties:/' -e 's/^  epsilon: 10$/  epsilon: 1000/' | kubectl apply -f - >/dev/null
queue_holds() { [ "$(condition queued PartiesReady reason)" = Waiting ] && get queued .status.message | grep -q 'its queue holds it'; }
wait_for 30 "a word of the queue" queue_holds
[ "$(kubectl get jobs -A -l kueue.x-k8s.io/queue-name=private -o 'jsonpath={.items[*].spec.suspend}')" = "true true true" ] || fail "the Jobs are not handed to the queue"
for owner in "${owners[@]}"; do
  kubectl -n "$owner" patch "$(kubectl -n "$owner" get jobs -l veilgrid.dev/job=queued -o name)" --type merge -p '{"spec": {"suspend": false}}' >/dev/null
done
comes queued Succeeded research 60
good "a queue holds a job's parties until it lets them go"
hospitals unqueued -e 's/^  parties:/  queueName: private\n  parties:/' -e 's/^  epsilon: 10$/  epsilon: 1000/' | kubectl apply -f - >/dev/null
held() { [ "$(kubectl get jobs -A -l veilgrid.dev/job=unqueued -o 'jsonpath={.items[*].spec.suspend}')" = "true true true" ] && [ "$(get unqueued .status.phase)" = Running ]; }
wait_for 30 "Jobs in the queue" held
kubectl -n research delete privatejob unqueued --timeout=60s >/dev/null
[ "$(kubectl get privacyclaims -A -l veilgrid.dev/job=unqueued -o 'jsonpath={.items[*].status.outcome}')" = "Released Released Released" ] || fail "what a queue never let go was charged"
good "a job that is deleted while its queue holds its parties costs nothing"
echo "all devices were where they should be"
