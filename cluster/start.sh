#!/usr/bin/env bash
# From nothing to a cluster of one node: installs and builds what is missing, starts it, and says how to use it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ "$(id -u)" = 0 ] || die "needs root: sudo env PATH=\"\$PATH\" make cluster-up"
[ ! -e "$D/env" ] || die "a cluster runs already in $D: use it, stop it with 'make cluster-down', or start another with 'ID=$((ID + 1)) make cluster-up'"
"$here/../scripts/cluster-deps.sh"
"$here/build.sh"
"$here/up.sh"
"$here/node-up.sh" || { "$here/down.sh"; exit 1; }
cat <<END

  export KUBECONFIG=$D/pki/admin.kubeconfig PATH=$BIN:\$PATH
  kubectl get pods -A

  make images && cluster/load.sh target/images/party.tar    # images for its pods
  ID=$ID make cluster-down                                     # stops it and removes all but $D/log
END
