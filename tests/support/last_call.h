/*
 * The calls that change files, of this program and of SQLite: counted, and one of them fails, or
 * the program dies there. Beside these what was synced before `data.next` went, a medium that is
 * read only, and one that is full. For one source file a program, since they take the place of the
 * C library's.
 */
#ifndef SK_TESTS_LAST_CALL_H
#define SK_TESTS_LAST_CALL_H

#include "core/store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned counted;    /* since they are counted */
static unsigned stop_at;    /* which one is the last; 0: none is */
static int fails_with;      /* 0: the program dies there; else the errno of that one call */
static uint64_t room_bytes; /* what the file system says is free; 0: plenty */

/* Whether this call fails. Does not come back when it is the last. */
static inline bool stopped(void)
{
    if (stop_at == 0 || ++counted != stop_at)
        return false;
    if (fails_with == 0)
        _exit(9);
    errno = fails_with;
    return true;
}

/* What was synced last, and what that was when the second database went. */
static struct stat synced, synced_before;
static unsigned next_removed;
static bool medium_is_read_only; /* for this user, who can read everything */

static inline void note_synced(int fd)
{
    assert_int_equal(fstat(fd, &synced), 0);
}

static inline void note_removed(const char *path)
{
    const char *name = strrchr(path, '/');
    if (!name || strcmp(name + 1, SK_DATA_NEXT_FILE) != 0)
        return;
    next_removed++;
    synced_before = synced;
}

int faccessat(int dir, const char *path, int mode, int flags)
{
    (void)flags;
    if (medium_is_read_only && (mode & W_OK)) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_faccessat, dir, path, mode);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return stopped() ? -1 : syscall(SYS_write, fd, bytes, len);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    return stopped() ? -1 : syscall(SYS_pwrite64, fd, bytes, len, offset);
}

int ftruncate64(int fd, off64_t len)
{
    return stopped() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int fsync(int fd)
{
    return stopped() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    note_synced(fd);
    return stopped() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int unlink(const char *path)
{
    note_removed(path);
    return stopped() ? -1 : (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
    return stopped() ? -1 : (int)syscall(SYS_rename, from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return stopped() ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int statvfs64(const char *path, struct statvfs64 *out)
{
    (void)path;
    *out = (struct statvfs64){.f_frsize = 1, .f_bavail = room_bytes ? room_bytes : 1u << 30};
    return 0;
}

#endif
