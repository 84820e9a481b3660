/*
 * Goal of this test: a bundle carries the longest part of the log that fits whatever compression
 * does, and says what remains; no entry is so large that nothing behind it could ever leave.
 *
 * The lengths are made up in the database: nothing is written.
 */
#include "sync/envelope.h"
#include "sync/export_parts.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define STREAM_MAX ((uint64_t)SK_VOLUME_CHUNKS_MAX * SK_CHUNK_PLAIN_LEN)
#define MIB        (1024ull * 1024)

static struct sk_export_plan plan(const struct sk_test_store *at, uint64_t n0, uint64_t size)
{
    struct sk_export_plan plan;
    EXPECT_OK(sk_export_plan(at->store, n0, size, &plan, &sk_test_err));
    assert_int_equal(plan.n0, n0);
    assert_int_equal(plan.n1 + plan.left, size);
    return plan;
}

static void add(const struct sk_test_store *at, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)sk_test_add(at->store, SK_TYPE_SOURCE, "entry");
}

/* Gives the payload of an entry a body of that length, and the block hashes of one. */
static void set_body(const struct sk_test_store *at, uint64_t position, uint64_t body_len)
{
    char sql[200];
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE payload SET body_len = %llu, hashes = zeroblob(32 * %llu) "
                   "WHERE id = (1 << 40) + %llu",
                   (unsigned long long)body_len, (unsigned long long)sk_block_count(1, body_len),
                   (unsigned long long)position);
    sk_test_sql(at->store, sql);
}

static void what_fits_is_taken_whole(void **state)
{
    const struct sk_test_store *at = *state;
    struct sk_hash hash;
    uint8_t want[SK_HASH_LEN];
    add(at, 3);
    struct sk_id id = sk_test_add(at->store, SK_TYPE_SOURCE, "withdrawn");
    (void)sk_test_withdraw(at->store, &id); /* entries 3 and 4 have no payload */
    add(at, 1);
    struct sk_export_plan p = plan(at, 1, 6);
    assert_int_equal(p.n1, 6);
    assert_int_equal(p.payloads, 3);
    assert_int_equal(p.plain_bytes,
                     sk_test_sql_int(at->store, "SELECT sum(length(text)) FROM payload "
                                                "WHERE id > 1 << 40"));
    sk_hash_init(&hash, NULL, SK_LABEL_INDICES);
    sk_hash_add_u32(&hash, 0);
    sk_hash_add_u32(&hash, 1);
    sk_hash_add_u32(&hash, 4);
    sk_hash_end(&hash, want);
    assert_memory_equal(p.indices_hash, want, sizeof(want));
}

static void what_does_not_fit_is_left(void **state)
{
    const struct sk_test_store *at = *state;
    add(at, 4);
    set_body(at, 1, 3000 * MIB);
    set_body(at, 2, 3000 * MIB);
    struct sk_export_plan p = plan(at, 0, 4);
    assert_int_equal(p.n1, 2);
    assert_int_equal(p.left, 2);
    assert_int_equal(p.payloads, 2);
    p = plan(at, 2, 4);
    assert_int_equal(p.n1, 4);
    assert_int_equal(p.payloads, 2);
}

/* The largest that a record may have, in every place. */
static void the_largest_attachment_fits(void **state)
{
    const struct sk_test_store *at = *state;
    add(at, 3);
    for (uint64_t i = 0; i < 3; i++)
        set_body(at, i, SK_BODY_MAX);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(plan(at, i, 3).n1, i + 1);
    assert_true(plan(at, 0, 3).plain_bytes > SK_BODY_MAX);
}

/* Only a damaged row can say so: no bundle is begun. */
static void what_fits_no_bundle_is_an_error(void **state)
{
    const struct sk_test_store *at = *state;
    struct sk_export_plan p = {.n0 = 77};
    add(at, 2);
    set_body(at, 1, STREAM_MAX);
    assert_int_equal(plan(at, 0, 2).n1, 1);
    EXPECT(SK_LIMIT, sk_export_plan(at->store, 1, 2, &p, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "entry 1 is larger"));
    assert_int_equal(p.n0, 77);
}

static void entries_are_counted_with_and_without_payloads(void **state)
{
    const struct sk_test_store *at = *state;
    add(at, 1);
    assert_int_equal(plan(at, 0, 1ull << 20).n1, 1ull << 20);
    assert_int_equal(plan(at, 0, (1ull << 20) + 5).left, 5);
    assert_int_equal(plan(at, 7, 3ull << 20).n1, 7 + (1ull << 20));

    /* Erasures behind an attachment that nearly fills the bundle. */
    set_body(at, 0, STREAM_MAX - MIB);
    struct sk_export_plan p = plan(at, 0, 1ull << 20);
    assert_in_range(p.n1, 5000, MIB / SK_ENTRY_LEN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
    const struct CMUnitTest tests[] = {
        TEST(what_fits_is_taken_whole),
        TEST(what_does_not_fit_is_left),
        TEST(the_largest_attachment_fits),
        TEST(what_fits_no_bundle_is_an_error),
        TEST(entries_are_counted_with_and_without_payloads),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
