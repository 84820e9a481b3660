#!/bin/sh
# Goal of this test: clang-tidy and cppcheck find nothing.
set -eu
git ls-files -co --exclude-standard 'crypto/*.c' 'core/*.c' 'sync/*.c' 'cli/*.c' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p "$SK_BUILD" --quiet --warnings-as-errors='*' 2>/dev/null
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
    --suppress=missingIncludeSystem -D_GNU_SOURCE -DSK_VERSION='""' -I . crypto core sync cli
