#include "core/file.h"

#include "core/file_internal.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_NAME_LEN     8
#define DESCRIPTOR_PATH_LEN 32
#define LOAD_STEP           65536
#define WRITE_OUT_LEN       ((size_t)32 * 1024 * 1024)
#define CREATE_FLAGS        (O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW)
#define NO_SUCH_NAME \
    "the medium takes no such name (FAT and exFAT take none with any of \" * : < > ? | \\)"

struct sk_file {
    int fd;
    char *path;      /* as opened, or the final name of a temporary file */
    char *temporary; /* the name it has until it is published; otherwise NULL */
    bool nameless;   /* it has none at all until then */
    size_t waiting;  /* bytes written since the system was asked to write out */
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

enum sk_status sk_file_sync_parent(const char *path, struct sk_error *err)
{
    sk_auto_free char *parent = NULL;
    SK_TRY(parent_of(&parent, path, err));
    return sk_dir_sync(parent, err);
}

/* ---- opening and creating ---- */

enum sk_status sk_file_fail_create(struct sk_error *err, const char *path)
{
    if (errno == EEXIST)
        return sk_fail(err, SK_CREATE, "%s exists already and was left as it is", path);
    if (errno == EINVAL || errno == EILSEQ || errno == ENAMETOOLONG)
        return sk_fail_errno(err, SK_CREATE, "%s cannot be created: " NO_SUCH_NAME, path);
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
        sk_call_close(fd);
        if (temporary)
            sk_call_unlink(temporary);
        free(temporary);
        free(copy);
        free(file);
        return sk_fail_status(err, SK_NOMEM);
    }
    *file = (struct sk_file){.fd = fd, .path = copy, .temporary = temporary};
    *out = file;
    return SK_OK;
}

static enum sk_status open_with(struct sk_file **out, const char *path, int flags, bool any,
                                struct sk_error *err)
{
    int fd = sk_call_open(path, O_CLOEXEC | O_NOCTTY | flags, SK_FILE_MODE);
    if (fd < 0)
        return sk_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? SK_MISSING : SK_IO,
                             "%s cannot be opened", path[0] ? path : "a file without a name");
    struct stat st;
    bool known = sk_call_fstat(fd, &st) == 0;
    if (known && !S_ISDIR(st.st_mode) && (any || S_ISREG(st.st_mode)))
        return file_new(out, fd, path, NULL, err);
    int number = errno;
    sk_call_close(fd);
    errno = number;
    if (!known)
        return sk_fail_errno(err, SK_IO, "%s cannot be opened", path);
    if (S_ISDIR(st.st_mode))
        return sk_fail(err, SK_IO, "%s is a folder, not a file", path);
    return sk_fail(err, SK_REFUSED, "%s is not a regular file", path);
}

enum sk_status sk_file_open(struct sk_file **out, const char *path, struct sk_error *err)
{
    return open_with(out, path, O_RDONLY, true, err);
}

enum sk_status sk_file_open_regular(struct sk_file **out, const char *path, struct sk_error *err)
{
    return open_with(out, path, O_RDONLY | O_NONBLOCK, false, err);
}

enum sk_status sk_file_open_unlinked(struct sk_file **out, const char *path, struct sk_error *err)
{
    return open_with(out, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, false, err);
}

enum sk_status sk_file_open_over(struct sk_file **out, const char *path, struct sk_error *err)
{
    return open_with(out, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW, false, err);
}

enum sk_status sk_file_adopt(struct sk_file **out, int fd, const char *name, struct sk_error *err)
{
    return file_new(out, fd, name, NULL, err);
}

int sk_file_descriptor(const struct sk_file *file)
{
    return file->fd;
}

enum sk_status sk_file_create(struct sk_file **out, const char *path, struct sk_error *err)
{
    int fd = sk_call_open(path, CREATE_FLAGS, SK_FILE_MODE);
    if (fd < 0)
        return sk_file_fail_create(err, path);
    return file_new(out, fd, path, NULL, err);
}

enum sk_status sk_file_try_name(const char *path, struct sk_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool odd = strpbrk(name, "\"*:<>?|\\") != NULL;
    for (const char *at = name; *at; at++)
        odd = odd || (unsigned char)*at < ' ';
    if (!odd)
        return SK_OK;
    int fd = sk_call_open(path, CREATE_FLAGS, SK_FILE_MODE);
    if (fd < 0) {
        /* What FAT and exFAT say through FUSE. */
        if (errno == EPERM || errno == ENOENT)
            return sk_fail(err, SK_CREATE,
                           "%s cannot be created: there is no such folder, or " NO_SUCH_NAME, path);
        return sk_file_fail_create(err, path);
    }
    sk_call_close(fd);
    sk_call_unlink(path);
    return SK_OK;
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

/* The way to an open file that has no name. */
static void descriptor_path(char out[static DESCRIPTOR_PATH_LEN], int fd)
{
    (void)snprintf(out, DESCRIPTOR_PATH_LEN, "/proc/self/fd/%d", fd);
}

/*
 * A file in that folder that has no name, so that nothing of it stays when this process is killed.
 * -1 where the file system has no such files (FAT, network), or where no /proc is there by which
 * it could be named later.
 */
static int open_nameless(const char *folder)
{
    char by_descriptor[DESCRIPTOR_PATH_LEN];
    struct stat made, found;
    int fd = sk_call_open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, SK_FILE_MODE);
    if (fd < 0)
        return -1;
    descriptor_path(by_descriptor, fd);
    if (sk_call_fstat(fd, &made) == 0 && sk_call_stat(by_descriptor, &found) == 0 &&
        made.st_dev == found.st_dev && made.st_ino == found.st_ino)
        return fd;
    sk_call_close(fd);
    return -1;
}

/*
 * Names it. Whoever calls this has synced it, and syncs it once more: only then does btrfs write
 * the size and the place of the bytes to its log of syncs, which it does for no file without a
 * name.
 */
static int give_name(struct sk_file *file, const char *name)
{
    char by_descriptor[DESCRIPTOR_PATH_LEN];
    descriptor_path(by_descriptor, file->fd);
    if (sk_call_link_through(by_descriptor, name) != 0)
        return -1;
    file->nameless = false;
    return 0;
}

enum sk_status sk_file_create_beside(struct sk_file **out, const char *path, struct sk_error *err)
{
    char *temporary = NULL;
    sk_auto_free char *parent = NULL;
    SK_TRY(parent_of(&parent, path, err));
    int fd = open_nameless(parent);
    if (fd >= 0) {
        SK_TRY(file_new(out, fd, path, NULL, err));
        (*out)->nameless = true;
        return SK_OK;
    }
    SK_TRY(temporary_name(&temporary, path, err));
    fd = sk_call_open(temporary, CREATE_FLAGS, SK_FILE_MODE);
    if (fd < 0) {
        free(temporary);
        return sk_file_fail_create(err, path);
    }
    return file_new(out, fd, path, temporary, err);
}

/*
 * Renames without replacing. File systems that do not know RENAME_NOREPLACE (FUSE, network) get a
 * hard link, which fails as well when the name is taken; those without links get a look before. (An
 * empty file to hold the name would be found under it after a power cut.)
 */
static int rename_onto_free_name(const char *from, const char *to)
{
    if (sk_call_rename_new(from, to) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -1;
    if (sk_call_link(from, to) == 0) {
        sk_call_unlink(from);
        return 0;
    }
    if (errno == EEXIST)
        return -1;
    struct stat st;
    if (sk_call_lstat(to, &st) == 0)
        errno = EEXIST;
    return errno == ENOENT ? sk_call_rename(from, to) : -1;
}

/* The file gets its name, unless something has it. */
static int name_new(struct sk_file *file)
{
    if (file->nameless)
        return give_name(file, file->path);
    if (rename_onto_free_name(file->temporary, file->path) != 0)
        return -1;
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

static enum sk_status sync_whole(struct sk_file *file, struct sk_error *err)
{
    if (sk_call_fsync(file->fd))
        return sk_fail_errno(err, SK_IO, "%s was not saved", file->path);
    return SK_OK;
}

/*
 * Gives the file its name and makes that durable, or takes it back: a name that may be gone after a
 * power cut is none, and who is told of a failure may try again under it.
 */
static enum sk_status publish_new(struct sk_file *file, struct sk_error *err)
{
    bool was_nameless = file->nameless;
    if (name_new(file) != 0)
        return sk_file_fail_create(err, file->path);
    enum sk_status status = was_nameless ? sync_whole(file, err) : SK_OK;
    if (status == SK_OK)
        status = sk_file_sync_parent(file->path, err);
    if (status != SK_OK)
        (void)sk_call_unlink(file->path);
    return status;
}

/* The old file gets its name again. If it cannot, it must not go the way of temporary ones. */
static enum sk_status put_back(struct sk_file *file, enum sk_status why, struct sk_error *err)
{
    if (sk_call_rename_exchange(file->temporary, file->path) == 0)
        return why;
    bool back = sk_call_rename(file->temporary, file->path) == 0;
    sk_auto_free char *old = file->temporary;
    file->temporary = NULL;
    if (back)
        return why;
    sk_error_clear(err);
    return sk_fail_errno(err, why, "%s may not be saved; the one before it is kept as %s",
                         file->path, old);
}

/* What is to take the place of another file needs a name for that. */
static enum sk_status name_beside(struct sk_file *file, struct sk_error *err)
{
    sk_auto_free char *temporary = NULL;
    SK_TRY(temporary_name(&temporary, file->path, err));
    if (give_name(file, temporary) != 0)
        return sk_file_fail_create(err, file->path);
    file->temporary = SK_TAKE(temporary);
    return sync_whole(file, err);
}

/*
 * The same in the place of another file, which gets the temporary name until the new one is
 * durable. File systems that cannot exchange two names replace at once.
 */
static enum sk_status publish_over(struct sk_file *file, struct sk_error *err)
{
    enum sk_status status = file->nameless ? name_beside(file, err) : SK_OK;
    if (status != SK_OK)
        return status;
    if (sk_call_rename_exchange(file->temporary, file->path) == 0) {
        status = sk_file_sync_parent(file->path, err);
        if (status != SK_OK)
            return put_back(file, status, err);
        /* The new one has the name for good; should the old one come back, it is a stray file. */
        (void)sk_call_unlink(file->temporary);
        sk_ignore(sk_file_sync_parent(file->path, NULL));
    } else {
        if (sk_call_rename(file->temporary, file->path))
            return sk_file_fail_create(err, file->path);
        status = sk_file_sync_parent(file->path, err);
    }
    free(file->temporary);
    file->temporary = NULL;
    return status;
}

enum sk_status sk_file_publish(struct sk_file *file, bool replace, struct sk_error *err)
{
    if (!file->temporary && !file->nameless)
        return sk_fail_status(err, SK_INTERNAL);
    SK_TRY(sync_whole(file, err));
    return replace ? publish_over(file, err) : publish_new(file, err);
}

void sk_file_close(struct sk_file *file)
{
    if (!file)
        return;
    sk_call_close(file->fd);
    if (file->temporary)
        sk_call_unlink(file->temporary);
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
        ssize_t got = sk_call_pread(file->fd, to, len, (off_t)offset);
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
        ssize_t n = sk_call_read(file->fd, (uint8_t *)out + done, len - done);
        if (n < 0)
            return sk_fail_errno(err, SK_IO, "%s cannot be read", file->path);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return SK_OK;
}

/*
 * A large file is written out as it grows, and not in the last second, while a person waits before
 * a stick and sees nothing: told to forget a file, Linux begins to write what of it is not written.
 */
static void write_out(struct sk_file *file, size_t len)
{
    file->waiting += len;
    if (file->waiting < WRITE_OUT_LEN)
        return;
    file->waiting = 0;
    (void)sk_call_fadvise(file->fd, POSIX_FADV_DONTNEED);
}

enum sk_status sk_file_write(struct sk_file *file, const void *bytes, size_t len,
                             struct sk_error *err)
{
    const uint8_t *from = bytes;
    write_out(file, len);
    while (len > 0) {
        ssize_t n = sk_call_write(file->fd, from, len);
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
    if (sk_call_fdatasync(file->fd))
        return sk_fail_errno(err, SK_IO, "%s was not saved", file->path);
    return SK_OK;
}

bool sk_file_uncache(struct sk_file *file)
{
    struct stat st;
    return sk_call_fadvise(file->fd, POSIX_FADV_DONTNEED) == 0 &&
           sk_call_fstat(file->fd, &st) == 0 && sk_call_resident(file->fd, st.st_size) == 0;
}

enum sk_status sk_file_seek(struct sk_file *file, uint64_t offset, struct sk_error *err)
{
    if (offset > (uint64_t)INT64_MAX || sk_call_lseek(file->fd, (off_t)offset, SEEK_SET) < 0)
        return sk_fail_errno(err, SK_IO, "%s cannot be read or written out of order", file->path);
    return SK_OK;
}

enum sk_status sk_file_size(struct sk_file *file, uint64_t *size, bool *regular,
                            struct sk_error *err)
{
    struct stat st;
    if (sk_call_fstat(file->fd, &st))
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
    if (sk_call_unlink(path)) {
        if (errno == ENOENT)
            return SK_OK;
        return sk_fail_errno(err, SK_IO, "%s cannot be removed", path);
    }
    return sk_file_sync_parent(path, err);
}

enum sk_status sk_file_length(const char *path, uint64_t *bytes, struct sk_error *err)
{
    struct stat st;
    if (sk_call_stat(path, &st))
        return sk_fail_errno(err, errno == ENOENT ? SK_MISSING : SK_IO, "%s cannot be read", path);
    *bytes = (uint64_t)st.st_size;
    return SK_OK;
}

bool sk_file_exists(const char *path)
{
    struct stat st;
    return sk_call_lstat(path, &st) == 0;
}

enum sk_status sk_file_find(const char *path, bool *there, struct sk_error *err)
{
    struct stat st;
    bool found = sk_call_lstat(path, &st) == 0;
    if (!found && errno != ENOENT && errno != ENOTDIR)
        return sk_fail_errno(err, SK_IO, "%s cannot be looked at", path);
    *there = found;
    return SK_OK;
}

bool sk_file_read_only(const char *path)
{
    return sk_call_access(path, R_OK) == 0 && sk_call_access(path, W_OK) != 0 &&
           (errno == EROFS || errno == EACCES);
}

static const char *kind_of(mode_t mode)
{
    return S_ISLNK(mode)   ? "a link"
           : S_ISDIR(mode) ? "a folder"
           : S_ISREG(mode) ? "a file"
                           : "a pipe or a device";
}

enum sk_status sk_file_check(const char *path, bool folder, bool *there, struct sk_error *err)
{
    struct stat st;
    bool found = sk_call_lstat(path, &st) == 0;
    if (!found && errno != ENOENT && errno != ENOTDIR)
        return sk_fail_errno(err, SK_IO, "%s cannot be looked at", path);
    if (there)
        *there = found;
    if (!found || (folder ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
        return SK_OK;
    return sk_fail(err, SK_DAMAGED, "%s: %s has the place of a %s of the store", path,
                   kind_of(st.st_mode), folder ? "folder" : "file");
}

enum sk_status sk_file_space(const char *path, uint64_t *bytes, struct sk_error *err)
{
    struct statvfs fs;
    int failed = sk_call_statvfs(path, &fs);
    if (failed && errno == ENOENT) {
        sk_auto_free char *parent = NULL;
        SK_TRY(parent_of(&parent, path, err));
        failed = sk_call_statvfs(parent, &fs);
    }
    if (failed)
        return sk_fail_errno(err, SK_IO, "the free space at %s cannot be found out", path);
    *bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize;
    return SK_OK;
}

/* The system refuses to go to a place that no file on that medium can have. */
enum sk_status sk_file_reserve(struct sk_file *file, uint64_t bytes, struct sk_error *err)
{
    uint64_t space = 0;
    bool fits = bytes <= INT64_MAX && sk_call_lseek(file->fd, (off_t)bytes, SEEK_SET) >= 0;
    if (!fits)
        return sk_fail(err, SK_LIMIT,
                       "%s: the medium takes no file of %llu bytes (FAT ends at 4 GiB)", file->path,
                       (unsigned long long)bytes);
    SK_TRY(sk_file_seek(file, 0, err));
    SK_TRY(sk_file_space(file->temporary ? file->temporary : file->path, &space, err));
    if (space < bytes)
        return sk_fail(err, SK_FULL, "%s: %llu bytes are needed there, and %llu are free",
                       file->path, (unsigned long long)bytes, (unsigned long long)space);
    return SK_OK;
}
