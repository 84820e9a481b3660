/*
 * Makes the fixtures of one schema: a documenter's store and an archive that have lived a little,
 * as SQL text in which their files stand as comments. Run once, when a schema is released:
 *
 *     build/dev/tests/make_stores tests/migration
 *
 * writes device-N.sql and archive-N.sql for schema N. Everything in them is invented, the keys
 * included. support/old_store.h puts them on disk again.
 */
#include "core/db_internal.h"
#include "core/media.h"
#include "core/store_internal.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096

static struct sk_id add(struct sk_store *store, unsigned type, const char *title, const char *name,
                        const char *value)
{
    json_t *fields = sk_test_fields(title);
    if (name)
        assert_int_equal(json_object_set_new(fields, name, json_string(value)), 0);
    return sk_test_add_fields(store, type, fields);
}

static void link_them(struct sk_store *store, const struct sk_id *from, const char *role,
                      const struct sk_id *to)
{
    struct sk_id link;
    struct sk_store *txn = NULL;
    sk_auto_item source = sk_test_item(store, from);
    sk_auto_item target = sk_test_item(store, to);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &source, role, &target, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void attach(struct sk_world *world, const struct sk_id *to, const char *name,
                   const char *text)
{
    struct sk_id id;
    struct sk_store *store = world->device[0].store;
    const char *path = sk_world_path(world, name);
    sk_auto_item item = sk_test_item(store, to);
    sk_temp_write(path, text, strlen(text));
    EXPECT_OK(sk_attachment_add(store, &item, path, NULL, &id, &sk_test_err));
}

/* Every type, two revisions, links, attachments, withdrawals, a text that is none of ours. */
static void record(struct sk_world *world)
{
    struct sk_store *store = world->device[0].store;
    struct sk_id person = add(store, SK_TYPE_PERSON, "Янка", "name", "Янка Выдуманы");
    struct sk_id crime = add(store, SK_TYPE_CASE, "The case of the lake", NULL, NULL);
    struct sk_id event = add(store, SK_TYPE_EVENT, "Затрыманне ля возера", NULL, NULL);
    struct sk_id told = add(store, SK_TYPE_TESTIMONY, "What was seen", "text",
                            "Я бачыла лодку каля берага. Nobody else was there.");
    struct sk_id source = add(store, SK_TYPE_SOURCE, "A neighbour", NULL, NULL);
    (void)add(store, SK_TYPE_CONSENT, "Consent of the neighbour", NULL, NULL);
    sk_test_edit(store, &event, "Затрыманне на возеры");
    link_them(store, &person, "victim-of", &event);
    link_them(store, &event, "part-of", &crime);
    link_them(store, &told, "testifies-about", &event);
    attach(world, &event, "boat.txt", "A drawing of the boat, in words: a line above a line.\n");
    attach(world, &source, "gone.txt", "This is withdrawn with its record.\n");
    (void)sk_test_withdraw(store, &source);
    (void)sk_world_put_text(store, "{\"form\":\"source\",\"version\":1,\"made\":\"elsewhere\"}");
}

/* Three bundles, of which the second is lost; a receipt; a rival under the same invite. */
static void carry(struct sk_world *world)
{
    static const char *const names[] = {"first", "lost", "third"};
    for (unsigned i = 0; i < 3; i++) {
        (void)add(world->device[0].store, SK_TYPE_EVENT, names[i], NULL, NULL);
        (void)sk_world_export(world, 0, names[i]);
        if (i == 1)
            continue;
        struct sk_import_result in = sk_world_import(world, 0, names[i]);
        sk_import_result_clear(&in);
        struct sk_receipt_result out = sk_world_receipt(world, 0, SK_LOG_OWN, 0, "receipt");
        sk_receipt_result_clear(&out);
        assert_int_equal(remove(sk_world_path(world, "receipt")), 0);
    }
    (void)add(world->device[0].store, SK_TYPE_EVENT, "Not sent yet", NULL, NULL);
    for (unsigned i = 0; i < 2; i++) { /* the first is under a key that is spent */
        char name[16];
        (void)snprintf(name, sizeof(name), "rival%u", i);
        (void)add(world->device[1].store, SK_TYPE_PERSON, "A rival", "name", "Somebody Else");
        (void)sk_world_export(world, 1, name);
    }
    struct sk_import_result in = sk_world_import(world, 0, "rival1");
    assert_true(in.waiting);
    sk_import_result_clear(&in);
}

/* ---- as text ---- */

static void put_hex(FILE *out, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        (void)fprintf(out, "%02x", at[i]);
}

static void dump_media(FILE *out, struct sk_store *store, int64_t row, const uint8_t *name)
{
    char hex[2 * SK_MEDIA_NAME_LEN + 1];
    uint8_t hash[crypto_hash_sha256_BYTES];
    uint8_t piece[PIECE];
    size_t got = PIECE;
    size_t len = 0;
    sk_hex(hex, name, SK_MEDIA_NAME_LEN);
    char *path = sk_temp_path(store->media_dir, hex);
    uint8_t *sealed = sk_temp_read(path, &len);
    crypto_hash_sha256(hash, sealed, len);
    free(sealed);
    free(path);
    (void)fprintf(out, "-- media %s ", hex);
    put_hex(out, hash, sizeof(hash));
    (void)fputc(' ', out);
    sk_auto_media_reader reader = NULL;
    EXPECT_OK(sk_media_open(store, row, &reader, &sk_test_err));
    while (got == PIECE) {
        EXPECT_OK(sk_media_read(reader, piece, PIECE, &got, &sk_test_err));
        put_hex(out, piece, got);
    }
    (void)fputc('\n', out);
}

/* One row of text a row of the query, each closed with a semicolon where `end` says so. */
static void dump_query(FILE *out, struct sk_store *store, const char *sql, const char *end)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(sk_store_db(store)->handle, sql, -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        (void)fprintf(out, "%s%s\n", (const char *)sqlite3_column_text(stmt, 0), end);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

static void dump_table(FILE *out, struct sk_store *store, const char *table)
{
    char sql[1024];
    sqlite3_stmt *stmt = NULL;
    sk_auto_buf values = SK_BUF_INIT;
    (void)snprintf(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')", table);
    assert_int_equal(sqlite3_prepare_v2(sk_store_db(store)->handle, sql, -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        EXPECT_OK(sk_buf_printf(&values, &sk_test_err, "%squote(%s)",
                                values.len ? " || ',' || " : "", sqlite3_column_text(stmt, 0)));
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    (void)snprintf(sql, sizeof(sql), "SELECT 'INSERT INTO %s VALUES(' || %s || ')' FROM %s", table,
                   sk_buf_text(&values), table);
    dump_query(out, store, sql, ";");
}

static void dump_tables(FILE *out, struct sk_store *store)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(sk_store_db(store)->handle,
                                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                                        "sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(stmt, 0);
        if (strncmp(table, "search_", 7) == 0) /* FTS5's own, which are not empty when made */
            (void)fprintf(out, "DELETE FROM %s;\n", table);
        dump_table(out, store, table);
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

static void dump(const char *dir, const char *what, struct sk_test_store *at)
{
    char name[64];
    struct sk_store *store = at->store;
    int64_t schema = sk_test_sql_int(store, "PRAGMA user_version");
    (void)snprintf(name, sizeof(name), "%s-%lld.sql", what, (long long)schema);
    char *path = sk_temp_path(dir, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    (void)fprintf(out, "-- Of schema %lld: made by make_stores.c. All of it is invented.\n-- keys ",
                  (long long)schema);
    put_hex(out, store->keys.bytes, SK_KEYS_LEN);
    (void)fputc('\n', out);
    sk_auto_stmt stmt = NULL;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, "SELECT id, name FROM media", &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    while (row) {
        size_t len;
        const uint8_t *media = sk_column_bytes(stmt, 1, &len);
        dump_media(out, store, sk_column_int(stmt, 0), media);
        EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    }
    dump_query(out, store,
               "SELECT sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL AND name NOT "
               "LIKE 'search\\_%' ESCAPE '\\' ORDER BY rowid",
               ";");
    dump_tables(out, store);
    dump_query(
        out, store,
        "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql NOT NULL ORDER BY rowid", ";");
    (void)fprintf(out, "PRAGMA application_id = %d;\nPRAGMA user_version = %lld;\n",
                  SK_APPLICATION_ID, (long long)schema);
    assert_int_equal(fclose(out), 0);
    print_message("%s\n", path);
    free(path);
}

static const char *target;

static void make(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
    sk_world_accept(world, 1, "invite");
    record(world);
    carry(world);
    dump(target, "device", &world->device[0]);
    dump(target, "archive", &world->archive[0]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(make, sk_world_setup, sk_world_teardown)};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_stores FOLDER\n");
        return 64;
    }
    target = argv[1];
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
