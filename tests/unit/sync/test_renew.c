/*
 * Goal of this test: an archive renews its keys and loses nothing that is on its way. Bundles under
 * the old and the next keys are opened until the old ones are forgotten; a device takes the next
 * keys from a receipt, seals to them, and goes back to nothing older, whatever receipts come late.
 * (Who has a copy of a store from before: test_renew_copies.c.)
 */
#include "core/renew.h"
#include "sync/invite_parts.h"
#include "sync/peer.h"
#include "sync/purge.h"
#include "sync/renew.h"
#include "tests/support/lineage.h"
#include "tests/support/renewal.h"
#include "tests/support/temp_dir.h"

#include <stdlib.h>

static void take_changes_nothing(struct sk_world *world, const char *name)
{
    struct sk_receipt_result out;
    uint8_t before[32], after[32];
    sk_world_dump(device(world), before);
    EXPECT_OK(sk_receipt_take(device(world), sk_world_path(world, name), &out, &sk_test_err));
    assert_true(out.older && !out.new_keys);
    sk_receipt_result_clear(&out);
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));
}

static struct sk_peer peer_of(struct sk_store *store, int64_t id)
{
    struct sk_peer peer = {.id = 0};
    EXPECT_OK(sk_peer_load(store, id, &peer, &sk_test_err));
    return peer;
}

/* ---- the whole way ---- */

static void a_device_moves_to_the_next_keys(void **state)
{
    struct sk_world *world = *state;
    struct sk_archive_keys next;
    uint8_t id[SK_HASH_LEN];
    sk_world_pair(world);
    memcpy(id, sk_store_id(archive(world)), sizeof(id));
    send(world, "b0");
    send(world, "b1");
    import(world, "b0");
    assert_false(answer(world, "r0"));
    renew(world);
    assert_true(sk_archive_next_keys(archive(world), &next));
    import(world, "b1"); /* was on its way */
    assert_true(answer(world, "r1"));
    struct sk_peer peer = peer_of(device(world), 1);
    assert_true(peer.known.announced && !peer.known.renewed);
    assert_memory_equal(peer.known.next.dh_public, next.dh_public, SK_DH_LEN);
    assert_memory_equal(peer.known.next.sign_public, next.sign_public, SK_SIGN_PUBLIC_LEN);
    assert_memory_equal(sk_peer_seal_key(&peer), next.dh_public, SK_DH_LEN);
    sk_peer_clear(&peer);
    assert_false(answer(world, "r2")); /* again, until it has shown that it took them */
    send(world, "b2");
    assert_int_equal(known(world, 1), 0);
    import(world, "b2");
    assert_int_equal(known(world, 1), 1);
    assert_false(answer(world, "r3"));
    peer = peer_of(device(world), 1);
    assert_true(!peer.known.announced && peer.known.renewed);
    assert_memory_equal(peer.dh_public, next.dh_public, SK_DH_LEN);
    assert_memory_equal(peer.sign_public, next.sign_public, SK_SIGN_PUBLIC_LEN);
    assert_memory_equal(peer.archive_id, id, sizeof(id));
    sk_peer_clear(&peer);
    forget(world);
    assert_memory_equal(sk_store_id(archive(world)), id, sizeof(id));
    assert_memory_equal(sk_store_dh_public(archive(world)), next.dh_public, SK_DH_LEN);
    send(world, "b3");
    import(world, "b3");
    assert_false(answer(world, "r4"));
    assert_string_equal(sk_world_status(device(world), 0), "0-4|||");
}

static void once_at_a_time(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    EXPECT(SK_CONFIG, sk_archive_renew(device(world), &sk_test_err));
    EXPECT(SK_REFUSED, sk_keys_forget(archive(world), false, &sk_test_err));
    EXPECT(SK_REFUSED, sk_keys_forget(archive(world), true, &sk_test_err));
    EXPECT_OK(sk_archive_renew(archive(world), &sk_test_err));
    EXPECT(SK_REFUSED, sk_archive_renew(archive(world), &sk_test_err));
    sk_test_reopen(&world->archive[0]);
    EXPECT(SK_REFUSED, sk_archive_renew(archive(world), &sk_test_err));
    EXPECT_OK(sk_keys_forget(archive(world), true, &sk_test_err));
    EXPECT_OK(sk_archive_renew(archive(world), &sk_test_err));
    assert_int_equal(sk_archive_seed(archive(world), 0) != NULL, 0);
    assert_non_null(sk_archive_seed(archive(world), 1));
    assert_non_null(sk_archive_seed(archive(world), 2));
    assert_null(sk_archive_seed(archive(world), 3));
}

/* A bundle that goes to quarantine, or is salvaged, is opened by the same keys. */
static void quarantine_and_salvage_open_it_too(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result in = {.log = 0};
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    assert_true(answer(world, "r0"));
    send(world, "b1");
    send(world, "b2");
    sk_temp_copy(sk_world_path(world, "b1"), sk_world_path(world, "bad"));
    sk_test_flip(sk_world_path(world, "bad"), 3 * 65536 + 1);
    EXPECT_OK(sk_import_salvage(archive(world), sk_world_path(world, "bad"), NULL, NULL, &in,
                                &sk_test_err));
    assert_true(in.salvaged && in.entries_new == 1);
    sk_import_result_clear(&in);
    assert_int_equal(known(world, 1), 0);
    sk_test_sql(archive(world), "UPDATE log SET state = 3");
    in = sk_world_import(world, 0, "b1");
    assert_true(in.waiting);
    sk_import_result_clear(&in);
    assert_int_equal(known(world, 1), 1);
}

/* The receipts that a purge looks at again are those under the keys in force. */
static void a_purge_believes_receipts_of_both(void **state)
{
    struct sk_world *world = *state;
    sk_auto_ranges covered = SK_RANGES_INIT;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    assert_true(answer(world, "r0"));
    EXPECT_OK(sk_purge_covered(device(world), &covered, &sk_test_err));
    assert_string_equal(sk_world_ranges(&covered), "0-1");
    send(world, "b1");
    import(world, "b1");
    (void)answer(world, "r1");
    sk_ranges_clear(&covered);
    EXPECT_OK(sk_purge_covered(device(world), &covered, &sk_test_err));
    assert_string_equal(sk_world_ranges(&covered), "0-2");
}

/* ---- forgetting ---- */

static void it_waits_for_every_device(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *txn = NULL;
    enum sk_keys_state of = SK_KEYS_LOST;
    sk_world_pair(world);
    sk_world_invite(world, 0, "heron", "unused"); /* nothing has come under it */
    send(world, "b0");
    import(world, "b0");
    renew(world);
    EXPECT(SK_REFUSED, sk_keys_forget(archive(world), false, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "2 of the devices"));
    EXPECT_OK(sk_store_begin(&txn, archive(world), &sk_test_err));
    EXPECT_OK(sk_log_revoke(archive(world), 1, 1, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    EXPECT(SK_REFUSED, sk_keys_forget(archive(world), false, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "1 of the devices"));
    EXPECT_OK(sk_keys_forget(archive(world), true, &sk_test_err));
    EXPECT_OK(sk_keys_state(archive(world), 1, &of, &sk_test_err));
    assert_int_equal(of, SK_KEYS_LOST);
    char code[SK_CODE_LEN];
    EXPECT(SK_REFUSED,
           sk_receipt_write(archive(world), 1, sk_world_path(world, "r"), code, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "needs a new store"));
    assert_false(sk_file_exists(sk_world_path(world, "r")));
}

/* It had taken them and was not heard of: its bundle shows it. */
static void who_was_left_behind_may_have_them(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    assert_true(answer(world, "r0"));
    send(world, "b1");
    EXPECT_OK(sk_keys_forget(archive(world), true, &sk_test_err));
    import(world, "b1");
    assert_int_equal(known(world, 1), 1);
    assert_false(answer(world, "r1"));
    assert_string_equal(sk_world_status(device(world), 0), "0-2|||");
}

/* What was lost under the old keys is asked for again, like any gap. */
static void what_was_sealed_to_forgotten_keys_comes_again(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    send(world, "late");
    renew(world);
    assert_true(answer(world, "r0"));
    send(world, "b2");
    struct sk_import_result in = sk_world_import(world, 0, "b2");
    assert_string_equal(sk_world_ranges(&in.gaps), "1-2");
    sk_import_result_clear(&in);
    forget(world);
    sk_world_import_fails(world, 0, "late", SK_REFUSED, "keys that this archive has forgotten",
                          true);
    EXPECT(SK_REFUSED, sk_import_salvage(archive(world), sk_world_path(world, "late"), NULL, NULL,
                                         &in, &sk_test_err));
    (void)answer(world, "r1");
    assert_string_equal(sk_world_status(device(world), 0), "0-1 2-3||1-2|1-2");
    (void)sk_world_export(world, 0, "again");
    import(world, "again");
    (void)answer(world, "r2");
    assert_string_equal(sk_world_status(device(world), 0), "0-3|||");
    sk_world_verify(archive(world));
}

/* ---- never backwards ---- */

static void receipts_come_in_any_order(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    write_receipt(archive(world), world, "before");
    renew(world);
    write_receipt(archive(world), world, "announces");
    write_receipt(archive(world), world, "again");
    write_receipt(archive(world), world, "once more");
    assert_true(take(world, "again"));
    take_changes_nothing(world, "before");
    take_changes_nothing(world, "announces");
    take_changes_nothing(world, "again");
    send(world, "b1");
    import(world, "b1");
    write_receipt(archive(world), world, "under next");
    assert_false(take(world, "under next"));
    take_fails(world, "before", SK_REFUSED, "given up");
    take_fails(world, "announces", SK_REFUSED, "given up");
    take_fails(world, "once more", SK_REFUSED, "given up");
    take_changes_nothing(world, "under next");
}

/* ---- several ---- */

/* The device took no receipt under the keys that it had taken, while they were renewed again. */
static void a_device_may_skip_a_renewal(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    assert_true(answer(world, "r0"));
    send(world, "b1");
    import(world, "b1");
    forget(world);
    renew(world);
    assert_true(answer(world, "r1")); /* under the second keys, with the third */
    struct sk_peer peer = peer_of(device(world), 1);
    assert_true(peer.known.announced && peer.known.renewed);
    assert_memory_equal(peer.sign_public, sk_store_sign_public(archive(world)), 32);
    sk_peer_clear(&peer);
    send(world, "b2");
    import(world, "b2");
    assert_int_equal(known(world, 1), 2);
    forget(world);
    (void)answer(world, "r2");
    send(world, "b3");
    import(world, "b3");
    assert_string_equal(sk_world_status(device(world), 0), "0-3|3-4||");
}

/* Left behind by one renewal, it is so by the next: it is not taken for one that may still come. */
static void left_behind_stays_so(void **state)
{
    struct sk_world *world = *state;
    enum sk_keys_state of = SK_KEYS_TAKEN;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    EXPECT_OK(sk_keys_forget(archive(world), true, &sk_test_err));
    renew(world);
    EXPECT_OK(sk_keys_state(archive(world), 1, &of, &sk_test_err));
    assert_int_equal(of, SK_KEYS_LOST);
    forget(world); /* nobody is waited for */
}

static void invites_carry_the_newest_keys(void **state)
{
    struct sk_world *world = *state;
    enum sk_keys_state of = SK_KEYS_LOST;
    sk_world_devices(world, 3);
    sk_world_archives(world, 1);
    renew(world);
    sk_world_invite(world, 0, "lark", "i0"); /* while there are two pairs */
    sk_world_accept(world, 0, "i0");
    sk_world_invite(world, 0, "crane", "unused"); /* it has them, and is not waited for */
    send(world, "b0");
    import(world, "b0");
    assert_false(answer(world, "r0"));
    forget(world);
    sk_world_invite(world, 0, "heron", "i1"); /* after the first is gone */
    sk_world_accept(world, 1, "i1");
    (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "x");
    (void)sk_world_export(world, 1, "b1");
    import(world, "b1");
    struct sk_receipt_result out = sk_world_receipt(world, 0, 2, 1, "r1");
    assert_int_equal(out.arrived, 1);
    sk_receipt_result_clear(&out);
    for (unsigned i = 0; i < 2; i++) {
        struct sk_peer peer = peer_of(world->device[i].store, 1);
        assert_memory_equal(peer.archive_id, sk_store_id(archive(world)), SK_HASH_LEN);
        assert_false(peer.known.announced || peer.known.renewed);
        sk_peer_clear(&peer);
        EXPECT_OK(sk_keys_state(archive(world), i + 1, &of, &sk_test_err));
        assert_int_equal(of, SK_KEYS_TAKEN);
    }
    /* The same archive, whatever its keys: it is not accepted twice. */
    renew(world);
    sk_world_invite(world, 0, "stork", "i2");
    size_t len = 0;
    uint8_t *content = sk_test_read(sk_world_path(world, "i2"), &len);
    struct sk_invite invite;
    EXPECT_OK(sk_invite_decode(&invite, content, &sk_test_err));
    EXPECT(SK_REFUSED, sk_invite_add_archive(world->device[0].store, &invite, &sk_test_err));
    free(content);
}

static void each_archive_renews_on_its_own(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 1);
    sk_world_archives(world, 2);
    sk_world_invite(world, 0, "lark", "i0");
    sk_world_invite(world, 1, "lark", "i1");
    sk_world_accept(world, 0, "i0");
    sk_world_accept(world, 0, "i1");
    send(world, "b0");
    for (unsigned i = 0; i < 2; i++) {
        struct sk_import_result in = sk_world_import(world, i, "b0");
        sk_import_result_clear(&in);
    }
    renew(world);
    assert_true(answer(world, "r0"));
    struct sk_receipt_result out = sk_world_receipt(world, 1, 1, 0, "other");
    assert_false(out.new_keys);
    sk_receipt_result_clear(&out);
    send(world, "b1");
    for (unsigned i = 0; i < 2; i++) {
        struct sk_import_result in = sk_world_import(world, i, "b1");
        assert_int_equal(in.entries_new, 1);
        sk_import_result_clear(&in);
    }
    EXPECT_OK(sk_archive_renew(world->archive[1].store, &sk_test_err));
    forget(world);
    out = sk_world_receipt(world, 1, 1, 0, "other again");
    assert_true(out.new_keys);
    sk_receipt_result_clear(&out);
    (void)answer(world, "r1");
    send(world, "b2");
    for (unsigned i = 0; i < 2; i++) {
        struct sk_import_result in = sk_world_import(world, i, "b2");
        assert_int_equal(in.entries_new, 1);
        sk_import_result_clear(&in);
    }
    EXPECT_OK(sk_keys_forget(world->archive[1].store, false, &sk_test_err));
}

/* Two stores have taken one invite: what one of them took says nothing of the other. */
static void two_stores_under_one_invite(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result in;
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    sk_world_invite(world, 0, "lark", "i");
    sk_world_accept(world, 0, "i");
    sk_world_accept(world, 1, "i");
    send(world, "a0");
    import(world, "a0");
    for (unsigned i = 0; i < 2; i++) { /* its first bundle is under the key that a0 has spent */
        (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "b");
        (void)sk_world_export(world, 1, i ? "b1" : "b0");
    }
    in = sk_world_import(world, 0, "b1");
    assert_true(in.waiting);
    sk_import_result_clear(&in);
    renew(world);
    EXPECT(SK_REFUSED, sk_keys_forget(archive(world), false, &sk_test_err));
    assert_true(answer(world, "r0"));
    for (unsigned i = 0; i < 3; i++)
        send(world, i == 0 ? "a1" : i == 1 ? "a2" : "a3");
    in = sk_world_import(world, 0, "a3"); /* a1 has the index of b1 */
    sk_import_result_clear(&in);
    assert_int_equal(known(world, 1), 1);
    assert_int_equal(known(world, 2), 0);
    EXPECT(SK_REFUSED, sk_keys_forget(archive(world), false, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "1 of the devices"));
    (void)answer(world, "r1"); /* under the next keys */
    struct sk_receipt_result out = sk_world_receipt(world, 0, 2, 1, "r2");
    assert_true(out.new_keys); /* under the old ones */
    sk_receipt_result_clear(&out);
}

/* The device is told both; what it holds stays. */
static void a_revoked_device_takes_them_and_sends_nothing(void **state)
{
    struct sk_world *world = *state;
    struct sk_export_result sent;
    struct sk_store *txn = NULL;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    EXPECT_OK(sk_store_begin(&txn, archive(world), &sk_test_err));
    EXPECT_OK(sk_log_revoke(archive(world), 1, 1, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 0, "r");
    assert_true(out.new_keys && out.revoked == 1);
    sk_receipt_result_clear(&out);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "more");
    EXPECT(SK_REFUSED, sk_export(device(world), sk_world_path(world, "b1"), SK_EXPORT_NEW, NULL,
                                 &sent, &sk_test_err));
    forget(world);
}

/* A store that was restored takes a new invite, after the renewal that its old one never saw. */
static void a_restored_store_has_the_new_keys(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    import(world, "new");
    assert_int_equal(sk_test_sql_int(archive(world), "SELECT max(number) FROM key_known"), 1);
    struct sk_receipt_result out = sk_world_receipt(world, 0, 2, 1, "r");
    assert_false(out.new_keys);
    assert_int_equal(out.wanted, 0);
    sk_receipt_result_clear(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_device_moves_to_the_next_keys),
        TEST(once_at_a_time),
        TEST(quarantine_and_salvage_open_it_too),
        TEST(a_purge_believes_receipts_of_both),
        TEST(it_waits_for_every_device),
        TEST(who_was_left_behind_may_have_them),
        TEST(what_was_sealed_to_forgotten_keys_comes_again),
        TEST(receipts_come_in_any_order),
        TEST(a_device_may_skip_a_renewal),
        TEST(left_behind_stays_so),
        TEST(invites_carry_the_newest_keys),
        TEST(each_archive_renews_on_its_own),
        TEST(two_stores_under_one_invite),
        TEST(a_revoked_device_takes_them_and_sends_nothing),
        TEST(a_restored_store_has_the_new_keys),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
