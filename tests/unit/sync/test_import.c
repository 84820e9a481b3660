/*
 * Goal of this test: nothing that is damaged, cut or not meant for this archive changes it,
 * and what is well signed but not well formed is put aside without holding up the rest.
 */
#include "core/file.h"
#include "crypto/hash.h"
#include "sync/envelope.h"
#include "sync/ratchet.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#define SPOTS 200

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

/* A pair, with some records and a bundle of them. */
static void make_bundle(struct sk_world *world)
{
    struct sk_id attachment;
    sk_world_pair(world);
    sk_test_write(sk_world_path(world, "picture"), 150000);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a picture");
    sk_auto_item item = sk_test_item(device(world), &id);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "picture"), NULL,
                                &attachment, &sk_test_err));
    add(device(world), "another");
    (void)sk_world_export(world, 0, "good");
}

/* ---- damage ---- */

/* The archive refuses the bytes and stays as it is. */
static void expect_damaged(struct sk_world *world, const void *bytes, size_t len)
{
    struct sk_import_result result;
    uint8_t before[32], after[32];
    char *media = sk_temp_path(world->archive[0].path, "media");
    unsigned files = sk_test_count_files(media);
    sk_temp_write(sk_world_path(world, "bad"), bytes, len);
    sk_world_dump(archive(world), before);
    sk_error_clear(&sk_test_err);
    enum sk_status status =
        sk_import(archive(world), sk_world_path(world, "bad"), NULL, NULL, &result, &sk_test_err);
    if (status != SK_DAMAGED && status != SK_REFUSED)
        fail_msg("%zu bytes: %s (%s)", len, sk_status_name(status), sk_test_err.text);
    assert_int_not_equal(sk_test_err.text[0], 0);
    sk_world_dump(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(sk_test_count_files(media), files);
    free(media);
}

/* A place in the file for the n-th of `count` tries: the header's parts first, then all along. */
static size_t spot(unsigned n, size_t len)
{
    static const size_t special[] = {0,      1,      31,    32,    47,    48,    79,
                                     80,     1055,   1056,  65503, 65504, 65535, 65536,
                                     131071, 131072, 65552, 66000, 70000, 131056};
    const size_t count = sizeof(special) / sizeof(special[0]);
    if (n < count)
        return special[n];
    if (n == SPOTS - 1)
        return len - 1;
    return (size_t)((uint64_t)n * 2654435761u % len);
}

static void flip_and_cut(struct sk_world *world)
{
    size_t len = 0;
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    for (unsigned i = 0; i < SPOTS; i++) {
        size_t at = spot(i, len);
        bytes[at] ^= (uint8_t)(1u << i % 8);
        expect_damaged(world, bytes, len);
        bytes[at] ^= (uint8_t)(1u << i % 8);
    }
    for (unsigned i = 0; i < SPOTS; i++)
        expect_damaged(world, bytes, spot(i, len));
    for (size_t whole = 1; whole < len / SK_CHUNK_LEN; whole++)
        expect_damaged(world, bytes, whole * SK_CHUNK_LEN);
    free(bytes);
}

/* Unused slots and the padding are under the header's MAC, so that every bit of a file counts. */
static void damage_changes_nothing(void **state)
{
    struct sk_world *world = *state;
    make_bundle(world);
    flip_and_cut(world);
    struct sk_import_result result = sk_world_import(world, 0, "good");
    assert_int_equal(result.entries_new, 3);
}

/* Also when the bundle is already there, and its index spent. */
static void a_damaged_copy_of_a_known_bundle_changes_nothing(void **state)
{
    struct sk_world *world = *state;
    make_bundle(world);
    (void)sk_world_import(world, 0, "good");
    flip_and_cut(world);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT length(notice) FROM peer"), 0);
}

static void longer_files_change_nothing(void **state)
{
    struct sk_world *world = *state;
    static const size_t more[] = {1, 16, 65520, 65536, 131072};
    size_t len = 0;
    make_bundle(world);
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    uint8_t *longer = calloc(1, len + 131072);
    assert_non_null(longer);
    memcpy(longer, bytes, len);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        expect_damaged(world, longer, len + more[i]);
    expect_damaged(world, "", 0);
    free(longer);
    free(bytes);
}

static void what_is_not_a_bundle(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    make_bundle(world);
    EXPECT(SK_MISSING, sk_import(archive(world), sk_world_path(world, "nothing"), NULL, NULL,
                                 &result, &sk_test_err));
    EXPECT_OK(sk_dir_create(sk_world_path(world, "folder"), &sk_test_err));
    sk_error_clear(&sk_test_err);
    enum sk_status status = sk_import(archive(world), sk_world_path(world, "folder"), NULL, NULL,
                                      &result, &sk_test_err);
    assert_true(status == SK_IO || status == SK_DAMAGED);
    sk_world_import_fails(world, 0, "invite", SK_DAMAGED, NULL, true);
    size_t len = 0;
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    sk_random(bytes, len);
    expect_damaged(world, bytes, len);
    free(bytes);
}

/* ---- well signed, not well formed ---- */

static enum sk_status count_malformed(void *context, int64_t log, uint64_t position,
                                      const char *reason, struct sk_error *err)
{
    (void)err;
    assert_int_equal(log, 1);
    assert_int_not_equal(reason[0], 0);
    *(uint64_t *)context |= 1ull << position;
    return SK_OK;
}

static void what_is_malformed_is_put_aside(void **state)
{
    struct sk_world *world = *state;
    uint64_t where = 0;
    sk_world_pair(world);
    add(device(world), "good");
    (void)sk_world_put_text(device(world), "{\"form\": \"source\", ");
    (void)sk_world_put_text(device(world), "\xff\xfe");
    (void)sk_world_put_text(device(world), "{\"form\":\"source\",\"version\":1,"
                                           "\"recorded\":\"2024-07-14T14:30:05+03:00\",\"fields\":"
                                           "{\"title\":\"t\",\"\\u001b[2Jfield\":1}}");
    add(device(world), "good too");
    (void)sk_world_export(world, 0, "b1");
    struct sk_import_result result = sk_world_import(world, 0, "b1");
    assert_int_equal(result.entries_new, 5);
    assert_int_equal(result.quarantined, 3);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM item WHERE shown"), 2);
    EXPECT_OK(sk_malformed_each(archive(world), 1, count_malformed, &where, &sk_test_err));
    assert_int_equal(where, 0x0e);
    sk_world_verify(archive(world));

    /* The documenter is told, in words that are safe to show. */
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r1");
    assert_false(receipt.rollback);
    assert_non_null(strstr(receipt.notes, "entry 1 was put aside: "));
    assert_non_null(strstr(receipt.notes, "entry 3 was put aside: "));
    assert_null(strchr(receipt.notes, '\x1b'));
    sk_receipt_result_clear(&receipt);
}

/* Appends 96 bytes of any content. */
static void put_raw(struct sk_store *store, const uint8_t bytes[SK_ENTRY_LEN])
{
    struct sk_store *txn = NULL;
    struct sk_log log;
    EXPECT_OK(sk_log_get(store, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_log_put(store, SK_LOG_OWN, log.size, bytes, 0, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void entries_of_an_unknown_kind_are_kept(void **state)
{
    struct sk_world *world = *state;
    uint8_t strange[SK_ENTRY_LEN] = {9, 9};
    uint64_t where = 0;
    sk_world_pair(world);
    add(device(world), "good");
    put_raw(device(world), strange);
    /* With a payload that nothing commits to in a way known here. */
    sk_test_sql(device(world), "INSERT INTO payload(id, salt, hashes, body_len, media, text) "
                               "SELECT id + 1, salt, hashes, 0, NULL, text FROM payload");
    add(device(world), "good too");
    (void)sk_world_export(world, 0, "b1");
    struct sk_import_result result = sk_world_import(world, 0, "b1");
    assert_int_equal(result.entries_new, 3);
    assert_int_equal(result.quarantined, 1);
    EXPECT_OK(sk_malformed_each(archive(world), 1, count_malformed, &where, &sk_test_err));
    assert_int_equal(where, 2);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM payload"), 2);
    result = sk_world_import(world, 0, "b1");
    assert_true(result.known_file);
}

/* Revision 2 that names another entry than revision 1, in both orders of arrival. */
static void a_broken_chain_of_revisions_is_marked(void **state)
{
    struct sk_world *world = *state;
    struct sk_entry entry;
    uint8_t bytes[SK_ENTRY_LEN];
    bool found = false;
    sk_world_pair(world);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "one");
    (void)sk_world_export(world, 0, "b1");
    EXPECT_OK(sk_log_entry(device(world), SK_LOG_OWN, 0, bytes, &found, &sk_test_err));
    EXPECT_OK(sk_entry_decode(&entry, bytes));
    entry.revision = 2;
    memset(entry.previous, 7, sizeof(entry.previous));
    sk_entry_encode(bytes, &entry);
    put_raw(device(world), bytes);
    (void)sk_world_export(world, 0, "b2");
    for (unsigned i = 0; i < 2; i++) {
        struct sk_test_store *at = &world->archive[0];
        uint64_t where = 0;
        sk_test_close(at);
        sk_world_copy(i ? sk_world_path(world, "fresh") : at->path,
                      i ? at->path : sk_world_path(world, "fresh"));
        sk_test_open(at);
        struct sk_import_result result = sk_world_import(world, 0, i ? "b2" : "b1");
        sk_import_result_clear(&result);
        result = sk_world_import(world, 0, i ? "b1" : "b2");
        assert_int_equal(result.quarantined, 1 - i); /* of the bundle that was read */
        EXPECT_OK(sk_malformed_each(archive(world), 1, count_malformed, &where, &sk_test_err));
        assert_int_equal(where, 2);
    }
}

/* An index far ahead, as after many exports that failed; and one that is too far. */
static void indexes_far_ahead_are_found(void **state)
{
    struct sk_world *world = *state;
    struct sk_slot_keys keys;
    uint64_t index = 0;
    struct sk_store *txn = NULL;
    struct sk_export_result sent;
    sk_world_pair(world);
    add(device(world), "one");
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    for (unsigned i = 0; i < 4095; i++)
        EXPECT_OK(sk_chain_take(device(world), 1, &index, &keys, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)sk_world_export(world, 0, "near");
    EXPECT_OK(
        sk_export(device(world), sk_world_path(world, "beyond"), 0, NULL, &sent, &sk_test_err));
    sk_world_import_fails(world, 0, "beyond", SK_REFUSED, NULL, true);
    struct sk_import_result result = sk_world_import(world, 0, "near");
    assert_int_equal(result.entries_new, 1);
    result = sk_world_import(world, 0, "beyond");
    assert_int_equal(result.entries_known, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(damage_changes_nothing),
        TEST(a_damaged_copy_of_a_known_bundle_changes_nothing),
        TEST(longer_files_change_nothing),
        TEST(what_is_not_a_bundle),
        TEST(what_is_malformed_is_put_aside),
        TEST(entries_of_an_unknown_kind_are_kept),
        TEST(a_broken_chain_of_revisions_is_marked),
        TEST(indexes_far_ahead_are_found),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
