#!/bin/sh
# Goal of this test: gcc -fanalyzer finds nothing in the programs, and would find a fault. It follows
# __attribute__((cleanup)), which clang's analyser does not.
#
# States are not merged, since merging forgets that a call which gave SK_OK has set its output.
set -eu
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT

# check FILE: one source.
cat >"$probe/check" <<'S'
exec gcc -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSK_VERSION='""' -I . \
    -include crypto/banned.h -O2 -fanalyzer -fno-analyzer-state-merge -Werror -c -o /dev/null "$1"
S

git ls-files -co --exclude-standard 'crypto/*.c' 'core/*.c' 'sync/*.c' 'cli/*.c' |
    xargs -P "$(nproc)" -n 1 sh "$probe/check"

cat >"$probe/fault.c" <<'C'
#include "core/file.h"

int leak(const char *name);
int leak(const char *name)
{
    sk_auto_free char *kept = strdup(name);
    char *lost = strdup(name);
    return kept && lost;
}
C
if found=$(sh "$probe/check" "$probe/fault.c" 2>&1); then
    echo "gcc lets a leak pass" >&2
    exit 1
fi
case $found in
    *"leak of ‘kept’"* | *"leak of 'kept'"*)
        echo "gcc does not follow cleanups" >&2
        exit 1
        ;;
    *"leak of"*lost*) ;;
    *)
        echo "gcc refuses the planted leak for another reason: $found" >&2
        exit 1
        ;;
esac
