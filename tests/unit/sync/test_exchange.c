/*
 * Goal of this test: the whole way between devices and archives. Whatever is lost, repeated, late
 * or out of order, archives end in one state; gaps are named and an invite used twice is noticed;
 * what is withdrawn stays away; and the documenter learns by receipts what arrived.
 */
#include "core/file.h"
#include "core/media.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#define BIG_LEN (5u * 1024 * 1024 + 321)

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

static void the_first_bundle_enrols(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    add(device(world), "one");
    add(device(world), "two");
    struct sk_export_result sent = sk_world_export(world, 0, "b1");
    assert_int_equal(sent.number, 1);
    assert_int_equal(sent.n0, 0);
    assert_int_equal(sent.n1, 2);
    assert_int_equal(sent.left, 0);
    assert_int_equal(sent.bytes, 256 * 1024);

    struct sk_import_result got = sk_world_import(world, 0, "b1");
    assert_string_equal(got.device, "lark");
    assert_int_equal(got.log, 1);
    assert_int_equal(got.bundle, 1);
    assert_int_equal(got.entries_new, 2);
    assert_int_equal(got.entries_known, 0);
    assert_int_equal(got.gaps.count, 0);
    assert_false(got.known_file || got.waiting || got.fork);
    assert_int_equal(count_items(archive(world)), 2);
    struct sk_log log;
    EXPECT_OK(sk_log_get(archive(world), 1, &log, &sk_test_err));
    assert_int_equal(log.state, SK_LOG_STATE_ENROLLED);
    assert_memory_equal(log.log_id, sk_store_id(device(world)), SK_HASH_LEN);
    sk_world_verify(archive(world));
    sk_world_verify(device(world));
}

static void the_same_bundle_twice_changes_nothing(void **state)
{
    struct sk_world *world = *state;
    uint8_t before[32], after[32];
    sk_world_pair(world);
    add(device(world), "one");
    (void)sk_world_export(world, 0, "b1");
    (void)sk_world_import(world, 0, "b1");
    sk_world_dump(archive(world), before);
    struct sk_import_result again = sk_world_import(world, 0, "b1");
    sk_world_dump(archive(world), after);
    assert_memory_equal(before, after, sizeof(before));
    assert_true(again.known_file);
    assert_int_equal(again.entries_new, 0);
    assert_int_equal(again.entries_known, 1);
    assert_int_equal(again.bundle, 1);
    assert_string_equal(again.device, "lark");
}

static void receipts_and_status_agree(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    add(device(world), "one");
    assert_string_equal(sk_world_status(device(world), 0), "||0-1|");
    (void)sk_world_export(world, 0, "b1");
    add(device(world), "two");
    assert_string_equal(sk_world_status(device(world), 0), "|0-1|1-2|");
    (void)sk_world_import(world, 0, "b1");
    struct sk_receipt_result got = sk_world_receipt(world, 0, 1, 0, "r1");
    assert_string_equal(got.archive, "Archive of tests");
    assert_int_equal(got.number, 1);
    assert_int_equal(got.size, 1);
    assert_false(got.older || got.rollback);
    assert_string_equal(got.notes, "");
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(device(world), 0), "0-1||1-2|");
    struct sk_export_result sent = sk_world_export(world, 0, "b2");
    assert_int_equal(sent.n0, 1);
    assert_int_equal(sent.n1, 2);
    sk_world_verify(device(world));
}

/* ---- order, loss, repetition ---- */

#define BUNDLES 4

/* A life with an edit, an attachment, a link and a withdrawal, in four bundles. */
static void live(struct sk_world *world)
{
    struct sk_store *store = device(world);
    struct sk_id id, victim, attachment, link;
    struct sk_store *txn = NULL;
    sk_test_write(sk_world_path(world, "picture"), 300000);
    id = sk_test_add(store, SK_TYPE_SOURCE, "first");
    victim = sk_test_add(store, SK_TYPE_SOURCE, "to be withdrawn");
    (void)sk_world_export(world, 0, "b0");
    sk_test_edit(store, &id, "first, again");
    sk_auto_item item = sk_test_item(store, &id);
    EXPECT_OK(sk_attachment_add(store, &item, sk_world_path(world, "picture"), NULL, &attachment,
                                &sk_test_err));
    sk_test_edit(store, &victim, "to be withdrawn, again");
    (void)sk_world_export(world, 0, "b1");
    add(store, "third");
    sk_auto_item other = sk_test_item(store, &victim);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &item, "evidence-for", &other, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)sk_world_export(world, 0, "b2");
    assert_int_equal(sk_test_withdraw(store, &victim), 2);
    sk_test_edit(store, &id, "first, once more");
    (void)sk_world_export(world, 0, "b3");
}

static void take_in_order(struct sk_world *world, const unsigned *order, size_t count,
                          uint8_t meaning[32])
{
    struct sk_test_store *at = &world->archive[0];
    static const char *const names[] = {"b0", "b1", "b2", "b3"};
    sk_test_close(at);
    sk_world_copy(sk_world_path(world, "fresh"), at->path);
    sk_test_open(at);
    for (size_t i = 0; i < count; i++) {
        struct sk_import_result result = sk_world_import(world, 0, names[order[i]]);
        assert_false(result.fork || result.waiting);
        assert_int_equal(result.quarantined, 0);
        if (i + 1 == count)
            assert_int_equal(result.gaps.count, 0);
        sk_import_result_clear(&result);
    }
    sk_world_verify(at->store);
    sk_world_meaning(at->store, meaning);
}

static void every_order_ends_in_the_same_state(void **state)
{
    struct sk_world *world = *state;
    const unsigned straight[] = {0, 1, 2, 3};
    uint8_t want[32], got[32];
    sk_world_pair(world);
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "fresh"));
    sk_test_open(&world->archive[0]);
    live(world);
    take_in_order(world, straight, BUNDLES, want);
    assert_int_equal(count_items(archive(world)), 3);
    for (unsigned code = 0; code < 256; code++) {
        unsigned order[BUNDLES + 2] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
        unsigned seen = 1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3];
        size_t count = BUNDLES;
        if (seen != 15 && code % 5) /* with repeats: what is lost comes at the end, some of them */
            continue;
        for (unsigned b = 0; b < BUNDLES && count < BUNDLES + 2; b++)
            if (!(seen & 1u << b)) {
                order[count++] = b;
                seen |= 1u << b;
            }
        if (seen != 15)
            continue;
        take_in_order(world, order, count, got);
        assert_memory_equal(want, got, sizeof(want));
    }
}

static void a_gap_is_named_and_closed(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"b1", "b2", "b3"};
        add(device(world), names[i]);
        add(device(world), names[i]);
        (void)sk_world_export(world, 0, names[i]);
    }
    struct sk_import_result result = sk_world_import(world, 0, "b3");
    assert_string_equal(sk_world_ranges(&result.gaps), "0-4");
    sk_import_result_clear(&result);
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r0");
    assert_int_equal(receipt.size, 0);
    assert_false(receipt.rollback);
    sk_receipt_result_clear(&receipt);
    assert_string_equal(sk_world_status(device(world), 0), "4-6||0-4|0-4");

    result = sk_world_import(world, 0, "b1");
    assert_string_equal(sk_world_ranges(&result.gaps), "2-4");
    sk_import_result_clear(&result);
    receipt = sk_world_receipt(world, 0, 1, 0, "r1");
    assert_int_equal(receipt.size, 2);
    sk_receipt_result_clear(&receipt);
    assert_string_equal(sk_world_status(device(world), 0), "0-2 4-6||2-4|2-4");

    /* What is asked for is sent again, once, and nothing else. */
    struct sk_export_result sent = sk_world_export(world, 0, "b4");
    assert_int_equal(sent.n0, 2);
    assert_int_equal(sent.n1, 4);
    assert_string_equal(sk_world_status(device(world), 0), "0-2 4-6|2-4||2-4");
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "b5"), SK_EXPORT_NEW, NULL, &sent,
                        &sk_test_err));
    assert_true(sent.nothing);
    result = sk_world_import(world, 0, "b4");
    assert_int_equal(result.gaps.count, 0);
    assert_int_equal(result.entries_new, 2);
    assert_int_equal(result.entries_known, 0);
    result = sk_world_import(world, 0, "b2");
    assert_int_equal(result.entries_known, 2);
    receipt = sk_world_receipt(world, 0, 1, 0, "r2");
    sk_receipt_result_clear(&receipt);
    assert_string_equal(sk_world_status(device(world), 0), "0-6|||");
    sk_world_verify(archive(world));
}

/* Parts behind gaps that touch, overlap and contain each other. */
static void islands_grow_together(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent;
    sk_world_pair(world);
    for (unsigned i = 0; i < 12; i++) {
        add(device(world), "entry");
        char name[8];
        (void)snprintf(name, sizeof(name), "n%u", i);
        (void)sk_world_export(world, 0, name); /* [i, i + 1) */
        if (i == 8) {
            EXPECT_OK(sk_export(device(world), sk_world_path(world, "s5"), 5, NULL, &sent,
                                &sk_test_err)); /* [5, 9) */
            EXPECT_OK(sk_export(device(world), sk_world_path(world, "s2"), 2, NULL, &sent,
                                &sk_test_err)); /* [2, 9) */
        }
    }
    static const char *const order[] = {"n10", "n6", "n8", "s5",  "n7", "n3",
                                        "n9",  "n1", "s2", "n11", "n0"};
    static const char *const gaps[] = {
        "0-10",    "0-6 7-10",    "0-6 7-8 9-10", "0-5 9-10", "0-5 9-10", "0-3 4-5 9-10",
        "0-3 4-5", "0-1 2-3 4-5", "0-1",          "0-1",      ""};
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct sk_import_result result = sk_world_import(world, 0, order[i]);
        assert_false(result.fork);
        assert_string_equal(sk_world_ranges(&result.gaps), gaps[i]);
        sk_import_result_clear(&result);
        struct sk_receipt_result receipt =
            sk_world_receipt(world, 0, 1, 0, order[i][0] == 'n' ? "rn" : "rs");
        assert_false(receipt.rollback);
        sk_receipt_result_clear(&receipt);
        EXPECT_OK(sk_file_remove(sk_world_path(world, "rn"), &sk_test_err));
        EXPECT_OK(sk_file_remove(sk_world_path(world, "rs"), &sk_test_err));
        sk_world_verify(archive(world));
    }
    assert_string_equal(sk_world_status(device(world), 0), "0-12|||");
}

/* ---- several ends ---- */

static void one_bundle_serves_two_archives(void **state)
{
    struct sk_world *world = *state;
    uint8_t a[32], b[32];
    sk_world_devices(world, 2);
    sk_world_archives(world, 2);
    for (unsigned i = 0; i < 4; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "i%u", i);
        sk_world_invite(world, i / 2, i % 2 ? "stork" : "lark", name);
        sk_world_accept(world, i % 2, name);
    }
    add(world->device[0].store, "of the lark");
    add(world->device[1].store, "of the stork");
    (void)sk_world_export(world, 0, "lark");
    (void)sk_world_export(world, 1, "stork");
    for (unsigned i = 0; i < 2; i++) {
        struct sk_import_result result = sk_world_import(world, i, "lark");
        assert_string_equal(result.device, "lark");
        result = sk_world_import(world, i, "stork");
        assert_string_equal(result.device, "stork");
        assert_int_equal(count_items(world->archive[i].store), 2);
    }
    sk_world_meaning(world->archive[0].store, a);
    sk_world_meaning(world->archive[1].store, b);
    assert_memory_equal(a, b, sizeof(a));

    /* A receipt is for one device alone, and speaks for one archive alone. */
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r0");
    sk_receipt_result_clear(&receipt);
    unsigned done = strcmp(sk_world_status(world->device[0].store, 0), "0-1|||") == 0;
    done += strcmp(sk_world_status(world->device[0].store, 1), "0-1|||") == 0;
    assert_int_equal(done, 1);
    EXPECT(SK_REFUSED, sk_receipt_take(world->device[1].store, sk_world_path(world, "r0"), &receipt,
                                       &sk_test_err));
}

static void a_later_archive_gets_everything(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 1);
    sk_world_archives(world, 2);
    sk_world_invite(world, 0, "lark", "i0");
    sk_world_accept(world, 0, "i0");
    add(device(world), "one");
    (void)sk_world_export(world, 0, "b1");
    sk_world_invite(world, 1, "lark", "i1");
    sk_world_accept(world, 0, "i1");
    struct sk_export_result sent = sk_world_export(world, 0, "b2");
    assert_int_equal(sent.n0, 0);
    sk_world_import_fails(world, 1, "b1", SK_REFUSED, NULL, true);
    struct sk_import_result result = sk_world_import(world, 1, "b2");
    assert_int_equal(result.entries_new, 1);
    result = sk_world_import(world, 0, "b2");
    assert_int_equal(result.entries_new, 1);
}

static enum sk_status count_approved(void *context, const struct sk_import_result *result,
                                     struct sk_error *err)
{
    (void)err;
    *(uint64_t *)context += result->entries_new;
    return SK_OK;
}

static enum sk_status check_waiting(void *context, const struct sk_quarantined *q,
                                    struct sk_error *err)
{
    (void)err;
    ++*(unsigned *)context;
    assert_string_equal(q->device, "lark");
    assert_int_equal(q->log, 2);
    return SK_OK;
}

static void an_invite_used_twice_is_noticed(void **state)
{
    struct sk_world *world = *state;
    uint8_t before[32], after[32];
    struct sk_log log;
    unsigned waiting = 0;
    uint64_t approved = 0;
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "invite");
    sk_world_accept(world, 0, "invite");
    sk_world_accept(world, 1, "invite");
    add(world->device[0].store, "the first to come");
    (void)sk_world_export(world, 0, "a1");
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "b%u", i + 1);
        add(world->device[1].store, "another store");
        (void)sk_world_export(world, 1, name);
    }
    (void)sk_world_import(world, 0, "a1");

    /* The same index, another bundle: refused, and the next receipt says so, once. */
    sk_world_import_fails(world, 0, "b1", SK_REFUSED, "its invite was used twice", false);
    sk_world_dump(archive(world), before);
    sk_world_import_fails(world, 0, "b1", SK_REFUSED, NULL, true);
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r1");
    assert_non_null(strstr(receipt.notes, "two bundles came under key 0"));
    sk_receipt_result_clear(&receipt);

    /* A free index: it waits, and changes nothing that is shown. */
    struct sk_import_result result = sk_world_import(world, 0, "b3");
    assert_true(result.waiting);
    assert_false(result.fork);
    assert_int_equal(result.quarantined, 1);
    assert_int_equal(result.entries_new, 0);
    assert_non_null(strstr(result.reason, "approve"));
    result = sk_world_import(world, 0, "b2");
    assert_true(result.waiting);
    result = sk_world_import(world, 0, "b2");
    assert_true(result.known_file && result.waiting);
    assert_int_equal(count_items(archive(world)), 1);
    EXPECT_OK(sk_quarantined_each(archive(world), check_waiting, &waiting, &sk_test_err));
    assert_int_equal(waiting, 2);
    sk_test_reopen(&world->archive[0]);
    sk_world_verify(archive(world));

    EXPECT_OK(sk_device_find(archive(world), "lark", true, &log, &sk_test_err));
    assert_int_equal(log.id, 2);
    EXPECT(SK_REFUSED,
           sk_approve(archive(world), 1, NULL, count_approved, &approved, &sk_test_err));
    EXPECT_OK(sk_approve(archive(world), log.id, NULL, count_approved, &approved, &sk_test_err));
    assert_int_equal(approved, 2);
    assert_int_equal(count_items(archive(world)), 3);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM media"), 0);
    EXPECT(SK_MISSING, sk_device_find(archive(world), "lark", true, &log, &sk_test_err));
    EXPECT(SK_USAGE, sk_device_find(archive(world), "lark", false, &log, &sk_test_err));
    sk_world_verify(archive(world));

    /* Both are heard from then on, and both get receipts. */
    add(world->device[1].store, "accepted now");
    (void)sk_world_export(world, 1, "b4");
    result = sk_world_import(world, 0, "b4");
    assert_false(result.waiting);
    assert_string_equal(sk_world_ranges(&result.gaps), "0-1");
    sk_import_result_clear(&result);
    receipt = sk_world_receipt(world, 0, 2, 1, "r2");
    assert_false(receipt.rollback);
    sk_receipt_result_clear(&receipt);
    assert_string_equal(sk_world_status(world->device[1].store, 0), "1-4||0-1|0-1");
    sk_world_dump(archive(world), after);
    assert_memory_not_equal(before, after, sizeof(before));
}

/* ---- withdrawal and attachments ---- */

static void what_is_withdrawn_stays_away(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "quokka");
    struct sk_export_result sent;
    (void)sk_world_export(world, 0, "b1");
    EXPECT_OK(
        sk_export(device(world), sk_world_path(world, "b1again"), 0, NULL, &sent, &sk_test_err));
    (void)sk_test_withdraw(device(world), &id);
    (void)sk_world_export(world, 0, "b2");
    (void)sk_world_import(world, 0, "b1");
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM payload"), 1);
    (void)sk_world_import(world, 0, "b2");
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM payload"), 0);
    struct sk_import_result result = sk_world_import(world, 0, "b1again");
    assert_int_equal(result.entries_known, 1);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM payload"), 0);
    sk_world_verify(archive(world));
}

static void an_erasure_may_come_before_its_record(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    sk_test_write(sk_world_path(world, "picture"), 200000);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "quokka");
    struct sk_id attachment;
    sk_auto_item item = sk_test_item(device(world), &id);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "picture"), NULL,
                                &attachment, &sk_test_err));
    (void)sk_world_export(world, 0, "b1");
    (void)sk_test_withdraw(device(world), &id);
    (void)sk_world_export(world, 0, "b2");
    struct sk_import_result result = sk_world_import(world, 0, "b2");
    sk_import_result_clear(&result);
    result = sk_world_import(world, 0, "b1");
    assert_int_equal(result.gaps.count, 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM payload"), 0);
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT count(*) FROM media"), 0);
    assert_int_equal(count_items(archive(world)), 0);
    sk_world_verify(archive(world));
    char *media = sk_temp_path(world->archive[0].path, "media");
    assert_int_equal(sk_test_count_files(media), 0);
    free(media);
}

/* A bundle made before the withdrawal that was sent after it: the entry has no payload any more. */
static void an_entry_without_payload_is_filled_later(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent;
    sk_world_pair(world);
    add(device(world), "purged");
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "full"), 0, NULL, &sent, &sk_test_err));
    sk_test_sql(device(world), "CREATE TEMP TABLE kept AS SELECT * FROM payload;"
                               "DELETE FROM payload");
    EXPECT_OK(
        sk_export(device(world), sk_world_path(world, "empty"), 0, NULL, &sent, &sk_test_err));
    (void)sk_world_import(world, 0, "empty");
    assert_int_equal(count_items(archive(world)), 0);
    struct sk_import_result result = sk_world_import(world, 0, "full");
    assert_int_equal(result.entries_known, 1);
    assert_int_equal(count_items(archive(world)), 1);
    sk_world_verify(archive(world));
}

/* Attaches a file of that many bytes, and takes it out at the archive. */
static void attach_and_extract(struct sk_world *world, const char *name, size_t len)
{
    struct sk_id attachment;
    sk_test_write(sk_world_path(world, name), len);
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "with a film");
    sk_auto_item item = sk_test_item(device(world), &id);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, name), NULL, &attachment,
                                &sk_test_err));
    add(device(world), "after the film");
    (void)sk_world_export(world, 0, "bundle");
    (void)sk_world_import(world, 0, "bundle");
    assert_int_equal(unlink(sk_world_path(world, "bundle")), 0);
    sk_auto_item there = {.title = NULL};
    EXPECT_OK(sk_item_get(archive(world), 1, &attachment, &there, &sk_test_err));
    EXPECT_OK(sk_attachment_extract(archive(world), &there, sk_world_path(world, "out"), NULL,
                                    &sk_test_err));
    size_t a_len = 0, b_len = 0;
    uint8_t *a = sk_test_read(sk_world_path(world, name), &a_len);
    uint8_t *b = sk_test_read(sk_world_path(world, "out"), &b_len);
    assert_int_equal(a_len, b_len);
    assert_int_equal(memcmp(a, b, a_len), 0);
    free(a);
    free(b);
    assert_int_equal(unlink(sk_world_path(world, "out")), 0);
}

static void an_attachment_arrives_byte_for_byte(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    attach_and_extract(world, "film", BIG_LEN);
    attach_and_extract(world, "one byte", 1);
    attach_and_extract(world, "nothing", 0);
    sk_world_verify(archive(world));
    sk_world_verify(device(world));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_bundle_enrols),
        TEST(the_same_bundle_twice_changes_nothing),
        TEST(receipts_and_status_agree),
        TEST(every_order_ends_in_the_same_state),
        TEST(a_gap_is_named_and_closed),
        TEST(islands_grow_together),
        TEST(one_bundle_serves_two_archives),
        TEST(a_later_archive_gets_everything),
        TEST(an_invite_used_twice_is_noticed),
        TEST(what_is_withdrawn_stays_away),
        TEST(an_erasure_may_come_before_its_record),
        TEST(an_entry_without_payload_is_filled_later),
        TEST(an_attachment_arrives_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
