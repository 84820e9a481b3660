#!/bin/sh
# Goal of this test: the tree holds no binaries, no unfinished work by its own words, and no traces of
# the machine it was made on.
set -eu
bad=0
files=$(git ls-files -co --exclude-standard)
for file in $files; do
    [ -f "$file" ] || continue
    if [ -s "$file" ] && ! grep -qI . "$file"; then
        case $file in tests/fuzz/corpus/* | tests/vectors/*) ;; *)
            echo "$file: binary" >&2
            bad=1
            ;;
        esac
    fi
done
# shellcheck disable=SC2086 # a list of words
if grep -nIE '\b(TO''DO|FIX''ME|not impl''emented)\b' $files /dev/null; then
    echo "unfinished, by its own words" >&2
    bad=1
fi
# shellcheck disable=SC2086 # a list of words
if grep -nIE '(/wo''rk/|/ro''ot/|/ho''me/[a-z])' $files /dev/null; then
    echo "paths of one machine" >&2
    bad=1
fi
exit "$bad"
