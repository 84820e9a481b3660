/*
 * Goal of this test: what the encrypting VFS promises to SQLite about the database, call by call.
 * It knows the database and its log and nothing else; pages come back; reserved bytes are zeros;
 * what cannot be sealed whole is refused. (The log: test_vfs_wal.c.)
 */
#include "tests/support/plugged.h"

#include <errno.h>

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

/* ---- settings ---- */

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
        TEST(odd_settings_are_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
