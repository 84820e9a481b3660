/*
 * Goal of this test: from the position on at which a log is revoked nothing of it is taken for the
 * word of its device: its bundles wait, what came before is marked, and no withdrawal there erases
 * what a log that continues it holds, whichever comes first. A revocation never goes back, at the
 * archive or at the device, and touches no other log and no other archive.
 */
#include "core/item_internal.h"
#include "sync/peer.h"
#include "sync/purge.h"
#include "tests/support/exchange.h"
#include "tests/support/lineage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void revoke(const struct sk_world *world, unsigned archive, int64_t log, uint64_t from)
{
    struct sk_store *store = world->archive[archive].store;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_log_revoke(store, log, from, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_world_verify(store);
}

static void add_and_export(struct sk_world *world, const char *name)
{
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, name);
    (void)sk_world_export(world, 0, name);
}

/* Imports into archive 0; new entries, or 0 when the bundle waits for that reason. */
static uint64_t import(struct sk_world *world, const char *name)
{
    struct sk_import_result in = sk_world_import(world, 0, name);
    uint64_t taken = in.entries_new;
    assert_false(in.fork);
    if (in.waiting)
        assert_non_null(strstr(in.reason, "revoked: from position"));
    sk_import_result_clear(&in);
    return taken;
}

/* ---- at the archive ---- */

static void never_back_and_never_later(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *txn = NULL;
    uint64_t from = 0;
    bool revoked = true;
    sk_world_pair(world);
    add_and_export(world, "a");
    (void)import(world, "a");
    struct sk_store *archive = world->archive[0].store;
    EXPECT_OK(sk_log_revoked(archive, 1, &from, &sk_test_err));
    assert_true(from == SK_NOT_REVOKED);
    revoke(world, 0, 1, 7);
    revoke(world, 0, 1, 7);
    revoke(world, 0, 1, 3);
    EXPECT_OK(sk_store_begin(&txn, archive, &sk_test_err));
    EXPECT(SK_REFUSED, sk_log_revoke(archive, 1, 4, &sk_test_err));
    sk_store_rollback(archive);
    EXPECT_OK(sk_log_revoked(archive, 1, &from, &sk_test_err));
    assert_int_equal(from, 3);
    EXPECT_OK(sk_entry_revoked(archive, 1, 2, &revoked, &sk_test_err));
    assert_false(revoked);
    EXPECT_OK(sk_entry_revoked(archive, 1, 3, &revoked, &sk_test_err));
    assert_true(revoked);
    EXPECT(SK_CONFIG, sk_log_revoke(world->device[0].store, 1, 0, &sk_test_err));
}

static void bundles_that_reach_behind_it_wait(void **state)
{
    struct sk_world *world = *state;
    uint64_t held = 77;
    sk_world_pair(world);
    static const char *const names[] = {"b0", "b1", "b2", "b3"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add_and_export(world, names[i]);
    assert_int_equal(import(world, "b0"), 1);
    assert_int_equal(import(world, "b2"), 1); /* behind a gap */
    revoke(world, 0, 1, 2);
    EXPECT_OK(sk_log_held_from(world->archive[0].store, 1, 2, &held, &sk_test_err));
    assert_int_equal(held, 1);
    assert_int_equal(import(world, "b3"), 0);
    assert_int_equal(import(world, "b1"), 1); /* ends where it begins */
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "more");
    struct sk_export_result all;
    EXPECT_OK(sk_export(world->device[0].store, sk_world_path(world, "all"), 0, NULL, &all,
                        &sk_test_err));
    assert_int_equal(import(world, "all"), 0);
    assert_int_equal(sk_test_sql_int(world->archive[0].store, "SELECT count(*) FROM quarantine"),
                     2);
    sk_world_verify(world->archive[0].store);
}

/* A salvage is no way around it: nothing is kept where the whole bundle would wait. */
static void a_salvage_takes_nothing_of_it(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result in = {.log = 0};
    uint8_t before[32], after[32];
    sk_world_pair(world);
    add_and_export(world, "a");
    assert_int_equal(import(world, "a"), 1);
    add_and_export(world, "b");
    revoke(world, 0, 1, 1);
    sk_test_flip(sk_world_path(world, "b"), 3 * 65536 + 1);
    sk_world_dump(world->archive[0].store, before);
    EXPECT(SK_DAMAGED, sk_import_salvage(world->archive[0].store, sk_world_path(world, "b"), NULL,
                                         NULL, &in, &sk_test_err));
    if (!strstr(sk_test_err.text, "revoked: from position 1"))
        fail_msg("\"%s\" does not say why", sk_test_err.text);
    sk_world_dump(world->archive[0].store, after);
    assert_memory_equal(before, after, sizeof(before));
}

/* What was left of a bundle is here, and all of it waits: that it waits is what is told again. */
static void a_salvaged_bundle_that_waits_says_so_again(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *archive = NULL;
    struct sk_import_result in = {.log = 0};
    sk_world_pair(world);
    archive = world->archive[0].store;
    add_and_export(world, "a");
    sk_test_flip(sk_world_path(world, "a"), 3 * 65536 + 1);
    EXPECT_OK(sk_import_salvage(archive, sk_world_path(world, "a"), NULL, NULL, &in, &sk_test_err));
    assert_true(in.salvaged);
    sk_import_result_clear(&in);
    sk_test_flip(sk_world_path(world, "a"), 3 * 65536 + 1);
    revoke(world, 0, 1, 0);
    assert_int_equal(import(world, "a"), 0);
    in = sk_world_import(world, 0, "a");
    assert_true(in.known_file);
    assert_true(in.waiting);
    assert_int_equal(in.quarantined, 1);
    assert_non_null(strstr(in.reason, "revoked: from position"));
    sk_import_result_clear(&in);
    sk_world_verify(archive);
}

/* ---- a seized store and its heir ---- */

struct scene {
    struct sk_id a, b;
};

/* Two records in both logs, which part at position 2; the old one withdraws both behind it. */
static struct scene make_scene(struct sk_world *world)
{
    struct scene s;
    sk_world_pair(world);
    s.a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    s.b = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    sk_test_withdraw(world->device[0].store, &s.a);
    sk_test_withdraw(world->device[0].store, &s.b);
    (void)sk_world_export(world, 0, "gone");
    return s;
}

static void revoked_before_it_comes(void **state)
{
    struct sk_world *world = *state;
    (void)make_scene(world);
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    revoke(world, 0, 1, 2);
    assert_int_equal(import(world, "gone"), 0);
    sk_lineage_list(world, "rec-b@2 rec-a@2 ");
}

static void revoked_before_the_heir_comes(void **state)
{
    struct sk_world *world = *state;
    (void)make_scene(world);
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "gone");
    revoke(world, 0, 1, 2);
    sk_lineage_list(world, "");
    sk_lineage_import(world, "new");
    sk_lineage_list(world, "rec-b@2 rec-a@2 ");
}

static void revoked_after_it_has_erased(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result all;
    struct scene s = make_scene(world);
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    sk_lineage_import(world, "gone");
    sk_lineage_list(world, "");
    revoke(world, 0, 1, 3); /* the first of the two withdrawals stands before it */
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "all"), 0, NULL, &all,
                        &sk_test_err));
    sk_lineage_import(world, "all");
    sk_lineage_list(world, "rec-b@2 ");
    revoke(world, 0, 1, 2);
    EXPECT_OK(sk_export(world->device[1].store, sk_world_path(world, "all2"), 0, NULL, &all,
                        &sk_test_err));
    sk_lineage_import(world, "all2");
    sk_lineage_list(world, "rec-b@2 rec-a@2 ");
    /* The heir's own withdrawal works as ever, in both logs. */
    sk_test_withdraw(world->device[1].store, &s.a);
    (void)sk_world_export(world, 1, "own");
    sk_lineage_import(world, "own");
    sk_lineage_list(world, "rec-b@2 ");
}

/* Nobody has to know that it is missing: the receipt says so, and the next bundle brings it. */
static void what_a_void_withdrawal_took_is_sent_by_itself(void **state)
{
    struct sk_world *world = *state;
    (void)make_scene(world);
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    sk_lineage_import(world, "gone");
    sk_lineage_list(world, "");
    struct sk_receipt_result out = sk_world_receipt(world, 0, 2, 1, "before");
    assert_int_equal(out.wanted, 0); /* withdrawn, as far as anybody knows */
    sk_receipt_result_clear(&out);
    revoke(world, 0, 1, 2);
    out = sk_world_receipt(world, 0, 2, 1, "after");
    assert_int_equal(out.wanted, 2);
    assert_int_equal(out.bare, 0);
    sk_receipt_result_clear(&out);
    (void)sk_world_export(world, 1, "by itself");
    sk_lineage_import(world, "by itself");
    sk_lineage_list(world, "rec-b@2 rec-a@2 ");
    out = sk_world_receipt(world, 0, 2, 1, "has it");
    assert_int_equal(out.wanted, 0);
    sk_receipt_result_clear(&out);
}

/* The restored store learns what the old one withdrew, which may be in other hands; what it has of
 * it is not purged as if the archive had it. */
static void what_a_related_log_withdrew_is_told_and_stays(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges covered = SK_RANGES_INIT;
    (void)make_scene(world);
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    struct sk_receipt_result out = sk_world_receipt(world, 0, 2, 1, "before");
    assert_int_equal(sk_ranges_total(&out.withdrawn), 0);
    sk_receipt_result_clear(&out);
    EXPECT_OK(sk_purge_covered(world->device[1].store, &covered, &sk_test_err));
    assert_string_equal(sk_world_ranges(&covered), "0-3");
    sk_ranges_clear(&covered);
    sk_lineage_import(world, "gone");
    out = sk_world_receipt(world, 0, 2, 1, "gone by another log");
    assert_int_equal(sk_ranges_total(&out.withdrawn), 2);
    assert_int_equal(out.bare, 0);
    sk_receipt_result_clear(&out);
    EXPECT_OK(sk_purge_covered(world->device[1].store, &covered, &sk_test_err));
    assert_string_equal(sk_world_ranges(&covered), "0-1");
    sk_ranges_clear(&covered);
    out = sk_world_receipt(world, 0, 1, 0, "its own");
    assert_int_equal(sk_ranges_total(&out.withdrawn),
                     0); /* the old store has withdrawn them itself */
    sk_receipt_result_clear(&out);
}

/* An erasure before the position counts, whatever the device put behind it. */
static void a_withdrawal_before_it_counts(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *txn = NULL;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    struct sk_store *device = world->device[0].store;
    sk_test_withdraw(device, &a);
    struct sk_entry later = {.type = SK_TYPE_SOURCE, .revision = 3, .id = a};
    sk_auto_json text = sk_test_fields("rec-again");
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_record_append_json(device, &later, text, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)sk_world_export(world, 0, "gone");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "gone");
    revoke(world, 0, 1, 3); /* the later revision stands there */
    sk_lineage_import(world, "new");
    sk_lineage_list(world, "rec-b@2 ");
}

/* The other way round: the restored store is in other hands, and the old one still sends. */
static void what_a_revoked_heir_erased_comes_again(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result all;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    sk_lineage_attach(world, 0, &a, "photo", 100);
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_withdraw(world->device[1].store, &a); /* at 3 the photo, at 4 the record */
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "new");
    sk_lineage_list(world, "");
    struct sk_store *archive = world->archive[0].store;
    static const struct {
        uint64_t from;
        const char *name;
        int64_t photos;
    } steps[] = {{4, "all", 0}, {3, "all2", 1}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        revoke(world, 0, 2, steps[i].from);
        EXPECT_OK(sk_export(world->device[0].store, sk_world_path(world, steps[i].name), 0, NULL,
                            &all, &sk_test_err));
        sk_lineage_import(world, steps[i].name);
        sk_lineage_list(world, "rec-a@1 ");
        assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM attachment"),
                         steps[i].photos);
    }
}

/* ---- at the device ---- */

static uint64_t told(struct sk_world *world, unsigned archive, const char *name)
{
    struct sk_receipt_result out = sk_world_receipt(world, archive, 1, 0, name);
    uint64_t from = out.revoked;
    sk_receipt_result_clear(&out);
    return from;
}

static void write_receipt(struct sk_world *world, const char *name)
{
    char code[SK_CODE_LEN];
    EXPECT_OK(sk_receipt_write(world->archive[0].store, 1, sk_world_path(world, name), code,
                               &sk_test_err));
}

static void the_device_sends_nothing_more_there(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result out;
    sk_auto_peers peers = {.count = 0};
    sk_world_devices(world, 1);
    sk_world_archives(world, 2);
    for (unsigned i = 0; i < 2; i++) {
        sk_world_invite(world, i, "lark", i ? "invite1" : "invite0");
        sk_world_accept(world, 0, i ? "invite1" : "invite0");
    }
    add_and_export(world, "first");
    (void)import(world, "first");
    struct sk_import_result in = sk_world_import(world, 1, "first");
    sk_import_result_clear(&in);
    write_receipt(world, "before");
    revoke(world, 0, 1, 1);
    assert_int_equal(told(world, 0, "revoked"), 1);
    assert_true(told(world, 1, "not revoked") == SK_NOT_REVOKED);
    /* A receipt from before changes nothing, and one that says later neither. */
    struct sk_receipt_result older;
    EXPECT_OK(sk_receipt_take(world->device[0].store, sk_world_path(world, "before"), &older,
                              &sk_test_err));
    assert_true(older.older);
    assert_int_equal(older.revoked, 1);
    sk_receipt_result_clear(&older);
    sk_test_sql(world->archive[0].store, "UPDATE revoked SET position = 5");
    assert_int_equal(told(world, 0, "later"), 1);
    sk_test_sql(world->archive[0].store, "DELETE FROM revoked");
    assert_int_equal(told(world, 0, "taken back"), 1);
    EXPECT_OK(sk_peers_load(world->device[0].store, &peers, &sk_test_err));
    assert_int_equal(peers.count, 2);
    sk_peers_drop_revoked(&peers);
    assert_int_equal(peers.count, 1);
    add_and_export(world, "second");
    sk_world_import_fails(world, 0, "second", SK_REFUSED, "no bundle for this archive", true);
    in = sk_world_import(world, 1, "second");
    assert_int_equal(in.entries_new, 1);
    sk_import_result_clear(&in);
    revoke(world, 1, 1, 0);
    assert_int_equal(told(world, 1, "revoked too"), 0);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "third");
    EXPECT(SK_REFUSED, sk_export(world->device[0].store, sk_world_path(world, "third"),
                                 SK_EXPORT_NEW, NULL, &out, &sk_test_err));
    assert_false(sk_file_exists(sk_world_path(world, "third")));
    sk_world_verify(world->device[0].store);
}

/* What would not be taken is not asked for. */
static void nothing_behind_it_is_wanted(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    static const char *const names[] = {"c0", "c1", "c2", "c3"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add_and_export(world, names[i]);
    assert_int_equal(import(world, "c0"), 1);
    assert_int_equal(import(world, "c3"), 1);
    revoke(world, 0, 1, 2);
    assert_int_equal(told(world, 0, "receipt"), 2);
    assert_string_equal(sk_world_status(world->device[0].store, 0), "0-1 3-4|2-3|1-2|1-2");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(never_back_and_never_later),
        TEST(bundles_that_reach_behind_it_wait),
        TEST(a_salvaged_bundle_that_waits_says_so_again),
        TEST(a_salvage_takes_nothing_of_it),
        TEST(revoked_before_it_comes),
        TEST(revoked_before_the_heir_comes),
        TEST(revoked_after_it_has_erased),
        TEST(what_a_void_withdrawal_took_is_sent_by_itself),
        TEST(what_a_related_log_withdrew_is_told_and_stays),
        TEST(a_withdrawal_before_it_counts),
        TEST(what_a_revoked_heir_erased_comes_again),
        TEST(the_device_sends_nothing_more_there),
        TEST(nothing_behind_it_is_wanted),
    };
#undef TEST
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
