/*
 * Goal of this test: H(key, label, ...) and the digits are what an independent BLAKE2b gives; keys,
 * labels and fields all count; the state is wiped.
 */
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static enum sk_label label_of(const char *text)
{
    for (int l = 0; l < SK_LABEL_COUNT; l++)
        if (strncmp((const char *)sk_label_bytes((enum sk_label)l), text, SK_LABEL_LEN) == 0)
            return (enum sk_label)l;
    fail_msg("no label %s", text);
    return SK_LABEL_COUNT;
}

static void hashes_match_the_vectors(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/hash.txt");
    while (sk_vectors_next(v)) {
        uint8_t key[SK_HASH_LEN], field[4096], want[SK_HASH_LEN], got[SK_HASH_LEN];
        size_t key_len = sk_vectors_bytes(v, "key", key, sizeof(key));
        size_t len = sk_vectors_bytes(v, "field", field, sizeof(field));
        sk_vectors_exactly(v, "hash", want, sizeof(want));
        sk_hash_of(got, key_len ? key : NULL, label_of(sk_vectors_text(v, "label")), field, len);
        assert_memory_equal(got, want, sizeof(want));
    }
}

static void pieces_hash_as_the_whole(void **state)
{
    (void)state;
    const uint8_t whole[] = {'a',  'b',  'c',  0x04, 0x03, 0x02, 0x01, 0x0c,
                             0x0b, 0x0a, 0x09, 0x08, 0x07, 0x06, 0x05};
    uint8_t want[SK_HASH_LEN], got[SK_HASH_LEN];
    struct sk_hash h;

    sk_hash_of(want, NULL, SK_LABEL_TAG, whole, sizeof(whole));
    sk_hash_init(&h, NULL, SK_LABEL_TAG);
    sk_hash_add(&h, "abc", 3);
    sk_hash_add(&h, NULL, 0);
    sk_hash_add_u32(&h, 0x01020304);
    sk_hash_add_u64(&h, 0x05060708090a0b0c);
    sk_hash_end(&h, got);
    assert_memory_equal(got, want, sizeof(want));
}

static void the_state_is_wiped(void **state)
{
    (void)state;
    static const struct sk_hash zero;
    struct sk_hash h;
    uint8_t key[SK_HASH_LEN] = {1}, out[SK_HASH_LEN];

    sk_hash_init(&h, key, SK_LABEL_TAG);
    sk_hash_end(&h, out);
    assert_memory_equal(&h, &zero, sizeof(h));
}

static void key_and_label_count(void **state)
{
    (void)state;
    uint8_t zero_key[SK_HASH_LEN] = {0}, a[SK_HASH_LEN], b[SK_HASH_LEN];

    sk_hash_of(a, NULL, SK_LABEL_TAG, "x", 1);
    sk_hash_of(b, zero_key, SK_LABEL_TAG, "x", 1);
    assert_memory_not_equal(a, b, sizeof(a));
    sk_hash_of(b, NULL, SK_LABEL_MASK, "x", 1);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void digits_match_the_vectors(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/digits.txt");
    while (sk_vectors_next(v)) {
        uint8_t id[SK_HASH_LEN];
        char got[12 * 6 + 1];
        size_t groups = (size_t)sk_vectors_number(v, "groups");
        memset(got, 'x', sizeof(got));
        sk_vectors_exactly(v, "id", id, sizeof(id));
        sk_digits(got, groups, label_of(sk_vectors_text(v, "label")), id);
        assert_string_equal(got, sk_vectors_text(v, "digits"));
        assert_int_equal(got[groups * 6], 'x');
    }
}

static void digits_stop_at_twelve_groups(void **state)
{
    (void)state;
    uint8_t id[SK_HASH_LEN] = {0};
    char got[20 * 6];
    sk_digits(got, 20, SK_LABEL_SAFETY, id);
    assert_int_equal(strlen(got), 12 * 6 - 1);
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_the_vectors), cmocka_unit_test(pieces_hash_as_the_whole),
        cmocka_unit_test(the_state_is_wiped),       cmocka_unit_test(key_and_label_count),
        cmocka_unit_test(digits_match_the_vectors), cmocka_unit_test(digits_stop_at_twelve_groups),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
