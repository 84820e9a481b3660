#include "tests/support/stores.h"

#include "core/db_internal.h"
#include "core/file.h"
#include "crypto/secret.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct sk_error sk_test_err = SK_ERROR_INIT;

static const uint8_t passphrase[] = "correct horse";
static const struct sk_unlock unlock_with = {passphrase, sizeof(passphrase) - 1, NULL};

void sk_test_expect(enum sk_status got, enum sk_status expected, const char *call, const char *file,
                    int line)
{
    if (got != expected) {
        print_error("%s\n    gave %s (%s), not %s\n", call, sk_status_name(got), sk_test_err.text,
                    sk_status_name(expected));
        _fail(file, line);
    }
    if (got != SK_OK && sk_test_err.text[0] == '\0') {
        print_error("%s\n    failed without words\n", call);
        _fail(file, line);
    }
}

int sk_test_begin(void **state)
{
    (void)state;
    if (sk_crypto_init() != SK_OK)
        return -1;
    sk_json_init();
    return sk_forms_init(NULL) == SK_OK ? 0 : -1;
}

int sk_test_end(void **state)
{
    (void)state;
    sk_forms_clear();
    return 0;
}

struct sk_store_options sk_test_options(const char *path, enum sk_store_kind kind)
{
    return (struct sk_store_options){
        .dir = path,
        .kind = kind,
        .unlock = &unlock_with,
        .name = kind == SK_STORE_ARCHIVE ? "Archive of tests" : "",
        .insecure_kdf = true,
    };
}

struct sk_store *sk_test_make(const char *path, enum sk_store_kind kind)
{
    struct sk_store_options options = sk_test_options(path, kind);
    struct sk_store *store = NULL;
    EXPECT_OK(sk_store_create(&options, &sk_test_err));
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    return store;
}

static int make(void **state, enum sk_store_kind kind)
{
    struct sk_test_store *at = calloc(1, sizeof(*at));
    if (!at)
        return -1;
    *state = at;
    at->kind = kind;
    at->dir = sk_temp_dir_make();
    if (!at->dir || sk_path_join(&at->path, at->dir, "store", NULL) != SK_OK)
        return -1;
    at->store = sk_test_make(at->path, kind);
    return 0;
}

int sk_test_device(void **state)
{
    return make(state, SK_STORE_DEVICE);
}

int sk_test_archive(void **state)
{
    return make(state, SK_STORE_ARCHIVE);
}

int sk_test_remove(void **state)
{
    struct sk_test_store *at = *state;
    int result = sk_store_close(at->store, NULL) == SK_OK ? 0 : -1;
    sk_temp_dir_remove(at->dir);
    free(at->path);
    free(at);
    if (sk_secret_live_count() != 0)
        print_error("%zu secrets are left\n", sk_secret_live_count());
    return sk_secret_live_count() ? -1 : result;
}

void sk_test_close(struct sk_test_store *at)
{
    struct sk_store *store = at->store;
    at->store = NULL;
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

void sk_test_open(struct sk_test_store *at)
{
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    EXPECT_OK(sk_store_open(&at->store, &options, &sk_test_err));
}

void sk_test_reopen(struct sk_test_store *at)
{
    sk_test_close(at);
    sk_test_open(at);
}

const char *sk_test_path(const struct sk_test_store *at, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", at->dir, name);
    return path;
}

json_t *sk_test_fields(const char *title)
{
    json_t *fields = json_pack("{s:s}", "title", title);
    assert_non_null(fields);
    return fields;
}

struct sk_id sk_test_add_fields(struct sk_store *store, unsigned type, json_t *fields)
{
    struct sk_id id;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_record_add(store, type, fields, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    json_decref(fields);
    return id;
}

struct sk_id sk_test_add(struct sk_store *store, unsigned type, const char *title)
{
    return sk_test_add_fields(store, type, sk_test_fields(title));
}

struct sk_item sk_test_item(struct sk_store *store, const struct sk_id *id)
{
    struct sk_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(store, SK_LOG_OWN, id, &item, &sk_test_err));
    return item;
}

void sk_test_edit(struct sk_store *store, const struct sk_id *id, const char *title)
{
    sk_auto_item item = sk_test_item(store, id);
    sk_auto_json fields = sk_test_fields(title);
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_record_edit(store, &item, fields, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

unsigned sk_test_withdraw(struct sk_store *store, const struct sk_id *id)
{
    sk_auto_item item = sk_test_item(store, id);
    struct sk_store *txn = NULL;
    unsigned count = 0;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_record_withdraw(store, &item, &count, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return count;
}

void sk_test_sql(struct sk_store *store, const char *sql)
{
    struct sk_db *db = sk_store_db(store);
    EXPECT_OK(sk_db_begin(db, &sk_test_err));
    EXPECT_OK(sk_db_exec(db, sql, &sk_test_err));
    EXPECT_OK(sk_db_commit(db, &sk_test_err));
}

int64_t sk_test_sql_int(struct sk_store *store, const char *sql)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    assert_true(row);
    return sk_column_int(stmt, 0);
}

void sk_test_belie_lengths(struct sk_store *store)
{
    sqlite3 *db = sk_store_db(store)->handle;
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL), SQLITE_OK);
    sk_test_sql(store, "DROP INDEX payload_length;"
                       "CREATE INDEX payload_length ON payload(id, length(text) + 1, body_len);"
                       "PRAGMA writable_schema = ON;"
                       "UPDATE sqlite_schema SET sql = 'CREATE INDEX payload_length ON "
                       "payload(id, length(text), body_len)' WHERE name = 'payload_length';"
                       "PRAGMA writable_schema = RESET");
}

void sk_test_write(const char *path, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint32_t x = 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        (void)putc((int)(x >> 24), file);
    }
    assert_int_equal(fclose(file), 0);
}

uint8_t *sk_test_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

void sk_test_flip(const char *path, size_t offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    int byte = getc(file);
    assert_int_not_equal(byte, EOF);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    (void)putc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static enum sk_status count_one(void *context, const char *name, struct sk_error *err)
{
    (void)name, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

unsigned sk_test_count_files(const char *dir)
{
    unsigned count = 0;
    EXPECT_OK(sk_dir_each(dir, count_one, &count, &sk_test_err));
    return count;
}
