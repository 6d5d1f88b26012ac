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

wanted=$(awk '$1 == "go" {print $2}' cluster/go.mod)
have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
have=${have#go}
if [ "$(printf '%s\n' "$wanted" "${have:-0}" | sort -V | head -n 1)" != "$wanted" ]; then
    echo "the cluster's programs are built with Go $wanted or newer, and here is ${have:-none}." >&2
    echo "Install it as https://go.dev/doc/install says and put its bin directory on PATH; Debian's own package is too old." >&2
    exit 1
fi
