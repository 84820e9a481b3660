#!/bin/sh
# Goal of this test: clang-tidy finds nothing in the programs, and would find a fault. What is left out, and
# why, stands in .clang-tidy.
#
# The long run reads the tests as well, and follows all paths with clang's analyser, which takes nearly all of
# the time; each other run leaves paths to gcc_analyzer.sh.
set -eu
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT

folders='crypto core sync cli'
checks='-clang-analyzer-*' # on top of those of .clang-tidy
if [ -n "${SK_LONG-}" ]; then
    folders="$folders tests"
    checks=
fi
# One file a run, since in the second of one run every va_list is taken for uninitialised. What goes
# to standard error is a count of warnings in the system's headers.
# shellcheck disable=SC2086 # a list of words
git ls-files -co --exclude-standard $folders | grep '\.c$' |
    xargs -P "$(nproc)" -n 1 clang-tidy -p "$SK_BUILD" --checks="$checks" --quiet 2>/dev/null

# finds CODE: whether a file of this is found fault with.
finds() {
    printf '%s\n' "$1" >"$probe/fault.c"
    ! clang-tidy --config-file=.clang-tidy --checks="$checks" --quiet "$probe/fault.c" -- >/dev/null 2>&1
}
finds 'int same(int by); int same(int by) { return by == by; }' || {
    echo "clang-tidy lets a comparison with itself pass" >&2
    exit 1
}
[ -z "${SK_LONG-}" ] || finds 'int divide(int by); int divide(int by) { return by == 0 ? 1 / by : by; }' || {
    echo "clang's analyser lets a division by zero pass" >&2
    exit 1
}
