#!/usr/bin/env bash
# Prove the cluster in $D, which has a node or more: names, services, the API from a pod, network policy, fake nodes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
enter
trap 'status=$?; [ $status = 0 ] || { kubectl get pods -o wide; kubectl get events --sort-by=.lastTimestamp | tail -n 15; say FAILED; } >&2; exit $status' EXIT
forget() { kubectl delete --ignore-not-found --grace-period=1 -f "$here/test/$1.yaml" >/dev/null; }
apply() { forget "$1"; kubectl apply -f "$here/test/$1.yaml" >/dev/null; }
reach() { kubectl exec "$1" -- /probe reach "$2" "$3" >/dev/null 2>&1; }
barred() { ! reach "$1" 1 "$2" || die "$1 reached $2"; }

# sign DIRECTORY: answer the request that the kubelet made for the pod 'identity', as a signer does.
sign() {
  local request name from
  request() { kubectl get podcertificaterequests -o jsonpath='{range .items[?(@.spec.podName=="identity")]}{.metadata.name} {.spec.stubPKCS10Request}{end}'; }
  for _ in $(seq 100); do
    request=$(request)
    [ -z "$request" ] || break
    sleep 0.2
  done
  [ -n "$request" ] || die "the kubelet asked for no certificate"
  read -r name request <<<"$request"
  base64 -d <<<"$request" >"$1/request"
  echo 'subjectAltName=DNS:identity.example.com' >"$1/extensions"
  openssl x509 -req -inform DER -in "$1/request" -CA "$D/pki/ca.crt" -CAkey "$D/pki/ca.key" -set_serial "0x$(openssl rand -hex 8)" \
    -days 1 -extfile "$1/extensions" -out "$1/certificate" 2>/dev/null
  from=$(date -d "$(openssl x509 -in "$1/certificate" -noout -startdate | cut -d= -f2)" +%s)
  at() { date -u -d "@$((from + $1 * 3600))" +%FT%TZ; }
  kubectl patch podcertificaterequest "$name" --subresource=status --type=merge -p '{"status": {
    "conditions": [{"type": "Issued", "status": "True", "reason": "Checked", "message": "signed", "lastTransitionTime": "'"$(date -u +%FT%TZ)"'"}],
    "certificateChain": "'"$(awk '{printf "%s\\n", $0}' "$1/certificate")"'",
    "notBefore": "'"$(at 0)"'", "beginRefreshAt": "'"$(at 12)"'", "notAfter": "'"$(at 24)"'"}}' >/dev/null
}

D=$D "$here/load.sh" "$BIN/probe.tar"
start=$SECONDS
apply parties
kubectl wait --for=condition=Complete job/parties --timeout=60s >/dev/null
[ "$(kubectl logs -l job-name=parties | grep -c answered)" = 9 ]
say "three parties reached each other by name: $((SECONDS - start)) s"
forget parties
start=$SECONDS
apply api
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/reader --timeout=30s >/dev/null
kubectl logs reader | grep PodList >/dev/null
say "a pod listed pods through kubernetes.default.svc: $((SECONDS - start)) s"
forget api
start=$SECONDS
apply policy
kubectl wait --for=condition=Ready pod/server pod/open pod/shut pod/caged --timeout=30s >/dev/null
reach open 5 server:7000
barred shut server:7000
open=$(kubectl get pod open -o jsonpath='{.status.podIP}'):7000
barred caged "$open"
kubectl delete networkpolicy server caged >/dev/null
reach shut 5 server:7000
reach caged 5 "$open"
say "network policy is enforced and lifted: $((SECONDS - start)) s"
forget policy
if [ -n "$GATES" ]; then
  start=$SECONDS
  work=$(mktemp -d)
  sed "/AUTHORITY/{r $D/pki/ca.crt
    d}" "$here/test/identity.yaml" | sed '/^-----BEGIN/,/^-----END/s/^/    /' >"$work/identity.yaml"
  kubectl delete --ignore-not-found --grace-period=1 -f "$work/identity.yaml" >/dev/null
  kubectl apply -f "$work/identity.yaml" >/dev/null
  sign "$work"
  kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/identity --timeout=60s >/dev/null
  say "a pod got a certificate for a key that its node made: $((SECONDS - start)) s"
  kubectl delete --grace-period=1 -f "$work/identity.yaml" >/dev/null
  rm -rf "$work"
fi
if [ -x "$BIN/kwok" ]; then
  D=$D "$here/fake-up.sh"
  start=$SECONDS
  apply fake
  kubectl wait --for=condition=Complete job/fake --timeout=120s >/dev/null
  say "a job of 100 pods completed on fake nodes: $((SECONDS - start)) s"
  forget fake
  kubectl delete node -l fake=true >/dev/null
  stop kwok
fi
