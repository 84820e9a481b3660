#!/bin/sh
# Goal of this test: SIGKILL at random moments of changing keys shuts nobody out (see keys.py).
set -eu
rounds=60
[ -z "${SK_LONG-}" ] || rounds=1000
if [ -n "${SK_SANITIZE-}" ]; then # one size less, as in support/effort.h
    rounds=20
    [ -z "${SK_LONG-}" ] || rounds=60
fi
exec python3 -B "$(dirname "$0")/keys.py" "$rounds"
