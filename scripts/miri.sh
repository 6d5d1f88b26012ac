#!/usr/bin/env bash
# Runs the tests of the kernels' unsafe code in Miri, which finds undefined behaviour, races and leaks: columns lent to threads, lines of the caches, slices of fields,
# and the threads' pool in eight orders. Its threads live as long as the process, so there leaks are no fault. Vectors and GPUs are nothing that Miri can run.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! said=$(cargo +nightly miri --version 2>&1); then
    printf 'skipped: there is no Miri (%s); rustup toolchain install nightly --component miri,rust-src\n' "$(head -n 1 <<<"$said")"
    exit 0
fi
echo "$said"

# It builds into target/miri. Not --locked: that would reach Miri's build of the standard library, which has to write a lock file.
miri() {
    local flags=$1
    shift
    MIRIFLAGS="-Zmiri-disable-isolation $flags" cargo +nightly miri test --quiet -p veilgrid-kernels --lib -- "$@"
}
miri "" cpu::grid cpu::lines field::element stream
miri "-Zmiri-ignore-leaks" cpu::cores
miri "-Zmiri-ignore-leaks -Zmiri-many-seeds=0..8" cpu::pool
