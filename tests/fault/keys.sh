#!/bin/sh
# Goal of this test: SIGKILL at random moments of changing keys shuts nobody out (see keys.py).
set -eu
exec python3 -B "$(dirname "$0")/keys.py" "$([ -n "${SK_LONG-}" ] && echo 1000 || echo 60)"
