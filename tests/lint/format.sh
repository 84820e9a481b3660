#!/bin/sh
# Goal of this test: every C file is as clang-format would write it.
set -eu
git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format --dry-run -Werror
