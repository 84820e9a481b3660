#!/bin/sh
# Runs a program under valgrind's memcheck; an error or a leak ends it with 99. "Possibly lost" counts for
# nothing, since SQLite's memory lies behind a header of ours and is pointed into. A child that is forked
# to die in the middle of something is looked at, but silent: its parent sees the 99. SK_UNDER_VALGRIND: that
# it is there, for what cannot run so.
unset SK_LONG
export SK_UNDER_VALGRIND=1
exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes "$@"
