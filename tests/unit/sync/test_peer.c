/*
 * Goal of this test: lists of ranges come back from the database as they went in, in their one
 * form; pairs are found by the slot of a file, near indexes of any pair before far ones; and a row
 * that is damaged is an error, not another pair.
 */
#include "crypto/bytes.h"
#include "sync/export.h"
#include "sync/peer.h"
#include "sync/volume.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* "1-2 4-7": the ranges, to be cleared. */
static struct sk_ranges ranges_of(const char *text)
{
    struct sk_ranges ranges = SK_RANGES_INIT;
    unsigned long long from = 0;
    unsigned long long to = 0;
    int len = 0;
    while (sscanf(text, "%llu-%llu %n", &from, &to, &len) == 2) {
        EXPECT_OK(sk_ranges_add(&ranges, from, to, &sk_test_err));
        text += len;
    }
    return ranges;
}

/* ---- ranges ---- */

static void ranges_come_back(void **state)
{
    static const char *const lists[] = {"", "0-1", "0-18446744073709551615", "1-2 4-7 9-10"};
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        sk_auto_ranges ranges = ranges_of(lists[i]);
        sk_auto_ranges back = SK_RANGES_INIT;
        sk_auto_buf bytes = SK_BUF_INIT;
        EXPECT_OK(sk_ranges_encode(&bytes, &ranges, &sk_test_err));
        assert_int_equal(bytes.len, 16 * ranges.count);
        EXPECT_OK(
            sk_ranges_decode(&back, (const uint8_t *)sk_buf_text(&bytes), bytes.len, &sk_test_err));
        assert_string_equal(sk_world_ranges(&back), lists[i]);
    }
}

static void ranges_have_one_form(void **state)
{
    static const uint64_t bad[][4] = {
        {1, 1, 5, 6}, /* empty */
        {3, 2, 5, 6}, /* backwards */
        {1, 4, 4, 6}, /* touching */
        {1, 4, 3, 6}, /* overlapping */
        {5, 6, 1, 2}, /* out of order */
        {1, 2, 3, 3}, /* the second one empty */
        {1, 2, 1, 2}, /* twice */
    };
    uint8_t bytes[32];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sk_auto_ranges out = SK_RANGES_INIT;
        for (size_t n = 0; n < 4; n++)
            sk_put_u64(bytes + 8 * n, bad[i][n]);
        EXPECT(SK_DAMAGED, sk_ranges_decode(&out, bytes, sizeof(bytes), &sk_test_err));
    }
    memset(bytes, 0xff, sizeof(bytes));
    sk_put_u64(bytes, 1);
    for (size_t len = 1; len < 32; len++) {
        sk_auto_ranges out = SK_RANGES_INIT;
        if (len != 16)
            EXPECT(SK_DAMAGED, sk_ranges_decode(&out, bytes, len, &sk_test_err));
    }
}

static void ranges_are_taken_away_and_united(void **state)
{
    static const struct {
        const char *from, *what, *without, *united;
    } cases[] = {
        {"", "", "", ""},
        {"0-5", "", "0-5", "0-5"},
        {"", "0-5", "", "0-5"},
        {"0-5", "0-5", "", "0-5"},
        {"0-10", "3-4", "0-3 4-10", "0-10"},
        {"0-2 4-6", "1-5", "0-1 5-6", "0-6"},
        {"2-4", "4-8", "2-4", "2-8"},
        {"2-4 6-8", "0-1 3-7 9-10", "2-3 7-8", "0-1 2-8 9-10"},
        {"5-18446744073709551615", "0-9", "9-18446744073709551615", "0-18446744073709551615"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sk_auto_ranges from = ranges_of(cases[i].from);
        sk_auto_ranges what = ranges_of(cases[i].what);
        sk_auto_ranges out = SK_RANGES_INIT;
        EXPECT_OK(sk_ranges_without(&out, &from, &what, &sk_test_err));
        assert_string_equal(sk_world_ranges(&out), cases[i].without);
        EXPECT_OK(sk_ranges_unite(&from, &what, &sk_test_err));
        assert_string_equal(sk_world_ranges(&from), cases[i].united);
    }
}

/* ---- rows ---- */

static void archives_come_in_the_order_of_their_ids(void **state)
{
    struct sk_world *world = *state;
    sk_auto_peers peers = {.count = 0};
    sk_world_devices(world, 1);
    sk_world_archives(world, 3);
    for (unsigned i = 0; i < 3; i++) {
        sk_world_invite(world, i, "lark", "invite");
        sk_world_accept(world, 0, "invite");
    }
    EXPECT_OK(sk_peers_load(world->device[0].store, &peers, &sk_test_err));
    assert_int_equal(peers.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct sk_peer *peer = &peers.items[i];
        assert_true(i == 0 ||
                    memcmp(peers.items[i - 1].archive_id, peer->archive_id, SK_HASH_LEN) < 0);
        assert_memory_equal(peer->archive_id, sk_store_id(world->archive[peer->id - 1].store),
                            SK_HASH_LEN);
        assert_string_equal(peer->alias, "Archive of tests");
        assert_true(peer->log == 0 && peer->number == 0 && peer->send != peer->receive);
    }
}

static void what_is_saved_is_loaded(void **state)
{
    struct sk_world *world = *state;
    struct sk_store *txn = NULL;
    sk_auto_peer peer = {.id = 1};
    sk_auto_peer back = {.id = 0};
    sk_world_pair(world);
    struct sk_store *store = world->device[0].store;
    peer.exported = ranges_of("0-3 5-6");
    peer.acknowledged = ranges_of("1-2");
    peer.wanted = ranges_of("7-9 11-12");
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_peer_save_ranges(store, &peer, &sk_test_err));
    EXPECT_OK(sk_peer_set_number(store, 1, 42, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    EXPECT_OK(sk_peer_load(store, 1, &back, &sk_test_err));
    assert_string_equal(sk_world_ranges(&back.exported), "0-3 5-6");
    assert_string_equal(sk_world_ranges(&back.acknowledged), "1-2");
    assert_string_equal(sk_world_ranges(&back.wanted), "7-9 11-12");
    assert_int_equal(back.number, 42);
}

static void rows_that_are_damaged_are_errors(void **state)
{
    struct sk_world *world = *state;
    static const char *const damages[][2] = {
        {"UPDATE peer SET exported = x'00'", "UPDATE peer SET exported = x''"},
        {"UPDATE peer SET acknowledged = zeroblob(16)", "UPDATE peer SET acknowledged = x''"},
        {"UPDATE peer SET wanted = zeroblob(17)", "UPDATE peer SET wanted = x''"},
        {"UPDATE peer SET archive_id = x'00'",
         "UPDATE peer SET archive_id = (SELECT archive_id FROM saved)"},
        {"UPDATE peer SET dh_public = x''",
         "UPDATE peer SET dh_public = (SELECT dh_public FROM saved)"},
        {"UPDATE peer SET sign_public = zeroblob(33)",
         "UPDATE peer SET sign_public = (SELECT sign_public FROM saved)"},
    };
    sk_world_pair(world);
    struct sk_store *store = world->device[0].store;
    sk_test_sql(store, "CREATE TEMP TABLE saved AS SELECT * FROM peer");
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        sk_auto_peer peer = {.id = 0};
        sk_auto_peers peers = {.count = 0};
        sk_test_sql(store, damages[i][0]);
        EXPECT(SK_DAMAGED, sk_peer_load(store, 1, &peer, &sk_test_err));
        EXPECT(SK_DAMAGED, sk_peers_load(store, &peers, &sk_test_err));
        assert_true(peer.id == 0 && peers.count == 0);
        sk_test_sql(store, damages[i][1]);
        EXPECT_OK(sk_peer_load(store, 1, &peer, &sk_test_err));
    }
    sk_auto_peer none = {.id = 0};
    EXPECT(SK_DAMAGED, sk_peer_load(store, 2, &none, &sk_test_err));
}

static void more_than_eight_archives_are_an_error(void **state)
{
    struct sk_world *world = *state;
    sk_auto_peers peers = {.count = 0};
    sk_world_pair(world);
    sk_test_sql(world->device[0].store,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8) "
                "INSERT INTO peer(alias, archive_id, send, receive, number, exported, "
                "acknowledged, wanted, receipt, notice) SELECT 'a', randomblob(32), 0, 0, 0, x'', "
                "x'', x'', '', '' FROM n");
    EXPECT(SK_LIMIT, sk_peers_load(world->device[0].store, &peers, &sk_test_err));
    assert_int_equal(peers.count, 0);
}

/* ---- which of them a file is from ---- */

static void make_header(uint8_t *header, struct sk_store *device, unsigned skip)
{
    struct sk_slot_keys keys;
    struct sk_store *txn = NULL;
    uint64_t index = 0;
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    for (unsigned i = 0; i <= skip; i++)
        EXPECT_OK(sk_chain_take(device, 1, &index, &keys, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(index, skip);
    sk_random(header, SK_VOLUME_HEADER_LEN);
    sk_slot_tag(header + sk_volume_slot_at(5), keys.tag, header);
}

static void a_file_is_matched_to_its_pair(void **state)
{
    struct sk_world *world = *state;
    uint8_t *header = malloc(SK_VOLUME_HEADER_LEN);
    int64_t peer = 77;
    assert_non_null(header);
    sk_world_devices(world, 3);
    sk_world_archives(world, 1);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"lark", "stork", "heron"};
        static const unsigned skips[] = {64, 0, 4095}; /* far, near, the last that is looked for */
        sk_auto_chain_found found = {.match = SK_CHAIN_NONE};
        sk_world_invite(world, 0, names[i], "invite");
        sk_world_accept(world, i, "invite");
        make_header(header, world->device[i].store, skips[i]);
        EXPECT_OK(sk_peer_match(world->archive[0].store, header, &found, &peer, &sk_test_err));
        assert_int_equal(found.match, SK_CHAIN_READY);
        assert_int_equal(peer, i + 1);
        assert_int_equal(found.index, skips[i]);
        assert_int_equal(found.slot, 5);
    }
    sk_auto_chain_found none = {.match = SK_CHAIN_READY};
    sk_random(header, SK_VOLUME_HEADER_LEN);
    EXPECT_OK(sk_peer_match(world->archive[0].store, header, &none, &peer, &sk_test_err));
    assert_int_equal(none.match, SK_CHAIN_NONE);
    free(header);
}

/* Writes the tag of an index of the archive's chain with its n-th pair into a slot of a header. */
static void put_tag(struct sk_world *world, uint8_t *header, unsigned n, uint64_t index,
                    unsigned slot)
{
    struct sk_slot_keys keys;
    struct sk_store *txn = NULL;
    uint64_t at = 0;
    struct sk_store *device = world->device[n].store;
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    do
        EXPECT_OK(sk_chain_take(device, 1, &at, &keys, &sk_test_err));
    while (at < index);
    sk_store_rollback(device);
    sk_slot_tag(header + sk_volume_slot_at(slot), keys.tag, header);
}

static void expect_match(struct sk_world *world, const uint8_t *header, int64_t peer,
                         enum sk_chain_match match, uint64_t index, unsigned slot)
{
    sk_auto_chain_found found = {.match = SK_CHAIN_NONE};
    int64_t matched = 0;
    EXPECT_OK(sk_peer_match(world->archive[0].store, header, &found, &matched, &sk_test_err));
    assert_int_equal(found.match, match);
    assert_int_equal(matched, peer);
    assert_int_equal(found.index, index);
    assert_int_equal(found.slot, slot);
}

static void spend(struct sk_world *world, unsigned n, uint64_t index)
{
    struct sk_store *store = world->archive[0].store;
    struct sk_store *txn = NULL;
    const uint8_t hash[32] = {7};
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    int64_t chain = sk_test_sql_int(store, n == 0 ? "SELECT receive FROM peer WHERE id = 1"
                                                  : "SELECT receive FROM peer WHERE id = 2");
    EXPECT_OK(sk_chain_spend(store, chain, index, hash, hash, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* The short look before the long one changes what is found for no bundle of one pair. */
static void the_next_bundle_and_others_are_matched(void **state)
{
    struct sk_world *world = *state;
    uint8_t *header = malloc(SK_VOLUME_HEADER_LEN);
    assert_non_null(header);
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    for (unsigned i = 0; i < 2; i++) {
        sk_world_invite(world, 0, i == 0 ? "lark" : "stork", "invite");
        sk_world_accept(world, i, "invite");
    }
    spend(world, 1, 2); /* 0 and 1 are kept, 3 is next */
    static const struct {
        uint64_t index;
        enum sk_chain_match match;
    } of_second[] = {
        {3, SK_CHAIN_READY}, {4, SK_CHAIN_READY}, {1, SK_CHAIN_READY}, {2, SK_CHAIN_SPENT}};
    for (size_t i = 0; i < sizeof(of_second) / sizeof(of_second[0]); i++) {
        sk_random(header, SK_VOLUME_HEADER_LEN);
        put_tag(world, header, 1, of_second[i].index, 6);
        expect_match(world, header, 2, of_second[i].match, of_second[i].index, 6);
    }

    /* In one header: what was used before what was not, in whatever slots. */
    sk_random(header, SK_VOLUME_HEADER_LEN);
    put_tag(world, header, 1, 3, 0);
    put_tag(world, header, 1, 2, 7);
    expect_match(world, header, 2, SK_CHAIN_SPENT, 2, 7);
    free(header);
}

/* ---- status ---- */

static enum sk_status stop_at_once(void *context, const struct sk_archive_status *status,
                                   struct sk_error *err)
{
    ++*(unsigned *)context;
    assert_string_equal(status->name, "Archive of tests");
    return sk_fail(err, SK_BUSY, "no more");
}

static void status_is_told_for_each_archive(void **state)
{
    struct sk_world *world = *state;
    unsigned count = 0;
    sk_world_devices(world, 1);
    sk_world_archives(world, 2);
    struct sk_store *store = world->device[0].store;
    EXPECT_OK(sk_status_each(store, stop_at_once, &count, &sk_test_err));
    assert_int_equal(count, 0);
    for (unsigned i = 0; i < 2; i++) {
        sk_world_invite(world, i, "lark", "invite");
        sk_world_accept(world, 0, "invite");
    }
    (void)sk_test_add(store, SK_TYPE_SOURCE, "one");
    (void)sk_test_add(store, SK_TYPE_SOURCE, "two");
    EXPECT(SK_BUSY, sk_status_each(store, stop_at_once, &count, &sk_test_err));
    assert_int_equal(count, 1);

    /* Acknowledged without having been sent from here: as after a copy from another medium. */
    sk_test_sql(store, "UPDATE peer SET acknowledged = x'01000000000000000200000000000000', "
                       "wanted = x'00000000000000000100000000000000' "
                       "WHERE archive_id = (SELECT max(archive_id) FROM peer)");
    assert_string_equal(sk_world_status(store, 0), "||0-2|");
    assert_string_equal(sk_world_status(store, 1), "1-2||0-1|0-1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_come_back),
        cmocka_unit_test(ranges_have_one_form),
        cmocka_unit_test(ranges_are_taken_away_and_united),
        TEST(archives_come_in_the_order_of_their_ids),
        TEST(what_is_saved_is_loaded),
        TEST(rows_that_are_damaged_are_errors),
        TEST(more_than_eight_archives_are_an_error),
        TEST(a_file_is_matched_to_its_pair),
        TEST(the_next_bundle_and_others_are_matched),
        TEST(status_is_told_for_each_archive),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
