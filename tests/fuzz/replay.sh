#!/bin/sh
# Goal of this test: no input makes a parser crash, leak or break its own rules.
set -eu
exec "$1" "$2" "$([ -n "${SK_LONG-}" ] && echo 1000000 || echo 2000)"
