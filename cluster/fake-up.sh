#!/usr/bin/env bash
# Add FAKE_NODES (50) fake nodes to the cluster in $D, for tests of scale: kwok plays their kubelets. Needs no root.
# Their pods must tolerate the taint 'fake'; they become Running at once, those of a Job Succeeded.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
enter
FAKE_NODES=${FAKE_NODES:-50}
[ -x "$BIN/kwok" ] || die "$BIN/kwok is missing: run build.sh"
if ! alive kwok; then
  start kwok "$BIN/kwok" -v WARN --config "${STAGES:-$BIN/kwok-stages.yaml}" --kubeconfig "$D/pki/admin.kubeconfig" --manage-nodes-with-label-selector=fake=true \
    --manage-all-nodes=false --node-lease-duration-seconds=40 --cidr "$NET.128.0/17" --node-ip "$NET.128.1" ${KWOK_ARGS:-}
fi
for i in $(seq "$FAKE_NODES"); do
  sed "s/NAME/fake-$i/g; s/ZONE/$((i % 3))/" "$here/node/fake.yaml"
done | kubectl apply -f - >/dev/null
ready() { [ "$(kubectl get nodes -l fake=true --no-headers | grep -c " Ready ")" -ge "$FAKE_NODES" ]; }
await 60 kwok ready
say "$FAKE_NODES fake nodes are ready after $SECONDS s"
