#!/usr/bin/env bash
# Test the chart without a cluster: test.sh. Needs helm on PATH or among the cluster's programs.
#   UPDATE=1  writes golden/*.yaml anew from golden/*.values.yaml instead of comparing
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:${VEILGRID_CLUSTER_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/veilgrid/cluster}
chart=$here/veilgrid repo=$here/..
fail() { echo "charts: $*" >&2; exit 1; }
command -v helm >/dev/null || fail "helm is missing: run cluster/build.sh"
render() { helm template veilgrid "$chart" --namespace veilgrid-system "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

diff -r "$repo/api/crds" "$chart/crds" || fail "the chart's custom resource definitions are stale: cargo run -p veilgrid-api --features crd --example crds"
for values in "$here"/golden/*.values.yaml; do
  helm lint --strict "$chart" --values "$values" >"$work/lint" 2>&1 || fail "helm lint with $values: $(cat "$work/lint")"
  golden=${values%.values.yaml}.yaml
  render --values "$values" | sed 's/^  seed: .*/  seed: (32 random bytes)/' >"$work/rendered"
  if [ -n "${UPDATE:-}" ]; then cp "$work/rendered" "$golden"; fi
  diff -u "$golden" "$work/rendered" || fail "the chart gives something else than $golden; if that is meant: UPDATE=1 charts/test.sh"
done

# Every value reaches the schema, and what is wrong is refused.
for wrong in replicas=0 replicas=two image.pullPolicy=Sometimes image.party= image.strange=1 logLevel=loud identitySource=cloud strange=1 existingSeed=A_b letGoPolicy=perhaps \
  'watchNamespaces={Upper}' 'watchNamespaces={a,a}' 'networkPolicy.ports={0}' 'networkPolicy.cidrs={everywhere}' networkPolicy.strange=1 \
  'networkPolicy.metricsFrom={all}' 'tolerations={a}' affinity.strange=1 resources.limits.memory=lots serviceMonitor=maybe; do
  if render --set "$wrong" >/dev/null 2>&1; then fail "the schema takes $wrong"; fi
done

# The operator's rights: those of rights.tsv, each of which names the code that needs it. GROUP RESOURCE VERB, one a line.
rights() {
  awk '$1 == "kind:" { role = $2 ~ /^(Cluster)?Role$/ } $1 == "name:" { mine = role && $2 ~ /^veilgrid-operator(-lease|-signer)?$/ }
    mine && /apiGroups:|resources:|verbs:/ { line = $0; sub(/.*: \[/, "", line); gsub(/[],"]/, " ", line); if (line ~ /^ *$/) line = "core" }
    mine && /apiGroups:/ { groups = line } mine && /resources:/ { resources = line }
    mine && /verbs:/ { n = split(groups, g, " "); m = split(resources, r, " "); k = split(line, v, " ")
      for (a = 1; a <= n; a++) for (b = 1; b <= m; b++) for (c = 1; c <= k; c++) print g[a], r[b], v[c] }' | sort -u
}
render >"$work/cluster" && rights <"$work/cluster" >"$work/granted"
grep -v '^#' "$here/rights.tsv" | awk -F '\t' '{ print $1, $2, $3 }' | sort >"$work/needed"
diff "$work/needed" "$work/granted" || fail "< charts/rights.tsv and > the operator's role differ"
grep -v '^#' "$here/rights.tsv" | awk -F '\t' '$4 != "cluster" { print $1, $2, $3 }' | sort >"$work/namespaced"
render --set 'watchNamespaces={a,b}' | rights | diff "$work/namespaced" - || fail "the operator has > other rights in namespaces than < it needs there"
while IFS=$'\t' read -r _ resource verb _ file code; do
  grep -qF -- "$code" "$repo/$file" || fail "rights.tsv: no '$code' in $file needs to $verb $resource"
done < <(grep -v '^#' "$here/rights.tsv")
if grep -qE '^core secrets (get|list|watch)|\*' "$work/granted"; then fail "the operator may read Secrets, or has a wildcard"; fi
if grep '^kind: ClusterRole' "$here/golden/namespaced.yaml"; then fail "in namespaces the operator has rights in the cluster"; fi

# What the cluster offers for a job's finalizer is taken, the newest of it, and in namespaces alone nothing.
admission() { render "$@" | grep -B1 '^kind: MutatingAdmissionPolicy$' | head -n 1; }
group=admissionregistration.k8s.io
[ -z "$(admission)" ] || fail "a policy for a cluster that has none"
offers=(--api-versions "$group/v1beta1/MutatingAdmissionPolicy")
[ "$(admission "${offers[@]}")" = "apiVersion: $group/v1beta1" ] || fail "no policy where v1beta1 is offered"
offers+=(--api-versions "$group/v1/MutatingAdmissionPolicy")
[ "$(admission "${offers[@]}")" = "apiVersion: $group/v1" ] || fail "no policy where v1 is offered"
[ -z "$(admission "${offers[@]}" --set 'watchNamespaces={a}')" ] || fail "a policy of the whole cluster for an operator of some namespaces"

# So is what keeps a queue from taking a party back.
held() { render "$@" | grep -c '^kind: ValidatingAdmissionPolicy' || true; }
[ "$(held)" = 0 ] || fail "a policy for queues in a cluster that has none"
offers=(--api-versions "$group/v1/ValidatingAdmissionPolicy")
[ "$(held "${offers[@]}")" = 2 ] || fail "no policy for queues where v1 is offered"
[ "$(held "${offers[@]}" --set 'watchNamespaces={a}')" = 0 ] || fail "a policy for queues of the whole cluster for an operator of some namespaces"
# Without it jobs with a queue are refused, but where an administrator has applied it.
queues() { render "$@" | grep -c -- '- --queues$' || true; }
[ "$(queues)" = 0 ] || fail "jobs with queues are taken in a cluster without the policy"
[ "$(queues "${offers[@]}")" = 1 ] || fail "jobs with queues are refused beside the policy"
[ "$(queues "${offers[@]}" --set 'watchNamespaces={a}')" = 0 ] || fail "jobs with queues are taken in some namespaces without the policy"
[ "$(queues --set 'watchNamespaces={a},letGoPolicy=true')" = 1 ] || fail "jobs with queues are refused though the policy was applied"

# Alerts and the dashboard ask for figures that there are.
mapfile -t registered < <(tr -d '\n' <"$repo/operator/src/metrics.rs" | grep -oE 'register\( *"[a-z_]+"' | cut -d '"' -f 2)
while read -r figure; do
  name=$(sed -E 's/^veilgrid_operator_//; s/_(total|bucket|count|sum)$//' <<<"$figure")
  grep -qF " $name " <<<" ${registered[*]} " || fail "nobody counts $figure"
done < <(grep -ohE 'veilgrid_operator_[a-z_]+' "$chart"/files/*)
python3 -m json.tool "$chart/files/dashboard.json" /dev/null || fail "the dashboard is no JSON"
grep -q '"uid": "veilgrid-operator"' <<<"$(render --set dashboard=true)" || fail "no dashboard"
grep -q 'alert: VeilgridOperatorDown' "$here/golden/everything.yaml" || fail "no alerts"
# Every figure, alert and reason is explained.
{
  printf 'veilgrid_operator_%s\n' "${registered[@]}"
  sed -n 's/^- alert: //p' "$chart/files/alerts.yaml"
  sed -n '/^pub enum Reason/,/^}/s/^    \([A-Z][A-Za-z]*\),$/\1/p' "$repo/operator/src/reason.rs"
} >"$work/words"
while read -r word; do
  grep -q "\`$word" "$repo/docs/operations.md" || fail "docs/operations.md does not explain $word"
done <"$work/words"
echo "the chart is as it should be"
