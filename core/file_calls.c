#include "core/file_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define INTERRUPTIONS_MAX 1000
#define RESIDENT_PAGES    4096 /* looked at at once */

static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

/* Maps a part after the other, and touches none. */
static int system_resident(int fd, off_t len)
{
    const off_t page = sysconf(_SC_PAGESIZE);
    unsigned char pages[RESIDENT_PAGES];
    for (off_t at = 0; at < len; at += RESIDENT_PAGES * page) {
        off_t rest = len - at;
        size_t part = (size_t)(rest < RESIDENT_PAGES * page ? rest : RESIDENT_PAGES * page);
        size_t count = (part + (size_t)page - 1) / (size_t)page;
        void *mapped = mmap(NULL, part, PROT_READ, MAP_SHARED, fd, at);
        if (mapped == MAP_FAILED)
            return -1;
        bool told = mincore(mapped, part, pages) == 0;
        (void)munmap(mapped, part);
        if (!told)
            return -1;
        for (size_t i = 0; i < count; i++) {
            if (pages[i] & 1)
                return 1;
        }
    }
    return 0;
}

const struct sk_file_calls sk_system_calls = {
    .open = system_open,
    .close = close,
    .read = read,
    .pread = pread,
    .write = write,
    .lseek = lseek,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .posix_fadvise = posix_fadvise,
    .resident = system_resident,
    .flock = flock,
    .fstat = fstat,
    .lstat = lstat,
    .stat = stat,
    .statvfs = statvfs,
    .faccessat = faccessat,
    .rename = rename,
    .renameat2 = renameat2,
    .link = link,
    .linkat = linkat,
    .unlink = unlink,
    .mkdir = mkdir,
    .rmdir = rmdir,
    .opendir = opendir,
    .readdir = readdir,
    .closedir = closedir,
};

static const struct sk_file_calls *calls = &sk_system_calls;

void sk_file_use_calls(const struct sk_file_calls *other)
{
    calls = other ? other : &sk_system_calls;
}

static bool again(unsigned *tries)
{
    return errno == EINTR && ++*tries < INTERRUPTIONS_MAX;
}

/* Gives back what the call gives, made as often as signals break it off. */
#define RETRY(type, call)                    \
    do {                                     \
        unsigned tries = 0;                  \
        type result;                         \
        do                                   \
            result = (call);                 \
        while (result < 0 && again(&tries)); \
        return result;                       \
    } while (0)

int sk_call_open(const char *path, int flags, mode_t mode)
{
    RETRY(int, calls->open(path, flags, mode));
}

/* Not made again: on Linux the number is free whatever close() says. */
void sk_call_close(int fd)
{
    (void)calls->close(fd);
}

ssize_t sk_call_read(int fd, void *out, size_t len)
{
    RETRY(ssize_t, calls->read(fd, out, len));
}

ssize_t sk_call_pread(int fd, void *out, size_t len, off_t offset)
{
    RETRY(ssize_t, calls->pread(fd, out, len, offset));
}

ssize_t sk_call_write(int fd, const void *bytes, size_t len)
{
    RETRY(ssize_t, calls->write(fd, bytes, len));
}

off_t sk_call_lseek(int fd, off_t offset, int whence)
{
    RETRY(off_t, calls->lseek(fd, offset, whence));
}

int sk_call_fsync(int fd)
{
    RETRY(int, calls->fsync(fd));
}

int sk_call_fdatasync(int fd)
{
    RETRY(int, calls->fdatasync(fd));
}

int sk_call_fadvise(int fd, int advice)
{
    return calls->posix_fadvise(fd, 0, 0, advice);
}

int sk_call_resident(int fd, off_t len)
{
    return calls->resident ? calls->resident(fd, len) : -1;
}

int sk_call_flock(int fd, int operation)
{
    RETRY(int, calls->flock(fd, operation));
}

int sk_call_fstat(int fd, struct stat *out)
{
    RETRY(int, calls->fstat(fd, out));
}

int sk_call_lstat(const char *path, struct stat *out)
{
    RETRY(int, calls->lstat(path, out));
}

int sk_call_stat(const char *path, struct stat *out)
{
    RETRY(int, calls->stat(path, out));
}

int sk_call_access(const char *path, int mode)
{
    if (!calls->faccessat)
        return 0;
    RETRY(int, calls->faccessat(AT_FDCWD, path, mode, AT_EACCESS));
}

int sk_call_statvfs(const char *path, struct statvfs *out)
{
    RETRY(int, calls->statvfs(path, out));
}

int sk_call_rename(const char *from, const char *to)
{
    RETRY(int, calls->rename(from, to));
}

int sk_call_rename_new(const char *from, const char *to)
{
    RETRY(int, calls->renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}

int sk_call_rename_exchange(const char *one, const char *other)
{
    RETRY(int, calls->renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE));
}

int sk_call_link(const char *from, const char *to)
{
    RETRY(int, calls->link(from, to));
}

int sk_call_link_through(const char *from, const char *to)
{
    RETRY(int, calls->linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
}

int sk_call_unlink(const char *path)
{
    RETRY(int, calls->unlink(path));
}

int sk_call_mkdir(const char *path, mode_t mode)
{
    RETRY(int, calls->mkdir(path, mode));
}

int sk_call_rmdir(const char *path)
{
    RETRY(int, calls->rmdir(path));
}

DIR *sk_call_opendir(const char *path)
{
    unsigned tries = 0;
    DIR *dir;
    do
        dir = calls->opendir(path);
    while (!dir && again(&tries));
    return dir;
}

struct dirent *sk_call_readdir(DIR *dir)
{
    return calls->readdir(dir);
}

void sk_call_closedir(DIR *dir)
{
    (void)calls->closedir(dir);
}
