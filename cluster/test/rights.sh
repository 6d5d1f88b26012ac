#!/usr/bin/env bash
# Who may do what, on the cluster of KUBECONFIG: rights.sh REPO AUDIT_LOG. The operator is installed for the four namespaces only, and
# the API server writes to AUDIT_LOG what it asks, as audit.yaml says. The images are loaded already.
set -euo pipefail
repo=$1 audit=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

may() { # USER COMMAND...
  kubectl --as "$1" "${@:2}" >"$work/answer" 2>&1 || fail "the $1 may not: ${*:2}: $(cat "$work/answer")"
}
may_not() { # USER COMMAND...: it must be a matter of rights
  if kubectl --as "$1" "${@:2}" >"$work/answer" 2>&1; then fail "the $1 may: ${*:2}"; fi
  grep -qE 'is forbidden|cannot (get|list|create|patch|update|delete)' "$work/answer" || fail "the $1 was refused for another reason: ${*:2}: $(cat "$work/answer")"
}
# objects NAME KIND [SED ARGUMENT...]: of the hospitals' file, the objects of one kind.
objects() { hospitals "$1" "${@:3}" | awk -v kind="kind: $2" 'BEGIN { RS = "---\n" } index($0, kind "\n") { print "---"; print }'; }

organisations research
chart install --set 'watchNamespaces={north,south,west,research}'
good "the operator is installed for four namespaces"
for namespace in "${owners[@]}"; do kubectl -n "$namespace" create rolebinding owner --clusterrole=veilgrid-data-owner --user="$namespace-owner" >/dev/null; done
kubectl -n research create rolebinding scientist --clusterrole=veilgrid-data-scientist --user=scientist >/dev/null

# Each owner offers its own data; the scientist asks.
for namespace in "${owners[@]}"; do
  for kind in PrivateDataset PrivacyBudget; do
    objects hospitals $kind -e 's/maxEpsilon: 3}/maxEpsilon: 3}\n  approval: Manual/' |
      awk -v at="  namespace: $namespace" 'BEGIN { RS = "---\n" } index($0, at "\n")' >"$work/$namespace-$kind.yaml"
    may "$namespace-owner" apply -f "$work/$namespace-$kind.yaml"
  done
done
may_not south-owner apply -f "$work/north-PrivacyBudget.yaml"
objects hospitals PrivateJob >"$work/job.yaml"
may_not north-owner apply -f "$work/job.yaml"
may scientist apply -f "$work/job.yaml"
comes hospitals AwaitingApproval research 120
claim=$(kubectl -n north get privacyclaims -o name)
yes='{"spec": {"approved": true}}'
may_not scientist -n north patch "$claim" --type merge -p "$yes"
may_not scientist -n north patch privacybudget patients --type merge -p '{"spec": {"epsilon": 1000}}'
may_not scientist -n north get privatedatasets
may_not scientist -n north delete "$claim"
may_not south-owner -n north patch "$claim" --type merge -p "$yes"
may_not south-owner -n north get privacybudgets
may_not north-owner -n north delete "$claim"
for user in scientist north-owner; do
  status=(patch --subresource=status --type merge)
  may_not $user -n north "${status[@]}" privacybudget patients -p '{"status": {"spent": {"epsilon": "0"}}}'
  may_not $user -n north "${status[@]}" "$claim" -p '{"status": {"outcome": "Released"}}'
  may_not $user -n research "${status[@]}" privatejob hospitals -p '{"status": {"phase": "Succeeded"}}'
done
good "nobody approves, raises a budget or writes a status that is not theirs"

# West has no room for a pod, so that the others wait for it and can be looked at.
kubectl -n west create quota full --hard=pods=0 >/dev/null
for namespace in "${owners[@]}"; do may "$namespace-owner" -n "$namespace" patch "$(kubectl -n "$namespace" get privacyclaims -o name)" --type merge -p "$yes"; done
logged() { [ -n "$(kubectl --as north-owner -n north logs -l veilgrid.dev/role=party)" ]; }
wait_for 60 "the log of north's party" logged
pod=$(kubectl -n north get pods -l veilgrid.dev/role=party -o name)
secret=$(kubectl -n north get secrets -l app.kubernetes.io/managed-by=veilgrid -o name)
if [ -z "$secret" ]; then fail "north has no Secret while its party runs"; fi
for what in "get $pod" "get $secret" "get configmap/rows" "get pods" "get secrets" "get configmaps" "logs $pod" "get events" "exec $pod -- /usr/bin/veilgrid --version"; do
  # shellcheck disable=SC2086 # a command in words
  may_not scientist -n north $what
done
# A party's pod has no token, and its account no right but what Kubernetes gives every account.
kubectl auth can-i --list --no-headers -n north --as=system:serviceaccount:north:veilgrid-party --as-group=system:serviceaccounts --as-group=system:authenticated |
  grep -vE '^(selfsubject[a-z]+\.auth|clustertrustbundles\.cert)|^ +\[/' >"$work/rights" || true
[ ! -s "$work/rights" ] || fail "a party's account may: $(cat "$work/rights")"
mounts=$(kubectl -n north get "$pod" -o json | jq -r '.spec | .serviceAccountName, .automountServiceAccountToken, ([.volumes[].projected.sources[]? | keys[]] | join(","))' | paste -sd' ')
[ "$mounts" = "veilgrid-party false podCertificate" ] || fail "a party's pod has more than its certificate: $mounts"
may_not north-owner -n north get "$secret"
may_not north-owner -n north get configmap/rows
may north-owner -n north get "$pod"
may_not south-owner -n north logs "$pod"
good "a scientist reads no row, no Secret and no log of an owner; an owner reads the logs of its own parties"
may scientist -n research delete privatejob hospitals --timeout=60s
kubectl -n west delete quota full >/dev/null

# The rest of what the operator does: one job to its end, and one that it deletes when its time is over.
for namespace in "${owners[@]}"; do kubectl -n "$namespace" patch privatedataset patients --type merge -p '{"spec": {"approval": "Automatic"}}' >/dev/null; done
objects whole PrivateJob >"$work/job.yaml"
objects short PrivateJob -e 's/^  parties:/  ttlSecondsAfterFinished: 1\n  parties:/' >>"$work/job.yaml"
may scientist apply -f "$work/job.yaml"
comes whole Succeeded research 120
may scientist -n research get configmap whole-result
may scientist -n research get privatejob whole
may_not scientist -n research get configmaps
may_not scientist -n research get secrets
good "a scientist runs a job and reads its result"
short_is_gone() { [ -z "$(kubectl -n research get privatejob short --ignore-not-found -o name)" ]; }
wait_for 90 "the end of the job that is to go" short_is_gone
# No policy of the cluster keeps a queue from taking a party back.
objects queued PrivateJob -e 's/^  parties:/  queueName: private\n  parties:/' >"$work/job.yaml"
may scientist apply -f "$work/job.yaml"
unguarded() { [ "$(get queued .status.phase)" = Pending ] && grep -q 'spec.queueName.*second draw' <<<"$(get queued .status.message)"; }
wait_for 60 "the refusal of a job with a queue" unguarded
may scientist -n research delete privatejob queued --timeout=60s
good "in some namespaces a job with a queue is refused: nothing keeps the queue from taking a party back"
# A result that is brought to a volume takes no right more; the claim is not there, and that is told.
objects brought PrivateJob -e 's/epsilon: 3 /epsilon: 1 /' -e 's/{configMap: brought-result}/{volume: {claim: absent}, path: a}/' >"$work/job.yaml"
may scientist apply -f "$work/job.yaml"
kept() { grep -q 'persistentvolumeclaim "absent" not found' <<<"$(get brought .status.message)"; }
wait_for 120 "the word that a claim is missing" kept
may scientist -n research delete privatejob brought --timeout=60s
good "a result is brought to a volume by the rights that there are"

python3 - "$audit" "$repo/charts/rights.tsv" <<'PYTHON'
import json, sys
asked, refused = {}, set()
for line in open(sys.argv[1]):
    event = json.loads(line)
    at = event.get("objectRef", {})
    if "resource" not in at:
        continue
    name = "/".join(filter(None, (at["resource"], at.get("subresource"))))
    key = (at.get("apiGroup", "core"), name, event["verb"])
    asked[key] = asked.get(key, 0) + 1
    if event.get("annotations", {}).get("authorization.k8s.io/decision") != "allow" or event.get("responseStatus", {}).get("code") == 403:
        refused.add((*key, at.get("namespace", "every namespace")))
rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[2]) if not line.startswith("#")]
unused = [row[:3] for row in rows if row[3] == "seen" and tuple(row[:3]) not in asked]
for words, found in (("was refused", sorted(refused)), ("may and never did", unused)):
    for right in found:
        print("rights: the operator", words + ":", *right, file=sys.stderr)
if refused or unused:
    sys.exit(1)
print(f"  the operator used {len(asked)} of its {len(rows)} rights in {sum(asked.values())} requests; none was refused")
PYTHON
