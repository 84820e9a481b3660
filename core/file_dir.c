/*
 * Folders, and the lock on one: the second half of core/file.h.
 */
#include "core/file.h"
#include "core/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DIR_MODE     0700
#define LOCK_POLL_NS 50000000L

enum sk_status sk_dir_create(const char *path, struct sk_error *err)
{
    if (sk_call_mkdir(path, DIR_MODE))
        return sk_file_fail_create(err, path);
    return SK_OK;
}

enum sk_status sk_dir_sync(const char *path, struct sk_error *err)
{
    int fd = sk_call_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, SK_FILE_MODE);
    if (fd < 0)
        return sk_fail_errno(err, SK_IO, "the folder %s cannot be opened", path);
    /* Some file systems cannot sync a folder, and say so in this way. */
    bool failed = sk_call_fsync(fd) != 0 && errno != EINVAL && errno != EOPNOTSUPP;
    int number = errno;
    sk_call_close(fd);
    errno = number;
    if (failed)
        return sk_fail_errno(err, SK_IO, "the folder %s was not saved", path);
    return SK_OK;
}

static enum sk_status each_entry(DIR *dir, const char *path, sk_dir_each_fn *each, void *context,
                                 struct sk_error *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = sk_call_readdir(dir);
        if (!entry && errno != 0)
            return sk_fail_errno(err, SK_IO, "the folder %s cannot be read", path);
        if (!entry)
            return SK_OK;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            SK_TRY(each(context, entry->d_name, err));
    }
}

enum sk_status sk_dir_each(const char *path, sk_dir_each_fn *each, void *context,
                           struct sk_error *err)
{
    DIR *dir = sk_call_opendir(path);
    if (!dir)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "the folder %s cannot be opened", path);
    enum sk_status status = each_entry(dir, path, each, context, err);
    sk_call_closedir(dir);
    return status;
}

static enum sk_status refuse_entry(void *context, const char *name, struct sk_error *err)
{
    (void)context, (void)name, (void)err;
    return SK_REFUSED;
}

bool sk_dir_empty(const char *path)
{
    return sk_dir_each(path, refuse_entry, NULL, NULL) == SK_OK;
}

enum sk_status sk_dir_publish(const char *from, const char *to, struct sk_error *err)
{
    SK_TRY(sk_dir_sync(from, err));
    /* rename() onto a folder works only while that folder is empty: just what is wanted. */
    if (sk_call_rename(from, to)) {
        if (errno == ENOTEMPTY || errno == ENOTDIR)
            errno = EEXIST;
        return sk_file_fail_create(err, to);
    }
    enum sk_status status = sk_file_sync_parent(to, err);
    if (status != SK_OK)
        (void)sk_call_rename(to, from);
    return status;
}

/* A link to one is none. */
static bool is_folder(const char *path)
{
    struct stat st;
    return sk_call_lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum sk_status discard_file(void *context, const char *name, struct sk_error *err)
{
    const char *dir = context;
    sk_auto_free char *path = NULL;
    SK_TRY(sk_path_join(&path, dir, name, err));
    (void)sk_call_unlink(path);
    return SK_OK;
}

/* A file, or a folder with files. */
static enum sk_status discard_entry(void *context, const char *name, struct sk_error *err)
{
    const char *dir = context;
    sk_auto_free char *path = NULL;
    SK_TRY(sk_path_join(&path, dir, name, err));
    if (!is_folder(path)) {
        (void)sk_call_unlink(path);
        return SK_OK;
    }
    sk_ignore(sk_dir_each(path, discard_file, path, NULL));
    (void)sk_call_rmdir(path);
    return SK_OK;
}

void sk_dir_discard(const char *path)
{
    sk_auto_free char *dir = strdup(path);
    if (!dir || !is_folder(dir))
        return;
    sk_ignore(sk_dir_each(dir, discard_entry, dir, NULL));
    (void)sk_call_rmdir(dir);
}

/* ---- the lock ---- */

struct sk_dir_lock {
    int fd;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum whose {
    ANYBODYS, /* also by a link */
    OWN,      /* of this user, and by no link */
};

/* Whether the folder that is held is still the one that has the name; -1, with errno, when that
 * cannot be found out or it is somebody else's. */
static int still_named(int fd, const char *path, enum whose whose)
{
    struct stat held, named;
    if (sk_call_fstat(fd, &held) != 0)
        return -1;
    if ((whose == OWN ? sk_call_lstat(path, &named) : sk_call_stat(path, &named)) != 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (whose == OWN && held.st_uid != geteuid()) {
        errno = EPERM;
        return -1;
    }
    return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static enum sk_status try_lock(int *out, const char *path, enum whose whose, struct sk_error *err)
{
    int follow = whose == OWN ? O_NOFOLLOW : 0;
    int fd = sk_call_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow, SK_FILE_MODE);
    if (fd < 0)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "the folder %s cannot be opened", path);
    int locked = sk_call_flock(fd, LOCK_EX | LOCK_NB);
    int named = locked == 0 ? still_named(fd, path, whose) : -1;
    int number = errno;
    if (named > 0) {
        *out = fd;
        return SK_OK;
    }
    sk_call_close(fd);
    if (named == 0 || (locked != 0 && number == EWOULDBLOCK))
        return SK_BUSY;
    errno = number;
    return sk_fail_errno(err, SK_IO, "the folder %s cannot be locked", path);
}

static enum sk_status keep_lock(struct sk_dir_lock **out, int fd, struct sk_error *err)
{
    struct sk_dir_lock *lock = malloc(sizeof(*lock));
    if (!lock) {
        sk_call_close(fd);
        return sk_fail_status(err, SK_NOMEM);
    }
    lock->fd = fd;
    *out = lock;
    return SK_OK;
}

enum sk_status sk_dir_lock(struct sk_dir_lock **out, const char *path, unsigned wait_s,
                           struct sk_error *err)
{
    int64_t deadline = now_ms() + (int64_t)wait_s * 1000;
    int fd = -1;
    for (;;) {
        enum sk_status status = try_lock(&fd, path, ANYBODYS, err);
        if (status == SK_OK)
            break;
        if (status != SK_BUSY)
            return status;
        if (now_ms() >= deadline)
            return sk_fail(err, SK_BUSY, "%s is in use by another program", path);
        const struct timespec pause = {.tv_nsec = LOCK_POLL_NS};
        (void)nanosleep(&pause, NULL);
    }
    return keep_lock(out, fd, err);
}

enum sk_status sk_dir_lock_own(struct sk_dir_lock **out, const char *path, struct sk_error *err)
{
    int fd = -1;
    enum sk_status status = try_lock(&fd, path, OWN, err);
    if (status == SK_BUSY)
        return sk_fail(err, SK_BUSY, "%s is in use by another program", path);
    return status == SK_OK ? keep_lock(out, fd, err) : status;
}

void sk_dir_unlock(struct sk_dir_lock *lock)
{
    if (!lock)
        return;
    sk_call_close(lock->fd);
    free(lock);
}

/* ---- what stands where ---- */

bool sk_dir_holds(const char *dir, const char *path)
{
    sk_auto_buf at = SK_BUF_INIT;
    struct stat outer, here, above;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (sk_buf_add(&at, len > 0 ? path : "./", len > 0 ? len : 2, NULL) != SK_OK ||
        sk_call_stat(dir, &outer) || sk_call_stat(sk_buf_text(&at), &here))
        return false;
    for (;;) {
        if (here.st_dev == outer.st_dev && here.st_ino == outer.st_ino)
            return true;
        if (sk_buf_add_text(&at, "/..", NULL) != SK_OK || sk_call_stat(sk_buf_text(&at), &above) ||
            (above.st_dev == here.st_dev && above.st_ino == here.st_ino))
            return false; /* the root is above itself */
        here = above;
    }
}
