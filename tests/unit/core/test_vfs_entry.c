/*
 * Goal of this test: the VFS for programs that are not ours (support/vfs_entry.h) is the encrypting
 * one, stacks with any other VFS above and below it, and gives out a fault of either as an error
 * that costs nothing acknowledged. Without its switch it refuses what the programs refuse; with it,
 * rollback journals and shared memory work.
 */
#include "tests/support/fault_vfs.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vfs_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY  "test-entry"
#define BELOW  "test-below"
#define ABOVE  "test-above"
#define MARKER "the witness of Krapivino"
#define ROWS   200

struct world {
    char *dir;
    char *path;
};

static const uint8_t key[SK_TEST_VFS_KEY_LEN] = {1, 2, 3};

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return -1;
    w->dir = sk_temp_dir_make();
    w->path = sk_temp_path(w->dir, "data");
    *state = w;
    return sk_fault_vfs_register(BELOW, NULL) == SQLITE_OK ? 0 : -1;
}

static int end(void **state)
{
    struct world *w = *state;
    sk_fault_vfs_unregister(ABOVE);
    (void)sk_test_vfs_unregister(ENTRY);
    sk_fault_vfs_unregister(BELOW);
    sk_temp_dir_remove(w->dir);
    free(w->path);
    free(w);
    return 0;
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static sqlite3 *opened(const struct world *w, const char *vfs, const char *pragmas)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(w->path, &db, flags, vfs);
    if (rc == SQLITE_OK)
        rc = run(db, pragmas);
    if (rc != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    return db;
}

static const char exclusive[] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;"
                                "PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL;";
static const char rollback[] = "PRAGMA journal_mode=DELETE;";
static const char shared[] = "PRAGMA journal_mode=WAL;";

static int number(sqlite3 *db, const char *sql, int *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static bool whole(sqlite3 *db)
{
    int ok = 0;
    return number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check", &ok) ==
               SQLITE_OK &&
           ok == 1;
}

static int count(sqlite3 *db)
{
    int rows = -1;
    return number(db, "SELECT count(*) FROM t", &rows) == SQLITE_OK ? rows : -1;
}

/* A table of ROWS rows, pages of which also overflow. */
static int fill(sqlite3 *db)
{
    char sql[400];
    (void)snprintf(sql, sizeof(sql),
                   "CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   "INSERT INTO t SELECT i, '%s' || hex(zeroblob(i * 20)) FROM n",
                   ROWS, MARKER);
    return run(db, sql);
}

static bool holds(const char *path, const char *text)
{
    return sk_temp_contains(path, text, strlen(text)) != 0;
}

static void check_kept(const struct world *w, const char *pragmas)
{
    sqlite3 *db = opened(w, ENTRY, pragmas);
    assert_non_null(db);
    assert_int_equal(fill(db), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_false(holds(w->path, MARKER));
    assert_false(holds(w->path, "SQLite format 3"));

    db = opened(w, ENTRY, pragmas);
    assert_non_null(db);
    assert_true(whole(db));
    assert_int_equal(count(db), ROWS);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void strict_mode_keeps_and_refuses(void **state)
{
    const struct world *w = *state;
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 0, 0), SQLITE_OK);
    check_kept(w, exclusive);

    sqlite3 *db = opened(w, ENTRY, exclusive);
    assert_non_null(db);
    assert_int_equal(run(db, "PRAGMA journal_mode=DELETE"), SQLITE_CANTOPEN);
    assert_int_equal(run(db, "PRAGMA temp_store=FILE; PRAGMA temp.cache_size=1;"
                             "CREATE TEMP TABLE s AS SELECT * FROM t"),
                     SQLITE_CANTOPEN);
    assert_int_equal(count(db), ROWS);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    db = opened(w, ENTRY, "PRAGMA temp_store=MEMORY; PRAGMA journal_mode=WAL");
    assert_true(!db || run(db, "INSERT INTO t VALUES(1000, 1)") != SQLITE_OK);
    sqlite3_close(db);
}

static void the_key_is_needed(void **state)
{
    const struct world *w = *state;
    static const uint8_t other[SK_TEST_VFS_KEY_LEN] = {1, 2, 4};
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 0, 1), SQLITE_OK);
    check_kept(w, rollback);
    assert_int_equal(sk_test_vfs_unregister(ENTRY), SQLITE_OK);
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, other, 0, 1), SQLITE_OK);
    assert_null(opened(w, ENTRY, rollback));
    assert_null(opened(w, NULL, rollback));
}

static void any_page_size(void **state)
{
    const struct world *w = *state;
    for (unsigned size = 1024; size <= 65536; size *= 2) {
        int seen = 0;
        assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, size, 1), SQLITE_OK);
        check_kept(w, size % 4096 ? rollback : shared);
        sqlite3 *db = opened(w, ENTRY, "");
        assert_non_null(db);
        assert_int_equal(number(db, "PRAGMA page_size", &seen), SQLITE_OK);
        assert_int_equal(seen, size);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        assert_int_equal(remove(w->path), 0);
        assert_int_equal(sk_test_vfs_unregister(ENTRY), SQLITE_OK);
    }
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 1000, 1), SQLITE_MISUSE);
    assert_int_equal(sk_test_vfs_register(ENTRY, "no such vfs", key, 0, 1), SQLITE_MISUSE);
}

/* Two connections take turns with the log and its checkpoints. */
static void connections_share_a_log(void **state)
{
    const struct world *w = *state;
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 0, 1), SQLITE_OK);
    sqlite3 *db[2] = {opened(w, ENTRY, shared), NULL};
    assert_non_null(db[0]);
    assert_int_equal(fill(db[0]), SQLITE_OK);
    db[1] = opened(w, ENTRY, "PRAGMA wal_autocheckpoint=20");
    assert_non_null(db[1]);
    for (int i = 1; i <= 60; i++) {
        sqlite3 *writer = db[i % 2];
        assert_int_equal(run(writer, "INSERT INTO t VALUES(NULL, hex(randomblob(3000)))"),
                         SQLITE_OK);
        if (i % 7 == 0)
            assert_int_equal(run(writer, "PRAGMA wal_checkpoint(RESTART)"), SQLITE_OK);
        if (i % 11 == 0)
            assert_int_equal(run(writer, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
        assert_int_equal(count(db[0]), ROWS + i);
        assert_int_equal(count(db[1]), ROWS + i);
    }
    assert_true(whole(db[0]) && whole(db[1]));
    assert_int_equal(sqlite3_close(db[0]), SQLITE_OK);
    assert_int_equal(sqlite3_close(db[1]), SQLITE_OK);
    assert_false(holds(w->path, MARKER));
}

static void an_attached_database_is_sealed_too(void **state)
{
    const struct world *w = *state;
    char sql[1024];
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 0, 1), SQLITE_OK);
    sqlite3 *db = opened(w, ENTRY, rollback);
    assert_non_null(db);
    assert_int_equal(fill(db), SQLITE_OK);
    (void)snprintf(sql, sizeof(sql),
                   "ATTACH '%s-2' AS two; BEGIN; CREATE TABLE two.t AS SELECT * FROM main.t;"
                   "DELETE FROM main.t WHERE a > 10; COMMIT; VACUUM two",
                   w->path);
    assert_int_equal(run(db, sql), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    (void)snprintf(sql, sizeof(sql), "%s-2", w->path);
    assert_false(holds(sql, MARKER));
}

/* What a session does; returns how many rows it was told are kept. */
static int session(const struct world *w, const char *vfs, const char *pragmas, int known)
{
    sqlite3 *db = opened(w, vfs, pragmas);
    if (!db)
        return known;
    for (int i = 0; i < 3; i++) {
        if (run(db, "INSERT INTO t VALUES(NULL, hex(randomblob(5000)))") != SQLITE_OK)
            break;
        known++;
    }
    (void)run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(db);
    return known;
}

/* Fails operation after operation, until a session has fewer than that. */
static void fail_each(const struct world *w, const char *shim, const char *top, const char *pragmas)
{
    sqlite3 *db = opened(w, ENTRY, pragmas);
    assert_non_null(db);
    assert_int_equal(fill(db), SQLITE_OK);
    int known = count(db);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    unsigned number_of_faults = 0;
    for (unsigned at = 1;; at++) {
        sk_fault_vfs_arm(shim, at);
        known = session(w, top, pragmas, known);
        bool failed = sk_fault_vfs_failed(shim);
        sk_fault_vfs_arm(shim, 0);
        if (!failed)
            break;
        number_of_faults++;
        db = opened(w, top, pragmas);
        assert_non_null(db);
        assert_true(whole(db));
        int now = count(db);
        /* A commit that was refused may still be there. */
        assert_true(now == known || now == known + 1);
        known = now;
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
    assert_true(number_of_faults > 20);
}

static void faults_below(void **state)
{
    const struct world *w = *state;
    assert_int_equal(sk_test_vfs_register(ENTRY, BELOW, key, 0, 0), SQLITE_OK);
    fail_each(w, BELOW, ENTRY, exclusive);
}

static void faults_below_with_journals(void **state)
{
    const struct world *w = *state;
    assert_int_equal(sk_test_vfs_register(ENTRY, BELOW, key, 0, 1), SQLITE_OK);
    fail_each(w, BELOW, ENTRY, rollback);
}

static void faults_above(void **state)
{
    const struct world *w = *state;
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 0, 0), SQLITE_OK);
    assert_int_equal(sk_fault_vfs_register(ABOVE, ENTRY), SQLITE_OK);
    fail_each(w, ABOVE, ABOVE, exclusive);
}

static void faults_above_with_journals(void **state)
{
    const struct world *w = *state;
    assert_int_equal(sk_test_vfs_register(ENTRY, NULL, key, 0, 1), SQLITE_OK);
    assert_int_equal(sk_fault_vfs_register(ABOVE, ENTRY), SQLITE_OK);
    fail_each(w, ABOVE, ABOVE, rollback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strict_mode_keeps_and_refuses, begin, end),
        cmocka_unit_test_setup_teardown(the_key_is_needed, begin, end),
        cmocka_unit_test_setup_teardown(any_page_size, begin, end),
        cmocka_unit_test_setup_teardown(connections_share_a_log, begin, end),
        cmocka_unit_test_setup_teardown(an_attached_database_is_sealed_too, begin, end),
        cmocka_unit_test_setup_teardown(faults_below, begin, end),
        cmocka_unit_test_setup_teardown(faults_below_with_journals, begin, end),
        cmocka_unit_test_setup_teardown(faults_above, begin, end),
        cmocka_unit_test_setup_teardown(faults_above_with_journals, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
