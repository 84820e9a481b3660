#!/bin/sh
# Goal of this test: SIGKILL at random moments of changing keys shuts nobody out (see keys.py).
set -eu
rounds=60
[ -z "${SK_SANITIZE-}" ] || rounds=20
[ -z "${SK_LONG-}" ] || rounds=1000
exec python3 -B "$(dirname "$0")/keys.py" "$rounds"
