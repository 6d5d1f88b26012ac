#!/usr/bin/env bash
# Test what the project puts on a cluster, on a real one that is started for it and removed: custom resource definitions, images.
# Needs root, and target/release/veilgrid.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
repo=$(dirname "$here")
program=${CARGO_TARGET_DIR:-$repo/target}/release/veilgrid
cannot() { say "skipped: $1"; [ -z "${CI:-}" ]; exit; }
[ "$(id -u)" = 0 ] || cannot "a node needs root"
"$repo/scripts/cluster-deps.sh" || cannot "the cluster's needs are not met"
[ -x "$program" ] || die "$program is missing: run make build"
TOOLS='' "$here/build.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
start=$SECONDS
OUT=$work/one "$repo/images/pack.sh" party
OUT=$work/two "$repo/images/pack.sh" party >/dev/null
cmp "$work/one/party.tar" "$work/two/party.tar" || die "the party image, packed twice, differs"
say "the image is the same when packed twice: $((SECONDS - start)) s"
NODES=1 "$here/with.sh" "$here/test/project.sh" "$work/one/party.tar" "$program"
say "all passed in $SECONDS s"
