#!/usr/bin/env bash
# What takes too long for every change: ten minutes of fuzzing for each parser.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "fuzzing" scripts/fuzz.sh 600
steps_done
