/*
 * Goal of this test: what is said of what continues what relates logs as long as it is said, and no
 * longer: a statement can be withdrawn, turn out to stand under the id of a record, or be met by
 * its contrary. Then the archive verifies, and what was erased by way of it comes again. Of a
 * record in related logs one is listed, whatever these hold; what is marked, revoked or malformed
 * does no more than it may.
 */
#include "tests/support/exchange.h"
#include "tests/support/liar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void begin(struct sk_world *world)
{
    static const char *const names[] = {"oldest", "liar", "heir", "second heir"};
    sk_world_devices(world, 4);
    sk_world_archives(world, 1);
    for (unsigned i = 0; i < 4; i++) {
        sk_world_invite(world, 0, names[i], "letter");
        sk_world_accept(world, i, "letter");
    }
}

static void take(struct sk_liar *liar, const char *name, uint64_t n0, uint64_t n1)
{
    struct sk_import_result in = sk_liar_send(liar, name, n0, n1);
    assert_false(in.fork || in.waiting);
    sk_import_result_clear(&in);
    sk_world_verify(liar->world->archive[0].store);
}

static int64_t count(struct sk_world *world, const char *sql)
{
    return sk_test_sql_int(world->archive[0].store, sql);
}

#define STATEMENT(position) (UINT32_C(0xc0000000) + (position))
#define WITHDRAWN_OF_OLD    "SELECT count(*) FROM item WHERE log = 1 AND erased"

static void check_unrelated(struct sk_world *world, int64_t statements)
{
    assert_int_equal(count(world, "SELECT count(*) FROM continuation"), statements);
    assert_int_equal(count(world, "SELECT count(*) FROM kin"), 2 * statements);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 0);
}

/* A statement is erased under its id like any payload, and then says nothing more: what was erased
 * by way of it comes again. Whether the erasure came before the statement makes no difference. */
static void a_statement_that_is_withdrawn(void **state)
{
    struct sk_world *world = *state;
    begin(world);
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &liar, 1);
    sk_liar_copy(&heir, &liar, 0);
    sk_liar_erase(&heir, SK_TYPE_SOURCE, 1, 2);
    sk_liar_erase(&heir, SK_TYPE_SOURCE, STATEMENT(0), 2);
    take(&liar, "old", 0, 1);
    take(&heir, "new", 0, 3);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 1);
    take(&heir, "taken back", 3, 4);
    check_unrelated(world, 0);
    take(&liar, "again", 0, 1);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE title = 'plain'"), 1);
    take(&heir, "all again", 0, 4);
    check_unrelated(world, 0);
}

/* The same where what the log before said stands under that id as well: for a while that is taken
 * as withdrawn too, and comes again. */
static void one_id_of_two_statements(void **state)
{
    struct sk_world *world = *state;
    begin(world);
    sk_auto_liar oldest;
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&oldest, world, 0);
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&oldest, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_continue(&liar, sk_store_id(world->device[1].store), &oldest, 1);
    sk_liar_copy(&liar, &oldest, 0);
    sk_liar_erase(&liar, SK_TYPE_SOURCE, 1, 2);
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &liar, 1);
    sk_liar_put(&heir, SK_TYPE_SOURCE, 2, 1, sk_liar_record(SK_TYPE_SOURCE, "of the heir"));
    sk_liar_erase(&heir, SK_TYPE_SOURCE, STATEMENT(0), 2);
    take(&oldest, "oldest", 0, 1);
    take(&liar, "old", 0, 3);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 1);
    take(&heir, "new", 0, 2);
    take(&heir, "taken back", 2, 3);
    take(&oldest, "oldest again", 0, 1);
    take(&liar, "old again", 0, 3);
    assert_int_equal(count(world, "SELECT count(*) FROM continuation"), 1);
    assert_int_equal(count(world, "SELECT count(*) FROM kin"), 2);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 1);
}

/* A statement that was carried on, under an id that turns out to be that of a record. */
static void a_statement_that_is_none(void **state)
{
    struct sk_world *world = *state;
    begin(world);
    sk_auto_liar oldest;
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&oldest, world, 0);
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&oldest, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_put(&liar, SK_TYPE_SOURCE, 7, 1, sk_liar_record(SK_TYPE_SOURCE, "other"));
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &liar, 1);
    sk_liar_put(&heir, SK_TYPE_SOURCE, STATEMENT(2), 1, sk_liar_record(SK_TYPE_SOURCE, "a record"));
    sk_liar_continue(&heir, sk_store_id(world->device[1].store), &oldest, 1);
    sk_liar_copy(&heir, &oldest, 0);
    sk_liar_erase(&heir, SK_TYPE_SOURCE, 1, 2);
    take(&oldest, "oldest", 0, 1);
    take(&liar, "old", 0, 1);
    take(&heir, "first", 0, 1);
    take(&heir, "behind a gap", 2, 5);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 1);
    take(&heir, "the gap", 1, 2);
    check_unrelated(world, 1);
    take(&oldest, "oldest again", 0, 1);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE title = 'plain'"), 1);
}

/* Two logs are related, until a statement comes by which each continues the other. */
static void each_continues_the_other(void **state)
{
    struct sk_world *world = *state;
    begin(world);
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &liar, 1);
    sk_liar_copy(&heir, &liar, 0);
    sk_liar_erase(&heir, SK_TYPE_SOURCE, 1, 2);
    sk_liar_continue(&heir, sk_store_id(world->device[1].store), &heir, 0);
    take(&liar, "old", 0, 1);
    take(&heir, "new", 0, 3);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 1);
    take(&heir, "the other way too", 3, 4);
    assert_int_equal(count(world, "SELECT count(*) FROM continuation"), 2);
    assert_int_equal(count(world, "SELECT count(*) FROM kin"), 0);
    assert_int_equal(count(world, WITHDRAWN_OF_OLD), 0);
    take(&liar, "again", 0, 1);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE title = 'plain'"), 1);
}

/* ---- what is listed ---- */

static enum sk_status count_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)item, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

static unsigned listed(struct sk_world *world)
{
    unsigned found = 0;
    EXPECT_OK(sk_item_search(world->archive[0].store, "plain", count_item, &found, &sk_test_err));
    return found;
}

/* Two logs continue the same one. That which came first holds these entries of it, the other all in
 * their order. */
static void one_of_two_is_listed(struct sk_world *world, const uint64_t *positions, unsigned held)
{
    begin(world);
    sk_auto_liar oldest;
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&oldest, world, 0);
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&oldest, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain one"));
    sk_liar_put(&oldest, SK_TYPE_SOURCE, 1, 2, sk_liar_record(SK_TYPE_SOURCE, "plain two"));
    sk_liar_continue(&liar, sk_store_id(world->device[1].store), &oldest, 2);
    for (unsigned i = 0; i < held; i++)
        sk_liar_copy(&liar, &oldest, positions[i]);
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &oldest, 2);
    sk_liar_copy(&heir, &oldest, 0);
    sk_liar_copy(&heir, &oldest, 1);
    take(&oldest, "old", 0, 2);
    take(&liar, "first", 0, held + 1);
    take(&heir, "second", 0, 3);
    assert_int_equal(count(world, "SELECT count(*) FROM kin"), 6);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE title <> ''"), 3);
    assert_int_equal(listed(world), 1);
}

static void an_entry_that_stands_twice(void **state)
{
    static const uint64_t positions[] = {0, 1, 1};
    one_of_two_is_listed(*state, positions, 3);
}

static void entries_the_other_way_round(void **state)
{
    static const uint64_t positions[] = {1, 0};
    one_of_two_is_listed(*state, positions, 2);
}

/* Of three, each shows what the next one holds before what that shows. */
static void a_ring_of_three(void **state)
{
    static const char *const names[] = {"one", "two", "three"};
    struct sk_world *world = *state;
    begin(world);
    sk_auto_liar oldest;
    sk_liar_init(&oldest, world, 0);
    for (uint32_t i = 0; i < 3; i++)
        sk_liar_put(&oldest, SK_TYPE_SOURCE, 1, i + 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    take(&oldest, "old", 0, 3);
    for (unsigned i = 0; i < 3; i++) {
        sk_auto_liar heir;
        sk_liar_init(&heir, world, i + 1);
        sk_liar_continue(&heir, sk_store_id(world->device[i + 1].store), &oldest, 3);
        sk_liar_copy(&heir, &oldest, i);
        sk_liar_copy(&heir, &oldest, (i + 1) % 3);
        take(&heir, names[i], 0, 3);
    }
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE title <> ''"), 4);
    assert_int_equal(listed(world), 1);
}

/* Sets the mark of what was saved from damage without a proof. */
static void set_mark(struct sk_liar *liar, uint64_t position)
{
    liar->entries.bytes[position * SK_ENTRY_LEN + 7] |= 0x80;
}

static void assert_apart(struct sk_world *world, int64_t log, uint64_t expected)
{
    uint64_t apart = 0;
    int64_t heir = 0;
    EXPECT_OK(sk_log_apart(world->archive[0].store, log, &apart, &heir, &sk_test_err));
    assert_int_equal(apart, expected);
}

/* What a repaired store holds with the mark is the same entry: the log before withdraws it there
 * too, and none of that stands apart but the erasure itself. */
static void withdraw_marked(struct sk_world *world, bool heir_first)
{
    begin(world);
    sk_auto_liar old;
    sk_auto_liar heir;
    sk_liar_init(&old, world, 0);
    sk_liar_init(&heir, world, 1);
    sk_liar_put(&old, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "secret"));
    sk_liar_put(&old, SK_TYPE_SOURCE, 2, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_continue(&heir, sk_store_id(world->device[1].store), &old, 1);
    sk_liar_copy(&heir, &old, 0);
    sk_liar_copy(&heir, &old, 1);
    set_mark(&heir, 1);
    set_mark(&heir, 2);
    sk_liar_erase(&old, SK_TYPE_SOURCE, 1, 2);
    if (heir_first)
        take(&heir, "new", 0, 3);
    take(&old, "old", 0, 3);
    if (!heir_first)
        take(&heir, "new", 0, 3);
    assert_int_equal(count(world, "SELECT count(*) FROM payload WHERE text LIKE '%secret%'"), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE title = 'plain'"), 2);
    assert_int_equal(listed(world), 1);
    assert_apart(world, heir_first ? 2 : 1, 1);
}

static void a_copy_with_the_mark(void **state)
{
    withdraw_marked(*state, false);
}

static void a_copy_with_the_mark_that_comes_first(void **state)
{
    withdraw_marked(*state, true);
}

/* A log that continues another, and is revoked, takes nothing's place; an id finds the other. */
static void what_is_revoked_hides_nothing(void **state)
{
    struct sk_world *world = *state;
    sk_auto_item item = {.title = NULL};
    char id[SK_ID_TEXT_LEN];
    begin(world);
    sk_auto_liar old;
    sk_auto_liar heir;
    sk_liar_init(&old, world, 0);
    sk_liar_init(&heir, world, 1);
    sk_liar_put(&old, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_continue(&heir, sk_store_id(world->device[1].store), &old, 1);
    sk_liar_copy(&heir, &old, 0);
    sk_liar_put(&heir, SK_TYPE_SOURCE, 1, 2, sk_liar_record(SK_TYPE_SOURCE, "plain lie"));
    take(&old, "old", 0, 1);
    take(&heir, "new", 0, 3);
    assert_int_equal(listed(world), 1);
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, world->archive[0].store, &sk_test_err));
    EXPECT_OK(sk_log_revoke(world->archive[0].store, 2, 2, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(listed(world), 2);
    sk_world_verify(world->archive[0].store);
    struct sk_id known = sk_liar_id(1);
    sk_id_format(id, &known);
    EXPECT_OK(sk_item_find(world->archive[0].store, id, &item, &sk_test_err));
    assert_string_equal(item.title, "plain");
}

/* The text of an attachment of one byte, with a SHA-256 that begins with these digits. */
static const char *attachment(const char *sha256)
{
    static char text[400];
    struct sk_id record = sk_liar_id(1);
    char id[SK_ID_TEXT_LEN];
    sk_id_format(id, &record);
    (void)snprintf(text, sizeof(text),
                   "{\"recorded\":\"2026-01-02T03:04Z\",\"record\":\"%s\",\"name\":\"a\","
                   "\"type\":\"text/plain\",\"size\":1,\"sha256\":\"%s%s\"}",
                   id, sha256, "711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    return text;
}

/* Two related logs have something else under one id: that alone does not say which is meant. Where
 * both have the same, it does. */
static void two_attachments_of_one_id(void **state)
{
    struct sk_world *world = *state;
    sk_auto_item item = {.title = NULL};
    bool one = false;
    begin(world);
    sk_auto_liar old;
    sk_auto_liar heir;
    sk_liar_init(&old, world, 0);
    sk_liar_init(&heir, world, 1);
    sk_liar_put(&old, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    sk_liar_put_body(&old, SK_TYPE_ATTACHMENT, 2, 1, attachment("2d"), "x", 1);
    sk_liar_continue(&heir, sk_store_id(world->device[1].store), &old, 2);
    sk_liar_copy(&heir, &old, 0);
    sk_liar_copy(&heir, &old, 1);
    set_mark(&heir, 2);
    take(&old, "old", 0, 2);
    take(&heir, "new", 0, 3);
    struct sk_store *store = world->archive[0].store;
    struct sk_id id = sk_liar_id(2);
    EXPECT_OK(sk_item_get(store, 1, &id, &item, &sk_test_err));
    assert_string_equal(item.title, "a");
    EXPECT_OK(sk_attachment_is_one(store, &item, &one, &sk_test_err));
    assert_true(one);
    sk_liar_put_body(&old, SK_TYPE_ATTACHMENT, 2, 2, attachment("2d"), "x", 1);
    take(&old, "another", 2, 3);
    sk_item_clear(&item);
    EXPECT_OK(sk_item_get(store, 2, &id, &item, &sk_test_err));
    EXPECT_OK(sk_attachment_is_one(store, &item, &one, &sk_test_err));
    assert_false(one);
    /* A record has revisions, and is found by its id. */
    sk_liar_put(&heir, SK_TYPE_SOURCE, 1, 2, sk_liar_record(SK_TYPE_SOURCE, "plain again"));
    take(&heir, "changed", 3, 4);
    id = sk_liar_id(1);
    sk_item_clear(&item);
    EXPECT_OK(sk_item_get(store, 2, &id, &item, &sk_test_err));
    EXPECT_OK(sk_attachment_is_one(store, &item, &one, &sk_test_err));
    assert_true(one);
}

/* What breaks a rule is kept, and nothing gives it out: neither what is no record, nor what its
 * form does not allow. */
static void what_is_malformed_is_not_told(void **state)
{
    static const char bad[] = "{\"recorded\":\"2026-01-02T03:04Z\",\"form\":\"source\","
                              "\"version\":1,\"fields\":{\"title\":\"bad\",\"none\":1}}";
    struct sk_world *world = *state;
    sk_auto_item item = {.title = NULL};
    begin(world);
    sk_auto_liar liar;
    sk_liar_init(&liar, world, 0);
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "good"));
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 2, bad);
    sk_liar_put(&liar, SK_TYPE_CASE, 1, 3, sk_liar_record(SK_TYPE_CASE, "of another type"));
    take(&liar, "old", 0, 3);
    sk_liar_put_body(&liar, SK_TYPE_ATTACHMENT, 2, 1, attachment("00"), "x", 1);
    take(&liar, "more", 3, 4);
    struct sk_store *store = world->archive[0].store;
    struct sk_id id = sk_liar_id(2);
    EXPECT_OK(sk_item_get(store, 1, &id, &item, &sk_test_err));
    EXPECT(SK_REFUSED,
           sk_attachment_extract(store, &item, sk_world_path(world, "out"), NULL, &sk_test_err));
    assert_false(sk_file_exists(sk_world_path(world, "out")));
    sk_item_clear(&item);
    id = sk_liar_id(1);
    EXPECT_OK(sk_item_get(store, 1, &id, &item, &sk_test_err));
    for (uint64_t position = 0; position < 3; position++) {
        sk_auto_record record = {.fields = NULL};
        EXPECT_OK(sk_record_load(store, &item, position, &record, &sk_test_err));
        assert_true(record.malformed == (position > 0));
        assert_true((record.fields == NULL) == (position > 0));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_statement_that_is_withdrawn),
        TEST(one_id_of_two_statements),
        TEST(a_statement_that_is_none),
        TEST(each_continues_the_other),
        TEST(an_entry_that_stands_twice),
        TEST(entries_the_other_way_round),
        TEST(a_ring_of_three),
        TEST(a_copy_with_the_mark),
        TEST(a_copy_with_the_mark_that_comes_first),
        TEST(what_is_revoked_hides_nothing),
        TEST(what_is_malformed_is_not_told),
        TEST(two_attachments_of_one_id),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
