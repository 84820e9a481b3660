/*
 * Goal of this test: the database opens with the settings that keep it closed, saves what it says
 * it saved through kills and full disks, refuses what it must, and says what went wrong.
 */
#include "core/db_internal.h"
#include "core/file.h"
#include "crypto/secret.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARKER "MARKER-51d0-seldom-words"
#define PAGE   4096

static const uint8_t key[32] = {4, 2};
static const uint8_t id[16] = {1, 9};

static char *dir;
static char *path;
static char *wal_path;
static struct sk_error err;

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

static int begin(void **state)
{
    (void)state;
    sk_error_clear(&err);
    if (sk_crypto_init() != SK_OK)
        return -1;
    dir = sk_temp_dir_make();
    path = sk_temp_path(dir, "data");
    wal_path = sk_temp_path(dir, "data-wal");
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(path);
    free(wal_path);
    sk_temp_dir_remove(dir);
    return sk_secret_live_count() == 0 ? 0 : -1;
}

static enum sk_status try_open(struct sk_db **db, bool create, bool read_only)
{
    const struct sk_db_options options = {
        .path = path, .store_key = key, .store_id = id, .create = create, .read_only = read_only};
    sk_error_clear(&err);
    return sk_db_open(db, &options, &err);
}

static struct sk_db *open_db(bool create)
{
    struct sk_db *db = NULL;
    enum sk_status status = try_open(&db, create, false);
    if (status != SK_OK)
        fail_msg("%s", err.text);
    return db;
}

/* A new database with a small table of our own beside those of the schema. */
static struct sk_db *make_db(void)
{
    struct sk_db *db = open_db(true);
    assert_int_equal(sk_db_trust(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)", &err), SK_OK);
    return db;
}

static void close_db(struct sk_db *db)
{
    enum sk_status status = sk_db_close(db, &err);
    if (status != SK_OK)
        fail_msg("%s", err.text);
}

static int64_t number(struct sk_db *db, const char *sql)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    assert_int_equal(sk_db_prepare(db, &stmt, sql, &err), SK_OK);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_true(row);
    return sk_column_int(stmt, 0);
}

static void assert_setting(struct sk_db *db, const char *sql, const char *expected)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    assert_int_equal(sk_db_prepare(db, &stmt, sql, &err), SK_OK);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_true(row);
    assert_string_equal(sk_column_text(stmt, 0), expected);
}

static enum sk_status scan_one(void *context, const char *name, struct sk_error *error)
{
    char *file = sk_temp_path(dir, name);
    (void)context, (void)error;
    if (sk_temp_contains(file, MARKER, strlen(MARKER)))
        fail_msg("%s holds what was recorded", file);
    free(file);
    return SK_OK;
}

static void scan(void)
{
    assert_int_equal(sk_dir_each(dir, scan_one, NULL, &err), SK_OK);
}

/* ---- opening ---- */

static void settings(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    for (int i = 0; i < 2; i++) {
        assert_setting(db, "PRAGMA locking_mode", "exclusive");
        assert_setting(db, "PRAGMA journal_mode", "wal");
        assert_setting(db, "PRAGMA synchronous", "2");
        assert_setting(db, "PRAGMA temp_store", "2");
        assert_setting(db, "PRAGMA cache_size", "-32000");
        assert_setting(db, "PRAGMA secure_delete", "1");
        assert_setting(db, "PRAGMA cell_size_check", "1");
        assert_setting(db, "PRAGMA foreign_keys", "1");
        assert_setting(db, "PRAGMA trusted_schema", "0");
        assert_setting(db, "PRAGMA page_size", "4096");
        assert_setting(db, "PRAGMA auto_vacuum", "0");
        assert_int_equal(number(db, "PRAGMA application_id"), SK_APPLICATION_ID);
        assert_true(number(db, "PRAGMA user_version") >= 1);
        /* Defensive: the schema cannot be written by hand. */
        assert_int_equal(sk_db_exec(db, "PRAGMA writable_schema = ON", &err), SK_OK);
        assert_int_not_equal(sk_db_exec(db, "UPDATE sqlite_schema SET sql = ''", NULL), SK_OK);
        close_db(db);
        db = open_db(false);
        assert_int_equal(sk_db_trust(db, &err), SK_OK);
    }
    close_db(db);
}

static void files_are_the_owners(void **state)
{
    (void)state;
    struct stat st;
    mode_t before = umask(0);
    struct sk_db *db = make_db();
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(wal_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close_db(db);
    assert_false(sk_file_exists(wal_path));
}

static void what_is_not_there_and_what_is(void **state)
{
    (void)state;
    struct sk_db *db = NULL;
    assert_int_equal(try_open(&db, false, false), SK_MISSING);
    assert_non_null(strstr(err.text, path));
    assert_false(sk_file_exists(path));
    close_db(make_db());
    assert_int_equal(try_open(&db, true, false), SK_CREATE);
    sk_temp_write(path, "", 0);
    assert_int_equal(try_open(&db, false, false), SK_DAMAGED);
    assert_non_null(strstr(err.text, "data: it was cut off"));
    sk_temp_write(path, "SQLite format 3", 16);
    assert_int_equal(try_open(&db, false, false), SK_DAMAGED);
    assert_null(db);
    assert_int_equal(sk_db_close(NULL, NULL), SK_OK);
}

static void a_wrong_key_is_not_taken_for_a_new_database(void **state)
{
    (void)state;
    close_db(make_db());
    size_t len;
    uint8_t *before = sk_temp_read(path, &len);
    static const uint8_t other[32] = {1};
    const struct sk_db_options options = {.path = path, .store_key = other, .store_id = id};
    struct sk_db *db = NULL;
    assert_int_equal(sk_db_open(&db, &options, &err), SK_DAMAGED);
    uint8_t *after = sk_temp_read(path, &len);
    assert_memory_equal(before, after, len);
    free(before);
    free(after);
}

static void a_newer_schema_is_refused_untouched(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "PRAGMA user_version = 99", &err), SK_OK);
    close_db(db);
    size_t len;
    uint8_t *before = sk_temp_read(path, &len);
    assert_int_equal(try_open(&db, false, false), SK_CONFIG);
    assert_non_null(strstr(err.text, "newer version"));
    uint8_t *after = sk_temp_read(path, &len);
    assert_memory_equal(before, after, len);
    free(before);
    free(after);
}

static void an_unfinished_database_is_refused(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "PRAGMA user_version = 0", &err), SK_OK);
    close_db(db);
    assert_int_equal(try_open(&db, false, false), SK_DAMAGED);
    assert_non_null(strstr(err.text, "not created completely"));
}

static void two_opens_are_busy(void **state)
{
    (void)state;
    static struct sk_db *db; /* static, so that valgrind finds it in the child */
    db = make_db();
    struct sk_db *second = NULL;
    assert_int_equal(try_open(&second, false, false), SK_BUSY);
    assert_non_null(strstr(err.text, "in use"));
    assert_int_equal(try_open(&second, false, true), SK_BUSY);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(try_open(&second, false, false) == SK_BUSY ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    /* The one that came first is not disturbed, and goes on to write what others can read. */
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err), SK_OK);
    assert_int_equal(sk_db_checkpoint(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(2, 'a')", &err), SK_OK);
    close_db(db);
    db = open_db(false);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 2);
    close_db(db);
}

static void reading_only(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    struct sk_db *second = NULL;
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, 'a')", &err), SK_OK);
    close_db(db);
    assert_int_equal(try_open(&db, false, true), SK_OK);
    assert_int_equal(try_open(&second, false, true), SK_OK); /* several may read */
    assert_int_equal(sk_db_trust(db, &err), SK_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(number(second, "SELECT count(*) FROM t"), 1);
    assert_int_equal(sk_db_begin(db, NULL), SK_INTERNAL);
    assert_int_not_equal(sk_db_exec(db, "INSERT INTO t VALUES(2, 'a')", NULL), SK_OK);
    close_db(db);
    close_db(second);
    assert_false(sk_file_exists(wal_path));
}

/* ---- what is refused ---- */

static void attach_is_refused(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    char *other = sk_temp_path(dir, "other");
    char *sql = sqlite3_mprintf("ATTACH %Q AS other", other);
    assert_int_equal(sk_db_exec(db, sql, &err), SK_INTERNAL);
    assert_false(sk_file_exists(other));
    sqlite3_free(sql);
    sql = sqlite3_mprintf("VACUUM INTO %Q", other);
    assert_int_not_equal(sk_db_exec(db, sql, NULL), SK_OK);
    assert_false(sk_file_exists(other));
    sqlite3_free(sql);
    assert_int_not_equal(sk_db_exec(db, "ATTACH '' AS temporary", NULL), SK_OK);
    assert_int_not_equal(sk_db_exec(db, "ATTACH ':memory:' AS m", NULL), SK_OK);
    assert_int_not_equal(sk_db_exec(db, "DETACH main", NULL), SK_OK);
    assert_int_not_equal(sk_db_exec(db, "SELECT load_extension('x')", NULL), SK_OK);
    free(other);
    close_db(db);
}

/* Each of the guards behind the refusal above would do alone. */
static void attach_is_refused_twice(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, -1), 0);
    assert_int_equal(sqlite3_prepare_v2(db->handle, "ATTACH ':memory:' AS m", -1, &stmt, NULL),
                     SQLITE_AUTH);
    assert_null(stmt);
    close_db(db);
}

/* It would build a second database, in a temporary file or one that somebody names. */
static void vacuum_is_refused(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "INSERT INTO t VALUES(1, '" MARKER "')", &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "VACUUM", &err), SK_INTERNAL);
    sk_error_clear(&err);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    scan();
    close_db(db);
}

static void uri_names_are_names(void **state)
{
    (void)state;
    struct sk_db *db = NULL;
    assert_int_equal(chdir(dir), 0);
    const struct sk_db_options options = {
        .path = "file:data?mode=memory", .store_key = key, .store_id = id, .create = true};
    assert_int_equal(sk_db_open(&db, &options, &err), SK_OK);
    close_db(db);
    assert_true(sk_file_exists("file:data?mode=memory"));
    assert_false(sk_file_exists("data"));
    assert_int_equal(chdir("/"), 0);
}

static void words_name_no_records(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(sk_db_exec(db, "CREATE TABLE u(a TEXT UNIQUE CHECK(a <> 'b'))", &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "INSERT INTO u VALUES('" MARKER "')", &err), SK_OK);
    assert_int_not_equal(sk_db_exec(db, "INSERT INTO u VALUES('" MARKER "')", &err), SK_OK);
    assert_null(strstr(err.text, MARKER));
    sk_error_clear(&err);
    assert_int_not_equal(sk_db_exec(db, "SELECT '" MARKER "' FROM nowhere", &err), SK_OK);
    assert_null(strstr(err.text, MARKER));
    sk_error_clear(&err);
    close_db(db);
}

/* ---- statements ---- */

static void values_come_back(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    struct sk_stmt *stmt = NULL;
    bool row;
    size_t len;
    uint8_t bytes[4] = {1, 0, 2, 0};
    uint8_t copy[4];
    assert_int_equal(sk_db_prepare(db, &stmt, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", &err), SK_OK);
    sk_bind_int(stmt, 1, INT64_MIN);
    sk_bind_bytes(stmt, 2, bytes, sizeof(bytes));
    sk_bind_text(stmt, 3, "text");
    sk_bind_text_len(stmt, 4, "longer", 4);
    sk_bind_null(stmt, 5);
    sk_bind_bytes(stmt, 6, "", 0);
    sk_bind_text(stmt, 7, NULL);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_true(row);
    assert_true(sk_column_int(stmt, 0) == INT64_MIN);
    assert_memory_equal(sk_column_bytes(stmt, 1, &len), bytes, 4);
    assert_int_equal(len, 4);
    assert_int_equal(sk_column_copy(stmt, 1, copy, 4, &err), SK_OK);
    assert_memory_equal(copy, bytes, 4);
    assert_int_equal(sk_column_copy(stmt, 1, copy, 3, NULL), SK_DAMAGED);
    assert_int_equal(sk_column_copy(stmt, 4, copy, 0, NULL), SK_OK);
    assert_string_equal(sk_column_text(stmt, 2), "text");
    assert_string_equal(sk_column_text(stmt, 3), "long");
    assert_true(sk_column_null(stmt, 4));
    assert_non_null(sk_column_bytes(stmt, 4, &len));
    assert_int_equal(len, 0);
    assert_string_equal(sk_column_text(stmt, 4), "");
    assert_false(sk_column_null(stmt, 5));
    assert_true(sk_column_null(stmt, 6));
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_false(row);
    sk_stmt_done(stmt);
    sk_stmt_done(NULL);
    close_db(db);
}

static void a_bind_that_fails_makes_the_step_fail(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    sk_auto_stmt stmt = NULL;
    bool row;
    assert_int_equal(sk_db_prepare(db, &stmt, "SELECT ?1", &err), SK_OK);
    sk_bind_int(stmt, 2, 1);
    sk_bind_int(stmt, 1, 1);
    assert_int_not_equal(sk_step(stmt, &row, NULL), SK_OK);
    sk_stmt_done(stmt);
    assert_int_equal(sk_db_prepare(db, &stmt, "SELECT ?1", &err), SK_OK);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_true(sk_column_null(stmt, 0)); /* bindings of before are gone */
    sk_stmt_done(stmt);
    stmt = NULL;
    close_db(db);
}

static void statements_are_kept(void **state)
{
    (void)state;
    static const char sql[] = "SELECT id FROM t ORDER BY id";
    struct sk_db *db = make_db();
    struct sk_stmt *first = NULL, *second = NULL, *third = NULL;
    bool row;
    assert_int_equal(sk_db_exec(db, "INSERT INTO t(id) VALUES (1), (2), (3)", &err), SK_OK);
    assert_int_equal(sk_db_prepare(db, &first, sql, &err), SK_OK);
    assert_int_equal(sk_step(first, &row, &err), SK_OK);
    /* Used while it is running: a second one, and the first goes on undisturbed. */
    assert_int_equal(sk_db_prepare(db, &second, sql, &err), SK_OK);
    assert_ptr_not_equal(first, second);
    assert_int_equal(sk_step(second, &row, &err), SK_OK);
    assert_int_equal(sk_column_int(second, 0), 1);
    assert_int_equal(sk_step(first, &row, &err), SK_OK);
    assert_int_equal(sk_column_int(first, 0), 2);
    sk_stmt_done(second);
    sk_stmt_done(first);
    assert_int_equal(sk_db_prepare(db, &third, sql, &err), SK_OK);
    assert_true(third == first || third == second);
    sk_stmt_done(third);

    /* Other words at the same place are another query. */
    char room[64] = "SELECT 1";
    assert_int_equal(number(db, room), 1);
    memcpy(room, "SELECT 2", 9);
    assert_int_equal(number(db, room), 2);
    assert_int_not_equal(sk_db_prepare(db, &third, "SELEC", NULL), SK_OK);
    close_db(db);
}

static void inserts_are_counted(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    sk_auto_stmt stmt = NULL;
    assert_int_equal(sk_db_prepare(db, &stmt, "INSERT INTO t(v) VALUES(?1)", &err), SK_OK);
    for (int i = 1; i <= 5; i++) {
        sk_bind_int(stmt, 1, i);
        assert_int_equal(sk_run(stmt, &err), SK_OK);
        assert_int_equal(sk_db_last_id(db), i);
    }
    assert_int_equal(sk_run(stmt, &err), SK_OK); /* bindings stay */
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE v = 5"), 2);
    assert_int_equal(sk_db_exec(db, "DELETE FROM t WHERE v > 3", &err), SK_OK);
    assert_int_equal(sk_db_changes(db), 3);
    sk_stmt_done(stmt);
    stmt = NULL;
    close_db(db);
}

static void words_are_found(void **state)
{
    (void)state;
    struct sk_db *db = make_db();
    assert_int_equal(
        sk_db_exec(db, "INSERT INTO search(rowid, text) VALUES (7, 'a seldom word')", &err), SK_OK);
    assert_int_equal(number(db, "SELECT rowid FROM search WHERE search MATCH 'seldom'"), 7);
    assert_int_equal(sk_db_exec(db,
                                "INSERT INTO search(search, rowid, text)"
                                "VALUES ('delete', 7, 'a seldom word');"
                                "INSERT INTO search(search) VALUES ('optimize')",
                                &err),
                     SK_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM search WHERE search MATCH 'seldom'"), 0);
    close_db(db);
}

struct word_count {
    struct sk_db *db;
    int64_t doc;
    int64_t count;
};

static void find_word(void *context, int64_t offset, const char *word, size_t len)
{
    struct word_count *found = context;
    struct sk_stmt *stmt = NULL;
    bool row = false;
    assert_int_equal(sk_db_prepare(found->db, &stmt,
                                   "SELECT 1 FROM temp.v WHERE doc = ?1 AND offset = ?2 AND "
                                   "term = ?3",
                                   &err),
                     SK_OK);
    sk_bind_int(stmt, 1, found->doc);
    sk_bind_int(stmt, 2, offset);
    sk_bind_text_len(stmt, 3, word, len);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    if (!row)
        fail_msg("the index has no \"%.*s\" at %lld", (int)len, word, (long long)offset);
    sk_stmt_done(stmt);
    found->count++;
}

/* Verifying relies on it: exactly the words that the index makes of a text. */
static void words_are_those_of_the_index(void **state)
{
    (void)state;
    static char longest[40001];
    memset(longest, 'w', sizeof(longest) - 1);
    const char *const texts[] = {
        "",
        "  ...  ",
        "One two, two; THREE",
        "\xc3\x89t\xc3\xa9 e\xcc\x81t\xc3\xa9 \xd0\x99\xd0\xbe\xd0\xb4 \xd0\xb9",
        "a_b-c'd \"quoted\" 12.5 \xe2\x80\xae\xef\xbf\xbd",
        "\xff\xfe broken \xc3 bytes \xe2\x82",
        longest,
    };
    struct sk_db *db = make_db();
    struct sk_word_reader *words = NULL;
    struct word_count found = {.db = db};
    assert_int_equal(sk_db_words_new(db, &words, &err), SK_OK);
    assert_int_equal(
        sk_db_exec(db, "CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, search, instance)", &err),
        SK_OK);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sk_auto_stmt stmt = NULL;
        assert_int_equal(
            sk_db_prepare(db, &stmt, "INSERT INTO search(rowid, text) VALUES(?1, ?2)", &err),
            SK_OK);
        sk_bind_int(stmt, 1, (int64_t)i + 1);
        sk_bind_text(stmt, 2, texts[i]);
        assert_int_equal(sk_run(stmt, &err), SK_OK);
        found.doc = (int64_t)i + 1;
        assert_int_equal(
            sk_db_words_each(words, texts[i], strlen(texts[i]), find_word, &found, &err), SK_OK);
    }
    assert_true(found.count > 15);
    assert_int_equal(number(db, "SELECT count(*) FROM temp.v"), found.count);
    sk_db_words_free(words);
    sk_db_words_free(NULL);
    close_db(db);
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
        TEST(settings),
        TEST(files_are_the_owners),
        TEST(what_is_not_there_and_what_is),
        TEST(a_wrong_key_is_not_taken_for_a_new_database),
        TEST(a_newer_schema_is_refused_untouched),
        TEST(an_unfinished_database_is_refused),
        TEST(two_opens_are_busy),
        TEST(reading_only),
        TEST(attach_is_refused),
        TEST(attach_is_refused_twice),
        TEST(vacuum_is_refused),
        TEST(uri_names_are_names),
        TEST(words_name_no_records),
        TEST(values_come_back),
        TEST(a_bind_that_fails_makes_the_step_fail),
        TEST(statements_are_kept),
        TEST(inserts_are_counted),
        TEST(words_are_found),
        TEST(words_are_those_of_the_index),
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
