#include "tests/support/temp_dir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS 8

__attribute__((noreturn)) static void fail(const char *what, const char *path)
{
    fprintf(stderr, "%s: ", path);
    perror(what);
    abort();
}

char *sk_temp_dir_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *dir = sk_temp_path(parent && *parent ? parent : "/tmp", "skrynia-test-XXXXXX");
    if (!mkdtemp(dir))
        fail("mkdtemp", dir);
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    return remove(path);
}

void sk_temp_dir_remove(char *dir)
{
    if (!dir)
        return;
    (void)nftw(dir, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(dir);
}

char *sk_temp_path(const char *dir, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        fail("asprintf", name);
    return path;
}

uint8_t *sk_temp_read(const char *path, size_t *len)
{
    *len = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct stat st;
    if (fstat(fileno(file), &st))
        fail("fstat", path);
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    if (!bytes || fread(bytes, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
        fail("fread", path);
    (void)fclose(file);
    bytes[st.st_size] = 0;
    *len = (size_t)st.st_size;
    return bytes;
}

void sk_temp_write(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (!file || (len > 0 && fwrite(bytes, 1, len, file) != len) || fclose(file))
        fail("fwrite", path);
}

void sk_temp_copy(const char *from, const char *to)
{
    size_t len;
    uint8_t *bytes = sk_temp_read(from, &len);
    if (bytes)
        sk_temp_write(to, bytes, len);
    else
        (void)unlink(to);
    free(bytes);
}

int sk_temp_contains(const char *path, const void *needle, size_t len)
{
    size_t file_len;
    uint8_t *bytes = sk_temp_read(path, &file_len);
    int found = bytes && memmem(bytes, file_len, needle, len) != NULL;
    free(bytes);
    return found;
}
