/*
 * Goal of this test: the file `keys` is laid out as the header says, opens with the right
 * passphrase and key file, or recovery words, alone, and never opens after any of its bits was
 * flipped, whether or not the checksum was made to fit; parameters outside the limits are refused;
 * slots come and go without the others noticing.
 */
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/slot.h"
#include "tests/support/effort.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_FORMAT 16
#define AT_SLOTS  40
#define AT_MAC    1064
#define AT_SUM    1096

static const struct sk_kdf_params fast = {SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, 1};
static const uint8_t store_key[32] = {1, 2, 3, 4};

static const uint8_t text[] = {'o', 'p', 'e', 'n'};
static const uint8_t other_text[] = {'o', 'p', 'e', 'm'};
static const struct sk_unlock right = {text, sizeof(text), NULL};
static const struct sk_unlock wrong = {other_text, sizeof(other_text), NULL};

static struct sk_keys keys;

static int make_keys(void **state)
{
    (void)state;
    return sk_keys_create(&keys, 1, &right, &fast, store_key) ? -1 : 0;
}

static void fix_sum(struct sk_keys *k)
{
    sk_hash_of(k->bytes + AT_SUM, NULL, SK_LABEL_KEYS_SUM, k->bytes, AT_SUM);
}

static void fix_mac_and_sum(struct sk_keys *k)
{
    sk_hash_of(k->bytes + AT_MAC, store_key, SK_LABEL_KEYS_MAC, k->bytes, AT_MAC);
    fix_sum(k);
}

/* Tries to unlock; a key that comes out must be the right one. Outputs stay alone on failure. */
static enum sk_status unlock(const struct sk_keys *k, const struct sk_unlock *with, unsigned slot)
{
    struct sk_secret *key = NULL;
    unsigned opened = 99;
    enum sk_status status = sk_keys_unlock(k, with, &key, &opened);
    if (status) {
        assert_null(key);
        assert_int_equal(opened, 99);
    } else {
        assert_int_equal(opened, slot);
        assert_int_equal(sk_secret_len(key), sizeof(store_key));
        assert_memory_equal(sk_secret_view(key), store_key, sizeof(store_key));
    }
    sk_secret_free(key);
    assert_int_equal(sk_secret_live_count(), 0);
    return status;
}

static void the_file_is_laid_out_as_the_header_says(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/keys.txt");
    while (sk_vectors_next(v)) {
        struct sk_keys k;
        uint8_t passphrase[64], key_file[64], want[32], id[SK_STORE_ID_LEN], key_file_hash[32];
        size_t len = sk_vectors_bytes(v, "passphrase", passphrase, sizeof(passphrase));
        size_t key_file_len = sk_vectors_bytes(v, "key_file", key_file, sizeof(key_file));
        sk_vectors_exactly(v, "store_key", want, sizeof(want));
        sk_vectors_exactly(v, "store_id", id, sizeof(id));
        sk_vectors_exactly(v, "file", k.bytes, sizeof(k.bytes));
        sk_key_file_hash(key_file_hash, key_file, key_file_len);

        assert_int_equal(sk_keys_check(&k), SK_OK);
        assert_int_equal(sk_keys_store_kind(&k), sk_vectors_number(v, "store_kind"));
        assert_memory_equal(sk_keys_store_id(&k), id, sizeof(id));
        assert_true(sk_keys_insecure(&k));
        for (int with_file = 0; with_file < 2; with_file++) {
            struct sk_unlock with = {passphrase, len, with_file ? key_file_hash : NULL};
            struct sk_secret *key = NULL;
            unsigned slot = 99;
            assert_int_equal(sk_keys_unlock(&k, &with, &key, &slot), SK_OK);
            assert_int_equal(slot, with_file ? 2 : 0);
            assert_memory_equal(sk_secret_view(key), want, sizeof(want));
            sk_secret_free(key);
        }
    }
}

static const uint8_t twelve[] = "baba bebe bibi bobo bubu dada zuzu tata mimi lolo nono pepe";
static const struct sk_words words = {twelve, sizeof(twelve) - 1};
static const struct sk_unlock words_typed = {twelve, sizeof(twelve) - 1, NULL};

static enum sk_status unlock_by_words(const struct sk_keys *k, unsigned slot)
{
    struct sk_secret *key = NULL;
    unsigned opened = 99;
    enum sk_status status = sk_keys_unlock_by_words(k, &words, &key, &opened);
    if (status) {
        assert_null(key);
        assert_int_equal(opened, 99);
    } else {
        assert_int_equal(opened, slot);
        assert_memory_equal(sk_secret_view(key), store_key, sizeof(store_key));
    }
    sk_secret_free(key);
    return status;
}

static void words_are_laid_out_as_the_header_says(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/keys-words.txt");
    while (sk_vectors_next(v)) {
        struct sk_keys k;
        uint8_t passphrase[64], its_words[128], want[32], id[SK_STORE_ID_LEN];
        const struct sk_unlock with = {
            passphrase, sk_vectors_bytes(v, "passphrase", passphrase, sizeof(passphrase)), NULL};
        const struct sk_words by = {its_words,
                                    sk_vectors_bytes(v, "words", its_words, sizeof(its_words))};
        sk_vectors_exactly(v, "store_key", want, sizeof(want));
        sk_vectors_exactly(v, "store_id", id, sizeof(id));
        sk_vectors_exactly(v, "file", k.bytes, sizeof(k.bytes));

        assert_int_equal(sk_keys_slot_kind(&k, 0), SK_SLOT_EMPTY);
        assert_int_equal(sk_keys_slot_kind(&k, 1), SK_SLOT_PASSPHRASE);
        assert_int_equal(sk_keys_slot_kind(&k, 4), SK_SLOT_WORDS);
        assert_memory_equal(sk_keys_store_id(&k), id, sizeof(id));
        for (int by_words = 0; by_words < 2; by_words++) {
            struct sk_secret *key = NULL;
            unsigned slot = 99;
            assert_int_equal(by_words ? sk_keys_unlock_by_words(&k, &by, &key, &slot)
                                      : sk_keys_unlock(&k, &with, &key, &slot),
                             SK_OK);
            assert_int_equal(slot, by_words ? 4 : 1);
            assert_memory_equal(sk_secret_view(key), want, sizeof(want));
            sk_secret_free(key);
        }
    }
}

static void words_and_a_passphrase_are_two_things(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    assert_int_equal(unlock_by_words(&k, 0), SK_WRONG_KEY);
    assert_int_equal(sk_keys_set_slot_by_words(&k, 3, &words, &fast, store_key), SK_OK);
    assert_int_equal(unlock_by_words(&k, 3), SK_OK);
    assert_int_equal(unlock(&k, &right, 0), SK_OK);
    /* The same characters as a passphrase open nothing, nor do they the other way round. */
    assert_int_equal(unlock(&k, &words_typed, 0), SK_WRONG_KEY);
    assert_int_equal(sk_keys_create(&k, 1, &words_typed, &fast, store_key), SK_OK);
    assert_int_equal(unlock_by_words(&k, 0), SK_WRONG_KEY);
    sk_put_u32(k.bytes + AT_SLOTS, SK_SLOT_WORDS);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock_by_words(&k, 0), SK_WRONG_KEY);

    assert_int_equal(sk_keys_create_by_words(&k, 2, &words, &fast, store_key), SK_OK);
    assert_int_equal(sk_keys_store_kind(&k), 2);
    assert_int_equal(unlock_by_words(&k, 0), SK_OK);
    for (size_t len = 0; len < words.len; len += 7) {
        const struct sk_words fewer = {twelve, len};
        struct sk_secret *key = NULL;
        unsigned slot = 99;
        assert_int_equal(sk_keys_unlock_by_words(&k, &fewer, &key, &slot), SK_WRONG_KEY);
        assert_null(key);
    }
}

/* A slot that is tried costs 256 MiB: parameters that are refused show which ones were. */
static void only_slots_of_the_kind_are_tried(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    assert_int_equal(sk_keys_set_slot_by_words(&k, 3, &words, &fast, store_key), SK_OK);
    sk_put_u32(k.bytes + AT_SLOTS + 3 * SK_SLOT_LEN + 12, 0);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock(&k, &right, 0), SK_OK);
    assert_int_equal(unlock(&k, &wrong, 0), SK_WRONG_KEY);
    assert_int_equal(unlock_by_words(&k, 3), SK_DAMAGED);

    k = keys;
    assert_int_equal(sk_keys_set_slot_by_words(&k, 3, &words, &fast, store_key), SK_OK);
    sk_put_u32(k.bytes + AT_SLOTS + 12, 0);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock_by_words(&k, 3), SK_OK);
    assert_int_equal(unlock(&k, &right, 0), SK_DAMAGED);
}

static void one_slot_can_be_tried_alone(void **state)
{
    (void)state;
    const uint8_t other_key[32] = {9};
    struct sk_keys k = keys;
    assert_int_equal(sk_keys_set_slot(&k, 2, &wrong, &fast, store_key), SK_OK);
    assert_int_equal(sk_keys_set_slot_by_words(&k, 3, &words, &fast, store_key), SK_OK);
    assert_int_equal(sk_keys_try_slot(&k, 0, &right, NULL, store_key), SK_OK);
    assert_int_equal(sk_keys_try_slot(&k, 2, &wrong, NULL, store_key), SK_OK);
    assert_int_equal(sk_keys_try_slot(&k, 3, &right, &words, store_key), SK_OK);
    assert_int_equal(sk_keys_try_slot(&k, 0, &wrong, NULL, store_key), SK_WRONG_KEY);
    assert_int_equal(sk_keys_try_slot(&k, 2, &right, NULL, store_key), SK_WRONG_KEY);
    assert_int_equal(sk_keys_try_slot(&k, 0, &right, &words, store_key), SK_WRONG_KEY);
    assert_int_equal(sk_keys_try_slot(&k, 3, &words_typed, NULL, store_key), SK_WRONG_KEY);
    assert_int_equal(sk_keys_try_slot(&k, 1, &right, NULL, store_key), SK_WRONG_KEY);
    assert_int_equal(sk_keys_try_slot(&k, SK_SLOT_COUNT, &right, NULL, store_key), SK_WRONG_KEY);
    assert_int_equal(sk_keys_try_slot(&k, 0, &right, NULL, other_key), SK_WRONG_KEY);
    /* No other one is looked at. */
    sk_put_u32(k.bytes + AT_SLOTS + 12, 0);
    assert_int_equal(sk_keys_try_slot(&k, 2, &wrong, NULL, store_key), SK_OK);
    assert_int_equal(sk_keys_try_slot(&k, 0, &right, NULL, store_key), SK_DAMAGED);
}

static void a_cleared_slot_opens_nothing_and_the_last_stays(void **state)
{
    (void)state;
    const uint8_t other_key[32] = {9};
    struct sk_keys k = keys, before;
    assert_int_equal(sk_keys_clear_slot(&k, 0, store_key), SK_USAGE);
    assert_int_equal(sk_keys_set_slot(&k, 1, &wrong, &fast, store_key), SK_OK);
    assert_int_equal(sk_keys_set_slot_by_words(&k, 2, &words, &fast, store_key), SK_OK);
    before = k;
    assert_int_equal(sk_keys_clear_slot(&k, 3, store_key), SK_USAGE);
    assert_int_equal(sk_keys_clear_slot(&k, SK_SLOT_COUNT, store_key), SK_USAGE);
    assert_int_equal(sk_keys_clear_slot(&k, 1, other_key), SK_DAMAGED);
    assert_memory_equal(&k, &before, sizeof(k));

    assert_int_equal(sk_keys_clear_slot(&k, 1, store_key), SK_OK);
    assert_int_equal(sk_keys_slot_kind(&k, 1), SK_SLOT_EMPTY);
    static const uint8_t zeros[SK_SLOT_LEN];
    assert_memory_equal(k.bytes + AT_SLOTS + SK_SLOT_LEN, zeros, SK_SLOT_LEN);
    assert_int_equal(unlock(&k, &wrong, 1), SK_WRONG_KEY);
    assert_int_equal(unlock(&k, &right, 0), SK_OK);
    assert_int_equal(unlock_by_words(&k, 2), SK_OK);
    assert_int_equal(sk_keys_clear_slot(&k, 0, store_key), SK_OK);
    assert_int_equal(sk_keys_clear_slot(&k, 2, store_key), SK_USAGE);
    assert_int_equal(unlock_by_words(&k, 2), SK_OK);

    k.bytes[AT_SLOTS + 5 * SK_SLOT_LEN] ^= 1;
    before = k;
    assert_int_equal(sk_keys_clear_slot(&k, 2, store_key), SK_DAMAGED);
    assert_memory_equal(&k, &before, sizeof(k));
}

static void a_new_file_opens_and_has_its_own_id(void **state)
{
    (void)state;
    struct sk_keys second;
    assert_int_equal(unlock(&keys, &right, 0), SK_OK);
    assert_int_equal(sk_keys_store_kind(&keys), 1);
    assert_int_equal(sk_get_u32(keys.bytes + AT_FORMAT), 1);
    assert_int_equal(sk_keys_create(&second, 2, &right, &fast, store_key), SK_OK);
    assert_int_equal(sk_keys_store_kind(&second), 2);
    assert_memory_not_equal(sk_keys_store_id(&keys), sk_keys_store_id(&second), SK_STORE_ID_LEN);
    assert_memory_not_equal(keys.bytes + AT_SLOTS + 16, second.bytes + AT_SLOTS + 16,
                            SK_KDF_SALT_LEN);
}

static void the_wrong_passphrase_is_told_from_damage(void **state)
{
    (void)state;
    const struct sk_unlock shorter = {text, sizeof(text) - 1, NULL};
    const struct sk_unlock empty = {NULL, 0, NULL};
    uint8_t hash[32] = {0};
    const struct sk_unlock with_file = {text, sizeof(text), hash};

    assert_int_equal(unlock(&keys, &wrong, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&keys, &shorter, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&keys, &empty, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&keys, &with_file, 0), SK_WRONG_KEY);
}

static void a_key_file_is_needed_where_it_was_given(void **state)
{
    (void)state;
    uint8_t hash[32], other_hash[32];
    sk_key_file_hash(hash, "file", 4);
    sk_key_file_hash(other_hash, "fild", 4);
    const struct sk_unlock with_file = {text, sizeof(text), hash};
    const struct sk_unlock with_other = {text, sizeof(text), other_hash};
    const struct sk_unlock wrong_text = {other_text, sizeof(other_text), hash};
    struct sk_keys k;

    assert_int_equal(sk_keys_create(&k, 1, &with_file, &fast, store_key), SK_OK);
    assert_int_equal(unlock(&k, &with_file, 0), SK_OK);
    assert_int_equal(unlock(&k, &with_other, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&k, &wrong_text, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&k, &right, 0), SK_WRONG_KEY);
}

static void every_flipped_bit_is_damage(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * SK_KEYS_LEN; bit++) {
        struct sk_keys k = keys;
        k.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sk_keys_check(&k), SK_DAMAGED);
        assert_int_equal(unlock(&k, &right, 0), SK_DAMAGED);
    }
}

/*
 * The memory figure of slot 0, bits 18 and up: they ask for 256 MiB to 2 GiB, which is within the
 * ceiling and thus only slow, or are above it, which has a test of its own.
 */
static int is_costly(size_t bit)
{
    size_t memory = 8 * (AT_SLOTS + 8);
    return bit >= memory + 18 && bit < memory + 32;
}

static void no_flipped_bit_opens_with_a_fitting_checksum(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * AT_SUM; bit++) {
        struct sk_keys k = keys;
        k.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fix_sum(&k);
        if (is_costly(bit))
            continue;
        enum sk_status status = unlock(&k, &right, 0);
        assert_true(status == SK_DAMAGED || status == SK_WRONG_KEY || status == SK_CONFIG);
        if (bit / 8 < 16)
            assert_int_equal(status, SK_DAMAGED);
        if (bit / 8 >= AT_SLOTS + SK_SLOT_LEN)
            assert_int_equal(status, SK_DAMAGED);
    }
}

static void a_newer_format_is_told_and_an_older_is_damage(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    sk_put_u32(k.bytes + AT_FORMAT, 2);
    fix_mac_and_sum(&k);
    assert_int_equal(sk_keys_check(&k), SK_CONFIG);
    assert_int_equal(unlock(&k, &right, 0), SK_CONFIG);
    sk_put_u32(k.bytes + AT_FORMAT, 0);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock(&k, &right, 0), SK_DAMAGED);
}

static void assert_parameters_refused(uint32_t flags, uint32_t memory_kib, uint32_t passes)
{
    struct sk_keys k = keys;
    sk_put_u32(k.bytes + AT_SLOTS + 4, flags);
    sk_put_u32(k.bytes + AT_SLOTS + 8, memory_kib);
    sk_put_u32(k.bytes + AT_SLOTS + 12, passes);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock(&k, &right, 0), SK_DAMAGED);
}

/* 1 TiB would end this process, were it asked for. */
static void parameters_outside_the_limits_are_damage(void **state)
{
    (void)state;
    assert_parameters_refused(0, SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES);
    assert_parameters_refused(0, SK_KDF_MEMORY_KIB - 1, SK_KDF_PASSES);
    assert_parameters_refused(0, SK_KDF_MEMORY_KIB, SK_KDF_PASSES - 1);
    assert_parameters_refused(0, 1u << 30, SK_KDF_PASSES);
    assert_parameters_refused(1, SK_KDF_MEMORY_KIB_MAX + 1, SK_KDF_TEST_PASSES);
    assert_parameters_refused(1, UINT32_MAX, SK_KDF_TEST_PASSES);
    assert_parameters_refused(1, SK_KDF_TEST_MEMORY_KIB, SK_KDF_PASSES_MAX + 1);
    assert_parameters_refused(1, SK_KDF_TEST_MEMORY_KIB - 1, SK_KDF_TEST_PASSES);
    assert_parameters_refused(1, SK_KDF_TEST_MEMORY_KIB, 0);
    assert_parameters_refused(3, SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES);
    assert_parameters_refused(0x80000001, SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES);
}

static void new_slots_keep_to_the_limits(void **state)
{
    (void)state;
    const struct sk_kdf_params weak = {SK_KDF_TEST_MEMORY_KIB, SK_KDF_TEST_PASSES, 0};
    const struct sk_kdf_params vast = {SK_KDF_MEMORY_KIB_MAX + 1, SK_KDF_PASSES, 0};
    struct sk_keys k = keys;

    assert_int_equal(sk_keys_create(&k, 1, &right, &weak, store_key), SK_LIMIT);
    assert_int_equal(sk_keys_create(&k, 1, &right, &vast, store_key), SK_LIMIT);
    assert_int_equal(sk_keys_set_slot(&k, 1, &right, &weak, store_key), SK_LIMIT);
    assert_int_equal(sk_keys_set_slot_by_words(&k, 1, &words, &weak, store_key), SK_LIMIT);
    assert_memory_equal(&k, &keys, sizeof(k));
}

static void slots_open_one_store_each_with_its_own_passphrase(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    for (unsigned slot = 1; slot < SK_SLOT_COUNT; slot++) {
        const uint8_t its_text[2] = {'s', (uint8_t)slot};
        const struct sk_unlock with = {its_text, sizeof(its_text), NULL};
        assert_int_equal(sk_keys_set_slot(&k, slot, &with, &fast, store_key), SK_OK);
        assert_int_equal(unlock(&k, &with, slot), SK_OK);
        assert_int_equal(unlock(&k, &right, 0), SK_OK);
    }
    assert_int_equal(unlock(&k, &wrong, 0), SK_WRONG_KEY);
    assert_memory_equal(sk_keys_store_id(&k), sk_keys_store_id(&keys), SK_STORE_ID_LEN);
}

static void a_replaced_passphrase_no_longer_opens(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    assert_int_equal(sk_keys_set_slot(&k, 0, &wrong, &fast, store_key), SK_OK);
    assert_int_equal(unlock(&k, &right, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&k, &wrong, 0), SK_OK);
}

static void a_slot_is_bound_to_its_place(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    memcpy(k.bytes + AT_SLOTS + SK_SLOT_LEN, k.bytes + AT_SLOTS, SK_SLOT_LEN);
    memset(k.bytes + AT_SLOTS, 0, SK_SLOT_LEN);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock(&k, &right, 1), SK_WRONG_KEY);

    struct sk_keys other;
    assert_int_equal(sk_keys_create(&other, 1, &wrong, &fast, store_key), SK_OK);
    memcpy(other.bytes + AT_SLOTS, keys.bytes + AT_SLOTS, SK_SLOT_LEN);
    fix_mac_and_sum(&other);
    assert_int_equal(unlock(&other, &right, 0), SK_WRONG_KEY);
}

static void unknown_kinds_are_passed_over(void **state)
{
    (void)state;
    struct sk_keys k = keys;
    assert_int_equal(sk_keys_set_slot(&k, 3, &wrong, &fast, store_key), SK_OK);
    sk_put_u32(k.bytes + AT_SLOTS, 7);
    fix_mac_and_sum(&k);
    assert_int_equal(unlock(&k, &right, 0), SK_WRONG_KEY);
    assert_int_equal(unlock(&k, &wrong, 3), SK_OK);
}

/* In a process of its own, whose address space is too small for what the first slot asks for. */
static int salvage_in_a_small_process(const struct sk_keys *k, const struct sk_unlock *with,
                                      enum sk_status expected)
{
    const rlim_t room = (rlim_t)SK_KDF_MEMORY_KIB * 1024;
    const struct rlimit limit = {room, room};
    struct sk_secret *key = NULL;
    bool insecure = false;

    if (setrlimit(RLIMIT_AS, &limit))
        return 10;
    if (sk_keys_salvage(k, with, NULL, &key, &insecure) != expected)
        return 11;
    if (expected)
        return key ? 12 : 0;
    return insecure && memcmp(sk_secret_view(key), store_key, sizeof(store_key)) == 0 ? 0 : 13;
}

static void assert_salvage(const struct sk_keys *k, const struct sk_unlock *with,
                           enum sk_status expected)
{
    int how = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(salvage_in_a_small_process(k, with, expected));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void a_slot_that_wants_too_much_hinders_no_other(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    struct sk_keys k = keys;
    assert_int_equal(sk_keys_set_slot(&k, 3, &right, &fast, store_key), SK_OK);
    sk_put_u32(k.bytes + AT_SLOTS + 4, 0);
    sk_put_u32(k.bytes + AT_SLOTS + 8, SK_KDF_MEMORY_KIB);
    sk_put_u32(k.bytes + AT_SLOTS + 12, SK_KDF_PASSES);
    assert_salvage(&k, &right, SK_OK);
    assert_salvage(&k, &wrong, SK_NOMEM); /* it may be the one that this opens */
    memset(k.bytes + AT_SLOTS, 0, SK_SLOT_LEN);
    assert_salvage(&k, &right, SK_OK);
    assert_salvage(&k, &wrong, SK_WRONG_KEY);
}

static void setting_a_slot_wants_an_intact_file_and_its_key(void **state)
{
    (void)state;
    const uint8_t other_key[32] = {9};
    struct sk_keys k = keys, before;

    assert_int_equal(sk_keys_set_slot(&k, SK_SLOT_COUNT, &right, &fast, store_key), SK_USAGE);
    assert_int_equal(sk_keys_set_slot(&k, 1, &right, &fast, other_key), SK_DAMAGED);
    assert_memory_equal(&k, &keys, sizeof(k));
    k.bytes[AT_SLOTS + 4 * SK_SLOT_LEN] ^= 1;
    before = k;
    assert_int_equal(sk_keys_set_slot(&k, 1, &right, &fast, store_key), SK_DAMAGED);
    assert_memory_equal(&k, &before, sizeof(k));
    fix_sum(&k);
    before = k;
    assert_int_equal(sk_keys_set_slot(&k, 1, &right, &fast, store_key), SK_DAMAGED);
    assert_memory_equal(&k, &before, sizeof(k));
}

/* The real parameters, once: they take a second and 256 MiB. */
static void an_ordinary_slot_is_not_marked_insecure(void **state)
{
    (void)state;
    const struct sk_kdf_params ordinary = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};
    struct sk_keys k;
    assert_true(sk_keys_insecure(&keys));
    assert_int_equal(sk_keys_create(&k, 1, &right, &ordinary, store_key), SK_OK);
    assert_false(sk_keys_insecure(&k));
    assert_int_equal(unlock(&k, &right, 0), SK_OK);
    assert_int_equal(sk_keys_set_slot(&k, 5, &wrong, &fast, store_key), SK_OK);
    assert_true(sk_keys_insecure(&k));
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return sk_secret_live_count() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_laid_out_as_the_header_says),
        cmocka_unit_test(words_are_laid_out_as_the_header_says),
        cmocka_unit_test_setup(words_and_a_passphrase_are_two_things, make_keys),
        cmocka_unit_test_setup(only_slots_of_the_kind_are_tried, make_keys),
        cmocka_unit_test_setup(one_slot_can_be_tried_alone, make_keys),
        cmocka_unit_test_setup(a_cleared_slot_opens_nothing_and_the_last_stays, make_keys),
        cmocka_unit_test_setup(a_new_file_opens_and_has_its_own_id, make_keys),
        cmocka_unit_test_setup(the_wrong_passphrase_is_told_from_damage, make_keys),
        cmocka_unit_test_setup(a_key_file_is_needed_where_it_was_given, make_keys),
        cmocka_unit_test_setup(every_flipped_bit_is_damage, make_keys),
        cmocka_unit_test_setup(no_flipped_bit_opens_with_a_fitting_checksum, make_keys),
        cmocka_unit_test_setup(a_newer_format_is_told_and_an_older_is_damage, make_keys),
        cmocka_unit_test_setup(parameters_outside_the_limits_are_damage, make_keys),
        cmocka_unit_test_setup(new_slots_keep_to_the_limits, make_keys),
        cmocka_unit_test_setup(slots_open_one_store_each_with_its_own_passphrase, make_keys),
        cmocka_unit_test_setup(a_replaced_passphrase_no_longer_opens, make_keys),
        cmocka_unit_test_setup(a_slot_is_bound_to_its_place, make_keys),
        cmocka_unit_test_setup(unknown_kinds_are_passed_over, make_keys),
        cmocka_unit_test_setup(a_slot_that_wants_too_much_hinders_no_other, make_keys),
        cmocka_unit_test_setup(setting_a_slot_wants_an_intact_file_and_its_key, make_keys),
        cmocka_unit_test_setup(an_ordinary_slot_is_not_marked_insecure, make_keys),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
