/*
 * The system calls by which core/file.h touches files, as one table that a test can replace: by a
 * disk in memory, by one that fails. Private to file.c, file_dir.c and file_watch.c; the programs
 * never replace it (tests/lint/files.sh).
 *
 * Each member has the signature, the result and the errno of the POSIX or Linux call of its name,
 * if nothing else is said.
 */
#ifndef SK_CORE_FILE_CALLS_H
#define SK_CORE_FILE_CALLS_H

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

struct sk_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *out, size_t len);
    ssize_t (*pread)(int fd, void *out, size_t len, off_t offset);
    ssize_t (*write)(int fd, const void *bytes, size_t len);
    off_t (*lseek)(int fd, off_t offset, int whence);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*posix_fadvise)(int fd, off_t offset, off_t len, int advice);
    /* Whether the system still has a part of the first `len` bytes in its own memory (mincore): 1
     * or 0; -1, or no such member: that cannot be found out. */
    int (*resident)(int fd, off_t len);
    int (*flock)(int fd, int operation);
    int (*fstat)(int fd, struct stat *out);
    int (*lstat)(const char *path, struct stat *out);
    int (*stat)(const char *path, struct stat *out);
    int (*statvfs)(const char *path, struct statvfs *out);
    /* NULL: this user may do everything. */
    int (*faccessat)(int dir, const char *path, int mode, int flags);
    int (*rename)(const char *from, const char *to);
    int (*renameat2)(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
    int (*link)(const char *from, const char *to);
    int (*linkat)(int from_dir, const char *from, int to_dir, const char *to, int flags);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*rmdir)(const char *path);
    DIR *(*opendir)(const char *path);
    struct dirent *(*readdir)(DIR *dir);
    int (*closedir)(DIR *dir);
};

/* Those of the system. */
extern const struct sk_file_calls sk_system_calls;

/* Those in use from now on; NULL: the system's. No file may be open. For tests alone. */
void sk_file_use_calls(const struct sk_file_calls *calls);

/*
 * The calls in use. A call that a signal broke off is made again, but not for ever: where each try
 * ends so, EINTR is an error like any other.
 */
int sk_call_open(const char *path, int flags, mode_t mode);
void sk_call_close(int fd); /* everything that matters was synced before */
ssize_t sk_call_read(int fd, void *out, size_t len);
ssize_t sk_call_pread(int fd, void *out, size_t len, off_t offset);
ssize_t sk_call_write(int fd, const void *bytes, size_t len);
off_t sk_call_lseek(int fd, off_t offset, int whence);
int sk_call_fsync(int fd);
int sk_call_fdatasync(int fd);
int sk_call_fadvise(int fd, int advice); /* of the whole file */
int sk_call_resident(int fd, off_t len);
int sk_call_flock(int fd, int operation);
int sk_call_fstat(int fd, struct stat *out);
int sk_call_lstat(const char *path, struct stat *out);
int sk_call_stat(const char *path, struct stat *out);
int sk_call_statvfs(const char *path, struct statvfs *out);
int sk_call_access(const char *path, int mode); /* for the effective user */
int sk_call_rename(const char *from, const char *to);
int sk_call_rename_new(const char *from, const char *to);        /* RENAME_NOREPLACE */
int sk_call_rename_exchange(const char *one, const char *other); /* RENAME_EXCHANGE */
int sk_call_link(const char *from, const char *to);
int sk_call_link_through(const char *from, const char *to); /* AT_SYMLINK_FOLLOW */
int sk_call_unlink(const char *path);
int sk_call_mkdir(const char *path, mode_t mode);
int sk_call_rmdir(const char *path);
DIR *sk_call_opendir(const char *path);
struct dirent *sk_call_readdir(DIR *dir);
void sk_call_closedir(DIR *dir);

#endif
