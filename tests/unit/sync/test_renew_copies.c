/*
 * Goal of this test: who has a copy of the archive from before it renewed its keys opens nothing
 * that is sealed to the next ones, and brings no keys of his own to a device that has taken these;
 * who takes the archive after the old keys were forgotten opens nothing that was sealed to those;
 * and an old copy of either side, put back, makes nobody go back to older keys.
 */
#include "sync/peer.h"
#include "sync/volume.h"
#include "tests/support/renewal.h"
#include "tests/support/seized.h"
#include "tests/support/temp_dir.h"

#include <stdlib.h>

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

/* ---- what is opened ---- */

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

/* ---- what is believed ---- */

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

/* ---- old copies put back ---- */

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_old_copy_of_the_archive_opens_nothing_new),
        TEST(a_stolen_archive_opens_no_capture_under_forgotten_keys),
        TEST(the_old_keys_bring_no_others),
        TEST(before_they_are_taken_they_can),
        TEST(an_old_copy_of_the_archive_put_back),
        TEST(an_old_copy_of_the_device_put_back),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
