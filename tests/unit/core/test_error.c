/*
 * Goal of this test: the first fault's words stay, success leaves the structure alone, a full disk
 * has its own status, and words that are too long are cut between characters.
 */
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void the_first_words_stay(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_fail(&err, SK_DAMAGED, "page %d", 7), SK_DAMAGED);
    assert_int_equal(sk_fail(&err, SK_IO, "later"), SK_IO);
    assert_int_equal(sk_fail_status(&err, SK_BUSY), SK_BUSY);
    assert_int_equal(err.status, SK_DAMAGED);
    assert_string_equal(err.text, "page 7");
    sk_error_clear(&err);
    assert_int_equal(err.status, SK_OK);
    assert_int_equal(sk_fail_status(&err, SK_BUSY), SK_BUSY);
    assert_string_equal(err.text, sk_status_text(SK_BUSY));
}

static void null_is_allowed(void **state)
{
    (void)state;
    errno = EIO;
    assert_int_equal(sk_fail(NULL, SK_USAGE, "%s", "x"), SK_USAGE);
    assert_int_equal(sk_fail_errno(NULL, SK_IO, "%s", "x"), SK_IO);
    assert_int_equal(sk_fail_status(NULL, SK_NOMEM), SK_NOMEM);
    sk_error_clear(NULL);
}

static void errno_gives_words(void **state)
{
    (void)state;
    struct sk_error err = SK_ERROR_INIT;
    errno = EACCES;
    assert_int_equal(sk_fail_errno(&err, SK_IO, "%s cannot be read", "notes"), SK_IO);
    assert_int_equal(errno, EACCES);
    assert_string_equal(err.text, "notes cannot be read: Permission denied");
}

static void some_faults_have_their_status(void **state)
{
    (void)state;
    static const int full[] = {ENOSPC, EDQUOT, EFBIG, ENOMEM};
    for (size_t i = 0; i < 4; i++) {
        struct sk_error err = SK_ERROR_INIT;
        enum sk_status expected = full[i] == ENOMEM ? SK_NOMEM : SK_FULL;
        errno = full[i];
        assert_int_equal(sk_fail_errno(&err, SK_IO, "x"), expected);
        assert_int_equal(err.status, expected);
        errno = full[i];
        assert_int_equal(sk_fail_errno(NULL, SK_CREATE, "x"), SK_CREATE);
    }
}

static void long_words_are_cut_between_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"a", "\xd1\x81", "\xe2\x82\xac", "\xf0\x9f\x8c\xb2"};
    for (size_t i = 0; i < 4; i++) {
        size_t width = strlen(letters[i]);
        for (size_t lead = 0; lead < width; lead++) {
            struct sk_error err = SK_ERROR_INIT;
            char text[2 * SK_ERROR_TEXT_MAX + 8];
            size_t len = lead;
            memset(text, 'x', lead);
            while (len < 2 * SK_ERROR_TEXT_MAX) {
                memcpy(text + len, letters[i], width);
                len += width;
            }
            text[len] = '\0';
            assert_int_equal(sk_fail(&err, SK_IO, "%s", text), SK_IO);
            size_t kept = strlen(err.text);
            assert_in_range(kept, SK_ERROR_TEXT_MAX - 4, SK_ERROR_TEXT_MAX - 1);
            assert_int_equal((kept - lead) % width, 0);
            assert_memory_equal(err.text, text, kept);

            /* So are the words of errno, which find little room behind these. */
            sk_error_clear(&err);
            errno = EACCES;
            assert_int_equal(sk_fail_errno(&err, SK_IO, "%.*s", (int)(kept - lead), text + lead),
                             SK_IO);
            assert_memory_equal(err.text, text + lead, kept - lead);
        }
    }
}

static enum sk_status tries(enum sk_status given, int *after)
{
    SK_TRY(given);
    *after = 1;
    return SK_OK;
}

static void try_returns_what_is_not_ok(void **state)
{
    (void)state;
    int after = 0;
    assert_int_equal(tries(SK_LIMIT, &after), SK_LIMIT);
    assert_int_equal(after, 0);
    assert_int_equal(tries(SK_OK, &after), SK_OK);
    assert_int_equal(after, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_words_stay),
        cmocka_unit_test(null_is_allowed),
        cmocka_unit_test(errno_gives_words),
        cmocka_unit_test(some_faults_have_their_status),
        cmocka_unit_test(long_words_are_cut_between_characters),
        cmocka_unit_test(try_returns_what_is_not_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
