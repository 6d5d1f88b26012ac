#!/usr/bin/env bash
# Test what the project puts on a cluster, each part on a real one that is started for it and removed: custom resource definitions
# and images, the chart with the hospitals' job, who may do what, what goes wrong, and deaths of the operator (CRASH_STEP=1: at each of
# its writes; 9 where not set).
# Needs root, and target/release/veilgrid and veilgrid-operator.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
repo=$(dirname "$here")
program=${CARGO_TARGET_DIR:-$repo/target}/release/veilgrid
operator=$program-operator
cannot() { say "skipped: $1"; [ -z "${CI:-}" ]; exit; }
[ "$(id -u)" = 0 ] || cannot "a node needs root"
"$repo/scripts/cluster-deps.sh" || cannot "the cluster's needs are not met"
[ -x "$program" ] && [ -x "$operator" ] || die "$program or $operator is missing: run cargo build --release"
"$here/build.sh"
"$repo/charts/test.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
start=$SECONDS
OUT=$work/one "$repo/images/pack.sh" party
OUT=$work/two "$repo/images/pack.sh" party >/dev/null
cmp "$work/one/party.tar" "$work/two/party.tar" || die "the party image, packed twice, differs"
say "the image is the same when packed twice: $((SECONDS - start)) s"
OUT=$work/one "$repo/images/pack.sh" operator
cp "$BIN/probe.tar" "$work/one/"

on_cluster() { NODES=1 "$here/with.sh" "$@"; }
# part NAME ARGUMENT...: a script of test/, on a cluster whose nodes have the images.
part() {
  # shellcheck disable=SC2016 # for the inner shell
  on_cluster bash -c '"$0/load.sh" "$1"/*.tar && shift && "$@"' "$here" "$work/one" "$here/test/$1.sh" "${@:2}"
}
# Two clusters at a time: most of a test is waiting.
{
  part troubles "$operator" "$repo"
  part crash "$operator" "$repo" "${CRASH_STEP:-9}"
} >"$work/beside.log" 2>&1 &
beside=$!
# Also where one fails, the other's cluster is to be gone before this ends.
trap 'wait "$beside" || true; rm -rf "$work"' EXIT
on_cluster "$here/test/project.sh" "$work/one/party.tar" "$program"
part hospitals "$program" "$repo"
part identity "$operator" "$repo"
part accelerators "$operator" "$repo"
# The plugin asks for the rights that owners of objects need, where a cluster wants that.
plugin=--enable-admission-plugins=OwnerReferencesPermissionEnforcement
export APISERVER_ARGS="$plugin --audit-policy-file=$here/test/audit.yaml --audit-log-path=$work/audit.log"
part rights "$repo" "$work/audit.log"
wait "$beside" || { cat "$work/beside.log" >&2; die "a part that ran beside the others failed; its log is above"; }
cat "$work/beside.log"
say "all passed in $SECONDS s"
