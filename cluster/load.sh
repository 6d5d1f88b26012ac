#!/usr/bin/env bash
# Put images on every node of the cluster in $D: load.sh IMAGE.tar... (as images/image.py makes them).
# A pod that uses one says 'imagePullPolicy: Never', for there is nothing to pull from.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
enter
loaded=
for socket in "$D"/n*/containerd.sock; do
  [ -S "$socket" ] || continue
  for image; do
    ctr -a "$socket" -n k8s.io images import "$image" >/dev/null || die "the node $(basename "$(dirname "$socket")") does not take $image"
  done
  loaded=1
done
[ -n "$loaded" ] || die "the cluster in $D has no node: run node-up.sh first"
