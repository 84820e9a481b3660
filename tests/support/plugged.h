/*
 * The encrypting VFS over the disk in memory, called as SQLite calls it, without SQLite; and the
 * means to change what stands in its files behind its back.
 */
#ifndef SK_TESTS_PLUGGED_H
#define SK_TESTS_PLUGGED_H

#include "core/vfs.h"
#include "crypto/secret.h"
#include "tests/support/disk.h"
#include "tests/support/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define PAGE     4096
#define PREAMBLE 8192
#define RESERVED 40

static struct sk_vfs *vfs;
static sqlite3_vfs *methods;
static const char *name;
static sqlite3_file *data;
static sqlite3_file *wal;

static inline void *allocate(size_t len)
{
    void *p = calloc(1, len);
    assert_non_null(p);
    return p;
}

static inline void plug_in(bool create, bool read_only)
{
    const struct sk_vfs_options options = {
        .name = "under-test",
        .base = SK_DISK_VFS,
        .store_key = sk_work_key,
        .store_id = sk_work_id,
        .create = create,
        .read_only = read_only,
    };
    assert_int_equal(sk_vfs_register(&vfs, &options, NULL), SK_OK);
    assert_string_equal(sk_vfs_name(vfs), "under-test");
    methods = sqlite3_vfs_find("under-test");
    assert_non_null(methods);
    data = allocate((size_t)methods->szOsFile);
    wal = allocate((size_t)methods->szOsFile);
}

static inline int open_data(void)
{
    return methods->xOpen(methods, name, data,
                          SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
}

static inline int open_wal(void)
{
    return methods->xOpen(methods, sqlite3_filename_wal(name), wal,
                          SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
}

static inline void close_file(sqlite3_file *file)
{
    if (file->pMethods)
        file->pMethods->xClose(file);
    file->pMethods = NULL;
}

static inline void unplug(void)
{
    close_file(wal);
    close_file(data);
    sk_vfs_unregister(vfs);
    free(wal);
    free(data);
}

/* Opens again what is there, as a new process would. */
static inline void replug(void)
{
    unplug();
    sk_disk_settle();
    plug_in(false, false);
    assert_int_equal(open_data(), SQLITE_OK);
    assert_int_equal(data->pMethods->xLock(data, SQLITE_LOCK_SHARED), SQLITE_OK);
}

static inline int begin(void **state)
{
    (void)state;
    if (sk_crypto_init() != SK_OK)
        return -1;
    sk_disk_begin(true, 512);
    name = sqlite3_create_filename(SK_WORK_PATH, SK_WORK_PATH "-journal", SK_WORK_WAL, 0, NULL);
    plug_in(true, false);
    return open_data() == SQLITE_OK ? 0 : -1;
}

static inline int end(void **state)
{
    (void)state;
    unplug();
    sqlite3_free_filename(name);
    sk_disk_end();
    return sk_secret_live_count() == 0 ? 0 : -1;
}

/* A page of bytes that follow from its number; page 1 has the header that the VFS asks for. */
static inline const uint8_t *make_page(unsigned number)
{
    static uint8_t page[PAGE];
    memset(page, (int)(number * 7 + 1), PAGE - RESERVED);
    memset(page + PAGE - RESERVED, 0, RESERVED);
    if (number == 1) {
        page[16] = PAGE >> 8;
        page[17] = 0;
        page[20] = RESERVED;
    }
    return page;
}

static inline int write_page(unsigned number)
{
    return data->pMethods->xWrite(data, make_page(number), PAGE,
                                  (sqlite3_int64)(number - 1) * PAGE);
}

static inline int read_page(unsigned number, uint8_t *out)
{
    return data->pMethods->xRead(data, out, PAGE, (sqlite3_int64)(number - 1) * PAGE);
}

static inline void assert_page(unsigned number)
{
    uint8_t page[PAGE];
    assert_int_equal(read_page(number, page), SQLITE_OK);
    assert_memory_equal(page, make_page(number), PAGE);
}

static inline sqlite3_int64 size_of(sqlite3_file *file)
{
    sqlite3_int64 size = -1;
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    return size;
}

static inline size_t size_on_disk(const char *path)
{
    size_t len;
    free(sk_disk_read(path, &len));
    return len;
}

static inline void flip(const char *path, size_t offset)
{
    size_t len;
    uint8_t *bytes = sk_disk_read(path, &len);
    assert_true(offset < len);
    bytes[offset] ^= 1;
    sk_disk_write(path, bytes, len);
    free(bytes);
}

/* Puts one block in the place of another, and the other in its place. */
static inline void swap_on_disk(const char *path, size_t a, size_t b, size_t block)
{
    size_t len;
    uint8_t *bytes = sk_disk_read(path, &len);
    uint8_t *room = allocate(block);
    assert_true(a + block <= len && b + block <= len);
    memcpy(room, bytes + a, block);
    memcpy(bytes + a, bytes + b, block);
    memcpy(bytes + b, room, block);
    sk_disk_write(path, bytes, len);
    free(bytes);
    free(room);
}

static inline void count_page(void *context, uint64_t page)
{
    uint64_t *bits = context;
    *bits |= UINT64_C(1) << page;
}

#endif
