/*
 * Goal of this test: what a damaged bundle did not bring is known to be lacking and asked for;
 * another damaged copy, or what the device sends again, makes the archive what it would be without
 * the damage; what was withdrawn is not asked for; and older revisions and logs that continue one
 * another are shown as they should be meanwhile.
 */
#include "core/lacking.h"
#include "tests/support/damaged_bundle.h"
#include "tests/support/lineage.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define CHUNK SK_DAMAGED_CHUNK

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* Two copies that are damaged in different places give the whole; the index waits for an intact
 * one. */
static void two_copies_make_one(void **state)
{
    struct sk_world *world = *state;
    static const size_t early[] = {2}, late[] = {20};
    struct sk_import_result result;
    uint8_t expected[32];
    sk_damaged_make(world);
    sk_damaged_reference(world, expected);
    sk_damaged_write(world, "early", early, 1);
    sk_damaged_write(world, "late", late, 1);
    EXPECT_OK(sk_damaged_salvage(world, "early", NULL, &result));
    uint64_t kept = result.payloads;
    assert_true(sk_damaged_lacking(world) > 0);
    sk_import_result_clear(&result);
    EXPECT_OK(sk_damaged_salvage(world, "early", NULL, &result)); /* again: nothing new */
    assert_int_equal(result.payloads, 0);
    assert_int_equal(result.entries_new, 0);
    sk_import_result_clear(&result);
    EXPECT_OK(sk_damaged_salvage(world, "late", NULL, &result));
    assert_int_equal(kept + result.payloads, sk_damaged_payloads(device(world)));
    assert_int_equal(result.lacking.count, 0);
    sk_import_result_clear(&result);
    assert_int_equal(sk_damaged_lacking(world), 0);
    sk_damaged_complete(world, expected);
}

/* Salvage, receipt, and the device sends again what is asked for, by itself. */
static void what_is_lost_is_asked_for(void **state)
{
    struct sk_world *world = *state;
    uint8_t expected[32], now[32];
    struct sk_import_result result;
    struct sk_log log;
    static const size_t chunks[] = {12};
    sk_damaged_make(world);
    sk_damaged_save(world);
    sk_damaged_write(world, "bad", chunks, 1);
    EXPECT_OK(sk_damaged_salvage(world, "bad", NULL, &result));
    assert_int_equal(result.lacking.count, 1);
    uint64_t from = result.lacking.items[0].from;
    uint64_t to = result.lacking.items[0].to;
    sk_import_result_clear(&result);
    EXPECT_OK(sk_log_get(archive(world), 1, &log, &sk_test_err));
    char status[64];
    (void)snprintf(status, sizeof(status), "0-%d %d-%d||%d-%d|%d-%d", (int)from, (int)to,
                   (int)log.size, (int)from, (int)to, (int)from, (int)to);
    struct sk_receipt_result answer = sk_world_receipt(world, 0, 1, 0, "answer");
    assert_int_equal(answer.size, log.size);
    assert_false(answer.rollback);
    sk_receipt_result_clear(&answer);
    assert_string_equal(sk_world_status(device(world), 0), status);
    struct sk_export_result sent = sk_world_export(world, 0, "again");
    assert_int_equal(sent.n0, from);
    result = sk_world_import(world, 0, "again");
    assert_int_equal(result.entries_new, 0);
    sk_import_result_clear(&result);
    assert_int_equal(sk_damaged_lacking(world), 0);
    answer = sk_world_receipt(world, 0, 1, 0, "answer2");
    sk_receipt_result_clear(&answer);
    (void)snprintf(status, sizeof(status), "0-%d|||", (int)log.size);
    assert_string_equal(sk_world_status(device(world), 0), status);
    sk_world_verify(archive(world));
    sk_world_meaning(archive(world), now);
    /* The same as where the damage never was. */
    sk_damaged_put_back(world);
    (void)sk_world_import(world, 0, "good");
    (void)sk_world_import(world, 0, "again");
    sk_world_meaning(archive(world), expected);
    assert_memory_equal(now, expected, sizeof(now));
}

/* What its device had erased cannot be told from what is lost, until an intact bundle says so. */
static void what_was_erased_before(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    size_t len = 0;
    sk_world_pair(world);
    struct sk_id gone = sk_test_add(device(world), SK_TYPE_SOURCE, "soon withdrawn");
    struct sk_id kept = sk_test_add(device(world), SK_TYPE_SOURCE, "kept");
    sk_damaged_attach(world, &kept, 400000);
    (void)sk_test_withdraw(device(world), &gone);
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "whole"), 0, NULL,
                        &(struct sk_export_result){0}, &sk_test_err));
    uint8_t *bytes = sk_test_read(sk_world_path(world, "whole"), &len);
    sk_temp_write(sk_world_path(world, "bad"), bytes, len / 2 / CHUNK * CHUNK);
    free(bytes);
    EXPECT_OK(sk_damaged_salvage(world, "bad", NULL, &result));
    assert_string_equal(sk_world_ranges(&result.lacking), "2-3"); /* 0 was withdrawn by 3 */
    sk_import_result_clear(&result);
    /* And what is lacking is withdrawn. */
    (void)sk_test_withdraw(device(world), &kept);
    (void)sk_world_export(world, 0, "withdrawal");
    result = sk_world_import(world, 0, "withdrawal");
    sk_import_result_clear(&result);
    assert_int_equal(sk_damaged_lacking(world), 0);
    result = sk_world_import(world, 0, "whole");
    sk_import_result_clear(&result);
    assert_int_equal(sk_damaged_payloads(archive(world)), 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM media"), 0);
    sk_world_verify(archive(world));
}

/* Behind a gap it is the same, and the part before can come later. */
static void behind_a_gap(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    static const size_t chunks[] = {3};
    uint8_t expected[32], now[32];
    sk_world_pair(world);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "the first");
    (void)sk_world_export(world, 0, "first");
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a picture");
    sk_damaged_attach(world, &id, 300000);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "the last");
    (void)sk_world_export(world, 0, "good");
    sk_damaged_save(world);
    (void)sk_world_import(world, 0, "first");
    (void)sk_world_import(world, 0, "good");
    sk_world_meaning(archive(world), expected);
    sk_damaged_put_back(world);
    sk_damaged_write(world, "bad", chunks, 1);
    EXPECT_OK(sk_damaged_salvage(world, "bad", NULL, &result));
    assert_string_equal(sk_world_ranges(&result.gaps), "0-1");
    assert_string_equal(sk_world_ranges(&result.lacking), "2-3");
    sk_import_result_clear(&result);
    struct sk_receipt_result answer = sk_world_receipt(world, 0, 1, 0, "answer");
    sk_receipt_result_clear(&answer);
    assert_string_equal(sk_world_status(device(world), 0), "1-2 3-4||0-1 2-3|0-1 2-3");
    result = sk_world_import(world, 0, "first");
    sk_import_result_clear(&result);
    sk_world_verify(archive(world));
    assert_int_equal(sk_damaged_lacking(world), 1);
    result = sk_world_import(world, 0, "good");
    sk_import_result_clear(&result);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
}

/* A newer revision is lacking: the older one is shown until it comes. */
static void an_older_revision_is_shown(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint64_t position = 0;
    bool found = false;
    size_t len = 0;
    sk_world_pair(world);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "as it was");
    sk_damaged_attach(world, &id, 300000);
    sk_test_edit(device(world), &id, "as it is");
    (void)sk_world_export(world, 0, "good");
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    sk_temp_write(sk_world_path(world, "bad"), bytes, 3 * CHUNK);
    free(bytes);
    EXPECT_OK(sk_damaged_salvage(world, "bad", NULL, &result));
    sk_import_result_clear(&result);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(archive(world), 1, &id, &item, &sk_test_err));
    assert_string_equal(item.title, "as it was");
    EXPECT_OK(sk_lacking_newest(archive(world), &item, &position, &found, &sk_test_err));
    assert_true(found && position == 2);
    EXPECT_OK(sk_lacking_is(archive(world), 1, 0, &found, &sk_test_err));
    assert_false(found);
    result = sk_world_import(world, 0, "good");
    sk_item_clear(&item);
    EXPECT_OK(sk_item_get(archive(world), 1, &id, &item, &sk_test_err));
    assert_string_equal(item.title, "as it is");
    EXPECT_OK(sk_lacking_newest(archive(world), &item, &position, &found, &sk_test_err));
    assert_false(found);
}

/* What is lacking says which log this one continues. When it comes, what was withdrawn here goes
 * there as well. */
static void a_continuation_that_is_lacking(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint8_t expected[32], now[32];
    bool is = false;
    sk_world_pair(world);
    struct sk_id gone = sk_test_add(device(world), SK_TYPE_SOURCE, "withdrawn by the heir");
    for (unsigned i = 0; i < 800; i++)
        (void)sk_test_add(device(world), SK_TYPE_SOURCE, "one of many");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_withdraw(world->device[1].store, &gone);
    (void)sk_world_export(world, 1, "good");
    sk_lineage_import(world, "old");
    sk_damaged_reference(world, expected);
    static const size_t chunks[] = {3}; /* its entries end before, its first frame behind */
    sk_damaged_write(world, "bad", chunks, 1);
    EXPECT_OK(sk_damaged_salvage(world, "bad", NULL, &result));
    sk_import_result_clear(&result);
    EXPECT_OK(sk_lacking_is(archive(world), 2, 0, &is, &sk_test_err));
    assert_true(is);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM kin"), 0);
    sk_world_verify(archive(world));
    result = sk_world_import(world, 0, "good");
    sk_import_result_clear(&result);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM item WHERE erased"), 2);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
    sk_world_verify(archive(world));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_copies_make_one),        TEST(what_is_lost_is_asked_for),
        TEST(what_was_erased_before),     TEST(behind_a_gap),
        TEST(an_older_revision_is_shown), TEST(a_continuation_that_is_lacking),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
