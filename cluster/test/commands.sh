#!/usr/bin/env bash
# The command's cluster side on the cluster of KUBECONFIG: commands.sh VEILGRID REPO. What docs/cli.md says under "In a cluster" is
# typed as it stands there; and who has which role gets so far and no further. The images are loaded already.
set -euo pipefail
veilgrid=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$(dirname "$veilgrid"):$PATH
admin=$KUBECONFIG
cp "$repo/examples/hospitals/"* "$work/"
cd "$work"

# ends CODE COMMAND...: it ends with this code; what it said is in `said`.
ends() {
  local code=$1 found=0; shift
  said=$("$@" 2>&1) || found=$?
  [ $found = "$code" ] || fail "ended with $found, not $code: $*
$said"
}
# tells WORD...: the last command said each of them.
tells() { for word; do grep -qF -e "$word" <<<"$said" || fail "not said: $word
$said"; done; }
# page SECTION: types the commands of that part of the page.
page() {
  local line lines code
  mapfile -t lines < <(awk -v section="### $1" '/^## / { part = $0 == "## In a cluster" } /^### / { here = $0 == section } /^```/ { code = !code }
    part && here && code && /veilgrid /' "$repo/docs/cli.md")
  [ ${#lines[@]} -gt 0 ] || fail "docs/cli.md has no commands of $1"
  for line in "${lines[@]}"; do
    code=0
    case $line in *'# exit '*) code=${line##*# exit } ;; esac
    ends "$code" bash -c "$line"
  done
}
# user NAME: a kubeconfig of that user.
user() {
  awk -v user="$1" '/^users:/ { sub(/client-certificate-data/, "as: " user ", client-certificate-data") } { print }' "$admin" >"$work/$1.kubeconfig"
  echo "$work/$1.kubeconfig"
}
as() { KUBECONFIG=$(user "$1") veilgrid "${@:2}"; }

organisations research
# Room for more jobs than the example's three.
sed -i 's/^  epsilon: 10$/  epsilon: 100/' cluster.yaml

# Something lacks, and each is told with what to do.
ends 11 veilgrid doctor -n research
tells 'PROBLEM  custom resources: not there: PrivateJob, PrivateDataset' 'PROBLEM  operator: no namespace has one' 'helm install veilgrid'
ends 11 veilgrid result hospitals -n research
tells 'does not know the kinds of veilgrid.dev'
chart install
kubectl -n research create rolebinding scientist --clusterrole=veilgrid-data-scientist --user=scientist >/dev/null
kubectl -n north create rolebinding owner --clusterrole=veilgrid-data-owner --user=owner >/dev/null
ends 11 veilgrid doctor --kubeconfig "$(user stranger)" -n research
tells 'PROBLEM  your rights: stranger has no part' 'create rolebinding' 'warning  operator: not known: you may not list deployments'
ends 11 veilgrid doctor --context nowhere
tells 'no cluster is named' 'nowhere'
sed 's/127.0.0.1:[0-9]*/127.0.0.1:1/' "$admin" >dead.kubeconfig
ends 11 veilgrid doctor --kubeconfig dead.kubeconfig
tells 'PROBLEM  API server' 'refused'
ends 11 veilgrid result hospitals --kubeconfig dead.kubeconfig
tells 'the cluster cannot be reached'
good "doctor says what lacks"

# A scientist's whole way, by the page and with the scientist's rights.
export KUBECONFIG; KUBECONFIG=$(user scientist)
awk 'BEGIN { RS = "---\n" } /kind: PrivateJob/' "$repo/examples/hospitals/cluster.yaml" >job.yaml
ends 0 veilgrid submit job.yaml -n research --dry-run
tells 'PrivateJob research/hospitals created (dry run)'
[ -z "$(kubectl -n research get privatejobs -o name)" ] || fail "a dry run made a job"
ends 11 veilgrid submit cluster.yaml
tells 'you may not apply the PrivacyBudget north/patients'
[ -z "$(kubectl -n research get privatejobs -o name)" ] || fail "a file that was refused in part was applied in part"
grep -v '^  namespace: research$' job.yaml >homeless.yaml
ends 11 veilgrid submit homeless.yaml -n north
tells 'you may not apply the PrivateJob north/hospitals'
KUBECONFIG=$admin page '`submit`'
ends 0 veilgrid submit job.yaml
tells 'PrivateJob research/hospitals unchanged'
ends 2 veilgrid submit faulty.yaml
tells "faulty.yaml:$(grep -n 'epsilon: 0 #' faulty.yaml | cut -d: -f1): PrivateJob research/hospitals: spec.privacy.epsilon" 'is 0'
# What only the cluster can say has its line too.
sed 's/epsilon: 3 #/epsilon: 2 #/' job.yaml >changed.yaml
ends 2 veilgrid submit changed.yaml
tells 'changed.yaml:' 'what a job computes never changes'
page '`watch`'
jq -se '.[-1].phase == "Succeeded" and ([.[-1].parties[].device] | all(length > 0))' states.jsonl >/dev/null || fail "the states do not end well: $(cat states.jsonl)"
page '`result`'
for file in result receipt; do
  kubectl -n research get configmap hospitals-result -o "jsonpath={.data.$file\.json}" | cmp - "today/$file.json" || fail "$file.json is not that of the ConfigMap"
done
ends 0 veilgrid verify today/receipt.json --result today/result.json
ends 0 veilgrid result hospitals -n research
tells 'patients by diagnosis' 'checks of the receipt hold'
no_pods() { [ -z "$(kubectl --kubeconfig "$admin" get pods -A -l veilgrid.dev/job=hospitals -o name)" ]; }
wait_for 30 "the end of the pods" no_pods
ends 12 veilgrid logs hospitals -n research --kubeconfig "$admin"
ends 11 veilgrid logs hospitals -n research
tells 'north: you may not read the pods of namespace north'
ends 2 veilgrid result nobodys -n research
tells 'there is no PrivateJob research/nobodys'
ends 11 veilgrid result hospitals -n north
tells 'you may not get the PrivateJob north/hospitals'
ends 0 veilgrid doctor -n research
tells 'ok       your rights: scientist is data scientist in namespace research'
good "a scientist submits, watches and gets the result that the parties signed"

export KUBECONFIG=$admin
page '`doctor`'
ends 0 veilgrid doctor -n research
tells 'ok       operator: veilgrid-system/' 'ok       custom resources: PrivateJob' 'ok       DNS: the parties of research/hospitals found each other' 'no problem'
jq -e '.ok and (.findings | length == 9)' doctor.json >/dev/null || fail "doctor --json: $(cat doctor.json)"
kubectl -n veilgrid-system scale deployment veilgrid-operator --replicas=0 >/dev/null
none_ready() { [ -z "$(kubectl -n veilgrid-system get deployment veilgrid-operator -o 'jsonpath={.status.readyReplicas}')" ]; }
wait_for 30 "the end of the operator" none_ready
ends 11 veilgrid doctor -n research
tells 'PROBLEM  operator: ' '0 of 0 ready' 'describe deployment'
kubectl -n veilgrid-system scale deployment veilgrid-operator --replicas=2 >/dev/null
kubectl -n research patch configmap hospitals-result --type merge -p '{"data": {"result.json": "{}"}}' >/dev/null
ends 6 veilgrid result hospitals -n research
tells 'FAILED  the result is the one that was signed' 'do not rely on it'
good "doctor finds all well, and what was forged is not shown"

# An owner who wants to be asked, and whose rows are bad.
sed -e 's/name: hospitals$/name: wards/' -e 's/hospitals-result/wards-result/' job.yaml >wards.yaml
for namespace in "${owners[@]}"; do kubectl -n "$namespace" patch privatedataset patients --type merge -p '{"spec": {"approval": "Manual"}}' >/dev/null; done
rows=$(kubectl -n north get configmap rows -o json | jq 'del(.metadata.resourceVersion)')
kubectl -n north create configmap rows --from-literal=north.csv=nonsense --dry-run=client -o yaml | kubectl replace -f - >/dev/null
ends 0 as scientist submit wards.yaml
comes wards AwaitingApproval
ends 11 as scientist approve wards -n north
tells 'you may not list the claims of namespace north'
ends 2 as owner approve research/wards -n north
tells 'by job  research/wards' 'epsilon  3' 'give --yes'
comes wards AwaitingApproval
export KUBECONFIG; KUBECONFIG=$(user owner)
page '`approve`'
ends 0 veilgrid approve wards -n north --yes
tells 'approved before'
KUBECONFIG=$admin
ends 0 veilgrid approve wards -n south --yes --json
# The API server goes and comes back while the job is watched.
as scientist watch wards -n research >watched 2>&1 &
watching=$!
watches() { grep -q AwaitingApproval watched; }
wait_for 20 "the watch" watches
ends 0 veilgrid approve wards -n west --yes --json
mapfile -d '' -t command <"/proc/$(cat "$D/pid/kube-apiserver")/cmdline"
# shellcheck disable=SC2016 # for the inner shell
bash -c '. "$0/cluster/lib.sh"; stop kube-apiserver; start kube-apiserver "$@"; await 60 kube-apiserver kubectl get --raw /readyz' "$repo" "${command[@]}"
code=0; wait $watching || code=$?
[ $code = 4 ] || fail "a watch over a restart of the API server ended with $code, not 4: $(cat watched)"
grep -q 'the cluster does not answer' watched || fail "the watch did not notice the restart: $(cat watched)"
grep -q 'north ended with exit code 4' watched || fail "the watch does not say why: $(cat watched)"
ends 12 as scientist result wards -n research
tells 'it failed: north ended with exit code 4'
page '`logs`'
ends 0 as owner logs research/wards -n north --party north
tells 'north.csv'
good "an owner approves; a watch outlives the API server and ends with the party's code"

# Stopped, gone on, and deleted.
kubectl -n north replace -f - <<<"$rows" >/dev/null
ends 2 as scientist cancel wards -n research
tells 'has ended before'
kubectl -n research delete privatejob wards --timeout=60s >/dev/null
ends 0 veilgrid submit wards.yaml
comes wards AwaitingApproval
page '`cancel`'
ends 0 veilgrid submit wards.yaml
comes wards AwaitingApproval
ends 0 as scientist cancel wards -n research
tells 'research/wards is stopped' 'north: its claims are in namespace north, where you may not look'
ends 0 as scientist submit wards.yaml
tells 'PrivateJob research/wards goes on'
comes wards AwaitingApproval
said=$(veilgrid cancel wards -n research --delete --json 2>/dev/null) || fail "cancel --delete ended with $?"
jq -e '.deleted and ([.charges[].claims[].state] | all(. == "released"))' <<<"$said" >/dev/null || fail "what was charged is wrong: $said"
good "a cancelled job is charged nothing, goes on when it is submitted, and goes when it is deleted"

page '`budget` in a cluster'
jq -e '[.budgets[] | .reserved.epsilon] == ["0", "0", "0"]' budgets.json >/dev/null || fail "the budgets hold something: $(cat budgets.json)"
for namespace in "${owners[@]}"; do
  spent=$(kubectl -n "$namespace" get privacybudget patients -o 'jsonpath={.status.spent.epsilon}')
  jq -e --arg budget "$namespace/patients" --arg spent "$spent" '.budgets[] | select(.budget == $budget) | .spent.epsilon == $spent' budgets.json >/dev/null ||
    fail "the spent of $namespace is not $spent: $(cat budgets.json)"
done
ends 0 as owner budget --cluster -n north
tells 'north/patients' 'research/hospitals' 'released'
ends 11 as scientist budget --cluster -n north
tells 'you may not list the budgets of namespace north'
ends 2 veilgrid budget -n north
tells 'give --cluster too'
good "budgets show what was spent"
helm uninstall veilgrid --namespace veilgrid-system --wait >/dev/null
