/*
 * Goal of this test: what the encrypting VFS promises to SQLite, call by call. It knows the
 * database and its log and nothing else; pages and frames written in any of SQLite's pieces come
 * back; reserved bytes are zeros; what cannot be sealed whole is refused.
 */
#include "core/vfs.h"
#include "crypto/secret.h"
#include "tests/support/disk.h"
#include "tests/support/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE     4096
#define PREAMBLE 8192
#define RESERVED 40
#define FRAME    (24 + PAGE)

static struct sk_vfs *vfs;
static sqlite3_vfs *methods;
static const char *name;
static sqlite3_file *data;
static sqlite3_file *wal;

static void *allocate(size_t len)
{
    void *p = calloc(1, len);
    assert_non_null(p);
    return p;
}

static void plug_in(bool create, bool read_only)
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

static int open_data(void)
{
    return methods->xOpen(methods, name, data,
                          SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
}

static int open_wal(void)
{
    return methods->xOpen(methods, sqlite3_filename_wal(name), wal,
                          SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
}

static void close_file(sqlite3_file *file)
{
    if (file->pMethods)
        file->pMethods->xClose(file);
    file->pMethods = NULL;
}

static void unplug(void)
{
    close_file(wal);
    close_file(data);
    sk_vfs_unregister(vfs);
    free(wal);
    free(data);
}

/* Opens again what is there, as a new process would. */
static void replug(void)
{
    unplug();
    sk_disk_settle();
    plug_in(false, false);
    assert_int_equal(open_data(), SQLITE_OK);
    assert_int_equal(data->pMethods->xLock(data, SQLITE_LOCK_SHARED), SQLITE_OK);
}

static int begin(void **state)
{
    (void)state;
    if (sk_crypto_init() != SK_OK)
        return -1;
    sk_disk_begin(true, 512);
    name = sqlite3_create_filename(SK_WORK_PATH, SK_WORK_PATH "-journal", SK_WORK_WAL, 0, NULL);
    plug_in(true, false);
    return open_data() == SQLITE_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    unplug();
    sqlite3_free_filename(name);
    sk_disk_end();
    return sk_secret_live_count() == 0 ? 0 : -1;
}

/* A page of bytes that follow from its number; page 1 has the header that the VFS asks for. */
static const uint8_t *make_page(unsigned number)
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

static int write_page(unsigned number)
{
    return data->pMethods->xWrite(data, make_page(number), PAGE,
                                  (sqlite3_int64)(number - 1) * PAGE);
}

static int read_page(unsigned number, uint8_t *out)
{
    return data->pMethods->xRead(data, out, PAGE, (sqlite3_int64)(number - 1) * PAGE);
}

static void assert_page(unsigned number)
{
    uint8_t page[PAGE];
    assert_int_equal(read_page(number, page), SQLITE_OK);
    assert_memory_equal(page, make_page(number), PAGE);
}

static sqlite3_int64 size_of(sqlite3_file *file)
{
    sqlite3_int64 size = -1;
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    return size;
}

static size_t size_on_disk(const char *path)
{
    size_t len;
    free(sk_disk_read(path, &len));
    return len;
}

static void flip(const char *path, size_t offset)
{
    size_t len;
    uint8_t *bytes = sk_disk_read(path, &len);
    assert_true(offset < len);
    bytes[offset] ^= 1;
    sk_disk_write(path, bytes, len);
    free(bytes);
}

/* ---- files it knows ---- */

static void other_files_are_refused(void **state)
{
    (void)state;
    static const int kinds[] = {
        SQLITE_OPEN_TEMP_DB,      SQLITE_OPEN_TRANSIENT_DB, SQLITE_OPEN_MAIN_JOURNAL,
        SQLITE_OPEN_TEMP_JOURNAL, SQLITE_OPEN_SUBJOURNAL,   SQLITE_OPEN_SUPER_JOURNAL,
    };
    sqlite3_file *file = allocate((size_t)methods->szOsFile);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        assert_int_equal(methods->xOpen(methods, NULL, file, kinds[i] | flags, NULL),
                         SQLITE_CANTOPEN);
        assert_int_equal(methods->xOpen(methods, name, file, kinds[i] | flags, NULL),
                         SQLITE_CANTOPEN);
        assert_null(file->pMethods);
    }
    /* No name; a second database; a log of another name. */
    assert_int_equal(methods->xOpen(methods, NULL, file, SQLITE_OPEN_MAIN_DB | flags, NULL),
                     SQLITE_CANTOPEN);
    assert_int_equal(methods->xOpen(methods, NULL, file, SQLITE_OPEN_WAL | flags, NULL),
                     SQLITE_CANTOPEN);
    assert_int_equal(methods->xOpen(methods, name, file, SQLITE_OPEN_MAIN_DB | flags, NULL),
                     SQLITE_CANTOPEN);
    assert_int_equal(methods->xOpen(methods, name, file, SQLITE_OPEN_WAL | flags, NULL),
                     SQLITE_CANTOPEN);
    free(file);
}

static void other_files_are_not_seen(void **state)
{
    (void)state;
    int there = 1;
    const char *journal = SK_WORK_PATH "-journal";
    sk_disk_write(journal, (const uint8_t *)"planted", 7);
    assert_int_equal(methods->xAccess(methods, journal, SQLITE_ACCESS_EXISTS, &there), SQLITE_OK);
    assert_false(there);
    assert_int_equal(methods->xDelete(methods, journal, 0), SQLITE_IOERR_DELETE_NOENT);
    assert_int_equal(size_on_disk(journal), 7);
    assert_int_equal(methods->xAccess(methods, SK_WORK_PATH, SQLITE_ACCESS_EXISTS, &there),
                     SQLITE_OK);
    assert_true(there);
    assert_int_equal(methods->xDelete(methods, SK_WORK_PATH, 0), SQLITE_IOERR_DELETE_NOENT);
    assert_null(methods->xDlOpen(methods, "any"));
}

static void it_claims_little(void **state)
{
    (void)state;
    sqlite3_int64 hint = 1 << 20;
    int chunk = 1 << 16;
    size_t before = size_on_disk(SK_WORK_PATH);
    assert_int_equal(data->pMethods->iVersion, 1);
    assert_int_equal(data->pMethods->xDeviceCharacteristics(data),
                     SQLITE_IOCAP_POWERSAFE_OVERWRITE);
    assert_int_equal(data->pMethods->xSectorSize(data), 512);
    assert_int_equal(data->pMethods->xFileControl(data, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
    assert_int_equal(data->pMethods->xFileControl(data, SQLITE_FCNTL_CHUNK_SIZE, &chunk),
                     SQLITE_OK);
    assert_int_equal(data->pMethods->xFileControl(data, SQLITE_FCNTL_MMAP_SIZE, &hint),
                     SQLITE_NOTFOUND);
    assert_int_equal(size_on_disk(SK_WORK_PATH), before);
}

/* Of what the disk says it can do, SQLite hears only what costs nothing when it is not true. */
static void it_claims_nothing_that_may_be_false(void **state)
{
    (void)state;
    const int every = SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_ATOMIC4K | SQLITE_IOCAP_SAFE_APPEND |
                      SQLITE_IOCAP_SEQUENTIAL | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN |
                      SQLITE_IOCAP_IMMUTABLE | SQLITE_IOCAP_BATCH_ATOMIC;
    assert_int_equal(write_page(1), SQLITE_OK);
    for (int powersafe = 0; powersafe < 2; powersafe++) {
        unplug();
        sk_disk_end();
        sk_disk_begin(powersafe, 512);
        sk_disk_claim(every);
        plug_in(true, false);
        assert_int_equal(open_data(), SQLITE_OK);
        assert_int_equal(write_page(1), SQLITE_OK);
        assert_int_equal(open_wal(), SQLITE_OK);
        int expected = powersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
        assert_int_equal(data->pMethods->xDeviceCharacteristics(data), expected);
        assert_int_equal(wal->pMethods->xDeviceCharacteristics(wal), expected);
        assert_int_equal(wal->pMethods->iVersion, 1);
        assert_null(wal->pMethods->xShmMap);
        assert_null(data->pMethods->xFetch);
    }
}

/* ---- pages ---- */

static void pages_come_back(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    for (unsigned i = 1; i <= 5; i++)
        assert_page(i);
    assert_int_equal(size_of(data), 5 * PAGE);
    assert_int_equal(size_on_disk(SK_WORK_PATH), PREAMBLE + 5 * PAGE);
    replug();
    for (unsigned i = 1; i <= 5; i++)
        assert_page(i);
}

static void the_same_page_never_looks_the_same(void **state)
{
    (void)state;
    size_t len;
    assert_int_equal(write_page(1), SQLITE_OK);
    uint8_t *first = sk_disk_read(SK_WORK_PATH, &len);
    assert_int_equal(write_page(1), SQLITE_OK);
    uint8_t *second = sk_disk_read(SK_WORK_PATH, &len);
    size_t same = 0;
    for (size_t i = PREAMBLE; i < len; i++)
        same += first[i] == second[i];
    assert_true(same < PAGE / 16);
    assert_memory_equal(first, second, PREAMBLE);
    free(first);
    free(second);
}

static void slices_of_pages(void **state)
{
    (void)state;
    static const int slices[][2] = {{0, 100},  {24, 16},   {0, 4092},
                                    {4, 4092}, {4056, 40}, {4095, 1}};
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    for (unsigned number = 1; number <= 3; number++)
        for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
            uint8_t out[PAGE];
            assert_int_equal(
                data->pMethods->xRead(data, out, slices[i][1],
                                      (sqlite3_int64)(number - 1) * PAGE + slices[i][0]),
                SQLITE_OK);
            assert_memory_equal(out, make_page(number) + slices[i][0], (size_t)slices[i][1]);
        }
    uint8_t out[PAGE];
    assert_int_equal(data->pMethods->xRead(data, out, 100, PAGE - 50), SQLITE_IOERR_READ);
}

static void sqlites_buffer_is_left_alone(void **state)
{
    (void)state;
    uint8_t page[PAGE], before[PAGE];
    memcpy(page, make_page(2), PAGE);
    memcpy(before, page, PAGE);
    assert_int_equal(write_page(1), SQLITE_OK);
    assert_int_equal(data->pMethods->xWrite(data, page, PAGE, PAGE), SQLITE_OK);
    assert_memory_equal(page, before, PAGE);
}

static void bad_writes_are_refused(void **state)
{
    (void)state;
    uint8_t page[PAGE];
    assert_int_equal(write_page(1), SQLITE_OK);
    size_t before = size_on_disk(SK_WORK_PATH);
    memcpy(page, make_page(2), PAGE);
    assert_int_equal(data->pMethods->xWrite(data, page, 100, PAGE), SQLITE_IOERR_WRITE);
    assert_int_equal(data->pMethods->xWrite(data, page, PAGE, PAGE + 512), SQLITE_IOERR_WRITE);
    assert_int_equal(data->pMethods->xTruncate(data, 100), SQLITE_IOERR_TRUNCATE);
    for (size_t i = PAGE - RESERVED; i < PAGE; i++) {
        page[i] = 1;
        assert_int_equal(data->pMethods->xWrite(data, page, PAGE, PAGE), SQLITE_IOERR_WRITE);
        page[i] = 0;
    }
    /* A page 1 that says that nothing is reserved, or of another page size. */
    memcpy(page, make_page(1), PAGE);
    page[20] = 0;
    assert_int_equal(data->pMethods->xWrite(data, page, PAGE, 0), SQLITE_IOERR_WRITE);
    page[20] = RESERVED;
    page[16] = 8;
    assert_int_equal(data->pMethods->xWrite(data, page, PAGE, 0), SQLITE_IOERR_WRITE);
    assert_int_equal(size_on_disk(SK_WORK_PATH), before);
    assert_page(1);
    assert_null(sk_vfs_fault(vfs));
}

static void gaps_are_filled_with_sealed_zeros(void **state)
{
    (void)state;
    static const uint8_t zeros[PAGE];
    uint8_t page[PAGE];
    assert_int_equal(write_page(1), SQLITE_OK);
    assert_int_equal(write_page(6), SQLITE_OK);
    assert_int_equal(data->pMethods->xTruncate(data, 9 * PAGE), SQLITE_OK);
    assert_int_equal(size_of(data), 9 * PAGE);
    assert_page(6);
    for (unsigned i = 2; i <= 9; i++) {
        if (i == 6)
            continue;
        assert_int_equal(read_page(i, page), SQLITE_OK);
        assert_memory_equal(page, zeros, PAGE);
    }
    size_t len;
    uint8_t *bytes = sk_disk_read(SK_WORK_PATH, &len);
    assert_null(memmem(bytes + PREAMBLE, len - PREAMBLE, zeros, 16));
    free(bytes);
    assert_int_equal(data->pMethods->xTruncate(data, 2 * PAGE), SQLITE_OK);
    assert_int_equal(size_of(data), 2 * PAGE);
}

static void zeros_are_no_page(void **state)
{
    (void)state;
    uint8_t page[PAGE];
    size_t len;
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    uint8_t *bytes = sk_disk_read(SK_WORK_PATH, &len);
    memset(bytes + PREAMBLE + PAGE, 0, PAGE);
    sk_disk_write(SK_WORK_PATH, bytes, len);
    free(bytes);
    /* What an earlier call ended with is not why: no disk is full. */
    errno = ENOSPC;
    assert_int_equal(read_page(2, page), SQLITE_IOERR_READ);
    assert_string_equal(sk_vfs_fault(vfs), "data: page 2 is damaged");
    assert_int_equal(sk_vfs_trouble(vfs), SK_IO);
    errno = ENOSPC;
    assert_int_equal(data->pMethods->xTruncate(data, 100), SQLITE_IOERR_TRUNCATE);
    assert_int_equal(sk_vfs_trouble(vfs), SK_IO);
    assert_page(3);
}

static void a_partial_last_page_is_an_error(void **state)
{
    (void)state;
    uint8_t page[PAGE];
    size_t len;
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    uint8_t *bytes = sk_disk_read(SK_WORK_PATH, &len);
    sk_disk_write(SK_WORK_PATH, bytes, len - 1);
    free(bytes);
    assert_int_equal(read_page(3, page), SQLITE_IOERR_READ);
    assert_string_equal(sk_vfs_fault(vfs), "data: page 3 is damaged");
    assert_int_equal(write_page(5), SQLITE_IOERR_WRITE); /* would put zeros in its place */
    assert_int_equal(write_page(3), SQLITE_OK);
    assert_page(3);
    assert_int_equal(read_page(4, page), SQLITE_IOERR_READ);
}

static void the_first_header_read_of_a_torn_page_1(void **state)
{
    (void)state;
    uint8_t header[100], page[PAGE];
    assert_int_equal(write_page(1), SQLITE_OK);
    flip(SK_WORK_PATH, PREAMBLE + 3000);
    replug();
    assert_int_equal(data->pMethods->xRead(data, header, 100, 0), SQLITE_OK);
    assert_memory_equal(header, "SQLite format 3", 16);
    assert_int_equal(header[16] << 8 | header[17], PAGE);
    assert_memory_equal(header + 18, ((const uint8_t[]){2, 2, RESERVED, 64, 32, 32}), 6);
    assert_null(sk_vfs_fault(vfs));
    assert_int_equal(data->pMethods->xRead(data, header, 100, 0), SQLITE_IOERR_READ);
    assert_int_equal(read_page(1, page), SQLITE_IOERR_READ);
    assert_string_equal(sk_vfs_fault(vfs), "data: page 1 is damaged");
}

static void a_database_that_is_too_short(void **state)
{
    (void)state;
    size_t len;
    assert_int_equal(write_page(1), SQLITE_OK);
    uint8_t *bytes = sk_disk_read(SK_WORK_PATH, &len);
    close_file(data);
    for (size_t cut = 0; cut < PREAMBLE + PAGE; cut += 512) {
        sk_vfs_unregister(vfs);
        free(data);
        free(wal);
        plug_in(false, false);
        sk_disk_write(SK_WORK_PATH, bytes, cut);
        assert_int_equal(open_data(), SQLITE_IOERR);
        assert_string_equal(sk_vfs_fault(vfs), "data: it was cut off");
        assert_int_equal(size_on_disk(SK_WORK_PATH), cut);
    }
    free(bytes);
}

static void keys_and_ids_matter(void **state)
{
    (void)state;
    static const uint8_t other[32] = {9};
    assert_int_equal(write_page(1), SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        const struct sk_vfs_options options = {
            .base = SK_DISK_VFS,
            .store_key = i == 0 ? other : sk_work_key,
            .store_id = i == 1 ? other : sk_work_id,
        };
        unplug();
        assert_int_equal(sk_vfs_register(&vfs, &options, NULL), SK_OK);
        methods = sqlite3_vfs_find(sk_vfs_name(vfs));
        data = allocate((size_t)methods->szOsFile);
        wal = allocate((size_t)methods->szOsFile);
        assert_int_equal(open_data(), SQLITE_IOERR);
        assert_non_null(strstr(sk_vfs_fault(vfs), "belongs to another store"));
    }
}

/* Puts one block in the place of another, and the other in its place. */
static void swap_on_disk(const char *path, size_t a, size_t b, size_t block)
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

static void a_page_opens_in_its_place_alone(void **state)
{
    (void)state;
    uint8_t page[PAGE];
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    swap_on_disk(SK_WORK_PATH, PREAMBLE + PAGE, PREAMBLE + (size_t)2 * PAGE, PAGE);
    assert_int_equal(read_page(2, page), SQLITE_IOERR_READ);
    assert_int_equal(read_page(3, page), SQLITE_IOERR_READ);
    assert_string_equal(sk_vfs_fault(vfs), "data: page 2 is damaged");
    assert_page(4);
}

static void count_page(void *context, uint64_t page)
{
    uint64_t *bits = context;
    *bits |= UINT64_C(1) << page;
}

static void every_page_is_checked(void **state)
{
    (void)state;
    uint64_t bad = 0;
    for (unsigned i = 1; i <= 6; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 0);
    flip(SK_WORK_PATH, PREAMBLE + 2 * PAGE + 5);
    flip(SK_WORK_PATH, PREAMBLE + 6 * PAGE - 1);
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 1u << 3 | 1u << 6);
    close_file(data);
    bad = 0;
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 1u << 3 | 1u << 6);
    assert_int_equal(sk_vfs_check(vfs, "/disk/none", count_page, &bad, NULL), SK_IO);
    assert_null(sk_vfs_fault(vfs));
}

/* ---- frames ---- */

static void begin_log(void)
{
    uint8_t head[32];
    memset(head, 0x5a, sizeof(head));
    assert_int_equal(write_page(1), SQLITE_OK);
    assert_int_equal(open_wal(), SQLITE_OK);
    assert_int_equal(size_of(wal), 0);
    assert_int_equal(wal->pMethods->xWrite(wal, head, 32, 0), SQLITE_OK);
    assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal(size_of(wal), 32);
}

static sqlite3_int64 place_of(unsigned frame)
{
    return 32 + (sqlite3_int64)(frame - 1) * FRAME;
}

static const uint8_t *make_frame(unsigned frame, unsigned version)
{
    static uint8_t bytes[FRAME];
    memset(bytes, (int)(version + 1), 24);
    bytes[3] = (uint8_t)(frame + 1);
    memcpy(bytes + 24, make_page(frame + 1), PAGE);
    bytes[24 + 100] = (uint8_t)version;
    return bytes;
}

static int write_slice(unsigned frame, unsigned version, int from, int to)
{
    return wal->pMethods->xWrite(wal, make_frame(frame, version) + from, to - from,
                                 place_of(frame) + from);
}

static void write_frame(unsigned frame, unsigned version)
{
    assert_int_equal(write_slice(frame, version, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(frame, version, 24, FRAME), SQLITE_OK);
}

static int read_frame(unsigned frame, uint8_t *out)
{
    return wal->pMethods->xRead(wal, out, FRAME, place_of(frame));
}

static void assert_frame(unsigned frame, unsigned header_version, unsigned version)
{
    uint8_t out[FRAME];
    assert_int_equal(read_frame(frame, out), SQLITE_OK);
    assert_memory_equal(out, make_frame(frame, header_version), 24);
    assert_memory_equal(out + 24, make_frame(frame, version) + 24, PAGE);
    assert_int_equal(wal->pMethods->xRead(wal, out, 8, place_of(frame) + 16), SQLITE_OK);
    assert_memory_equal(out, make_frame(frame, header_version) + 16, 8);
    assert_int_equal(wal->pMethods->xRead(wal, out, PAGE, place_of(frame) + 24), SQLITE_OK);
    assert_memory_equal(out, make_frame(frame, version) + 24, PAGE);
}

static void reopen_log(void)
{
    replug();
    assert_int_equal(open_wal(), SQLITE_OK);
}

static void frames_come_back(void **state)
{
    (void)state;
    uint8_t head[32];
    begin_log();
    for (unsigned i = 1; i <= 4; i++)
        write_frame(i, i);
    assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
    for (unsigned i = 1; i <= 4; i++)
        assert_frame(i, i, i);
    assert_int_equal(size_of(wal), place_of(5));
    reopen_log();
    assert_int_equal(size_of(wal), place_of(5));
    assert_int_equal(wal->pMethods->xRead(wal, head, 32, 0), SQLITE_OK);
    assert_int_equal(head[31], 0x5a);
    assert_int_equal(wal->pMethods->xRead(wal, head, 8, 24), SQLITE_OK);
    assert_int_equal(head[7], 0x5a);
    for (unsigned i = 1; i <= 4; i++)
        assert_frame(i, i, i);
    assert_true(sk_vfs_recovered(vfs));
}

/* Wherever SQLite divides a frame, with a sync between the parts or without. */
static void frames_in_pieces(void **state)
{
    (void)state;
    static const int cuts[] = {1, 10, 23, 25, 500, 2000, 4055, 4080, 4119};
    begin_log();
    unsigned frame = 1;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
        for (int sync = 0; sync < 2; sync++, frame++) {
            int cut = cuts[i];
            assert_int_equal(write_slice(frame, 3, 0, cut < 24 ? cut : 24), SQLITE_OK);
            if (cut > 24)
                assert_int_equal(write_slice(frame, 3, 24, cut), SQLITE_OK);
            if (sync)
                assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
            assert_int_equal(write_slice(frame, 3, cut, cut < 24 ? 24 : FRAME), SQLITE_OK);
            if (cut < 24)
                assert_int_equal(write_slice(frame, 3, 24, FRAME), SQLITE_OK);
        }
    for (unsigned i = 1; i < frame; i++)
        assert_frame(i, 3, 3);
    reopen_log();
    for (unsigned i = 1; i < frame; i++)
        assert_frame(i, 3, 3);
}

static void headers_and_pages_are_rewritten_alone(void **state)
{
    (void)state;
    begin_log();
    for (unsigned i = 1; i <= 4; i++)
        write_frame(i, 0);
    assert_int_equal(write_slice(2, 1, 24, FRAME), SQLITE_OK); /* a page */
    assert_frame(2, 0, 1);
    assert_int_equal(write_slice(2, 2, 0, 24), SQLITE_OK); /* a header */
    assert_frame(2, 2, 1);
    assert_int_equal(write_slice(3, 2, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(1, 5, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(1, 6, 24, FRAME), SQLITE_OK); /* both */
    reopen_log();
    assert_frame(1, 5, 6);
    assert_frame(2, 2, 1);
    assert_frame(3, 2, 0);
    assert_frame(4, 0, 0);
}

static void a_held_header_without_a_page_is_dropped(void **state)
{
    (void)state;
    uint8_t out[FRAME];
    begin_log();
    write_frame(1, 0);
    size_t before = size_on_disk(SK_WORK_WAL);
    assert_int_equal(write_slice(2, 1, 0, 24), SQLITE_OK);
    assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal(size_on_disk(SK_WORK_WAL), before);
    /* Something else is written: the header is forgotten, and a page alone is none. */
    assert_int_equal(write_slice(1, 1, 0, 24), SQLITE_OK);
    assert_int_equal(write_slice(2, 1, 24, FRAME), SQLITE_IOERR_WRITE);
    reopen_log();
    assert_frame(1, 1, 0);
    assert_int_equal(size_of(wal), place_of(2));
    assert_int_equal(read_frame(2, out), SQLITE_OK); /* recovery: the end of the log */
    for (size_t i = 0; i < FRAME; i++)
        assert_int_equal(out[i], 0);
}

static void bad_frames_are_refused(void **state)
{
    (void)state;
    uint8_t frame[FRAME];
    uint8_t head[33] = {0};
    begin_log();
    assert_int_equal(wal->pMethods->xWrite(wal, head, 16, 0), SQLITE_IOERR_WRITE);
    assert_int_equal(wal->pMethods->xWrite(wal, head, 33, 0), SQLITE_IOERR_WRITE);
    assert_int_equal(write_slice(3, 0, 0, 24), SQLITE_OK); /* leaves a gap */
    assert_int_equal(write_slice(3, 0, 24, FRAME), SQLITE_IOERR_WRITE);
    memcpy(frame, make_frame(1, 0), FRAME);
    frame[FRAME - 1] = 1;
    assert_int_equal(wal->pMethods->xWrite(wal, frame, 24, place_of(1)), SQLITE_OK);
    assert_int_equal(wal->pMethods->xWrite(wal, frame + 24, PAGE, place_of(1) + 24),
                     SQLITE_IOERR_WRITE);
    write_frame(1, 0);
    assert_int_equal(wal->pMethods->xWrite(wal, frame + 24, PAGE, place_of(1) + 24),
                     SQLITE_IOERR_WRITE);
    assert_frame(1, 0, 0);
}

static void damaged_frames_end_recovery_and_fail_reading(void **state)
{
    (void)state;
    uint8_t out[FRAME];
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    flip(SK_WORK_WAL, 4096 + 32 + FRAME + 2);
    reopen_log();
    assert_int_equal(read_frame(1, out), SQLITE_OK);
    assert_int_equal(read_frame(2, out), SQLITE_OK);
    assert_int_equal(out[3], 0);
    assert_null(sk_vfs_fault(vfs));
    assert_int_equal(wal->pMethods->xRead(wal, out, PAGE, place_of(2) + 24), SQLITE_IOERR_READ);
    assert_string_equal(sk_vfs_fault(vfs), "data-wal: frame 2 is damaged");
}

static void a_frame_opens_in_its_place_alone(void **state)
{
    (void)state;
    uint8_t out[FRAME];
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    swap_on_disk(SK_WORK_WAL, 4096 + (size_t)place_of(2), 4096 + (size_t)place_of(3), FRAME);
    reopen_log();
    assert_frame(1, 0, 0);
    for (unsigned i = 2; i <= 3; i++) {
        assert_int_equal(read_frame(i, out), SQLITE_OK); /* recovery: the end of the log */
        for (size_t at = 0; at < FRAME; at++)
            assert_int_equal(out[at], 0);
    }
}

/* What could not be synced the system has forgotten: a later sync would say that all is well. */
static void nothing_is_written_after_a_failed_sync(void **state)
{
    (void)state;
    for (int of_data = 0; of_data < 2; of_data++) {
        sqlite3_file *file = of_data ? data : wal;
        if (!of_data)
            begin_log();
        write_frame(1, 0);
        sk_disk_arm(SK_DISK_FAULT_IO, 1);
        assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        sk_disk_arm(SK_DISK_FAULT_NONE, 0);
        assert_int_equal(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        assert_int_equal(data->pMethods->xSync(data, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        assert_int_equal(write_slice(2, 0, 0, 24), SQLITE_IOERR_WRITE);
        assert_int_equal(wal->pMethods->xTruncate(wal, 0), SQLITE_IOERR_TRUNCATE);
        assert_int_equal(write_page(1), SQLITE_IOERR_WRITE);
        assert_int_equal(data->pMethods->xTruncate(data, PAGE), SQLITE_IOERR_TRUNCATE);
        reopen_log();
        assert_int_equal(write_page(1), SQLITE_OK);
    }
}

/* Recovery, as SQLite does it: frame after frame. */
static void recover(unsigned frames)
{
    uint8_t out[FRAME];
    for (unsigned i = 1; i <= frames; i++)
        assert_int_equal(read_frame(i, out), SQLITE_OK);
}

/* Once pages of the log went into the database, the log is needed as it was. */
static void frames_that_the_database_needs(void **state)
{
    (void)state;
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    assert_int_equal(write_page(2), SQLITE_OK);
    write_frame(4, 0); /* of the next transaction */
    write_frame(5, 0);
    write_frame(5, 1); /* undone, written again */
    reopen_log();
    recover(5);
    assert_frame(5, 1, 1);

    write_frame(3, 7); /* SQLite does so only to what was not committed */
    reopen_log();
    recover(3);
    assert_frame(3, 7, 7);

    size_t len;
    uint8_t *bytes = sk_disk_read(SK_WORK_WAL, &len);
    assert_int_equal(write_page(2), SQLITE_OK); /* needs 1..3, for so far was read */
    for (size_t cut = 0; cut < len; cut += FRAME / 4) {
        sk_disk_write(SK_WORK_WAL, bytes, cut);
        unplug();
        plug_in(false, false);
        assert_int_equal(open_data(), SQLITE_OK);
        bool enough = cut >= 4096 + (size_t)place_of(4);
        assert_int_equal(open_wal(), enough ? SQLITE_OK : SQLITE_IOERR);
    }
    free(bytes);
}

/* Whoever only reads cannot put a torn page right, and need not: the log has it whole. */
static void pages_that_the_log_has_are_not_missed(void **state)
{
    (void)state;
    uint64_t bad = 0;
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 255); /* with headers that name the pages 2 to 4 */
    for (unsigned i = 2; i <= 5; i++)
        assert_int_equal(write_page(i), SQLITE_OK);
    flip(SK_WORK_PATH, PREAMBLE + 2 * PAGE + 9);
    flip(SK_WORK_PATH, PREAMBLE + 4 * PAGE + 9);
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 1u << 5);
    unplug();
    sk_disk_settle();
    plug_in(false, true);
    assert_int_equal(open_data(), SQLITE_OK);
    assert_int_equal(open_wal(), SQLITE_OK);
    bad = 0;
    assert_int_equal(sk_vfs_check(vfs, SK_WORK_PATH, count_page, &bad, NULL), SK_OK);
    assert_int_equal(bad, 1u << 5);
}

static void cutting_the_log(void **state)
{
    (void)state;
    uint8_t out[32];
    begin_log();
    for (unsigned i = 1; i <= 3; i++)
        write_frame(i, 0);
    assert_int_equal(wal->pMethods->xTruncate(wal, place_of(3)), SQLITE_OK);
    assert_int_equal(size_of(wal), place_of(3));
    assert_frame(2, 0, 0);
    assert_int_equal(wal->pMethods->xTruncate(wal, 0), SQLITE_OK);
    assert_int_equal(size_of(wal), 0);
    assert_int_equal(size_on_disk(SK_WORK_WAL), 0);
    assert_int_equal(wal->pMethods->xRead(wal, out, 32, 0), SQLITE_IOERR_SHORT_READ);
    reopen_log();
    assert_int_equal(size_of(wal), 0);
    size_t len;
    close_file(wal); /* an empty log that was not used goes by itself */
    assert_null(sk_disk_read(SK_WORK_WAL, &len));
    begin_log();
    write_frame(1, 0);
    close_file(wal);
    assert_int_equal(methods->xDelete(methods, sqlite3_filename_wal(name), 0), SQLITE_OK);
    assert_null(sk_disk_read(SK_WORK_WAL, &len));
}

static void reading_only(void **state)
{
    (void)state;
    size_t len;
    begin_log();
    write_frame(1, 0);
    unplug();
    sk_disk_settle();
    uint8_t *before = sk_disk_read(SK_WORK_PATH, &len);
    plug_in(false, true);
    assert_int_equal(open_data(), SQLITE_OK);
    assert_int_equal(data->pMethods->xLock(data, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(data->pMethods->xLock(data, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(open_wal(), SQLITE_OK);
    assert_frame(1, 0, 0);
    assert_int_equal(write_page(1), SQLITE_IOERR_WRITE);
    assert_int_equal(write_slice(1, 0, 0, 24), SQLITE_IOERR_WRITE);
    assert_int_equal(wal->pMethods->xTruncate(wal, 0), SQLITE_IOERR_TRUNCATE);
    assert_int_equal(data->pMethods->xTruncate(data, 0), SQLITE_IOERR_TRUNCATE);
    close_file(wal);
    assert_int_equal(methods->xDelete(methods, sqlite3_filename_wal(name), 0), SQLITE_IOERR_DELETE);
    uint8_t *after = sk_disk_read(SK_WORK_PATH, &len);
    assert_memory_equal(before, after, len);
    free(before);
    free(after);
}

static void odd_settings_are_refused(void **state)
{
    (void)state;
    struct sk_vfs *none = NULL;
    static const unsigned sizes[] = {1, 512, 1000, 131072};
    struct sk_vfs_options options = {.store_key = sk_work_key, .store_id = sk_work_id};
    for (size_t i = 0; i < 4; i++) {
        options.page_size = sizes[i];
        assert_int_equal(sk_vfs_register(&none, &options, NULL), SK_INTERNAL);
    }
    options.page_size = 0;
    options.base = "no such VFS";
    assert_int_equal(sk_vfs_register(&none, &options, NULL), SK_INTERNAL);
    assert_null(none);
    sk_vfs_unregister(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(other_files_are_refused),
        TEST(other_files_are_not_seen),
        TEST(it_claims_little),
        TEST(it_claims_nothing_that_may_be_false),
        TEST(pages_come_back),
        TEST(the_same_page_never_looks_the_same),
        TEST(slices_of_pages),
        TEST(sqlites_buffer_is_left_alone),
        TEST(bad_writes_are_refused),
        TEST(gaps_are_filled_with_sealed_zeros),
        TEST(zeros_are_no_page),
        TEST(a_partial_last_page_is_an_error),
        TEST(the_first_header_read_of_a_torn_page_1),
        TEST(a_database_that_is_too_short),
        TEST(keys_and_ids_matter),
        TEST(a_page_opens_in_its_place_alone),
        TEST(every_page_is_checked),
        TEST(frames_come_back),
        TEST(frames_in_pieces),
        TEST(headers_and_pages_are_rewritten_alone),
        TEST(a_held_header_without_a_page_is_dropped),
        TEST(bad_frames_are_refused),
        TEST(damaged_frames_end_recovery_and_fail_reading),
        TEST(a_frame_opens_in_its_place_alone),
        TEST(nothing_is_written_after_a_failed_sync),
        TEST(frames_that_the_database_needs),
        TEST(pages_that_the_log_has_are_not_missed),
        TEST(cutting_the_log),
        TEST(reading_only),
        TEST(odd_settings_are_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
