/*
 * Goal of this test: what goes into an envelope comes out for every recipient and for nobody else;
 * nothing that was cut, moved, repeated, appended or taken from elsewhere is given out, also when
 * an insider seals it again with the right keys.
 */
#include "crypto/aead.h"
#include "tests/support/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MIB (1024 * 1024)

/* ---- sizes ---- */

static void assert_round_trip(size_t len, size_t step)
{
    sk_auto_buf whole = SK_BUF_INIT;
    uint8_t *content = sk_test_content(len);
    uint8_t *back = malloc(len + 1);

    sk_test_write_volume(&whole, &sk_alice.recipient, 1, content, len, step);
    size_t chunks = len == 0 ? 1 : (len + SK_CHUNK_PLAIN_LEN - 1) / SK_CHUNK_PLAIN_LEN;
    assert_int_equal(whole.len, sk_volume_padded(chunks));
    assert_int_equal(sk_test_read_volume(&sk_alice, back, len, step), SK_OK);
    assert_memory_equal(back, content, len);
    free(back);
    free(content);
}

static void every_size_comes_back(void **state)
{
    (void)state;
    const size_t plain = SK_CHUNK_PLAIN_LEN;
    const size_t borders[] = {1, 2, 3, 4, 15, 16, 17, 31, 32, 33, 62, 63, 64, 65};
    assert_round_trip(0, 1);
    assert_round_trip(1, 1);
    assert_round_trip(1000, 1);
    for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++)
        for (size_t d = 0; d < 3; d++)
            assert_round_trip(borders[i] * plain - 1 + d, MIB);
    assert_round_trip(20 * plain, plain);
    assert_round_trip(20 * plain, plain + 1);
    assert_round_trip(20 * plain, plain - 1);
    assert_round_trip(20 * plain + 5, 3 * plain);
    assert_round_trip(20 * plain + 5, 777);
    assert_round_trip(20 * plain + 5, SIZE_MAX / 2);
}

/* ---- recipients ---- */

static void eight_recipients_each_open_it(void **state)
{
    (void)state;
    struct sk_party parties[SK_VOLUME_SLOTS];
    struct sk_recipient recipients[SK_VOLUME_SLOTS];
    sk_auto_buf whole = SK_BUF_INIT;
    uint8_t *content = sk_test_content(100000), *back = malloc(100000);
    unsigned seen = 0;

    for (size_t i = 0; i < SK_VOLUME_SLOTS; i++) {
        sk_party_init(&parties[i]);
        recipients[i] = parties[i].recipient;
    }
    sk_test_write_volume(&whole, recipients, SK_VOLUME_SLOTS, content, 100000, MIB);
    for (size_t i = 0; i < SK_VOLUME_SLOTS; i++) {
        memset(back, 0, 100000);
        assert_int_equal(sk_test_read_volume(&parties[i], back, 100000, MIB), SK_OK);
        assert_memory_equal(back, content, 100000);
        seen |= 1u << sk_party_slot(&parties[i], whole.bytes);
    }
    assert_int_equal(seen, 0xff);
    free(content);
    free(back);
}

static void the_number_of_recipients_is_one_to_eight(void **state)
{
    (void)state;
    struct sk_recipient recipients[SK_VOLUME_SLOTS + 1];
    struct sk_envelope_writer *writer = NULL;
    struct sk_file *file = NULL;
    for (size_t i = 0; i <= SK_VOLUME_SLOTS; i++)
        recipients[i] = sk_alice.recipient;
    assert_int_equal(sk_file_remove(sk_volume_path, NULL), SK_OK);
    assert_int_equal(sk_file_create(&file, sk_volume_path, NULL), SK_OK);
    assert_int_equal(sk_envelope_create(&writer, file, recipients, 0, NULL), SK_INTERNAL);
    assert_int_equal(sk_envelope_create(&writer, file, recipients, 9, NULL), SK_INTERNAL);
    assert_null(writer);
    sk_file_close(file);
}

/* The first recipient's place tells nothing: every slot comes up about as often. */
static void slots_are_shuffled(void **state)
{
    (void)state;
    unsigned count[SK_VOLUME_SLOTS] = {0};
    for (int i = 0; i < 400; i++) {
        struct sk_recipient recipients[2] = {sk_alice.recipient, sk_bob.recipient};
        static uint8_t header[SK_VOLUME_HEADER_LEN];
        sk_test_header(header, recipients, 2);
        unsigned a = sk_party_slot(&sk_alice, header), b = sk_party_slot(&sk_bob, header);
        assert_true(a < SK_VOLUME_SLOTS && b < SK_VOLUME_SLOTS && a != b);
        count[a]++;
    }
    for (size_t i = 0; i < SK_VOLUME_SLOTS; i++)
        assert_in_range(count[i], 15, 100); /* 50 expected */
}

static void nobody_else_opens_it(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    sk_test_write_for_alice(&whole, 10);
    unsigned slot = sk_party_slot(&sk_alice, whole.bytes);
    const uint8_t *h = whole.bytes;
    struct sk_slot_keys keys = sk_alice.recipient.keys;
    const uint8_t *r = sk_alice.recipient.dh_public;

    assert_int_equal(sk_party_slot(&sk_bob, h), SK_VOLUME_SLOTS);
    assert_int_equal(sk_test_open_with(h, slot, &keys, &sk_alice, r), SK_OK);
    assert_int_equal(sk_test_open_with(h, slot, &keys, &sk_bob, r),
                     SK_DAMAGED); /* another scalar */
    assert_int_equal(sk_test_open_with(h, slot, &keys, &sk_alice, sk_bob.recipient.dh_public),
                     SK_DAMAGED);
    assert_int_equal(
        sk_test_open_with(h, slot, &sk_bob.recipient.keys, &sk_bob, sk_bob.recipient.dh_public),
        SK_DAMAGED);
    keys.wrap[0] ^= 1; /* the right scalar, but not the chain's key */
    assert_int_equal(sk_test_open_with(h, slot, &keys, &sk_alice, r), SK_DAMAGED);
    keys = sk_alice.recipient.keys;
    keys.mask[0] ^= 1;
    assert_int_equal(sk_test_open_with(h, slot, &keys, &sk_alice, r), SK_DAMAGED);
    for (unsigned other = 0; other < SK_VOLUME_SLOTS; other++)
        if (other != slot)
            assert_int_equal(sk_test_open_as_alice(h, other), SK_DAMAGED);
    assert_int_equal(sk_test_open_as_alice(h, SK_VOLUME_SLOTS), SK_INTERNAL);
}

/* ---- the chunks ---- */

#define CHUNKS      20
#define CONTENT_LEN (CHUNKS * (size_t)SK_CHUNK_PLAIN_LEN - 100)

static void cut_at_each_chunk(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    sk_test_write_for_alice(&whole, CONTENT_LEN);
    size_t count = sk_test_chunk_count(&whole);
    assert_int_equal(count, CHUNKS);
    for (size_t left = 0; left < count; left++) {
        whole.len = SK_VOLUME_HEADER_LEN + left * SK_CHUNK_LEN;
        /* Whatever is asked for: not even less than is left may pass for the whole. */
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
        assert_int_equal(sk_test_read_changed(&whole, left * SK_CHUNK_PLAIN_LEN / 2), SK_DAMAGED);
    }
}

static void chunks_that_were_moved(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT, other = SK_BUF_INIT;
    static uint8_t keep[SK_CHUNK_LEN];
    sk_test_write_for_alice(&other, CONTENT_LEN);
    sk_test_write_for_alice(&whole, CONTENT_LEN);
    for (size_t j = 0; j < CHUNKS; j++) {
        uint8_t *a = sk_test_chunk(&whole, j), *b = sk_test_chunk(&whole, (j + 1) % CHUNKS);
        memcpy(keep, a, SK_CHUNK_LEN);
        memcpy(a, b, SK_CHUNK_LEN); /* the next one repeated */
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
        memcpy(b, keep, SK_CHUNK_LEN); /* both swapped */
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
        memcpy(b, a, SK_CHUNK_LEN);
        memcpy(a, sk_test_chunk(&other, j), SK_CHUNK_LEN); /* the same of another volume */
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
        memcpy(a, keep, SK_CHUNK_LEN);
    }
    assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_OK);
}

static void a_chunk_left_out(void **state)
{
    (void)state;
    for (size_t j = 0; j < CHUNKS; j++) {
        sk_auto_buf whole = SK_BUF_INIT;
        sk_test_write_for_alice(&whole, CONTENT_LEN);
        memmove(sk_test_chunk(&whole, j), sk_test_chunk(&whole, j + 1),
                (CHUNKS - j - 1) * SK_CHUNK_LEN);
        whole.len -= SK_CHUNK_LEN;
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN - SK_CHUNK_PLAIN_LEN),
                         SK_DAMAGED);
    }
}

static void every_chunk_has_its_tag(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    sk_test_write_for_alice(&whole, CONTENT_LEN);
    for (size_t j = 0; j < CHUNKS; j++) {
        size_t at = j == 0 ? 0 : j == 1 ? SK_CHUNK_LEN - 1 : sk_random_below(SK_CHUNK_LEN);
        sk_test_chunk(&whole, j)[at] ^= (uint8_t)(1u << j % 8);
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
        sk_test_chunk(&whole, j)[at] ^= (uint8_t)(1u << j % 8);
    }
}

static void appended_bytes(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    struct sk_slot_plain plain;
    uint8_t key[32];
    sk_test_write_for_alice(&whole, CONTENT_LEN);
    sk_test_insider(&plain, key, &sk_alice, whole.bytes);
    size_t len = whole.len;
    assert_int_equal(sk_buf_grow(&whole, SK_CHUNK_LEN, NULL), SK_OK);

    whole.len = len + 1;
    assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
    sk_random(whole.bytes + len, SK_CHUNK_LEN);
    whole.len = len + SK_CHUNK_LEN;
    assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
    /* An insider seals one more: the one before still says that it is the last. */
    static uint8_t zeros[SK_CHUNK_PLAIN_LEN];
    sk_chunk_seal(whole.bytes + len, zeros, sizeof(zeros), CHUNKS, 1, key);
    assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
}

static void the_last_flag_is_bound(void **state)
{
    (void)state;
    static uint8_t bytes[SK_CHUNK_PLAIN_LEN];
    sk_auto_buf whole = SK_BUF_INIT;
    struct sk_slot_plain plain;
    uint8_t key[32];
    sk_test_write_for_alice(&whole, CONTENT_LEN);
    sk_test_insider(&plain, key, &sk_alice, whole.bytes);
    for (size_t j = 0; j < CHUNKS; j++) {
        int last = j + 1 == CHUNKS;
        uint8_t *chunk = sk_test_chunk(&whole, j);
        assert_int_equal(sk_chunk_open(bytes, chunk, sizeof(bytes), j, last, key), SK_OK);
        sk_chunk_seal(chunk, bytes, sizeof(bytes), j, !last, key);
        assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_DAMAGED);
        sk_chunk_seal(chunk, bytes, sizeof(bytes), j, last, key);
    }
    assert_int_equal(sk_test_read_changed(&whole, CONTENT_LEN), SK_OK);
}

/* A byte behind the end, sealed again as an insider would: in the last chunk with content, in one
 * of padding, in the last. */
static void padding_that_is_not_zero_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[SK_CHUNK_PLAIN_LEN];
    sk_auto_buf whole = SK_BUF_INIT;
    struct sk_slot_plain plain;
    uint8_t key[32];
    const size_t len = 128 * (size_t)SK_CHUNK_PLAIN_LEN + 5; /* 129 chunks, padded to 131 */
    sk_test_write_for_alice(&whole, len);
    size_t count = sk_test_chunk_count(&whole);
    assert_int_equal(count, 131);
    sk_test_insider(&plain, key, &sk_alice, whole.bytes);
    for (size_t j = 128; j < count; j++) {
        int last = j + 1 == count;
        uint8_t *chunk = sk_test_chunk(&whole, j);
        for (int end = 0; end < 2; end++) {
            size_t at = end ? sizeof(bytes) - 1 : j == 128 ? 5 : 0;
            assert_int_equal(sk_chunk_open(bytes, chunk, sizeof(bytes), j, last, key), SK_OK);
            bytes[at] ^= 0x80;
            sk_chunk_seal(chunk, bytes, sizeof(bytes), j, last, key);
            assert_int_equal(sk_test_read_changed(&whole, len), SK_DAMAGED);
            bytes[at] ^= 0x80;
            sk_chunk_seal(chunk, bytes, sizeof(bytes), j, last, key);
        }
    }
    assert_int_equal(sk_test_read_changed(&whole, len), SK_OK);
}

static void reading_behind_the_end_fails(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    sk_test_write_for_alice(&whole, 10);
    const size_t all = 3 * (size_t)SK_CHUNK_PLAIN_LEN;
    assert_int_equal(sk_test_read_volume(&sk_alice, NULL, all, all), SK_OK);
    assert_int_equal(sk_test_read_volume(&sk_alice, NULL, all + 1, all + 1), SK_DAMAGED);
    assert_int_equal(sk_test_read_volume(&sk_alice, NULL, all + 1, 100), SK_DAMAGED);
}

static void more_than_a_volume_holds_is_refused(void **state)
{
    (void)state;
    struct sk_envelope_writer *writer = NULL;
    struct sk_file *file = NULL;
    const size_t most = (size_t)SK_VOLUME_CHUNKS_MAX * SK_CHUNK_PLAIN_LEN;
    assert_int_equal(sk_file_create_beside(&file, sk_volume_path, NULL), SK_OK);
    assert_int_equal(sk_envelope_create(&writer, file, &sk_alice.recipient, 1, NULL), SK_OK);
    assert_int_equal(sk_envelope_write(writer, "x", 1, NULL), SK_OK);
    /* Refused by its length alone: the bytes are not even looked at. */
    assert_int_equal(sk_envelope_write(writer, "x", most, NULL), SK_LIMIT);
    assert_int_equal(sk_envelope_write(writer, "x", SIZE_MAX, NULL), SK_LIMIT);
    assert_int_equal(sk_envelope_write(writer, "x", 1, NULL), SK_OK);
    sk_envelope_writer_free(writer);
    sk_file_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(eight_recipients_each_open_it),
        cmocka_unit_test(the_number_of_recipients_is_one_to_eight),
        cmocka_unit_test(slots_are_shuffled),
        cmocka_unit_test(nobody_else_opens_it),
        cmocka_unit_test(cut_at_each_chunk),
        cmocka_unit_test(chunks_that_were_moved),
        cmocka_unit_test(a_chunk_left_out),
        cmocka_unit_test(every_chunk_has_its_tag),
        cmocka_unit_test(appended_bytes),
        cmocka_unit_test(the_last_flag_is_bound),
        cmocka_unit_test(padding_that_is_not_zero_is_refused),
        cmocka_unit_test(reading_behind_the_end_fails),
        cmocka_unit_test(more_than_a_volume_holds_is_refused),
    };
    return cmocka_run_group_tests(tests, sk_volume_setup, sk_volume_teardown);
}
