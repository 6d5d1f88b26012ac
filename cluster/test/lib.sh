# shellcheck shell=bash disable=SC2154 # the sourcing script sets repo and operator
# What the tests of the operator share; not run by itself. A script that sources it sets first:
#   repo      the project's root
#   operator  the program, where it starts one as a process beside the cluster
# and finds a directory $work, which goes when it ends, and on failure a diagnosis on standard error.

owners=(north south west)
image=localhost/veilgrid/party:test
work=$(mktemp -d)
pid=      # of the operator that start_operator started
others=() # further processes of a test, which go with it
port=$((20000 + RANDOM % 20000)) # where start_operator's serves its metrics
head -c 32 /dev/urandom >"$work/seed"

finish() {
  local status=$?
  for pid in $pid "${others[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  [ $status = 0 ] || diagnose >&2 || true
  rm -rf "$work"
  exit $status
}
trap finish EXIT
diagnose() {
  local namespace
  kubectl get privatejobs,privacyclaims,privacybudgets,jobs,pods -A -o wide
  kubectl get privatejobs -A -o yaml | sed -n '/^  status:/,$p'
  for namespace in "${owners[@]}"; do kubectl -n "$namespace" logs -l veilgrid.dev/role=party --tail=20; done
  if [ -e "$work/operator.log" ]; then
    tail -n 20 "$work/operator.log"
  else
    kubectl -n veilgrid-system logs -l app.kubernetes.io/name=veilgrid-operator --tail=30
  fi
}

fail() { echo "$(basename "$0" .sh): $*" >&2; exit 1; }
good() { printf '  %s\n' "$*"; }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "$what: not in time"
    sleep 0.3
  done
}

# definitions: the custom resource definitions, as without the chart.
definitions() {
  kubectl apply -f "$repo/api/crds" >/dev/null
  kubectl wait --for=condition=Established --timeout=20s -f "$repo/api/crds" >/dev/null
}

# organisations NAMESPACE...: the owners' namespaces with their rows, and those that are named.
organisations() {
  local namespace
  for namespace in "${owners[@]}" "$@"; do kubectl create namespace "$namespace" >/dev/null; done
  for namespace in "${owners[@]}"; do
    kubectl -n "$namespace" create configmap rows --from-file="$(ls "$repo/examples/hospitals/$namespace."{csv,parquet} 2>/dev/null)" >/dev/null
  done
}

# chart install|upgrade [FLAG...]: in a namespace that admits restricted pods only.
chart() {
  kubectl get namespace veilgrid-system >/dev/null 2>&1 || kubectl create namespace veilgrid-system >/dev/null
  kubectl label --overwrite namespace veilgrid-system pod-security.kubernetes.io/enforce=restricted >/dev/null
  helm "$1" veilgrid "$repo/charts/veilgrid" --namespace veilgrid-system --wait --timeout 90s \
    --set image.operator=localhost/veilgrid/operator:test,image.party=localhost/veilgrid/party:test,image.pullPolicy=Never "${@:2}" >/dev/null
}

# hospitals NAME [SED ARGUMENT...]: prints the hospitals' file with another name for its job and result, and further changes.
hospitals() {
  local name=$1; shift
  sed -e "s/name: hospitals$/name: $name/" -e "s/hospitals-result/$name-result/" "$@" "$repo/examples/hospitals/cluster.yaml"
}

# offer: the owners' datasets and budgets, these with room for hundreds of jobs. ask JOB [SED ARGUMENT...]: the hospitals' job alone.
offer() { documents hospitals '!/kind: PrivateJob/' -e 's/epsilon: 10/epsilon: 1000/' | kubectl apply -f - >/dev/null; }
ask() { documents "$1" '/kind: PrivateJob/' "${@:2}" | kubectl apply -f - >/dev/null; }
documents() { hospitals "$1" "${@:3}" | awk 'BEGIN { RS = "---\n" } '"$2"' { print "---"; print }'; }

# get JOB PATH [NAMESPACE]: a field of a job; nothing where there is no job.
get() { kubectl -n "${3:-research}" get privatejob "$1" -o "jsonpath={$2}" 2>/dev/null || true; }

# comes JOB PHASE [NAMESPACE [SECONDS]]: waits for the job's phase.
comes() {
  local end=$((SECONDS + ${4:-90})) namespace=${3:-research} phase
  until phase=$(get "$1" .status.phase "$namespace"); [ "$phase" = "$2" ]; do
    [ $SECONDS -lt $end ] || fail "$1 is $phase, not $2: $(get "$1" .status.message "$namespace")"
    sleep 0.3
  done
}

# ended JOB: whether it has, well or not.
ended() { case "$(get "$1" .status.phase)" in Succeeded | Failed) ;; *) return 1 ;; esac; }

# balanced: whether nothing is held, every claim is settled, and each budget has spent 3 for each claim that is spent. One look at the API
# server for all.
balanced() {
  local claims owner
  claims=$(kubectl get privacyclaims -A -o 'jsonpath={range .items[*]}{.metadata.namespace} {.status.outcome}{"\n"}{end}')
  ! grep -qvE ' (Spent|Released)$' <<<"$claims" || return 1
  for owner in "${owners[@]}"; do
    echo "$owner $((3 * $(grep -c "^$owner Spent" <<<"$claims"))) 0"
  done | diff -q - <(kubectl get privacybudgets -A -o 'jsonpath={range .items[*]}{.metadata.namespace} {.status.spent.epsilon} {.status.reserved.epsilon}{"\n"}{end}')
}

# left JOB: what there is of it but itself, its result and its claims.
left() { kubectl get jobs,pods,secrets,networkpolicies,resourceclaimtemplates -A -l "veilgrid.dev/job=$1" -o name; }
nothing_left() { [ -z "$(left "$1")" ]; }

# settled JOB: of one that has ended, the promises. With a result all have paid for it, once; without one it says why.
settled() {
  local outcomes owner
  wait_for 60 "the books after $1" balanced
  [ "$(kubectl get privacyclaims -A -l "veilgrid.dev/job=$1" -o name | wc -l)" = $((3 * $(get "$1" .status.attempt))) ] || fail "$1 has claims that belong to no attempt, or lacks some"
  outcomes() { kubectl -n "$1" get privacyclaims -l "veilgrid.dev/job=$2" -o 'jsonpath={.items[*].status.outcome}'; }
  if [ "$(get "$1" .status.phase)" = Succeeded ]; then
    kubectl -n research get configmap "$1-result" >/dev/null || fail "$1 has no result"
    for owner in "${owners[@]}"; do
      grep -qx '\(Released \|Spent \)*Spent' <<<"$(outcomes "$owner" "$1")" || fail "$1: the claims of $owner are $(outcomes "$owner" "$1")"
    done
    wait_for 60 "the clean-up of $1" nothing_left "$1"
  else
    [ -n "$(get "$1" .status.message)" ] || fail "$1 failed without a word"
  fi
}

# forget JOB: deletes it; then nothing of it is left but its claims.
forget() {
  kubectl -n research delete privatejob "$1" --timeout=60s >/dev/null || fail "$1 cannot be deleted"
  wait_for 60 "the end of all that $1 had" nothing_left "$1"
  # The garbage collector learns of new kinds every thirty seconds only, and on a young cluster does not know whose it was.
  wait_for 90 "the end of the result of $1" no_result "$1"
}
no_result() { [ -z "$(kubectl -n research get configmap "$1-result" --ignore-not-found -o name || echo unknown)" ]; }

# start_operator [FLAG...]: as a process beside the cluster.
start_operator() {
  "$operator" run --seed-file "$work/seed" --party-image "$image" --pull-policy Never --listen "127.0.0.1:$port" "$@" 2>>"$work/operator.log" &
  pid=$!
  disown # so that the shell has no word for its death
}
# writes [PORT]: how many the operator has made that serves there.
writes() { curl -fsS "http://127.0.0.1:${1:-$port}/metrics" | awk '/^veilgrid_operator_api_writes_total/ {n += $2} END {print n + 0}'; }
operator_lives() { kill -0 "$pid" 2>/dev/null; }
stop_operator() {
  kill "$pid" 2>/dev/null || true
  while operator_lives; do sleep 0.1; done
  pid=
}
