/*
 * Goal of this test: an archive renews its keys and loses nothing that is on its way. Bundles under
 * the old and the next keys are opened until the old ones are forgotten; a device takes the next
 * keys from a receipt, seals to them, and goes back to nothing older, whoever sends it what. Who
 * has a copy of the archive from before opens nothing that is sealed to the next keys; who takes
 * the archive after the old keys were forgotten opens nothing that was sealed to those.
 */
#include "core/renew.h"
#include "sync/invite_parts.h"
#include "sync/peer.h"
#include "sync/purge.h"
#include "sync/renew.h"
#include "sync/volume.h"
#include "tests/support/exchange.h"
#include "tests/support/lineage.h"
#include "tests/support/seized.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static void renew(struct sk_world *world)
{
    EXPECT_OK(sk_archive_renew(archive(world), &sk_test_err));
    sk_test_reopen(&world->archive[0]);
}

static void forget(struct sk_world *world)
{
    EXPECT_OK(sk_keys_forget(archive(world), false, &sk_test_err));
    sk_test_reopen(&world->archive[0]);
    sk_world_verify(archive(world));
}

static void send(struct sk_world *world, const char *name)
{
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, name);
    (void)sk_world_export(world, 0, name);
}

static void import(struct sk_world *world, const char *name)
{
    struct sk_import_result in = sk_world_import(world, 0, name);
    assert_false(in.waiting || in.fork || in.known_file);
    sk_import_result_clear(&in);
}

static void write_receipt(struct sk_store *store, const struct sk_world *world, const char *name)
{
    char code[SK_CODE_LEN];
    EXPECT_OK(sk_receipt_write(store, 1, sk_world_path(world, name), code, &sk_test_err));
}

/* Takes a receipt; whether it announced new keys. */
static bool take(struct sk_world *world, const char *name)
{
    struct sk_receipt_result out;
    EXPECT_OK(sk_receipt_take(device(world), sk_world_path(world, name), &out, &sk_test_err));
    assert_false(out.older || out.rollback);
    bool announced = out.new_keys;
    sk_receipt_result_clear(&out);
    return announced;
}

static bool answer(struct sk_world *world, const char *name)
{
    write_receipt(archive(world), world, name);
    return take(world, name);
}

/* It is refused with these words, and no row of the device changes. */
static void take_fails(struct sk_world *world, const char *name, enum sk_status status,
                       const char *words)
{
    struct sk_receipt_result out;
    uint8_t before[32], after[32];
    sk_world_dump(device(world), before);
    EXPECT(status, sk_receipt_take(device(world), sk_world_path(world, name), &out, &sk_test_err));
    if (!strstr(sk_test_err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", sk_test_err.text, words);
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));
}

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

static uint64_t known(struct sk_world *world, int64_t log)
{
    uint64_t number = 77;
    EXPECT_OK(sk_keys_known(archive(world), 1, log, &number, &sk_test_err));
    return number;
}

/* Puts a copy of the archive beside it, as end 1 of the world. */
static void copy_archive(struct sk_world *world)
{
    sk_test_close(&world->archive[0]);
    world->archive[1] = (struct sk_test_store){
        .dir = world->dir, .kind = SK_STORE_ARCHIVE, .path = sk_temp_path(world->dir, "copy")};
    sk_world_copy(world->archive[0].path, world->archive[1].path);
    sk_test_open(&world->archive[0]);
    sk_test_open(&world->archive[1]);
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

/* ---- who takes what ---- */

static enum sk_status agree(void *scalar, uint8_t shared[static SK_DH_LEN],
                            const uint8_t public_key[static SK_DH_LEN])
{
    return sk_dh(shared, scalar, public_key);
}

/* Opens the slot of a bundle with the one-time keys of a store of the archive, and this scalar. */
static bool slot_opens(struct sk_store *store, const struct sk_world *world, const char *name,
                       const uint8_t *scalar, const uint8_t dh_public[SK_DH_LEN])
{
    struct sk_chain_found found = {.match = SK_CHAIN_NONE};
    struct sk_slot_plain plain;
    int64_t peer = 0;
    uint8_t own[SK_DH_LEN];
    size_t len = 0;
    uint8_t *bytes = sk_test_read(sk_world_path(world, name), &len);
    memcpy(own, scalar, sizeof(own));
    EXPECT_OK(sk_peer_match(store, bytes, &found, &peer, &sk_test_err));
    assert_int_equal(found.match, SK_CHAIN_READY); /* the ratchet is not what is lacking */
    bool opens =
        sk_volume_open_slot(&plain, bytes, found.slot, &found.keys, agree, own, dh_public) == SK_OK;
    free(bytes);
    return opens;
}

/* The X25519 scalar of the keys in force, or of the next ones. */
static void read_scalar(struct sk_store *store, bool next, uint8_t out[32])
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt,
                            "SELECT CASE ?1 WHEN 0 THEN value ELSE substr(value, 33, 32) END "
                            "FROM meta WHERE key = CASE ?1 WHEN 0 THEN 'scalar' ELSE 'next' END",
                            &sk_test_err));
    sk_bind_int(stmt, 1, next);
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    assert_true(row);
    EXPECT_OK(sk_column_copy(stmt, 0, out, 32, &sk_test_err));
}

static void an_old_copy_of_the_archive_opens_nothing_new(void **state)
{
    struct sk_world *world = *state;
    struct sk_archive_keys old, next;
    uint8_t scalar[32];
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    copy_archive(world); /* seized */
    struct sk_store *seized = world->archive[1].store;
    renew(world);
    assert_true(sk_archive_next_keys(archive(world), &next));
    send(world, "under old");
    assert_true(answer(world, "r0"));
    send(world, "under next");
    sk_archive_keys(seized, &old);
    read_scalar(seized, false, scalar);
    assert_true(slot_opens(seized, world, "under old", scalar, old.dh_public));
    assert_false(slot_opens(seized, world, "under next", scalar, old.dh_public));
    assert_false(slot_opens(seized, world, "under next", scalar, next.dh_public));
    read_scalar(archive(world), true, scalar);
    assert_false(sk_seized_holds(world->archive[1].path, scalar, 32));
    assert_true(slot_opens(archive(world), world, "under next", scalar, next.dh_public));
    sk_world_import_fails(world, 1, "under next", SK_DAMAGED, NULL, true);
    import(world, "under old");
    import(world, "under next");
}

/* Bundles that never arrived were captured on their way; their one-time keys still wait. */
static void a_stolen_archive_opens_no_capture_under_forgotten_keys(void **state)
{
    struct sk_world *world = *state;
    struct sk_archive_keys old, now;
    uint8_t scalar[32], kept[32];
    sk_world_pair(world);
    send(world, "captured");
    send(world, "b1");
    struct sk_import_result in = sk_world_import(world, 0, "b1");
    sk_import_result_clear(&in);
    sk_archive_keys(archive(world), &old);
    read_scalar(archive(world), false, scalar);
    assert_true(slot_opens(archive(world), world, "captured", scalar, old.dh_public));
    renew(world);
    assert_true(answer(world, "r0"));
    send(world, "b2");
    in = sk_world_import(world, 0, "b2");
    sk_import_result_clear(&in);
    const uint8_t *seed = sk_archive_seed(archive(world), 0);
    memcpy(kept, seed, sizeof(kept));
    assert_true(sk_seized_holds(world->archive[0].path, scalar, 32));
    EXPECT_OK(sk_keys_forget(archive(world), false, &sk_test_err));
    assert_false(sk_seized_holds(world->archive[0].path, scalar, 32));
    assert_false(sk_seized_holds(world->archive[0].path, kept, 32));
    copy_archive(world); /* stolen */
    struct sk_store *stolen = world->archive[1].store;
    assert_false(sk_seized_holds(world->archive[1].path, scalar, 32));
    sk_archive_keys(stolen, &now);
    read_scalar(stolen, false, scalar);
    assert_false(slot_opens(stolen, world, "captured", scalar, old.dh_public));
    assert_false(slot_opens(stolen, world, "captured", scalar, now.dh_public));
    sk_world_import_fails(world, 1, "captured", SK_REFUSED, "forgotten", true);
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

/* Who took a copy of the archive before the renewal, with the old signing key and the ratchet. */
static void the_old_keys_bring_no_others(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    copy_archive(world);
    struct sk_store *thief = world->archive[1].store;
    renew(world);
    assert_true(answer(world, "r1"));
    for (unsigned i = 0; i < 3; i++) /* past the numbers and indexes that are used */
        write_receipt(thief, world, i == 0 ? "t0" : i == 1 ? "t1" : "t2");
    take_fails(world, "t2", SK_REFUSED, "does not name the keys");
    EXPECT_OK(sk_archive_renew(thief, &sk_test_err));
    write_receipt(thief, world, "t3");
    take_fails(world, "t3", SK_REFUSED, "does not name the keys");
    send(world, "b1");
    import(world, "b1");
    for (unsigned i = 0; i < 4; i++)
        write_receipt(archive(world), world, i == 0 ? "r2" : i == 1 ? "r3" : i == 2 ? "r4" : "r5");
    assert_false(take(world, "r5"));
    write_receipt(thief, world, "t4");
    write_receipt(thief, world, "t5");
    write_receipt(thief, world, "t6");
    take_fails(world, "t6", SK_REFUSED, "given up");
    sk_world_import_fails(world, 1, "b1", SK_DAMAGED, NULL, true);
}

/* Before the device has taken the true ones, he can: the safety number tells. */
static void before_they_are_taken_they_can(void **state)
{
    struct sk_world *world = *state;
    struct sk_receipt_result out;
    struct sk_archive_keys next;
    uint8_t id[SK_HASH_LEN];
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    copy_archive(world);
    renew(world);
    EXPECT_OK(sk_archive_renew(world->archive[1].store, &sk_test_err));
    write_receipt(world->archive[1].store, world, "t0");
    EXPECT_OK(sk_receipt_take(device(world), sk_world_path(world, "t0"), &out, &sk_test_err));
    assert_true(out.new_keys);
    sk_archive_newest_keys(archive(world), &next);
    sk_archive_keys_id(id, next.sign_public, next.dh_public);
    assert_memory_not_equal(id, out.keys_id, sizeof(id));
    sk_archive_newest_keys(world->archive[1].store, &next);
    sk_archive_keys_id(id, next.sign_public, next.dh_public);
    assert_memory_equal(id, out.keys_id, sizeof(id));
    sk_receipt_result_clear(&out);
}

/* The archive's own old copy, put back: it cannot open what is sealed to the keys it lacks. */
static void an_old_copy_of_the_archive_put_back(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    copy_archive(world); /* knows the next keys, and not that the device has them */
    assert_true(answer(world, "r1"));
    send(world, "b1");
    import(world, "b1");
    (void)answer(world, "r2");
    struct sk_test_store put_back = world->archive[1];
    world->archive[1] = world->archive[0];
    world->archive[0] = put_back;
    for (unsigned i = 0; i < 3; i++)
        write_receipt(archive(world), world, i == 0 ? "o0" : i == 1 ? "o1" : "o2");
    take_fails(world, "o2", SK_REFUSED, "given up");
    import(world, "b1");
    assert_int_equal(known(world, 1), 1);
    (void)answer(world, "r4");
    assert_string_equal(sk_world_status(device(world), 0), "0-2|||");
}

/* An old copy of the device's store, from before it took the keys. */
static void an_old_copy_of_the_device_put_back(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    send(world, "b0");
    import(world, "b0");
    renew(world);
    char *old = sk_temp_path(world->dir, "old device");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, old);
    sk_test_open(&world->device[0]);
    assert_true(answer(world, "r1"));
    send(world, "b1");
    import(world, "b1");
    sk_test_close(&world->device[0]);
    sk_world_copy(old, world->device[0].path);
    free(old);
    sk_test_open(&world->device[0]);
    write_receipt(archive(world), world, "r2");
    take_fails(world, "r2", SK_DAMAGED, "a key that this store does not know");
    send(world, "other b1"); /* under the key that b1 had */
    sk_world_import_fails(world, 0, "other b1", SK_REFUSED, "has used the key", false);
    assert_int_equal(known(world, 1), 1);
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
        TEST(an_old_copy_of_the_archive_opens_nothing_new),
        TEST(a_stolen_archive_opens_no_capture_under_forgotten_keys),
        TEST(receipts_come_in_any_order),
        TEST(the_old_keys_bring_no_others),
        TEST(before_they_are_taken_they_can),
        TEST(an_old_copy_of_the_archive_put_back),
        TEST(an_old_copy_of_the_device_put_back),
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
