/*
 * Goal of this test: the keys of a chain are the subkeys that the format document names, each is
 * used once, and from the keys of one index neither the chain key nor another index can be had.
 */
#include "sync/ratchet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#define STEPS 500

static void subkey(uint8_t out[32], const uint8_t key[32], uint64_t id)
{
    assert_int_equal(crypto_kdf_derive_from_key(out, 32, id, "skrynia1", key), 0);
}

static void keys_are_the_documented_subkeys(void **state)
{
    (void)state;
    uint8_t psk[32], want[32];
    struct sk_slot_keys keys;
    memset(psk, 7, sizeof(psk));

    sk_ratchet_keys(&keys, psk);
    subkey(want, psk, 2);
    assert_memory_equal(keys.tag, want, 32);
    subkey(want, psk, 3);
    assert_memory_equal(keys.mask, want, 32);
    subkey(want, psk, 4);
    assert_memory_equal(keys.wrap, want, 32);

    uint8_t got[32];
    subkey(want, psk, 1);
    sk_ratchet_next(got, psk);
    assert_memory_equal(got, want, 32);
    subkey(want, psk, 5);
    sk_ratchet_receipts(got, psk);
    assert_memory_equal(got, want, 32);
}

static void a_chain_key_may_overwrite_itself(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, want[32];
    sk_ratchet_next(want, key);
    sk_ratchet_next(key, key);
    assert_memory_equal(key, want, 32);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Both directions of a pair, 500 indexes each: 4,000 values, no two the same. */
static void no_key_comes_twice(void **state)
{
    (void)state;
    static uint8_t all[2 * STEPS * 4][32];
    uint8_t chain[2][32] = {{3}, {0}};
    size_t count = 0;

    sk_ratchet_receipts(chain[1], chain[0]);
    for (int direction = 0; direction < 2; direction++) {
        for (int i = 0; i < STEPS; i++) {
            struct sk_slot_keys keys;
            sk_ratchet_keys(&keys, chain[direction]);
            memcpy(all[count++], chain[direction], 32);
            memcpy(all[count++], keys.tag, 32);
            memcpy(all[count++], keys.mask, 32);
            memcpy(all[count++], keys.wrap, 32);
            sk_ratchet_next(chain[direction], chain[direction]);
        }
    }
    qsort(all, count, 32, compare);
    for (size_t i = 1; i < count; i++)
        assert_memory_not_equal(all[i - 1], all[i], 32);
}

/* What a device that was taken can compute: everything from its chain key on, nothing before. */
static void a_chain_only_runs_forwards(void **state)
{
    (void)state;
    uint8_t first[32] = {9}, now[32], later[32];
    sk_ratchet_next(now, first);
    for (uint64_t id = 0; id < 1000; id++) {
        subkey(later, now, id);
        assert_memory_not_equal(later, first, 32);
    }
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_documented_subkeys),
        cmocka_unit_test(a_chain_key_may_overwrite_itself),
        cmocka_unit_test(no_key_comes_twice),
        cmocka_unit_test(a_chain_only_runs_forwards),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
