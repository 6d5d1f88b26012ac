#!/usr/bin/env bash
# Results that go to a volume and to an object store, on the cluster of KUBECONFIG: results.sh OPERATOR REPO [STEP]. Brought there once and
# whole, never over something else; what keeps one is told, costs nothing more, and is made up for when it is put right; the operator may die
# at each write of the delivery (STEP 3: at every third of a job's).
# The images are loaded already.
set -euo pipefail
operator=$1 repo=$2 step=${3:-1}
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

definitions
organisations research
kubectl label namespace research pod-security.kubernetes.io/enforce=restricted >/dev/null

# The store is where pods reach the machine, and answers nobody without its key.
mkfifo "$work/ask"
"$repo/scripts/s3-server.sh" "${NET:-10.210}.0.1" results <"$work/ask" >"$work/answers" &
others+=($!)
exec 7>"$work/ask" # it ends with its standard input
wait_for 120 "the server's address" test -s "$work/answers"
read -r address id key <"$work/answers"
# The volume is a folder of the machine.
mkdir -m 777 "$work/volume"
volume() { # CLAIM
  kubectl apply -f - >/dev/null <<EOF
{apiVersion: v1, kind: PersistentVolume, metadata: {name: $1}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: none, hostPath: {path: $work/volume}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: $1, namespace: research}, spec: {accessModes: [ReadWriteOnce], storageClassName: none, volumeName: $1, resources: {requests: {storage: 1Gi}}}}
EOF
}
secret() { kubectl -n research create secret generic store --from-literal="AWS_ACCESS_KEY_ID=$id" --from-literal="AWS_SECRET_ACCESS_KEY=$1" --dry-run=client -o yaml | kubectl apply -f - >/dev/null; }
store() { echo "objectStore: {url: \"s3:\/\/$1\/2026\", endpoint: \"http:\/\/$address\", secret: store}, path: $2"; }
claim() { echo "volume: {claim: $1}, path: $2"; }
# to NAME PLACE [SED ARGUMENT...]: a job whose result goes there.
to() { hospitals "$1" -e 's/epsilon: 10/epsilon: 1000/' -e "s/configMap: $1-result/$2/" "${@:3}" | kubectl apply -f - >/dev/null; }
to_do() { kubectl -n research patch privatejob "$1" --type merge -p "$2" >/dev/null; }
condition() { get "$1" ".status.conditions[?(@.type==\"Delivered\")].$2"; }
told() { grep -qF "$2" <<<"$(condition "$1" message)"; }
# keeps JOB WORDS: it is kept, and says so, in the condition, the message and an event.
keeps() {
  wait_for 90 "$1 saying '$2' (it says: $(get "$1" .status.message))" told "$1" "$2"
  [ "$(get "$1" .status.phase) $(condition "$1" status) $(condition "$1" reason)" = "Delivering False DeliveryFailed" ] || fail "$1 is kept, and $(get "$1" .status)"
  grep -qF "$2" <<<"$(get "$1" .status.message)" || fail "the message of $1 is $(get "$1" .status.message)"
  event() { grep -qF "$2" <<<"$(kubectl -n research get events --field-selector "reason=DeliveryFailed,involvedObject.name=$1" -o 'jsonpath={.items[*].message}')"; }
  wait_for 20 "an event of $1" event "$1" "$2"
}
outcomes() { kubectl get privacyclaims -A -l "veilgrid.dev/job=$1" -o 'jsonpath={.items[*].status.outcome}'; }
charged_once() { [ "$(outcomes "$1")" = "Spent Spent Spent" ] || fail "$1 cost $(outcomes "$1")"; }
# fetched JOB: the object of the store, into $work/got.
objects() { AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$key "$repo/.tools/s3/bin/python" - "$1" "$2" "$address" <<'PYTHON'
import sys, boto3
key, target, address = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url="http://" + address, region_name="us-east-1")
for name in ("result.json", "receipt.json"):
    s3.download_file("results", f"2026/{key}/{name}", f"{target}/{name}")
PYTHON
}
# whole JOB FOLDER: the files of the folder are those that the status tells of.
whole() {
  local hash receipt
  hash=$(sha256sum <"$2/result.json") receipt=$(sha256sum <"$2/receipt.json")
  [ "${hash%% *} ${receipt%% *} true" = "$(get "$1" .status.resultHash) $(get "$1" .status.receipt.hash) $(get "$1" .status.receipt.verified)" ] || fail "$1: what was delivered is not what the status tells of"
  [ "$(ls -A "$2" | tr '\n' ' ')" = "receipt.json result.json " ] || fail "$1 left more behind: $(ls -A "$2")"
}
clean() { [ -z "$(kubectl -n research get jobs,pods,secrets,networkpolicies -l app.kubernetes.io/managed-by=veilgrid -o name)" ]; }

volume results
secret "$key"
start_operator
to by-volume "$(claim results hospitals\\/first)"
to by-store "$(store results first)"
comes by-volume Succeeded
comes by-store Succeeded
mkdir "$work/got"
objects first "$work/got"
whole by-volume "$work/volume/hospitals/first"
whole by-store "$work/got"
for job in by-volume by-store; do
  charged_once $job
  [ "$(condition $job status)" = True ] || fail "$job is not Delivered"
  ! kubectl -n research get configmap $job-result >/dev/null 2>&1 || fail "$job made a ConfigMap"
done
wait_for 60 "the clean-up" clean
good "a result goes to a volume and to an object store, in a namespace that admits restricted pods only; nothing else is left"

# The pod of a delivery stays while it is kept, and can be looked at.
to no-claim "$(claim absent no-claim)"
keeps no-claim 'persistentvolumeclaim "absent" not found'
pod=$(kubectl -n research get pods -l veilgrid.dev/role=delivery,veilgrid.dev/job=no-claim -o name)
[ "$(kubectl -n research get "$pod" -o 'jsonpath={.spec.automountServiceAccountToken} {.metadata.labels.veilgrid\.dev/job-uid}')" = "false " ] || fail "the pod of a delivery has a token, or a party's label"
before=$(writes)
sleep 5
[ "$(writes)" = "$before" ] || fail "a delivery that is kept costs writes: $before, then $(writes)"
charged_once no-claim
volume absent
comes no-claim Succeeded
whole no-claim "$work/volume/no-claim"
charged_once no-claim
good "a claim that is missing is told, and the result comes when it is there"

to no-bucket "$(store strange place)"
keeps no-bucket 's3://strange/2026/place/receipt.json: there is no such bucket'
secret wrong
to no-right "$(store results right)"
keeps no-right 'the store refuses the credentials (SignatureDoesNotMatch); check the Secret "store"'
secret "$key"
# Another place: the delivery is made anew.
to_do no-bucket '{"spec": {"result": {"objectStore": {"url": "s3://results/2026"}, "path": "moved"}}}'
comes no-bucket Succeeded
rm "$work"/got/*
objects moved "$work/got"
whole no-bucket "$work/got"
# The node sees the Secret again within a minute or two, and tries again within five.
to_do no-right '{"spec": {"suspend": true}}'
held() { [ "$(get "$1" .status.phase) $(condition "$1" reason)" = "Running Suspended" ]; }
wait_for 30 "the delivery of no-right waiting" held no-right
wait_for 60 "the end of its pod" clean
to_do no-right '{"spec": {"suspend": false}}'
comes no-right Succeeded
charged_once no-bucket
charged_once no-right
good "a missing bucket and refused credentials are told; another place in the job, or another try, brings the result"

# What is there stays, and the job says so until it is moved.
to taken "$(claim results hospitals\\/first)"
keeps taken 'hospitals/first/receipt.json of the PersistentVolumeClaim results: something else is there already'
whole by-volume "$work/volume/hospitals/first"
to_do taken '{"spec": {"result": {"volume": null, "objectStore": null, "path": null, "configMap": "taken-result"}}}'
comes taken Succeeded
charged_once taken
kubectl -n research get configmap taken-result >/dev/null || fail "a job that asks for a ConfigMap in the end has none"
wait_for 60 "the clean-up" clean
good "nothing is overwritten; a ConfigMap will do in the end"

# Deleted while it is kept: nothing stays, and the charge stands.
to deleted "$(claim nowhere deleted)"
keeps deleted 'persistentvolumeclaim "nowhere" not found'
kubectl -n research delete privatejob deleted --timeout=60s >/dev/null
wait_for 60 "the end of all that it had" clean
charged_once deleted
good "a job that is deleted meanwhile leaves nothing, and its charge stands"

# Somebody takes the delivery's Job away.
to robbed "$(claim soon robbed)"
keeps robbed 'persistentvolumeclaim "soon" not found'
kubectl -n research delete jobs -l veilgrid.dev/job=robbed --wait=true >/dev/null
keeps robbed 'persistentvolumeclaim "soon" not found'
volume soon
comes robbed Succeeded
whole robbed "$work/volume/robbed"
charged_once robbed
good "a delivery that somebody deletes is made anew"
if grep -rqF "$key" <(kubectl get privatejobs,privacyclaims,events,networkpolicies,jobs -A -o yaml) "$work/operator.log"; then fail "a credential is in an object or a log"; fi

# Deaths of the operator, before and after each write.
stop_operator
start_operator
to counted "$(claim results counted)"
comes counted Succeeded
wait_for 60 "the clean-up" clean
total=$(writes)
stop_operator
deaths=0
for number in $(seq 1 "$step" "$total"); do
  for when in before after; do
    name=$when-$number
    VEILGRID_FAULT=$when:$number start_operator
    to "$name" "$(claim results "$name")"
    end=$((SECONDS + 120)) died=
    until [ "$(get "$name" .status.phase)" = Succeeded ] && clean; do
      [ "$(get "$name" .status.phase)" != Failed ] || fail "$name failed: $(get "$name" .status.message)"
      [ $SECONDS -lt $end ] || fail "$name is $(get "$name" .status.phase) after 120 s: $(get "$name" .status.message)"
      operator_lives || { died=1; start_operator; }
      sleep 0.3
    done
    [ -z "$died" ] || deaths=$((deaths + 1))
    charged_once "$name"
    whole "$name" "$work/volume/$name"
    stop_operator
  done
done
[ "$deaths" -ge $((2 * total / step - 4)) ] || fail "only $deaths deaths: the faults were not reached"
good "of $total writes of a job whose result goes to a volume, $deaths deaths of the operator cost and left nothing"
echo "results of volumes and stores: all as it should be"
