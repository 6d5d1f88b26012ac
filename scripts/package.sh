#!/usr/bin/env bash
# Packs the crates that stand alone into target/package and builds each from its packed files: a file that the package lacks is
# an error here, and not at whoever depends on it. The kernels take the shaders from their package too.
set -euo pipefail
cd "$(dirname "$0")/.."

# Without debugging information it takes half as long.
export CARGO_PROFILE_DEV_DEBUG=0
cargo package --locked --allow-dirty -p veilgrid-shaders -p veilgrid-kernels "$@"
