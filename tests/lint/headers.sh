#!/bin/sh
# Goal of this test: each header compiles on its own, and a call of a banned function does not.
set -eu

# compile: C on standard input.
compile() {
    cc -std=c17 -D_GNU_SOURCE -I. -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
        -include crypto/banned.h -x c - 2>&1
}

for header in crypto/*.h core/*.h sync/*.h cli/*.h; do
    case $header in crypto/banned.h) continue ;; esac
    echo "#include \"$header\"" | compile || {
        echo "$header does not stand on its own" >&2
        exit 1
    }
done

# Each is refused by its name: a call that does not compile for another reason proves nothing.
for call in 'strcpy(a, b)' 'strncpy(a, b, 1)' 'strcat(a, b)' 'strncat(a, b, 1)' 'sprintf(a, "x")' \
    'vsprintf(a, b, list)' 'gets(a)' 'strtok(a, b)' 'atoi(a)' 'atol(a)' 'rand()' 'srand(1)' \
    'gmtime(0)' 'localtime(0)' 'ctime(0)' 'asctime(0)' 'system(a)' 'popen(a, b)' 'tmpnam(a)' \
    'tmpfile()' 'mktemp(a)'; do
    name=${call%%(*}
    printf '#include <stdarg.h>\nint f(char *a, char *b, va_list list);\n
        int f(char *a, char *b, va_list list) { (void)a, (void)b, (void)list, (void)%s; return 0; }' \
        "$call" | compile | grep -q "sk_the_function_${name}_is_banned" || {
        echo "banned.h lets $call pass" >&2
        exit 1
    }
done
