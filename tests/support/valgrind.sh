#!/bin/sh
# Runs a program under valgrind's memcheck; an error or a leak ends it with 99. "Possibly lost" counts for
# nothing, since SQLite's memory lies behind a header of ours and is pointed into. A child that is forked
# to die in the middle of something is looked at, but silent: its parent sees the 99.
unset SK_LONG
exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes "$@"
