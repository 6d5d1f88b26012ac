#!/usr/bin/env bash
# Test what the project puts on a cluster: test.sh [PART...]. Each part is a script of test/ on a cluster of its own, started for it and
# removed; all parts where none is named. One alone speaks while it runs.
#   LANES   how many clusters at once (3): most of a test is waiting
#   LONG=1  deaths and troubles at every point there is, which takes an hour, and the queues of Kueue; a choice of them where not set
# Needs root, and target/release/veilgrid and veilgrid-operator.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
repo=$(dirname "$here")
program=${CARGO_TARGET_DIR:-$repo/target}/release/veilgrid
operator=$program-operator
# The longest first: what is begun last should be short.
all=(crash results troubles leaders hospitals commands identity deaths outages store accelerators rights project bad-input)
# Kueue takes minutes to build: where it is named, or LONG.
parts=("${@:-${all[@]}}")
[ $# -gt 0 ] || [ -z "${LONG:-}" ] || parts+=(queue)
for part in "${parts[@]}"; do
  [[ " ${all[*]} queue " == *" $part "* ]] || die "no part $part: there are ${all[*]} queue"
done
cannot() { say "skipped: $1"; [ -z "${CI:-}" ]; exit; }
[ "$(id -u)" = 0 ] || cannot "a node needs root"
"$repo/scripts/cluster-deps.sh" || cannot "the cluster's needs are not met"
[ -x "$program" ] && [ -x "$operator" ] || die "$program or $operator is missing: run cargo build --release"
if [[ " ${parts[*]} " == *" queue "* ]]; then export QUEUE=1; fi
"$here/build.sh"

work=$(mktemp -d)
# Where one fails or a person stops it, the others' clusters are to be gone before this ends.
finish() {
  local lane
  for lane in $(jobs -p); do kill -- "-$lane" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
mkdir "$work/images" "$work/logs"
OUT=$work/images "$repo/images/pack.sh" party operator
cp "$BIN/probe.tar" "$work/images/"

# on_cluster NAME ARGUMENT...: the script of this name, on a cluster whose nodes have the images.
on_cluster() {
  # shellcheck disable=SC2016 # for the inner shell
  "$here/with.sh" bash -c '"$0/load.sh" "$1"/*.tar && shift && "$@"' "$here" "$work/images" "$here/test/$1.sh" "${@:2}"
}
# choice SHORT LONG
choice() { if [ -n "${LONG:-}" ]; then echo "$2"; else echo "$1"; fi; }
run_part() {
  case $1 in
    hospitals | commands) on_cluster "$1" "$program" "$repo" ;;
    # shellcheck disable=SC2046 # a choice of words
    crash) on_cluster crash "$operator" "$repo" $(choice 9 "1 node secret") ;;
    results) on_cluster results "$operator" "$repo" "$(choice 7 1)" ;;
    deaths) on_cluster deaths "$operator" "$repo" "$(choice '' all)" ;;
    outages) on_cluster outages "$operator" "$repo" "$(choice '' 2)" ;;
    # No job's three pods have room on one of two nodes.
    leaders) NODES=2 KUBELET_ARGS=--max-pods=2 on_cluster leaders "$operator" "$repo" "$(choice '' 3)" ;;
    bad-input) NODES=0 "$here/with.sh" "$here/test/bad-input.sh" "$operator" "$repo" ;;
    rights)
      # The plugin asks for the rights that owners of objects need, where a cluster wants that.
      local plugin=--enable-admission-plugins=OwnerReferencesPermissionEnforcement
      export APISERVER_ARGS="$plugin --audit-policy-file=$here/test/audit.yaml --audit-log-path=$work/audit.log"
      on_cluster rights "$repo" "$work/audit.log"
      ;;
    project)
      "$repo/charts/test.sh"
      OUT=$work/again "$repo/images/pack.sh" party >/dev/null
      cmp "$work/images/party.tar" "$work/again/party.tar" || die "the party image, packed twice, differs"
      say "the image is the same when packed twice"
      on_cluster project "$program" "$repo"
      ;;
    accelerators)
      # With gangs of its own, which are not on by themselves (cluster/README.md).
      local gates=--feature-gates=GenericWorkload=true
      export APISERVER_ARGS="$gates --runtime-config=scheduling.k8s.io/v1alpha2=true" MANAGER_ARGS=$gates SCHEDULER_ARGS=$gates,GangScheduling=true
      on_cluster accelerators "$operator" "$repo"
      ;;
    *) on_cluster "$1" "$operator" "$repo" ;;
  esac
}
if [ ${#parts[@]} = 1 ]; then
  run_part "${parts[0]}"
  exit
fi

# lane NAME: one part; what it says is shown when it has ended.
lane() {
  local start=$SECONDS log=$work/logs/$1 status
  set +e # with '||' after it, nothing in it would stop at an error
  (set -e; run_part "$1") >"$log" 2>&1
  status=$?
  set -e
  { if [ $status = 0 ]; then say "$1: passed in $((SECONDS - start)) s"; else say "$1: FAILED after $((SECONDS - start)) s"; fi; sed 's/^/  /' "$log"; } >"$log.told"
  cat "$log.told"
  return $status
}
set -m # a group of processes for each, so that all of it can be stopped
running=0 failed=0
for part in "${parts[@]}"; do
  if [ "$running" -ge "${LANES:-3}" ]; then wait -n || failed=1; running=$((running - 1)); fi
  [ $failed = 0 ] || break
  lane "$part" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do wait -n || failed=1; running=$((running - 1)); done
[ $failed = 0 ] || die "a part failed; what it said is above. To repeat it alone: cluster/test.sh PART"
say "all passed in $SECONDS s"
