#!/usr/bin/env bash
# Run a command on a cluster of its own, and remove the cluster whatever becomes of the command: with.sh COMMAND...
#   NODES  how many real nodes it has (1; 0 needs no root)
#   LOGS   where the cluster's logs go if the command fails (they stay in its directory)
# The command gets KUBECONFIG, ID, D, and kubectl, helm and kwok on its PATH. Several such commands may run at once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ $# -gt 0 ] || die "usage: with.sh COMMAND..."
claim
finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP # half a cluster is nobody's
  set +e
  if [ $status != 0 ]; then
    {
      if [ -e "$D/pki/admin.kubeconfig" ]; then
        kubectl get pods -A -o wide --request-timeout=5s
        kubectl get events -A --sort-by=.lastTimestamp --request-timeout=5s | tail -n 15
      fi
      # What each of the cluster's own programs complained of last, and whether it still runs.
      for log in "$D"/log/*.log; do
        name=$(basename "$log" .log)
        alive "$name" || say "$name does not run"
        complaints=$(grep -E '^[EF][0-9]{4} |level=(error|fatal)|^(panic|fatal error):' "$log" | tail -n 3 | cut -c -400)
        [ -z "$complaints" ] || printf '%s:\n%s\n' "$name" "$complaints"
      done
      say "FAILED: $*; the cluster's logs are in ${LOGS:-$D/log}"
    } >&2
  fi
  "$here/down.sh" >/dev/null || status=1
  [ $status = 0 ] || [ -z "${LOGS:-}" ] || { mkdir -p "$LOGS" && cp -r "$D/log/." "$LOGS"; }
  if [ $status = 0 ] || [ -n "${LOGS:-}" ]; then rm -rf "$D"; else rmdir "$D" 2>/dev/null; fi
  exit $status
}
trap 'finish "$@"' EXIT
trap 'exit 130' INT TERM HUP

"$here/up.sh"
for _ in $(seq "${NODES:-1}"); do "$here/node-up.sh"; done
KUBECONFIG=$D/pki/admin.kubeconfig PATH=$BIN:$PATH "$@"
