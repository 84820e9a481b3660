/*
 * Goal of this test: the database opens with the settings that keep it closed, refuses what it
 * must, and gives back what was put into it.
 */
#include "tests/support/databases.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
