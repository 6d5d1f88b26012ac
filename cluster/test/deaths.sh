#!/usr/bin/env bash
# A party's pod dies at each phase of its run, on the cluster of KUBECONFIG: deaths.sh OPERATOR REPO [all]. Its process is killed, its pod is
# deleted, or removed by force while the process goes on. Each job ends with a result or says why not, its claims are settled as docs/budget.md
# says, and nothing is left. Where the parties' states are on volumes of their owners, what may have been opened is finished for the same charge. The party image is loaded already; D is the cluster's folder, which has one node.
set -euo pipefail
operator=$1 repo=$2 all=${3:-}
# shellcheck source=cluster/test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
node=$(echo "$D"/n[0-9]*)
outcome() { kubectl -n "$1" get privacyclaims -l "veilgrid.dev/job=$2" -o 'jsonpath={.items[*].status.outcome}'; }

# told_to_stop PID: whether it finds a SIGTERM when it goes on.
told_to_stop() { [ $((0x$(awk '/^ShdPnd/ {print $2}' "/proc/$1/status") & 1 << 14)) != 0 ]; }

# death NAME KIND POINT [SED ARGUMENT...]: a job with a death in it. Leaves its phase and how many attempts it had in $phase and $attempts.
death() {
  local name=$1 kind=$2 point=$3 victim namespace pod at log message said owner opened=
  # A pipe, so that the job is applied only when the other is ready to take hold.
  exec 3< <(exec python3 "$repo/cluster/test/hold.py" "$node" "$point" ${kept:+"$kept/%s/$name-*"})
  read -r _ <&3
  ask "$name" "${@:4}"
  read -r victim namespace pod at <&3 || fail "$name: no party was held"
  case $kind in
    kill) kill -9 "$victim" ;;
    delete)
      kubectl -n "$namespace" delete pod "$pod" --wait=false >/dev/null
      wait_for 30 "the word to stop" told_to_stop "$victim"
      ;;
    force) kubectl -n "$namespace" delete pod "$pod" --grace-period=0 --force --wait=false >/dev/null 2>&1 ;;
  esac
  if [ -n "$emptied" ]; then rm -rf "${kept:?}/$namespace"/*; fi
  kill -CONT "$victim" 2>/dev/null || true # it goes on, if its node has not ended it yet
  wait_for 120 "the end of $name" ended "$name"
  phase=$(get "$name" .status.phase) message=$(get "$name" .status.message)
  while read -r log; do
    if grep -q '"event":"result"' "$node"/logs/"$log"_*/party/0.log 2>/dev/null; then opened=1; fi
  done < <(kubectl get pods -A -l "veilgrid.dev/job=$name" -o 'jsonpath={range .items[*]}{.metadata.namespace}_{.metadata.name}{"\n"}{end}')
  if [ "$phase" = Succeeded ]; then opened=1; fi
  settled "$name"
  attempts=$(get "$name" .status.attempt)
  for owner in "${owners[@]}"; do
    said=$(outcome "$owner" "$name")
    # Who opened may have told anybody: all have paid.
    if [ -n "$opened" ] && ! grep -q Spent <<<"$said"; then fail "$name: a result was opened, and the claim of $owner is $said"; fi
    if [ "$owner" = "$namespace" ]; then
      # A process that is killed says nothing and may have done anything; one that goes on may yet tell what it did.
      if [ "$kind" = kill ] && ! grep -q Spent <<<"$said"; then fail "$name: the party of $owner died without a word, and its claim is $said"; fi
    elif [ "$kind" = kill ] && [ "$phase" != Succeeded ]; then
      # Before all have sealed nothing is opened.
      case $at in start | reserved | sharing)
        grep -q Released <<<"$said" || fail "$name: nothing of $owner can have left, and its claim is $said" ;;
      esac
    fi
  done
  resumes=$(get "$name" .status.resumes)
  good "$kind at $at: $phase in attempt $attempts${resumes:+, taken up $resumes times} ($message); $namespace $(outcome "$namespace" "$name"), $(for owner in "${owners[@]}"; do [ "$owner" = "$namespace" ] || echo "$owner $(outcome "$owner" "$name")"; done | tr '\n' ' ')"
  forget "$name"
}

kept=    # where the parties' states are, once they are on volumes
emptied= # the victim's volume is emptied when it is dead

definitions
organisations research
offer
start_operator
if [ -n "$all" ]; then
  for point in start reserved sharing sealed opening result done; do
    for kind in kill force delete; do death $kind-$point $kind $point; done
  done
else
  death kill-sharing kill sharing
  death force-opening force opening
fi
# Another attempt pays for itself, and has the result.
death again kill sharing -e 's/^  parties:/  backoffLimit: 1\n  parties:/'
[ "$phase $attempts" = "Succeeded 2" ] || fail "after a death in the first of two attempts the job is $phase in attempt $attempts"

# Where each state is on a volume, the attempt goes on for the same charge, with the same share where that may be known.
kept=$work/kept
mkdir "$kept"
for owner in "${owners[@]}"; do
  mkdir -m 777 "$kept/$owner"
  kubectl apply -f - >/dev/null <<EOF
{apiVersion: v1, kind: PersistentVolume, metadata: {name: kept-$owner}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: none, hostPath: {path: $kept/$owner}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: kept, namespace: $owner}, spec: {accessModes: [ReadWriteOnce], storageClassName: none, volumeName: kept-$owner, resources: {requests: {storage: 1Gi}}}}
EOF
done
documents kept '/kind: PrivateDataset/' -e 's/^  budget:/  state: {claim: kept}\n  budget:/' | kubectl apply -f - >/dev/null
# lasting KIND POINT: whatever dies, there is a result, and what it has cost was claimed once. One that is not killed may end well by itself, or
# say that nothing was opened: then nobody has paid.
lasting() {
  death "kept-$2-$1" "$1" "$2"
  case $1:$phase:$attempts:$resumes in
    kill:Succeeded:1:? | force:Succeeded:1:*) ;;
    force:Failed:1:*) for owner in "${owners[@]}"; do ! outcome "$owner" "kept-$2-$1" | grep Spent || fail "$owner paid for nothing"; done ;;
    *) fail "after $1 at $2 with a lasting state the job is $phase in attempt $attempts, taken up ${resumes:-0} times" ;;
  esac
}
if [ -n "$all" ]; then
  for point in reserved sharing sealed opening result done; do
    for kind in kill force; do lasting $kind $point; done
  done
else
  lasting kill sharing
  lasting kill opening
  lasting force opening
fi
# The operator dies while it takes an attempt up: before or after a write of that, counted from the death of the party.
resumed_through() { # FAULT
  local name victim at end=$((SECONDS + 150)) died=
  name=through-$(tr : - <<<"$1")
  exec 3< <(exec python3 "$repo/cluster/test/hold.py" "$node" opening "$kept/%s/$name-*")
  read -r _ <&3
  ask "$name"
  read -r victim _ _ at <&3 || fail "$name: no party was held"
  stop_operator
  VEILGRID_FAULT=$1 start_operator
  kill -9 "$victim"
  until ended "$name"; do
    [ $SECONDS -lt $end ] || fail "$name ($1) is $(get "$name" .status.phase): $(get "$name" .status.message)"
    if ! operator_lives; then
      died="the status was $(get "$name" .status.phase), taken up $(get "$name" .status.resumes) times, with the Jobs $(kubectl get jobs -A -l "veilgrid.dev/job=$name" -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}' | sed 's/.*-a/a/' | sort | uniq -c | xargs)"
      start_operator
    fi
    sleep 0.2
  done
  settled "$name"
  [ "$(get "$name" .status.phase) $(get "$name" .status.attempt)" = "Succeeded 1" ] || fail "$name ($1) is $(get "$name" .status.phase) in attempt $(get "$name" .status.attempt): $(get "$name" .status.message)"
  [ "$(get "$name" .status.resumes)" = 1 ] || fail "$name ($1) was taken up $(get "$name" .status.resumes) times"
  [ "$(kubectl get privacyclaims -A -l "veilgrid.dev/job=$name" -o 'jsonpath={.items[*].status.outcome}')" = "Spent Spent Spent" ] || fail "$name ($1) was not paid for once"
  if [ -n "$died" ]; then deaths=$((deaths + 1)); fi
  good "the operator died $1 of what takes an attempt up at $at: ${died:-not, it needed fewer writes}"
  forget "$name"
}
deaths=0
# The status, three Jobs deleted, three made, their policies, their names, their Secrets.
if [ -n "$all" ]; then
  for number in $(seq 14); do
    for when in before after; do resumed_through $when:"$number"; done
  done
  [ $deaths -ge 24 ] || fail "only $deaths deaths: the faults were not reached"
else
  for fault in after:1 before:4 after:5 after:11; do resumed_through $fault; done
  [ $deaths = 4 ] || fail "only $deaths deaths: the faults were not reached"
fi

# What is lost there ends the attempt: nobody draws a second time for one charge. The next begins anew, and pays for itself.
emptied=1
death emptied kill opening -e 's/^  parties:/  backoffLimit: 1\n  parties:/'
[ "$phase $attempts ${resumes:-0}" = "Succeeded 2 0" ] || fail "with a state that was lost the job is $phase in attempt $attempts, taken up ${resumes:-0} times"
said=$(kubectl get privacyclaims -A -l veilgrid.dev/job=emptied,veilgrid.dev/attempt=1 -o 'jsonpath={.items[*].status}')
grep -q 'exit code 8' <<<"$said" || fail "nobody missed what was emptied: $said"
echo "all deaths ended as they should"
