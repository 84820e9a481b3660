#!/bin/sh
# Goal of this test: the programs are built position independent, with full RELRO, a stack that cannot
# be executed, stack protector and fortified calls.
set -eu
for name in skrynia skrynia-receiver skrynia-courier; do
    program=$SK_BIN/$name
    readelf -h "$program" | grep -q 'Type:.*DYN' || { echo "$name: not PIE" >&2; exit 1; }
    readelf -lW "$program" | grep -q GNU_RELRO || { echo "$name: no RELRO" >&2; exit 1; }
    readelf -dW "$program" | grep -qE 'BIND_NOW|FLAGS.*NOW' || { echo "$name: lazy binding" >&2; exit 1; }
    readelf -lW "$program" | grep GNU_STACK | grep -q 'RWE' && { echo "$name: executable stack" >&2; exit 1; }
    readelf -sW "$program" | grep -q '__stack_chk_fail' || { echo "$name: no stack protector" >&2; exit 1; }
    readelf -sW "$program" | grep -qE '__[a-z]+_chk' || { echo "$name: not fortified" >&2; exit 1; }
done
