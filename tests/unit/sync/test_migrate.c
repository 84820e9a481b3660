/*
 * Goal of this test: a store and an archive of every released schema are opened by this program,
 * brought to its schema, and are what they were: everything verifies, everything is shown, and they
 * go on working with each other. A store of a newer schema is refused with every file untouched.
 *
 * The fixtures stand in tests/migration, made when a schema was released; no migration of this
 * program takes part in making a store of them.
 */
#include "sync/export.h"
#include "sync/peer.h"
#include "sync/renew.h"
#include "tests/support/exchange.h"
#include "tests/support/old_store.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wreck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_SCHEMA 1

/* The newest schema that this program makes. */
static int64_t newest(struct sk_world *world)
{
    sk_world_devices(world, 3);
    int64_t version = sk_test_sql_int(world->device[2].store, "PRAGMA user_version");
    assert_true(version >= FIRST_SCHEMA);
    return version;
}

/* The path of a fixture. The newest schema has one as soon as it is released. */
static const char *fixture(const char *what, int64_t schema)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "migration/%s-%lld.sql", what, (long long)schema);
    return path;
}

/* Puts a store of that schema into the place of an end of the world, closed. */
static void load(struct sk_world *world, struct sk_test_store *end, const char *what,
                 int64_t schema, enum sk_store_kind kind)
{
    struct sk_old_store old;
    char name[64];
    (void)snprintf(name, sizeof(name), "%s of schema %lld", what, (long long)schema);
    sk_ignore(sk_store_close(end->store, NULL));
    free(end->path);
    *end = (struct sk_test_store){.dir = world->dir, .kind = kind};
    end->path = strdup(sk_world_path(world, name));
    sk_old_store_make(&old, end->path, fixture(what, schema), NULL);
    sk_old_store_open(&old, NULL);
    assert_int_equal(sk_old_store_int(&old, "PRAGMA user_version"), schema);
    sk_old_store_close(&old);
    sk_old_store_clear(&old);
}

static enum sk_status count_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)item, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

static unsigned items(struct sk_store *store, unsigned type)
{
    unsigned count = 0;
    EXPECT_OK(sk_item_each(store, type, count_item, &count, &sk_test_err));
    return count;
}

static unsigned hits(struct sk_store *store, const char *word)
{
    unsigned count = 0;
    EXPECT_OK(sk_item_search(store, word, count_item, &count, &sk_test_err));
    return count;
}

static enum sk_status count_malformed(void *context, int64_t log, uint64_t position,
                                      const char *reason, struct sk_error *err)
{
    (void)log, (void)position, (void)err;
    assert_string_not_equal(reason, "");
    ++*(unsigned *)context;
    return SK_OK;
}

static enum sk_status count_quarantined(void *context, const struct sk_quarantined *q,
                                        struct sk_error *err)
{
    (void)err;
    assert_string_not_equal(q->reason, "");
    ++*(unsigned *)context;
    return SK_OK;
}

struct event {
    struct sk_item item;
    unsigned revisions, links, attachments;
    struct sk_id attachment;
};

static enum sk_status find_event(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct event *event = context;
    (void)err;
    if (strcmp(item->title, "Затрыманне на возеры") == 0) {
        event->item = *item;
        event->item.title = strdup(item->title);
    }
    return SK_OK;
}

static enum sk_status count_revision(void *context, uint64_t position, const struct sk_entry *entry,
                                     struct sk_error *err)
{
    (void)position, (void)entry, (void)err;
    ((struct event *)context)->revisions++;
    return SK_OK;
}

static enum sk_status count_link(void *context, const struct sk_id *link, const char *role,
                                 const struct sk_id *other, struct sk_error *err)
{
    (void)link, (void)role, (void)other, (void)err;
    ((struct event *)context)->links++;
    return SK_OK;
}

static enum sk_status note_attachment(void *context, const struct sk_attachment *attachment,
                                      struct sk_error *err)
{
    struct event *event = context;
    (void)err;
    assert_string_equal(attachment->name, "boat.txt");
    event->attachments++;
    event->attachment = attachment->id;
    return SK_OK;
}

/* The event with two revisions, three links and a drawing. */
static void look_at_event(struct sk_world *world, struct sk_store *store, int64_t log)
{
    struct event event = {.revisions = 0};
    sk_auto_item file = {.title = NULL};
    EXPECT_OK(sk_item_each(store, SK_TYPE_EVENT, find_event, &event, &sk_test_err));
    assert_non_null(event.item.title);
    EXPECT_OK(sk_item_history(store, &event.item, count_revision, &event, &sk_test_err));
    EXPECT_OK(sk_link_each(store, &event.item, false, count_link, &event, &sk_test_err));
    EXPECT_OK(sk_link_each(store, &event.item, true, count_link, &event, &sk_test_err));
    EXPECT_OK(sk_attachment_each(store, &event.item, note_attachment, &event, &sk_test_err));
    assert_int_equal(event.revisions, 2);
    assert_int_equal(event.links, 3);
    assert_int_equal(event.attachments, 1);
    EXPECT_OK(sk_item_get(store, log, &event.attachment, &file, &sk_test_err));
    const char *out = sk_world_path(world, "drawing");
    EXPECT_OK(sk_attachment_extract(store, &file, out, NULL, &sk_test_err));
    assert_true(sk_temp_contains(out, "a line above a line", 19));
    assert_int_equal(unlink(out), 0);
    sk_item_clear(&event.item);
}

/* What both fixtures have in common: records of all types, and one text that is none. */
static void look_at_records(struct sk_world *world, struct sk_store *store, int64_t log)
{
    unsigned malformed = 0;
    sk_world_verify(store);
    assert_int_equal(items(store, SK_TYPE_PERSON), 1);
    assert_int_equal(items(store, SK_TYPE_CASE), 1);
    assert_int_equal(items(store, SK_TYPE_TESTIMONY), 1);
    assert_int_equal(items(store, SK_TYPE_SOURCE), 0); /* withdrawn, or malformed */
    assert_int_equal(items(store, SK_TYPE_CONSENT), 1);
    assert_int_equal(hits(store, "лодку"), 1);
    assert_int_equal(hits(store, "boat"), 1);
    assert_int_equal(hits(store, "neighbour"), 1);
    EXPECT_OK(sk_malformed_each(store, log, count_malformed, &malformed, &sk_test_err));
    assert_int_equal(malformed, 1);
    look_at_event(world, store, log);
}

/* Released steps do not change: a store that came through them is like one that was made now. */
static void assert_same_schema(struct sk_store *a, struct sk_store *b)
{
    static const char sql[] = "SELECT type, name, ifnull(sql, '') FROM sqlite_schema ORDER BY name";
    sk_auto_stmt of_a = NULL;
    sk_auto_stmt of_b = NULL;
    bool row_a = true;
    bool row_b = true;
    EXPECT_OK(sk_db_prepare(sk_store_db(a), &of_a, sql, &sk_test_err));
    EXPECT_OK(sk_db_prepare(sk_store_db(b), &of_b, sql, &sk_test_err));
    for (;;) {
        EXPECT_OK(sk_step(of_a, &row_a, &sk_test_err));
        EXPECT_OK(sk_step(of_b, &row_b, &sk_test_err));
        assert_int_equal(row_a, row_b);
        if (!row_a)
            return;
        for (int column = 0; column < 3; column++)
            assert_string_equal(sk_column_text(of_a, column), sk_column_text(of_b, column));
    }
}

/* The two go on: what never arrived does now, and something new besides. */
static void go_on(struct sk_world *world)
{
    struct sk_store *device = world->device[0].store;
    struct sk_store *archive = world->archive[0].store;
    (void)sk_test_add(device, SK_TYPE_EVENT, "After the migration");
    struct sk_receipt_result answer = sk_world_receipt(world, 0, SK_LOG_OWN, 0, "answer");
    sk_receipt_result_clear(&answer);
    (void)sk_world_export(world, 0, "gap and new"); /* the receipt asks for what was lost */
    struct sk_import_result in = sk_world_import(world, 0, "gap and new");
    assert_int_equal(unlink(sk_world_path(world, "answer")), 0);
    assert_int_equal(unlink(sk_world_path(world, "gap and new")), 0);
    assert_int_equal(in.gaps.count, 0);
    assert_int_equal(in.entries_known + in.entries_new > 2, 1);
    sk_import_result_clear(&in);
    assert_int_equal(items(device, SK_TYPE_EVENT), 6);
    assert_int_equal(items(archive, SK_TYPE_EVENT), 6);
    sk_world_verify(device);
    sk_world_verify(archive);
}

/* And the archive renews its keys, which its device has never heard of. */
static void renew(struct sk_world *world)
{
    struct sk_store *archive = world->archive[0].store;
    enum sk_keys_state state = SK_KEYS_LOST;
    EXPECT_OK(sk_archive_renew(archive, &sk_test_err));
    struct sk_receipt_result answer = sk_world_receipt(world, 0, SK_LOG_OWN, 0, "next keys");
    assert_true(answer.new_keys);
    sk_receipt_result_clear(&answer);
    (void)sk_test_add(world->device[0].store, SK_TYPE_CASE, "Under the next keys");
    (void)sk_world_export(world, 0, "under them");
    struct sk_import_result in = sk_world_import(world, 0, "under them");
    assert_int_equal(in.entries_new, 1);
    sk_import_result_clear(&in);
    EXPECT_OK(sk_keys_state(archive, SK_LOG_OWN, &state, &sk_test_err));
    assert_int_equal(state, SK_KEYS_TAKEN);
    EXPECT_OK(sk_keys_forget(archive, true, &sk_test_err)); /* the one in quarantine has not */
    assert_int_equal(unlink(sk_world_path(world, "next keys")), 0);
    assert_int_equal(unlink(sk_world_path(world, "under them")), 0);
}

static void every_schema_is_migrated(void **state)
{
    struct sk_world *world = *state;
    int64_t last = newest(world);
    unsigned tried = 0;
    for (int64_t schema = FIRST_SCHEMA; schema <= last; schema++) {
        unsigned waiting = 0;
        if (access(fixture("device", schema), F_OK) != 0 && schema == last && schema > FIRST_SCHEMA)
            break; /* not released yet */
        load(world, &world->device[0], "device", schema, SK_STORE_DEVICE);
        load(world, &world->archive[0], "archive", schema, SK_STORE_ARCHIVE);
        sk_test_open(&world->device[0]);
        sk_test_open(&world->archive[0]);
        struct sk_store *device = world->device[0].store;
        struct sk_store *archive = world->archive[0].store;
        assert_int_equal(sk_test_sql_int(device, "PRAGMA user_version"), last);
        assert_int_equal(sk_test_sql_int(archive, "PRAGMA user_version"), last);
        assert_same_schema(device, world->device[2].store);
        look_at_records(world, device, SK_LOG_OWN);
        look_at_records(world, archive, 1);
        assert_int_equal(items(device, SK_TYPE_EVENT), 5);
        assert_int_equal(items(archive, SK_TYPE_EVENT), 3); /* the lost one, and one not sent */
        EXPECT_OK(sk_quarantined_each(archive, count_quarantined, &waiting, &sk_test_err));
        assert_int_equal(waiting, 1);
        go_on(world);
        renew(world);
        sk_test_reopen(&world->device[0]);
        sk_test_reopen(&world->archive[0]);
        sk_world_verify(world->device[0].store);
        sk_world_verify(world->archive[0].store);
        tried++;
    }
    assert_true(tried > 0);
    print_message("%u schemas migrated\n", tried);
}

/* A store of the first schema, changed by SQL, is refused each time, to the byte as it was. */
static void refused_untouched(struct sk_world *world, const char *sql, enum sk_status expected,
                              const char *words)
{
    struct sk_old_store old;
    const char *path = sk_world_path(world, "changed");
    struct sk_store_options options = sk_test_options(path, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    sk_old_store_make(&old, path, fixture("device", FIRST_SCHEMA), NULL);
    sk_old_store_open(&old, NULL);
    assert_int_equal(sqlite3_exec(old.db, sql, NULL, NULL, NULL), SQLITE_OK);
    sk_old_store_close(&old);
    sk_old_store_clear(&old);
    struct sk_wreck before = sk_wreck_take(path);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(expected, sk_store_open(&store, &options, &sk_test_err));
        assert_non_null(strstr(sk_test_err.text, words));
        struct sk_wreck after = sk_wreck_take(path);
        assert_int_equal(after.count, before.count);
        for (unsigned j = 0; j < before.count; j++) {
            const struct sk_wreck_file *file = sk_wreck_find(&after, before.files[j].name);
            assert_non_null(file);
            assert_int_equal(file->len, before.files[j].len);
            assert_memory_equal(file->bytes, before.files[j].bytes, file->len);
        }
        sk_wreck_clear(&after);
    }
    assert_int_equal(sk_test_count_files(path), 3);
    sk_wreck_clear(&before);
}

static void a_newer_schema_is_refused_untouched(void **state)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %lld", (long long)newest(*state) + 1);
    refused_untouched(*state, sql, SK_CONFIG, "newer version");
}

/* A store that does not hold what its head was signed for may still be repaired from: nothing is
 * rewritten before that is known. */
static void an_unsigned_head_is_refused_untouched(void **state)
{
    refused_untouched(*state,
                      "UPDATE entry SET bytes = CAST(substr(bytes, 1, 8) || x'01020304' || "
                      "substr(bytes, 13) AS BLOB) "
                      "WHERE id = (SELECT max(id) FROM entry)",
                      SK_DAMAGED, "log");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_schema_is_migrated),
        TEST(a_newer_schema_is_refused_untouched),
        TEST(an_unsigned_head_is_refused_untouched),
    };
#undef TEST
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
