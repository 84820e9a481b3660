#!/bin/sh
# Goal of this test: the man pages are clean, and name every command that the programs have.
set -eu
for name in skrynia skrynia-receiver skrynia-courier; do
    page=cli/man/$name.1
    mandoc -T lint -W warning "$page"
    text=$(mandoc -T utf8 "$page" | col -b)
    # The table's rows in the usage: two spaces, the command, its summary.
    "$SK_BIN/$name" -h | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | while read -r command; do
        printf '%s\n' "$text" | grep -qE "(^|[[:space:]])$command([[:space:]]|$)" || {
            echo "$page does not name the command $command" >&2
            exit 1
        }
    done
done
