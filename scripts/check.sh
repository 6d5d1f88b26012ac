#!/usr/bin/env bash
# Formatting, lints, documentation, licences. Compiles, runs no test.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "format" cargo fmt --all --check
step "lints" cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings
step "the command without a cluster, as the demo has it" cargo clippy --release --locked --workspace --no-default-features --bin veilgrid --quiet -- -D warnings
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --workspace --no-deps --quiet
step "the benches that need no peer" cargo clippy --release --locked --quiet --manifest-path benches/Cargo.toml --no-default-features --target-dir target/benches -- -D warnings
step "every mutation of the kernels still finds its place" scripts/mutate-kernels.py --check
step "crates that stand alone" scripts/package.sh --quiet
step "licences, sources, duplicate crates" scripts/deny.sh
steps_done
