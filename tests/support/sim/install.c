/*
 * Puts the simulation below the file layer and below SQLite's VFS "unix". That VFS calls fsync()
 * and fdatasync() by their names, so the two stand here for the whole program.
 */
#include "core/db_internal.h"
#include "tests/support/sim/live_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd)
{
    return sk_sim_owns_fd(fd) ? sk_sim_calls.fsync(fd) : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sk_sim_owns_fd(fd) ? sk_sim_calls.fdatasync(fd) : (int)syscall(SYS_fdatasync, fd);
}

/* ---- below SQLite ---- */

/* A signal that breaks off what SQLite tries again for ever does so once: no file system breaks off
 * reading or writing its own files without end, and SQLite counts on that. */
#define AT_MOST_ONCE(result, call)                          \
    do {                                                    \
        static bool before;                                 \
        if (before && (result) < 0 && errno == EINTR) {     \
            const struct sk_sim_fault fault = sk_sim.fault; \
            sk_sim_disarm();                                \
            (result) = (call);                              \
            sk_sim.fault = fault;                           \
        }                                                   \
        before = (result) < 0 && errno == EINTR;            \
    } while (0)

static int sql_open(const char *path, int flags, int mode)
{
    if (!sk_sim_owns_path(path))
        return open(path, flags, mode);
    int fd = sk_sim_calls.open(path, flags, (mode_t)mode);
    AT_MOST_ONCE(fd, sk_sim_calls.open(path, flags, (mode_t)mode));
    return fd;
}

static int sql_close(int fd)
{
    return sk_sim_owns_fd(fd) ? sk_sim_calls.close(fd) : close(fd);
}

static int sql_access(const char *path, int mode)
{
    return sk_sim_owns_path(path) ? sk_sim_access(path, mode) : access(path, mode);
}

static int sql_stat(const char *path, struct stat *out)
{
    return sk_sim_owns_path(path) ? sk_sim_calls.stat(path, out) : stat(path, out);
}

static int sql_lstat(const char *path, struct stat *out)
{
    return sk_sim_owns_path(path) ? sk_sim_calls.lstat(path, out) : lstat(path, out);
}

static int sql_fstat(int fd, struct stat *out)
{
    return sk_sim_owns_fd(fd) ? sk_sim_calls.fstat(fd, out) : fstat(fd, out);
}

static ssize_t sql_pread(int fd, void *out, size_t len, off_t offset)
{
    if (!sk_sim_owns_fd(fd))
        return pread(fd, out, len, offset);
    ssize_t got = sk_sim_calls.pread(fd, out, len, offset);
    AT_MOST_ONCE(got, sk_sim_calls.pread(fd, out, len, offset));
    return got;
}

static ssize_t sql_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    if (!sk_sim_owns_fd(fd))
        return pwrite(fd, bytes, len, offset);
    ssize_t wrote = sk_sim_pwrite(fd, bytes, len, offset);
    AT_MOST_ONCE(wrote, sk_sim_pwrite(fd, bytes, len, offset));
    return wrote;
}

static int sql_ftruncate(int fd, off_t len)
{
    if (!sk_sim_owns_fd(fd))
        return ftruncate(fd, len);
    int result = sk_sim_ftruncate(fd, len);
    AT_MOST_ONCE(result, sk_sim_ftruncate(fd, len));
    return result;
}

/* Locks are always had: there is one process. */
static int sql_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *arg = va_arg(args, void *);
    va_end(args);
    if (!sk_sim_owns_fd(fd))
        return fcntl(fd, command, arg);
    if (command == F_GETLK)
        ((struct flock *)arg)->l_type = F_UNLCK;
    return 0;
}

static int sql_fchmod(int fd, mode_t mode)
{
    return sk_sim_owns_fd(fd) ? 0 : fchmod(fd, mode);
}

static int sql_fchown(int fd, uid_t owner, gid_t group)
{
    return sk_sim_owns_fd(fd) ? 0 : fchown(fd, owner, group);
}

static int sql_unlink(const char *path)
{
    return sk_sim_owns_path(path) ? sk_sim_calls.unlink(path) : unlink(path);
}

static ssize_t sql_readlink(const char *path, char *out, size_t room)
{
    if (!sk_sim_owns_path(path))
        return readlink(path, out, room);
    errno = EINVAL;
    return -1;
}

typedef void (*any_function)(void);

static const struct {
    const char *name;
    any_function call;
} sql_calls[] = {
    {"open", (any_function)sql_open},           {"close", (any_function)sql_close},
    {"access", (any_function)sql_access},       {"stat", (any_function)sql_stat},
    {"lstat", (any_function)sql_lstat},         {"fstat", (any_function)sql_fstat},
    {"pread", (any_function)sql_pread},         {"pread64", (any_function)sql_pread},
    {"pwrite", (any_function)sql_pwrite},       {"pwrite64", (any_function)sql_pwrite},
    {"ftruncate", (any_function)sql_ftruncate}, {"fcntl", (any_function)sql_fcntl},
    {"fchmod", (any_function)sql_fchmod},       {"fchown", (any_function)sql_fchown},
    {"unlink", (any_function)sql_unlink},       {"readlink", (any_function)sql_readlink},
};

void sk_sim_install(void)
{
    if (sk_db_start_library(NULL) != SK_OK) /* before SQLite's first use */
        abort();
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    sk_file_use_calls(&sk_sim_calls);
    for (size_t i = 0; i < sizeof(sql_calls) / sizeof(sql_calls[0]); i++)
        (void)vfs->xSetSystemCall(vfs, sql_calls[i].name, sql_calls[i].call);
}

void sk_sim_uninstall(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    sk_file_use_calls(NULL);
    (void)vfs->xSetSystemCall(vfs, NULL, NULL);
}

void sk_sim_begin(void)
{
    sk_sim = (struct sk_sim_live){.record = NULL};
    sk_sim_image_init(&sk_sim.image);
    sk_sim_install();
}

void sk_sim_end(void)
{
    sk_sim_uninstall();
    sk_sim_image_clear(&sk_sim.image);
}
