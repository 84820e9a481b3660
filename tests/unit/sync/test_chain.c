/*
 * Goal of this test: whatever order bundles come in, each index is found once, with its own keys,
 * and known as spent ever after; what is spent is gone from the table, what was skipped is kept,
 * and neither gives the chain back.
 */
#include "crypto/kdf.h"
#include "sync/ratchet.h"
#include "sync/volume.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SENT 100

static const uint8_t psk[32] = {11};
static uint8_t header[SK_VOLUME_HEADER_LEN];

/* The chain key and the keys of an index. */
static void keys_at(struct sk_slot_keys *keys, uint8_t chain_key[32], uint64_t index)
{
    memcpy(chain_key, psk, 32);
    for (; index > 0; index--)
        sk_ratchet_next(chain_key, chain_key);
    sk_ratchet_keys(keys, chain_key);
}

/* Makes a header that has the tag of an index in a slot. */
static void make_header(uint64_t index, unsigned slot)
{
    struct sk_slot_keys keys;
    uint8_t chain_key[32];
    keys_at(&keys, chain_key, index);
    sk_random(header, sizeof(header));
    sk_slot_tag(header + sk_volume_slot_at(slot), keys.tag, header);
}

static int64_t make_chain(struct sk_store *store)
{
    sk_auto_store_txn txn = NULL;
    int64_t chain = 0;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_chain_create(store, psk, &chain, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return chain;
}

static struct sk_chain_found find(struct sk_store *store, int64_t chain, bool far)
{
    struct sk_chain_found found;
    EXPECT_OK(sk_chain_find(store, chain, header, far ? SK_CHAIN_FAR : SK_CHAIN_NEAR, &found,
                            &sk_test_err));
    return found;
}

/* The hashes that a test notes for an index. */
static void hashes_of(uint8_t file_hash[32], uint8_t header_hash[32], uint64_t index)
{
    memset(file_hash, (int)(index & 0xff), 32);
    memset(header_hash, (int)(index & 0xff) ^ 0x80, 32);
}

static enum sk_status spend(struct sk_store *store, int64_t chain, uint64_t index)
{
    sk_auto_store_txn txn = NULL;
    uint8_t file_hash[32], header_hash[32];
    hashes_of(file_hash, header_hash, index);
    SK_TRY(sk_store_begin(&txn, store, &sk_test_err));
    SK_TRY(sk_chain_spend(store, chain, index, file_hash, header_hash, &sk_test_err));
    return sk_store_commit(&txn, &sk_test_err);
}

static void assert_ready(struct sk_store *store, int64_t chain, uint64_t index, bool far)
{
    unsigned slot = (unsigned)index % SK_VOLUME_SLOTS;
    struct sk_slot_keys keys;
    uint8_t chain_key[32];
    make_header(index, slot);
    keys_at(&keys, chain_key, index);
    struct sk_chain_found found = find(store, chain, far);
    assert_int_equal(found.match, SK_CHAIN_READY);
    assert_int_equal(found.index, index);
    assert_int_equal(found.slot, slot);
    assert_memory_equal(&found.keys, &keys, sizeof(keys));
}

static void assert_spent(struct sk_store *store, int64_t chain, uint64_t index)
{
    uint8_t file_hash[32], header_hash[32];
    make_header(index, 7);
    hashes_of(file_hash, header_hash, index);
    struct sk_chain_found found = find(store, chain, false);
    assert_int_equal(found.match, SK_CHAIN_SPENT);
    assert_int_equal(found.index, index);
    assert_int_equal(found.slot, 7);
    assert_memory_equal(found.file_hash, file_hash, 32);
    assert_memory_equal(found.header_hash, header_hash, 32);
    const uint8_t zeros[32] = {0};
    assert_memory_equal(found.keys.wrap, zeros, 32);
    assert_memory_equal(found.keys.mask, zeros, 32);
}

static void assert_none(struct sk_store *store, int64_t chain, uint64_t index, bool far)
{
    make_header(index, 0);
    assert_int_equal(find(store, chain, far).match, SK_CHAIN_NONE);
}

static void read_all(struct sk_store *store, const uint64_t *order)
{
    int64_t chain = make_chain(store);
    for (size_t i = 0; i < SENT; i++) {
        assert_ready(store, chain, order[i], true);
        EXPECT_OK(spend(store, chain, order[i]));
        assert_spent(store, chain, order[i]);
    }
    for (uint64_t index = 0; index < SENT; index++)
        assert_spent(store, chain, index);
}

/* ---- sending ---- */

static void indexes_are_taken_one_after_the_other(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    for (uint64_t want = 0; want < 20; want++) {
        sk_auto_store_txn txn = NULL;
        struct sk_slot_keys keys, expected;
        uint8_t chain_key[32];
        uint64_t index = 0;
        keys_at(&expected, chain_key, want);
        for (int attempt = 0; attempt < 2; attempt++) { /* the first one is rolled back */
            EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
            EXPECT_OK(sk_chain_take(store, chain, &index, &keys, &sk_test_err));
            assert_int_equal(index, want);
            assert_memory_equal(&keys, &expected, sizeof(keys));
            if (attempt == 0) {
                sk_store_rollback(store);
                txn = NULL;
            }
        }
        EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    }
    assert_int_equal(sk_test_sql_int(store, "SELECT count(*) FROM chain_index"), 0);
    assert_int_equal(sk_test_sql_int(store, "SELECT next FROM chain"), 20);
}

static void a_chain_that_is_not_there_is_damage(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    sk_auto_store_txn txn = NULL;
    struct sk_chain_found found;
    struct sk_slot_keys keys;
    uint64_t index;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT(SK_DAMAGED, sk_chain_take(store, 5, &index, &keys, &sk_test_err));
    EXPECT(SK_DAMAGED, sk_chain_find(store, 5, header, SK_CHAIN_NEAR, &found, &sk_test_err));
}

/* ---- reading ---- */

static void read_in_order(void **state)
{
    uint64_t order[SENT];
    for (size_t i = 0; i < SENT; i++)
        order[i] = i;
    read_all(((struct sk_test_store *)*state)->store, order);
}

static void read_in_reverse(void **state)
{
    uint64_t order[SENT];
    for (size_t i = 0; i < SENT; i++)
        order[i] = SENT - 1 - i;
    read_all(((struct sk_test_store *)*state)->store, order);
}

static void read_in_any_order(void **state)
{
    uint64_t order[SENT] = {0};
    for (size_t i = 0; i < SENT; i++) {
        size_t j = sk_random_below((uint32_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    read_all(((struct sk_test_store *)*state)->store, order);
}

static void the_windows_have_their_borders(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    assert_ready(store, chain, SK_RATCHET_WINDOW - 1, false);
    assert_none(store, chain, SK_RATCHET_WINDOW, false);
    assert_ready(store, chain, SK_RATCHET_WINDOW, true);
    assert_ready(store, chain, SK_RATCHET_WINDOW_FAR - 1, true);
    assert_none(store, chain, SK_RATCHET_WINDOW_FAR, true);

    /* They move with the newest index seen. */
    EXPECT_OK(spend(store, chain, 10));
    assert_ready(store, chain, 10 + SK_RATCHET_WINDOW, false);
    assert_none(store, chain, 11 + SK_RATCHET_WINDOW, false);
    EXPECT_OK(spend(store, chain, 10 + SK_RATCHET_WINDOW_FAR));
    assert_ready(store, chain, 11, false);
    assert_ready(store, chain, 9 + SK_RATCHET_WINDOW_FAR, false);
    EXPECT(SK_INTERNAL, spend(store, chain, 11 + 2 * SK_RATCHET_WINDOW_FAR));
}

/* A short look sees one index: not those behind it, kept or spent or ahead. */
static void the_next_index_is_found_alone(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    EXPECT_OK(spend(store, chain, 2));
    for (uint64_t index = 0; index < 6; index++) {
        struct sk_chain_found next, near;
        make_header(index, 4);
        EXPECT_OK(sk_chain_find(store, chain, header, SK_CHAIN_NEXT, &next, &sk_test_err));
        assert_int_equal(next.match, index == 3 ? SK_CHAIN_READY : SK_CHAIN_NONE);
        if (index != 3)
            continue;
        near = find(store, chain, false);
        assert_true(next.index == 3 && next.slot == 4);
        assert_memory_equal(&next.keys, &near.keys, sizeof(near.keys));
    }
}

static void finding_changes_nothing(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    assert_ready(store, chain, 3000, true);
    assert_int_equal(sk_test_sql_int(store, "SELECT next FROM chain"), 0);
    assert_int_equal(sk_test_sql_int(store, "SELECT count(*) FROM chain_index"), 0);
}

static void an_index_is_spent_once(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    EXPECT_OK(spend(store, chain, 3));
    EXPECT(SK_REFUSED, spend(store, chain, 3));
    EXPECT_OK(spend(store, chain, 1));
    EXPECT(SK_REFUSED, spend(store, chain, 1));
    assert_spent(store, chain, 1);
    assert_ready(store, chain, 2, false);
}

static void what_is_rolled_back_was_not_spent(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    const uint8_t hash[32] = {0};
    EXPECT_OK(spend(store, chain, 5));
    for (uint64_t index = 4; index < 7; index += 2) { /* a skipped one, and one ahead */
        sk_auto_store_txn txn = NULL;
        EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
        EXPECT_OK(sk_chain_spend(store, chain, index, hash, hash, &sk_test_err));
        sk_store_rollback(store);
        txn = NULL;
        assert_ready(store, chain, index, false);
    }
}

static void chains_are_kept_apart(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t first = make_chain(store);
    int64_t second = 0;
    uint8_t other[32];
    sk_auto_store_txn txn = NULL;
    sk_ratchet_receipts(other, psk);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_chain_create(store, other, &second, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_none(store, second, 0, true);
    EXPECT_OK(spend(store, second, 0));
    assert_ready(store, first, 0, false);
    assert_none(store, second, 0, false);
}

/* ---- what stays in the table ---- */

static void spent_keys_are_gone_and_skipped_ones_kept(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    EXPECT_OK(spend(store, chain, 50));
    EXPECT_OK(spend(store, chain, 20)); /* one that had been skipped */
    assert_int_equal(sk_test_sql_int(store, "SELECT next FROM chain"), 51);
    assert_int_equal(sk_test_sql_int(store, "SELECT count(*) FROM chain_index"), 51);
    assert_int_equal(sk_test_sql_int(store,
                                     "SELECT count(*) FROM chain_index WHERE idx IN (20, 50) "
                                     "AND mask_key IS NULL AND wrap_key IS NULL "
                                     "AND length(tag_key) = 32 AND length(file_hash) = 32 "
                                     "AND length(header_hash) = 32"),
                     2);
    assert_int_equal(sk_test_sql_int(store, "SELECT count(*) FROM chain_index WHERE "
                                            "length(mask_key) = 32 AND length(wrap_key) = 32 "
                                            "AND length(tag_key) = 32 AND file_hash IS NULL "
                                            "AND header_hash IS NULL"),
                     49);
}

/* Whether any key that the store still has, or any of its first subkeys, is `secret`. */
static bool store_knows(struct sk_store *store, const uint8_t secret[32])
{
    static const char sql[] = "SELECT tag_key FROM chain_index UNION ALL "
                              "SELECT mask_key FROM chain_index WHERE mask_key IS NOT NULL "
                              "UNION ALL "
                              "SELECT wrap_key FROM chain_index WHERE wrap_key IS NOT NULL "
                              "UNION ALL SELECT key FROM chain";
    sk_auto_stmt stmt = NULL;
    bool row = false, known = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    while (row) {
        uint8_t key[32], sub[32];
        EXPECT_OK(sk_column_copy(stmt, 0, key, sizeof(key), &sk_test_err));
        known = known || memcmp(key, secret, 32) == 0;
        for (uint64_t id = 0; id < 8; id++) {
            sk_kdf_subkey(sub, key, id);
            known = known || memcmp(sub, secret, 32) == 0;
        }
        EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    }
    return known;
}

static void the_chain_cannot_be_had_back(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    int64_t chain = make_chain(store);
    struct sk_slot_keys keys;
    uint8_t chain_key[32];
    assert_true(store_knows(store, psk));
    EXPECT_OK(spend(store, chain, 50));
    for (uint64_t index = 0; index <= 50; index++) {
        keys_at(&keys, chain_key, index);
        assert_false(store_knows(store, chain_key));
        assert_int_equal(store_knows(store, keys.wrap), index < 50); /* waits for its bundle */
        assert_int_equal(store_knows(store, keys.mask), index < 50);
        assert_true(store_knows(store, keys.tag));
    }
    keys_at(&keys, chain_key, 51);
    assert_true(store_knows(store, chain_key));
}

static void it_is_all_there_after_opening_again(void **state)
{
    struct sk_test_store *at = *state;
    int64_t chain = make_chain(at->store);
    EXPECT_OK(spend(at->store, chain, 5));
    sk_test_reopen(at);
    assert_spent(at->store, chain, 5);
    assert_ready(at->store, chain, 4, false);
    assert_ready(at->store, chain, 6, false);
}

#define ON_ARCHIVE(test) cmocka_unit_test_setup_teardown(test, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(indexes_are_taken_one_after_the_other, sk_test_device,
                                        sk_test_remove),
        ON_ARCHIVE(a_chain_that_is_not_there_is_damage),
        ON_ARCHIVE(read_in_order),
        ON_ARCHIVE(read_in_reverse),
        ON_ARCHIVE(read_in_any_order),
        ON_ARCHIVE(the_windows_have_their_borders),
        ON_ARCHIVE(the_next_index_is_found_alone),
        ON_ARCHIVE(finding_changes_nothing),
        ON_ARCHIVE(an_index_is_spent_once),
        ON_ARCHIVE(what_is_rolled_back_was_not_spent),
        ON_ARCHIVE(chains_are_kept_apart),
        ON_ARCHIVE(spent_keys_are_gone_and_skipped_ones_kept),
        ON_ARCHIVE(the_chain_cannot_be_had_back),
        ON_ARCHIVE(it_is_all_there_after_opening_again),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
