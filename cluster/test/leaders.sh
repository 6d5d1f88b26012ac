#!/usr/bin/env bash
# Two replicas, and the leader goes in the middle of a job, on the cluster of KUBECONFIG: leaders.sh OPERATOR REPO [STEP]. It is killed, or
# stopped for longer than its lease and let go on when another has ended the job. Each job succeeds, is charged once and leaves nothing. With
# STEP at every STEPth write, else at one each. The party image is loaded already; the cluster has two nodes, each with room for two pods.
set -euo pipefail
operator=$1 repo=$2 step=${3:-}
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
declare -A replica ports=([a]=$port [b]=$((port + 1)))

start_replica() { # NAME
  port=${ports[$1]} start_operator --lease default/veilgrid-operator --identity "$1"
  replica[$1]=$pid others+=("$pid") pid=
}
holder() { kubectl -n default get lease veilgrid-operator -o 'jsonpath={.spec.holderIdentity}'; }
leads() { [ "$(holder)" = "$1" ]; }
dead() { ! kill -0 "$1" 2>/dev/null; }

leader=a standby=b
# loses SIGNAL WRITE: a job whose leader gets the signal when it begins a write. KILL or STOP.
loses() {
  local signal=$1 write=$2 name pid=${replica[$leader]} other
  name=$(tr '[:upper:]' '[:lower:]' <<<"$signal")-$write
  exec 3< <(exec python3 "$repo/cluster/test/at_write.py" "${ports[$leader]}" "$write" "$pid" "$signal")
  read -r _ <&3
  ask "$name"
  wait_for 60 "another leader than $leader" leads "$standby"
  if [ "$signal" = KILL ]; then
    dead "$pid" || fail "$name: the leader lives, and another leads"
  else
    [ "$(awk '/^State/ {print $2}' "/proc/$pid/status")" = T ] || fail "$name: the leader was not stopped"
  fi
  comes "$name" Succeeded research 120
  if [ "$signal" = STOP ]; then
    kill -CONT "$pid"
    wait_for 15 "the end of the leader that was deposed" dead "$pid"
  fi
  settled "$name"
  [ "$(get "$name" .status.attempt)" = 1 ] || fail "$name took another attempt"
  forget "$name"
  good "$signal at write $write: $standby took over, and the job was charged once"
  other=$leader leader=$standby standby=$other
  start_replica "$standby"
}

definitions
organisations research
offer
start_replica a
wait_for 60 "the first leader" leads a
start_replica b
# One job first, whose parties have no room on one node.
ask first
nodes() { kubectl get pods -A -l veilgrid.dev/job=first -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | grep -c .; }
on_two() { [ "$(nodes)" = 2 ]; }
wait_for 60 "pods on two nodes" on_two
comes first Succeeded
settled first
forget first
good "a job's parties ran on two nodes"
if [ -n "$step" ]; then
  before=$(writes "${ports[a]}")
  ask clean
  comes clean Succeeded
  settled clean
  for write in $(seq 1 "$step" $(($(writes "${ports[a]}") - before))); do
    loses KILL "$write"
    loses STOP "$write"
  done
else
  loses KILL 9
  loses STOP 14
fi
echo "no leader was missed"
