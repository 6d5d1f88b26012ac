#!/usr/bin/env bash
# Measures Veilgrid beside its peers, in the same run, and writes tables, plots and the peers' versions into docs/performance.md.
# The peers (the chacha20, opendp, prio, p3-goldilocks and blahaj crates, OpenSSL, numpy, DuckDB) are installed here and nowhere else.
# bench.sh PART...: only these of kernels, curves and jobs. Leave the machine alone meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=${*:-kernels curves jobs}
wanted() { [[ " $parts " == *" $1 "* ]]; }
for part in $parts; do
    case $part in kernels | curves | jobs) ;; *) echo "bench.sh: no part $part; there are kernels, curves and jobs" >&2; exit 2 ;; esac
done

tools=$PWD/.tools/bench
if ! "$tools/bin/python" -c 'import duckdb, matplotlib, numpy' 2>/dev/null; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.0 matplotlib==3.11.2 numpy==2.4.6
fi
export PYTHON=$tools/bin/python
out=target/bench
mkdir -p $out docs/plots

# What is built in one folder does not build the other's anew.
(cd benches && cargo build --release --locked --quiet)
# Peers in the prime fields: built for this CPU, and for one of 256-bit vectors.
if wanted kernels; then
    (cd benches/field && cargo build --release --locked --quiet)
    RUSTFLAGS="-C target-cpu=x86-64-v3" cargo build --release --locked --quiet --manifest-path benches/field/Cargo.toml \
        --target-dir benches/field/target/v3
fi
if wanted jobs; then cargo build --release --locked --quiet -p veilgrid; fi
load=$(cut -d' ' -f1 /proc/loadavg)

report=()
# measure NAME COMMAND...: what a program prints, shown as it comes, and kept.
measure() {
    local name=$1
    shift
    "$@" | tee "$out/$name"
    report+=("$out/$name")
}
programs=benches/target/release
if wanted kernels; then
    # OpenSSL chooses instructions by the whole CPU, and these bits are what it knows AVX-512 by.
    measure kernels-avx2 env VEILGRID_LEVEL=avx2 OPENSSL_ia32cap=:~0xc0230000 $programs/kernels
    measure kernels-avx512 env VEILGRID_LEVEL=avx512 $programs/kernels
    for program in bits ring matmul cores; do measure "$program" $programs/$program; done
    measure fields-v3 benches/field/target/v3/release/veilgrid-benches-field
    measure fields benches/field/target/release/veilgrid-benches-field
    measure shamir benches/field/target/release/shamir
fi
more=()
if wanted curves; then
    $programs/curves | tee $out/curves
    more+=(--curves $out/curves)
fi
if wanted jobs; then
    {
        "$PYTHON" benches/job.py --binary "${CARGO_TARGET_DIR:-target}/release/veilgrid" --plots docs/plots
        $programs/secure_sum
    } | tee $out/jobs
    more+=(--jobs $out/jobs)
fi
"$PYTHON" benches/report.py "${report[@]}" --load "$load" "${more[@]}"
echo "written: docs/performance.md, docs/plots, benches/results.tsv"
