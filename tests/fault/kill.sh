#!/bin/sh
# Goal of this test: SIGKILL at random moments loses nothing (see kill.py).
set -eu
rounds=200
[ -z "${SK_LONG-}" ] || rounds=2000
if [ -n "${SK_SANITIZE-}" ]; then # one size less, as in support/effort.h
    rounds=50
    [ -z "${SK_LONG-}" ] || rounds=200
fi
exec python3 "$(dirname "$0")/kill.py" "$rounds"
