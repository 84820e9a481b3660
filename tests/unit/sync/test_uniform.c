/*
 * Goal of this test: a volume shows uniform bytes. Nothing in it stands out over one file or over
 * many, the masked points pass for random strings, and two files of one content share nothing.
 */
#include "tests/support/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define MIB (1024 * 1024)

/* Chi-square over 256 values has mean 255 and deviation 22.6; eight deviations are left. */
static void assert_uniform(const uint8_t *bytes, size_t len)
{
    size_t counts[256] = {0}, ones[8] = {0};
    double expected = (double)len / 256, chi = 0;
    for (size_t i = 0; i < len; i++) {
        counts[bytes[i]]++;
        for (unsigned b = 0; b < 8; b++)
            ones[b] += bytes[i] >> b & 1;
    }
    for (size_t v = 0; v < 256; v++)
        chi += ((double)counts[v] - expected) * ((double)counts[v] - expected) / expected;
    assert_true(chi > 255 - 8 * 22.6 && chi < 255 + 8 * 22.6);
    for (unsigned b = 0; b < 8; b++)
        assert_true(fabs((double)ones[b] - (double)len / 2) < 8 * sqrt((double)len) / 2);
}

static void whole_volumes_are_uniform(void **state)
{
    (void)state;
    static uint8_t zeros[3 * MIB];
    for (size_t recipients = 1; recipients <= 8; recipients += 7) {
        struct sk_recipient all[SK_VOLUME_SLOTS];
        sk_auto_buf whole = SK_BUF_INIT;
        for (size_t i = 0; i < SK_VOLUME_SLOTS; i++)
            all[i] = i == 0 ? sk_alice.recipient : sk_bob.recipient;
        sk_test_write_volume(&whole, all, recipients, zeros, sizeof(zeros), MIB);
        assert_uniform(whole.bytes, whole.len);
        assert_uniform(whole.bytes, SK_VOLUME_HEADER_LEN);
    }
}

/* The same byte of the header over many volumes: no position is fixed or favours a value. */
static void no_position_of_the_header_stands_out(void **state)
{
    (void)state;
    enum { VOLUMES = 256, LOOKED_AT = 32 + 8 * 128 };
    static uint8_t columns[LOOKED_AT][VOLUMES];
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    for (size_t i = 0; i < VOLUMES; i++) {
        sk_test_header(header, &sk_alice.recipient, 1);
        for (size_t at = 0; at < LOOKED_AT; at++)
            columns[at][i] = header[at];
    }
    for (size_t at = 0; at < LOOKED_AT; at++) {
        size_t ones = 0, seen[256] = {0}, most = 0;
        for (size_t i = 0; i < VOLUMES; i++) {
            ones += (size_t)__builtin_popcount(columns[at][i]);
            most = ++seen[columns[at][i]] > most ? seen[columns[at][i]] : most;
        }
        assert_in_range(ones, 1024 - 200, 1024 + 200); /* deviation 22.6 */
        assert_true(most < 16);
    }
}

/* ---- the Legendre test: raw X25519 keys are u-coordinates of the curve, never of its twist ----
 */

struct field {
    uint32_t limb[32]; /* bytes, modulo 2^255 - 19, below 2^256 */
};

static void carry(struct field *v, uint32_t *wide)
{
    for (int round = 0; round < 3; round++) {
        uint32_t over = 0;
        for (size_t i = 0; i < 32; i++) {
            wide[i] += over;
            over = wide[i] >> 8;
            wide[i] &= 0xff;
        }
        wide[0] += over * 38;
    }
    memcpy(v->limb, wide, sizeof(v->limb));
}

static struct field field_mul(const struct field *a, const struct field *b)
{
    uint32_t wide[64] = {0};
    struct field out;
    for (size_t i = 0; i < 32; i++)
        for (size_t j = 0; j < 32; j++)
            wide[i + j] += a->limb[i] * b->limb[j];
    for (size_t i = 0; i < 32; i++) {
        /* a column sums up to 32 * 255 * 255, so that 38 of them still fit */
        wide[i] += 38 * wide[i + 32];
    }
    carry(&out, wide);
    return out;
}

static struct field field_add(const struct field *a, const struct field *b)
{
    uint32_t wide[32];
    struct field out;
    for (size_t i = 0; i < 32; i++)
        wide[i] = a->limb[i] + b->limb[i];
    carry(&out, wide);
    return out;
}

/* Whether v is 1 modulo p: 1, p + 1 or 2p + 1 as it stands. */
static bool field_is_one(const struct field *v)
{
    static const uint8_t forms[3][2] = {{0x01, 0x00}, {0xee, 0x7f}, {0xdb, 0xff}};
    for (size_t f = 0; f < 3; f++) {
        uint8_t middle = f == 0 ? 0x00 : 0xff;
        bool same = (v->limb[0] & 0xff) == forms[f][0] && v->limb[31] == forms[f][1];
        for (size_t i = 1; i < 31; i++)
            same = same && v->limb[i] == middle;
        if (same)
            return true;
    }
    return false;
}

/* Whether u^3 + 486662 u^2 + u is a square modulo p, so that a point of the curve has this u. */
static bool on_curve(const uint8_t bytes[32])
{
    struct field u = {{0}}, a = {{0}}, one = {{1}}, power = {{1}};
    for (size_t i = 0; i < 32; i++)
        u.limb[i] = i == 31 ? bytes[i] & 0x7f : bytes[i];
    a.limb[0] = 0x06; /* 486662 = 0x076d06 */
    a.limb[1] = 0x6d;
    a.limb[2] = 0x07;
    struct field v = field_add(&u, &a);
    v = field_mul(&v, &u);
    v = field_add(&v, &one);
    v = field_mul(&v, &u);
    /* (p - 1) / 2 = 2^254 - 10: f6 ff .. ff 3f */
    for (int bit = 253; bit >= 0; bit--) {
        unsigned byte = bit / 8 == 0 ? 0xf6 : 0xff;
        power = field_mul(&power, &power);
        if (byte >> (bit % 8) & 1)
            power = field_mul(&power, &v);
    }
    return field_is_one(&power);
}

static void masked_points_do_not_show(void **state)
{
    (void)state;
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    enum { VOLUMES = 300 };
    unsigned masked = 0, unused = 0, raw = 0, top_bits = 0;
    for (int i = 0; i < VOLUMES; i++) {
        struct sk_slot_plain plain = {.k = 1, .n = 1, .format = 1};
        struct sk_party party;
        sk_party_init(&party);
        sk_random(header, 32 + 2 * 128);
        assert_int_equal(sk_volume_seal_slot(header, 0, &sk_alice.recipient, &plain), SK_OK);
        raw += on_curve(party.recipient.dh_public);
        masked += on_curve(header + 32 + 16);
        unused += on_curve(header + 32 + 128 + 16);
        top_bits += header[32 + 16 + 31] >> 7;
    }
    assert_int_equal(raw, VOLUMES); /* the test itself works */
    assert_in_range(masked, 90, 210);
    assert_in_range(unused, 90, 210);
    assert_in_range(top_bits, 90, 210); /* a raw key's top bit is always 0 */
}

static int compare_runs(const void *a, const void *b)
{
    const uint8_t *x, *y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return memcmp(x, y, 16);
}

static void two_volumes_of_one_content_share_no_run(void **state)
{
    (void)state;
    sk_auto_buf both = SK_BUF_INIT, second = SK_BUF_INIT;
    sk_test_write_for_alice(&both, 150000);
    sk_test_write_for_alice(&second, 150000);
    assert_int_equal(sk_buf_add(&both, second.bytes, second.len, NULL), SK_OK);
    size_t count = both.len - 15;
    const uint8_t **runs = malloc(count * sizeof(*runs));
    for (size_t i = 0; i < count; i++)
        runs[i] = both.bytes + i;
    qsort(runs, count, sizeof(*runs), compare_runs);
    for (size_t i = 1; i < count; i++)
        assert_memory_not_equal(runs[i - 1], runs[i], 16);
    free(runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_volumes_are_uniform),
        cmocka_unit_test(no_position_of_the_header_stands_out),
        cmocka_unit_test(masked_points_do_not_show),
        cmocka_unit_test(two_volumes_of_one_content_share_no_run),
    };
    return cmocka_run_group_tests(tests, sk_volume_setup, sk_volume_teardown);
}
