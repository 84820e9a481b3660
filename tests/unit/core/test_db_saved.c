/*
 * Goal of this test: what the database says it saved is there through kills and full disks, what it
 * undid is not, nothing of it can be read without the key, and damage is told.
 */
#include "tests/support/databases.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes the place of libsodium's, which sk_wipe() calls: what is wiped can be seen. */
static const void *last_wiped;
static size_t last_wiped_len;

void sodium_memzero(void *const bytes, const size_t len)
{
    last_wiped = bytes;
    last_wiped_len = len;
    explicit_bzero(bytes, len);
}

/* Takes the place of the C library's, which SQLite calls: a disk that does not say that it is done.
 */
static bool syncs_fail;

int fdatasync(int fd)
{
    if (!syncs_fail)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

/* ---- transactions ---- */

static enum sk_status insert_in_scope(struct sk_db *db, bool commit)
{
    sk_auto_txn txn = NULL;
    SK_TRY(sk_txn_begin(&txn, db, &err));
    SK_TRY(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err));
    return commit ? sk_txn_commit(&txn, &err) : SK_OK;
}

static void transactions_end_with_their_scope(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(insert_in_scope(db, false), SK_OK);
    assert_false(sk_db_in_transaction(db));
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(insert_in_scope(db, true), SK_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_int_not_equal(insert_in_scope(db, true), SK_OK); /* the row is there already */
    sk_error_clear(&err);

    assert_int_equal(sk_db_commit(db, NULL), SK_INTERNAL);
    assert_int_equal(sk_db_begin(db, &err), SK_OK);
    assert_true(sk_db_in_transaction(db));
    assert_int_equal(sk_db_begin(db, NULL), SK_INTERNAL);
    sk_db_rollback(db);
    sk_db_rollback(db);
    close_db(db);
}

static void savepoints(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_savepoint(db, NULL), SK_INTERNAL);
    assert_int_equal(sk_db_begin(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_savepoint(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(2, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_savepoint(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(3, 'a')", &err), SK_OK);
    sk_db_savepoint_undo(db); /* of 3 */
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(4, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_savepoint_release(db, &err), SK_OK);
    assert_int_equal(sk_db_savepoint(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "DELETE FROM t", &err), SK_OK);
    sk_db_savepoint_undo(db);
    assert_int_equal(sk_db_commit(db, &err), SK_OK);
    assert_int_equal(number(db, "SELECT sum(id) FROM t"), 1 + 2 + 4);
    close_db(db);
}

static void limit_file_size(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_commit_that_fails_ends_the_handle(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    struct stat st;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_begin(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(2, 'b')", &err), SK_OK);
    assert_int_equal(stat(wal_path, &st), 0);
    limit_file_size((rlim_t)st.st_size + 100);
    enum sk_status status = sk_db_commit(db, &err);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(status, SK_FULL);
    assert_non_null(strstr(err.text, "not saved"));
    sk_error_clear(&err);

    struct sk_stmt *stmt = NULL;
    assert_int_equal(sk_db_begin(db, &err), SK_IO);
    assert_non_null(strstr(err.text, "open it again"));
    assert_int_equal(sk_db_prepare(db, &stmt, "SELECT 1", NULL), SK_IO);
    assert_int_equal(sk_db_exec(db, "SELECT 1", NULL), SK_IO);
    assert_int_equal(sk_db_trust(db, NULL), SK_IO);
    sk_error_clear(&err);
    close_db(db);
    db = open_db(false);
    assert_int_equal(number(db, "SELECT sum(id) FROM t"), 1);
    close_db(db);
}

/* What was written and not synced may be found there or not: nobody is told that it was not saved.
 */
static void a_commit_that_was_not_synced_is_left_open(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_begin(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(2, 'b')", &err), SK_OK);
    syncs_fail = true;
    enum sk_status status = sk_db_commit(db, &err);
    syncs_fail = false;
    assert_int_equal(status, SK_IO);
    assert_non_null(strstr(err.text, "only opening it again shows whether it was saved"));
    sk_error_clear(&err);
    assert_int_equal(sk_db_begin(db, &err), SK_IO);
    assert_non_null(strstr(err.text, "only opening it again shows whether what came before"));
    assert_null(strstr(err.text, "not saved"));
    sk_error_clear(&err);
    close_db(db);
    db = open_db(false);
    int64_t sum = number(db, "SELECT sum(id) FROM t");
    assert_true(sum == 1 || sum == 1 + 2);
    close_db(db);
}

/* SQLite undoes the whole transaction after some errors: nothing may then be saved in pieces. */
static void a_transaction_that_was_undone_is_over(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_begin(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "ROLLBACK", &err), SK_OK); /* as SQLite would */
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(2, 'a')", &err), SK_IO);
    assert_non_null(strstr(err.text, "undone"));
    assert_int_equal(sk_db_commit(db, NULL), SK_IO);
    sk_error_clear(&err);
    close_db(db);
    db = open_db(false);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);
    close_db(db);
}

/* ---- kills ---- */

/* A child that commits rows 1, 2, 3, ... each with a checked sum, and tells each once it is saved.
 */
__attribute__((noreturn)) static void write_until_killed(int tell, bool trust)
{
    struct sk_db *db = NULL;
    if (try_open(&db, false, false) != SK_OK || (trust && sk_db_trust(db, NULL) != SK_OK))
        _exit(1);
    for (;;) {
        sk_auto_txn txn = NULL;
        if (sk_txn_begin(&txn, db, NULL) != SK_OK ||
            sk_db_exec(db,
                       "INSERT INTO t(v) SELECT randomblob(3000) FROM (VALUES (1), (2), (3));"
                       "INSERT INTO s SELECT count(*), max(id) FROM t",
                       NULL) != SK_OK ||
            sk_txn_commit(&txn, NULL) != SK_OK)
            _exit(1);
        int64_t saved = sk_db_last_id(db);
        if (write(tell, &saved, sizeof(saved)) != sizeof(saved))
            _exit(1);
    }
}

static void kill_in_a_transaction(bool trust, unsigned delay_us)
{
    int tell[2];
    int status;
    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_until_killed(tell[1], trust);
    close(tell[1]);
    int64_t saved = 0, next;
    if (read(tell[0], &next, sizeof(next)) == sizeof(next))
        saved = next;
    (void)usleep(delay_us);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(tell[0], &next, sizeof(next)) == sizeof(next))
        saved = next;
    close(tell[0]);

    struct sk_db *db = open_db(false);
    assert_true(saved > 0);
    assert_in_range(number(db, "SELECT max(rowid) FROM s"), saved, saved + 1);
    assert_int_equal(number(db, "SELECT count(*) FROM t"),
                     number(db, "SELECT a FROM s ORDER BY rowid DESC"));
    assert_int_equal(number(db, "SELECT count(*) FROM t"),
                     3 * number(db, "SELECT count(*) FROM s"));
    assert_setting(db, "PRAGMA integrity_check", "ok");
    if (trust)
        assert_int_equal(sk_db_trust(db, &err), SK_OK);
    close_db(db);
}

static void killed_processes(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "CREATE TABLE s(a, b)", &err), SK_OK);
    close_db(db);
    for (unsigned i = 0; i < 12; i++)
        kill_in_a_transaction(i % 3 != 0, 3000 + i * 9000);
    db = open_db(false);
    assert_int_equal(sk_db_trust(db, &err), SK_OK);
    close_db(db);
    assert_false(sk_file_exists(wal_path));
}

/* After a crash the database file stays as it is until the caller has verified what came up. */
static void nothing_is_checkpointed_before_trust(void **state)
{
    (void)state;
    close_db(make_db());
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sk_db *db = NULL;
        if (try_open(&db, false, false) || sk_db_trust(db, NULL) ||
            sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", NULL))
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    size_t data_len, wal_len, len;
    uint8_t *data = sk_temp_read(path, &data_len);
    uint8_t *wal = sk_temp_read(wal_path, &wal_len);
    assert_true(wal_len > 0);

    struct sk_db *db = open_db(false);
    assert_true(sk_db_recovered(db));
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(sk_db_checkpoint(db, NULL), SK_INTERNAL);
    close_db(db);
    uint8_t *now = sk_temp_read(path, &len);
    assert_int_equal(len, data_len);
    assert_memory_equal(now, data, len);
    free(now);
    now = sk_temp_read(wal_path, &len);
    assert_int_equal(len, wal_len);
    assert_memory_equal(now, wal, len);
    free(now);
    free(data);
    free(wal);

    db = open_db(false);
    assert_int_equal(sk_db_trust(db, &err), SK_OK);
    uint8_t *moved = sk_temp_read(wal_path, &len);
    assert_int_equal(moved ? len : 0, 0);
    free(moved);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    close_db(db);
    db = open_db(false);
    assert_false(sk_db_recovered(db));
    close_db(db);
}

static void the_log_is_moved_now_and_then(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    struct stat st;
    for (int i = 0; i < 60; i++)
        assert_int_equal(
            sk_db_exec(db,
                       "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
                       "WHERE x < 60) INSERT INTO t(v) SELECT randomblob(3500) FROM c",
                       &err),
            SK_OK);
    assert_int_equal(stat(wal_path, &st), 0);
    assert_true(st.st_size < 1400 * (PAGE + 24));
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 3600);
    close_db(db);
}

/* ---- the lock page ---- */

#define PREAMBLE  8192
#define LOCK_PAGE (1073741824 / PAGE + 1)

/* The name that open_raw() gave: SQLite goes on reading it until the file is closed. */
static const char *raw_name;

/* `data` through the VFS alone, one at a time; closed by close_raw(). */
static sqlite3_file *open_raw(struct sk_vfs **vfs)
{
    const struct sk_vfs_options options = {.store_key = key, .store_id = id};
    assert_int_equal(sk_vfs_register(vfs, &options, &err), SK_OK);
    sqlite3_vfs *methods = sqlite3_vfs_find(sk_vfs_name(*vfs));
    sqlite3_file *file = calloc(1, (size_t)methods->szOsFile);
    assert_non_null(file);
    raw_name = sqlite3_create_filename(path, "", wal_path, 0, NULL);
    assert_int_equal(
        methods->xOpen(methods, raw_name, file, SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE, NULL),
        SQLITE_OK);
    return file;
}

static void close_raw(sqlite3_file *file, struct sk_vfs *vfs)
{
    file->pMethods->xClose(file);
    sqlite3_free_filename(raw_name);
    sk_vfs_unregister(vfs);
    free(file);
}

/* Makes the database of `count` pages, as its own header and its file tell; the new ones are holes.
 */
static void stretch(uint32_t count)
{
    struct sk_vfs *vfs = NULL;
    uint8_t page[PAGE];
    sqlite3_file *file = open_raw(&vfs);
    assert_int_equal(file->pMethods->xRead(file, page, PAGE, 0), SQLITE_OK);
    for (unsigned i = 0; i < 4; i++)
        page[28 + i] = (uint8_t)(count >> (24 - 8 * i));
    assert_int_equal(file->pMethods->xWrite(file, page, PAGE, 0), SQLITE_OK);
    close_raw(file, vfs);
    assert_int_equal(truncate(path, PREAMBLE + (off_t)count * PAGE), 0);
}

/* SQLite leaves out the page at 1 GiB, so nothing would ever be written there: a hole is no page.
 */
static void the_page_at_1_gib_is_sealed(void **state)
{
    (void)state;
    static const uint8_t zeros[PAGE];
    uint8_t page[PAGE];
    struct sk_vfs *vfs = NULL;
    close_db(make_db());
    stretch(LOCK_PAGE - 1);
    struct sk_db *db = open_db(false);
    assert_int_equal(sk_db_trust(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, zeroblob(20000))", &err), SK_OK);
    assert_true(number(db, "PRAGMA page_count") > LOCK_PAGE);
    close_db(db);

    sqlite3_file *file = open_raw(&vfs);
    sqlite3_int64 lock_page = (sqlite3_int64)(LOCK_PAGE - 1) * PAGE;
    assert_int_equal(file->pMethods->xRead(file, page, PAGE, lock_page), SQLITE_OK);
    assert_memory_equal(page, zeros, PAGE);
    assert_int_equal(file->pMethods->xRead(file, page, PAGE, lock_page + PAGE), SQLITE_OK);
    assert_int_equal(file->pMethods->xRead(file, page, PAGE, lock_page - PAGE), SQLITE_IOERR_READ);
    close_raw(file, vfs);
    db = open_db(false);
    assert_int_equal(number(db, "SELECT length(v) FROM t"), 20000);
    close_db(db);
}

/* ---- traces ---- */

/* A sort and an index larger than the cache: SQLite would put them into temporary files, which the
 * VFS refuses; so they stay in memory, or this would fail. */
static void nothing_readable_is_left(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "PRAGMA cache_size = 10", &err), SK_OK);
    assert_int_equal(sk_db_exec(db,
                                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
                                "WHERE x < 20000) INSERT INTO t(v) SELECT '" MARKER
                                "' || printf('%0300d', x * 7919 % 20011) FROM c;"
                                "CREATE INDEX ti ON t(v);"
                                "CREATE TEMP TABLE sorted AS SELECT v FROM t ORDER BY substr(v, 7);"
                                "UPDATE t SET v = v || 'x' WHERE id % 2;"
                                "INSERT INTO search(rowid, text) SELECT id, v FROM t;",
                                &err),
                     SK_OK);
    scan();
    assert_int_equal(number(db, "SELECT count(*) FROM sorted"), 20000);
    close_db(db);
    scan();
}

static void freed_memory_is_wiped(void **state)
{
    (void)state;
    close_db(make_db());
    char *p = sqlite3_malloc(1000);
    assert_non_null(p);
    memset(p, 'm', 1000);
    const void *before = p;
    p = sqlite3_realloc(p, 100000);
    assert_non_null(p);
    assert_int_equal(p[999], 'm');
    if (p != before) {
        assert_ptr_equal(last_wiped, before);
        assert_true(last_wiped_len >= 1000);
    }
    before = p;
    sqlite3_free(p);
    assert_ptr_equal(last_wiped, before);
    assert_true(last_wiped_len >= 100000);
}

/* ---- damage ---- */

static void count_problem(void *context, const char *sentence)
{
    assert_true(strlen(sentence) > 0);
    ++*(int *)context;
}

static void checking(void **state)
{
    (void)state;
    int problems = 0;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db,
                                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
                                "WHERE x < 50) INSERT INTO t(v) SELECT randomblob(3500) FROM c",
                                &err),
                     SK_OK);
    assert_int_equal(sk_db_check(db, count_problem, &problems, &err), SK_OK);
    assert_int_equal(problems, 0);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t(v) VALUES('still locked')", &err), SK_OK);
    struct sk_db *second = NULL;
    assert_int_equal(try_open(&second, false, false), SK_BUSY);
    close_db(db);

    size_t len;
    uint8_t *bytes = sk_temp_read(path, &len);
    bytes[len - PAGE / 2] ^= 1;
    sk_temp_write(path, bytes, len);
    free(bytes);
    db = open_db(false);
    assert_int_equal(sk_db_check(db, count_problem, &problems, &err), SK_OK);
    assert_int_equal(problems, 1);
    struct sk_stmt *stmt = NULL;
    bool row = true;
    enum sk_status status = sk_db_prepare(db, &stmt, "SELECT v FROM t", &err);
    while (status == SK_OK && row)
        status = sk_step(stmt, &row, &err);
    assert_int_equal(status, SK_DAMAGED);
    assert_non_null(strstr(err.text, "data: page "));
    sk_stmt_done(stmt);
    sk_error_clear(&err);
    (void)sk_db_close(db, NULL);
}

/* Damage that no page's tag can show: it was written like this. */
static void checking_what_is_written(void **state)
{
    (void)state;
    int problems = 0;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db,
                                "CREATE TABLE u(a CHECK(a <> 'b'));"
                                "PRAGMA ignore_check_constraints = ON;"
                                "INSERT INTO u VALUES('b');"
                                "PRAGMA ignore_check_constraints = OFF",
                                &err),
                     SK_OK);
    assert_int_equal(sk_db_check(db, count_problem, &problems, &err), SK_OK);
    assert_int_equal(problems, 1);
    close_db(db);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(transactions_end_with_their_scope),
        TEST(savepoints),
        TEST(a_commit_that_fails_ends_the_handle),
        TEST(a_commit_that_was_not_synced_is_left_open),
        TEST(a_transaction_that_was_undone_is_over),
        TEST(killed_processes),
        TEST(nothing_is_checkpointed_before_trust),
        TEST(the_log_is_moved_now_and_then),
        TEST(the_page_at_1_gib_is_sealed),
        TEST(nothing_readable_is_left),
        TEST(freed_memory_is_wiped),
        TEST(checking),
        TEST(checking_what_is_written),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
