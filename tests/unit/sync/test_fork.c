/*
 * Goal of this test: a log with two histories is noticed wherever they part, freezes, and stays as
 * it was; the other history is kept as evidence; and a store put back from an older copy learns it.
 */
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static void add(struct sk_store *store, const char *title)
{
    (void)sk_test_add(store, SK_TYPE_SOURCE, title);
}

static unsigned count_items(struct sk_store *store)
{
    return (unsigned)sk_test_sql_int(store, "SELECT count(*) FROM item WHERE NOT erased AND shown");
}

/* Exports the same way from a device and its copy, each with a record of its own. */
static void fork_device(struct sk_world *world)
{
    sk_world_devices(world, 1);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
    add(device(world), "common");
    (void)sk_world_export(world, 0, "b1");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, sk_world_path(world, "copy"));
    sk_test_open(&world->device[0]);
    world->device[1] =
        (struct sk_test_store){world->dir, sk_temp_path(world->dir, "copy"), SK_STORE_DEVICE, NULL};
    sk_test_open(&world->device[1]);
    add(world->device[0].store, "one history");
    add(world->device[1].store, "another history");
    /* One index apart, so that the ratchet does not hide it. */
    (void)sk_world_export(world, 1, "unused");
    add(world->device[1].store, "and on");
    (void)sk_world_export(world, 0, "b2");
}

static void a_fork_freezes_the_log(void **state)
{
    struct sk_world *world = *state;
    uint8_t before[32], after[32];
    struct sk_log log;
    struct sk_export_result sent;
    fork_device(world);
    (void)sk_world_import(world, 0, "b1");
    (void)sk_world_import(world, 0, "b2");
    sk_world_meaning(archive(world), before);
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "fork"), 0, NULL, &sent,
                        &sk_test_err));
    struct sk_import_result result = sk_world_import(world, 0, "fork");
    assert_true(result.fork && result.waiting);
    assert_int_equal(result.quarantined, 3);
    assert_non_null(strstr(result.reason, "fork"));
    EXPECT_OK(sk_log_get(archive(world), 1, &log, &sk_test_err));
    assert_int_equal(log.state, SK_LOG_STATE_FROZEN);
    assert_int_equal(log.size, 2);
    assert_int_equal(count_items(archive(world)), 2);
    result = sk_world_import(world, 0, "fork");
    assert_true(result.known_file && result.waiting && result.fork);

    /* It stays readable, and nothing later reaches it: b3 comes under a key that the other history
     * has used, b4 under a free one. */
    add(world->device[0].store, "later");
    (void)sk_world_export(world, 0, "b3");
    sk_world_import_fails(world, 0, "b3", SK_REFUSED, NULL, false);
    EXPECT_OK(sk_export(world->device[0].store, sk_world_path(world, "b4"), 2, NULL, &sent,
                        &sk_test_err));
    result = sk_world_import(world, 0, "b4");
    assert_true(result.fork && result.waiting);
    assert_non_null(strstr(result.reason, "frozen"));
    sk_test_sql(archive(world), "UPDATE log SET state = 1"); /* the state itself is a part of it */
    sk_world_meaning(archive(world), after);
    assert_memory_not_equal(before, after, sizeof(before)); /* media: the evidence */
    sk_test_sql(archive(world), "DELETE FROM media");
    sk_world_meaning(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r1");
    assert_false(receipt.rollback);
    assert_non_null(strstr(receipt.notes, "bundle 3 is in quarantine: fork"));
    assert_non_null(strstr(receipt.notes, "bundle 4 is in quarantine: the log is frozen"));
    sk_receipt_result_clear(&receipt);
}

static void a_fork_behind_a_gap_is_found_when_it_closes(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent;
    struct sk_import_result result;
    fork_device(world);
    /* The archive has only the tail of the other history. */
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "tail"), 2, NULL, &sent,
                        &sk_test_err));
    result = sk_world_import(world, 0, "tail");
    assert_string_equal(sk_world_ranges(&result.gaps), "0-2");
    sk_import_result_clear(&result);
    result = sk_world_import(world, 0, "b1");
    assert_false(result.fork);
    assert_string_equal(sk_world_ranges(&result.gaps), "1-2");
    sk_import_result_clear(&result);
    result = sk_world_import(world, 0, "b2"); /* [1, 2) of the first history */
    assert_true(result.fork && result.waiting);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM entry"), 2);
    sk_import_result_clear(&result);
    sk_world_verify(archive(world));
}

/* No entry in it is known here: only what it continues tells. */
static void a_bundle_that_continues_another_history_is_a_fork(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent;
    struct sk_import_result result;
    fork_device(world);
    (void)sk_world_import(world, 0, "b1");
    (void)sk_world_import(world, 0, "b2"); /* [0, 2) of the first history */
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "next"), 2, NULL, &sent,
                        &sk_test_err)); /* [2, 3) of the other */
    result = sk_world_import(world, 0, "next");
    assert_true(result.fork && result.waiting);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM entry"), 2);
    sk_world_verify(archive(world));
}

/* The same where both parts stand behind a gap. */
static void a_part_that_continues_another_history_is_a_fork(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent;
    struct sk_import_result result;
    fork_device(world);
    EXPECT_OK(sk_export(world->device[0].store, sk_world_path(world, "a"), 1, NULL, &sent,
                        &sk_test_err)); /* [1, 2) of the first history */
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "b0"), 2, NULL, &sent,
                        &sk_test_err)); /* a key of the first history, too */
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "b"), 2, NULL, &sent,
                        &sk_test_err)); /* [2, 3) of the other */
    result = sk_world_import(world, 0, "a");
    assert_string_equal(sk_world_ranges(&result.gaps), "0-1");
    sk_import_result_clear(&result);
    result = sk_world_import(world, 0, "b");
    assert_true(result.fork && result.waiting);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM entry"), 1);
    sk_import_result_clear(&result);
}

static void a_store_put_back_learns_it_from_the_receipt(void **state)
{
    struct sk_world *world = *state;
    struct sk_receipt_result receipt;
    uint8_t before[32], after[32];
    sk_world_pair(world);
    add(device(world), "one");
    (void)sk_world_export(world, 0, "b1");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, sk_world_path(world, "old"));
    sk_test_open(&world->device[0]);
    add(device(world), "two");
    (void)sk_world_export(world, 0, "b2");
    (void)sk_world_import(world, 0, "b1");
    (void)sk_world_import(world, 0, "b2");

    sk_test_close(&world->device[0]);
    sk_world_copy(sk_world_path(world, "old"), world->device[0].path);
    sk_test_open(&world->device[0]);
    sk_world_dump(device(world), before);
    receipt = sk_world_receipt(world, 0, 1, 0, "r1");
    sk_world_dump(device(world), after);
    assert_true(receipt.rollback);
    assert_non_null(strstr(receipt.notes, "put back from an older copy"));
    assert_memory_equal(before, after, sizeof(before));
    sk_receipt_result_clear(&receipt);

    /* Its next bundle comes under a key that is spent; the receipt then names that too. */
    add(device(world), "two, otherwise");
    (void)sk_world_export(world, 0, "b3");
    sk_world_import_fails(world, 0, "b3", SK_REFUSED, NULL, false);
    receipt = sk_world_receipt(world, 0, 1, 0, "r2");
    assert_true(receipt.rollback);
    assert_non_null(strstr(receipt.notes, "two bundles came under key 1"));
    assert_string_equal(sk_world_status(device(world), 0), "|0-2||");
    sk_receipt_result_clear(&receipt);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_fork_freezes_the_log),
        TEST(a_fork_behind_a_gap_is_found_when_it_closes),
        TEST(a_bundle_that_continues_another_history_is_a_fork),
        TEST(a_part_that_continues_another_history_is_a_fork),
        TEST(a_store_put_back_learns_it_from_the_receipt),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
