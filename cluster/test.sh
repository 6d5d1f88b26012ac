#!/usr/bin/env bash
# Test what the project puts on a cluster, each part on a real one that is started for it and removed: custom resource definitions
# and images, the hospitals' job, what goes wrong, and deaths of the operator (CRASH_STEP=1: at each of its writes; 9 where not set).
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
on_cluster() { NODES=1 "$here/with.sh" "$@"; }
# shellcheck disable=SC2016 # for the inner shell
with_images='"$0/load.sh" "$1"/*.tar && shift && "$@"'
OUT=$work/one "$repo/images/pack.sh" operator
on_cluster "$here/test/project.sh" "$work/one/party.tar" "$program"
on_cluster bash -c "$with_images" "$here" "$work/one" "$here/test/hospitals.sh" "$program" "$repo"
on_cluster bash -c "$with_images" "$here" "$work/one" "$here/test/troubles.sh" "$operator" "$repo"
cp "$BIN/probe.tar" "$work/one/"
on_cluster bash -c "$with_images" "$here" "$work/one" "$here/test/identity.sh" "$operator" "$repo"
on_cluster bash -c "$with_images" "$here" "$work/one" "$here/test/accelerators.sh" "$operator" "$repo"
on_cluster bash -c "$with_images" "$here" "$work/one" "$here/test/crash.sh" "$operator" "$repo" "${CRASH_STEP:-9}"
say "all passed in $SECONDS s"
