#!/bin/sh
# Goal of this test: files are touched through core/file.h and SQLite alone, so that what a test does
# to the one and the other it does to all; and nothing in the programs replaces the calls below it.
# The worker has to do with sockets, processes and a sandbox, but with no file by its name either.
set -eu

# The calls that open, make, name, remove or look at files. Readers and writers of a descriptor need
# one of these first.
calls='open|openat|openat2|creat|fopen|fdopen|freopen|fopen64|open64|tmpfile|mkstemp|mkostemp|mkdtemp'
calls="$calls|rename|renameat|renameat2|link|linkat|symlink|unlink|unlinkat|remove|mkdir|mkdirat|rmdir"
calls="$calls|opendir|fdopendir|scandir|nftw|ftw|fts_open|stat|lstat|fstatat|statx|access|faccessat"
calls="$calls|statvfs|statfs|truncate|ftruncate|chmod|chown|utimes|utimensat|realpath|mmap|sendfile"
calls="$calls|copy_file_range|fsync|fdatasync|sync|syncfs|pread|pwrite|flock|lockf|posix_fadvise"
calls="$calls|posix_fallocate|fallocate|syscall"
headers='fcntl|unistd|dirent|ftw|fts|sys/file|sys/stat|sys/statvfs|sys/mman|sys/sendfile|sys/syscall|sys/uio'

refuse() {
    why=$1
    pattern=$2
    shift 2
    if grep -nE "$pattern" "$@" /dev/null; then
        echo "refused: $why"
    fi
}

# The findings in the tree that is the current folder.
findings() {
    for file in crypto/*.[ch] core/*.[ch] sync/*.[ch]; do
        case $file in core/file*.[ch] | crypto/banned.h) continue ;; esac
        # Without what stands in quotes: SQL has a table "link".
        some_calls=$calls
        some_headers=$headers
        case $file in
            sync/worker_process.c | sync/worker_main.c) some_headers=${headers#fcntl|unistd|} ;;
            sync/worker_sandbox.c)
                some_calls=${calls%|syscall}
                some_headers='fcntl|dirent|sys/stat|sys/file'
                ;;
        esac
        if sed 's/"[^"]*"//g' "$file" | grep -nE "(^|[^a-zA-Z_>.])($some_calls) ?\("; then
            echo "$file: refused: a file is touched past core/file.h"
        fi
        refuse "a header for touching files" "include *<($some_headers)\.h>" "$file"
    done
    for file in crypto/*.[ch] core/*.[ch] sync/*.[ch] cli/*.[ch]; do
        case $file in core/file_calls.[ch] | core/file_internal.h | core/file.c | core/file_dir.c | core/file_watch.c) continue ;; esac
        refuse "core/file_calls.h is private" 'include *[<"][^">]*file_(calls|internal)\.h|sk_file_use_calls|sk_call_' \
            "$file"
    done
    # The programs: the terminal, and /dev/null in the place of a closed stream.
    for file in cli/*.[ch]; do
        grep -nE "(^|[^a-zA-Z_>.])($calls) ?\(" "$file" /dev/null |
            grep -vE '"/dev/(tty|null)"' && echo "refused: a program touches a file past core/file.h"
    done
    true
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
core/planted.c|    int fd = open(path, 0);|a file is touched past core/file.h
core/planted.c|    if (unlink(path))|a file is touched past core/file.h
sync/planted.c|    FILE *f = fopen (path, "w");|a file is touched past core/file.h
sync/planted.c|#include <unistd.h>|a header for touching files
sync/worker_process.c|#include <sys/stat.h>|a header for touching files
sync/worker_process.c|    long fd = syscall(2, path, 0);|a file is touched past core/file.h
sync/worker_main.c|    int fd = open(path, 0);|a file is touched past core/file.h
sync/worker_sandbox.c|    int fd = openat(dir, path, 0);|a file is touched past core/file.h
core/planted.h|#  include <sys/stat.h>|a header for touching files
core/planted.c|#include "core/file_calls.h"|core/file_calls.h is private
sync/planted.c|#include "core/file_internal.h"|core/file_calls.h is private
cli/planted.c|    sk_file_use_calls(&mine);|core/file_calls.h is private
cli/planted.c|    rename(a, b);|a program touches a file past core/file.h
cli/planted.c|    int fd = open(path, O_RDONLY);|a program touches a file past core/file.h
LINES
