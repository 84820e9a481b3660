#!/bin/sh
# Goal of this test: the programs are built position independent, with full RELRO, a stack that cannot
# be executed, stack protector and fortified calls; and a program that lacks one of them is noticed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The flaws of a program, a word each.
flaws() {
    readelf -hldsW "$1" >"$work/about"
    grep -q 'Type:.*DYN' "$work/about" || echo pie
    grep -q GNU_RELRO "$work/about" || echo relro
    grep -qE 'BIND_NOW|FLAGS.*NOW' "$work/about" || echo lazy
    grep GNU_STACK "$work/about" | grep -q RWE && echo stack
    grep -q __stack_chk_fail "$work/about" || echo protector
    grep -E '__[a-z]+_chk' "$work/about" | grep -qv __stack_chk || echo fortify
}

for name in skrynia skrynia-receiver skrynia-courier; do
    found=$(flaws "$SK_BIN/$name" || true)
    if [ -n "$found" ]; then
        echo "$name lacks:" "$found" >&2
        exit 1
    fi
done

# The guard itself must bite: with the last flags one thing is missing, and only that is reported.
cat >"$work/probe.c" <<'C'
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    char room[32];
    strcpy(room, argv[argc - 1]);
    return puts(room);
}
C
while IFS='|' read -r expected flags; do
    # shellcheck disable=SC2086 # a list of words
    cc -w -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -pie \
        -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack "$work/probe.c" -o "$work/probe" $flags
    found=$(flaws "$work/probe" || true)
    if [ "$found" != "$expected" ]; then
        echo "built with ${flags:-everything}, the probe should lack '$expected', not '$found'" >&2
        exit 1
    fi
done <<'LINES'
|
pie|-no-pie
relro|-Wl,-z,norelro
lazy|-Wl,-z,lazy
stack|-Wl,-z,execstack
protector|-fno-stack-protector
fortify|-D_FORTIFY_SOURCE=0
LINES
