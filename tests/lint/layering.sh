#!/bin/sh
# Goal of this test: no include points upwards (crypto <- core <- sync <- cli), only core/sqlite.h
# sees sqlite3.h, crypto does no input or output, and nothing below cli prints.
set -eu
bad=0

# refuse WHY PATTERN FILE...: no line of the files may match.
refuse() {
    why=$1
    pattern=$2
    shift 2
    if grep -nE "$pattern" "$@" /dev/null; then
        echo "refused: $why" >&2
        bad=1
    fi
}

refuse "crypto includes from above" '#include "(core|sync|cli|tests)/' crypto/*.[ch]
refuse "core includes from above" '#include "(sync|cli|tests)/' core/*.[ch]
refuse "sync includes from above" '#include "(cli|tests)/' sync/*.[ch]
refuse "cli includes tests" '#include "tests/' cli/*.[ch]
refuse "crypto does input or output" '#include <(unistd|fcntl|sys/stat|sys/socket|sqlite3|zlib|jansson)\.h>' \
    crypto/*.[ch]
refuse "only cli prints" '(^|[^a-z_])(printf|puts|putchar|perror|fprintf|fputs|vprintf) ?\(' \
    crypto/*.c core/*.c sync/*.c
others=$(git ls-files -co --exclude-standard 'crypto/*.[ch]' 'core/*.[ch]' 'sync/*.[ch]' 'cli/*.[ch]' |
    grep -v '^core/sqlite.h$')
# shellcheck disable=SC2086 # a list of words
refuse "sqlite3.h outside core/sqlite.h" '#include [<"]sqlite3' $others

# The guard itself must bite.
probe=$(mktemp)
trap 'rm -f "$probe"' EXIT
echo '#include "cli/command.h"' >"$probe"
if ! grep -qE '#include "(sync|cli|tests)/' "$probe"; then
    echo "the guard lets an upward include pass" >&2
    bad=1
fi
exit "$bad"
