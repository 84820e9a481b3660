/*
 * Goal of this test: SQLite over the encrypting VFS. Big transactions and pages of other sizes come
 * back; nothing readable is written, not by a backup into the database either; and whoever only
 * reads writes nothing.
 */
#include "tests/support/tampered.h"

static void a_backup_of_a_plain_database_is_refused(void **state)
{
    (void)state;
    struct sk_work w;
    sqlite3 *plain = NULL;
    assert_int_equal(sk_work_open(&w, true), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
    assert_int_equal(sqlite3_exec(plain,
                                  "CREATE TABLE t(x); INSERT INTO t VALUES('" SK_WORK_MARKER
                                  "' || hex(randomblob(5000)))",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(w.db, "main", plain, "main");
    if (backup) {
        assert_int_not_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
        sqlite3_backup_finish(backup);
    }
    sqlite3_close(plain);
    (void)sk_work_checkpoint(&w);
    sk_work_close(&w);
    struct files f = take_files();
    assert_null(memmem(f.data, f.data_len, SK_WORK_MARKER, sizeof(SK_WORK_MARKER) - 1));
    assert_true(f.wal_len == 0 ||
                !memmem(f.wal, f.wal_len, SK_WORK_MARKER, sizeof(SK_WORK_MARKER) - 1));
    free_files(&f);
}

static void nothing_readable_is_written(void **state)
{
    (void)state;
    static const char *const words[] = {SK_WORK_MARKER, "SQLite format", "CREATE", "payload"};
    struct files f = crashed_store(9);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_null(memmem(f.data, f.data_len, words[i], strlen(words[i])));
        assert_null(memmem(f.wal, f.wal_len, words[i], strlen(words[i])));
    }
    free_files(&f);
}

/* Ten pages of cache: frames are written before the commit, and some of them again. */
static void frames_are_rewritten_in_big_transactions(void **state)
{
    (void)state;
    struct sk_work w;
    session(&w, true, 1, 1);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sk_work_exec(&w, "BEGIN"), SQLITE_OK);
        for (int k = 0; k < 8; k++)
            assert_int_equal(sk_work_exec(&w, "UPDATE t SET version = version"), SQLITE_OK);
        assert_int_equal(sk_work_exec(&w, "COMMIT"), SQLITE_OK);
        for (int k = 2 + 5 * round; k < 7 + 5 * round; k++)
            assert_int_equal(sk_work_step(&w, k), SQLITE_OK);
        int rc;
        assert_int_equal(sk_work_state(&w, &rc), 6 + 5 * round);
    }
    sk_work_kill(&w);
    expect_state(16);
    session(&w, false, 17, 17);
    close_well(&w);
    expect_state(17);
}

static void other_page_sizes(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1024, 8192, 65536};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sk_vfs_options options = {
            .base = SK_DISK_VFS,
            .store_key = sk_work_key,
            .store_id = sk_work_id,
            .page_size = sizes[i],
            .create = true,
        };
        struct sk_work w;
        int rc;
        sk_disk_write(SK_WORK_PATH, NULL, 0);
        sk_disk_write(SK_WORK_WAL, NULL, 0);
        assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
        assert_int_equal(sk_work_prepare(&w), SQLITE_OK);
        for (int k = 1; k <= 8; k++)
            assert_int_equal(sk_work_step(&w, k), SQLITE_OK);
        sk_work_kill(&w);
        options.create = false;
        assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
        assert_int_equal(sk_work_state(&w, &rc), 8);
        close_well(&w);
        options.page_size = 4096;
        assert_int_not_equal(sk_work_open_with(&w, &options), SQLITE_OK);
        sk_work_close(&w);
        assert_string_equal(w.fault, "data: its pages have another size");
    }
}

static void reading_only_writes_nothing(void **state)
{
    (void)state;
    struct files f = crashed_store(6);
    struct sk_work w;
    int rc;
    const struct sk_vfs_options options = {
        .base = SK_DISK_VFS,
        .store_key = sk_work_key,
        .store_id = sk_work_id,
        .read_only = true,
    };
    assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
    assert_int_equal(sk_work_state(&w, &rc), 6);
    assert_true(sk_vfs_recovered(w.vfs));
    assert_int_equal(sk_work_exec(&w, "DELETE FROM t"), SQLITE_READONLY);
    sqlite3_db_config(w.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sk_work_close(&w);
    struct files after = take_files();
    assert_int_equal(after.data_len, f.data_len);
    assert_int_equal(after.wal_len, f.wal_len);
    assert_memory_equal(after.data, f.data, f.data_len);
    assert_memory_equal(after.wal, f.wal, f.wal_len);
    free_files(&after);
    free_files(&f);

    /* And without a log, beside a store that was closed well. */
    assert_int_equal(sk_work_open(&w, false), SQLITE_OK);
    close_well(&w);
    assert_int_equal(sk_work_open_with(&w, &options), SQLITE_OK);
    assert_int_equal(sk_work_state(&w, &rc), 6);
    assert_false(sk_vfs_recovered(w.vfs));
    sk_work_close(&w);
    f = take_files();
    assert_null(f.wal);
    free_files(&f);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_backup_of_a_plain_database_is_refused),
        TEST(nothing_readable_is_written),
        TEST(frames_are_rewritten_in_big_transactions),
        TEST(other_page_sizes),
        TEST(reading_only_writes_nothing),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
