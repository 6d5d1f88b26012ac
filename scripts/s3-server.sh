#!/usr/bin/env bash
# Runs an S3 server for tests, moto, from a private Python environment that this script makes: s3-server.sh ADDRESS BUCKET, as
# party/tests/store/s3.py has it.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/s3
# Tests start several at once: one makes the environment, the others wait for it.
mkdir -p .tools
exec 9>.tools/s3.lock
flock 9
if [ ! -e $tools/whole ]; then
    rm -rf $tools
    python3 -m venv $tools
    $tools/bin/pip install --quiet --disable-pip-version-check "moto[s3]==5.2.5" flask==3.1.3 flask-cors==6.0.5
    touch $tools/whole
fi
exec 9>&-
exec $tools/bin/python party/tests/store/s3.py "$@"
