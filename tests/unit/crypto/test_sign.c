/*
 * Goal of this test: Ed25519 and X25519 give what RFC 8032 and RFC 7748 print; altered signatures
 * and points of low order are refused.
 */
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

static void signatures_match_rfc_8032(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/ed25519.txt");
    while (sk_vectors_next(v)) {
        uint8_t seed[SK_SIGN_SEED_LEN], want_public[SK_SIGN_PUBLIC_LEN], public[SK_SIGN_PUBLIC_LEN];
        uint8_t message[1024], want[SK_SIGNATURE_LEN], got[SK_SIGNATURE_LEN];
        sk_vectors_exactly(v, "seed", seed, sizeof(seed));
        sk_vectors_exactly(v, "public", want_public, sizeof(want_public));
        sk_vectors_exactly(v, "signature", want, sizeof(want));
        size_t len = sk_vectors_bytes(v, "message", message, sizeof(message));
        sk_sign_public(public, seed);
        assert_memory_equal(public, want_public, sizeof(public));
        sk_sign(got, message, len, seed);
        assert_memory_equal(got, want, sizeof(want));
        assert_int_equal(sk_sign_verify(got, message, len, public), SK_OK);
    }
}

static void altered_signatures_are_refused(void **state)
{
    (void)state;
    uint8_t seed[SK_SIGN_SEED_LEN] = {7}, public[SK_SIGN_PUBLIC_LEN], signature[SK_SIGNATURE_LEN];
    uint8_t message[16] = "sixteen bytes...";

    sk_sign_public(public, seed);
    sk_sign(signature, message, sizeof(message), seed);
    for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sk_sign_verify(signature, message, sizeof(message), public), SK_DAMAGED);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sk_sign_verify(signature, message, sizeof(message), public), SK_DAMAGED);
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(sk_sign_verify(signature, message, sizeof(message) - 1, public), SK_DAMAGED);
    public[0] ^= 1;
    assert_int_equal(sk_sign_verify(signature, message, sizeof(message), public), SK_DAMAGED);
}

/* S + L is the same number modulo the group's order L: only its reduced form may pass. */
static void an_unreduced_signature_is_refused(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    uint8_t seed[SK_SIGN_SEED_LEN] = {9}, public[SK_SIGN_PUBLIC_LEN], signature[SK_SIGNATURE_LEN];

    sk_sign_public(public, seed);
    sk_sign(signature, "x", 1, seed);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(sk_sign_verify(signature, "x", 1, public), SK_DAMAGED);
}

/* With the neutral point as key and as R, and S = 0, the equation holds for every message. */
static void a_key_of_low_order_signs_nothing(void **state)
{
    (void)state;
    uint8_t public[SK_SIGN_PUBLIC_LEN] = {1}, signature[SK_SIGNATURE_LEN] = {1};
    assert_int_equal(sk_sign_verify(signature, "anything", 8, public), SK_DAMAGED);
}

static void shared_values_match_rfc_7748(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/x25519.txt");
    while (sk_vectors_next(v)) {
        uint8_t scalar[SK_DH_LEN], u[SK_DH_LEN], want[SK_DH_LEN], got[SK_DH_LEN];
        sk_vectors_exactly(v, "scalar", scalar, sizeof(scalar));
        sk_vectors_exactly(v, "u", u, sizeof(u));
        sk_vectors_exactly(v, "shared", want, sizeof(want));
        assert_int_equal(sk_dh(got, scalar, u), SK_OK);
        assert_memory_equal(got, want, sizeof(want));
    }
}

static void iteration_matches_rfc_7748(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/x25519-iterated.txt");
    while (sk_vectors_next(v)) {
        uint8_t k[SK_DH_LEN], u[SK_DH_LEN], next[SK_DH_LEN], want[SK_DH_LEN];
        sk_vectors_exactly(v, "start", k, sizeof(k));
        memcpy(u, k, sizeof(u));
        for (int i = 1; i <= 1000; i++) {
            assert_int_equal(sk_dh(next, k, u), SK_OK);
            memcpy(u, k, sizeof(u));
            memcpy(k, next, sizeof(k));
            if (i != 1 && i != 1000)
                continue;
            sk_vectors_exactly(v, i == 1 ? "after_1" : "after_1000", want, sizeof(want));
            assert_memory_equal(k, want, sizeof(want));
        }
    }
}

static void agreement_matches_rfc_7748(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/x25519-agreement.txt");
    while (sk_vectors_next(v)) {
        uint8_t a[SK_DH_LEN], b[SK_DH_LEN], want[SK_DH_LEN], a_public[SK_DH_LEN];
        uint8_t b_public[SK_DH_LEN], got[SK_DH_LEN];
        sk_vectors_exactly(v, "alice_scalar", a, sizeof(a));
        sk_vectors_exactly(v, "bob_scalar", b, sizeof(b));
        sk_dh_public(a_public, a);
        sk_dh_public(b_public, b);
        sk_vectors_exactly(v, "alice_public", want, sizeof(want));
        assert_memory_equal(a_public, want, sizeof(want));
        sk_vectors_exactly(v, "bob_public", want, sizeof(want));
        assert_memory_equal(b_public, want, sizeof(want));
        sk_vectors_exactly(v, "shared", want, sizeof(want));
        assert_int_equal(sk_dh(got, a, b_public), SK_OK);
        assert_memory_equal(got, want, sizeof(want));
        assert_int_equal(sk_dh(got, b, a_public), SK_OK);
        assert_memory_equal(got, want, sizeof(want));
    }
}

static void points_of_low_order_are_refused(void **state)
{
    (void)state;
    uint8_t scalar[SK_DH_LEN] = {5}, point[SK_DH_LEN] = {0}, shared[SK_DH_LEN], before[SK_DH_LEN];

    memset(shared, 0xa5, sizeof(shared));
    memcpy(before, shared, sizeof(before));
    for (uint8_t u = 0; u < 2; u++) {
        point[0] = u;
        assert_int_equal(sk_dh(shared, scalar, point), SK_DAMAGED);
        assert_memory_equal(shared, before, sizeof(before));
    }
}

/* Keys that an archive may announce, and what is none. */
static void only_points_of_the_group_are_usable(void **state)
{
    (void)state;
    static const char *const low[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t key[32], secret[32] = {7}, mixed[32];
    size_t len = 0;
    sk_dh_public(key, secret);
    assert_true(sk_dh_public_usable(key));
    for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
        assert_int_equal(sodium_hex2bin(key, 32, low[i], 64, NULL, &len, NULL), 0);
        assert_false(sk_dh_public_usable(key));
    }
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
        assert_int_equal(sodium_hex2bin(key, 32, small[i], 64, NULL, &len, NULL), 0);
        assert_false(sk_sign_public_usable(key));
    }
    assert_int_equal(sodium_hex2bin(mixed, 32, small[2], 64, NULL, &len, NULL), 0);
    sk_sign_public(key, secret);
    assert_true(sk_sign_public_usable(key));
    assert_int_equal(crypto_core_ed25519_add(mixed, mixed, key), 0);
    assert_false(sk_sign_public_usable(mixed));
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_match_rfc_8032),
        cmocka_unit_test(altered_signatures_are_refused),
        cmocka_unit_test(an_unreduced_signature_is_refused),
        cmocka_unit_test(a_key_of_low_order_signs_nothing),
        cmocka_unit_test(shared_values_match_rfc_7748),
        cmocka_unit_test(iteration_matches_rfc_7748),
        cmocka_unit_test(agreement_matches_rfc_7748),
        cmocka_unit_test(points_of_low_order_are_refused),
        cmocka_unit_test(only_points_of_the_group_are_usable),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
