#!/bin/sh
# Installs what is missing, builds, and runs every test. Ends with ctest's own summary, and the long run
# with the executions of each fuzzer.
#
#   sh tests/run.sh              everything that a change must pass
#   sh tests/run.sh --long       the soaks, valgrind and the fuzzers as well (hours)
#   sh tests/run.sh --coverage   line coverage of crypto, core and sync instead; below 90 % of one fails
set -eu
cd "$(dirname "$0")/.."
. cli/packages.sh

mode=
case "${1-}" in
    '') ;;
    --long | --coverage) mode=${1#--} ;;
    *)
        echo "usage: sh tests/run.sh [--long | --coverage]" >&2
        exit 64
        ;;
esac

# shellcheck disable=SC2086 # a list of words
need $build_packages libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev cppcheck \
    shellcheck mandoc man-db tmux python3 python3-nacl file binutils bsdextrautils git strace \
    libfaketime
[ "$mode" != coverage ] || need gcovr
[ "$mode" != long ] || need valgrind dpkg-dev

jobs=$(nproc)
at_once=$((jobs + 1)) # tests: some wait, for a disk or a clock

if [ "$mode" = coverage ]; then
    cmake --preset coverage >/dev/null
    cmake --build --preset coverage -j "$jobs"
    find build/coverage -name '*.gcda' -delete
    ctest --test-dir build/coverage -j "$jobs" --output-on-failure -L 'unit|fault|cli|fuzz|model'
    # A program that is killed while it writes its counts leaves nonsense on a line or two.
    gcovr --root . --object-directory build/coverage --exclude-unreachable-branches \
        --gcov-ignore-parse-errors \
        --filter 'crypto/' --filter 'core/' --filter 'sync/' --json build/coverage/lines.json
    below=0
    for layer in crypto core sync; do
        echo "== $layer =="
        gcovr --root . --add-tracefile build/coverage/lines.json --filter "$layer/" \
            --print-summary --fail-under-line 90 || below=1
    done
    exit "$below"
fi

valgrind=OFF
if [ "$mode" = long ]; then
    export SK_LONG=1
    valgrind=ON
fi
for preset in dev asan; do
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" -j "$jobs"
done
cmake --preset dev -DSK_VALGRIND="$valgrind" >/dev/null
failed=0
if [ "$mode" = long ]; then
    cmake --preset fuzz >/dev/null
    cmake --build --preset fuzz -j "$jobs"
    python3 -B tests/fuzz/long.py || failed=1
fi
ctest --test-dir build/dev -j "$at_once" --output-on-failure || failed=1
exit "$failed"
