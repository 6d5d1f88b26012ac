#!/usr/bin/env bash
# What takes too long for every change: ten minutes of fuzzing for each parser, the wide model of the budget protocol, broken constants in every kernel, its unsafe code in
# Miri, the list of their public API, and on a real cluster deaths and outages at every point of a job's life; a billion samples of each law of noise.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "fuzzing" scripts/fuzz.sh 600
step "the budget protocol, model-checked widely" cargo test --release --locked --workspace --test budget_model -- --ignored --nocapture
step "the kernels' tests notice every broken constant" scripts/mutate-kernels.py
step "the kernels' unsafe code in Miri" scripts/miri.sh
step "the public API of the crates that stand alone" scripts/api.sh
step "a billion samples of each law of noise" cargo test --release --locked -p veilgrid-kernels --test noise_law -- --ignored
step "the time of noise tells nothing of it" cargo test --release --locked -p veilgrid-kernels --test timing -- --ignored --nocapture
step "build" cargo build --release --locked --workspace --bins --quiet
step "on a real cluster" env LONG=1 cluster/test.sh
steps_done
