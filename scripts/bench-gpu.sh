#!/usr/bin/env bash
# What the shaders cost by a compiler's own count, then how fast they run on the GPU of this machine, with every bit compared to the CPU's.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/test-deps.sh
export NODEVICE_SELECT=1
cargo run --release --locked --quiet -p veilgrid-bench-gpu --bin gpu-cost
cargo run --release --locked --quiet -p veilgrid-bench-gpu --bin gpu-rates
