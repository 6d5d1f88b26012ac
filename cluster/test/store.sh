#!/usr/bin/env bash
# Rows of one hospital from an object store, on the cluster of KUBECONFIG: store.sh OPERATOR REPO.
# The party image is loaded already.
# shellcheck disable=SC2119
set -euo pipefail
operator=$1 repo=$2
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

definitions
organisations research

# The server is where pods reach the machine, and answers nobody without its key.
mkfifo "$work/ask"
"$repo/scripts/s3-server.sh" "${NET:-10.210}.0.1" exports <"$work/ask" >"$work/answers" &
others+=($!)
exec 7>"$work/ask" # it ends with its standard input
wait_for 120 "the server's address" test -s "$work/answers"
read -r address id key <"$work/answers"
echo "2026/west.parquet $repo/examples/hospitals/west.parquet" >&7
put() { grep -qx put "$work/answers"; }
wait_for 20 "the rows in the store" put
place="objectStore: {url: \"s3:\/\/exports\/2026\", endpoint: \"http:\/\/$address\", secret: store}"
from_store() { hospitals "$1" -e 's/epsilon: 10/epsilon: 1000/' -e "s/west.parquet, volume: {configMap: rows}/west.parquet, $place/" "${@:2}" | kubectl apply -f - >/dev/null; }
secret() { kubectl -n west create secret generic store --from-literal="AWS_ACCESS_KEY_ID=$id" --from-literal="AWS_SECRET_ACCESS_KEY=$1" --dry-run=client -o yaml | kubectl apply -f - >/dev/null; }
says() { grep -q "$2" <<<"$(get "$1" .status.message)" || fail "$1 does not say '$2' but: $(get "$1" .status.message)"; }
# What is wrong with an owner's rows is in the log of its own pod alone.
logs() {
  local text # whole before it is searched: kubectl must not write into a pipe that grep has left
  text=$(kubectl -n west logs -l "veilgrid.dev/job=$1") || fail "the log of west cannot be read"
  grep -qF "$2" <<<"$text" || fail "the log of west does not say '$2': $text"
}
outcomes() { kubectl get privacyclaims -A -l "veilgrid.dev/job=$1" -o 'jsonpath={.items[*].status.outcome}'; }
start_operator

from_store unnamed
comes unnamed Failed
says unnamed 'west ended with exit code 4'
logs unnamed 's3://exports/2026/west.parquet: the Secret \"store\" has no key AWS_ACCESS_KEY_ID'
secret wrong
from_store wrong
comes wrong Failed
says wrong 'west ended with exit code 4'
logs wrong 'refuses the credentials (SignatureDoesNotMatch)'
[ "$(outcomes unnamed) $(outcomes wrong)" = "Released Released Released Released Released Released" ] || fail "a store that cannot be read cost $(outcomes unnamed) $(outcomes wrong)"
good "without the right credentials the party says so, and nobody is charged"

secret "$key"
from_store stored
comes stored Succeeded
[ "$(outcomes stored)" = "Spent Spent Spent" ] || fail "stored: $(outcomes stored)"
[ "$(get stored .status.receipt.verified)" = true ] || fail "the receipt of rows from a store is not verified"
good "a hospital's rows come from an object store"

# Pods that no node has, so that a job's policies stay: who may go out is the party of the store alone, and to the store alone. Two
# ports answer at once, and the store is said to be at the first.
python3 -c '
import socketserver, sys, threading
class Answer(socketserver.BaseRequestHandler):
    def handle(self): self.request.sendall(b"store\n")
servers = [socketserver.ThreadingTCPServer((sys.argv[1], 0), Answer) for _ in range(2)]
print(*("%s:%d" % server.server_address for server in servers), flush=True)
threading.Thread(target=servers[0].serve_forever).start()
servers[1].serve_forever()' "${NET:-10.210}.0.1" >"$work/plain" &
others+=($!)
wait_for 10 "the other server's address" test -s "$work/plain"
read -r answers other <"$work/plain"
place=${place//$address/$answers}
from_store waits -e 's/^  parties:/  placement: {nodeSelector: {nobody: has}}\n  parties:/'
comes waits Running
uid=$(get waits .metadata.uid)
for party in north west; do
  kubectl -n "$party" apply -f - >/dev/null <<EOF
apiVersion: v1
kind: Pod
metadata: {name: tries, labels: {veilgrid.dev/job-uid: $uid, veilgrid.dev/party: $party}}
spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: "localhost/probe:1", imagePullPolicy: Never, args: [serve, "7000"]}]}
EOF
done
kubectl -n west wait --for=condition=Ready pod/tries --timeout=60s >/dev/null
kubectl -n north wait --for=condition=Ready pod/tries --timeout=60s >/dev/null
tries() { kubectl -n "$1" exec tries -- /probe reach "$2" "$3"; }
tries west 10 "$answers" >/dev/null 2>&1 || fail "the party of the store cannot reach it"
if tries north 3 "$answers" >/dev/null 2>&1; then fail "another party reaches the store"; fi
if tries west 3 "$other" >/dev/null 2>&1; then fail "the party of the store reaches more than the store"; fi
good "a policy lets the party of the store out to it, and no other"
kubectl delete pod tries -n north --wait=false >/dev/null
kubectl delete pod tries -n west --wait=false >/dev/null
kubectl -n research delete privatejob --all --timeout=60s >/dev/null
if grep -rqF "$key" <(kubectl get privatejobs,privacyclaims,events,networkpolicies -A -o yaml) "$work/operator.log"; then fail "a credential is in an object or a log"; fi
echo "rows from an object store: all as it should be"
