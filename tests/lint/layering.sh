#!/bin/sh
# Goal of this test: no include points upwards (crypto <- core <- sync <- cli), only core/sqlite.h
# sees sqlite3.h and only sync/worker_sandbox.c seccomp.h, crypto does no input or output, and nothing
# below cli prints. That no call points upwards is for links.sh.
set -eu

# refuse WHY PATTERN FILE...: no line of the files may match.
refuse() {
    why=$1
    pattern=$2
    shift 2
    if grep -nE "$pattern" "$@" /dev/null; then
        echo "refused: $why"
    fi
}

# includes FOLDERS: a pattern for an include from one of the folders, however it is written.
includes() {
    echo "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]([^\">]*/)?($1)/"
}

# The findings in the tree that is the current folder.
findings() {
    refuse "crypto includes from above" "$(includes 'core|sync|cli|tests')" crypto/*.[ch]
    refuse "core includes from above" "$(includes 'sync|cli|tests')" core/*.[ch]
    refuse "sync includes from above" "$(includes 'cli|tests')" sync/*.[ch]
    refuse "cli includes tests" "$(includes 'tests')" cli/*.[ch]
    refuse "crypto does input or output" \
        'include *<(unistd|fcntl|sys/stat|sys/socket|sqlite3|zlib|jansson)\.h>' crypto/*.[ch]
    refuse "only cli prints" '(^|[^a-z_])(printf|puts|putchar|perror|fprintf|fputs|vprintf) ?\(' \
        crypto/*.c core/*.c sync/*.c
    for file in crypto/*.[ch] core/*.[ch] sync/*.[ch] cli/*.[ch]; do
        [ "$file" = sync/worker_sandbox.c ] || refuse "seccomp.h outside sync/worker_sandbox.c" \
            'include *[<"]seccomp' "$file"
        [ "$file" = core/sqlite.h ] || refuse "sqlite3.h outside core/sqlite.h" \
            'include *[<"]sqlite3' "$file"
    done
}

found=$(findings)
if [ -n "$found" ]; then
    echo "$found" >&2
    exit 1
fi

# The guard itself must bite: each line, planted alone in a tree of its own, is refused.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/crypto" "$tree/core" "$tree/sync" "$tree/cli"
for folder in crypto core sync cli; do
    : >"$tree/$folder/clean.c"
    : >"$tree/$folder/clean.h"
done
[ -z "$(cd "$tree" && findings)" ] || { echo "a clean tree is refused" >&2; exit 1; }
while IFS='|' read -r file line why; do
    echo "$line" >"$tree/$file"
    case $(cd "$tree" && findings) in
        *"refused: $why"*) ;;
        *)
            echo "$file may hold: $line" >&2
            exit 1
            ;;
    esac
    rm "$tree/$file"
done <<'LINES'
crypto/planted.h|#include "core/buf.h"|crypto includes from above
crypto/planted.c|#include <sync/export.h>|crypto includes from above
core/planted.c|#include "sync/export.h"|core includes from above
core/planted.c|#include "../cli/print.h"|core includes from above
core/planted.h|  #  include "tests/support/work.h"|core includes from above
sync/planted.c|#include "cli/command.h"|sync includes from above
cli/planted.c|#include "tests/support/work.h"|cli includes tests
crypto/planted.c|#include <fcntl.h>|crypto does input or output
core/planted.c|#include <sqlite3.h>|sqlite3.h outside core/sqlite.h
sync/planted.c|#include <seccomp.h>|seccomp.h outside sync/worker_sandbox.c
cli/planted.c|#include <seccomp.h>|seccomp.h outside sync/worker_sandbox.c
cli/planted.c|#include <sqlite3.h>|sqlite3.h outside core/sqlite.h
core/planted.c|    printf("%s", text);|only cli prints
sync/planted.c|    fprintf(stderr, "x");|only cli prints
LINES
