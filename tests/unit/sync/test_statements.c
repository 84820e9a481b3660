/*
 * Goal of this test: what is said of what continues what relates logs as long as it is said, and no
 * longer: a statement can be withdrawn, turn out to stand under the id of a record, or be met by
 * its contrary. Then the archive verifies, and what was erased by way of it comes again. Of a
 * record in related logs one is listed, whatever these hold.
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
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
