#include "tests/support/fat.h"

#include "core/file.h"
#include "core/file_calls.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PATH_LEN 1024
#define FAT_MAX  0xffffffffll

static char *root;
static enum sk_fat_lie lie;
static bool stays;

static void fail(const char *what)
{
    perror(what);
    abort();
}

/* The last part of a path of the stick, NULL for another path. */
static const char *name_on_stick(const char *path)
{
    size_t len = strlen(root);
    if (strncmp(path, root, len) != 0 || path[len] != '/' || strchr(path + len + 1, '/'))
        return NULL;
    return path + len + 1;
}

static bool valid_name(const char *name)
{
    for (const char *at = name; *at; at++) {
        if ((unsigned char)*at < ' ' || strchr("\"*:<>?|\\", *at))
            return false;
    }
    return true;
}

/* The path of the file that has the name in any case, or would get it. False: none can. */
static bool translate(char out[static PATH_LEN], const char *path)
{
    const char *name = name_on_stick(path);
    struct dirent *entry = NULL;
    int len = snprintf(out, PATH_LEN, "%s", path);
    if (len < 0 || len >= PATH_LEN)
        fail("a path is too long");
    if (!name || !*name)
        return true;
    char *last = out + strlen(root) + 1;
    for (char *at = last; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    DIR *dir = opendir(root);
    if (!dir)
        return true;
    while ((entry = readdir(dir)) != NULL) {
        if (strcasecmp(entry->d_name, name) == 0)
            memcpy(last, entry->d_name, strlen(entry->d_name) + 1);
    }
    (void)closedir(dir);
    return valid_name(name);
}

static bool on_stick(int fd, char path[static PATH_LEN])
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH_LEN - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    size_t root_len = strlen(root);
    return strncmp(path, root, root_len) == 0 && (path[root_len] == '/' || path[root_len] == '\0');
}

static int fat_open(const char *path, int flags, mode_t mode)
{
    char real[PATH_LEN];
    if ((flags & O_TMPFILE) == O_TMPFILE && strcmp(path, root) == 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (!translate(real, path) && (flags & O_CREAT)) {
        errno = EINVAL;
        return -1;
    }
    /* Nobody's permissions are kept there. */
    return sk_system_calls.open(real, flags, name_on_stick(path) ? 0777 : mode);
}

static int fat_lstat(const char *path, struct stat *out)
{
    char real[PATH_LEN];
    (void)translate(real, path);
    return sk_system_calls.lstat(real, out);
}

static int fat_stat(const char *path, struct stat *out)
{
    char real[PATH_LEN];
    (void)translate(real, path);
    return sk_system_calls.stat(real, out);
}

static int fat_unlink(const char *path)
{
    char real[PATH_LEN];
    (void)translate(real, path);
    return sk_system_calls.unlink(real);
}

static int fat_rename(const char *from, const char *to)
{
    char real[PATH_LEN], new[PATH_LEN];
    (void)translate(real, from);
    if (!translate(new, to)) {
        errno = EINVAL;
        return -1;
    }
    return sk_system_calls.rename(real, new);
}

static int fat_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (!name_on_stick(from) && !name_on_stick(to))
        return sk_system_calls.renameat2(from_dir, from, to_dir, to, flags);
    errno = EINVAL;
    return -1;
}

static int fat_link(const char *from, const char *to)
{
    if (!name_on_stick(from) && !name_on_stick(to))
        return sk_system_calls.link(from, to);
    errno = EPERM;
    return -1;
}

static int fat_fsync(int fd)
{
    char path[PATH_LEN];
    struct stat st;
    if (on_stick(fd, path) && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return sk_system_calls.fsync(fd);
}

static off_t fat_lseek(int fd, off_t offset, int whence)
{
    char path[PATH_LEN];
    if (whence == SEEK_SET && offset > FAT_MAX && on_stick(fd, path)) {
        errno = EINVAL;
        return -1;
    }
    return sk_system_calls.lseek(fd, offset, whence);
}

static void spoil(const char *path)
{
    char byte = 0;
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        fail(path);
    off_t half = st.st_size / 2;
    bool failed = false;
    if (lie == SK_FAT_FLIPS) {
        failed = pread(fd, &byte, 1, half) != 1;
        byte = (char)(byte ^ 16);
        failed = failed || pwrite(fd, &byte, 1, half) != 1;
    } else if (lie == SK_FAT_DROPS) {
        failed = ftruncate(fd, half) != 0 || ftruncate(fd, st.st_size) != 0;
    } else if (lie == SK_FAT_CUTS) {
        failed = ftruncate(fd, half) != 0;
    } else {
        failed = ftruncate(fd, 0) != 0 || unlink(path) != 0;
    }
    if (failed || close(fd) != 0)
        fail(path);
}

static int fat_fadvise(int fd, off_t offset, off_t len, int advice)
{
    char path[PATH_LEN];
    if (on_stick(fd, path) && lie != SK_FAT_HONEST)
        spoil(path);
    return sk_system_calls.posix_fadvise(fd, offset, len, advice);
}

static int fat_resident(int fd, off_t len)
{
    (void)fd, (void)len;
    return stays;
}

void sk_fat_begin(const char *dir)
{
    static struct sk_file_calls calls;
    root = realpath(dir, NULL);
    if (!root || strcmp(root, dir) != 0)
        fail(dir);
    lie = SK_FAT_HONEST;
    stays = false;
    calls = sk_system_calls;
    calls.open = fat_open;
    calls.lstat = fat_lstat;
    calls.stat = fat_stat;
    calls.unlink = fat_unlink;
    calls.rename = fat_rename;
    calls.renameat2 = fat_renameat2;
    calls.link = fat_link;
    calls.fsync = fat_fsync;
    calls.lseek = fat_lseek;
    calls.posix_fadvise = fat_fadvise;
    calls.resident = fat_resident;
    sk_file_use_calls(&calls);
}

void sk_fat_end(void)
{
    sk_file_use_calls(NULL);
    free(root);
    root = NULL;
}

void sk_fat_lies(enum sk_fat_lie with)
{
    lie = with;
}

void sk_fat_stays_in_memory(bool does)
{
    stays = does;
}
