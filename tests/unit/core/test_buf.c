/*
 * Goal of this test: a buffer holds what was appended, is always closed by a zero, refuses sizes
 * that cannot be, and wipes the memory that it lets go.
 */
#include "core/buf.h"
#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void pieces_add_up(void **state)
{
    (void)state;
    sk_auto_buf buf = SK_BUF_INIT;
    assert_string_equal(sk_buf_text(&buf), "");
    assert_int_equal(sk_buf_add(&buf, "ab", 2, NULL), SK_OK);
    assert_int_equal(sk_buf_add_text(&buf, "cd", NULL), SK_OK);
    assert_int_equal(sk_buf_add_byte(&buf, 'e', NULL), SK_OK);
    assert_int_equal(sk_buf_printf(&buf, NULL, "%d-%s", 5, "f"), SK_OK);
    assert_int_equal(sk_buf_add(&buf, NULL, 0, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&buf), "abcde5-f");
    assert_int_equal(buf.len, 8);
}

static void it_grows_and_stays_closed(void **state)
{
    (void)state;
    sk_auto_buf buf = SK_BUF_INIT;
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(sk_buf_add_byte(&buf, (uint8_t)(i * 7), NULL), SK_OK);
        assert_int_equal(buf.len, i + 1);
        assert_true(buf.room >= buf.len);
        assert_int_equal(buf.bytes[buf.len], 0);
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(buf.bytes[i], (uint8_t)(i * 7));
}

static void empty_ones_have_a_zero_after_growth(void **state)
{
    (void)state;
    sk_auto_buf buf = SK_BUF_INIT;
    assert_int_equal(sk_buf_grow(&buf, 0, NULL), SK_OK);
    assert_non_null(buf.bytes);
    assert_int_equal(buf.bytes[0], 0);
    assert_int_equal(sk_buf_grow(&buf, 1000, NULL), SK_OK);
    assert_true(buf.room - buf.len >= 1000);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    sk_auto_buf buf = SK_BUF_INIT;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_buf_add_text(&buf, "kept", NULL), SK_OK);
    assert_int_equal(sk_buf_grow(&buf, SIZE_MAX, &err), SK_NOMEM);
    assert_int_equal(err.status, SK_NOMEM);
    assert_int_equal(sk_buf_grow(&buf, SIZE_MAX - 3, NULL), SK_NOMEM);
    assert_int_equal(sk_buf_grow(&buf, SIZE_MAX / 2, NULL), SK_NOMEM);
    assert_string_equal(sk_buf_text(&buf), "kept");
}

static void reset_wipes_and_keeps(void **state)
{
    (void)state;
    sk_auto_buf buf = SK_BUF_INIT;
    assert_int_equal(sk_buf_add_text(&buf, "secret words", NULL), SK_OK);
    const uint8_t *bytes = buf.bytes;
    sk_buf_reset(&buf);
    assert_int_equal(buf.len, 0);
    assert_ptr_equal(buf.bytes, bytes);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(bytes[i], 0);
    assert_string_equal(sk_buf_text(&buf), "");
    sk_buf_clear(&buf);
    assert_null(buf.bytes);
    sk_buf_reset(&buf);
}

/* What is wiped is seen by taking the place of libsodium's function, which sk_wipe() calls. */
static const void *wiped[8];
static size_t wiped_len[8];
static size_t wiped_count;

void sodium_memzero(void *const bytes, const size_t len)
{
    if (wiped_count < 8) {
        wiped[wiped_count] = bytes;
        wiped_len[wiped_count++] = len;
    }
    memset(bytes, 0, len);
}

static void memory_that_is_let_go_is_wiped(void **state)
{
    (void)state;
    struct sk_buf buf = SK_BUF_INIT;
    assert_int_equal(sk_buf_add_text(&buf, "secret words", NULL), SK_OK);

    wiped_count = 0;
    const void *before = buf.bytes;
    size_t room = buf.room;
    assert_int_equal(sk_buf_grow(&buf, 4096, NULL), SK_OK);
    assert_int_equal(wiped_count, 1);
    assert_ptr_equal(wiped[0], before);
    assert_int_equal(wiped_len[0], room);

    /* All of the room: something may have been written there and not counted yet. */
    wiped_count = 0;
    before = buf.bytes;
    room = buf.room;
    sk_buf_clear(&buf);
    assert_int_equal(wiped_count, 1);
    assert_ptr_equal(wiped[0], before);
    assert_int_equal(wiped_len[0], room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(it_grows_and_stays_closed),
        cmocka_unit_test(empty_ones_have_a_zero_after_growth),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(reset_wipes_and_keeps),
        cmocka_unit_test(memory_that_is_let_go_is_wiped),
    };
    return sk_crypto_init() == SK_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
