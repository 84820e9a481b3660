#!/bin/sh
# Goal of this test: each header compiles on its own, and a banned function does not.
set -eu
flags="-std=c17 -D_GNU_SOURCE -I. -Wall -Wextra -Wpedantic -Werror -fsyntax-only"
for header in crypto/*.h core/*.h sync/*.h cli/*.h; do
    case $header in crypto/banned.h) continue ;; esac
    # shellcheck disable=SC2086 # a list of words
    echo "#include \"$header\"" | cc $flags -include crypto/banned.h -x c - || {
        echo "$header does not stand on its own" >&2
        exit 1
    }
done

for call in 'strcpy(a, b)' 'strcat(a, b)' 'sprintf(a, "x")' 'atoi(a)' 'strtok(a, b)' 'system(a)'; do
    # shellcheck disable=SC2086 # a list of words
    if printf 'void f(char *a, char *b);\nvoid f(char *a, char *b) { (void)b; %s; }\n' "$call" |
        cc $flags -include crypto/banned.h -x c - 2>/dev/null; then
        echo "banned.h lets $call pass" >&2
        exit 1
    fi
done
