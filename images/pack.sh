#!/usr/bin/env bash
# Packs the images without a container engine: pack.sh [IMAGE...], of party, party-gpu and operator; all whose program is built
# by default. The same programs and the same Debian packages give the same bytes.
#   TAG     the images' tag (test)
#   PREFIX  what stands before their names (localhost/veilgrid): $PREFIX/party:$TAG
#   OUT     where the archives go (target/images): $OUT/party.tar
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../target}
TAG=${TAG:-test} PREFIX=${PREFIX:-localhost/veilgrid} OUT=${OUT:-$target/images}
die() { printf 'pack.sh: %s\n' "$*" >&2; exit 1; }

# program IMAGE: the file that it runs.
program() {
    case $1 in
        party | party-gpu) echo "$target/release/veilgrid" ;;
        operator) echo "$target/release/veilgrid-operator" ;;
        *) die "no image $1: there are party, party-gpu and operator" ;;
    esac
}

if [ $# = 0 ]; then
    for image in party party-gpu operator; do
        if [ -x "$(program $image)" ]; then set -- "$@" $image; else echo "left out: $image, for $(program $image) is not built"; fi
    done
fi
mkdir -p "$OUT"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for image; do
    program=$(program "$image")
    packages=()
    [ ! -e "$here/packages.$image" ] || mapfile -t packages <"$here/packages.$image"
    "$here/rootfs.sh" "$scratch/$image" "$program" "${packages[@]}"
    python3 "$here/image.py" "$OUT/$image.tar" "$PREFIX/$image:$TAG" "$scratch/$image" "$here/Containerfile.$image"
    printf '%s: %s MiB, %s\n' "$PREFIX/$image:$TAG" $(($(stat -c %s "$OUT/$image.tar") >> 20)) "$OUT/$image.tar"
done
