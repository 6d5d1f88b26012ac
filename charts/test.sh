#!/usr/bin/env bash
# Test the chart without a cluster: test.sh. Needs helm on PATH or among the cluster's programs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:${VEILGRID_CLUSTER_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/veilgrid/cluster}
chart=$here/veilgrid
fail() { echo "charts: $*" >&2; exit 1; }
command -v helm >/dev/null || fail "helm is missing: run cluster/build.sh"

diff -r "$here/../api/crds" "$chart/crds" || fail "the chart's custom resource definitions are stale: cp api/crds/*.yaml charts/veilgrid/crds/"
helm lint --strict "$chart" >/dev/null || fail "helm lint: $(helm lint --strict "$chart" 2>&1)"
text=$(helm template veilgrid "$chart" --namespace veilgrid-system --set serviceMonitor=true)
for kind in Deployment PodDisruptionBudget Service ServiceMonitor ServiceAccount ClusterRole ClusterRoleBinding Role RoleBinding Secret; do
  grep -q "^kind: $kind$" <<<"$text" || fail "the chart makes no $kind"
done
if grep -qE 'verbs:.*(get|list|watch|\*)' <<<"$(grep -A2 'resources: \[secrets' <<<"$text")"; then fail "the operator may read Secrets"; fi
if grep -q '"\*"\|\[\*\]' <<<"$text"; then fail "a role has a wildcard"; fi
grep -q 'secretName: mine' <<<"$(helm template veilgrid "$chart" --set existingSeed=mine)" || fail "a seed of one's own is not used"
for wrong in replicas=0 replicas=two image.pullPolicy=Sometimes logLevel=loud strange=1 image.party=; do
  if helm template veilgrid "$chart" --set "$wrong" >/dev/null 2>&1; then fail "the schema takes $wrong"; fi
done
echo "the chart is as it should be"
