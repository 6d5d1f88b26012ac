#!/usr/bin/env bash
# Test what the project puts on a cluster, on a real one that this script starts and removes: custom resource definitions, images.
# Needs root, and target/release/veilgrid.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
repo=$(dirname "$here")
program=${CARGO_TARGET_DIR:-$repo/target}/release/veilgrid
cannot() { say "skipped: $1"; [ -z "${CI:-}" ]; exit; }
[ "$(id -u)" = 0 ] || cannot "a node needs root"
"$repo/scripts/cluster-deps.sh" || cannot "the cluster's needs are not met"
[ -x "$program" ] || die "$program is missing: run make build"
TOOLS='' "$here/build.sh"

claim
work=$(mktemp -d)
finish() {
  local status=$?
  if [ $status != 0 ]; then
    {
      if [ -e "$D/pki/admin.kubeconfig" ]; then
        kubectl get pods -A -o wide --request-timeout=5s
        kubectl get events -A --sort-by=.lastTimestamp --request-timeout=5s | tail -n 15
      fi
      say "FAILED; the cluster's logs are in $D/log, if it came that far"
    } >&2 || true
  fi
  "$here/down.sh" >/dev/null || status=1
  rm -rf "$work"
  if [ $status = 0 ]; then rm -rf "$D"; else rmdir "$D" 2>/dev/null; fi
  exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

start=$SECONDS
OUT=$work/one "$repo/images/pack.sh" party
OUT=$work/two "$repo/images/pack.sh" party >/dev/null
cmp "$work/one/party.tar" "$work/two/party.tar" || die "the party image, packed twice, differs"
say "the image is the same when packed twice: $((SECONDS - start)) s"

"$here/up.sh"
"$here/node-up.sh"
. "$D/env"
"$here/load.sh" "$work/one/party.tar"

start=$SECONDS
kubectl apply --server-side --warnings-as-errors -f "$repo/api/crds" 2>"$work/warnings" >/dev/null || { cat "$work/warnings" >&2; die "the API server does not take the custom resource definitions"; }
[ ! -s "$work/warnings" ] || { cat "$work/warnings" >&2; die "the API server warns of the custom resource definitions"; }
for file in "$repo"/api/crds/*.yaml; do
  kubectl wait --for=condition=Established --timeout=10s "customresourcedefinition/$(basename "$file" .yaml).veilgrid.dev" >/dev/null
  violations=$(kubectl get -f "$file" -o jsonpath='{.status.conditions[?(@.type=="NonStructuralSchema")].message}')
  [ -z "$violations" ] || die "$(basename "$file") has no structural schema: $violations"
done
say "the API server took the custom resource definitions without a warning: $((SECONDS - start)) s"

start=$SECONDS
kubectl apply --warnings-as-errors -f "$here/test/party.yaml" >/dev/null
kubectl -n restricted wait --for=jsonpath='{.status.phase}'=Succeeded pod/party --timeout=60s >/dev/null
version=$(kubectl -n restricted logs party -c version)
[ "$version" = "$("$program" --version)" ] || die "'veilgrid --version' in a pod says: $version"
devices=$(kubectl -n restricted logs party -c devices)
grep -q 'cpu scalar  *passed' <<<"$devices" || die "'veilgrid devices' in a pod says: $devices"
say "the party image ran in a restricted namespace: $((SECONDS - start)) s"
# Without this the last step would pass where nothing is enforced.
if kubectl -n restricted run root --image=localhost/veilgrid/party:test --image-pull-policy=Never >"$work/answer" 2>&1; then
  die "the namespace 'restricted' admits a pod that is not restricted"
fi
grep -q 'violates PodSecurity' "$work/answer" || { cat "$work/answer" >&2; die "a pod that is not restricted was refused for another reason"; }
say "all passed"
