/*
 * A folder for one database, and what tests of core/db.h do with it. For one source file a test.
 */
#ifndef SK_TESTS_DATABASES_H
#define SK_TESTS_DATABASES_H

#include "core/db_internal.h"
#include "core/file.h"
#include "crypto/secret.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define MARKER "MARKER-51d0-seldom-words"
#define PAGE   4096

static const uint8_t key[32] = {4, 2};
static const uint8_t id[16] = {1, 9};

static char *dir;
static char *path;
static char *wal_path;
static struct sk_error err;

static inline int begin(void **state)
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

static inline int end(void **state)
{
    (void)state;
    free(path);
    free(wal_path);
    sk_temp_dir_remove(dir);
    return sk_secret_live_count() == 0 ? 0 : -1;
}

static inline enum sk_status try_open(struct sk_db **db, bool create, bool read_only)
{
    const struct sk_db_options options = {
        .path = path, .store_key = key, .store_id = id, .create = create, .read_only = read_only};
    sk_error_clear(&err);
    return sk_db_open(db, &options, &err);
}

static inline struct sk_db *open_db(bool create)
{
    struct sk_db *db = NULL;
    enum sk_status status = try_open(&db, create, false);
    if (status != SK_OK)
        fail_msg("%s", err.text);
    return db;
}

/* A new database with a small table of our own beside those of the schema. */
static inline struct sk_db *make_db(void)
{
    struct sk_db *db = open_db(true);
    assert_int_equal(sk_db_trust(db, &err), SK_OK);
    assert_int_equal(sk_db_exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)", &err), SK_OK);
    return db;
}

static inline void close_db(struct sk_db *db)
{
    enum sk_status status = sk_db_close(db, &err);
    if (status != SK_OK)
        fail_msg("%s", err.text);
}

static inline int64_t number(struct sk_db *db, const char *sql)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    assert_int_equal(sk_db_prepare(db, &stmt, sql, &err), SK_OK);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_true(row);
    return sk_column_int(stmt, 0);
}

static inline void assert_setting(struct sk_db *db, const char *sql, const char *expected)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    assert_int_equal(sk_db_prepare(db, &stmt, sql, &err), SK_OK);
    assert_int_equal(sk_step(stmt, &row, &err), SK_OK);
    assert_true(row);
    assert_string_equal(sk_column_text(stmt, 0), expected);
}

static inline enum sk_status scan_one(void *context, const char *name, struct sk_error *error)
{
    char *file = sk_temp_path(dir, name);
    (void)context, (void)error;
    if (sk_temp_contains(file, MARKER, strlen(MARKER)))
        fail_msg("%s holds what was recorded", file);
    free(file);
    return SK_OK;
}

static inline void scan(void)
{
    assert_int_equal(sk_dir_each(dir, scan_one, NULL, &err), SK_OK);
}

#endif
