/*
 * Goal of this test: what people choose first is warned about, on either keyboard layout, with
 * digits for letters and twice in a row; words drawn at random and sentences of one's own are not.
 */
#include "cli/strength.h"
#include "cli/words.h"
#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char *weakness(const char *text)
{
    return sk_passphrase_weakness(text, strlen(text));
}

static void test_short(void **state)
{
    (void)state;
    assert_string_equal(weakness(""), "is very short");
    assert_string_equal(weakness("k7#pQ9!xz2w"), "is very short");
    assert_null(weakness("k7#pQ9!xz2wv"));
}

static void test_common(void **state)
{
    (void)state;
    static const char *const common[] = {
        "passwordpassword",
        "Password1234",
        "P@ssw0rd2020",
        "iloveyou iloveyou",
        "aaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "zyxwvutsrqpon",
        "123456789012",
        "098765432109876",
        "qwertyuiop[]",
        "qwertyuiopasdf",
        "1qaz2wsx3edc",
        "zaq12wsxcde3",
        "йцукенгшщзхъ",
        "пароль1234",
        "ЖывеБеларусь!",
        "ghbdtnghbdtn",
        "gfhjkmgfhjkm",
        "зфыыцщкв2020",
        "минск-2020-брест",
        "Minsk Belarus 2020",
        "19.08.2020 minsk",
        "24081991 гомель",
        "уладзімір1990",
        "letmein letmein",
        "ababababababab",
        "lena lena lena",
        "vova1988vova1988",
        "\xd0\x90\xd0\x90\xd0\x90\xd0\x90\xd0\x90\xd0\x90\xd0\x90\xd0\x90",
    };
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        if (!weakness(common[i]))
            fail_msg("nothing is said about %s", common[i]);
        assert_string_equal(weakness(common[i]), "is one of those that are tried first");
    }
}

static void test_own(void **state)
{
    (void)state;
    static const char *const own[] = {
        "own words that nobody reads",
        "a passphrase for tests",
        "korova molokom obuta",
        "Янка чытае ля вакна зімой",
        "не хочу быть вашим эхом",
        "correct horse battery",
        "7hQ-zzP.k2_mW9vX",
        "тры шэрыя гусі на плоце",
        "\x01\x02\xff\xfe\x80\x81\x90\xc0\xc1\xf5\xe2\x28\xa1",
        "龍が木の上で歌っている夜",
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (weakness(own[i]))
            fail_msg("%s %s", own[i], weakness(own[i]));
}

/* What the program proposes is never warned about. */
static void test_drawn(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        sk_auto_line words = SK_LINE_INIT;
        assert_int_equal(sk_words_draw(&words, SK_WORDS_PASSPHRASE, NULL), SK_OK);
        if (sk_passphrase_weakness(sk_line_text(&words), words.len))
            fail_msg("%s", sk_line_text(&words));
    }
}

/* Any bytes of any length are judged. */
static void test_any_bytes(void **state)
{
    (void)state;
    char text[SK_LINE_SECRET_MAX];
    for (unsigned i = 0; i < 1000; i++) {
        size_t len = sk_random_below(i % 3 ? 40 : sizeof(text));
        sk_random(text, sizeof(text));
        if (i % 2)
            for (size_t j = 0; j < len; j++)
                text[j] = "aA1\xd0\xb9.-"[sk_random_below(7)];
        const char *said = sk_passphrase_weakness(text, len);
        assert_true(len >= 12 || said != NULL);
    }
    memset(text, 'x', sizeof(text));
    assert_non_null(sk_passphrase_weakness(text, sizeof(text)));
}

static void test_key_files(void **state)
{
    (void)state;
    uint8_t bytes[64];
    memset(bytes, 'x', sizeof(bytes));
    assert_string_equal(sk_key_file_weakness(bytes, 15), "is shorter than 16 bytes");
    assert_string_equal(sk_key_file_weakness(bytes, 1), "is shorter than 16 bytes");
    assert_string_equal(sk_key_file_weakness(bytes, 64), "is one byte over and over");
    bytes[63] = 'y';
    assert_null(sk_key_file_weakness(bytes, 64));
    assert_string_equal(sk_key_file_weakness(bytes, 63), "is one byte over and over");
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() == SK_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short),     cmocka_unit_test(test_common),
        cmocka_unit_test(test_own),       cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_key_files),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
