#!/usr/bin/env bash
# Measures Veilgrid beside its peers, in the same run. Prints Markdown; plots go to docs/plots.
# The peers (the chacha20 and opendp crates, DuckDB) are installed here and nowhere else.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/bench
if [ ! -x $tools/bin/python ]; then
    python3 -m venv $tools
    $tools/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0 matplotlib==3.11.2
fi
cargo build --release --locked --quiet -p veilgrid
cd benches
cargo run --release --locked --quiet --bin kernels
cargo run --release --locked --quiet --bin secure_sum
cd ..
$tools/bin/python benches/job.py --binary "${CARGO_TARGET_DIR:-target}/release/veilgrid" --plots docs/plots "$@"
