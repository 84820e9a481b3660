#!/bin/sh
# Goal of this test: no call points upwards (crypto <- core <- sync <- cli). Each library, whole, links
# with those below it and the outer libraries it is allowed, and with nothing else.
set -eu
cd "$SK_BUILD"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 'int main(void) { return 0; }' >"$work/main.c"

# links OUTER ARCHIVE...: OUTER is a list of -l flags.
links() {
    outer=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    cc -o "$work/program" "$work/main.c" -Wl,--whole-archive "$@" -Wl,--no-whole-archive $outer 2>&1
}

# refused FUNCTION LAYER: what is printed on stdin says so.
refused() {
    grep -q "undefined reference to .$1'" || {
        echo "$2 may call $1()" >&2
        exit 1
    }
}

crypto=crypto/libsk_crypto.a
core=core/libsk_core.a
sync=sync/libsk_sync.a
isal=
if grep -q '^ISAL_FOUND:INTERNAL=1$' CMakeCache.txt && grep -q '^SK_ISAL:BOOL=ON$' CMakeCache.txt; then isal=-lisal; fi
links '-lsodium' $crypto
links '-lsodium -ljansson -lsqlite3' $core $crypto
links "-lsodium -ljansson -lsqlite3 -lz -lseccomp $isal" $sync $core $crypto

# The guard itself must bite, also in an object that nobody else uses.
# plant ARCHIVE FUNCTION: $work/planted.a is the archive with a call of the function.
plant() {
    printf 'int %s(void);\nint planted(void);\nint planted(void) { return %s(); }\n' "$2" "$2" |
        cc -x c -c -o "$work/planted.o" -
    cp "$1" "$work/planted.a"
    ar q "$work/planted.a" "$work/planted.o"
}
plant $crypto sk_store_open
links '-lsodium' "$work/planted.a" | refused sk_store_open crypto
plant $crypto sqlite3_open_v2
links '-lsodium' "$work/planted.a" | refused sqlite3_open_v2 crypto
plant $core sk_export
links '-lsodium -ljansson -lsqlite3' "$work/planted.a" $crypto | refused sk_export core
plant $sync sk_cmd_export
links "-lsodium -ljansson -lsqlite3 -lz -lseccomp $isal" "$work/planted.a" $core $crypto | refused sk_cmd_export sync
