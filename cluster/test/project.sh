#!/usr/bin/env bash
# Test what the project puts on the cluster in $D: project.sh PROGRAM REPO, PROGRAM being what the party image has, which is loaded already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$here/lib.sh"
enter
program=$1 crds=$2/api/crds
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: it must succeed and say nothing on its standard error, where kubectl prints the API server's warnings.
quietly() {
  if ! "$@" 2>"$work/warnings" >"$work/answer" || [ -s "$work/warnings" ]; then
    cat "$work/warnings" >&2
    die "failed or warned: $*"
  fi
}

start=$SECONDS
quietly kubectl apply --server-side -f "$crds"
for file in "$crds"/*.yaml; do
  quietly kubectl wait --for=condition=Established --timeout=10s -f "$file"
  violations=$(kubectl get -f "$file" -o jsonpath='{.status.conditions[?(@.type=="NonStructuralSchema")].message}')
  [ -z "$violations" ] || die "$(basename "$file") has no structural schema: $violations"
done
say "the API server took the custom resource definitions without a warning: $((SECONDS - start)) s"

start=$SECONDS
quietly kubectl apply -f "$here/test/party.yaml"
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
say "a pod that is not restricted was refused there"
