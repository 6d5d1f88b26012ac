#!/usr/bin/env bash
# Measures Veilgrid beside its peers, in the same run. Prints Markdown; plots go to docs/plots.
# The peers (the chacha20, opendp, prio, p3-goldilocks and blahaj crates, numpy, DuckDB) are installed here and nowhere else.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/bench
if ! $tools/bin/python -c 'import duckdb, matplotlib, numpy' 2>/dev/null; then
    python3 -m venv $tools
    $tools/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0 matplotlib==3.11.2 numpy==2.4.6
fi
cargo build --release --locked --quiet -p veilgrid
cd benches
cargo run --release --locked --quiet --bin kernels
cargo run --release --locked --quiet --bin bits
cargo run --release --locked --quiet --bin ring
cargo run --release --locked --quiet --bin cores
PYTHON=$PWD/../$tools/bin/python cargo run --release --locked --quiet --bin matmul
cargo run --release --locked --quiet --bin secure_sum
(cd field && cargo run --release --locked --quiet) # in its folder: it is built for this CPU
(cd field && cargo run --release --locked --quiet --bin shamir)
cd ..
$tools/bin/python benches/job.py --binary "${CARGO_TARGET_DIR:-target}/release/veilgrid" --plots docs/plots "$@"
