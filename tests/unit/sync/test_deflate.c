/*
 * Goal of this test: one buffer in, the same bytes out, with either effort; a result that does not
 * fit is told; and bytes from outside never give anything but exactly what was announced.
 */
#include "crypto/secret.h"
#include "sync/deflate.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ROOM  (1024u * 1024)
#define GUARD 64u

struct pair {
    struct sk_deflater *deflater;
    struct sk_inflater *inflater;
    uint8_t plain[ROOM];
    uint8_t packed[ROOM + GUARD];
    uint8_t out[ROOM + GUARD];
};

static enum sk_effort effort;

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    *state = p;
    return p && sk_deflater_new(&p->deflater, effort, NULL) == SK_OK &&
                   sk_inflater_new(&p->inflater, NULL) == SK_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    sk_deflater_free(p->deflater);
    sk_inflater_free(p->inflater);
    free(p);
    return 0;
}

static void fill_text(uint8_t *out, size_t len)
{
    static const char words[] = "the river was high that spring, and nobody crossed it; ";
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(words[i % (sizeof(words) - 1)] + (i % 1009 == 0));
}

/* Whether it comes back, with nothing written behind it. */
static bool comes_back(struct pair *p, size_t len, size_t packed_len)
{
    memset(p->out, 0xa5, sizeof(p->out));
    bool back = sk_inflate(p->inflater, p->out, len, p->packed, packed_len);
    for (size_t i = 0; i < GUARD; i++)
        assert_int_equal(p->out[len + i], 0xa5);
    return back && memcmp(p->out, p->plain, len) == 0;
}

static void every_size_comes_back(void **state)
{
    struct pair *p = *state;
    static const size_t sizes[] = {1, 2, 100, 4095, 32768, 65536, 100001, ROOM};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fill_text(p->plain, sizes[i]);
        size_t packed = sk_deflate(p->deflater, p->packed, ROOM, p->plain, sizes[i]);
        assert_true(packed > 0);
        assert_true(sizes[i] < 1000 || packed < sizes[i] / 4);
        assert_true(comes_back(p, sizes[i], packed));
        /* The same again: nothing is left of the call before. */
        uint8_t *first = malloc(packed);
        assert_non_null(first);
        memcpy(first, p->packed, packed);
        assert_int_equal(sk_deflate(p->deflater, p->packed, ROOM, p->plain, sizes[i]), packed);
        assert_memory_equal(first, p->packed, packed);
        free(first);
    }
}

static void what_does_not_fit_is_told(void **state)
{
    struct pair *p = *state;
    sk_random(p->plain, 10000);
    memset(p->packed, 0x5a, sizeof(p->packed));
    assert_int_equal(sk_deflate(p->deflater, p->packed, 9999, p->plain, 10000), 0);
    for (size_t i = 9999; i < 9999 + GUARD; i++)
        assert_int_equal(p->packed[i], 0x5a);
    fill_text(p->plain, 10000);
    size_t packed = sk_deflate(p->deflater, p->packed, ROOM, p->plain, 10000);
    assert_int_equal(sk_deflate(p->deflater, p->packed, packed - 1, p->plain, 10000), 0);
    assert_int_equal(sk_deflate(p->deflater, p->packed, packed + 16, p->plain, 10000), packed);
    assert_true(comes_back(p, 10000, packed));
}

static void only_the_announced_length_is_given(void **state)
{
    struct pair *p = *state;
    fill_text(p->plain, 5000);
    size_t packed = sk_deflate(p->deflater, p->packed, ROOM, p->plain, 5000);
    assert_true(comes_back(p, 5000, packed));
    assert_false(comes_back(p, 4999, packed));
    assert_false(comes_back(p, 5001, packed));
    assert_false(comes_back(p, 0, packed));
    p->packed[packed] = 0; /* a byte behind the end of the stream */
    assert_false(comes_back(p, 5000, packed + 1));
    for (size_t len = 0; len < packed; len++)
        assert_false(comes_back(p, 5000, len));
    assert_true(comes_back(p, 5000, packed)); /* and the reader is none the worse for it */
}

/* Two streams, one after the other, are not one. */
static void a_second_stream_is_not_read(void **state)
{
    struct pair *p = *state;
    fill_text(p->plain, 1000);
    size_t packed = sk_deflate(p->deflater, p->packed, ROOM, p->plain, 1000);
    memcpy(p->packed + packed, p->packed, packed);
    memcpy(p->plain + 1000, p->plain, 1000);
    assert_false(comes_back(p, 2000, 2 * packed));
    assert_false(comes_back(p, 1000, 2 * packed));
}

/* Any bytes: never more than the room, and what is taken is a stream to its last byte. */
static void bytes_from_outside_do_no_harm(void **state)
{
    struct pair *p = *state;
    fill_text(p->plain, 3000);
    size_t packed = sk_deflate(p->deflater, p->packed, ROOM, p->plain, 3000);
    uint8_t *kept = malloc(packed);
    assert_non_null(kept);
    memcpy(kept, p->packed, packed);
    for (size_t bit = 0; bit < 8 * packed; bit++) {
        memcpy(p->packed, kept, packed);
        p->packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)comes_back(p, 3000, packed);
    }
    free(kept);
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t len = sk_random_below(200);
        sk_random(p->packed, len);
        (void)comes_back(p, sk_random_below(5000), len);
    }
}

static void lengths_that_zlib_cannot_count_are_refused(void **state)
{
    struct pair *p = *state;
    const size_t huge = (size_t)UINT32_MAX + 1;
    assert_int_equal(sk_deflate(p->deflater, p->packed, 10, p->plain, huge), 0);
    assert_int_equal(sk_deflate(p->deflater, p->packed, huge, p->plain, 10), 0);
    assert_false(sk_inflate(p->inflater, p->out, huge, p->packed, 10));
    assert_false(sk_inflate(p->inflater, p->out, 10, p->packed, huge));
}

static void nothing_is_freed_twice(void **state)
{
    (void)state;
    sk_deflater_free(NULL);
    sk_inflater_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_size_comes_back),
        TEST(what_does_not_fit_is_told),
        TEST(only_the_announced_length_is_given),
        TEST(a_second_stream_is_not_read),
        TEST(bytes_from_outside_do_no_harm),
        TEST(lengths_that_zlib_cannot_count_are_refused),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    int failed = cmocka_run_group_tests_name("fast", tests, sk_test_begin, sk_test_end);
    effort = SK_EFFORT_SMALL;
    return failed + cmocka_run_group_tests_name("small", tests, sk_test_begin, sk_test_end);
}
