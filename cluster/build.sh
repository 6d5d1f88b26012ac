#!/usr/bin/env bash
# Build all that the other scripts run into $BIN, from Go modules; what is there and up to date stays.
#   BIN    where the programs go (a cache of the user's, so that a second clone finds them built)
#   TOOLS  '' leaves out helm and kwok
#   PEERS  '1' builds JobSet too, for measurements beside it
#   QUEUE  '1' builds Kueue too, for the test of its queues
# Needs go (the version that go.mod names or newer), gcc and python3: scripts/cluster-deps.sh has them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
mkdir -p "$BIN"; BIN=$(cd "$BIN" && pwd)
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false" GOWORK=off
# scripts/cluster-deps.sh puts one there where the machine's own is too old or missing.
[ ! -x "$here/../.tools/go/bin/go" ] || PATH=$here/../.tools/go/bin:$PATH
for program in go gcc python3; do command -v $program >/dev/null || die "needs $program: scripts/cluster-deps.sh installs it or says how"; done
# One builds, others wait for it.
exec 9>"$BIN/.lock"
flock -n 9 || { say "another build is at work in $BIN; waiting for it"; flock 9; }
version() { (cd "$here/$1" && go list -m -f '{{.Version}}' "$2"); }

# build NAME DIRECTORY LDFLAGS PACKAGES...: skipped where the stamp says that the same sources were built by the same compiler.
build() {
  local name=$1 directory=$here/$2 flags=$3 stamp new=$BIN/.new-$1 log=$BIN/.$1.log start=$SECONDS; shift 3
  stamp=$({ go version; echo "$flags $*"; cat "$directory"/go.mod "$directory"/go.sum; find "$directory" -name '*.go' | sort | xargs -r cat; } | sha256sum)
  [ "$(cat "$BIN/.$name" 2>/dev/null)" != "$stamp" ] || { say "$name: up to date"; return; }
  say "$name: building (minutes on an empty cache)"
  rm -rf "$new" "$BIN/.$name"; mkdir "$new"
  (cd "$directory" && go build -v -trimpath -ldflags "-s -w $flags" -o "$new/" "$@" 2>&1) | tee "$log" |
    awk -v n="$name" '/^go: downloading/ {d++; next} {if (++c % 250 == 0) {print "  " n ": " c " packages compiled"; fflush()}} END {print "  " n ": " c+0 " packages compiled, " d+0 " modules downloaded"}' ||
    { grep -vE '^(go: downloading .*|[a-zA-Z0-9./_-]+)$' "$log" | tail -n 30 >&2 || true; die "$name: the build failed; its log is $log"; }
  mv "$new"/* "$BIN/"; rmdir "$new"
  echo "$stamp" >"$BIN/.$name"
  say "$name: built in $((SECONDS - start)) s"
}

kubernetes=$(version . k8s.io/kubernetes) minor=${kubernetes#v1.}
info=k8s.io/component-base/version
build kubernetes . "-X $info.gitVersion=$kubernetes -X $info.gitMajor=1 -X $info.gitMinor=${minor%%.*} -X $info.gitTreeState=clean" ./cmd/...
for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kube-policy kubectl; do ln -sfn kube "$BIN/$program"; done
if [ -n "${TOOLS-1}" ]; then
  build tools tools "-X helm.sh/helm/v4/internal/version.version=$(version tools helm.sh/helm/v4) -X sigs.k8s.io/kwok/pkg/consts.Version=$(version tools sigs.k8s.io/kwok)" tool
  # kwok does nothing without stages; its module has them.
  stages=$(cd "$here/tools" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
  for stage in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease pod/fast/pod-ready pod/fast/pod-complete pod/fast/pod-delete; do
    echo ---; cat "$stages/$stage.yaml"
  done >"$BIN/kwok-stages.yaml"
fi

if [ -n "${PEERS:-}" ]; then
  build jobset jobset "" .
  cp "$(cd "$here/jobset" && go list -m -f '{{.Dir}}' sigs.k8s.io/jobset)/config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml" "$BIN/jobset-crd.yaml"
  chmod u+w "$BIN/jobset-crd.yaml"
fi
if [ -n "${QUEUE:-}" ]; then
  build kueue kueue "" .
  bases=$(cd "$here/kueue" && go list -m -f '{{.Dir}}' sigs.k8s.io/kueue)/config/components/crd/bases
  for kind in "$bases"/*.yaml; do echo ---; cat "$kind"; done >"$BIN/kueue-crds.yaml"
fi

# image NAME:TAG PROGRAM CONTAINERFILE: an image of one static program.
image() {
  local root=$BIN/.root program
  program=$(basename "$2")
  rm -rf "$root"; mkdir -p "$root"/{dev,etc,proc,sys,tmp}
  install -m 755 "$2" "$root/$program"
  python3 "$here/../images/image.py" "$BIN/$program.tar" "localhost/$1" "$root" "$3"
  rm -rf "$root"
}
gcc -Os -static -o "$BIN/pause" "$here/pause/pause.c"
image pause:3 "$BIN/pause" "$here/pause/Containerfile"
image probe:1 "$BIN/probe" "$here/cmd/probe/Containerfile"
say "$("$BIN/kubectl" version --client | head -n 1), $("$BIN/etcd" --version | head -n 1), $("$BIN/coredns" -version | head -n 1)"
