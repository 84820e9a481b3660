/*
 * Goal of this test: a manifest comes back as it was; each has one encoding; whatever a byte is
 * changed to, decoding or the signature notices; every limit is refused by name, also when the
 * signature is right.
 */
#include "sync/manifest.h"

#include "crypto/bytes.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define FIXED_LEN 200

static const uint8_t seed[SK_SIGN_SEED_LEN] = {42};

/* A manifest with n0 = 11 (three peaks), two archives, one volume. */
static void make_manifest(struct sk_manifest *m)
{
    memset(m, 0, sizeof(*m));
    sk_sign_public(m->sign_public, seed);
    memset(m->dh_public, 2, sizeof(m->dh_public));
    memset(m->set_id, 3, sizeof(m->set_id));
    m->number = 4;
    m->k = m->n = 1;
    memset(m->header_hashes[0], 5, 32);
    m->recipient_count = 2;
    memset(m->recipients[0], 6, 32);
    memset(m->recipients[1], 7, 32);
    m->n0 = 11;
    m->n1 = 20;
    memset(m->root, 8, 32);
    for (size_t i = 0; i < 3; i++)
        memset(m->peaks[i], (int)(9 + i), 32);
    memcpy(m->note, "skrynia/x\n20\nroot\n\n", 19);
    m->payload_count = 9;
    m->plain_bytes = 12345;
    memset(m->indices_hash, 12, 32);
    m->day = 20000;
}

static void encode(struct sk_buf *out, const struct sk_manifest *m)
{
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_manifest_encode(out, m, &err), SK_OK);
}

/* An independent reading of the format document: context, NUL, encoding. */
static void sign_as_documented(uint8_t signature[SK_SIGNATURE_LEN], const uint8_t *bytes,
                               size_t len)
{
    sk_auto_buf message = SK_BUF_INIT;
    assert_int_equal(sk_buf_add(&message, "skrynia bundle 1\0", 17, NULL), SK_OK);
    assert_int_equal(sk_buf_add(&message, bytes, len, NULL), SK_OK);
    sk_sign(signature, message.bytes, message.len, seed);
}

static void it_comes_back_as_it_was(void **state)
{
    (void)state;
    struct sk_manifest m, back;
    sk_auto_buf bytes = SK_BUF_INIT;

    make_manifest(&m);
    encode(&bytes, &m);
    assert_int_equal(bytes.len, FIXED_LEN + (1 + 2 + 3) * 32 + 19);
    memset(&back, 0xee, sizeof(back));
    assert_int_equal(sk_manifest_decode(&back, bytes.bytes, bytes.len, NULL), SK_OK);
    assert_memory_equal(&back, &m, sizeof(m));
}

static void the_largest_one_comes_back(void **state)
{
    (void)state;
    struct sk_manifest m, back;
    sk_auto_buf bytes = SK_BUF_INIT;

    make_manifest(&m);
    m.k = m.n = SK_VOLUMES_MAX;
    m.recipient_count = SK_ARCHIVES_MAX;
    for (size_t i = 0; i < SK_ARCHIVES_MAX; i++)
        memset(m.recipients[i], (int)i, 32);
    m.n1 = SK_POSITION_MAX - 1;
    m.n0 = m.n1 - 1; /* 40 peaks */
    m.payload_count = 1;
    m.plain_bytes = SK_BUNDLE_PLAIN_MAX;
    m.number = INT64_MAX;
    m.day = UINT32_MAX;
    memset(m.note, 'n', sizeof(m.note) - 1);
    encode(&bytes, &m);
    assert_true(bytes.len <= SK_MANIFEST_MAX);
    assert_int_equal(sk_manifest_decode(&back, bytes.bytes, bytes.len, NULL), SK_OK);
    assert_memory_equal(&back, &m, sizeof(m));
}

/* The offsets that sync/FORMAT.md names. */
static void the_layout_is_the_documented_one(void **state)
{
    (void)state;
    struct sk_manifest m;
    sk_auto_buf b = SK_BUF_INIT;
    make_manifest(&m);
    encode(&b, &m);
    assert_int_equal(sk_get_u32(b.bytes), 1);
    assert_int_equal(b.bytes[4], 1);
    assert_int_equal(b.bytes[5], 1);
    assert_int_equal(b.bytes[6], 2);
    assert_int_equal(b.bytes[7], 0);
    assert_memory_equal(b.bytes + 8, m.sign_public, 32);
    assert_memory_equal(b.bytes + 40, m.dh_public, 32);
    assert_memory_equal(b.bytes + 72, m.set_id, 16);
    assert_int_equal(sk_get_u64(b.bytes + 88), 4);
    assert_int_equal(sk_get_u64(b.bytes + 96), 11);
    assert_int_equal(sk_get_u64(b.bytes + 104), 20);
    assert_memory_equal(b.bytes + 112, m.root, 32);
    assert_int_equal(sk_get_u64(b.bytes + 144), 9);
    assert_int_equal(sk_get_u64(b.bytes + 152), 12345);
    assert_memory_equal(b.bytes + 160, m.indices_hash, 32);
    assert_int_equal(sk_get_u32(b.bytes + 192), 20000);
    assert_int_equal(sk_get_u32(b.bytes + 196), 19);
    assert_memory_equal(b.bytes + 200, m.header_hashes, 32);
    assert_memory_equal(b.bytes + 232, m.recipients, 64);
    assert_memory_equal(b.bytes + 296, m.peaks, 96);
    assert_memory_equal(b.bytes + 392, m.note, 19);
}

static void every_cut_and_every_longer_one_fails(void **state)
{
    (void)state;
    struct sk_manifest m, back;
    sk_auto_buf b = SK_BUF_INIT;
    make_manifest(&m);
    encode(&b, &m);
    for (size_t len = 0; len < b.len; len++) {
        /* A copy of its own, so that reading behind the end is noticed. */
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, b.bytes, len);
        uint8_t *exact = realloc(cut, len ? len : 1);
        assert_int_equal(sk_manifest_decode(&back, exact, len, NULL), SK_DAMAGED);
        free(exact);
    }
    assert_int_equal(sk_buf_add_byte(&b, 'x', NULL), SK_OK);
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), SK_DAMAGED);
}

static void every_flipped_bit_breaks_the_signature(void **state)
{
    (void)state;
    struct sk_manifest m;
    sk_auto_buf b = SK_BUF_INIT;
    uint8_t signature[SK_SIGNATURE_LEN];
    make_manifest(&m);
    encode(&b, &m);
    sign_as_documented(signature, b.bytes, b.len);
    assert_int_equal(sk_manifest_verify(signature, b.bytes, b.len, m.sign_public, NULL), SK_OK);
    for (size_t bit = 0; bit < 8 * b.len; bit++) {
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sk_manifest_verify(signature, b.bytes, b.len, m.sign_public, NULL),
                         SK_DAMAGED);
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(sk_manifest_verify(signature, b.bytes, b.len, m.sign_public, NULL),
                             SK_OK);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(sk_manifest_verify(signature, b.bytes, b.len - 1, m.sign_public, NULL),
                     SK_DAMAGED);
}

/* As an insider could who signs what he changed: what still decodes is another manifest, and its
 * only encoding is the one that was read. */
static void every_byte_changed_and_signed_again_is_refused_or_means_what_it_says(void **state)
{
    (void)state;
    struct sk_manifest m, back;
    sk_auto_buf b = SK_BUF_INIT, again = SK_BUF_INIT;
    size_t refused = 0;
    make_manifest(&m);
    encode(&b, &m);
    for (size_t i = 0; i < b.len; i++) {
        for (unsigned v = 1; v < 256; v++) {
            b.bytes[i] ^= (uint8_t)v;
            memset(&back, 0, sizeof(back));
            enum sk_status status = sk_manifest_decode(&back, b.bytes, b.len, NULL);
            if (status == SK_OK) {
                sk_buf_reset(&again);
                encode(&again, &back);
                assert_int_equal(again.len, b.len);
                assert_memory_equal(again.bytes, b.bytes, b.len);
            } else {
                assert_true(status == SK_DAMAGED || status == SK_LIMIT || status == SK_CONFIG);
                assert_int_equal(back.number, 0); /* outputs untouched */
                refused++;
            }
            b.bytes[i] ^= (uint8_t)v;
        }
    }
    assert_true(refused > 1000);
}

/* Changes one field of the encoding and says what decoding must answer. */
static void assert_u64(size_t at, uint64_t value, enum sk_status want)
{
    struct sk_manifest m, back;
    struct sk_error err = SK_ERROR_INIT;
    sk_auto_buf b = SK_BUF_INIT;
    make_manifest(&m);
    encode(&b, &m);
    sk_put_u64(b.bytes + at, value);
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, &err), want);
    assert_true(err.text[0] != '\0');
}

static void assert_u8(size_t at, uint8_t value, enum sk_status want)
{
    struct sk_manifest m, back;
    sk_auto_buf b = SK_BUF_INIT;
    make_manifest(&m);
    encode(&b, &m);
    b.bytes[at] = value;
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), want);
}

static void each_limit_has_its_name(void **state)
{
    (void)state;
    assert_u8(0, 0, SK_DAMAGED); /* version */
    assert_u8(0, 2, SK_CONFIG);
    assert_u8(3, 1, SK_CONFIG);
    assert_u8(4, 0, SK_DAMAGED); /* k */
    assert_u8(4, 2, SK_DAMAGED);
    assert_u8(5, 0, SK_DAMAGED);              /* n */
    assert_u8(5, SK_VOLUMES_MAX, SK_DAMAGED); /* the length is another */
    assert_u8(5, SK_VOLUMES_MAX + 1, SK_LIMIT);
    assert_u8(6, 0, SK_DAMAGED); /* archives */
    assert_u8(6, SK_ARCHIVES_MAX + 1, SK_LIMIT);
    assert_u8(7, 1, SK_DAMAGED);
    assert_u64(88, 0, SK_DAMAGED); /* number */
    assert_u64(88, 1ull << 63, SK_LIMIT);
    assert_u64(96, 20, SK_DAMAGED); /* n0 */
    assert_u64(96, UINT64_MAX, SK_DAMAGED);
    assert_u64(104, 11, SK_DAMAGED); /* n1 */
    assert_u64(104, 10, SK_DAMAGED);
    assert_u64(104, 11 + SK_BUNDLE_ENTRIES_MAX + 1, SK_LIMIT);
    assert_u64(104, SK_POSITION_MAX, SK_LIMIT);
    assert_u64(104, SK_POSITION_MAX + 1, SK_LIMIT);
    assert_u64(144, 10, SK_DAMAGED); /* payloads */
    assert_u64(144, 0, SK_DAMAGED);
    assert_u64(152, SK_BUNDLE_PLAIN_MAX + 1, SK_LIMIT);
}

static void a_note_must_be_a_text_of_its_length(void **state)
{
    (void)state;
    struct sk_manifest m, back;
    sk_auto_buf b = SK_BUF_INIT;
    make_manifest(&m);
    encode(&b, &m);

    b.bytes[b.len - 1] = 0;
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), SK_DAMAGED);
    sk_put_u32(b.bytes + 196, 0);
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len - 19, NULL), SK_DAMAGED);
    sk_put_u32(b.bytes + 196, SK_CHECKPOINT_NOTE_MAX);
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), SK_LIMIT);
    sk_put_u32(b.bytes + 196, UINT32_MAX);
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), SK_LIMIT);
}

static void a_longer_manifest_than_allowed_is_refused_unread(void **state)
{
    (void)state;
    struct sk_manifest back;
    static uint8_t bytes[SK_MANIFEST_MAX + 1] = {1};
    uint8_t signature[SK_SIGNATURE_LEN] = {0};
    assert_int_equal(sk_manifest_decode(&back, bytes, sizeof(bytes), NULL), SK_LIMIT);
    assert_int_equal(sk_manifest_decode(&back, bytes, sizeof(bytes) - 1, NULL), SK_DAMAGED);
    assert_int_equal(sk_manifest_verify(signature, bytes, sizeof(bytes), seed, NULL), SK_LIMIT);
}

static void what_cannot_be_decoded_is_not_encoded(void **state)
{
    (void)state;
    struct sk_manifest m;
    sk_auto_buf b = SK_BUF_INIT;

    make_manifest(&m);
    memcpy(m.recipients[1], m.recipients[0], 32); /* twice the same */
    assert_int_equal(sk_manifest_encode(&b, &m, NULL), SK_DAMAGED);
    make_manifest(&m);
    m.recipients[0][0] = 0xff; /* not in order */
    assert_int_equal(sk_manifest_encode(&b, &m, NULL), SK_DAMAGED);
    make_manifest(&m);
    memset(m.note, 'n', sizeof(m.note)); /* not a string */
    assert_int_equal(sk_manifest_encode(&b, &m, NULL), SK_DAMAGED);
    make_manifest(&m);
    m.n1 = m.n0 + SK_BUNDLE_ENTRIES_MAX + 1;
    assert_int_equal(sk_manifest_encode(&b, &m, NULL), SK_LIMIT);
    make_manifest(&m);
    m.n = SK_VOLUMES_MAX + 1;
    assert_int_equal(sk_manifest_encode(&b, &m, NULL), SK_LIMIT);
    assert_int_equal(b.len, 0);
}

static void archives_out_of_order_are_refused(void **state)
{
    (void)state;
    struct sk_manifest m, back;
    sk_auto_buf b = SK_BUF_INIT;
    make_manifest(&m);
    encode(&b, &m);
    memset(b.bytes + 232, 7, 32); /* the same as the second */
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), SK_DAMAGED);
    memset(b.bytes + 232, 8, 32);
    assert_int_equal(sk_manifest_decode(&back, b.bytes, b.len, NULL), SK_DAMAGED);
}

/* The store signs what a reader who only has the document verifies. */
static void a_store_signs_context_and_encoding(void **state)
{
    const struct sk_store *store = ((struct sk_test_store *)*state)->store;
    struct sk_manifest m;
    sk_auto_buf b = SK_BUF_INIT, message = SK_BUF_INIT;
    uint8_t signature[SK_SIGNATURE_LEN];
    make_manifest(&m);
    encode(&b, &m);
    sk_manifest_sign(store, signature, b.bytes, b.len);
    EXPECT_OK(
        sk_manifest_verify(signature, b.bytes, b.len, sk_store_sign_public(store), &sk_test_err));
    EXPECT_OK(sk_buf_add(&message, "skrynia bundle 1\0", 17, &sk_test_err));
    EXPECT_OK(sk_buf_add(&message, b.bytes, b.len, &sk_test_err));
    assert_int_equal(
        sk_sign_verify(signature, message.bytes, message.len, sk_store_sign_public(store)), SK_OK);
    EXPECT(SK_DAMAGED, sk_manifest_verify(signature, b.bytes, b.len, m.sign_public, &sk_test_err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_as_it_was),
        cmocka_unit_test(the_largest_one_comes_back),
        cmocka_unit_test(the_layout_is_the_documented_one),
        cmocka_unit_test(every_cut_and_every_longer_one_fails),
        cmocka_unit_test(every_flipped_bit_breaks_the_signature),
        cmocka_unit_test(every_byte_changed_and_signed_again_is_refused_or_means_what_it_says),
        cmocka_unit_test(each_limit_has_its_name),
        cmocka_unit_test(a_note_must_be_a_text_of_its_length),
        cmocka_unit_test(a_longer_manifest_than_allowed_is_refused_unread),
        cmocka_unit_test(what_cannot_be_decoded_is_not_encoded),
        cmocka_unit_test(archives_out_of_order_are_refused),
        cmocka_unit_test_setup_teardown(a_store_signs_context_and_encoding, sk_test_device,
                                        sk_test_remove),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
