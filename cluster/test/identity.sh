#!/usr/bin/env bash
# Who is believed to be a party, on the cluster of KUBECONFIG: identity.sh OPERATOR REPO. The images of the party and the probe are
# loaded already. Keys born on the node or kept in Secrets both work; a pod that is no party gets no certificate and no connection; what
# Secrets hold is nowhere else. D is the cluster's folder.
set -euo pipefail
operator=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

definitions
organisations research
# Secrets live for seconds: what they ever held is kept.
kubectl get secrets -A -w -o json >"$work/secrets" 2>/dev/null &
watcher=$!
disown
# So do parties' logs, and every other object is looked at now and then.
mkdir "$work/logs" "$work/objects"
kinds=$(kubectl api-resources --verbs=list -o name | grep -vx secrets | paste -sd,)
while :; do
  cp -r "$D"/n*/logs/. "$work/logs" 2>/dev/null || true
  kubectl get "$kinds" -A -o json >"$work/objects/$(date +%s%N)" 2>/dev/null || true
done &
copier=$!
disown
others+=("$watcher" "$copier")
export VEILGRID_LOG=debug
keys() { { grep -oE '"[0-9a-f-]{36}\.json": "[^"]*"' "$work/secrets" || true; } | cut -d'"' -f4 | sort -u | while read -r text; do base64 -d <<<"$text"; echo; done | grep -c 'PRIVATE KEY' || true; }

for source in node secret; do
  start_operator --identity-source "$source"
  hospitals "by-$source" | kubectl apply -f - >/dev/null
  comes "by-$source" Succeeded
  stop_operator
  case $source in
    node) [ "$(keys)" = 0 ] || fail "a Secret holds a private key though keys are born on nodes" ;;
    secret) [ "$(keys)" = 3 ] || fail "$(keys) private keys in Secrets, not 3" ;;
  esac
  good "keys by $source: the job succeeded, and Secrets held $(keys) private keys"
done
kill "$copier" "$watcher" 2>/dev/null || true
kubectl get "$kinds" -A -o json >"$work/objects/last" 2>/dev/null
find "$work/logs" -name '*.log' | grep -q . || fail "no party's log was kept"
find "$work/logs" "$work/objects" "$work/operator.log" -type f -print0 | xargs -0 python3 "$repo/cluster/test/secrets.py" "$work/secrets" "$work/seed"

# A party that waits for a peer: west's rows are not there yet.
kubectl -n west delete configmap rows >/dev/null
start_operator --identity-source node
hospitals waits | kubectl apply -f - >/dev/null
runs() { [ "$(kubectl -n north get pods -l veilgrid.dev/job=waits -o 'jsonpath={.items[0].status.phase}')" = Running ]; }
wait_for 60 "the pod of north" runs
pod=$(kubectl -n north get pods -l veilgrid.dev/job=waits -o 'jsonpath={.items[0].metadata.name}')
address=$(kubectl -n north get pod "$pod" -o 'jsonpath={.status.podIP}'):7443
uid=$(kubectl -n research get privatejob waits -o 'jsonpath={.metadata.uid}')

# probe NAMESPACE NAME LABELS: a pod that is no party, whatever its labels say.
probe() {
  kubectl -n "$1" run "$2" --image=localhost/probe:1 --image-pull-policy=Never --labels="$3" --command -- /probe serve 7000 >/dev/null
  kubectl -n "$1" wait --for=condition=Ready "pod/$2" --timeout=30s >/dev/null
}
# A party says nothing to those who show no certificate; where it is not even reached, the connection is what fails.
reaches() {
  local said
  if said=$(kubectl -n "$1" exec "$2" -- /probe reach 2 "$address" 2>&1); then fail "a party answered $2 of $1"; fi
  ! grep -q 'dial tcp' <<<"$said"
}
probe north stranger role=stranger
probe research curious role=curious
mine="app.kubernetes.io/managed-by=veilgrid,veilgrid.dev/job-uid=$uid"
probe north insider "$mine"
# That the port is open at all, a pod with the job's labels shows; what it lacks is a certificate.
reaches north insider || fail "a party's port is not open to the job's own pods"
! reaches north stranger || fail "a pod of the same namespace reaches a party"
! reaches research curious || fail "a pod of the scientist reaches a party"
good "only pods of the job reach a party's port, and without a certificate they get no word"

# A pod of north that says it is west asks the signer.
kubectl -n north create -f - >/dev/null <<EOF
apiVersion: v1
kind: Pod
metadata:
  name: forged
  labels:
    app.kubernetes.io/managed-by: veilgrid
    veilgrid.dev/job: waits
    veilgrid.dev/job-namespace: research
    veilgrid.dev/job-uid: $uid
    veilgrid.dev/party: west
    veilgrid.dev/role: party
spec:
  containers: [{name: c, image: "localhost/probe:1", imagePullPolicy: Never, volumeMounts: [{name: identity, mountPath: /identity}]}]
  volumes:
    - name: identity
      projected: {sources: [{podCertificate: {signerName: veilgrid.dev/party, keyType: ED25519, credentialBundlePath: bundle.pem}}]}
EOF
denied() { kubectl -n north get podcertificaterequests -o 'jsonpath={range .items[?(@.spec.podName=="forged")]}{.status.conditions[0].type}{end}' | grep -q Denied; }
wait_for 60 "the refusal of a forged pod's request" denied
[ "$(kubectl -n north get pod forged -o 'jsonpath={.status.phase}')" = Pending ] || fail "a forged pod runs"
good "a pod that only says it is a party gets no certificate"
kubectl -n north delete pod stranger insider forged --grace-period=1 >/dev/null

kubectl -n west create configmap rows --from-file="$(ls "$repo"/examples/hospitals/west.{csv,parquet} 2>/dev/null)" >/dev/null
comes waits Succeeded research 150
good "the job that waited succeeded"
stop_operator

# A Secret may outlive its Job for a moment. To another Job of the same name it is of no use.
kubectl -n west delete configmap rows >/dev/null
offer
start_operator --identity-source secret
ask outlived
began() { [ "$(kubectl -n north get pods -l veilgrid.dev/job=outlived -o 'jsonpath={.items[0].status.phase}')" = Running ]; }
wait_for 60 "the pod of north" began
stop_operator
party=$(kubectl -n north get jobs -l veilgrid.dev/job=outlived -o name)
kubectl -n north get "$party" -o json | python3 -c 'import json, sys
job = json.load(sys.stdin)
del job["spec"]["selector"]
of = job["spec"]["template"]["metadata"]["labels"]
for label in [label for label in of if label.split("/")[-1] in ("controller-uid", "job-name")]:
    del of[label]
print(json.dumps({**{k: job[k] for k in ("apiVersion", "kind", "spec")}, "metadata": {k: job["metadata"][k] for k in ("name", "labels")}}))' >"$work/party.json"
kubectl -n north delete "$party" --cascade=orphan --timeout=60s >/dev/null
kubectl -n north delete pods -l veilgrid.dev/job=outlived --grace-period=1 --timeout=60s >/dev/null
kubectl -n north get secrets -l veilgrid.dev/job=outlived -o name | grep -q . || fail "no Secret was left"
kubectl -n north create -f "$work/party.json" >/dev/null
ends_at_once() { [ "$(kubectl -n north get pods -l veilgrid.dev/job=outlived -o 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode}')" = 2 ]; }
wait_for 60 "the end of a pod that was told nothing" ends_at_once
start_operator --identity-source secret
comes outlived Failed research 90
wait_for 60 "the books" balanced
came_to() { kubectl -n north get privacyclaims -l veilgrid.dev/job=outlived -o 'jsonpath={.items[*].status.outcome}'; }
# What the first pod did nobody saw, and what the other says is not its word.
[ "$(came_to)" = Spent ] || fail "the claim of a party whose end nobody saw came to $(came_to)"
good "a Secret that outlives its Job tells another Job of the same name nothing"
echo "all identities were as they should be"
