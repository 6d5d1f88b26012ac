#!/usr/bin/env bash
# Compares the public API of the crates that stand alone, as cargo-public-api lists it, with kernels/api.txt and shaders/api.txt: what a line's change means for
# users is then decided, not found out. api.sh --update writes the lists anew. Features add nothing to it, so none is on.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=
cargo public-api --version >/dev/null 2>&1 || missing='cargo-public-api (cargo install cargo-public-api --locked)'
cargo +nightly --version >/dev/null 2>&1 || missing='a nightly compiler (rustup toolchain install nightly), whose rustdoc writes JSON'
if [ -n "$missing" ]; then
    echo "skipped: there is no $missing"
    exit 0
fi

status=0
for crate in kernels shaders; do
    # Without what every type has: blanket, automatic and derived implementations. `rmeta` has its own directory, since the compiler is another.
    now=$(cargo +nightly public-api --target-dir target/api -p "veilgrid-$crate" -sss --color never)
    if [ "${1:-}" = --update ]; then
        printf '%s\n' "$now" >"$crate/api.txt"
    elif ! diff -u --label "$crate/api.txt" --label "the code" "$crate/api.txt" - <<<"$now"; then
        echo "the public API of veilgrid-$crate is another: if it shall be, scripts/api.sh --update, and a line in CHANGELOG.md" >&2
        status=1
    fi
done
exit $status
