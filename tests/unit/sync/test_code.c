/*
 * Goal of this test: the courier's code is that of the file's hash, and is found right only when
 * every digit is, however they are spaced.
 */
#include "crypto/hash.h"
#include "tests/support/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void the_code_is_that_of_the_file(void **state)
{
    (void)state;
    sk_auto_buf whole = SK_BUF_INIT;
    struct sk_file *file = NULL;
    uint8_t hash[32];
    char code[SK_CODE_LEN], want[SK_CODE_LEN], tight[SK_CODE_LEN];

    sk_test_write_for_alice(&whole, 10);
    assert_int_equal(sk_file_open(&file, sk_volume_path, NULL), SK_OK);
    assert_int_equal(sk_file_hash(file, hash, NULL, NULL), SK_OK);
    sk_file_close(file);
    sk_code_format(code, hash);
    sk_digits(want, 6, SK_LABEL_CODE, hash);
    assert_string_equal(code, want);
    assert_int_equal(strlen(code), 35);

    assert_true(sk_code_valid(code));
    assert_true(sk_code_matches(code, hash));
    size_t n = 0;
    for (size_t i = 0; code[i]; i++)
        if (code[i] != ' ')
            tight[n++] = code[i];
    tight[n] = '\0';
    assert_true(sk_code_matches(tight, hash));
    for (size_t i = 0; code[i]; i++) {
        char c = code[i];
        code[i] = (char)(c == ' ' ? '-' : c == '9' ? '0' : c + 1);
        assert_true(sk_code_valid(code));
        assert_int_equal(sk_code_matches(code, hash), c == ' ');
        code[i] = c == ' ' ? '.' : 'o';
        assert_false(sk_code_valid(code));
        assert_false(sk_code_matches(code, hash));
        code[i] = c;
    }
    tight[29] = '\0';
    assert_false(sk_code_valid(tight));
    assert_false(sk_code_matches(tight, hash));
    assert_false(sk_code_valid(""));
    assert_false(sk_code_valid("00000 00000 00000 00000 00000 00000 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_is_that_of_the_file),
    };
    return cmocka_run_group_tests(tests, sk_volume_setup, sk_volume_teardown);
}
