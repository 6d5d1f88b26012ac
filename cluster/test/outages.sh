#!/usr/bin/env bash
# The API server and etcd die in the middle of a job and come back, on the cluster in D: outages.sh OPERATOR REPO [STEP]. Each job succeeds, is
# charged once and leaves nothing, by the same operator process; so does one whose result's log cannot be read for a while. With STEP at every STEPth write of the operator, else at one each.
# The party image is loaded already.
set -euo pipefail
operator=$1 repo=$2 step=${3:-}
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# again NAME: starts a program of the control plane that was killed, with the flags that it had.
again() {
  (
    . "$repo/cluster/lib.sh"
    enter
    mv "$D/log/$1.log" "$D/log/$1.before.log"
    start "$1" "${command[@]}"
    await 60 "$1" kubectl get --raw /readyz
  )
}
# outage NAME WRITE: a job during which the program dies, when the operator begins a write, and is away for three seconds.
outage() {
  local program=$1 name victim command
  name=${1#kube-}-$2 victim=$(cat "$D/pid/$1")
  mapfile -d '' -t command <"/proc/$victim/cmdline"
  exec 3< <(exec python3 "$repo/cluster/test/at_write.py" "$port" "$2" "$victim" KILL)
  read -r _ <&3
  ask "$name"
  gone() { ! kill -0 "$victim" 2>/dev/null; }
  wait_for 60 "the death of $program" gone
  sleep 3
  again "$program"
  comes "$name" Succeeded research 240 # a kubelet that could not mount waits longer each time
  operator_lives || fail "the operator did not outlive $program"
  settled "$name"
  [ "$(get "$name" .status.attempt)" = 1 ] || fail "$name took another attempt"
  forget "$name"
  good "$program away at write $2: the job was charged once"
}

# unread: a job whose parties have done their part, and whose node's kubelet then is not reached for a while, so that nobody can read the result.
unread() {
  local in_node
  in_node=(nsenter "--net=/run/netns/veilgrid-$(kubectl get nodes -o 'jsonpath={.items[0].metadata.name}')")
  "${in_node[@]}" nft -f - <<<'table inet unread { chain input { type filter hook input priority -10; tcp dport 10250 reject with tcp reset; }; }'
  ask unread
  told() { [ "$(get unread '.status.conditions[?(@.type=="Succeeded")].reason')" = ResultUnread ]; }
  wait_for 90 "the word that the result cannot be read" told
  good "the kubelet is not reached: $(get unread .status.message | cut -c1-120)..."
  sleep 5
  [ "$(get unread .status.phase)" = Running ] || fail "a result that cannot be read for a while ends the job: $(get unread .status.message)"
  "${in_node[@]}" nft delete table inet unread
  comes unread Succeeded
  settled unread
  [ "$(get unread .status.attempt)" = 1 ] || fail "unread took another attempt"
  forget unread
  good "when the kubelet is reached again, the result is there: the job was charged once"
}

definitions
organisations research
offer
start_operator
unread
if [ -n "$step" ]; then
  for name in first clean; do
    before=$(writes)
    ask $name
    comes $name Succeeded
    settled $name
  done
  for write in $(seq 1 "$step" $(($(writes) - before))); do
    outage kube-apiserver "$write"
    outage etcd "$write"
  done
else
  outage kube-apiserver 9
  outage etcd 14
fi
echo "the operator outlived every outage"
