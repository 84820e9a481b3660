#!/bin/sh
# Goal of this test: SIGKILL at random moments loses nothing (see kill.py).
set -eu
exec python3 "$(dirname "$0")/kill.py" "$([ -n "${SK_LONG-}" ] && echo 2000 || echo 200)"
