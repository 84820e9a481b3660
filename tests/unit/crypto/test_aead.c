/*
 * Goal of this test: pages, chunks and wraps are the AEADs of the drafts and RFCs laid out as the
 * header says; any flipped bit, other position, other AD or other key is refused and leaves the
 * output alone.
 */
#include "crypto/aead.h"
#include "crypto/secret.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4056
#define NONCES 100

static const uint8_t key[SK_AEAD_KEY_LEN] = {1, 2, 3};

/* A page whose nonce we do not choose can be checked by opening what the draft sealed. */
static void a_page_opens_the_draft_s_message(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/xchacha20-poly1305.txt");
    while (sk_vectors_next(v)) {
        uint8_t its_key[32], sealed[256], ad[64], want[128], got[128];
        sk_vectors_exactly(v, "key", its_key, sizeof(its_key));
        size_t ad_len = sk_vectors_bytes(v, "ad", ad, sizeof(ad));
        size_t len = sk_vectors_bytes(v, "plain", want, sizeof(want));
        sk_vectors_exactly(v, "cipher", sealed, len);
        sk_vectors_exactly(v, "nonce", sealed + len, SK_AEAD_NONCE_LEN);
        sk_vectors_exactly(v, "tag", sealed + len + SK_AEAD_NONCE_LEN, SK_AEAD_TAG_LEN);
        assert_int_equal(sk_page_open(got, sealed, len, ad, ad_len, its_key), SK_OK);
        assert_memory_equal(got, want, len);
    }
}

static void the_library_matches_hchacha20(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/hchacha20.txt");
    while (sk_vectors_next(v)) {
        uint8_t its_key[32], input[16], want[32], got[32];
        sk_vectors_exactly(v, "key", its_key, sizeof(its_key));
        sk_vectors_exactly(v, "input", input, sizeof(input));
        sk_vectors_exactly(v, "subkey", want, sizeof(want));
        assert_int_equal(crypto_core_hchacha20(got, input, its_key, NULL), 0);
        assert_memory_equal(got, want, sizeof(want));
    }
}

/* Our wraps have nonce 0, the RFC's message another: it ties down the library below us. */
static void the_library_matches_rfc_8439(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/chacha20-poly1305.txt");
    while (sk_vectors_next(v)) {
        uint8_t its_key[32], nonce[12], ad[64], plain[128], want[256], got[256];
        sk_vectors_exactly(v, "key", its_key, sizeof(its_key));
        sk_vectors_exactly(v, "nonce", nonce, sizeof(nonce));
        size_t ad_len = sk_vectors_bytes(v, "ad", ad, sizeof(ad));
        size_t len = sk_vectors_bytes(v, "plain", plain, sizeof(plain));
        sk_vectors_exactly(v, "cipher", want, len);
        sk_vectors_exactly(v, "tag", want + len, SK_AEAD_TAG_LEN);
        crypto_aead_chacha20poly1305_ietf_encrypt(got, NULL, plain, len, ad, ad_len, NULL, nonce,
                                                  its_key);
        assert_memory_equal(got, want, len + SK_AEAD_TAG_LEN);
    }
}

static void a_wrap_is_the_rfc_s_with_nonce_zero(void **state)
{
    (void)state;
    static const uint8_t nonce[12], ad[2] = {0x61, 0x64};
    uint8_t plain[100], want[116], got[116], back[100];

    randombytes_buf(plain, sizeof(plain));
    crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, plain, sizeof(plain), ad, 2, NULL, nonce,
                                              key);
    sk_wrap_seal(got, plain, sizeof(plain), "ad", 2, key);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(sk_wrap_open(back, got, sizeof(plain), "ad", 2, key), SK_OK);
    assert_memory_equal(back, plain, sizeof(plain));
}

static void a_chunk_s_nonce_is_its_position(void **state)
{
    (void)state;
    static const uint8_t nonce[24] = {8, 7, 6, 5, 4, 3, 2, 1, 1};
    uint8_t plain[100], want[116], got[116];

    randombytes_buf(plain, sizeof(plain));
    crypto_aead_xchacha20poly1305_ietf_encrypt(want, NULL, plain, sizeof(plain), NULL, 0, NULL,
                                               nonce, key);
    sk_chunk_seal(got, plain, sizeof(plain), 0x0102030405060708, 77, key);
    assert_memory_equal(got, want, sizeof(want));
}

static void pages_of_every_length_come_back(void **state)
{
    (void)state;
    uint8_t plain[300], sealed[300 + SK_PAGE_OVERHEAD], back[300];
    randombytes_buf(plain, sizeof(plain));
    for (size_t len = 0; len <= sizeof(plain); len++) {
        sk_page_seal(sealed, plain, len, "where", 5, key);
        assert_int_equal(sk_page_open(back, sealed, len, "where", 5, key), SK_OK);
        assert_memory_equal(back, plain, len);
        int last = len % 2 == 1;
        sk_chunk_seal(sealed, plain, len, len, last, key);
        assert_int_equal(sk_chunk_open(back, sealed, len, len, last, key), SK_OK);
        assert_memory_equal(back, plain, len);
        sk_wrap_seal(sealed, plain, len, NULL, 0, key);
        assert_int_equal(sk_wrap_open(back, sealed, len, NULL, 0, key), SK_OK);
        assert_memory_equal(back, plain, len);
    }
}

static void sealing_and_opening_work_in_place(void **state)
{
    (void)state;
    static uint8_t plain[PAGE], buffer[PAGE + SK_PAGE_OVERHEAD];
    randombytes_buf(plain, sizeof(plain));

    memcpy(buffer, plain, PAGE);
    sk_page_seal(buffer, buffer, PAGE, NULL, 0, key);
    assert_int_equal(sk_page_open(buffer, buffer, PAGE, NULL, 0, key), SK_OK);
    assert_memory_equal(buffer, plain, PAGE);
    sk_chunk_seal(buffer, buffer, PAGE, 3, 1, key);
    assert_int_equal(sk_chunk_open(buffer, buffer, PAGE, 3, 1, key), SK_OK);
    assert_memory_equal(buffer, plain, PAGE);
    sk_wrap_seal(buffer, buffer, PAGE, NULL, 0, key);
    assert_int_equal(sk_wrap_open(buffer, buffer, PAGE, NULL, 0, key), SK_OK);
    assert_memory_equal(buffer, plain, PAGE);
}

static void pages_never_repeat_a_nonce(void **state)
{
    (void)state;
    enum { COUNT = 200, LEN = 1 };
    static uint8_t sealed[COUNT][LEN + SK_PAGE_OVERHEAD];
    uint8_t plain[LEN] = {0};
    for (size_t i = 0; i < COUNT; i++) {
        sk_page_seal(sealed[i], plain, LEN, NULL, 0, key);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(sealed[i] + LEN, sealed[j] + LEN, SK_AEAD_NONCE_LEN);
    }
}

/* Opens with one of the three ways; 0 page, 1 chunk, 2 wrap. */
static enum sk_status open_one(int way, uint8_t *plain, const uint8_t *sealed, size_t len,
                               const uint8_t *its_key)
{
    if (way == 0)
        return sk_page_open(plain, sealed, len, "ad", 2, its_key);
    if (way == 1) {
        enum sk_status status = sk_chunk_open(plain, sealed, len, 5, 0, its_key);
        assert_int_equal(sk_chunk_check(sealed, len, 5, 0, its_key), status);
        return status;
    }
    return sk_wrap_open(plain, sealed, len, "ad", 2, its_key);
}

/* Nonces that come one after the other, as a page carries them. */
static void nonces(uint8_t out[static NONCES * SK_AEAD_NONCE_LEN])
{
    uint8_t sealed[SK_PAGE_OVERHEAD];
    for (size_t i = 0; i < NONCES; i++) {
        sk_page_seal(sealed, NULL, 0, NULL, 0, key);
        memcpy(out + i * SK_AEAD_NONCE_LEN, sealed, SK_AEAD_NONCE_LEN);
    }
}

static void assert_no_nonce_in_both(const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < NONCES; i++)
        for (size_t j = 0; j < NONCES; j++)
            assert_memory_not_equal(a + i * SK_AEAD_NONCE_LEN, b + j * SK_AEAD_NONCE_LEN,
                                    SK_AEAD_NONCE_LEN);
}

/* Parent and child go on from the same memory. */
static void a_forked_process_has_nonces_of_its_own(void **state)
{
    (void)state;
    uint8_t sealed[SK_PAGE_OVERHEAD];
    static uint8_t own[NONCES * SK_AEAD_NONCE_LEN], others[NONCES * SK_AEAD_NONCE_LEN];
    int pipes[2];
    int status = -1;
    sk_page_seal(sealed, NULL, 0, NULL, 0, key);
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        nonces(own);
        _exit(write(pipes[1], own, sizeof(own)) == (ssize_t)sizeof(own) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], others, sizeof(others)), sizeof(others));
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    nonces(own);
    assert_no_nonce_in_both(own, others);
}

static void *fill_nonces(void *out)
{
    nonces(out);
    return NULL;
}

static void threads_have_nonces_of_their_own(void **state)
{
    (void)state;
    static uint8_t own[NONCES * SK_AEAD_NONCE_LEN], others[NONCES * SK_AEAD_NONCE_LEN];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fill_nonces, others), 0);
    nonces(own);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_no_nonce_in_both(own, others);
}

static void flipped_bits_are_refused_and_leave_the_output_alone(void **state)
{
    (void)state;
    enum { LEN = 70 };
    static const size_t sealed_len[] = {LEN + SK_PAGE_OVERHEAD, LEN + SK_AEAD_TAG_LEN,
                                        LEN + SK_AEAD_TAG_LEN};
    uint8_t plain[LEN] = "text", sealed[3][LEN + SK_PAGE_OVERHEAD], out[LEN], before[LEN];

    sk_page_seal(sealed[0], plain, LEN, "ad", 2, key);
    sk_chunk_seal(sealed[1], plain, LEN, 5, 0, key);
    sk_wrap_seal(sealed[2], plain, LEN, "ad", 2, key);
    memset(out, 0x5a, LEN);
    memcpy(before, out, LEN);
    for (int way = 0; way < 3; way++) {
        for (size_t bit = 0; bit < 8 * sealed_len[way]; bit++) {
            sealed[way][bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(open_one(way, out, sealed[way], LEN, key), SK_DAMAGED);
            assert_memory_equal(out, before, LEN);
            sealed[way][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(open_one(way, out, sealed[way], LEN - 1, key), SK_DAMAGED);
        uint8_t other[SK_AEAD_KEY_LEN] = {9};
        assert_int_equal(open_one(way, out, sealed[way], LEN, other), SK_DAMAGED);
        assert_memory_equal(out, before, LEN);
        assert_int_equal(open_one(way, out, sealed[way], LEN, key), SK_OK);
        memcpy(out, before, LEN);
    }
}

static void ad_and_position_are_bound(void **state)
{
    (void)state;
    uint8_t plain[20] = "text", sealed[20 + SK_PAGE_OVERHEAD], out[20];

    sk_page_seal(sealed, plain, sizeof(plain), "page 1", 6, key);
    assert_int_equal(sk_page_open(out, sealed, sizeof(plain), "page 2", 6, key), SK_DAMAGED);
    assert_int_equal(sk_page_open(out, sealed, sizeof(plain), NULL, 0, key), SK_DAMAGED);
    sk_wrap_seal(sealed, plain, sizeof(plain), "a", 1, key);
    assert_int_equal(sk_wrap_open(out, sealed, sizeof(plain), "b", 1, key), SK_DAMAGED);
    sk_chunk_seal(sealed, plain, sizeof(plain), 1, 0, key);
    assert_int_equal(sk_chunk_open(out, sealed, sizeof(plain), 2, 0, key), SK_DAMAGED);
    assert_int_equal(sk_chunk_open(out, sealed, sizeof(plain), 1, 1, key), SK_DAMAGED);
    assert_int_equal(sk_chunk_open(out, sealed, sizeof(plain), 1ull << 56, 0, key), SK_DAMAGED);
    assert_int_equal(sk_chunk_check(sealed, sizeof(plain), 2, 0, key), SK_DAMAGED);
    assert_int_equal(sk_chunk_check(sealed, sizeof(plain), 1, 1, key), SK_DAMAGED);
    assert_int_equal(sk_chunk_open(out, sealed, sizeof(plain), 1, 0, key), SK_OK);
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_opens_the_draft_s_message),
        cmocka_unit_test(the_library_matches_hchacha20),
        cmocka_unit_test(the_library_matches_rfc_8439),
        cmocka_unit_test(a_wrap_is_the_rfc_s_with_nonce_zero),
        cmocka_unit_test(a_chunk_s_nonce_is_its_position),
        cmocka_unit_test(pages_of_every_length_come_back),
        cmocka_unit_test(sealing_and_opening_work_in_place),
        cmocka_unit_test(pages_never_repeat_a_nonce),
        cmocka_unit_test(a_forked_process_has_nonces_of_its_own),
        cmocka_unit_test(threads_have_nonces_of_their_own),
        cmocka_unit_test(flipped_bits_are_refused_and_leave_the_output_alone),
        cmocka_unit_test(ad_and_position_are_bound),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
