#include "core/file.h"

#include "crypto/secret.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE       0600
#define DIR_MODE        0700
#define RANDOM_NAME_LEN 8
#define DISCARD_FDS     8
#define LOCK_POLL_NS    50000000L
#define LOAD_STEP       65536
#define CREATE_FLAGS    (O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW)

struct sk_file {
    int fd;
    char *path;      /* as opened, or the final name of a temporary file */
    char *temporary; /* the name it has until it is published; otherwise NULL */
};

void sk_free_cleanup(void *pointer_to_pointer)
{
    void *pointer;
    memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
    free(pointer);
}

/* ---- paths ---- */

enum sk_status sk_path_join(char **out, const char *dir, const char *name, struct sk_error *err)
{
    size_t dir_len = strlen(dir);
    size_t room = dir_len + 1 + strlen(name) + 1;
    char *path = malloc(room);
    if (!path)
        return sk_fail_status(err, SK_NOMEM);
    const char *slash = dir_len > 0 && dir[dir_len - 1] == '/' ? "" : "/";
    (void)snprintf(path, room, "%s%s%s", dir, slash, name);
    *out = path;
    return SK_OK;
}

/* The folder that holds `path`, in a new string. */
static enum sk_status parent_of(char **out, const char *path, struct sk_error *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    char *parent = len > 0 ? strndup(path, len) : strdup(".");
    if (!parent)
        return sk_fail_status(err, SK_NOMEM);
    *out = parent;
    return SK_OK;
}

static enum sk_status sync_parent(const char *path, struct sk_error *err)
{
    sk_auto_free char *parent = NULL;
    SK_TRY(parent_of(&parent, path, err));
    return sk_dir_sync(parent, err);
}

/* ---- opening and creating ---- */

static int open_retrying(const char *path, int flags)
{
    int fd;
    do
        fd = open(path, flags, FILE_MODE);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static enum sk_status fail_create(struct sk_error *err, const char *path)
{
    if (errno == EEXIST)
        return sk_fail(err, SK_CREATE, "%s exists already and was left as it is", path);
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return sk_fail_errno(err, full ? SK_IO : SK_CREATE, "%s cannot be created", path);
}

/* Takes over fd and temporary (may be NULL), also on failure. */
static enum sk_status file_new(struct sk_file **out, int fd, const char *path, char *temporary,
                               struct sk_error *err)
{
    struct sk_file *file = calloc(1, sizeof(*file));
    char *copy = strdup(path);
    if (!file || !copy) {
        close(fd);
        if (temporary)
            unlink(temporary);
        free(temporary);
        free(copy);
        free(file);
        return sk_fail_status(err, SK_NOMEM);
    }
    *file = (struct sk_file){.fd = fd, .path = copy, .temporary = temporary};
    *out = file;
    return SK_OK;
}

enum sk_status sk_file_open(struct sk_file **out, const char *path, struct sk_error *err)
{
    int fd = open_retrying(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "%s cannot be opened", path);
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return sk_fail(err, SK_IO, "%s is a folder, not a file", path);
    }
    return file_new(out, fd, path, NULL, err);
}

enum sk_status sk_file_create(struct sk_file **out, const char *path, struct sk_error *err)
{
    int fd = open_retrying(path, CREATE_FLAGS);
    if (fd < 0)
        return fail_create(err, path);
    return file_new(out, fd, path, NULL, err);
}

static enum sk_status temporary_name(char **out, const char *path, struct sk_error *err)
{
    uint8_t random[RANDOM_NAME_LEN];
    char name[1 + 2 * RANDOM_NAME_LEN + sizeof(".part")];
    sk_auto_free char *parent = NULL;

    SK_TRY(parent_of(&parent, path, err));
    sk_random(random, sizeof(random));
    size_t len = 0;
    name[len++] = '.';
    for (size_t i = 0; i < sizeof(random); i++, len += 2)
        (void)snprintf(name + len, 3, "%02x", random[i]);
    memcpy(name + len, ".part", sizeof(".part"));
    return sk_path_join(out, parent, name, err);
}

bool sk_file_is_temporary(const char *name)
{
    size_t digits = (size_t)2 * RANDOM_NAME_LEN;
    return name[0] == '.' && strspn(name + 1, "0123456789abcdef") == digits &&
           strcmp(name + 1 + digits, ".part") == 0;
}

enum sk_status sk_file_create_beside(struct sk_file **out, const char *path, struct sk_error *err)
{
    char *temporary = NULL;
    SK_TRY(temporary_name(&temporary, path, err));
    int fd = open_retrying(temporary, CREATE_FLAGS);
    if (fd < 0) {
        free(temporary);
        return fail_create(err, path);
    }
    return file_new(out, fd, path, temporary, err);
}

/*
 * Renames without replacing. File systems that do not know RENAME_NOREPLACE (FUSE, network) get a
 * hard link, which fails as well when the name is taken; those without links get a look before.
 */
static int rename_onto_free_name(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -1;
    if (link(from, to) == 0) {
        unlink(from);
        return 0;
    }
    if (errno == EEXIST)
        return -1;
    if (sk_file_exists(to)) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

enum sk_status sk_file_publish(struct sk_file *file, bool replace, struct sk_error *err)
{
    if (!file->temporary)
        return sk_fail_status(err, SK_INTERNAL);
    if (fsync(file->fd))
        return sk_fail_errno(err, SK_IO, "%s was not saved", file->path);
    int failed = replace ? rename(file->temporary, file->path)
                         : rename_onto_free_name(file->temporary, file->path);
    if (failed)
        return fail_create(err, file->path);
    free(file->temporary);
    file->temporary = NULL;
    return sync_parent(file->path, err);
}

void sk_file_close(struct sk_file *file)
{
    if (!file)
        return;
    close(file->fd);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    free(file);
}

/* ---- reading and writing ---- */

enum sk_status sk_file_read_at(struct sk_file *file, void *out, size_t len, uint64_t offset,
                               struct sk_error *err)
{
    uint8_t *to = out;
    if (offset > (uint64_t)INT64_MAX - len)
        return sk_fail(err, SK_DAMAGED, "%s ends too early", file->path);
    while (len > 0) {
        ssize_t got = pread(file->fd, to, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sk_fail_errno(err, SK_IO, "%s cannot be read", file->path);
        if (got == 0)
            return sk_fail(err, SK_DAMAGED, "%s ends too early", file->path);
        to += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    return SK_OK;
}

enum sk_status sk_file_read(struct sk_file *file, void *out, size_t len, size_t *got,
                            struct sk_error *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = read(file->fd, (uint8_t *)out + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sk_fail_errno(err, SK_IO, "%s cannot be read", file->path);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return SK_OK;
}

enum sk_status sk_file_write(struct sk_file *file, const void *bytes, size_t len,
                             struct sk_error *err)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        ssize_t n = write(file->fd, from, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return sk_fail_errno(err, SK_IO, "%s cannot be written", file->path);
        from += n;
        len -= (size_t)n;
    }
    return SK_OK;
}

enum sk_status sk_file_sync(struct sk_file *file, struct sk_error *err)
{
    if (fdatasync(file->fd))
        return sk_fail_errno(err, SK_IO, "%s was not saved", file->path);
    return SK_OK;
}

void sk_file_uncache(struct sk_file *file)
{
    (void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

enum sk_status sk_file_rewind(struct sk_file *file, struct sk_error *err)
{
    if (lseek(file->fd, 0, SEEK_SET) < 0)
        return sk_fail_errno(err, SK_IO, "%s cannot be read twice", file->path);
    return SK_OK;
}

enum sk_status sk_file_size(struct sk_file *file, uint64_t *size, bool *regular,
                            struct sk_error *err)
{
    struct stat st;
    if (fstat(file->fd, &st))
        return sk_fail_errno(err, SK_IO, "%s cannot be read", file->path);
    *regular = S_ISREG(st.st_mode);
    *size = *regular ? (uint64_t)st.st_size : 0;
    return SK_OK;
}

const char *sk_file_path(const struct sk_file *file)
{
    return file->path;
}

/* ---- whole files ---- */

enum sk_status sk_file_load(struct sk_buf *out, const char *path, size_t most, struct sk_error *err)
{
    sk_auto_file file = NULL;
    sk_auto_buf whole = SK_BUF_INIT;
    SK_TRY(sk_file_open(&file, path, err));

    for (;;) {
        size_t step = most - whole.len < LOAD_STEP ? most - whole.len + 1 : LOAD_STEP;
        size_t got;
        SK_TRY(sk_buf_grow(&whole, step, err));
        SK_TRY(sk_file_read(file, whole.bytes + whole.len, step, &got, err));
        whole.len += got;
        whole.bytes[whole.len] = 0;
        if (whole.len > most)
            return sk_fail(err, SK_LIMIT, "%s is larger than %zu bytes", path, most);
        if (got < step)
            break;
    }
    sk_buf_clear(out);
    *out = SK_TAKE(whole);
    return SK_OK;
}

enum sk_status sk_file_save(const char *path, const void *bytes, size_t len, bool replace,
                            struct sk_error *err)
{
    sk_auto_file file = NULL;
    SK_TRY(sk_file_create_beside(&file, path, err));
    SK_TRY(sk_file_write(file, bytes, len, err));
    return sk_file_publish(file, replace, err);
}

enum sk_status sk_file_remove(const char *path, struct sk_error *err)
{
    if (unlink(path)) {
        if (errno == ENOENT)
            return SK_OK;
        return sk_fail_errno(err, SK_IO, "%s cannot be removed", path);
    }
    return sync_parent(path, err);
}

bool sk_file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

enum sk_status sk_file_space(const char *path, uint64_t *bytes, struct sk_error *err)
{
    struct statvfs fs;
    int failed = statvfs(path, &fs);
    if (failed && errno == ENOENT) {
        sk_auto_free char *parent = NULL;
        SK_TRY(parent_of(&parent, path, err));
        failed = statvfs(parent, &fs);
    }
    if (failed)
        return sk_fail_errno(err, SK_IO, "the free space at %s cannot be found out", path);
    *bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize;
    return SK_OK;
}

/* ---- folders ---- */

enum sk_status sk_dir_create(const char *path, struct sk_error *err)
{
    if (mkdir(path, DIR_MODE))
        return fail_create(err, path);
    return SK_OK;
}

enum sk_status sk_dir_sync(const char *path, struct sk_error *err)
{
    int fd = open_retrying(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return sk_fail_errno(err, SK_IO, "the folder %s cannot be opened", path);
    /* Some file systems cannot sync a folder, and say so in this way. */
    bool failed = fsync(fd) != 0 && errno != EINVAL && errno != EOPNOTSUPP;
    int number = errno;
    close(fd);
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
        const struct dirent *entry = readdir(dir);
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
    DIR *dir = opendir(path);
    if (!dir)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "the folder %s cannot be opened", path);
    enum sk_status status = each_entry(dir, path, each, context, err);
    closedir(dir);
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
    if (rename(from, to)) {
        if (errno == ENOTEMPTY || errno == ENOTDIR)
            errno = EEXIST;
        return fail_create(err, to);
    }
    return sync_parent(to, err);
}

static int discard_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    (void)remove(path);
    return 0;
}

void sk_dir_discard(const char *path)
{
    (void)nftw(path, discard_one, DISCARD_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
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

/* Whether the folder that is held is still the one that has the name. */
static bool still_named(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static enum sk_status try_lock(int *out, const char *path, struct sk_error *err)
{
    int fd = open_retrying(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "the folder %s cannot be opened", path);
    bool held = flock(fd, LOCK_EX | LOCK_NB) == 0;
    int number = errno;
    if (held && still_named(fd, path)) {
        *out = fd;
        return SK_OK;
    }
    close(fd);
    if (held || number == EWOULDBLOCK || number == EINTR)
        return SK_BUSY;
    errno = number;
    return sk_fail_errno(err, SK_IO, "the folder %s cannot be locked", path);
}

enum sk_status sk_dir_lock(struct sk_dir_lock **out, const char *path, unsigned wait_s,
                           struct sk_error *err)
{
    int64_t deadline = now_ms() + (int64_t)wait_s * 1000;
    int fd = -1;
    for (;;) {
        enum sk_status status = try_lock(&fd, path, err);
        if (status == SK_OK)
            break;
        if (status != SK_BUSY)
            return status;
        if (now_ms() >= deadline)
            return sk_fail(err, SK_BUSY, "%s is in use by another program", path);
        const struct timespec pause = {.tv_nsec = LOCK_POLL_NS};
        (void)nanosleep(&pause, NULL);
    }
    struct sk_dir_lock *lock = malloc(sizeof(*lock));
    if (!lock) {
        close(fd);
        return sk_fail_status(err, SK_NOMEM);
    }
    lock->fd = fd;
    *out = lock;
    return SK_OK;
}

void sk_dir_unlock(struct sk_dir_lock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    free(lock);
}
