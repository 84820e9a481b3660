/*
 * Goal of this test: every status has its own name in lower case, a sentence and the exit code of
 * the man page; a number that is no status reads as an internal error.
 */
#include "crypto/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

static const char *const upper_names[] = {
#define NAME(name, exit_code, sentence) #name,
    SK_STATUS_LIST(NAME)
#undef NAME
};

static void names_are_the_lists_in_lower_case(void **state)
{
    (void)state;
    for (int s = 0; s < SK_STATUS_COUNT; s++) {
        const char *name = sk_status_name((enum sk_status)s);
        assert_int_equal(strlen(name), strlen(upper_names[s]));
        for (size_t i = 0; name[i] != '\0'; i++)
            assert_int_equal(name[i], tolower((unsigned char)upper_names[s][i]));
        for (int other = 0; other < s; other++)
            assert_string_not_equal(name, sk_status_name((enum sk_status)other));
    }
    assert_string_equal(sk_status_name(SK_WRONG_KEY), "wrong_key");
    assert_string_equal(sk_status_name(SK_OK), "ok");
}

static void sentences_are_short_and_plain(void **state)
{
    (void)state;
    for (int s = 0; s < SK_STATUS_COUNT; s++) {
        const char *text = sk_status_text((enum sk_status)s);
        assert_in_range(strlen(text), 1, 79);
        assert_null(strchr(text, '\n'));
    }
}

static void exit_codes_are_those_of_the_design(void **state)
{
    (void)state;
    assert_int_equal(sk_status_exit_code(SK_OK), 0);
    assert_int_equal(sk_status_exit_code(SK_USAGE), 64);
    assert_int_equal(sk_status_exit_code(SK_DAMAGED), 65);
    assert_int_equal(sk_status_exit_code(SK_REFUSED), 65);
    assert_int_equal(sk_status_exit_code(SK_LIMIT), 65);
    assert_int_equal(sk_status_exit_code(SK_MISSING), 66);
    assert_int_equal(sk_status_exit_code(SK_CREATE), 73);
    assert_int_equal(sk_status_exit_code(SK_IO), 74);
    assert_int_equal(sk_status_exit_code(SK_FULL), 74);
    assert_int_equal(sk_status_exit_code(SK_BUSY), 75);
    assert_int_equal(sk_status_exit_code(SK_WRONG_KEY), 77);
    assert_int_equal(sk_status_exit_code(SK_CONFIG), 78);
    assert_int_equal(sk_status_exit_code(SK_NOMEM), 1);
    assert_int_equal(sk_status_exit_code(SK_INTERNAL), 1);
}

static void an_unknown_status_is_an_internal_error(void **state)
{
    (void)state;
    enum sk_status unknown = (enum sk_status)(SK_STATUS_COUNT + 5);
    assert_string_equal(sk_status_name(unknown), "internal");
    assert_string_equal(sk_status_text(unknown), sk_status_text(SK_INTERNAL));
    assert_int_equal(sk_status_exit_code(unknown), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_lists_in_lower_case),
        cmocka_unit_test(sentences_are_short_and_plain),
        cmocka_unit_test(exit_codes_are_those_of_the_design),
        cmocka_unit_test(an_unknown_status_is_an_internal_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
