#!/bin/sh
# Goal of this test: SIGKILL at random moments loses nothing (see kill.py).
set -eu
rounds=200
[ -z "${SK_SANITIZE-}" ] || rounds=50
[ -z "${SK_LONG-}" ] || rounds=2000
exec python3 "$(dirname "$0")/kill.py" "$rounds"
