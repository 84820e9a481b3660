/*
 * Goal of this test: a volume has the sizes that the format document names and no other; no bit of
 * its header can change; slots that a second writer makes from the document alone open, and those
 * with other fields, two file keys or points of low order are refused, however right their MAC.
 */
#include "tests/support/effort.h"
#include "tests/support/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

/* ---- sizes ---- */

static unsigned bits_of(uint64_t v)
{
    unsigned bits = 0;
    for (; v > 0; v >>= 1)
        bits++;
    return bits;
}

/* The definition of PADME, for every number of chunks that a volume can have. */
static void sizes_are_padme(void **state)
{
    (void)state;
    uint64_t before = 0;
    for (uint64_t chunks = 0; chunks <= SK_VOLUME_CHUNKS_MAX; chunks++) {
        uint64_t len = (chunks + 1) * 65536, padded = sk_volume_padded(chunks);
        assert_true(padded >= len && padded >= before && padded % 65536 == 0);
        assert_true(sk_volume_length_valid(padded));
        assert_int_equal(sk_volume_padded(padded / 65536 - 1), padded);
        assert_true(padded <= SK_VOLUME_BYTES_MAX);
        before = padded;
        if (len < SK_VOLUME_BYTES_MIN) {
            assert_int_equal(padded, SK_VOLUME_BYTES_MIN);
            continue;
        }
        unsigned e = bits_of(len) - 1;     /* floor(log2(len)) */
        unsigned zeros = e - (bits_of(e)); /* low bits that are cleared: e - (floor(log2(e)) + 1) */
        if (padded != SK_VOLUME_BYTES_MAX)
            assert_int_equal(padded & ((1ull << zeros) - 1), 0);
        assert_true(padded - len < (1ull << zeros) || padded - len < 65536);
        assert_true((padded - len) * 100 < len * 12);
    }
}

static void sizes_around_powers_of_two_are_the_documented_ones(void **state)
{
    (void)state;
    const struct {
        uint64_t units, padded; /* of 64 KiB */
    } cases[] = {
        {1, 4},         {3, 4},         {4, 4},         {5, 5},         {63, 63},
        {64, 64},       {65, 66},       {127, 128},     {128, 128},     {129, 132},
        {255, 256},     {257, 264},     {511, 512},     {513, 528},     {1023, 1024},
        {1025, 1056},   {4097, 4224},   {8193, 8448},   {16385, 16896}, {32769, 33792},
        {64512, 64512}, {64513, 65520}, {65520, 65520},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(sk_volume_padded(cases[i].units - 1) / 65536, cases[i].padded);
}

static void lengths_that_no_volume_has_are_refused(void **state)
{
    (void)state;
    const uint64_t bad[] = {0,
                            1,
                            65536,
                            3 * 65536,
                            256 * 1024 - 1,
                            256 * 1024 + 1,
                            65 * 65536,
                            129 * 65536,
                            65519ull * 65536,
                            65521ull * 65536,
                            1ull << 32,
                            1ull << 63,
                            UINT64_MAX,
                            UINT64_MAX - 65535};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sk_volume_length_valid(bad[i]));
    assert_true(sk_volume_length_valid(256 * 1024));
    assert_true(sk_volume_length_valid(65520ull * 65536));

    sk_auto_buf whole = SK_BUF_INIT;
    sk_test_write_for_alice(&whole, 10);
    const size_t cuts[] = {0, 1, 65535, 65536, 65537, 3 * 65536, 4 * 65536 - 1};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        assert_int_equal(sk_file_save(sk_volume_path, whole.bytes, cuts[i], true, NULL), SK_OK);
        assert_int_equal(sk_test_read_volume(&sk_alice, NULL, 10, 10), SK_DAMAGED);
    }
}

/* ---- the header ---- */

static void assert_flip_is_damage(struct sk_buf *whole, unsigned slot, size_t bit)
{
    whole->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (sk_test_open_as_alice(whole->bytes, slot) != SK_DAMAGED)
        fail_msg("bit %zu of the header may be changed", bit);
    whole->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Every bit of N0, slots and MAC; of the padding one in each 16 bytes, another one each time. */
static void every_flipped_bit_of_the_header_is_noticed(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    sk_test_write_for_alice(&whole, 10);
    unsigned slot = sk_party_slot(&sk_alice, whole.bytes);
    for (size_t bit = 0; bit < 1056 * 8; bit += sk_test_effort(7, 1, 1))
        assert_flip_is_damage(&whole, slot, bit);
    for (size_t at = 1056; at < SK_VOLUME_MAC_AT; at += 16)
        assert_flip_is_damage(&whole, slot, at * 8 + (at / 16) % 128);
    for (size_t bit = SK_VOLUME_MAC_AT * 8; bit < SK_VOLUME_HEADER_LEN * 8; bit++)
        assert_flip_is_damage(&whole, slot, bit);
    assert_int_equal(sk_test_open_as_alice(whole.bytes, slot), SK_OK);
}

/* As an insider would: padding changed and the MAC made right. The chunks are then under another
 * key. */
static void a_header_with_a_new_mac_does_not_open_the_old_chunks(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    struct sk_slot_plain plain;
    uint8_t key[32];
    sk_test_write_for_alice(&whole, 10);
    sk_test_insider(&plain, key, &sk_alice, whole.bytes);
    whole.bytes[2000] ^= 1;
    sk_volume_header_mac(whole.bytes + SK_VOLUME_MAC_AT, whole.bytes, plain.file_key);
    assert_int_equal(sk_test_open_as_alice(whole.bytes, sk_party_slot(&sk_alice, whole.bytes)),
                     SK_OK);
    assert_int_equal(sk_test_read_changed(&whole, 10), SK_DAMAGED);
}

/* One file that reads differently for two archives would need two file keys under one MAC. */
static void two_file_keys_in_two_slots_are_noticed(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    struct sk_slot_plain plain, other;
    uint8_t key[32];
    sk_test_write_for_alice(&whole, 10);
    sk_test_insider(&plain, key, &sk_alice, whole.bytes);
    unsigned slot = sk_party_slot(&sk_alice, whole.bytes);
    unsigned second = (slot + 1) % SK_VOLUME_SLOTS;

    other = plain;
    sk_random(other.file_key, sizeof(other.file_key));
    assert_int_equal(sk_volume_seal_slot(whole.bytes, second, &sk_bob.recipient, &other), SK_OK);
    sk_volume_header_mac(whole.bytes + SK_VOLUME_MAC_AT, whole.bytes, plain.file_key);
    assert_int_equal(sk_test_open_as_alice(whole.bytes, slot), SK_OK);
    assert_int_equal(sk_test_open_with(whole.bytes, second, &sk_bob.recipient.keys, &sk_bob,
                                       sk_bob.recipient.dh_public),
                     SK_DAMAGED);
    sk_volume_header_mac(whole.bytes + SK_VOLUME_MAC_AT, whole.bytes, other.file_key);
    assert_int_equal(sk_test_open_as_alice(whole.bytes, slot), SK_DAMAGED);
}

/* ---- a second writer of slots, from the format document alone ---- */

static void h_of(uint8_t out[32], const uint8_t key[32], const char *label, const uint8_t *bytes,
                 size_t len)
{
    crypto_generichash_state state;
    uint8_t padded[16] = {0};
    memcpy(padded, label, strlen(label));
    crypto_generichash_init(&state, key, key ? 32 : 0, 32);
    crypto_generichash_update(&state, padded, 16);
    crypto_generichash_update(&state, bytes, len);
    crypto_generichash_final(&state, out, 32);
}

/* Seals 64 bytes for sk_alice under an ephemeral point and a shared value of the test's choosing.
 */
static void seal_slot(uint8_t *header, unsigned slot, const uint8_t plain[64],
                      const uint8_t point[32], const uint8_t shared[32])
{
    uint8_t *at = header + 32 + slot * 128;
    uint8_t hash[32], ikm[32 * 4], ad[80];
    const uint8_t nonce[12] = {0};
    const struct sk_recipient *r = &sk_alice.recipient;

    h_of(hash, r->keys.tag, "tag", header, 32);
    memcpy(at, hash, 16);
    h_of(hash, r->keys.mask, "mask", header, 32);
    for (size_t i = 0; i < 32; i++)
        at[16 + i] = point[i] ^ hash[i];
    memcpy(ikm, header, 32);
    memcpy(ikm + 32, point, 32);
    memcpy(ikm + 64, r->dh_public, 32);
    memcpy(ikm + 96, shared, 32);
    h_of(hash, r->keys.wrap, "wrap", ikm, sizeof(ikm));
    memcpy(ad, header, 32);
    memcpy(ad + 32, at, 48);
    crypto_aead_chacha20poly1305_ietf_encrypt(at + 48, NULL, plain, 64, ad, sizeof(ad), NULL, nonce,
                                              hash);
}

static void mac_header(uint8_t *header, const uint8_t file_key[32])
{
    uint8_t key[32];
    h_of(key, file_key, "header key", header, 32);
    h_of(header + 65504, key, "header", header, 65504);
}

static enum sk_status open_plain(uint8_t *header, const uint8_t plain[64])
{
    uint8_t scalar[32], point[32], shared[32];
    sk_random(scalar, sizeof(scalar));
    crypto_scalarmult_base(point, scalar);
    assert_int_equal(crypto_scalarmult(shared, scalar, sk_alice.recipient.dh_public), 0);
    seal_slot(header, 3, plain, point, shared);
    mac_header(header, plain);
    return sk_test_open_as_alice(header, 3);
}

static void a_slot_made_from_the_document_opens(void **state)
{
    (void)state;
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    sk_auto_buf whole = SK_BUF_INIT;
    uint8_t plain[64] = {0};
    sk_test_write_for_alice(&whole, 10); /* for the length */
    sk_random(header, sizeof(header));
    sk_random(plain, 48);
    plain[48] = plain[49] = plain[51] = 1;
    assert_int_equal(open_plain(header, plain), SK_OK);
    for (size_t i = 48; i < 52; i++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t right = plain[i];
            plain[i] = (uint8_t)v;
            assert_int_equal(open_plain(header, plain), v == right ? SK_OK : SK_CONFIG);
            plain[i] = right;
        }
    }
    for (size_t bit = 52 * 8; bit < 64 * 8; bit++) {
        plain[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_plain(header, plain), SK_DAMAGED);
        plain[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Points whose X25519 result is zero for every scalar: the sender would need no key to know it. */
static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void points_of_low_order_are_refused(void **state)
{
    (void)state;
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    sk_auto_buf whole = SK_BUF_INIT;
    uint8_t plain[64] = {0}, point[32], zero[32] = {0};
    sk_test_write_for_alice(&whole, 10);
    sk_random(header, sizeof(header));
    plain[48] = plain[49] = plain[51] = 1;
    for (size_t i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
        assert_int_equal(sodium_hex2bin(point, 32, low_order[i], 64, NULL, NULL, NULL), 0);
        seal_slot(header, 3, plain, point, zero);
        mac_header(header, plain);
        assert_int_equal(sk_test_open_as_alice(header, 3), SK_DAMAGED);

        struct sk_recipient bad = sk_bob.recipient;
        struct sk_envelope_writer *writer = NULL;
        struct sk_file *file = NULL;
        uint64_t len;
        bool regular;
        memcpy(bad.dh_public, point, 32);
        assert_int_equal(sk_file_create_beside(&file, sk_volume_path, NULL), SK_OK);
        assert_int_equal(sk_envelope_create(&writer, file, &bad, 1, NULL), SK_DAMAGED);
        assert_null(writer);
        assert_int_equal(sk_file_size(file, &len, &regular, NULL), SK_OK);
        assert_int_equal(len, 0);
        sk_file_close(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_padme),
        cmocka_unit_test(sizes_around_powers_of_two_are_the_documented_ones),
        cmocka_unit_test(lengths_that_no_volume_has_are_refused),
        cmocka_unit_test(every_flipped_bit_of_the_header_is_noticed),
        cmocka_unit_test(a_header_with_a_new_mac_does_not_open_the_old_chunks),
        cmocka_unit_test(two_file_keys_in_two_slots_are_noticed),
        cmocka_unit_test(a_slot_made_from_the_document_opens),
        cmocka_unit_test(points_of_low_order_are_refused),
    };
    return cmocka_run_group_tests(tests, sk_volume_setup, sk_volume_teardown);
}
